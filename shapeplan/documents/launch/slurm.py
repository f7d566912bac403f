"""A Slurm array: a script with the table of its tasks, so that nothing else has to be copied to the cluster."""

from __future__ import annotations

import re

from shapeplan.documents.launch.jobs import Jobs

SUFFIX = ".slurm.sh"
RUNS_COMMAND = True


def text(jobs: Jobs) -> str:
    """Return the script; task N is row N of the design."""
    assert jobs.template is not None, "a script runs a command"
    count = len(jobs.rows)
    # A blank or a line break in the name of a file must not end the directive.
    name = re.sub(r"[^\w.+-]+", "-", jobs.title)
    head = (
        "#!/bin/bash\n"
        f"#SBATCH --job-name={name}\n"
        f"#SBATCH --array=1-{count}\n"
        f"# Task N trains row N of the design. At most eight at once: sbatch --array=1-{count}%8\n"
    )
    # On a line of its own, so that no end of a command takes the arm's end with it.
    arms = "".join(f"{task})\n{jobs.template.fill(row)}\n;;\n" for task, row in enumerate(jobs.rows, 1))
    return (
        f"{head}case ${{SLURM_ARRAY_TASK_ID:?is not set: submit this by sbatch}} in\n{arms}"
        f'*)\necho "task $SLURM_ARRAY_TASK_ID: the design has {count} runs" >&2\nexit 1\n;;\nesac\n'
    )


def usage(path: str, jobs: Jobs) -> str:
    """Return how the script is submitted."""
    return f"sbatch {path}"

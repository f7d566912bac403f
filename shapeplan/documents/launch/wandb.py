"""A sweep of Weights & Biases: a grid over the names of the runs, each of which has its own command.

A grid over the columns would train all combinations of their values. The name is a parameter (``config.run``) and the
display name of the run, so that tables of the project, and its API, come back with the names of the design.
"""

from __future__ import annotations

import shlex

import yaml

from shapeplan.documents.launch.jobs import Jobs
from shapeplan.documents.launch.limits import check_argument
from shapeplan.documents.launch.template import Template

SUFFIX = ".wandb.yaml"
RUNS_COMMAND = True
_FLAG = "--run="


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def text(jobs: Jobs) -> str:
    """Return the sweep's configuration."""
    assert jobs.template is not None, "a sweep runs a command"
    script = _script(jobs, jobs.template)
    check_argument(script, "wandb", len(jobs.rows))
    sweep = {
        "name": jobs.title,
        "program": _program(jobs.template),
        "method": "grid",
        "parameters": {"run": {"values": jobs.names}},
        "command": ["bash", "-c", script, "bash", "${args}"],
    }
    return yaml.dump(sweep, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)


def usage(path: str, jobs: Jobs) -> str:
    """Return how the sweep is started."""
    return f"wandb sweep {path}, then wandb agent as it says"


def _script(jobs: Jobs, template: Template) -> str:
    arms = "".join(
        # With its flag before it no name is a word of the shell.
        f"{_word(_FLAG + name)})\n{template.fill(row, _word)}\n;;\n"
        for name, row in zip(jobs.names, jobs.rows, strict=True)
    )
    return f'export WANDB_NAME="${{1#{_FLAG}}}"\ncase $1 in\n{arms}*)\necho "no run $1" >&2\nexit 1\n;;\nesac\n'


def _word(value: str) -> str:
    """Quote a value; W&B replaces ``${envvar:NAME}`` wherever it finds it in a command."""
    return shlex.quote(value).replace("${", "$''{")


def _program(template: Template) -> str:
    """Return the script among the words of a command, else its first word: what W&B shows."""
    words = shlex.split(template.substitute(lambda column: column))
    return next((word for word in words if word.endswith(".py")), words[0])

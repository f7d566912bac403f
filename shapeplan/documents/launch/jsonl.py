"""JSON Lines: an object a run, with its columns and, if one was given, its command; for launchers of one's own."""

from __future__ import annotations

import json

from shapeplan.documents.launch.jobs import Jobs

SUFFIX = ".runs.jsonl"
RUNS_COMMAND = False


def text(jobs: Jobs) -> str:
    """Return the objects, in the order of the design."""
    template = jobs.template
    rows = jobs.rows if template is None else [{**row, "command": template.fill(row)} for row in jobs.rows]
    return "".join(json.dumps(row) + "\n" for row in rows)


def usage(path: str, jobs: Jobs) -> str:
    """Return what the file is for."""
    return "a JSON object a run, for a launcher of your own"

"""Overrides of a Hydra multirun, one a line: a sweep over the rows of the design, and what of a row the trainer takes.

A sweep over the columns would train all combinations of their values, so the one choice is that of a whole row,
``design``; placeholders are interpolations, ``${design.width}``. The folder of a run is called after it, so that
`readers` call it the same.
"""

from __future__ import annotations

import re
import shlex

from shapeplan.documents.launch.jobs import Jobs
from shapeplan.documents.launch.limits import check_argument
from shapeplan.documents.launch.template import Template, Value
from shapeplan.errors import ArgumentError, ErrorDetail

SUFFIX = ".hydra.txt"
RUNS_COMMAND = False
_NODE = "design"
_KEY = re.compile(r"[A-Za-z_]\w*")
_OVERRIDE = re.compile(r"(?:\+\+?|~)?[A-Za-z_][\w./@:$-]*=", re.ASCII)


def text(jobs: Jobs) -> str:
    """Return the overrides."""
    if odd := [column for column in jobs.rows[0] if not _KEY.fullmatch(column)]:
        message = f"the column {odd[0]!r} cannot be a key of Hydra"
        raise ArgumentError(ErrorDetail("bad-column", message, "use `launch=slurm` or `launch=jsonl`", value=odd[0]))
    rows = ",".join(
        "{" + ",".join(f"{column}:{_value(value)}" for column, value in row.items()) + "}" for row in jobs.rows
    )
    sweep = f"+{_NODE}={rows}"
    check_argument(sweep, "hydra", len(jobs.rows))
    folder = f"hydra.sweep.subdir={_interpolation('run')}"
    own = [] if jobs.template is None else _words(jobs.template)[1]
    return "".join(f"{line}\n" for line in dict.fromkeys([sweep, folder, *own]))


def usage(path: str, jobs: Jobs) -> str:
    """Return how the runs are started."""
    words = ["python", "train.py"] if jobs.template is None else _words(jobs.template)[0]
    start = shlex.join(word for word in words if word not in ("-m", "--multirun"))
    return f'mapfile -t overrides < {path} && {start} --multirun "${{overrides[@]}}"'


def _words(template: Template) -> tuple[list[str], list[str]]:
    """Return the words of a command that start the trainer, and its overrides."""
    words = shlex.split(template.substitute(_interpolation))
    start = [word for word in words if not _OVERRIDE.match(word)]
    if valued := [word for word in start if f"${{{_NODE}." in word]:
        shown = valued[0].replace(f"${{{_NODE}.", "{")
        message = f"`command` has {shown!r}, which is no override of Hydra"
        raise ArgumentError(ErrorDetail("bad-command", message, "write e.g. model.width={width}", value=shown))
    return start, [word for word in words if _OVERRIDE.match(word)]


def _interpolation(column: str) -> str:
    return f"${{{_NODE}.{column}}}"


def _value(value: Value) -> str:
    """Return a value in Hydra's grammar; of a text, what would end it or be replaced in it is escaped."""
    if not isinstance(value, str):
        return repr(value)
    body = re.sub(r"(\\*)(?='|\Z)", lambda match: match[1] * 2, value).replace("'", "\\'")
    return "'" + body.replace("${", "\\${") + "'"

"""Which runs did not finish, by what a log says of them: columns of states, of flags and of exit codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from shapeplan.readers.names import word_of
from shapeplan.readers.numbers import as_number
from shapeplan.readers.spelling import normal

End = Literal["finished", "running", "crashed", "diverged"]

_STATES = frozenset({"state", "status", "outcome", "result", "results"})
"""Last words of columns that say how a run ended."""
_OF_SOMETHING_ELSE = frozenset(
    {"gpu", "node", "cluster", "host", "system", "optimizer", "optim", "ema", "review", "license", "publication"}
)
"""Words beside which a state is that of something else."""
_LONGEST = 3
"""Words of a state; a longer text is a remark."""
_FINISHED = frozenset(
    {"finished", "complete", "completed", "success", "successful", "succeeded", "done", "ok", "converged"}
)
_UNFINISHED = frozenset(
    {
        *("crashed", "failed", "fail", "killed", "running", "preempted", "aborted", "error", "cancelled", "canceled"),
        *("stopped", "unfinished", "pruned", "diverged", "exploded", "nan", "oom", "timeout", "cut"),
    }
)
"""What such columns say, in the words of W&B, MLflow, Optuna, Ray and Slurm."""
# A false `done` is in every row of Ray but a run's last.
_FLAGS_OF_END = _FINISHED - {"done", "ok"}
_FLAGS_OF_FAILURE = _UNFINISHED - {"running", "error"}
_DIVERGED = frozenset({"diverged", "exploded", "nan"})
_UNDER_WAY = frozenset(
    {"running", "pending", "queued", "waiting", "scheduled", "created", "starting", "resuming", "requeued", "active"}
)
_CODES = frozenset({"exit_code", "exitcode", "return_code", "returncode", "exit_status"})
_TRUE, _FALSE = frozenset({"true", "yes", "1", "1.0"}), frozenset({"false", "no", "0", "0.0"})

TRUTH = _TRUE | _FALSE


def unfinished(column: str, cells: Sequence[str]) -> frozenset[str]:
    """Return the cells of a column, as they are written, that say that a run did not finish."""
    word = word_of(column)
    last = word.rpartition("_")[2]
    told = frozenset(cell for cell in cells if cell)
    if word in _CODES:
        return frozenset(cell for cell in told if as_number(cell) not in (None, 0))
    if {cell.lower() for cell in told} <= TRUTH:
        wrong = _TRUE if last in _FLAGS_OF_FAILURE else _FALSE if last in _FLAGS_OF_END else frozenset()
        return frozenset(cell for cell in told if cell.lower() in wrong)
    told = frozenset(cell for cell in told if len(_words(cell)) <= _LONGEST)
    finished = frozenset(cell for cell in told if _words(cell)[0] in _FINISHED)
    # Beside a run that finished, every other that is told did not.
    return told - finished if finished else frozenset(cell for cell in told if _is_failure(_words(cell)))


def ends(column: str, cells: Sequence[str]) -> dict[str, End]:
    """Return how a run ended by every cell of a column that says so, as it is written; ``running`` where it has not.

    ``unfinished`` does not tell whether a run goes on.
    """
    bad = unfinished(column, cells)
    word = word_of(column)
    told: dict[str, End] = {}
    for cell in set(cells) - {""}:
        first = word.rpartition("_")[2] if cell.lower() in TRUTH else _words(cell)[0]
        if first in _UNDER_WAY and cell.lower() not in TRUTH:
            told[cell] = "running"
        elif cell in bad and first != "unfinished":
            told[cell] = "diverged" if first in _DIVERGED else "crashed"
        elif first in _FINISHED or word in _CODES:
            told[cell] = "finished"
    return told


def may_tell(column: str) -> bool:
    """Return whether a column's name is that of a state, a flag or an exit code."""
    word = word_of(column)
    if _OF_SOMETHING_ELSE & set(normal(column).split("_")):
        return False
    last = word.rpartition("_")[2]
    return word in _CODES or last in _FLAGS_OF_END | _FLAGS_OF_FAILURE | _STATES


def commonest(cells: Sequence[str], without: frozenset[str]) -> str | None:
    """Return the commonest cell that is not among others, as it is written; None where there is none."""
    counts = Counter(cell for cell in cells if cell and cell not in without)
    return counts.most_common(1)[0][0] if counts else None


def _is_failure(words: Sequence[str]) -> bool:
    # `error bars` and `running average` are remarks.
    return words[0] in _UNFINISHED and (len(words) == 1 or words[0] not in ("error", "running", "stopped", "nan"))


def _words(cell: str) -> list[str]:
    return re.findall(r"\w+", cell.lower().replace("_", " ")) or [""]

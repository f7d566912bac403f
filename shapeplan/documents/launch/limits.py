"""How long an argument of a program may be."""

from __future__ import annotations

from shapeplan.errors import ArgumentError, ErrorDetail

LONGEST = 2**17 - 1
"""Bytes of one argument on Linux (MAX_ARG_STRLEN, 32 pages, with the NUL at its end)."""


def check_argument(text: str, launcher: str, runs: int) -> None:
    """Raise `ArgumentError` if a text cannot be an argument of a program."""
    size = len(text.encode("utf-8", errors="replace"))
    if size > LONGEST:
        message = f"{runs} runs make an argument of {size} bytes for `launch={launcher}`, and Linux takes {LONGEST}"
        raise ArgumentError(
            ErrorDetail("too-many-runs", message, "use `launch=slurm` or `launch=jsonl`, or fewer runs")
        )

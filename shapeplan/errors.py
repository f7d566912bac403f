"""The error tree, and the coded warnings: what is wrong, where, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

SHOWN = 10
"""How many details about one input are printed before "and N more"."""
MOST_KEPT = 1000
"""How many details of one kind are kept; the others are counted, since a log may have a million bad rows."""
_LONGEST = 60
"""Characters of a wrong argument that a message shows."""


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """One thing that is wrong with what the user gave.

    Attributes
    ----------
    code : str
        Kebab-case name of the mistake, for programs.
    message : str
        What is wrong, in a sentence without a full stop.
    hint : str or None
        How to mend it.
    file, line, column, value : str, int, str, str or None
        Where it is: the input's name, its line counted from 1, the column's name, and the text found there.
    more : int
        How many alike come after it that are not kept.
    """

    code: str
    message: str
    hint: str | None = None
    file: str | None = None
    line: int | None = None
    column: str | None = None
    value: str | None = None
    more: int = 0

    def __str__(self) -> str:
        """Return ``file:line: column 'name': message; hint``."""
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}" if place else f"line {self.line}"
        parts = [place] if place else []
        if self.column is not None:
            parts.append(f"column {self.column!r}")
        parts.append(self.message + (f"; {self.hint}" if self.hint else ""))
        return ": ".join(parts)

    def within(self, file: str | None) -> ErrorDetail:
        """Return the same detail, placed in `file` unless it already names one."""
        return self if self.file else replace(self, file=file)


def details_at(rows: Sequence[int], make: Callable[[int], ErrorDetail]) -> list[ErrorDetail]:
    """Return a detail for each of the first rows with the same mistake; the last says how many more there are."""
    details = [make(row) for row in rows[:MOST_KEPT]]
    if len(rows) > MOST_KEPT:
        details[-1] = replace(details[-1], more=len(rows) - MOST_KEPT)
    return details


def count_of(details: Sequence[ErrorDetail]) -> int:
    """Return how many mistakes details are about, with those that are not kept."""
    return len(details) + sum(detail.more for detail in details)


@dataclass(frozen=True, slots=True)
class Caution:
    """A coded warning that travels with a result.

    Attributes
    ----------
    code : str
        Kebab-case name, stable across versions.
    message : str
        What was seen, in a sentence without a full stop.
    hint : str
        What to do about it.
    """

    code: str
    message: str
    hint: str

    def __str__(self) -> str:
        """Return ``message; hint [code]``: the code last, so that ``shapeplan explain CODE`` can be typed."""
        return f"{self.message}; {self.hint} [{self.code}]"


class ShapeplanError(Exception):
    """Anything that shapeplan refuses, with one detail or many.

    Parameters
    ----------
    *details : ErrorDetail
        What is wrong, in the order of the input; at least one.
    """

    exit_code = 1
    noun = "mistakes"
    """What several details are called together."""

    def __init__(self, *details: ErrorDetail):
        if not details:
            raise ValueError("an error needs at least one detail")
        self.details = details
        super().__init__(*details)

    @property
    def total(self) -> int:
        """How many mistakes there are, with those that are counted alone."""
        return count_of(self.details)

    @property
    def complaints(self) -> tuple[ErrorDetail, ...]:
        """The details, by the name that they first had."""
        return self.details

    def __str__(self) -> str:
        """Return the first ten details, a line each, then how many more there are."""
        lines = [str(detail) for detail in self.details[:SHOWN]]
        if self.total > SHOWN:
            lines.append(f"and {self.total - SHOWN} more")
        return "\n".join(lines)


class InputError(ShapeplanError):
    """A log or a document that cannot be read as what it should be."""


class OutputError(ShapeplanError):
    """A result that cannot be written where it should go."""


class FitError(ShapeplanError):
    """Rows that are well-formed but cannot support the law that was asked for."""


class PlanError(ShapeplanError):
    """A plan that the law at hand cannot give."""


class PlanMoved(ShapeplanError):  # noqa: N818 - the plan is right, it is not the expected one
    """A plan that differs from the pinned one by more than its tolerance (exit status 3)."""

    exit_code = 3
    noun = "quantities beyond tolerance"


class ArgumentError(ShapeplanError):
    """An argument that makes no sense, whatever the data (exit status 2)."""

    exit_code = 2


def check_type(what: str, given: object, kind: type, hint: str) -> None:
    """Raise `ArgumentError` unless what was given is of a kind."""
    if not isinstance(given, kind):
        message = f"{what} is a shapeplan.{kind.__name__}, not a {type(given).__name__}"
        raise ArgumentError(ErrorDetail("wrong-type", message, hint))


def check_choice(what: str, given: object, known: Sequence[str]) -> None:
    """Raise `ArgumentError` unless what was given is one of the known names."""
    if isinstance(given, str) and given in known:
        return
    close = difflib.get_close_matches(str(given), known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(known)}"
    said = str(given)[:_LONGEST]
    raise ArgumentError(ErrorDetail(f"unknown-{what}", f"there is no {what} {said!r}", hint, value=said))

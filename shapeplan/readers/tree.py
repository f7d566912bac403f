"""Nested data: with lines, as YAML and JSON are loaded, or in Python's scalars; and the bounds of what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from shapeplan.errors import ErrorDetail, InputError

MOST_NESTED = 100
"""Levels; a log has three, the settings of a large framework about ten."""
MOST_REPEATED = 1_000_000
"""Values that aliases of YAML may repeat: nested ones would make billions of a file of a kilobyte."""


_SCALARS = {str, int, float, bool, type(None)}


class LinedList(list[Any]):
    """A list that knows the lines of its items."""

    __slots__ = ("lines",)

    def __init__(self, items: list[Any], lines: list[int]):
        super().__init__(items)
        self.lines = lines


class LinedMapping(dict[str, Any]):
    """A mapping that knows its line, the lines of values that are on others, and keys that came twice."""

    __slots__ = ("duplicates", "line", "lines")

    def __init__(self, line: int):
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        self.duplicates: tuple[tuple[str, int], ...] = ()

    def add(self, key: str, value: object, line: int) -> None:
        """Set the value of a key; of one that comes twice the last counts, and the line is kept."""
        if key in self:
            self.duplicates += ((key, line),)
        self[key] = value
        if line != self.line or key in self.lines:
            self.lines[key] = line

    def line_of(self, key: str) -> int:
        """Return the line of a value."""
        return self.lines.get(key, self.line)


def is_flat(values: Iterable[object]) -> bool:
    """Return whether no value holds others."""
    return _SCALARS.issuperset(map(type, values))


def check_tree(data: object, name: str) -> None:
    """Raise `InputError` for what is nested too deeply, and for every key that comes twice in a mapping."""
    details: list[ErrorDetail] = []
    waiting: list[tuple[Any, int, int]] = [(data, 1, 1)]
    seen: set[int] = set()
    while waiting:
        part, line, depth = waiting.pop()
        if not isinstance(part, dict | list) or id(part) in seen:
            continue
        # An anchor of YAML may be meant by many aliases.
        seen.add(id(part))
        line = part.line if isinstance(part, LinedMapping) else line
        if depth > MOST_NESTED:
            raise too_deep(name, line)
        inner = part.values() if isinstance(part, dict) else part
        if not is_flat(inner):
            waiting += [(item, line, depth + 1) for item in inner]
        if isinstance(part, LinedMapping) and part.duplicates:
            details += [
                ErrorDetail("duplicate-key", "the entry has it twice", "keep one", name, where, key)
                for key, where in part.duplicates
            ]
    if details:
        raise InputError(*sorted(details, key=lambda one: (one.line or 0, one.column or "")))


def too_deep(name: str | None, line: int | None) -> InputError:
    """Return the error of data that are nested too deeply."""
    message = f"it is nested too deeply: in more than {MOST_NESTED} levels"
    return InputError(ErrorDetail("too-deep", message, "write a list of runs, with column: value pairs", name, line))


def bad_syntax(code: str, why: str, name: str, line: int) -> InputError:
    """Return the error of text that is no YAML or JSON: ``bad-yaml``, ``bad-json``."""
    kind = code.removeprefix("bad-").upper()
    return InputError(
        ErrorDetail(code, f"is not {kind}: {why[:1].lower()}{why[1:]}", "mend the syntax here", name, line)
    )


def plain(cell: object, inside: tuple[int, ...] = ()) -> object:
    """Return what a cell holds in Python's own scalars, lists and mappings by text; arrays are lists.

    What holds itself, or is nested too deeply, is left as it is, and complained of where cells are read.
    """
    if id(cell) in inside or len(inside) > MOST_NESTED:
        return cell
    if isinstance(cell, Mapping):
        return {str(key): plain(value, (*inside, id(cell))) for key, value in cell.items()}
    if getattr(cell, "ndim", 0):
        cell = cast(Any, cell).tolist()
    if isinstance(cell, list | tuple):
        return [plain(item, (*inside, id(cell))) for item in cell]
    # Databases hand out decimals.
    if hasattr(cell, "as_integer_ratio") and not isinstance(cell, int | float) and not hasattr(cell, "item"):
        return float(cast(Any, cell))
    item = getattr(cell, "item", None)
    return item() if callable(item) else cell

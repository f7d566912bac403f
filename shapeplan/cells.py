"""The cells of a column as they stand in an input: a list, or an array of short texts."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, SupportsIndex, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from shapeplan.numerals import as_float
from shapeplan.numerics.arrays import Bools, Floats, Ints
from shapeplan.numerics.grouping import first_alike

LONGEST = 64
"""Characters; longer texts are kept in a list, since an array takes the longest for all."""
_CHUNK = 2**15
_SHOWN = 10
_DIGITS = 15
"""Digits that a float holds exactly."""
Texts: TypeAlias = NDArray[np.bytes_]


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""In place of a cell that a row does not have, where rows need not have all columns."""


class Cells:
    """The cells of one column, in the order of the rows.

    Parameters
    ----------
    cells : sequence of object, or ndarray of bytes
        Texts, numbers, None or `ABSENT`; an array holds texts in ASCII.
    """

    __slots__ = ("_cells",)

    def __init__(self, cells: Sequence[object] | Texts):
        self._cells = cells

    @classmethod
    def of_texts(cls, texts: Sequence[str]) -> Cells:
        """Return texts as an array, where they are short and in ASCII."""
        if max(map(len, texts), default=0) > LONGEST:
            return cls(list(texts))
        try:
            return cls(np.array(texts, dtype="S"))
        except UnicodeEncodeError:
            return cls(list(texts))

    @classmethod
    def joined(cls, parts: Sequence[Cells]) -> Cells:
        """Return the cells of several columns, one after the other."""
        arrays = [part._cells for part in parts if isinstance(part._cells, np.ndarray)]
        if arrays and len(arrays) == len(parts):
            return cls(np.concatenate(arrays) if len(arrays) != 1 else arrays[0])
        return cls([cell for part in parts for cell in part])

    def __eq__(self, other: object) -> bool:
        """Return whether two columns have the same cells."""
        return isinstance(other, Cells) and len(self) == len(other) and all(map(operator.eq, self, other))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._cells)

    def __getitem__(self, row: int) -> object:
        """Return one cell."""
        cell: object = self._cells[row]
        return cell.decode() if isinstance(cell, bytes) else cell

    def __iter__(self) -> Iterator[object]:
        """Yield the cells."""
        if isinstance(self._cells, np.ndarray):
            return _decoded(self._cells)
        return iter(self._cells)

    def texts(self) -> Texts | None:
        """Return the cells as an array of texts, where they are kept as one."""
        return self._cells if isinstance(self._cells, np.ndarray) else None

    def is_constant(self) -> bool:
        """Return whether all cells are equal."""
        cells = self._cells
        if isinstance(cells, np.ndarray):
            return bool((cells == cells[:1]).all())
        return all(cell == cells[0] for cell in cells)

    def take(self, rows: Ints | Bools) -> Cells:
        """Return the cells of some rows."""
        if isinstance(self._cells, np.ndarray):
            return Cells(self._cells[rows])
        return Cells([self._cells[i] for i in np.arange(len(self))[rows].tolist()])

    def below(self, row: int) -> Cells:
        """Return the cells from a row on."""
        return Cells(self._cells[row:])

    def groups(self) -> tuple[Ints, Sequence[str]]:
        """Return which distinct text every cell is, shape (rows,), and those, in order of appearance."""
        cells = self._cells
        if not isinstance(cells, np.ndarray):
            index: dict[str, int] = {}
            return np.array([index.setdefault(str(cell), len(index)) for cell in cells], dtype=int), tuple(index)
        padded = cells.astype(f"S{-(-cells.itemsize // 8) * 8}").view(np.uint64).reshape(len(cells), -1)
        first = first_alike(*padded.T)
        new = first == np.arange(len(first))
        numbers = np.cumsum(new)
        numbers -= 1
        return numbers[first], Names(cells[new])

    def finite_numbers(self) -> Floats | None:
        """Return the cells as `numbers` does, None too where one is not finite."""
        values = self.numbers()
        return values if values is not None and np.isfinite(values).all() else None

    def numbers(self) -> Floats | None:
        """Return the cells as numbers, shape (rows,), if all are plain ones (which NaN is), else None."""
        cells = self._cells
        if isinstance(cells, np.ndarray):
            for convert in (_whole_numbers, _float_numbers):
                values = convert(cells)
                if values is not None:
                    return values
            try:
                return np.array([as_float(cell.decode()) for cell in cells.tolist()])
            except ValueError:
                return None
        if not set(map(type, cells)) <= {str, int, float}:
            return None
        try:
            return np.array([as_float(cell) for cell in cells if isinstance(cell, str | int | float)])
        except (ValueError, OverflowError):
            return None


class Names(Sequence[str]):
    """Texts of an array, each decoded when it is asked for: a log may have a million runs, of which a few are named."""

    __slots__ = ("_texts",)

    def __init__(self, texts: Texts):
        self._texts = texts

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self._texts)

    @overload
    def __getitem__(self, place: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Names: ...
    def __getitem__(self, place: SupportsIndex | slice) -> str | Names:
        """Return one text, or some."""
        if isinstance(place, slice):
            return Names(self._texts[place])
        name: bytes = self._texts[place]
        return name.decode()

    def __iter__(self) -> Iterator[str]:
        """Yield the texts."""
        return _decoded(self._texts)

    def take(self, places: Ints) -> Names:
        """Return some of the texts."""
        return Names(self._texts[places])

    def __eq__(self, other: object) -> bool:
        """Return whether another sequence holds the same texts; a tuple does too."""
        return isinstance(other, tuple | Names) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        """Return the hash of the tuple that is equal."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        """Return the first texts."""
        shown = ", ".join(map(repr, self[:_SHOWN]))
        return f"({shown}{', ...' if len(self) > _SHOWN else ''})"


def _decoded(texts: Texts) -> Iterator[str]:
    """Yield texts, some of them as a list at a time."""
    for start in range(0, len(texts), _CHUNK):
        yield from map(bytes.decode, texts[start : start + _CHUNK].tolist())


def _whole_numbers(texts: Texts) -> Floats | None:
    """Return texts of digits alone as numbers, digit by digit, which takes a fifth of the time that others take."""
    if not 0 < texts.itemsize <= _DIGITS:
        return None
    # A digit of all texts lies together, and less than "0" wraps around to more than 9.
    digits = texts.view(np.uint8).reshape(len(texts), texts.itemsize).T.copy()
    values = np.zeros(len(texts), dtype=np.int64)
    for place, column in enumerate(digits):
        there = column != 0
        column -= np.uint8(ord("0"))
        if ((column > 9) & there).any() or not (place or there.all()):
            return None
        if there.all():
            values *= 10
            values += column
        else:
            values = np.where(there, values * 10 + column, values)
    return values.astype(float)


def _float_numbers(texts: Texts) -> Floats | None:
    """Return texts that Python's `float` reads as it does, all at once; not those with underscores (see `as_float`)."""
    if not texts.itemsize or (texts.view(np.uint8) == ord("_")).any():
        return None
    try:
        return texts.astype(float)
    except ValueError:
        return None

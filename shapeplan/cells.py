"""The cells of a column as they stand in an input: a list, or an array of short texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shapeplan.numerics.arrays import Bools, Floats, Ints
from shapeplan.numerics.grouping import first_alike

LONGEST = 64
"""Characters; longer texts are kept in a list, since an array takes the longest for all."""
_CHUNK = 2**15
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

    def groups(self) -> tuple[Ints, tuple[str, ...]]:
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
        return numbers[first], tuple(_decoded(cells[new]))

    def numbers(self) -> Floats | None:
        """Return the cells as numbers, shape (rows,), if all are plain ones (which NaN is), else None."""
        cells = self._cells
        if isinstance(cells, np.ndarray):
            whole = _whole_numbers(cells)
            if whole is not None:
                return whole
            try:
                return cells.astype(float)
            except ValueError:
                return None
        if not set(map(type, cells)) <= {str, int, float}:
            return None
        try:
            return np.array([float(cell) for cell in cells if isinstance(cell, str | int | float)])
        except (ValueError, OverflowError):
            return None


def _decoded(texts: Texts) -> Iterator[str]:
    """Yield texts, some of them as a list at a time."""
    for start in range(0, len(texts), _CHUNK):
        yield from map(bytes.decode, texts[start : start + _CHUNK].tolist())


def _whole_numbers(texts: Texts) -> Floats | None:
    """Return texts of digits alone as numbers, digit by digit, which takes a fifth of the time that others take."""
    if not 0 < texts.itemsize <= _DIGITS:
        return None
    digits = texts.view(np.uint8).reshape(len(texts), texts.itemsize)
    values = np.zeros(len(texts), dtype=np.int64)
    for place in range(texts.itemsize):
        column = digits[:, place]
        there = column != 0
        if (there & ((column < ord("0")) | (column > ord("9")))).any() or not (place or there.all()):
            return None
        values = np.where(there, values * 10 + (column - np.int64(ord("0"))), values)
    return values.astype(float)

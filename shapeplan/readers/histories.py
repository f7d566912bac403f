"""Entries to a table: mappings in them become columns, and points of training that a run lists become rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import cast

from shapeplan.frozen import frozen
from shapeplan.readers.names import SHAPE, claim_of, is_held_out, is_loss
from shapeplan.readers.table import Record, Table, flattened
from shapeplan.readers.tree import is_flat

_PROGRESS = frozenset({"flops", "tokens", "examples", "steps"})
_SIZES = frozenset({*SHAPE, "params"})
_LOSS, _HELD_OUT = "loss", "loss of held-out data"


@frozen
class Listed:
    """Points of training that a run lists.

    Attributes
    ----------
    columns : tuple of str
        The columns that list them.
    points : tuple of (int, mapping)
        The line and the cells of every point; at least one.
    others : tuple of str
        Columns that list points too, which were not measured on held-out data.
    """

    columns: tuple[str, ...]
    points: tuple[tuple[int, Mapping[str, object]], ...]
    others: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the points tell, some of them perhaps."""
        return tuple(dict.fromkeys(name for _, point in self.points for name in point))

    @property
    def roles(self) -> frozenset[str]:
        """The roles of what they tell."""
        return _roles(self.names)

    def evaluations(self) -> Iterator[tuple[int, dict[str, object]]]:
        """Yield the points that tell the loss, of held-out data where one does, and what was counted until then."""
        losses = {name for name in self.names if is_loss(name)}
        meant = set(filter(is_held_out, losses)) or losses
        counted: dict[str, object] = {}
        for line, point in self.points:
            told = {name: cell for name, cell in point.items() if cell is not None}
            counted |= {name: cell for name, cell in told.items() if name not in losses}
            if meant & told.keys():
                yield line, {**counted, **{name: told[name] for name in told if name in meant}}


def table_of(entries: Sequence[Record], name: str, header_line: int = 1) -> Table:
    """Return entries, one a run or a point of training, as a table.

    ``{"history": {"step": [1, 2], "loss": [3.9, 3.7]}}`` and ``{"history": [{"step": 1, "loss": 3.9}, ...]}`` are two
    rows, with everything else of the entry in both. Points without a loss tell what was counted until then.

    Raises
    ------
    InputError
        If they are nested too deeply; it is placed in the input `name`.
    """
    records: list[Record] = []
    notes: dict[str, None] = {}
    for number, entry in enumerate(entries, 1):
        record = flattened(entry, name)
        listed = points_in(record)
        if listed is None:
            records.append(record)
            continue
        notes[f"points of training listed in {_quoted(listed.columns)} are rows"] = None
        if listed.others:
            notes[f"those listed in {_quoted(listed.others)} are left out: they are of training, not held out"] = None
        lists = {*listed.columns, *listed.others}
        cells = {column: cell for column, cell in record.cells.items() if column not in lists}
        if "run" not in _roles(tuple(cells)):
            cells = {"run": f"{name}#{number}" if len(entries) > 1 else name, **cells}
        # A run that was never evaluated is a row without a loss, which is complained of as any other.
        points = list(listed.evaluations()) or [(record.line, {})]
        records += (replace(record, line=line, cells={**cells, **point}, lines={}) for line, point in points)
    return Table.of_records(records, list(notes), header_line)


def points_in(record: Record) -> Listed | None:
    """Return the points of training that a run lists; None if there are none, or no telling which are meant.

    Points tell the loss and how far the run was; of several lists the one is meant that was measured on held-out data.
    """
    if is_flat(record.cells.values()):
        return None
    found = [listed for listed in _lists(record) if _LOSS in listed.roles and not _PROGRESS.isdisjoint(listed.roles)]
    meant = found if len(found) == 1 else [listed for listed in found if _HELD_OUT in listed.roles]
    if len(meant) != 1 or _SIZES.isdisjoint(_roles(tuple(record.cells))):
        return None
    others = tuple(column for listed in found if listed is not meant[0] for column in listed.columns)
    return replace(meant[0], others=others)


def _lists(record: Record) -> Iterator[Listed]:
    """Yield what columns list together: mappings, or numbers in lists of one length."""
    alike: dict[int, list[str]] = {}
    for column, cell in record.cells.items():
        if not isinstance(cell, list) or not cell:
            continue
        if all(isinstance(item, Mapping) for item in cell):
            items = (flattened(Record(getattr(item, "line", record.line), {column: item})) for item in cell)
            yield Listed((column,), tuple((item.line, item.cells) for item in items))
        elif is_flat(cell):
            alike.setdefault(len(cell), []).append(column)
    for columns in alike.values():
        rows = zip(*(cast(list[object], record.cells[column]) for column in columns), strict=True)
        yield Listed(tuple(columns), tuple((record.line, dict(zip(columns, row, strict=True))) for row in rows))


@lru_cache(maxsize=4096)
def _roles(columns: tuple[str, ...]) -> frozenset[str]:
    """Return the roles that columns claim, and whether losses are among them; most entries have the same columns."""
    losses = {column for column in columns if is_loss(column)}
    roles = {claim.role for column in columns if (claim := claim_of(column))}
    return frozenset({*roles, *([_LOSS] if losses else []), *([_HELD_OUT] if any(map(is_held_out, losses)) else [])})


def _quoted(columns: Iterable[str]) -> str:
    return ", ".join(map(repr, columns))

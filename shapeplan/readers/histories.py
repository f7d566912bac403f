"""Entries to a table: mappings in them become columns, and points of training that a run lists become rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import cast

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.frozen import frozen
from shapeplan.readers.metric_names import ACCURACY, is_held_out, is_loss
from shapeplan.readers.names import RECIPE, SHAPE, claim_of, path_of, word_of
from shapeplan.readers.numbers import as_number
from shapeplan.readers.sources.run_log import AMOUNTS, RunLog, records_of
from shapeplan.readers.sources.steps import step_of
from shapeplan.readers.table import Record, Table, flattened
from shapeplan.readers.tree import is_flat

_PROGRESS = frozenset({*AMOUNTS, "steps"})
_SIZES = frozenset({*SHAPE, "params"})
_METRIC, _HELD_OUT = "metric", "metric of held-out data"


@frozen
class Listed:
    """Points of training that a run lists.

    Attributes
    ----------
    columns : tuple of str
        The columns that list them.
    points : tuple of mapping
        What every point tells; at least one.
    others : tuple of str
        Columns that list points too, which were not measured on held-out data.
    """

    columns: tuple[str, ...]
    points: tuple[Mapping[str, object], ...]
    others: tuple[str, ...] = ()

    @cached_property
    def roles(self) -> frozenset[str]:
        """The roles of what they tell, some of them perhaps."""
        return _roles(tuple(dict.fromkeys(name for point in self.points for name in point)))

    @property
    def incomplete(self) -> frozenset[str]:
        """What says how far the run was, and is missing of some of the points that have a metric."""
        losses = [name for name in dict.fromkeys(name for point in self.points for name in point) if is_loss(name)]
        measured = [point for point in self.points if not all(_is_nan(point.get(name)) for name in losses)]
        names = dict.fromkeys(name for point in measured for name in point if not _PROGRESS.isdisjoint(_roles((name,))))
        lacking = {name: sum(_is_nan(point.get(name)) for point in measured) for name in names}
        return frozenset(name for name, count in lacking.items() if 0 < count < len(measured))

    @property
    def tell(self) -> bool:
        """Whether they tell the metric, and how far the run was."""
        return _METRIC in self.roles and not _PROGRESS.isdisjoint(self.roles)


def table_of(entries: Sequence[Record], name: str, header_line: int = 1) -> Table:
    """Return entries, one a run or a point of training, as a table.

    ``{"history": {"step": [1, 2], "loss": [3.9, 3.7]}}`` and ``{"history": [{"step": 1, "loss": 3.9}, ...]}`` are two
    rows, with everything else of the entry in both. They are understood as what a training tool logs.

    Raises
    ------
    InputError
        If they are nested too deeply, or list as points what is not of one length; it is placed in the input `name`.
    """
    records: list[Record] = []
    notes: dict[str, None] = {}
    without, filled = 0, frozenset[str]()
    for number, entry in enumerate(entries, 1):
        if is_flat(entry.cells.values()):
            records.append(entry)
            continue
        record = flattened(entry, name)
        listed = points_in(record)
        if listed is None:
            _refuse_uneven(record, name)
            records.append(record)
            continue
        run = _run_of(record, listed, f"{name}#{number}" if len(entries) > 1 else name)
        notes[f"points of training listed in {_quoted(listed.columns)} are rows"] = None
        if listed.others:
            notes[f"those listed in {_quoted(listed.others)} are left out: they are of training, not held out"] = None
        if run.totals:
            notes[f"{_quoted(run.totals)} of a run are those of its points in proportion to their steps"] = None
        rows, _ = records_of(run, all_points=True, of_training=True)
        without += len(listed.points) - len(rows)
        filled |= listed.incomplete
        records += (replace(row, line=record.line, cells=_held_out_alone(row.cells)) for row in rows)
    if without > 0:
        notes[f"listed points without a metric are left out: {without}"] = None
    if filled:
        notes[f"listed points that lack {_quoted(sorted(filled))} take it from the point before"] = None
    return Table.of_records(records, list(notes), header_line)


def points_in(record: Record) -> Listed | None:
    """Return the points of training that a run lists; None if there are none, or no telling which are meant.

    Points tell the metric and how far the run was; of several lists the one is meant that was measured on held-out
    data.
    """
    found = [listed for listed in _lists(record) if listed.tell]
    meant = found if len(found) == 1 else [listed for listed in found if _HELD_OUT in listed.roles]
    if len(meant) != 1 or _SIZES.isdisjoint(_roles(tuple(record.cells))):
        return None
    others = tuple(column for listed in found if listed is not meant[0] for column in listed.columns)
    return replace(meant[0], others=others)


def _refuse_uneven(record: Record, name: str) -> None:
    """Raise `InputError` for lists that would tell points of training if they were of one length."""
    lengths = {column: len(cell) for column, cell in record.cells.items() if isinstance(cell, list) and is_flat(cell)}
    metrics = [column for column in lengths if _METRIC in _roles((column,))]
    counts = [column for column in lengths if not _PROGRESS.isdisjoint(_roles((column,)))]
    if not metrics or not counts or _SIZES.isdisjoint(_roles(tuple(record.cells))):
        return
    metric, count = metrics[0], counts[0]
    if lengths[metric] != lengths[count]:
        message = f"the list has {lengths[metric]} values, and {count!r} {lengths[count]}"
        hint = "list as many of both: a value for every point of training"
        raise InputError(ErrorDetail("uneven-lists", message, hint, record.file or name, record.line, metric))


def _run_of(record: Record, listed: Listed, name: str) -> RunLog:
    """Return a run with the points that it lists.

    What they tell themselves is not taken from the run: its final loss, and its totals. Totals that they do not tell
    are divided by their steps.
    """
    lists = {*listed.columns, *listed.others}
    config = {column: cell for column, cell in record.cells.items() if column not in lists}
    told, totals = listed.roles, {}
    for column, cell in record.cells.items():
        roles = _roles((column,))
        if _METRIC in roles or not roles.isdisjoint(told & _PROGRESS):
            config.pop(column, None)
        elif "steps" in told and not roles.isdisjoint(AMOUNTS) and (total := as_number(cell)) is not None:
            totals[column] = total
            del config[column]
    steps = [step for point in listed.points if (step := step_of(point)) is not None]
    end = next((cell for column, cell in record.cells.items() if "steps" in _roles((column,))), None)
    last = as_number(end) or max(steps, default=0.0)
    named = "run" in _roles(tuple(config))
    return RunLog("" if named else name, record.file, config, _without_padding(listed.points), totals, last)


def _held_out_alone(cells: Mapping[str, object]) -> dict[str, object]:
    """Return the cells of a row without losses of training, where it has one of held-out data."""
    losses = {name for name in cells if is_loss(name)}
    held_out = set(filter(is_held_out, losses))
    return {name: cell for name, cell in cells.items() if name not in losses or name in held_out or not held_out}


def _without_padding(points: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return points without cells that hold nothing, and without rates that are scheduled.

    Tables of points pad with NaN what was not logged at one; what is NaN throughout was not a number then.
    """
    finite = {name for point in points for name, cell in point.items() if not _is_nan(cell)}
    return [
        {
            name: cell
            for name, cell in point.items()
            if cell not in (None, "") and not (_is_nan(cell) and name in finite) and word_of(name) not in RECIPE
        }
        for point in points
    ]


def _is_nan(cell: object) -> bool:
    return cell in (None, "") or (isinstance(cell, float) and math.isnan(cell))


def _lists(record: Record) -> Iterator[Listed]:
    """Yield what columns list together: mappings, or numbers in lists of one length, in one place if that tells."""
    alike: dict[tuple[str, int], list[str]] = {}
    for column, cell in record.cells.items():
        if not isinstance(cell, list) or not cell:
            continue
        if all(isinstance(item, Mapping) for item in cell):
            points = (flattened(Record(record.line, item)).cells for item in cell)
            yield Listed(
                (column,), tuple({_told_at(column, name): of for name, of in cells.items()} for cells in points)
            )
        elif is_flat(cell):
            alike.setdefault((path_of(column), len(cell)), []).append(column)
    together = [_of_columns(record, columns) for columns in alike.values()]
    if not any(listed.tell for listed in together):
        of_length: dict[int, list[str]] = {}
        for (_, length), columns in alike.items():
            of_length.setdefault(length, []).extend(columns)
        together = [_of_columns(record, columns) for columns in of_length.values()]
    yield from together


def _of_columns(record: Record, columns: Sequence[str]) -> Listed:
    """Return the points that columns of numbers list, by the last words of their names."""
    words = [_told_at(path_of(column), column[len(path_of(column)) :].lstrip("./")) for column in columns]
    names = words if len(set(words)) == len(words) else columns
    rows = zip(*(cast(list[object], record.cells[column]) for column in columns), strict=True)
    return Listed(tuple(columns), tuple(dict(zip(names, row, strict=True)) for row in rows))


def _told_at(place: str, name: str) -> str:
    """Return a name with what the place of its list says of it: a loss in ``eval`` is one of held-out data."""
    return f"eval_{name}" if is_loss(name) and is_held_out(place) and not is_held_out(name) else name


@lru_cache(maxsize=4096)
def _roles(columns: tuple[str, ...]) -> frozenset[str]:
    """Return the roles that columns claim, and whether metrics are among them; most entries have the same columns."""
    metrics = {column for column in columns if is_loss(column) or ACCURACY.search(word_of(column))}
    roles = {claim.role for column in columns if (claim := claim_of(column))}
    held_out = any(map(is_held_out, metrics))
    return frozenset({*roles, *([_METRIC] if metrics else []), *([_HELD_OUT] if held_out else [])})


def _quoted(columns: Iterable[str]) -> str:
    return ", ".join(map(repr, columns))

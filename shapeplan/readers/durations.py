"""Tables with a shape a row and a column for its loss at each duration: ``loss@1B``, ``loss@2B``."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from shapeplan.quantities import parse_count
from shapeplan.readers.metric_names import is_loss
from shapeplan.readers.names import SIZES, claim_of, listed, run_column
from shapeplan.readers.numbers import is_blank
from shapeplan.readers.table import Record, Table

_AT = re.compile(
    r"(?P<loss>[\w ./]*?[A-Za-z])[\s_@(\[-]*?(?:[\s_](?:at|after)[\s_])?[\s_@(\[-]*"
    r"(?P<count>\d+(?:\.\d+)?(?:e\+?\d+)?)\s*(?P<unit>[KMBGT]?)"
    r"(?:[\s_-]*(?P<of>tok(?:en)?s?|examples?|samples?|images?|steps?|iters?|iterations?))?[\s)\]]*",
    re.IGNORECASE,
)
"""``loss@1B``, ``val_loss_2e9_tokens``, ``loss after 10k steps``, ``eval loss (4B tokens)``."""
_BARE = re.compile(r"\d+(?:\.\d+)?\s*[KMBGT]?[\s_-]*(?:tok(?:en)?s?|examples?|samples?|images?|steps?)", re.IGNORECASE)
"""``1B tokens``: a duration whose column does not say of what."""
_LONGEST = 80
"""Characters of such a name."""
_OF_TOKENS = ("M", "B", "G", "T")
_DURATION = ("tokens", "batch_tokens", "examples", "steps", "flops")


def by_duration(table: Table, named: Collection[str | None]) -> Table:
    """Return a row a point of training, if a row has the losses of a run at several durations.

    Parameters
    ----------
    table : Table
        Any table; others come back as they are.
    named : collection of str or None
        Columns that were asked for: whoever names one of these losses wants that.
    """
    of, durations = _durations(table)
    losses = [column for columns in durations.values() for column in columns.values()]
    if not losses or not set(losses).isdisjoint(named):
        return table
    records, blank, has_runs = [], 0, run_column(table.columns) is not None
    for record in table.records:
        shape = {column: cell for column, cell in record.cells.items() if column not in losses}
        if not has_runs:
            shape["run"] = f"line {record.line}"
        for duration, columns in durations.items():
            cells = {loss: record.cells[column] for loss, column in columns.items() if column in record.cells}
            if all(map(is_blank, cells.values())):
                blank += 1
                continue
            lines = {**record.lines, **{loss: record.line_of(column) for loss, column in columns.items()}}
            records.append(Record(record.line, {**shape, of: duration, **cells}, lines, record.file))
    notes = [f"{listed(losses)} are the losses of a run at so many {of}: a row is read as {len(durations)} points"]
    if blank:
        notes.append(f"durations without a loss are left out: {blank}")
    return table.reshaped(records, notes)


def hint_of_durations(columns: Sequence[str]) -> str:
    """Return how to name losses at several durations, or nothing where no columns may be such."""
    bare = [column for column in columns if len(column) <= _LONGEST and _BARE.fullmatch(column)]
    return (
        f"if {listed(bare)} are losses at so much training, call them 'loss@{bare[0]}' and so on; " if bare[1:] else ""
    )


def _durations(table: Table) -> tuple[str, dict[float, dict[str, str]]]:
    """Return what durations count, and by duration the columns of losses by the name of the loss; none if in doubt."""
    short = [column for column in table.columns if len(column) <= _LONGEST]
    at = {column: match for column in short if (match := _AT.fullmatch(column)) and is_loss(match["loss"])}
    others = [column for column in table.columns if column not in at]
    roles = {claim.role for column in others if (claim := claim_of(column))}
    units = {(match["of"] or "").lower() for match in at.values()}
    # Without a word thousands may be steps and bare numbers seeds; where rows are no shapes, loss_100M may be a size's.
    said = all(match["of"] or match["unit"].upper() in _OF_TOKENS for match in at.values())
    if len(at) < 2 or len(units) > 1 or not said or roles.intersection(_DURATION) or not roles.intersection(SIZES):
        return "", {}
    durations: dict[float, dict[str, str]] = {}
    for column, match in at.items():
        durations.setdefault(parse_count(match["count"] + match["unit"]), {})[match["loss"].rstrip("_")] = column
    names = {loss for columns in durations.values() for loss in columns}
    twice = sum(map(len, durations.values())) < len(at)
    return ("", {}) if twice or names.intersection(others) else (units.pop() or "tokens", durations)

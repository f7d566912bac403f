"""Settings of an architecture that rows of a log say: heads, patches, images, the length of sequences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from shapeplan import codes
from shapeplan.architectures import Architecture
from shapeplan.errors import Caution
from shapeplan.numerics.arrays import Floats
from shapeplan.readers.columns import Columns
from shapeplan.readers.cross_check import span
from shapeplan.readers.names import word_of
from shapeplan.readers.numbers import is_blank
from shapeplan.readers.table import Table

_WORDS = {
    "patch": ("patch", "patch_size"),
    "image": ("image", "image_size", "img_size", "imgsz", "resolution"),
    "seq": ("seq", "seq_len", "seq_length", "sequence_length", "context", "context_length", "block_size", "ctx_len"),
}
"""Settings that a log may say row by row, beside heads, and the words for them."""
_SIDE = re.compile(
    r"[/\[(]?\s*(?P<side>\d+)(?P<kilo>k)?\s*(?:px|pixels|tokens)?(?:\s*[x\u00d7,*]\s*(?P<other>\d+))?\s*[\])]?",
    re.IGNORECASE,
)
"""A square or a length as people write it: 32x32, /32, 384px, (384, 384), 8k."""
_KILO = 1024
_OF_ANOTHER = re.compile(
    r"(?:^|[._/])(?:attn|attention|conv|sparse|kernel|flash|teacher|draft|discriminator|vae|adapter|lora)"
    r"\w*[./]",
    re.IGNORECASE,
)
"""Where in a path a block, a patch or an image is that of a part of the model, or of another one."""
_WIDEST = 3.0
"""Width of all heads over that of the model, or its inverse, above which heads are not what the column says."""


def row_settings(
    table: Table, columns: Columns, cost: Architecture | None, heads: Floats | None
) -> tuple[dict[str, Floats], Columns]:
    """Return the settings of an architecture that rows say in whole numbers, and the columns without those."""
    found: dict[str, Floats] = {}
    used: set[str] = set()
    for column, setting in _columns_of_settings(columns, cost):
        values = table.cells[column].numbers()
        if values is None:
            values = np.array([_side(cell) for cell in table.cells[column]])
        if setting not in found and is_whole(values):
            found[setting] = values
            used.add(column)
    if cost is not None and heads is not None and is_whole(heads):
        found["heads"] = heads
    return found, replace(columns, ignored=tuple(column for column in columns.ignored if column not in used))


def notes_of_settings(settings: Mapping[str, Floats]) -> list[str]:
    """Return a note of every setting that varies among rows."""
    return [
        f"{setting} of every row ({span(values, 6)}) is used to count that row; plans have those of the architecture"
        for setting, values in settings.items()
        if np.ptp(values) > 0
    ]


def doubt_settings(
    cost: Architecture, settings: Mapping[str, Floats], shape: Mapping[str, Floats], table: Table, columns: Columns
) -> Iterator[Caution]:
    """Yield cautions where no row says what the architecture does, and where what rows say is not understood.

    Rows are counted by what they say, and plans by what the architecture says: both may be meant, but seldom are.

    Parameters
    ----------
    cost : Architecture
        Of the log.
    settings : mapping of str to ndarray, shape (rows,)
        What rows say, as `row_settings` returns it.
    shape : mapping of str to ndarray, shape (rows,)
        Dimensions of the shape.
    table, columns : Table, Columns
        The log.
    """
    for setting, values in settings.items():
        stated = cost.settings.get(setting)
        if isinstance(stated, int) and np.ptp(values) == 0 and values[0] != stated:
            message = f"{setting} is {values[0]:g} in every row, and {stated} in the architecture"
            hint = "rows are counted with theirs, plans with that of the architecture: correct one of them"
            yield Caution(codes.ARCHITECTURE_MISMATCH, message, hint)
    for column, setting in _columns_of_settings(columns, cost):
        cells = table.cells[column]
        blank = sum(map(is_blank, cells))
        if setting in settings or setting not in cost.settings or blank == len(table):
            continue
        odd = next((cell for cell in cells if not (is_blank(cell) or np.isfinite(_side(cell)))), None)
        why = f"empty in {blank} of {len(table)} rows" if odd is None else f"not understood ({odd!r})"
        message = f"the column {column!r} is {why}: counts have {setting} of the architecture"
        yield Caution(codes.ARCHITECTURE_MISMATCH, message, "write a whole number in every row, or drop the column")
    size, heads = cost.settings.get("head_dim"), settings.get("heads")
    if size is not None and heads is not None and "width" in shape:
        factor = heads * size / shape["width"]
        if (np.abs(np.log(factor)) > np.log(_WIDEST)).all():
            message = f"the heads of every row are together {np.median(factor):.3g} times as wide as the model"
            hint = f"check head_dim = {size} in the architecture, and {columns.roles['heads']!r}"
            yield Caution(codes.ARCHITECTURE_MISMATCH, message, hint)


def is_whole(values: Floats) -> bool:
    """Return whether all values are whole numbers above zero."""
    return bool(np.isfinite(values).all() and (values > 0).all() and (values == np.floor(values)).all())


def _columns_of_settings(columns: Columns, cost: Architecture | None) -> Iterator[tuple[str, str]]:
    """Yield the columns that may say a setting of the architecture, those first that the user named."""
    if cost is None:
        return
    by_hand = {columns.roles[setting]: setting for setting in _WORDS if setting in columns.roles}
    for column in (*by_hand, *columns.ignored):
        if column not in by_hand and _OF_ANOTHER.search(column):
            continue
        word = word_of(column)
        setting = by_hand.get(column) or next((name for name, words in _WORDS.items() if word in words), None)
        if setting is not None and setting in cost.family.fields:
            yield column, setting


def _side(cell: object) -> float:
    """Return the side of a square, or a length; NaN for what is neither."""
    if isinstance(cell, list):
        square = bool(cell) and isinstance(cell[0], int | float) and all(side == cell[0] for side in cell)
        return float(cell[0]) if square else np.nan
    match = _SIDE.fullmatch(str(cell).strip())
    if match is None or match["other"] not in (None, match["side"]):
        return np.nan
    return float(match["side"]) * (_KILO if match["kilo"] else 1)

"""A file of shapes to models: a row a model, its columns the settings of its family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shapeplan.architectures import FAMILIES, Decoder, find_family
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.architectures.catalogue import Counted
from shapeplan.errors import ArgumentError, Complaint, InputError
from shapeplan.readers.columns import SYNONYMS, normal
from shapeplan.readers.parse import parse_table
from shapeplan.readers.settings_text import known_settings, named_from_text, shape_from_text
from shapeplan.readers.source import read_text
from shapeplan.readers.table import Record
from shapeplan.runs import Source

_SHAPE = {role: SYNONYMS[role] for role in (*SHAPE_DIMS, "heads")}
_SETTINGS: dict[str, tuple[str, ...]] = {
    "name": ("model", "model_name"),
    "family": ("model_type", "style"),
    "kv_heads": ("n_kv_heads", "num_key_value_heads", "num_kv_heads"),
    "head_dim": ("d_head", "dim_head", "kv_channels"),
    "vocab": ("vocab_size", "n_vocab"),
    "seq": ("seq_len", "sequence_length", "seq_length"),
    "context": ("ctx", "n_ctx", "n_positions", "context_length", "max_position_embeddings", "block_size"),
    "tied": ("tie_word_embeddings", "tie_embeddings"),
    "image": ("img_size", "image_size", "resolution"),
    "patch": ("patch_size",),
    "channels": ("in_chans", "num_channels", "in_channels"),
    "classes": ("num_classes", "n_classes", "num_labels"),
    "pool": ("global_pool",),
    "cls_token": ("class_token",),
    "reg_tokens": ("registers", "num_reg_tokens", "num_register_tokens"),
    "positions": ("pos_len",),
    "gated": ("mlp_type",),
    "norm": ("norm_type",),
}
_WORDS = {word: role for role, words in (_SHAPE | _SETTINGS).items() for word in (role, *words)}


@dataclass(frozen=True)
class Shapes:
    """What a file of shapes holds: its models, what was understood, and the file's digest."""

    models: tuple[Counted, ...]
    notes: tuple[str, ...]
    source: Source


def read_shapes(path: str | Path, *, family: str | None = None, changes: Mapping[str, str] | None = None) -> Shapes:
    """Read a file of shapes.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, YAML, JSON or JSON Lines; ``-`` for stdin. Columns are the settings of the families, or other
        libraries' words for them; a row with a ``name`` and no ``width`` is looked up in the catalogue.
    family : str, optional
        The family of rows that do not say theirs; by default ``vit`` where there is a patch, else ``decoder``.
    changes : mapping of str to str, optional
        Settings of every row whose family has them, over the file's own: ``{"image": "518"}``.

    Raises
    ------
    InputError
        With every complaint: file, line, column, value, and how to mend it.
    """
    text = read_text(path)
    table = parse_table(text)
    settings = {setting for known in FAMILIES.values() for setting in known_settings(known)} | {"mlp_ratio", *_SETTINGS}
    roles = {column: _WORDS.get(normal(column), normal(column)) for column in table.columns}
    known = {column: role for column, role in roles.items() if role in settings}
    _check_columns(known, table.columns, text.name)
    ignored = [column for column in table.columns if column not in known]
    notes = [f"column {column!r} is read as {role}" for column, role in known.items() if normal(column) != role]
    notes += [f"ignored column{'s' if len(ignored) > 1 else ''}: {', '.join(ignored)}"] if ignored else []
    if family is None and any(_says_no_family(record.cells, known) for record in table.records):
        notes.append(
            "rows that say no family are counted as vit where they have a patch, else as decoder (GPT-2's style)"
        )
    models, complaints = [], []
    for i, record in enumerate(table.records, 1):
        cells = {role: record.cells[column] for column, role in known.items() if not _blank(record.cells.get(column))}
        name = str(cells.pop("name", f"row {i}"))
        try:
            models.append(_counted(name, cells, family, changes or {}, text.name))
        except (InputError, ArgumentError) as error:
            columns = {role: column for column, role in known.items()}
            complaints += [_placed(found, record, columns, text.name) for found in error.complaints]
    if complaints:
        raise InputError(*complaints)
    return Shapes(tuple(models), tuple(notes), text.source)


def _counted(
    name: str, cells: dict[str, Any], default_family: str | None, changes: Mapping[str, str], file: str
) -> Counted:
    if "width" not in cells:
        return named_from_text(name, {key: cell for key, cell in cells.items() if key != "family"}, changes)
    family = find_family(cells.pop("family", None) or default_family or ("vit" if "patch" in cells else "decoder"))
    context = cells.pop("context", None)
    if context is not None and family.model is Decoder:
        cells.setdefault("seq", context)
        if family.settings.get("positions") is None:
            cells.setdefault("positions", context)
    cells |= {key: text for key, text in changes.items() if key in known_settings(family)}
    return Counted(name, shape_from_text(family, cells), family.name, file)


def _says_no_family(cells: Mapping[str, object], known: Mapping[str, str]) -> bool:
    roles = {known[column] for column, cell in cells.items() if column in known and not _blank(cell)}
    return "width" in roles and "family" not in roles


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _check_columns(known: Mapping[str, str], columns: tuple[str, ...], name: str) -> None:
    roles = list(known.values())
    twice = next((column for column, role in known.items() if roles.count(role) > 1), None)
    if twice is not None:
        others = " and ".join(repr(column) for column, role in known.items() if role == known[twice])
        raise InputError(
            Complaint("ambiguous-column", f"{others} both mean {known[twice]}", "keep one", name, 1, twice)
        )
    if not {"width", "name"} & set(roles):
        hint = f"give width, depth, mlp_dim and heads, or names of the catalogue; the columns are: {', '.join(columns)}"
        raise InputError(Complaint("missing-column", "there is neither width nor name", hint, name, 1, "width"))


def _placed(found: Complaint, record: Record, columns: Mapping[str, str], name: str) -> Complaint:
    column = columns.get(found.column or "name", found.column)
    line = record.line_of(column) if column else record.line
    return replace(found, file=name, line=line, column=column)

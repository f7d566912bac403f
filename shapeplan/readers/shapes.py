"""A file of shapes to models: a row a model, its columns the settings of its family."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from shapeplan.architectures import FAMILIES, Architecture, Decoder, Family, Transformer, find_family
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.architectures.catalogue import Counted, find_model
from shapeplan.architectures.settings import bad_setting, parse
from shapeplan.errors import ArgumentError, Complaint, InputError
from shapeplan.readers.columns import SYNONYMS, normal
from shapeplan.readers.parse import parse_table
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
_PLAIN_MLPS = ("mlp", "plain", "gelu", "relu")
_GATED_MLPS = ("glu", "swiglu", "geglu", "glu_packed", "swiglu_packed", "gated")


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


def settings_from_text(family: Family, texts: Mapping[str, object]) -> dict[str, Any]:
    """Return the settings of a family from cells or options as people write them.

    Raises
    ------
    InputError
        If one is no setting of the family, or no such value; ``column`` names it.
    """
    known = known_settings(family)
    values: dict[str, Any] = {}
    for name, cell in texts.items():
        if name == "mlp_ratio":
            values[name] = float(_to_number(name, cell))
        elif name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"the settings are {', '.join(sorted(known))}"
            raise bad_setting(name, cell, f"is no setting of the family {family.name!r}", hint)
        elif name == "gated" and normal(str(cell)) in (*_PLAIN_MLPS, *_GATED_MLPS):
            values[name] = normal(str(cell)) in _GATED_MLPS
        else:
            values[name] = _value(known[name], cell)
    return values


def shape_from_text(family: Family, texts: Mapping[str, object]) -> Transformer:
    """Return the transformer of a family with all its settings, shape included, as people write them."""
    settings = settings_from_text(family, texts)
    shape = {dim: settings.pop(dim) for dim in SHAPE_DIMS if dim in settings}
    return Architecture.of(family, settings).model(shape)


def _counted(
    name: str, cells: dict[str, Any], default_family: str | None, changes: Mapping[str, str], file: str
) -> Counted:
    if "width" not in cells:
        record, said = find_model(name)
        family = find_family(record.family)
        own = {key: cell for key, cell in cells.items() if key != "family"}
        own |= {key: text for key, text in changes.items() if key in known_settings(family)}
        return Counted(name, record.model(**{**said, **settings_from_text(family, own)}), record.source, record.note)
    family = find_family(cells.pop("family", None) or default_family or ("vit" if "patch" in cells else "decoder"))
    context = cells.pop("context", None)
    if context is not None and family.model is Decoder:
        cells.setdefault("seq", context)
        if family.settings.get("positions") is None:
            cells.setdefault("positions", context)
    cells |= {key: text for key, text in changes.items() if key in known_settings(family)}
    return Counted(name, shape_from_text(family, cells), source=file)


def known_settings(family: Family) -> dict[str, Any]:
    """Return the fields of a family by name."""
    return {setting.name: setting for setting in fields(family.model)}


def _value(setting: Any, cell: object) -> Any:
    if isinstance(cell, str):
        return parse(setting, cell)
    # JSON and YAML have numbers and truth values of their own, and CSV's 0 and 1 for the latter.
    return bool(cell) if setting.metadata["kind"] == "flag" and cell in (0, 1) else cell


def _to_number(name: str, cell: object) -> float:
    try:
        return float(str(cell))
    except ValueError:
        raise bad_setting(name, cell, "is not a number", "give a plain number such as 4") from None


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

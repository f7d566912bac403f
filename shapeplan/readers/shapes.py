"""A file of shapes to models: a row a model, its columns the settings of its family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from shapeplan.architectures import FAMILIES, Decoder, Family, Transformer, find_family
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.architectures.catalogue import Counted
from shapeplan.architectures.catalogue.tables import built_by_a_library
from shapeplan.architectures.settings import bad_setting
from shapeplan.errors import ArgumentError, ErrorDetail, InputError
from shapeplan.frozen import frozen
from shapeplan.provenance import Source
from shapeplan.readers.absent import STATED, without_absent
from shapeplan.readers.config_files import PYTHON, configuration_of, read_config_file
from shapeplan.readers.mixture_columns import WORDS
from shapeplan.readers.names import SYNONYMS, listed
from shapeplan.readers.parse import parse_table
from shapeplan.readers.settings import check_settings
from shapeplan.readers.settings_text import named_from_text, shape_from_text
from shapeplan.readers.source import read_text
from shapeplan.readers.spelling import normal
from shapeplan.readers.table import Record

_MORE = {"width": (), "depth": (), "mlp_dim": ("dense_mlp_dim",), "heads": ()}
_SHAPE = {role: (*SYNONYMS[role], *more) for role, more in _MORE.items()}
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
    "attention_bias": (),
    "init_values": (),
    "mlp_bias": ("dense_mlp_bias",),
    **WORDS,
    "shared_experts": ("n_shared_experts", "num_shared_experts"),
    "first_dense_layers": ("first_k_dense_replace",),
    "attention": ("attention_type",),
}
_WORDS = {word: role for role, words in (_SHAPE | _SETTINGS).items() for word in (role, *words)}


@frozen
class Shapes:
    """What a file of shapes holds: its models, what was understood, and the file's digest."""

    models: tuple[Counted, ...]
    notes: tuple[str, ...]
    source: Source


def read_shapes(
    path: str | Path,
    *,
    family: str | None = None,
    settings: Mapping[str, str] | None = None,
    shared: Mapping[str, str] | None = None,
) -> Shapes:
    """Read a file of shapes.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, YAML, JSON or JSON Lines; ``-`` for stdin. Columns are the settings of the families, or other
        libraries' words for them; a row with a ``name`` and no ``width`` is looked up in the catalogue. An
        ``architecture:`` before the rows holds for all of them. One object may be a framework's configuration, as it
        saved it: see `read_config`.
    family : str, optional
        The family of rows that do not say theirs; by default ``vit`` where there is a patch, else ``decoder``.
    settings : mapping of str to str, optional
        Settings of every row, over the file's own.
    shared : mapping of str to str, optional
        The same for rows whose family has them: ``{"image": "518"}``.

    Raises
    ------
    InputError
        With every complaint: file, line, column, value, and how to mend it.
    """
    text = read_text(path)
    table = None if text.suffix == PYTHON else parse_table(text, lone_record=True)
    lone = configuration_of(text, table)
    found = lone and read_config_file(lone, text.name, family, settings or {}, shared or {})
    if found:
        return Shapes((found[0],), found[1], text.source)
    if table is None:
        hint = "give nanoGPT's n_layer, n_head, n_embd and block_size, or a file of another kind"
        raise InputError(ErrorDetail("no-model", "assigns no settings of a model", hint, text.name, 1))
    preamble = check_settings(table.settings, table.settings_lines, text.name)
    common: dict[str, Any] = preamble.architecture.describe() if preamble.architecture else {}
    possible = {setting for known in FAMILIES.values() for setting in known.fields} | {"mlp_ratio", *_SETTINGS}
    roles = {column: _WORDS.get(normal(column), normal(column)) for column in table.columns}
    known = {column: role for column, role in roles.items() if role in possible}
    _check_columns(known, table.columns, text.name)
    ignored = [column for column in table.columns if column not in known]
    notes = [f"column {column!r} is read as {role}" for column, role in known.items() if normal(column) != role]
    notes += [f"ignored column{'s' if len(ignored) > 1 else ''}: {', '.join(ignored)}"] if ignored else []
    models, details = [], []
    silent: set[str] = set()
    for i, record in enumerate(table.records, 1):
        try:
            cells = {**common, **_cells(record, known, text.name)}
            counted = _counted(i, cells, family, settings or {}, shared or {}, text.name)
        except (InputError, ArgumentError) as error:
            details += [_placed(found, record, known, text.name) for found in error.details]
            continue
        models.append(counted)
        silent |= _silences(counted, cells, settings or {}, family)
    if details:
        raise InputError(*details)
    return Shapes(tuple(models), (*notes, *sorted(silent)), text.source)


def _cells(record: Record, known: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return the cells of a row by role; two columns may say the same if they agree."""
    cells: dict[str, Any] = {}
    for column, role in known.items():
        cell = record.cells.get(column)
        if _blank(cell):
            # GPT-2's config.json leaves the MLP dim empty where it is four times the width.
            if normal(column) == "n_inner" and column in record.cells:
                cells.setdefault("mlp_ratio", 4.0)
            continue
        if role in cells and str(cells[role]) != str(cell):
            message = f"says {cell}, another column of {role} says {cells[role]}"
            line = record.line_of(column)
            raise InputError(ErrorDetail("ambiguous-column", message, "keep one", name, line, column, str(cell)[:60]))
        cells[role] = cell
    if "mlp_dim" in cells and known.get("n_inner") == "mlp_dim":
        cells.pop("mlp_ratio", None)
    return cells


def _counted(
    number: int,
    cells: dict[str, Any],
    default_family: str | None,
    settings: Mapping[str, str],
    shared: Mapping[str, str],
    file: str,
) -> Counted:
    """Return the model of one row; `cells` keeps what was in the row."""
    texts = dict(cells)
    name = texts.pop("name", None)
    if name is not None and not isinstance(name, str | int | float):
        raise InputError(ErrorDetail("not-a-name", "is no name", "write text", column="name", value=str(name)[:60]))
    said = texts.pop("family", None)
    if "width" not in texts:
        if name is None:
            message = "the row has neither a name nor a width"
            raise InputError(ErrorDetail("empty-row", message, "name a model of the catalogue, or give its shape"))
        counted = named_from_text(str(name), {**texts, **settings}, shared)
        if said is not None and find_family(said).model is not type(counted.model):
            raise bad_setting("family", said, f"is not that of {name}", "leave it out, or give the whole shape")
        return counted
    family = _family(said, default_family, texts)
    if family.model is Decoder:
        texts = without_absent(texts)
    context = texts.pop("context", None)
    if context is not None:
        if family.model is not Decoder:
            raise family.unknown("context", context)
        texts.setdefault("seq", context)
        if family.settings.get("positions") is None:
            texts.setdefault("positions", context)
    if "attention_bias" in texts:
        bias = texts.pop("attention_bias")
        texts |= {"qkv_bias": bias, "out_bias": bias}
    if "init_values" in texts:
        texts["layer_scale"] = str(texts.pop("init_values")).lower() not in ("0", "0.0", "false", "none")
    texts |= {**settings, **{key: text for key, text in shared.items() if key in family.fields}}
    model = shape_from_text(family, texts)
    if name is None:
        return Counted(f"row {number}", model, family.name, file)
    # What options change is no longer what the library builds.
    known = None if settings else _as_its_library_builds_it(str(name), model)
    return known or Counted(str(name), model, family.name, file)


def _as_its_library_builds_it(name: str, model: Transformer) -> Counted | None:
    """Return the model of a library by that name, if it is of the row's shape and has as many parameters.

    No table has a column for everything that a library builds: what the row leaves out is then as the library has it.
    """
    record = built_by_a_library(name)
    if record is None or type(built := record.model()) is not type(model):
        return None
    if any(getattr(built, setting) != getattr(model, setting) for setting in (*SHAPE_DIMS, "patch", "image", "pool")):
        return None
    if built.params != model.params:
        return None
    return Counted(name, built, record.family, record.source, record.note, record.name, record.whose)


def _family(said: object, default: str | None, texts: Mapping[str, Any]) -> Family:
    """Return the family of a row: its own word, or `default`; where neither is known, by its columns."""
    try:
        return find_family(said or default or ("vit" if "patch" in texts else "decoder"))
    except InputError:
        if default is not None:
            return find_family(default)
        if not texts.keys() >= STATED:
            raise
        # The row itself says what the name of the family would have.
        return FAMILIES["llama"]


def _silences(counted: Counted, cells: Mapping[str, Any], settings: Mapping[str, str], family: str | None) -> set[str]:
    """Return what was assumed of a row that says its shape, but not the rest."""
    if "width" not in cells:
        return set()
    notes = set()
    if "family" not in cells and family is None:
        notes.add(
            f"rows that say no family are counted as {counted.family}, since they have "
            + ("a patch" if counted.family == "vit" else "no patch (GPT-2's style; `family` says otherwise)")
        )
    if counted.family == "vit" and "pool" not in {**cells, **settings}:
        notes.add("rows that say no pool have the MAP head, big_vision's default; family timm has a class token")
    return notes


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _check_columns(known: Mapping[str, str], columns: tuple[str, ...], name: str) -> None:
    if not {"width", "name"} & set(known.values()):
        hint = f"give width, depth, mlp_dim and heads, or names of the catalogue; the columns are: {listed(columns)}"
        raise InputError(ErrorDetail("missing-column", "there is neither width nor name", hint, name, 1, "width"))


def _placed(found: ErrorDetail, record: Record, known: Mapping[str, str], name: str) -> ErrorDetail:
    if found.file:
        return found
    columns = {role: column for column, role in known.items() if column in record.cells}
    column = columns.get(found.column or "name", found.column)
    line = record.line_of(column) if column else record.line
    return replace(found, file=name, line=line, column=column)

"""A file that is one framework's configuration, to the model it describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shapeplan.architectures import find_family
from shapeplan.architectures.catalogue import Counted
from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.configs.config import Configured
from shapeplan.readers.configs.nanogpt import assignments
from shapeplan.readers.configs.read import read_config
from shapeplan.readers.settings_text import settings_from_text
from shapeplan.readers.source import Text
from shapeplan.readers.table import Record, Table

PYTHON = ".py"


def configuration_of(text: Text, table: Table | None) -> Record | None:
    """Return the one object that a file may hold, with its lines; None where it holds rows."""
    if text.suffix == PYTHON:
        return Record(1, assignments(text.body, text.name))
    if table is None or text.format not in ("json", "yaml") or len(table.lines) != 1 or table.settings:
        return None
    return next(iter(table.records))


def read_config_file(
    record: Record, name: str, family: str | None, settings: Mapping[str, str], shared: Mapping[str, str]
) -> tuple[Counted, tuple[str, ...]] | None:
    """Return the model of a configuration and what must be known of it, or None if it is no framework's.

    Parameters
    ----------
    record : Record
        The configuration.
    name : str
        The file's.
    family : str or None
        How to read a `model_type` that is unknown.
    settings, shared : mapping of str to str
        Settings over the file's own; those of `shared` only where the family has them.

    Raises
    ------
    InputError
        If it cannot be counted exactly: file, line, key and value.
    """
    try:
        configured = read_config(record.cells, family=family)
        if configured is None:
            return None
        counted = _counted(configured, record, name, settings, shared)
    except InputError as error:
        raise InputError(*(_placed(found, record, name) for found in error.details)) from None
    return counted, configured.notes


def _counted(
    configured: Configured, record: Record, name: str, settings: Mapping[str, str], shared: Mapping[str, str]
) -> Counted:
    family = find_family(configured.family)
    texts = {**settings, **{key: value for key, value in shared.items() if key in family.fields}}
    model = configured.model(settings_from_text(family, texts))
    path = record.cells.get("_name_or_path")
    return Counted(str(path) if path else name, model, family.name, f"its file {name}", whose=configured.counted)


def _placed(found: ErrorDetail, record: Record, name: str) -> ErrorDetail:
    if found.file:
        return found
    top = (found.column or "").split(".")[0]
    return replace(found, file=name, line=record.line_of(top))

"""A table of the catalogue, written: a row a model, a column a setting, blank where it is the default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from shapeplan.architectures import ViT

FOLDER = Path(__file__).parents[2] / "shapeplan" / "architectures" / "catalogue"
COUNTS = ("params", "macs")


def lean(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings without those that follow from the rest."""
    kept = dict(settings)
    if kept.get("pool_mlp_dim") == kept["mlp_dim"]:
        kept["pool_mlp_dim"] = None
    if kept.get("cls_token") == (kept["pool"] == "tok"):
        kept["cls_token"] = None
    if not kept.get("classes"):
        kept.pop("head_bias", None)
    defaults = {setting.name: setting.default for setting in fields(ViT)}
    return {name: value for name, value in kept.items() if defaults[name] is MISSING or value != defaults[name]}


def write_table(name: str, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of `keys`, settings and counts; columns that no row fills are left out."""
    order = [*keys, *(setting.name for setting in fields(ViT)), *COUNTS]
    columns = [column for column in order if any(row.get(column) is not None for row in rows)]
    lines = [",".join(columns), *(",".join(_text(row.get(column)) for column in columns) for row in rows)]
    (FOLDER / name).write_text("\n".join(lines) + "\n")


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case tuple() if all(isinstance(item, int) for item in value):
            return "x".join(map(str, value))
        case list() | tuple():
            return " ".join(value)
    return str(value)

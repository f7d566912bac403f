"""Settings of a family as people write them, in cells and options, to models."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from shapeplan.architectures import Architecture, Family, Transformer, find_family
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.architectures.catalogue import Counted, find_model, named
from shapeplan.architectures.settings import bad_setting, parse
from shapeplan.readers.columns import normal

_PLAIN_MLPS = ("mlp", "plain", "gelu", "relu")
_GATED_MLPS = ("glu", "swiglu", "geglu", "glu_packed", "swiglu_packed", "gated")


def known_settings(family: Family) -> dict[str, Any]:
    """Return the fields of a family by name."""
    return {setting.name: setting for setting in fields(family.model)}


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


def named_from_text(name: str, own: Mapping[str, object], shared: Mapping[str, str]) -> Counted:
    """Return a model of the catalogue with settings changed: its own, and those of `shared` that its family has."""
    record, _ = find_model(name)
    family = find_family(record.family)
    texts = {**own, **{key: text for key, text in shared.items() if key in known_settings(family)}}
    return named(name, **settings_from_text(family, texts))


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

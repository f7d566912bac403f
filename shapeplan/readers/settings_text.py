"""Settings of a family as people write them, in cells and options, to models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from shapeplan.architectures import Architecture, Family, Transformer, find_family
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.architectures.catalogue import Counted, find_model, named
from shapeplan.architectures.settings import as_int, bad_setting, is_array, parse
from shapeplan.architectures.styles import MIXTURES
from shapeplan.numerals import as_float
from shapeplan.readers.spelling import normal

_PLAIN_MLPS = ("mlp", "plain", "gelu", "relu")
_GATED_MLPS = ("glu", "swiglu", "geglu", "glu_packed", "swiglu_packed", "gated")


def settings_from_text(family: Family, texts: Mapping[str, object]) -> dict[str, Any]:
    """Return the settings of a family from cells or options as people write them.

    Raises
    ------
    InputError
        If one is no setting of the family, or no such value; ``column`` names it.
    """
    values: dict[str, Any] = {}
    for name, cell in texts.items():
        if name == "mlp_ratio":
            values[name] = _to_number(name, cell)
        elif name not in family.fields:
            raise family.unknown(name, cell)
        elif name == "gated" and normal(str(cell)) in (*_PLAIN_MLPS, *_GATED_MLPS):
            values[name] = normal(str(cell)) in _GATED_MLPS
        else:
            values[name] = _value(family.fields[name], cell)
    return values


def shape_from_text(family: Family, texts: Mapping[str, object]) -> Transformer:
    """Return the transformer of a family with all its settings, shape included, as people write them.

    Raises
    ------
    InputError
        If a setting cannot be, or a dimension is no whole number.
    """
    settings = settings_from_text(family, texts)
    if "mlp_ratio" in settings and "mlp_dim" in settings:
        raise bad_setting("mlp_ratio", settings["mlp_ratio"], "and mlp_dim say the same", "give one of them")
    if family.name in MIXTURES and "experts" not in settings:
        hint = "give experts and experts_per_token, or the family of a dense model"
        raise bad_setting("experts", None, f"is missing, and {family.name} is a mixture of experts", hint)
    shape = {dim: settings.pop(dim) for dim in SHAPE_DIMS if dim in settings}
    return _exact(Architecture.of(family, settings).model(shape))


def named_from_text(name: str, own: Mapping[str, object], shared: Mapping[str, str]) -> Counted:
    """Return a model of the catalogue with settings changed: its own, and those of `shared` that its family has."""
    record, _ = find_model(name)
    family = find_family(record.family)
    texts = {**own, **{key: text for key, text in shared.items() if key in family.fields}}
    counted = named(name, **settings_from_text(family, texts))
    _exact(counted.model)
    return counted


def _value(setting: Any, cell: object) -> Any:
    if isinstance(cell, str):
        return parse(setting, cell)
    if isinstance(cell, list):
        return [parse(setting, item) if isinstance(item, str) else as_int(item) for item in cell]
    # JSON has numbers and truth values of its own: 0 and 1 for the latter too, 768.0 for 768.
    return bool(cell) if setting.metadata["kind"] == "flag" and cell in (0, 1) else as_int(cell)


def _exact(model: Transformer) -> Transformer:
    """Return the model; raise `InputError` if a dimension is no whole number."""
    for setting in fields(model):
        value = getattr(model, setting.name)
        if isinstance(value, float) or is_array(value):
            raise bad_setting(setting.name, value, "is no whole number", "give a whole number")
    return model


def _to_number(name: str, cell: object) -> float:
    try:
        return as_float(str(cell))
    except ValueError:
        raise bad_setting(name, cell, "is not a number", "give a plain number such as 4") from None

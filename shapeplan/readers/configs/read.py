"""Whose configuration a file is, and the model that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapeplan.readers.configs.config import Config, Configured
from shapeplan.readers.configs.dit import DIFFUSERS
from shapeplan.readers.configs.meta import is_params, read_params
from shapeplan.readers.configs.models import read_model
from shapeplan.readers.configs.nanogpt import is_nanogpt, read_nanogpt
from shapeplan.readers.configs.open_clip import open_clip_config
from shapeplan.readers.configs.timm import timm_config

_NESTED = ("text_config", "vision_config", "llm_config", "language_config")


def read_config(values: Mapping[str, Any], *, family: str | None = None) -> Configured | None:
    """Return the model that a configuration describes, or None if it is no framework's.

    Parameters
    ----------
    values : mapping of str to value
        One object: the ``config.json`` of transformers, timm or open_clip, ``params.json`` of Meta or Mistral,
        nanoGPT's settings.
    family : str, optional
        How to read a `model_type` that is unknown.

    Raises
    ------
    InputError
        If a key is missing, or what it says cannot be counted exactly; ``column`` names it.
    """
    if "width" in values:
        return None
    config = Config(values)
    if "model_type" in values or any(isinstance(values.get(key), Mapping) for key in _NESTED):
        return read_model(values, family=family)
    kind = values.get("_class_name")
    if isinstance(kind, str) and kind in DIFFUSERS:
        return DIFFUSERS[kind](config)
    if "vision_cfg" in values or "model_cfg" in values:
        return open_clip_config(config)
    if isinstance(values.get("architecture"), str):
        return timm_config(config)
    if isinstance(values.get("model_args"), Mapping):
        return read_config(values["model_args"], family=family)
    if is_params(config):
        return read_params(config)
    if is_nanogpt(config):
        return read_nanogpt(config)
    return None

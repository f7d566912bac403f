"""What transformers takes for keys that a configuration lacks, by model type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any


def defaults_of(model_type: str) -> Mapping[str, Any]:
    """Return the defaults of a model type's configuration class; empty where it has none.

    The file is written by ``tests/studies/config_defaults.py`` from the classes of transformers.
    """
    return _all().get(model_type, {})


@cache
def _all() -> Mapping[str, Mapping[str, Any]]:
    text = resources.files(__package__).joinpath("defaults.json").read_text(encoding="utf-8")
    tables: Mapping[str, Mapping[str, Any]] = json.loads(text)
    return tables

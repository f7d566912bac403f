"""Models as their libraries build them, on torch's meta device: what counts are checked against."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from shapeplan.architectures import Transformer, find_family
from shapeplan.readers.configs.config import Configured


def library(*names: str) -> Any:
    """Return the first of some modules, all of which must be there."""
    try:
        modules = {name: importlib.import_module(name) for name in names}
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"needs {' and '.join(names)}, to build the models that are counted: {error}")
    return modules[names[0]]


def measured(model: Any, *inputs: Any, **named: Any) -> tuple[int, int]:
    """Return the parameters of a torch module, and the multiply-accumulates of a forward pass of it."""
    counter = importlib.import_module("torch.utils.flop_counter").FlopCounterMode(display=False)
    model = model.eval().requires_grad_(False)
    with counter:
        model(*inputs, **named)
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return sum(parameter.numel() for parameter in model.parameters()), flops // 2


def counted(configured: Configured, **changes: Any) -> Transformer:
    """Return the model that a configuration describes, with some settings changed."""
    family = find_family(configured.family)
    return family.model(**{**family.settings, **configured.settings, **changes})

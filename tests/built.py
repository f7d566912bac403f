"""What a model that another library builds costs: its parameters, and its matmuls as torch counts them."""

from __future__ import annotations

import importlib
from typing import Any


def measured(model: Any, *inputs: Any, **named: Any) -> tuple[int, int]:
    """Return the parameters and multiply-accumulates of a model on the meta device."""
    counter = importlib.import_module("torch.utils.flop_counter").FlopCounterMode(display=False)
    model = model.eval().requires_grad_(False)
    with counter:
        model(*inputs, **named)
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return sum(parameter.numel() for parameter in model.parameters()), flops // 2

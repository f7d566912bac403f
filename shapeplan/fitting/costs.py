"""F(x) and the rule for heads: from the architecture, else read off the log."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shapeplan.architectures import Cost, FittedCost, PowerLaw
from shapeplan.errors import Caution
from shapeplan.fitting.identify import collinearity
from shapeplan.runs import Runs

_APPROXIMATE = 0.1


def cost_of(runs: Runs, dims: Sequence[str]) -> tuple[Cost | None, tuple[str, ...], tuple[Caution, ...]]:
    """Return F(x), notes and cautions: exact with an architecture, a power law in `dims` without, None if unknown."""
    if not dims:
        return None, (), ()
    if runs.architecture is not None:
        return runs.architecture, (), ()
    if runs.examples is None:
        hint = "add examples (or tokens), or an architecture, to learn how many a budget buys"
        return None, (f"FLOPs per example are unknown: {hint}",), ()
    unit = runs.examples_unit.removesuffix("s")
    shape = {dim: runs.values(dim) for dim in dims}
    flops = PowerLaw.fit(shape, runs.forward_flops() / runs.examples)
    params = None if runs.params is None else PowerLaw.fit(shape, runs.params)
    if len(dims) > 1 and max(collinearity(shape).values()) > 1 - 1e-6:
        message = f"what a shape costs cannot be told apart by {' and '.join(dims)}: they never move apart"
        return (
            FittedCost(flops, params),
            (),
            (Caution("cost-approximate", message, "give the architecture for exact counts"),),
        )
    note = (
        f"no architecture is given: FLOPs per {unit} are a power law fitted to the log, "
        f"within {flops.max_relative_error:.1%} of its rows"
    )
    cautions: tuple[Caution, ...] = ()
    if flops.max_relative_error > _APPROXIMATE:
        message = f"the power law for FLOPs per {unit} misses rows by up to {flops.max_relative_error:.0%}"
        cautions = (Caution("cost-approximate", message, "give the architecture for exact counts"),)
    return FittedCost(flops, params), (note,), cautions


def heads_of(runs: Runs) -> dict[str, int]:
    """Return ``{"heads": h}`` or ``{"head_dim": d}``, whichever is the same for all shapes; empty if neither is."""
    if runs.architecture is not None:
        rule = {"heads": runs.architecture.heads, "head_dim": runs.architecture.head_dim}
        return {name: int(value) for name, value in rule.items() if value is not None}
    if runs.heads is None:
        return {}
    if np.ptp(runs.heads) == 0:
        return {"heads": int(runs.heads[0])}
    if "width" in runs.dims:
        sizes = runs.values("width") / runs.heads
        if np.ptp(sizes) == 0 and float(sizes[0]).is_integer():
            return {"head_dim": int(sizes[0])}
    return {}

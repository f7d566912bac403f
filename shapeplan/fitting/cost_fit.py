"""F(x) and the rule for heads: from the architecture, else read off the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shapeplan import codes
from shapeplan.architectures import Cost, FittedCost, PowerSum, PowerTerm
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.architectures.fitted import transformer_monomials
from shapeplan.errors import Caution
from shapeplan.numerics.arrays import Floats
from shapeplan.numerics.box_qp import solve_nnls
from shapeplan.numerics.collinearity import LogProducts
from shapeplan.runs import Runs

_APPROXIMATE = 0.1
_ALMOST, _CLOSE = 2.0, 0.02
"""A sum of powers is taken if its largest error is at most so many times a power law's, or so small."""
_EXACT = "give the architecture for exact counts: architecture: in a YAML log, or `config=FILE`"


def cost_of(runs: Runs, dims: Sequence[str]) -> tuple[Cost | None, tuple[str, ...], tuple[Caution, ...]]:
    """Return F(x), notes and cautions: exact with an architecture, else fitted in `dims`, None if unknown."""
    if not dims:
        return None, (), ()
    if runs.architecture is not None:
        return runs.architecture, (), ()
    if runs.examples is None:
        hint = "add examples (or tokens), or an architecture, to learn how many a budget buys"
        return None, (f"FLOPs per example are unknown: {hint}",), ()
    unit = runs.examples_unit.removesuffix("s")
    shape = {dim: runs.values(dim) for dim in dims}
    flops = _fit_powers(runs, shape, runs.forward_flops() / runs.examples)
    params = None if runs.params is None else _fit_powers(runs, shape, runs.params)
    if len(dims) > 1 and max(LogProducts(shape).explained(tuple(shape)).values()) > 1 - 1e-6:
        message = f"what a shape costs cannot be told apart by {' and '.join(dims)}: they never move apart"
        return (FittedCost(flops, params), (), (Caution(codes.COST_APPROXIMATE, message, _EXACT),))
    form = "a transformer's sum of powers" if len(flops.terms) > 1 else "a power law"
    note = (
        f"no architecture is given: FLOPs per {unit} are {form} fitted to the log, "
        f"within {flops.max_relative_error:.1%} of its rows"
    )
    cautions: tuple[Caution, ...] = ()
    if flops.max_relative_error > _APPROXIMATE:
        message = f"FLOPs per {unit}, {form} fitted to the log, miss rows by up to {flops.max_relative_error:.0%}"
        cautions = (Caution(codes.COST_APPROXIMATE, f"{message}, and more beyond them", _EXACT),)
    return FittedCost(flops, params), (note,), cautions


def _fit_powers(runs: Runs, shape: Mapping[str, Floats], values: Floats) -> PowerSum:
    """Fit what a transformer costs to rows: matrices, attention and embeddings; a power law where that fits better.

    A power law alone bends away beyond the rows: embeddings flatten it among small models.
    """
    law = PowerSum.power_law(shape, values)
    if not set(shape) & set(SHAPE_DIMS):
        return law
    sizes = {dim: runs.values(dim) for dim in runs.dims}
    monomials = transformer_monomials(sizes)
    columns = np.column_stack([product for _, product in monomials]) / values[:, None]
    scale = np.sqrt((columns**2).sum(axis=0))
    columns = columns / scale
    found = solve_nnls((columns.T @ columns)[None], columns.sum(axis=0)[None])[0]
    error = float(np.max(np.abs(columns @ found - 1.0)))
    terms = tuple(
        PowerTerm(float(size / unit), {dim: float(power) for dim, power in powers.items()})
        for size, unit, (powers, _) in zip(found, scale, monomials, strict=True)
        if size > 0
    )
    return PowerSum(terms, error) if terms and error <= max(_ALMOST * law.max_relative_error, _CLOSE) else law


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

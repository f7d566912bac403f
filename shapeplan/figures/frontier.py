"""``frontier``: the best shape against compute, beside published ones (the paper's Figure 1)."""

from __future__ import annotations

import numpy as np

from shapeplan.architectures.catalogue import CATALOGUE
from shapeplan.errors import ShapeplanError
from shapeplan.figures.figure import Figure, Value, compute_label, finite, no_figure
from shapeplan.fitting.result import Fit
from shapeplan.planning.plan import BudgetPlan
from shapeplan.planning.recommend import recommend
from shapeplan.quantities import convert_flops

BEYOND = 100.0
"""How far above the largest compute of the log the frontier goes, as a factor."""
POINTS = 25
TRAINED: dict[str, dict[str, float]] = {
    # Images of published ViTs, as PAPER gives them: arXiv:2305.13035, section 4 and Table 1.
    "examples": {"SoViT-400m/14": 40e9, "ViT-g/14": 16e9},
    # Tokens: EleutherAI's suite (arXiv:2304.01373), LLaMA (2302.13971, 2307.09288, 2407.21783), OLMo (2402.00838).
    "tokens": {
        "pythia-70m": 300e9,
        "pythia-410m": 300e9,
        "pythia-1.4b": 300e9,
        "pythia-6.9b": 300e9,
        "pythia-12b": 300e9,
        "llama-7b": 1e12,
        "llama-2-7b": 2e12,
        "llama-2-70b": 2e12,
        "llama-3-8b": 15e12,
        "llama-3.1-405b": 15.6e12,
    },
}
"""What published models were trained on, by the unit of examples."""
_MARGIN = 10.0
"""How far beyond the frontier's compute a published shape is still shown, as a factor."""


def frontier(fit: Fit, flops: float | None = None) -> Figure:
    """Return the recommended shape and its parameters from the least compute of the log to far beyond the largest.

    Parameters
    ----------
    fit : Fit
        Any that plans can be made from; one that is not to be trusted is drawn all the same, and says so.
    flops : float, optional
        Where the frontier ends, in the convention of the law, if not `BEYOND` the log.

    Raises
    ------
    PlanError
        If no plan can be made.
    """
    if not fit.dims:
        raise no_figure("frontier", "the log has no shapes", "fit a log with width, depth or mlp_dim")
    least, most = fit.flops_range
    end = flops if flops and flops > least else BEYOND * most
    budgets = recommend(fit, np.geomspace(least, end, POINTS).tolist(), force=True).budgets
    dims = [dim for dim in budgets[0].shape if dim not in fit.dimensions.fixed]
    table = tuple(row for budget in budgets for row in _rows(fit, budget, dims))
    published = tuple(_published(fit, dims, end))
    last = budgets[-1]
    shape = ", ".join(f"{dim} {last.shape[dim]:.4g}" for dim in dims)
    where = f"{last.flops:.3g} {fit.flops_convention} FLOPs"
    trust = " The fit is not to be trusted." if fit.status != "ok" else ""
    summary = f"The best shape at {where} is {shape}; the log ends at {most:.3g}.{trust}"
    labels = {"flops": compute_label(fit), "value": "best value", "dimension": "dimension"}
    return Figure(
        "frontier", "The best shape against compute", summary, {"frontier": table, "published": published}, labels
    )


def _rows(fit: Fit, budget: BudgetPlan, dims: list[str]) -> list[dict[str, Value]]:
    """Return a row a dimension, and one for the parameters."""
    beyond = budget.flops > fit.flops_range[1]
    rows: list[dict[str, Value]] = []
    for dim in dims:
        low, high = budget.ci[dim] or (None, None)
        value = {"value": finite(budget.shape[dim]), "lower": low, "upper": high}
        rows.append({"dimension": dim, "flops": budget.flops, **value, "beyond": beyond})
    shape = {dim: np.asarray(size) for dim, size in budget.shape.items()}
    params = fit.surroundings.params(shape) if fit.surroundings.knows_params and "params" not in dims else None
    if params is not None:
        value = {"value": finite(float(params)), "lower": None, "upper": None}
        rows.append({"dimension": "params", "flops": budget.flops, **value, "beyond": beyond})
    return rows


def _published(fit: Fit, dims: list[str], end: float) -> list[dict[str, Value]]:
    """Return published shapes whose training is known, at what it cost, in the convention of the law."""
    rows: list[dict[str, Value]] = []
    # A log of images may be of anything; one of tokens is of language models.
    known_kind = fit.architecture is not None or fit.examples_unit == "tokens"
    for name, examples in TRAINED[fit.examples_unit].items() if known_kind else ():
        try:
            model = CATALOGUE[name].model()
        except (KeyError, ShapeplanError):
            continue
        forward = float(model.flops("forward")) / model.examples_per_input * examples
        spent = convert_flops(forward, "forward", fit.flops_convention)
        if not fit.flops_range[0] / _MARGIN <= spent <= end * _MARGIN:
            continue
        known = {dim: float(getattr(model, dim)) for dim in dims if hasattr(model, dim)}
        known["params"] = float(model.params)
        rows += [
            {"name": name, "dimension": dim, "flops": spent, "value": value, "examples": examples}
            for dim, value in known.items()
        ]
    return rows

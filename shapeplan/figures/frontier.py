"""``frontier``: the best shape against compute, beside published ones (the paper's Figure 1)."""

from __future__ import annotations

import math

import numpy as np

from shapeplan.architectures.catalogue.find import catalogue
from shapeplan.errors import ShapeplanError
from shapeplan.figures.figure import Figure, Value, about, compute_label, finite, no_figure, tied_note
from shapeplan.fitting.result import Fit
from shapeplan.planning.plan import BudgetPlan
from shapeplan.planning.recommend import recommend
from shapeplan.quantities import convert_flops, format_flops, format_size

BEYOND = 100.0
"""How far above the largest compute of the log the frontier goes, as a factor."""
POINTS = 25
MOST_RUNS = 150
"""Runs of the log that are shown."""
TRAINED: dict[str, dict[str, float]] = {
    # Images of published ViTs, as PAPER gives them: arXiv:2305.13035, section 4 and Table 1.
    "examples": {"SoViT-400m/14": 40e9, "ViT-g/14": 16e9},
    # Tokens: EleutherAI's suite (arXiv:2304.01373), Llama 2 and 3 (2307.09288, 2407.21783).
    "tokens": {
        "pythia-70m": 300e9,
        "pythia-410m": 300e9,
        "pythia-1.4b": 300e9,
        "pythia-12b": 300e9,
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
        If no plan can be made, or it would end below the log.
    """
    if not fit.dims:
        raise no_figure("frontier", "the log has no shapes", "fit a log with width, depth or mlp_dim")
    least, most = fit.flops_range
    end = flops or BEYOND * most
    if end <= least:
        why = f"it starts at {format_flops(least)}, the least compute of the log"
        raise no_figure("frontier", why, f"ask for more than that with `flops`, e.g. {format_flops(BEYOND * most)}")
    # The end of the log is on it, so that what lies beyond begins there.
    flops_at = np.union1d(np.geomspace(least, end, POINTS), [most] if most < end else [])
    budgets = recommend(fit, flops_at.tolist(), force=True).budgets
    dims = [dim for dim in budgets[0].shape if dim not in fit.dimensions.fixed]
    table = tuple(row for budget in budgets for row in _rows(fit, budget, dims))
    published = tuple(_published(fit, dims, end))
    last = budgets[-1]
    shape = ", ".join(f"{dim} {format_size(last.shape[dim])}" for dim in dims)
    where = f"{format_flops(last.flops)} {fit.flops_convention} FLOPs"
    at_edge = any(caution.code == "no-interior-optimum" for caution in last.cautions)
    edge = " It is at the edge of what is trusted." if at_edge else ""
    summary = f"The best shape at {where} is {shape}.{edge} The log ends at {format_flops(most)}."
    reading = "Solid: within the log; dashed: beyond it. Band: interval."
    reading += " Filled marks: published shapes." if published else ""
    minima = _minima(fit)
    if minima:
        reading += " Circles: minima of parabolas through the budgets, with twice their standard errors."
    labels = {"flops": compute_label(fit), "value": "best value", "dimension": "dimension"}
    runs = _own_runs(fit, dims)
    reading += " Points: the runs of the log." if runs else ""
    tables = {"frontier": table, "published": published, "minima": minima, "runs": runs}
    title = "The best shape against compute"
    return Figure("frontier", title, about(fit), summary, reading + tied_note(fit), tables, labels, last.cautions)


def _rows(fit: Fit, budget: BudgetPlan, dims: list[str]) -> list[dict[str, Value]]:
    """Return a row a dimension, and one for the parameters."""
    beyond = budget.flops > fit.flops_range[1]
    rows: list[dict[str, Value]] = []
    for dim in dims:
        low, high = budget.ci[dim] or (None, None)
        value = {"value": finite(budget.shape[dim]), "lower": low, "upper": high}
        rows.append({"dimension": dim, "flops": budget.flops, **value, "beyond": beyond})
    shape = {dim: np.asarray(size) for dim, size in budget.shape.items()}
    params = fit.cost_model.params(shape) if fit.cost_model.knows_params and "params" not in dims else None
    if params is not None:
        value = {"value": finite(float(params)), "lower": None, "upper": None}
        rows.append({"dimension": "params", "flops": budget.flops, **value, "beyond": beyond})
    return rows


def _minima(fit: Fit) -> tuple[dict[str, Value], ...]:
    """Return the best parameters of the budgets of an isoFLOP sweep, which parabolas tell without a law."""
    if fit.log.isoflops is None or not fit.cost_model.knows_params:
        return ()
    rows: list[dict[str, Value]] = []
    for valley in fit.log.isoflops.inside:
        if valley.best is not None and valley.error is not None:
            ends = {
                "lower": valley.best * math.exp(-2 * valley.error),
                "upper": valley.best * math.exp(2 * valley.error),
            }
            rows.append({"dimension": "params", "flops": valley.flops, "value": valley.best, **ends})
    return tuple(rows)


def _own_runs(fit: Fit, dims: list[str]) -> tuple[dict[str, Value], ...]:
    """Return the runs of the log at their largest compute: all of a few, of many some evenly along the compute."""
    rows = fit.rows
    if rows is None:
        return ()
    order = np.argsort(rows.flops, kind="stable").tolist()
    # Of a run the last row along the compute stays.
    last = np.array(list({rows.runs[i]: i for i in order}.values()))
    last = last[np.argsort(rows.flops[last], kind="stable")]
    shown = last[:: -(-len(last) // MOST_RUNS)]
    sizes = {dim: rows.shape[dim][shown] for dim in dims if dim in rows.shape}
    params = fit.cost_model.params(sizes) if fit.cost_model.knows_params and set(fit.dims) <= sizes.keys() else None
    if params is not None and "params" not in sizes:
        sizes["params"] = params
    return tuple(
        {"run": rows.runs[i], "dimension": dim, "flops": float(rows.flops[i]), "value": finite(float(value))}
        for dim, column in sizes.items()
        for i, value in zip(shown.tolist(), column.tolist(), strict=True)
    )


def _published(fit: Fit, dims: list[str], end: float) -> list[dict[str, Value]]:
    """Return published shapes whose training is known, at what it cost, in the convention of the law."""
    rows: list[dict[str, Value]] = []
    # A log of images may be of anything; one of tokens is of language models.
    known_kind = fit.architecture is not None or fit.examples_unit == "tokens"
    for name, examples in TRAINED[fit.examples_unit].items() if known_kind else ():
        try:
            model = catalogue()[name].model()
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

"""The bounds of the numbers in documents that are read, in one table: beyond them none was made by a fit or a plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shapeplan.documents.places import Fault, Path
from shapeplan.laws import Form
from shapeplan.quantities import LARGEST_FLOPS

Bounds = tuple[float, float]
LARGEST_UNIT = 1e60
SIZE: Bounds = (1 / LARGEST_UNIT, LARGEST_UNIT)
_COEFFICIENT: Bounds = (0.0, 1e300)
POSITIVE: Bounds = (1e-290, 1e290)
_ERROR: Bounds = (0.0, 1e290)
_LOSS: Bounds = (1e-145, 1e145)
"""Of a row: the ratio of two is a number still, and so is its square."""
_PREDICTED: Bounds = (-1e145, 1e145)
"""Eq. 3 may be below zero away from the arms of a star."""
_FLOPS: Bounds = (1e-6, LARGEST_FLOPS)
_GROWTH: Bounds = (-1000.0, 1000.0)
_COUNT: Bounds = (0, 2**53)
_SOME: Bounds = (1, 2**53)
_LEVEL: Bounds = (0.01, 0.999)
_ROUNDING = 1e-9

_BOUNDS: dict[str, tuple[tuple[Bounds, str], ...]] = {
    "shapeplan.law": (
        (SIZE, "units.* fixed.* star.center.* start.shape.* range.shape.*.* center.*.shape.* arms.*.values.*"),
        (SIZE, "optimum.shape.*.value optimum.shape.*.ci.* isoflop.budgets.*.best influences.together.optimum.*"),
        (SIZE, "tied.*.ratio kept.*.ratio recipes.*.compute.value recipes.*.compute.ci.*"),
        (SIZE, "influences.alone.*.optimum.* cost.*.coefficient cost.*.more.*.coefficient"),
        ((-20.0, 20.0), "cost.*.exponents.* cost.*.more.*.exponents.*"),
        ((1e-3, 1e3), "tied.*.power"),
        ((-1e3, 1e3), "kept.*.power"),
        (_FLOPS, "range.flops.* start.flops front.*.flops center.*.flops isoflop.budgets.*.flops"),
        (_LOSS, "rows.observed.*"),
        (_PREDICTED, "rows.predicted.*"),
        (POSITIVE, "front.*.loss center.*.observed optimum.flops"),
        (
            _GROWTH,
            "scaling_exponents.*.value scaling_exponents.*.ci.* growth_exponents.*.value growth_exponents.*.ci.*",
        ),
        (_GROWTH, "isoflop.growth.value isoflop.growth.ci.* bootstrap.exponents.*.*"),
        (_ERROR, "cost.*.max_relative_error arms.*.relative_rmse fit.relative_rmse center_error.rmse grid_error.rmse"),
        (_ERROR, "noise.sigma isoflop.budgets.*.depth isoflop.budgets.*.error influences.alone.*.strength"),
        (_ERROR, "influences.together.strength run_error.scatter run_error.drift run_error.errors.*.rmse"),
        (
            _ERROR,
            "selection.*.rollout_rmse selection.*.relative_rmse selection.*.bic_excess selection.*.rollout.*.rmse",
        ),
        (_ERROR, "selection.*.top_decade.rmse selection.*.unseen_shapes.rmse"),
        (POSITIVE, "tuning.*.constant tuning.batches.* tuning.warmup_steps tuning.*.law.value tuning.*.law.quantile"),
        (SIZE, "tuning.*.law.center.* tuning.*.law.covered.*.*"),
        ((0.0, 1.0), "tuning.warmup_share"),
        ((0.0, 100.0), "tuning.*.law.scatter"),
        (_GROWTH, "tuning.*.law.exponents.*"),
        ((-1e6, 1e6), "tuning.*.law.spread.*.*"),
        ((1.0, 1e3), "tuning.*.law.backtest"),
        ((3, 2**53), "tuning.*.law.groups"),
        (_LEVEL, "tuning.*.law.level"),
        ((1.0, 1e60), "run_error.errors.*.distance selection.*.rollout.*.distance"),
        ((0.0, 1.0), "trends.*.chance"),
        ((0.0, 20.0), "arms.*.c_alone"),
        ((0.0, 100.0), "size_drift.*"),
        (_SOME, "fit.rows fit.runs center_error.rows grid_error.rows noise.rows isoflop.budgets.*.sizes"),
        (_SOME, "arms.*.rows arms.*.runs recipes.*.rows run_error.errors.*.rows selection.*.rollout.*.rows"),
        (_SOME, "selection.*.top_decade.rows selection.*.unseen_shapes.rows"),
        (_COUNT, "front.*.line outliers.*.line dropped.*.line selection.*.parameters influences.alone.*.lines.*"),
        (_COUNT, "influences.together.lines.* bootstrap.seed"),
        ((0, 100_000), "bootstrap.replicates bootstrap.unconverged"),
        (_LEVEL, "bootstrap.level"),
    ),
    "shapeplan.metrics": (
        (_LEVEL, "level"),
        (_GROWTH, "exponents.*.*.value exponents.*.*.ci.* agreement.*.common.*"),
        (_ERROR, "metrics.*.fit.relative_rmse"),
        (_SOME, "metrics.*.fit.rows metrics.*.fit.runs"),
    ),
    "shapeplan.plan": (
        (_LEVEL, "level"),
        (_FLOPS, "flops_range.* budgets.*.flops budgets.*.flops_forward budgets.*.flops_training budgets.*.flops_ci.*"),
        (SIZE, "budgets.*.shape.* budgets.*.ci.*.* budgets.*.rounded.* limits.*"),
        (POSITIVE, "budgets.*.loss.value fleet.count fleet.peak_flops_per_second"),
    ),
}
"""By kind of document: bounds, and the places that they are of, where ``*`` is every key, or every item."""


def beyond_bounds(kind: str, data: Any) -> Iterator[Fault]:
    """Yield the numbers of a document that are beyond their bounds."""
    for (least, most), places in _BOUNDS.get(kind, ()):
        for place in places.split():
            *outer, last = place.split(".")
            for path, held in _held(data, outer):
                for key in _keys(held, last):
                    value = held[key]
                    if not isinstance(value, int | float) or isinstance(value, bool) or least <= value <= most:
                        continue
                    why = "is not positive" if value <= 0 < least else f"is not in {least:g} ... {most:g}"
                    yield Fault((*path, key), why)


def bounds_of(form: Form, constant: str) -> Bounds:
    """Return the bounds of a constant of a law: an exponent is where a fit looks for it, with room for rounding."""
    if constant not in form.exponents:
        return _COEFFICIENT
    least, most = form.bounds(constant)
    return least * (1 - _ROUNDING), most * (1 + _ROUNDING)


def _held(data: Any, steps: list[str]) -> list[tuple[Path, Any]]:
    """Return what a document has at a place of the table, with its paths; nothing where it lacks it."""
    found: list[tuple[Path, Any]] = [((), data)]
    for step in steps:
        found = [((*path, key), held[key]) for path, held in found for key in _keys(held, step)]
    return found


def _keys(held: Any, step: str) -> list[Any]:
    if isinstance(held, list):
        return list(range(len(held))) if step == "*" else []
    if not isinstance(held, dict):
        return []
    return list(held) if step == "*" else [step] if step in held else []

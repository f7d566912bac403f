"""Which method answers: the optimum of the law, or the paper's recipe; and whether the fit can carry it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from shapeplan.errors import ArgumentError, ErrorDetail, PlanError, check_choice
from shapeplan.fitting.result import Fit
from shapeplan.planning.optimum import Optimum
from shapeplan.planning.planner import Planner
from shapeplan.planning.recipe import Recipe
from shapeplan.sweeps.grid import Start, check_start

_SAME_SHAPE = 0.02


def choose_method(
    optimum: Optimum,
    method: str | None,
    start: Start | None,
    weights: Mapping[str, float] | str | None,
    *,
    needs_optimum: str | None,
) -> Planner:
    """Return what answers.

    Parameters
    ----------
    optimum : Optimum
        The fit, with what the plan must keep.
    method : {"optimum", "scale"} or None
        As asked; by default the recipe for the law ``star``, for a law without constants, and where a start or weights
        are given.
    start, weights : Start, mapping or str, or None
        Of the recipe.
    needs_optimum : str or None
        An option that only the optimum can answer, if one is given.

    Raises
    ------
    ArgumentError
        If options exclude each other.
    PlanError
        If the fit has not what the method needs.
    """
    fit = optimum.fit
    if method is not None:
        check_choice("method", method, (Recipe.name, Optimum.name))
    of_recipe = start is not None or weights is not None
    if start is not None and not isinstance(start, Start):
        message = "a start is a shapeplan.Start"
        raise ArgumentError(ErrorDetail("bad-start", message, "write sp.Start({'width': 608, ...}, 3.5e18, 'mine')"))
    if needs_optimum and not fit.law.has_loss:
        message = f"the law {fit.law.form.name!r} gives exponents but no loss, so `{needs_optimum}` cannot be planned"
        raise PlanError(ErrorDetail("no-optimum", message, "fit a law to a log of your own"))
    if needs_optimum and (method == Recipe.name or of_recipe):
        message = f"`{needs_optimum}` is answered by the optimum of the law, not by the recipe"
        raise ArgumentError(ErrorDetail("bad-method", message, "leave `method=scale`, `start` and `weights` out"))
    if method is None:
        recipe = (not fit.law.form.joint or of_recipe or not fit.knows_loss) and not needs_optimum
        method = Recipe.name if recipe else Optimum.name
    if method == Recipe.name:
        return Recipe.of(fit, _start_of(fit, start), weights)
    if of_recipe:
        message = "a start and weights are of the recipe, not of the optimum"
        raise ArgumentError(ErrorDetail("bad-method", message, "leave them out, or write `method=scale`"))
    if not fit.knows_loss:
        why = "gives no constants" if not fit.law.has_loss else "needs what a shape costs, which is not known"
        message = f"the law {fit.law.form.name!r} {why}, so it has no best shape"
        hint = "write `method=scale`, or fit a log with an architecture"
        raise PlanError(ErrorDetail("no-optimum", message, hint))
    return optimum


def method_beside(optimum: Optimum, chosen: Planner) -> Planner | None:
    """Return the other method, where the fit has what it needs and tells its loss."""
    fit = optimum.fit
    if not fit.predicts_loss:
        return None
    if isinstance(chosen, Recipe):
        return optimum if fit.law.form.dims else None
    if fit.start is None or not set(fit.dims) <= fit.scaling_exponents.keys():
        return None
    if any(not math.isfinite(fit.scaling_exponents[dim].value) for dim in fit.dims):
        return None
    return Recipe.of(fit, fit.start)


def check_trust(fit: Fit, *, force: bool) -> None:
    """Raise `PlanError` if the fit is not to be trusted and not forced, or has no shape to plan."""
    if not fit.dims:
        message = f"the law {fit.law.form.name!r} was fitted to a log without shapes, so it has none"
        raise PlanError(ErrorDetail("no-shape", message, "log width, depth and mlp_dim of the runs"))
    if fit.law.form.along_ladder:
        message = f"the law {fit.law.form.name!r} tells the loss along the ladder of the log, not which shape is best"
        hint = "shapeplan predict forecasts its rungs; train two of its sizes at half and at twice the ratio to plan"
        raise PlanError(ErrorDetail("no-shape", message, hint))
    distrust = fit.distrust
    if distrust is not None and not force:
        raise PlanError(ErrorDetail(distrust.code, distrust.message, "plan all the same with `force`"))


def _start_of(fit: Fit, start: Start | None) -> Start:
    origin = start or fit.start
    dims = fit.dimensions.free
    if not set(dims) <= fit.scaling_exponents.keys():
        message = f"the law {fit.law.form.name!r} gives no scaling exponents, which the recipe needs"
        hint = "write `method=optimum`, or fit a star"
        raise PlanError(ErrorDetail("no-exponents", message, hint))
    if origin is None:
        example = ",".join(f"{dim}=..." for dim in dims)
        message = "the law has no starting point (x0, t0): its log had no grid"
        hint = f"give the best shape at a small compute, where you know one, as `start={example}@FLOPS`"
        raise PlanError(ErrorDetail("no-start", message, hint))
    check_start(origin)
    missing = [dim for dim in dims if dim not in origin.shape]
    implied = fit.dimensions.complete({dim: origin.shape[dim] for dim in dims}) if not missing else {}
    wrong = [dim for dim, size in origin.shape.items() if abs(size / implied.get(dim, np.inf) - 1) > _SAME_SHAPE]
    if missing or wrong:
        why = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(wrong)} unlike the log's"
        raise ArgumentError(ErrorDetail("bad-start", f"the start {why}", f"give {', '.join(dims)}"))
    undefined = [dim for dim in dims if not math.isfinite(fit.scaling_exponents[dim].value)]
    if undefined:
        message = f"the growth of {', '.join(undefined)} is not defined, so nothing can be scaled by it"
        raise PlanError(ErrorDetail("undefined-exponent", message, "extend that arm of the sweep"))
    return replace(origin, shape={dim: origin.shape[dim] for dim in dims})

"""A fit as tables."""

from __future__ import annotations

from rich.console import RenderableType

from shapeplan.fitting.result import GRAVE, Fit, HeldOutError
from shapeplan.laws import Star
from shapeplan.quantities import format_flops, format_scientific
from shapeplan.render.parts import alarm, compact, count, facts, percent, shape_text, span, table, title

_SHOWN_CENTER_ROWS = 6


def render_fit(fit: Fit) -> list[RenderableType]:
    """Return the tables of a fit: trust first, then exponents, the held-out centre, and the start."""
    parts: list[RenderableType] = []
    if fit.status != "ok":
        codes = ", ".join(_codes(fit, GRAVE)) or "not converged"
        parts += [alarm(f"NOT TO BE TRUSTED ({codes}): recommend refuses this fit without --force"), ""]
    parts += [title(f"Law {fit.law.form.name} for {fit.metric} ({fit.law.form.source})"), _evidence(fit)]
    parts += [title(f"Scaling exponents: alone, a dimension grows as compute^s ({_level(fit)} intervals)")]
    parts += [_exponents(fit)]
    if fit.arms:
        parts += [title("Eq. 2 on the arms"), *_arms(fit)]
    if fit.center:
        parts += [title(f"The centre, predicted unseen ({shape_text(_center(fit))})"), *_center_table(fit)]
    if fit.grid_error:
        grid = fit.grid_error
        parts += [title(f"The {grid.rows} rows beside the star, predicted unseen"), facts([("error", _spread(grid))])]
    parts += [title("Start of the recipe"), _start(fit)]
    return parts


def _evidence(fit: Fit) -> RenderableType:
    pairs = []
    if fit.quality:
        quality = fit.quality
        pairs += [
            ("status", quality.status),
            ("warnings", ", ".join(_codes(fit)) or "none"),
            ("rows", f"{count(quality.rows, 'row')} of {count(quality.runs, 'run')}"),
            ("misfit", f"{percent(quality.relative_rmse)} (relative RMSE)"),
            ("objective", f"{format_scientific(quality.objective_value, 9)} ({quality.objective}, sum of squares)"),
        ]
    low, high = fit.flops_range
    pairs.append(("compute", f"{format_flops(low)} to {format_flops(high)} {fit.flops_convention} FLOPs"))
    if fit.bootstrap.replicates:
        pairs.append(("bootstrap", f"{fit.bootstrap.replicates} replicates by run, seed {fit.bootstrap.seed}"))
    for dim, tie in fit.dimensions.tied.items():
        pairs.append(("tied", f"{dim} = {compact(tie.ratio)} {tie.to}"))
    for dim, value in fit.dimensions.fixed.items():
        pairs.append(("not varied", f"{dim} = {compact(value, 4)}"))
    return facts(pairs)


def _exponents(fit: Fit) -> RenderableType:
    rows = [[dim, compact(s.value), span(s.ci)] for dim, s in fit.scaling_exponents.items()]
    return table(["dimension", "s", "interval"], rows)


def _arms(fit: Fit) -> list[RenderableType]:
    powers, rows = [], []
    for dim, arm in fit.arms.items():
        a, b = fit.parameters[f"a_{dim}"], fit.parameters[f"b_{dim}"]
        powers.append([dim, compact(a.value), span(a.ci, 2), compact(b.value), span(b.ci, 2)])
        values = f"{len(arm.values)} ({compact(arm.values[0], 4)} to {compact(arm.values[-1], 4)})"
        rows.append([dim, values, f"{arm.rows}", f"{arm.runs}", percent(arm.relative_rmse), compact(arm.c_alone)])
    c = fit.parameters["c"]
    return [
        table(["arm", "a", "interval", "b", "interval"], powers),
        table(["arm", "values", "rows", "runs", "misfit", "own c"], rows),
        facts([("c of all arms", compact(c.value) + (f" ({span(c.ci)})" if c.ci else ""))]),
    ]


def _center_table(fit: Fit) -> list[RenderableType]:
    error = fit.center_error
    parts: list[RenderableType] = []
    if error:
        parts.append(facts([("error", _spread(error))]))
    step = -(-len(fit.center) // _SHOWN_CENTER_ROWS)
    shown = fit.center[::-1][::step][::-1]
    rows = [
        [
            format_flops(row.flops),
            compact(row.observed, 4),
            compact(row.predicted, 4),
            percent(row.relative_error, signed=True),
        ]
        for row in shown
    ]
    parts.append(table(["FLOPs", "observed", "predicted", "error"], rows, left=0))
    by_arm = [[format_flops(row.flops), *(compact(row.by_arm[dim], 4) for dim in fit.arms)] for row in shown]
    parts.append(table(["FLOPs", *(f"by {dim} arm" for dim in fit.arms)], by_arm, left=0))
    if len(shown) < len(fit.center):
        parts += [f"(every {step}th row of the centre; all {len(fit.center)} are in the JSON)", ""]
    return parts


def _spread(error: HeldOutError) -> str:
    mean, worst = percent(error.bias, signed=True), percent(error.worst, signed=True)
    return f"mean {mean}, root mean square {percent(error.rmse)}, largest {worst}"


def _start(fit: Fit) -> RenderableType:
    if fit.start is None:
        return facts([("x0", "none: the log has no grid"), ("t0", "none")])
    return facts(
        [
            ("x0", shape_text(fit.start.shape)),
            ("t0", f"{format_flops(fit.start.flops)} {fit.flops_convention} FLOPs"),
            ("from", fit.start.source),
        ]
    )


def _center(fit: Fit) -> dict[str, float]:
    form = fit.law.form
    return {dim: value * fit.law.units[dim] for dim, value in form.center.items()} if isinstance(form, Star) else {}


def _codes(fit: Fit, among: tuple[str, ...] = ()) -> list[str]:
    """Return the codes of the warnings, each once."""
    return list(dict.fromkeys(c.code for c in fit.cautions if not among or c.code in among))


def _level(fit: Fit) -> str:
    return f"{fit.bootstrap.level:.0%}" if fit.bootstrap.replicates else "no"

"""A fit as tables."""

from __future__ import annotations

from rich.console import RenderableType

from shapeplan.fitting.evidence import RunError
from shapeplan.fitting.records import Estimate, HeldOutError, by_compute
from shapeplan.fitting.result import OPTIMUM_AT, Fit
from shapeplan.quantities import format_flops, format_scientific
from shapeplan.render.parts import alarm, count, coverage, facts, shape_text, table, title
from shapeplan.render.scores import score_table, unknown_scores
from shapeplan.wording import compact, percent, span

_SHOWN_DURATIONS = 6
_SHOWN_EXPONENTS = 4
_SHOWN_RUNS = 5


def render_fit(fit: Fit) -> list[RenderableType]:
    """Return the tables of a fit: trust first, then the choice, exponents, the best shape, and the star."""
    parts: list[RenderableType] = []
    if (distrust := fit.distrust) is not None:
        parts += [alarm(distrust.message.replace("not to be trusted", "NOT TO BE TRUSTED", 1)), ""]
    parts += [title(f"Law {fit.law.form.name} for {fit.metric} ({fit.law.form.source})"), _evidence(fit)]
    if len(fit.selection) > 1:
        parts += [title("Choice of the law, by relative errors on rows above those it was fitted to (* is the choice)")]
        parts += [score_table(fit.selection, fit.law.form.name), *unknown_scores(fit.selection)]
    if (error := fit.uncertainty.run_error) is not None and error.errors:
        parts += [title("Backtest: how far off the law was on the log's own rows, by how far they lie beyond a fit")]
        parts += [_backtest(error)]
    if fit.law.form.joint:
        parts += [title(f"Exponents of the law ({_level(fit)} intervals)"), _powers(fit)]
    if fit.scaling_exponents:
        source = ", from Eq. 2 on the star" if fit.arms and fit.law.form.joint else ""
        parts += [title(f"Scaling exponents: alone, a dimension grows as compute^s ({_level(fit)} intervals{source})")]
        parts += [_exponents(fit)]
    parts += [*_recipes(fit), *_best(fit), *_isoflops(fit)]
    if fit.arms:
        parts += [title("Eq. 2 on the arms"), *_arms(fit)]
    if fit.center:
        parts += [title(f"The centre, predicted unseen by Eq. 2 ({shape_text(fit.star_center)})"), *_center_table(fit)]
    if fit.grid_error:
        grid = fit.grid_error
        parts += [title(f"The {grid.rows} rows beside the star, predicted unseen by Eq. 3")]
        parts += [facts([("error", _spread(grid))])]
    if fit.trends:
        parts += [title("Residuals (predicted/observed - 1): means over the low, middle and high third of rows")]
        parts += [_trends(fit)]
    if fit.influences.alone:
        parts += [title("Runs that move the fit most"), *_influences(fit)]
    if fit.influences.reasons:
        parts += [title("Runs without which the fit is not known"), _needed(fit)]
    if fit.dims:
        parts += [title("Start of the recipe"), _start(fit)]
    return parts


def _evidence(fit: Fit) -> RenderableType:
    pairs = []
    if fit.quality:
        quality = fit.quality
        pairs += [
            ("status", quality.status),
            ("warnings", ", ".join(dict.fromkeys(caution.code for caution in fit.cautions)) or "none"),
            ("rows", f"{count(quality.rows, 'row')} of {count(quality.runs, 'run')}"),
            ("misfit", f"{percent(quality.relative_rmse)} (relative RMSE)"),
            ("noise", _noise(fit)),
            ("objective", f"{format_scientific(quality.objective_value, 9)} ({_objective(quality.objective)})"),
        ]
    low, high = fit.flops_range
    pairs.append(("compute", f"{format_flops(low)} to {format_flops(high)} {fit.flops_convention} FLOPs"))
    if fit.bootstrap.replicates:
        pairs.append(("bootstrap", f"{fit.bootstrap.replicates} replicates by run, seed {fit.bootstrap.seed}"))
    for dim, tie in fit.dimensions.tied.items():
        pairs.append(("tied", f"{dim} = {tie}"))
    for dim, value in fit.dimensions.fixed.items():
        pairs.append(("not varied", f"{dim} = {compact(value, 4)}"))
    return facts(pairs)


def _backtest(error: RunError) -> RenderableType:
    rows = [
        [f"{compact(one.distance, 2)}x", percent(one.rmse), f"{one.rows}", percent(float(error.sigma(one.distance)))]
        for one in error.errors
    ]
    return table(["compute asked for", "off by (RMSE)", "rows", "assumed of a run (sd)"], rows)


def _noise(fit: Fit) -> str:
    if fit.noise is None:
        return "unknown: too few replicates or checkpoints in the log"
    return f"{percent(fit.noise.sigma)} (from {fit.noise.rows} {fit.noise.source})"


def _objective(name: str) -> str:
    return {"relative": "relative, sum of squares", "log-huber": "log-huber, sum, delta 0.001"}.get(name, name)


def _powers(fit: Fit) -> RenderableType:
    rows = []
    for name in fit.law.form.exponents:
        parameter = fit.parameters[name]
        rows.append([name, compact(parameter.value), span(parameter.ci), "at bound" if parameter.at_bound else ""])
    floor = fit.parameters.get("eps")
    if floor:
        rows.append(["eps", compact(floor.value, 4), span(floor.ci, 4), "zero" if floor.at_bound else ""])
    return table(["exponent", "value", "interval", ""], rows)


def _exponents(fit: Fit) -> RenderableType:
    rows = [[dim, compact(s.value), span(s.ci)] for dim, s in fit.scaling_exponents.items()]
    return table(["dimension", "s", "interval"], rows)


def _best(fit: Fit) -> list[RenderableType]:
    """Return the growth of the best shape, and the best shape beyond the data."""
    if not fit.law.form.joint:
        return []
    flops = OPTIMUM_AT * fit.flops_range[1]
    best = fit.beyond
    names = list(best) or list(fit.growth_exponents)
    rows = []
    for name in names:
        row = [name]
        if name in fit.growth_exponents:
            growth = fit.growth_exponents[name]
            row += [compact(growth.value), span(growth.ci)]
        else:
            row += ["-", "-"]
        if best:
            row += [compact(best[name].value, 4), span(best[name].ci, 4), span(fit.shape_range[name], 4)]
        rows.append(row)
    if not rows:
        return []
    headers = ["", "S", "interval"]
    headers += [f"at {format_flops(flops)}", "interval", "trained"] if best else []
    where = f", here at {OPTIMUM_AT:g} times the largest compute of the log" if best else ""
    return [title(f"The best shape under the law: together, dimensions grow as compute^S{where}"), table(headers, rows)]


_LEVELS = {"loss": "loss times", "eps": "eps plus"}
"""The level of a recipe in words, where it is not a factor of compute."""


def _recipes(fit: Fit) -> list[RenderableType]:
    """Return what the compute of every recipe is worth."""
    recipes = fit.log.recipes
    if not recipes:
        return []
    first, level = recipes[0], coverage(fit.bootstrap.level)
    headers = ["recipe", "rows", "worth", f"{level} interval"]
    rows = [[one.name, str(one.rows), compact(one.compute.value), span(one.compute.ci)] for one in recipes]
    says = _LEVELS.get(recipes[-1].form)
    if says is not None:
        headers += [says, "interval"]
        own = [one.level or Estimate(0.0 if one.form == "eps" else 1.0) for one in recipes]
        rows = [[*row, compact(one.value, 4), span(one.ci, 4)] for row, one in zip(rows, own, strict=True)]
    told = f"Recipes by {first.column}: what compute of each is worth in that of {first.name}, in its largest runs"
    return [title(told), table(headers, rows)]


def _isoflops(fit: Fit) -> list[RenderableType]:
    """Return how the best parameters grow under the law, and by parabolas through the budgets, which know no law."""
    isoflops = fit.log.isoflops
    if isoflops is None:
        return []
    rows = [
        [name, compact(estimate.value), span(estimate.ci)]
        for name, estimate in (("the law", fit.growth_exponents.get("params")), ("parabolas", isoflops.growth))
        if estimate is not None
    ]
    inside, budgets = len(isoflops.inside), len(isoflops.valleys)
    told = (
        f"IsoFLOP sweep: the best parameters grow as compute^S over its budgets, {inside} of {budgets} with a minimum"
    )
    return [title(told), *([table(["by", "S", "interval"], rows)] if rows else [])]


def _trends(fit: Fit) -> RenderableType:
    rows = [
        [
            name,
            *(percent(mean, signed=True) for mean in (trend.low, trend.middle, trend.high)),
            f"{trend.chance:.2g}" if trend.chance >= 0.0001 else "< 0.0001",
        ]
        for name, trend in fit.trends.items()
    ]
    return table(["by", "low", "middle", "high", "chance"], rows)


def _influences(fit: Fit) -> list[RenderableType]:
    """Return what the numbers a user reads would be without the runs that matter most."""
    first = fit.influences.alone[0]
    names = [name for name in first.exponents if name.startswith("s_")] or list(first.exponents)
    estimates = {f"s_{dim}": s.value for dim, s in fit.scaling_exponents.items()}
    estimates |= {name: parameter.value for name, parameter in fit.parameters.items()}
    estimates |= {f"growth_{dim}": growth.value for dim, growth in fit.growth_exponents.items()}
    shown = [name for name in names if name in estimates][:_SHOWN_EXPONENTS]
    dims = list(first.optimum)
    whole = fit.beyond
    rows = [["none", "", "", *(compact(estimates[name]) for name in shown)]]
    rows[0] += [compact(whole[dim].value, 4) if dim in whole else "-" for dim in dims]
    for influence in (
        *fit.influences.alone[:_SHOWN_RUNS],
        *([fit.influences.together] if fit.influences.together else []),
    ):
        name = f"{influence.runs[0]} ({influence.places[0]})"
        if len(influence.runs) > 1:
            name = (
                ", ".join(influence.places)
                if influence.files
                else f"lines {', '.join(map(str, sorted(influence.lines)))}"
            )
        row = [name, compact(influence.strength)]
        row += [compact(influence.surprise)]
        row += [compact(influence.exponents[name]) for name in shown]
        rows.append(row + [compact(influence.optimum[dim], 4) if dim in influence.optimum else "-" for dim in dims])
    headers = ["left out", "moves (sd)", "off (sd)", *shown, *(f"best {dim}" for dim in dims)]
    return [table(headers, rows)]


def _needed(fit: Fit) -> RenderableType:
    """Return the runs that cannot be left out, and what would be missing."""
    reasons = fit.influences.reasons
    rows = [[run, reason] for run, reason in sorted(reasons.items())[:_SHOWN_RUNS]]
    if len(reasons) > _SHOWN_RUNS:
        rows.append([f"and {len(reasons) - _SHOWN_RUNS} more", ""])
    return table(["left out", "what the others lack"], rows, left=2)


def _arms(fit: Fit) -> list[RenderableType]:
    powers, rows = [], []
    for dim, arm in fit.arms.items():
        if not fit.law.form.joint:
            a, b = fit.parameters[f"a_{dim}"], fit.parameters[f"b_{dim}"]
            powers.append([dim, compact(a.value), span(a.ci, 2), compact(b.value), span(b.ci, 2)])
        values = f"{len(arm.values)} ({compact(arm.values[0], 4)} to {compact(arm.values[-1], 4)})"
        rows.append([dim, values, f"{arm.rows}", f"{arm.runs}", percent(arm.relative_rmse), compact(arm.c_alone)])
    arms = table(["arm", "values", "rows", "runs", "misfit", "own c"], rows)
    if not powers:
        return [arms]
    c = fit.parameters["c"]
    return [
        table(["arm", "a", "interval", "b", "interval"], powers),
        arms,
        facts([("c of all arms", compact(c.value) + (f" ({span(c.ci)})" if c.ci else ""))]),
    ]


def _center_table(fit: Fit) -> list[RenderableType]:
    error = fit.center_error
    parts: list[RenderableType] = []
    if error:
        parts.append(facts([("error", _spread(error))]))
    durations = by_compute(fit.center)
    step = -(-len(durations) // _SHOWN_DURATIONS)
    shown = durations[::-1][::step][::-1]
    rows = [
        [
            format_flops(row.flops),
            f"{seeds}",
            compact(row.observed, 4),
            compact(row.predicted, 4),
            percent(row.relative_error, signed=True),
            *(compact(row.by_arm[dim], 4) for dim in fit.arms),
        ]
        for row, seeds in shown
    ]
    headers = ["FLOPs", "rows", "observed", "predicted", "error", *(f"by {dim} arm" for dim in fit.arms)]
    parts.append(table(headers, rows, left=0))
    if len(shown) < len(durations):
        parts += [f"({len(shown)} of {len(durations)} durations; all rows of the centre are in the JSON)", ""]
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


def _level(fit: Fit) -> str:
    return coverage(fit.bootstrap.level) if fit.bootstrap.replicates else "no"

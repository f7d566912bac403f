"""The first lines of a plan: what to train, what to expect of it, how far to trust that, and what else there is."""

from __future__ import annotations

import math
from collections.abc import Mapping

from shapeplan import codes
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.architectures.styles import MIXTURES
from shapeplan.fitting.records import Interval
from shapeplan.fitting.result import Fit
from shapeplan.planning.plan import BudgetPlan, Plan
from shapeplan.planning.size import SIZE
from shapeplan.quantities import format_count, format_factor, format_flops
from shapeplan.wording import compact, percent, span

_TESTED = 0.8
"""Share of a distance from which on a backtest at it is one at the distance."""
ANSWERED = (codes.EXTRAPOLATION, codes.RATIO_EXTRAPOLATION)
"""Warnings whose content is in the first lines and the tables of a plan."""
_WITHIN = 1.001
_WORDS = {"width": "wide", "depth": "deep", "mlp_dim": "in MLP dim"}
_FILES = {"hf": "config.json", "hf-llama": "config.json", "nanogpt": "train_shape.py", "timm": "model.py"}
"""Where the next command writes the plan as a library reads it."""
_OF_ANOTHER_FAMILY = "say family: mixtral (or qwen3_moe) in the architecture: then the plan becomes a config"
_FARTHER = 1.25
"""Factor by which a plan is farther out in examples than in compute from which on it is told."""
_FAR_SIZE = 2.0
"""Factor of a size from which on it is told that no run tests it, if the compute is not as far."""
_GUESS = 1e3
"""Factor of compute from which on no log of today tests a law."""
_NOTHING = 5e-5
"""Relative loss that prints as none."""


def answer(plan: Plan, budget: BudgetPlan, following: str = "") -> list[str]:
    """Return the sentences of a budget, each a line that can be read by itself; last what to type next, if given."""
    lines = [train(plan, budget), _expect(plan, budget), _edge(plan, budget), _limited(plan, budget)]
    lines += [_trust(plan, budget), _in_range(plan, budget)]
    lines += [f"Next: {following}"] if following else []
    return [line for line in lines if line]


def next_step(plan: Plan, command: str) -> str:
    """Return what to type after a command, for a plan of one budget; empty where nothing follows."""
    if len(plan.budgets) != 1 or plan.budgets[0].params is None:
        return ""
    architecture = plan.fit.architecture
    if architecture is None:
        return "give the architecture with `fit --config`: parameters are then exact, and the plan becomes a config"
    if plan.budgets[0].heads is None:
        return f"{command} --preset gpu"
    decoder = architecture.examples_unit == "tokens"
    if architecture.is_mixture or "experts" in plan.fit.dims:
        written = architecture.family.name in MIXTURES
        return f"{command} --format hf > {_FILES['hf']}" if written else _OF_ANOTHER_FAMILY
    library = ("hf-llama" if architecture.gated else "nanogpt") if decoder else "timm"
    return f"{command} --format {library} > {_FILES[library]}"


def train(plan: Plan, budget: BudgetPlan) -> str:
    """Return what to train, and on how much."""
    about = "" if plan.fit.architecture else "about "
    heads = ""
    if budget.heads is not None:
        how_many = "" if "heads" in budget.rounded else f"{budget.heads} "
        wide = f" of {budget.head_dim:g}" if budget.head_dim else ""
        of_them = "head" if budget.heads == 1 else "heads"
        heads = f" ({how_many}{of_them}{wide})" if how_many or wide else ""
    sized = SIZE in budget.rounded
    said = "Train a model" if sized else f"Train {by_name(budget.rounded)}{heads}"
    on = []
    if budget.params is not None:
        on.append(f"{about}{sized_as(budget)}")
    if budget.examples is not None:
        on.append(f"{about}{format_count(budget.examples)} {plan.fit.examples_unit}")
    ratio = budget.examples_per_param
    each = "" if ratio is None else f" ({compact(ratio)} per parameter)"
    bought = (" of " if sized else ": ") + " on ".join(on) + each if on else ""
    forward = "" if budget.flops_convention == "training" else f" ({format_flops(budget.flops_forward)} forward)"
    return f"{said}{bought}, {format_flops(budget.flops_training)} training FLOPs{forward}."


def sized_as(budget: BudgetPlan) -> str:
    """Return the parameters of a plan in words, with those that a token meets where these are fewer."""
    said = f"{format_count(budget.params or 0)} parameters"
    fewer = budget.active_params is not None and budget.active_params != budget.params
    return f"{said} ({format_count(budget.active_params or 0)} active)" if fewer else said


def by_name(shape: Mapping[str, float]) -> str:
    """Return ``2048 x 24 x 8192`` of width, depth and MLP dim, other dimensions by name."""
    plain = [f"{shape[dim]}" for dim in SHAPE_DIMS if dim in shape]
    others = [f"{dim} {size}" for dim, size in shape.items() if dim not in SHAPE_DIMS]
    return ", ".join([" x ".join(plain), *others] if plain else others)


def _expect(plan: Plan, budget: BudgetPlan) -> str:
    if budget.loss is None:
        return ""
    ends = f" ({span(budget.loss.ci, 4)})" if budget.loss.ci else ""
    said = f"Expect {plan.fit.metric} {compact(budget.loss.value, 4)}{ends}."
    sizes = [_sizes(dim, ends, budget) for dim, ends in budget.valley.items() if dim in (*plan.fit.dims, SIZE)]
    if not sizes:
        return said
    joined = ", ".join(sizes[:-1]) + (" and " if sizes[:-1] else "") + sizes[-1]
    alone = ", one at a time with the rest re-optimised" if len(sizes) > 1 else ""
    return f"{said} Sizes {joined} lose at most {100 * plan.tolerance:.3g}%{alone}."


def _sizes(dim: str, ends: Interval, budget: BudgetPlan) -> str:
    if dim == SIZE:
        return f"from {format_count(ends[0])} to {format_count(ends[1])} parameters"
    low, high = (compact(end) for end in ends)
    word = _WORDS.get(dim, f"in {dim}")
    if dim in budget.at_edge:
        # The search ends there, the valley need not.
        above = math.isclose(ends[1], budget.shape[dim], rel_tol=1e-3)
        return f"of at least {low} {word}" if above else f"of at most {high} {word}"
    return f"from {low} to {high} {word}"


def _edge(plan: Plan, budget: BudgetPlan) -> str:
    if not budget.at_edge:
        return ""
    dims = " and ".join(budget.at_edge)
    where = f"{plan.trust:g}x the trained sizes" if plan.trust > 1 else "the trained sizes"
    return f"Edge: the best {dims} may lie beyond the search ({where}); the law does not tell where."


def _limited(plan: Plan, budget: BudgetPlan) -> str:
    other = budget.unlimited
    if other is None or other.regret is None or other.regret > -_NOTHING:
        return ""
    limits = ", ".join(limit_text(name, value, plan.fit.examples_unit) for name, value in plan.limits.items())
    return f"Limits: {limits}; without, {by_name(other.shape)} would be {percent(-other.regret)} better."


def limit_text(name: str, value: float, unit: str) -> str:
    """Return a limit of a plan in words: ``at most 150M parameters``."""
    match name:
        case "max_params":
            return f"at most {format_count(value)} parameters"
        case "max_flops_per_example":
            return f"at most {format_flops(value)} forward FLOPs per {unit.removesuffix('s')}"
        case "max_examples":
            return f"{format_count(value)} {unit}"
        case "epochs":
            return f"{value:g} epochs"
        case "inference_examples":
            return f"{format_count(value)} {unit} served"
        case _:
            return f"{name.removeprefix('fix_')} {value:g}"


def _trust(plan: Plan, budget: BudgetPlan) -> str:
    fit = plan.fit
    if fit.rows is None and fit.uncertainty.run_error is None:
        return "Trust: a published law; no run of yours is behind it."
    beyond = budget.trained_flops / fit.flops_range[1]
    seen = budget.examples / fit.examples_range[1] if budget.examples and fit.examples_range else 1.0
    below = fit.flops_range[0] / budget.trained_flops
    if below > _WITHIN:
        return f"Trust: {format_factor(below)} below your smallest run in compute, where nothing tests the law."
    farther = seen > _FARTHER * max(beyond, 1.0)
    if beyond <= _WITHIN and not farther:
        doubt = _doubt(fit, budget)
        return f"Trust: within the compute of your runs{f'; {doubt}' if doubt else ''}."
    far = f"Trust: {format_factor(beyond)} beyond your largest run in compute"
    if farther and beyond <= _WITHIN:
        far = f"Trust: within the compute of your runs, {format_factor(seen)} beyond them in {fit.examples_unit}"
    elif farther:
        far += f", {format_factor(seen)} in {fit.examples_unit}"
    if doubt := _doubt(fit, budget):
        return f"{far}; {doubt}."
    beyond = max(beyond, seen)
    if beyond >= _GUESS:
        far += ", which is a guess"
    tested = budget.tested
    if tested is None:
        return f"{far}; the log is too short to test the law at any distance."
    error = f"this law was off by {percent(tested.rmse)} on your own runs (fitted to the small, asked for the large)"
    if tested.distance >= _TESTED * beyond:
        return f"{far}; at that distance {error}."
    return f"{far}; at {tested.distance:.3g}x, as far as the log can test, {error}."


def _doubt(fit: Fit, budget: BudgetPlan) -> str:
    """Return why errors on the runs tell nothing of the plan: a size is far from theirs, or the law fails on them."""
    if fit.grid_error and not fit.predicts_loss:
        beside = f"the rows beside the star are missed by {percent(fit.grid_error.rmse)}"
        return f"{beside}, so that only the growth of the sizes is of the law"
    beyond = max(budget.extrapolation.get("flops", 1.0), 1.0)
    far = {dim: max(factor, 1 / factor) for dim, factor in budget.extrapolation.items() if dim != "flops"}
    told = [
        f"{dim} ({format_factor(factor)} {'the largest' if budget.extrapolation[dim] > 1 else 'below the least'})"
        for dim, factor in far.items()
        if factor > max(_FAR_SIZE, beyond)
    ]
    return f"beyond any run in {', '.join(told)}, where nothing tests the law" if told else ""


def _in_range(plan: Plan, budget: BudgetPlan) -> str:
    inside = budget.in_range
    if inside is None or inside.regret is None:
        known = plan.fit.rows is not None and budget.loss is not None
        sized = not (budget.extrapolation.keys() - {"flops"})
        return "Its sizes are all within those that you trained." if known and sized else ""
    on = f" on {format_count(inside.examples)} {plan.fit.examples_unit}" if inside.examples else ""
    more = percent(inside.regret, signed=True)
    logged, beyond = plan.fit.examples_per_param, ""
    if inside.examples and inside.params and logged and inside.examples / inside.params > logged[1] * _WITHIN:
        beyond = f" (more {plan.fit.examples_unit} per parameter than in any run)"
    shape = by_name(inside.shape)
    return f"If you want to stay within what you trained: {shape}{on}{beyond}, {more} in {plan.fit.metric}."

"""The rows of several recipes as those of one, by the level that the backtest prefers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.fitting.checkpoints import whole_stretches
from shapeplan.fitting.evidence import RecipeFactor
from shapeplan.fitting.recipes.estimate import Levels, Misfit, estimate_levels
from shapeplan.fitting.recipes.groups import Groups, groups_of
from shapeplan.fitting.recipes.level import LARGEST_FACTOR, ComputeLevel, levels_for
from shapeplan.fitting.records import Estimate, Interval
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.laws import Law
from shapeplan.numerics.arrays import Bools, Floats
from shapeplan.numerics.grouping import is_function
from shapeplan.runs import FEWEST_OF_A_RECIPE, Runs, recipe_caution

_CUTS = (2.0, 4.0, 10.0)
"""Factors below the largest compute above which rows are held out."""
_BETTER = 0.95
"""Error of a level over that of a plainer one, below which it is preferred where it fits the rows no worse."""
_LEAST = 1e-9
_AT_BOUND = 0.999
_STEP = 1e-4


def as_one_recipe(
    runs: Runs, column: str, law_of: Callable[[Runs], Candidate], coverage: float
) -> tuple[Runs, tuple[RecipeFactor, ...]]:
    """Return the rows of several recipes as those of the reference, and what each recipe is worth in compute.

    A recipe has a level of its compute; or of its loss, or its irreducible loss, where that predicts held-out rows
    better and fits the others no worse. The law that levels are read under is chosen without them first, then with
    them.

    Parameters
    ----------
    runs : Runs
        The log.
    column : str
        The column that tells recipes.
    law_of : callable
        The law that rows are fitted with.
    coverage : float
        Of the intervals.

    Raises
    ------
    ArgumentError
        If the column tells no recipes.
    """
    groups = groups_of(runs, column)
    first = law_of(runs)
    found = [estimate_levels(first, runs, groups, level, coverage) for level in levels_for(runs)]
    errors = [_backtest(first, runs, groups, levels) for levels in found]
    preferred = _preferred(found, errors)
    law = law_of(preferred.level.as_reference(runs, groups.spread(preferred.values)))
    levels = estimate_levels(law, runs, groups, preferred.level, coverage)
    shared = levels.level.as_reference(runs, groups.spread(levels.values))
    final = law_of(shared).law
    factors = _factors(levels, final, runs, groups)
    return replace(
        shared,
        notes=(*shared.notes, _note(factors, levels, found, errors)),
        cautions=(*_left_to_doubt(runs, groups), *_bound_cautions(factors, levels)),
        level_errors=_level_errors(levels, final, runs, shared, groups),
    ), factors


def _left_to_doubt(runs: Runs, groups: Groups) -> Iterator[Caution]:
    """Yield what is doubtful about the rows; of differences in recipe only those within the groups."""
    same = runs.alike(groups.group)
    columns = [name for name in runs.differing if not is_function(runs.cells[name].groups()[0], same)]
    for caution in runs.cautions:
        if caution.code != codes.RECIPE_VARIES:
            yield caution
        elif columns:
            yield recipe_caution(columns)


def _backtest(candidate: Candidate, runs: Runs, groups: Groups, levels: Levels) -> float:
    """Return the geometric mean over folds of the error on rows above; NaN where there is no fold.

    Law and levels of a fold are those of the rows below alone.
    """
    errors = []
    for cut in _CUTS:
        below = runs.flops <= runs.flops.max() / cut
        keep = whole_stretches(runs, below)
        fewest = np.bincount(groups.group[keep], minlength=len(groups)).min()
        if below.all() or fewest < FEWEST_OF_A_RECIPE or candidate.lacking(runs, keep) is not None:
            continue
        errors.append(_error_above(Misfit(candidate, runs, groups, levels.level, keep), levels.values, ~below))
    return float(np.exp(np.mean(np.log(np.maximum(errors, _LEAST))))) if errors else np.nan


def _preferred(found: Sequence[Levels], errors: Sequence[float]) -> Levels:
    best = 0
    for i, (one, error) in enumerate(zip(found, errors, strict=True)):
        if error < _BETTER * errors[best] and one.misfit <= found[best].misfit:
            best = i
    return found[best]


def _error_above(misfit: Misfit, start: Floats, above: Bools) -> float:
    """Return the root mean square relative error of rows above, the law and levels fitted to those that are kept."""
    values = misfit.minimum(start).levels
    shared, rows = misfit.shared(values), np.flatnonzero(above)
    posed = replace(misfit.candidate, problem=misfit.posed(values))
    errors = posed.unseen(misfit.fit(values), 0, shared, rows)
    return float(np.sqrt(np.mean((errors * _share(misfit, shared, values)[rows]) ** 2)))


def _share(misfit: Misfit, shared: Runs, values: Floats) -> Floats:
    return misfit.level.share(shared.observed(), misfit.groups.spread(values))


def _factors(levels: Levels, law: Law, runs: Runs, groups: Groups) -> tuple[RecipeFactor, ...]:
    """Return what every recipe is worth in compute, at the compute of its largest decade of rows."""
    level, counts = levels.level, groups.counts
    factors = [RecipeFactor(groups.column, groups.names[0], int(counts[0]), Estimate(1.0), level.name)]
    for index in range(1, len(groups)):
        mine = groups.group == index
        rows = runs.take(mine & (runs.flops >= runs.flops[mine].max() / 10))
        ends = [level.compute(float(value), law, rows) for value in (levels.low[index], levels.high[index])]
        worth = Estimate(level.compute(float(levels.values[index]), law, rows), (min(ends), max(ends)))
        own = Estimate(
            level.value(float(levels.values[index])),
            (level.value(float(levels.low[index])), level.value(float(levels.high[index]))),
        )
        factors.append(RecipeFactor(groups.column, groups.names[index], int(counts[index]), worth, level.name, own))
    return tuple(factors)


def _level_errors(levels: Levels, law: Law, runs: Runs, shared: Runs, groups: Groups) -> Floats:
    """Return by how much an error of one standard error of every level moves rows, shape (rows, groups - 1).

    That is relative to their loss: where compute is scaled, by what the law changes along it.
    """
    moved = np.zeros((len(runs), len(groups) - 1))
    for index in range(1, len(groups)):
        mine = np.flatnonzero(groups.group == index)
        rows, step = shared.take(mine), np.full(len(mine), _STEP)
        there = levels.level.as_reference(rows, step)
        columns = [one.variables() for one in (there, rows)]
        log_law = [np.log(law.loss(**{name: column[name] for name in law.form.variables})) for column in columns]
        slope = (np.log(there.observed() / rows.observed()) - (log_law[0] - log_law[1])) / _STEP
        moved[mine, index - 1] = slope * levels.deviations[index]
    return moved


def _bound_cautions(factors: Sequence[RecipeFactor], levels: Levels) -> list[Caution]:
    """Return a caution where a level, or what it is worth in compute, is as large as is looked for."""
    cautions = []
    at_bound = [
        factor.name
        for factor, ends in zip(factors, zip(levels.low, levels.high, strict=True), strict=True)
        if max(map(abs, ends)) >= levels.level.most * _AT_BOUND
    ]
    if at_bound:
        message = f"the level of {' and '.join(map(repr, at_bound))} is at the bound of the search, {levels.level.says}"
        hint = "such recipes share no law: fit those of one with `where`"
        cautions.append(Caution(codes.AT_BOUND, message, hint))
    beyond = [
        factor.name
        for factor in factors
        if factor.compute.ci and factor.name not in at_bound and not _reached(factor.compute.ci)
    ]
    if beyond:
        message = (
            f"the loss of {' and '.join(map(repr, beyond))} is reached by {factors[0].name!r} with no compute from "
            f"{1 / LARGEST_FACTOR:.2g} to {LARGEST_FACTOR:g} times as much: what it is worth is that bound, or more"
        )
        cautions.append(Caution(codes.AT_BOUND, message, "compare their losses, not their compute"))
    return cautions


def _reached(ends: Interval) -> bool:
    return ends[0] > 1 / LARGEST_FACTOR / _AT_BOUND and ends[1] < LARGEST_FACTOR * _AT_BOUND


def _note(factors: tuple[RecipeFactor, ...], levels: Levels, found: Sequence[Levels], errors: Sequence[float]) -> str:
    told = ", ".join(f"{factor.compute.value:.3g} for {factor.name!r}" for factor in factors[1:])
    how = f"compute counts as that of the recipe {factors[0].name!r} of {factors[0].column!r}: times {told}"
    if not isinstance(levels.level, ComputeLevel):
        values = ", ".join(
            f"{factor.level.value:.4g} for {factor.name!r}" for factor in factors[1:] if factor.level is not None
        )
        how = (
            f"a recipe of {factors[0].column!r} is {levels.level.says} from {factors[0].name!r} ({values}); in the "
            f"largest runs it is worth, times compute: {told}"
        )
    if np.isfinite(errors).all():
        tested = ", ".join(f"{one.level.says} {error:.2%}" for one, error in zip(found, errors, strict=True))
        how += f"; backtest errors: {tested}"
    return f"{how}; plans and predictions are for {factors[0].name!r}"

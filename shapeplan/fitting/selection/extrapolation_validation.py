"""The choice of a law by rollout: fit on the rows below a compute, predict the next block up, expanding."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from shapeplan.fitting.records import HeldOutError, Horizon, Score
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.solver import Solution
from shapeplan.numerics.arrays import Bools, Floats, Index, Ints
from shapeplan.runs import Runs

FIRST_CUT = 0.7
"""Share of the rows, in order of compute, that the first fit may see: with fewer it is unlike a fit to all."""
BLOCKS = 6
"""Blocks of rows above it; every block is predicted by a fit to all rows below."""
FEWEST_BLOCKS = 4
"""Blocks below which a law that needs many rows is left out rather than the blocks it cannot stand."""
DOUBT = 2.0
"""Standard errors from the best within which a law might as well be the true one."""
FAR_OFF = 2.0
"""Error, over the least, above which a law is not the true one however uncertain the difference: a law that fails on a
few rows has a standard error as large as its failure."""
EVEN = 2.0
"""Difference in BIC that is not worth more than a bare mention (Kass and Raftery 1995): the simpler law is taken."""
_ROUNDING = 1e-18
_WORST = 1e300
NO_ERRORS = "a fit without them does not converge, or gives some of them no finite loss"
_ONE_COMPUTE = "all rows have the same compute"
_TOO_MANY = "too few rows are left for folds"
SHAPE_GROUPS = 40
"""Shapes beyond this number are left out several at a time."""


@dataclass(frozen=True)
class Fold:
    """Rows below a compute to fit on, and the next ones up to predict; both of shape (rows,)."""

    train: Bools
    test: Index


@dataclass(frozen=True)
class Choice:
    """The law of choice, the table behind it, and the laws that might as well have been chosen.

    Attributes
    ----------
    chosen : Candidate
        The law of choice.
    scores : tuple of Score
        One a candidate, in order; None where a law could not be scored.
    rivals : tuple of Candidate
        Other laws within `DOUBT` standard errors of the best.
    """

    chosen: Candidate
    scores: tuple[Score, ...]
    rivals: tuple[Candidate, ...] = ()


def choose(candidates: Sequence[Candidate], runs: Runs, done: Callable[[], None] = lambda: None) -> Choice:
    """Choose, of the laws within one standard error of the best, the one of least BIC, or a simpler one as good.

    The rollout measures extrapolation error; among equals the rows themselves decide, with a
    parameter worth what it explains. (Taking the fewest parameters instead fails at 1% noise: a law that is plainly
    wrong in sample passes on the few rows of the rollout; tests/studies/choice.py.)

    Laws that know no shape are the baseline: one of them is chosen only where it is the best itself. Eq. 2 is out where
    the rows beside the star refute Eq. 3: a law must hold for all of the log. All laws predict the same rows. The
    standard error is that of the difference of two laws' squared errors, with the rows of a run taken together, since
    what is hard to predict for one law is hard for the others.

    Parameters
    ----------
    candidates : sequence of Candidate
        Laws fitted to the log, at least one.
    runs : Runs
        The log.
    done : callable
        Told of every candidate that is scored.
    """
    folds, able, reasons = _folds(candidates, runs)
    ahead = {}
    for candidate in able if folds else ():
        ahead[candidate.name] = _errors(candidate, folds, runs)
        done()
    errors = {name: np.concatenate([fold[0] for fold in found]) for name, found in ahead.items() if folds}
    tested = runs.run[np.concatenate([fold.test for fold in folds])] if folds else np.empty(0, dtype=np.int64)
    # Errors that only rounding tells apart are equal.
    squares = {name: np.maximum(values**2, _ROUNDING) for name, values in errors.items()}
    bics = {candidate.name: bic(candidate, runs) for candidate in candidates}
    least = min(bics.values())
    scores = tuple(
        replace(
            _score(candidate, squares.get(candidate.name), bics[candidate.name] - least, tested, runs, reasons),
            rollout=_horizons(ahead.get(candidate.name, ()), folds, runs),
        )
        for candidate in candidates
    )
    if not folds:
        return Choice(min(candidates, key=lambda one: bics[one.name]), scores)
    able = [candidate for candidate in able if not _is_refuted(candidate, runs)] or able
    best = min((one.name for one in able), key=lambda name: float(squares[name].mean()))
    if not np.isfinite(squares[best]).all():
        return Choice(min(able, key=lambda one: bics[one.name]), scores)

    def within(errors: float) -> list[Candidate]:
        apart = {candidate.name: squares[candidate.name] - squares[best] for candidate in able}
        return [
            candidate
            for candidate in able
            if np.isfinite(apart[candidate.name]).all()
            and squares[candidate.name].mean() <= FAR_OFF**2 * squares[best].mean()
            and apart[candidate.name].mean() <= errors * standard_error(apart[candidate.name], tested)
        ]

    close = within(1.0)
    knowing = [candidate for candidate in close if candidate.problem.form.dims]
    blind_is_best = not next(one for one in able if one.name == best).problem.form.dims
    eligible = close if blind_is_best else knowing
    lowest = min(bics[one.name] for one in eligible)
    even = [one for one in eligible if bics[one.name] - lowest <= EVEN]
    chosen = min(even, key=lambda one: (one.problem.parameters, bics[one.name], float(squares[one.name].mean())))
    return Choice(chosen, scores, tuple(one for one in within(DOUBT) if one is not chosen))


def _is_refuted(candidate: Candidate, runs: Runs) -> bool:
    """Return whether the rows beside a star, which Eq. 2 is not fitted to, tell against it."""
    error = candidate.error_beside_star(runs)
    return error is not None and error.refutes(candidate.relative_rmse)


def bic(candidate: Candidate, runs: Runs) -> float:
    """Return the Bayesian information criterion (Schwarz 1978) of a law over all rows, up to a constant of the log.

    The rows of a run are not independent: a run counts as one observation. Eq. 2 must answer for rows beside its arms
    too, so that all laws are compared on the same rows.
    """
    count = len(np.unique(runs.run))
    errors = candidate.errors(candidate.found.best, 0, runs, np.arange(len(runs)))
    square = max(float(np.mean(errors**2)), _ROUNDING)
    return float(min(count * np.log(square) + candidate.problem.parameters * np.log(count), _WORST))


def standard_error(values: Floats, cluster: Ints) -> float:
    """Return the standard error of the mean of values, shape (rows,), that come in clusters."""
    _, index = np.unique(cluster, return_inverse=True)
    sums = np.bincount(index, values - values.mean())
    groups = len(sums)
    if groups < 2:
        return float("inf")
    return float(np.sqrt(groups / (groups - 1) * (sums**2).sum()) / len(values))


def _folds(candidates: Sequence[Candidate], runs: Runs) -> tuple[tuple[Fold, ...], list[Candidate], dict[str, str]]:
    """Return the folds that identify all laws, those laws, and why the others are left out.

    Of laws that too few folds identify, the one with the most parameters goes first.
    """
    ordered = np.sort(runs.flops)
    shares = np.linspace(FIRST_CUT, 1.0, BLOCKS + 1)
    cuts = np.unique(ordered[np.round(shares * (len(ordered) - 1)).astype(int)])
    possible = [
        Fold(runs.flops <= below, np.flatnonzero((runs.flops > below) & (runs.flops <= above)))
        for below, above in itertools.pairwise(cuts)
    ]
    lacking = {one.name: [one.lacking(runs, fold.train) for fold in possible] for one in candidates}
    able = sorted(candidates, key=lambda candidate: candidate.problem.parameters)
    reasons: dict[str, str] = {}
    while able:
        # A law that no fold identifies stands in nobody's way.
        for one in [one for one in able if all(lacking[one.name])]:
            able.remove(one)
            reasons[one.name] = next((reason for reason in lacking[one.name] if reason), _ONE_COMPUTE)
        sound = [i for i in range(len(possible)) if not any(lacking[one.name][i] for one in able)]
        if not able or (sound and len(sound) >= min(FEWEST_BLOCKS, len(possible))):
            return tuple(possible[i] for i in sound) if able else (), able, reasons
        last = able.pop()
        reasons[last.name] = next((reason for reason in reversed(lacking[last.name]) if reason), _TOO_MANY)
    return (), [], reasons


def _errors(candidate: Candidate, folds: Sequence[Fold], runs: Runs) -> list[list[Floats]]:
    """Return, for every fold, the errors on its own block and on every block above."""
    solution = candidate.without(np.array([fold.train for fold in folds]))
    return [[_unseen(candidate, solution, i, runs, fold.test) for fold in folds[i:]] for i in range(len(folds))]


def _unseen(candidate: Candidate, solution: Solution, i: int, runs: Runs, rows: Index) -> Floats:
    """Return the errors on rows that the i-th fit did not see; infinite where it did not converge."""
    errors = candidate.errors(solution, i, runs, rows)
    return errors if solution.converged[i] else np.full_like(errors, np.inf)


def _horizons(errors: Sequence[Sequence[Floats]], folds: Sequence[Fold], runs: Runs) -> tuple[Horizon, ...]:
    """Return the errors by the number of blocks that rows are ahead of a fit; without those that are not finite."""
    horizons = []
    for ahead in range(len(errors)):
        found = np.concatenate([fold[ahead] for fold in errors if ahead < len(fold)])
        pairs = zip(folds, folds[ahead:], strict=False)
        steps = [
            np.mean(np.log(runs.flops[above.test])) - np.log(runs.flops[below.train].max()) for below, above in pairs
        ]
        rmse = float(np.sqrt(np.mean(found**2)))
        if np.isfinite(rmse):
            horizons.append(Horizon(float(np.exp(np.mean(steps))), rmse, len(found)))
    return tuple(horizons)


def _score(
    candidate: Candidate,
    squares: Floats | None,
    excess: float,
    tested: Ints,
    runs: Runs,
    left_out: Mapping[str, str],
) -> Score:
    reasons = {"rollout_rmse": left_out[candidate.name]} if candidate.name in left_out else {}
    top_decade, why = _top_decade(candidate, runs)
    if why:
        reasons["top_decade"] = why
    rmse = se = None
    if squares is not None and not np.isfinite(squares).all():
        reasons["rollout_rmse"] = NO_ERRORS
    elif squares is not None:
        rmse = float(np.sqrt(squares.mean()))
        se = standard_error(squares, tested) / (2 * rmse) if rmse else 0.0
        se = se if np.isfinite(se) else None
    return Score(
        law=candidate.name,
        rollout_rmse=rmse,
        rollout_se=se,
        relative_rmse=candidate.relative_rmse,
        parameters=candidate.problem.parameters,
        bic_excess=excess,
        top_decade=top_decade,
        reasons=reasons,
    )


def _top_decade(candidate: Candidate, runs: Runs) -> tuple[HeldOutError | None, str | None]:
    """Return how the law does on the top decade of compute, fitted below it, or why that is not known."""
    below = runs.flops < runs.flops.max() / 10
    if not below.any():
        return None, "no row is below a tenth of the largest compute"
    if reason := candidate.lacking(runs, below):
        return None, f"below a tenth of the largest compute: {reason}"
    errors = _unseen(candidate, candidate.without(below[None]), 0, runs, np.flatnonzero(~below))
    return (HeldOutError.of_errors(errors), None) if np.isfinite(errors).all() else (None, NO_ERRORS)


def score_in_sample(candidate: Candidate) -> Score:
    """Return the score of a law that was asked for, not chosen."""
    return Score(candidate.name, None, None, candidate.relative_rmse, candidate.problem.parameters)


def predict_unseen_shapes(
    candidate: Candidate, runs: Runs, dims: Sequence[str]
) -> tuple[HeldOutError | None, str | None]:
    """Leave one shape out after the other and predict its rows, or say why that cannot be.

    Many shapes are left out in at most `SHAPE_GROUPS` groups, every shape in one.
    """
    sizes = [runs.values(dim) for dim in dims] or [runs.variables()["params"]]
    _, shape = np.unique(np.column_stack(sizes), axis=0, return_inverse=True)
    group = shape.ravel() % SHAPE_GROUPS
    names = np.unique(group)
    keep = group[None, :] != names[:, None]
    missing = (f"without {_named(runs, ~mine)}: {why}" for mine in keep if (why := candidate.lacking(runs, mine)))
    if reason := next(missing, None):
        return None, reason
    solution = candidate.without(keep)
    errors = [_unseen(candidate, solution, i, runs, np.flatnonzero(~mine)) for i, mine in enumerate(keep)]
    everything = np.concatenate(errors)
    return (HeldOutError.of_errors(everything), None) if np.isfinite(everything).all() else (None, NO_ERRORS)


def _named(runs: Runs, rows: Bools) -> str:
    """Return the first run among some rows, for a message."""
    return f"the shape of {runs.run_names[runs.run[np.argmax(rows)]]}"

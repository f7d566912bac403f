"""Fits of many like problems on the same rows: bootstrap replicates, rows left out, exponents held in a relation.

Every problem descends from the best of some candidates. Then it looks for a lower optimum: from another candidate, from
its own with one exponent moved far away, and from those of the other problems. Optima of noisy rows differ mostly in a
term that is switched off, or in an exponent at its other bound, which no descent crosses. What a start is worth is
known before a descent, by the objective with the coefficients solved for; most are not tried. Of problems that differ
by chance alone some look first, and the others only where these often found one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shapeplan.fitting.solver.levenberg_marquardt import (
    FINE,
    FINE_LONG,
    MEDIUM_NEAR,
    StoppingCriteria,
    descend,
)
from shapeplan.fitting.solver.losses import RELATIVE, Objective
from shapeplan.fitting.solver.model import Block, Solution, distinct, pieces
from shapeplan.fitting.solver.projection import least, project
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.numerics.box_qp import solve_nnls

_CANDIDATES = 32
"""Starts that every problem scores."""
_FEWEST_PILOTS, _ONE_IN = 16, 16
"""Of problems that differ by chance one in so many looks for a lower optimum first, and no fewer than so many: the
others look where these often found one, or everywhere if they did not converge."""
_LOW, _UNLIKE = 0.16, 3.0
"""Quantile whose distance below the median is a standard deviation, and how many are more than chance."""
_OFTEN = 0.1
"""Share of the pilots that find one, from which that is often."""
_FEW, _RARE = 16, 0.05
"""Number and share of descents up to which those that are slow are followed further."""
_MANY = 32
"""Problems above which points that they share are scored from one guess at the coefficients."""
_SCORED, _FEWEST_SCORED = 256, 64
"""Rows of a block on which own optima that are moved are scored; all where some problem would be left with fewer."""
_LOWER = 1e-7
_NEAR = 0.05
"""Distance, as a share of the range of every exponent, within which a descent has come back to the same optimum."""
_APART = 0.2
"""Distance, as a share of the range of some exponent, above which optima of two problems are not alike."""


@frozen
class _Effort:
    """How hard a lower optimum is looked for.

    Attributes
    ----------
    others, moves, elsewhere : int
        How many starts are tried at most: other candidates, own optima moved in a round, optima of other problems.
    rounds : int
        How often the own optimum is moved.
    margin : float
        Objective of a start, over the least so far, above which it is not tried.
    stages : tuple of (StoppingCriteria, float)
        A descent goes on after a stage if it is lower than the least so far, or elsewhere and no higher by this share.
    """

    others: int
    moves: int
    elsewhere: int
    rounds: int
    margin: float
    stages: tuple[tuple[StoppingCriteria, float], ...]


_SMOOTH = _Effort(
    *(2, 3, 6, 2, 1.1),
    ((StoppingCriteria(5, 1e-4, 2), 0.3), (StoppingCriteria(20, 1e-4, 2), 1e-2), (MEDIUM_NEAR, 0.0)),
)
_KINKED = _Effort(
    *(8, 8, 16, 3, 2.0),
    ((StoppingCriteria(40, 1e-5, 2), 1.0), (StoppingCriteria(100, 1e-9, 3), 1e-4)),
)
"""Without a second derivative descents are slow, and the objective at a start tells little of where one will end."""


def refit(
    blocks: Sequence[Block],
    candidates: Floats,
    lower: Floats,
    upper: Floats,
    objective: Objective = RELATIVE,
    *,
    by_chance: bool = False,
) -> Solution:
    """Find the optima of many problems on the same rows.

    Parameters
    ----------
    blocks : sequence of Block
        With observations, weights or maps of their own for every problem.
    candidates : ndarray, shape (candidates, exponents) or (problems, candidates, exponents)
        Where an optimum may be, such as ``Found.optima``.
    lower, upper : ndarray, shape (exponents,)
        Bounds, positive.
    objective : Objective
        What to minimize.
    by_chance : bool
        Whether the problems differ by chance alone, as replicates do, and logs that lack a run each: a sample of them
        then tells where lower optima are worth looking for, and a few may end at one that is not their lowest.

    Returns
    -------
    Solution
        One optimum a problem; `converged` says whether it is one.
    """
    batch = _Batch(blocks, lower, upper, objective)
    everyone = np.arange(batch.problems)
    starts = batch.ranked(candidates[..., :_CANDIDATES, :], everyone, 1 + batch.effort.others)
    # Until it is at its optimum, a problem in a flat valley takes every other point of the valley for a lower one.
    best = batch.descend(starts.points[:, 0], everyone, FINE)
    others = starts.after(1)
    pilots = _pilots(best.objective) if by_chance else everyone
    useful = batch.look_lower(best, pilots, others, _Places.everywhere(len(lower)))
    rest = np.setdiff1d(everyone, pilots)
    converged = best.converged[rest]
    for some, places in ((rest[~converged], _Places.everywhere(len(lower))), (rest[converged], useful)):
        if some.size:
            batch.look_lower(best, some, others, places)
    stuck = np.flatnonzero(~best.converged)
    # Where many do not converge the rows determine next to nothing, and more steps would be wasted.
    if 0 < stuck.size <= max(_FEW, _RARE * batch.problems):
        best.put(stuck, batch.descend(best.exponents[stuck], stuck, FINE_LONG))
    return best


def _pilots(objective: Floats) -> Index:
    """Return which problems that differ by chance look for a lower optimum first, by the objectives where they are.

    They are a regular sample, and those of which chance alone would not make as low an objective: of logs that lack a
    run each, it is such a run that hid another optimum.
    """
    step = max(1, min(_ONE_IN, len(objective) // _FEWEST_PILOTS))
    finite = objective[np.isfinite(objective)]
    low, middle = np.quantile(finite, [_LOW, 0.5]) if finite.size else (0.0, 0.0)
    sampled = np.arange(len(objective)) % step == 0
    return np.flatnonzero(sampled | (objective < middle - _UNLIKE * (middle - low)))


@frozen
class _Places:
    """Where lower optima are looked for, or were often found.

    Attributes
    ----------
    moves : ndarray of bool, shape (3 exponents,)
        Which exponents of the own optimum are moved, and where to.
    elsewhere : bool
        Whether from other candidates, and from optima of other problems.
    """

    moves: Bools
    elsewhere: bool

    @classmethod
    def everywhere(cls, exponents: int) -> _Places:
        return cls(np.ones(3 * exponents, dtype=bool), True)


@frozen
class _Starts:
    """Where to start.

    Attributes
    ----------
    points : ndarray, shape (problems, starts, exponents)
        The starts of every problem.
    scores : ndarray, shape (problems, starts)
        The objective there with the coefficients solved for.
    order : ndarray of int, shape (problems, starts)
        Which of the points that were ranked they are.
    """

    points: Floats
    scores: Floats
    order: Index

    @classmethod
    def best(cls, points: Floats, scores: Floats, most: int) -> _Starts:
        """Return the most promising points of every problem, the best first."""
        order = np.argsort(scores, axis=1, kind="stable")[:, :most]
        return cls(np.take_along_axis(points, order[..., None], 1), np.take_along_axis(scores, order, 1), order)

    def after(self, first: int) -> _Starts:
        """Return all but the first of every problem."""
        return _Starts(*(array[:, first:] for array in vars(self).values()))

    def with_more(self, problems: Index, more: _Starts) -> _Starts:
        """Return the starts of some problems, with more of them behind."""
        both = zip(vars(self).values(), vars(more).values(), strict=True)
        return _Starts(*(np.concatenate([mine[problems], its], axis=1) for mine, its in both))


class _Batch:
    """Problems on the same rows."""

    def __init__(self, blocks: Sequence[Block], lower: Floats, upper: Floats, objective: Objective) -> None:
        self.blocks, self.lower, self.upper, self.objective = blocks, lower, upper, objective
        raised = any(block.inside is not None for block in blocks)
        self.effort = _SMOOTH if objective.smooth else _KINKED
        self.problems = max(block.batch for block in blocks)
        mapped = any(block.maps is not None for block in blocks)
        self._shares_columns = objective.projects and not raised and not mapped
        thinned = [block.thinned(_SCORED) for block in blocks]
        enough = all(((block.weights > 0).sum(axis=-1) >= _FEWEST_SCORED).all() for block in thinned)
        fewer = any(block.rows > _SCORED for block in blocks)
        self._scored = thinned if enough and fewer else blocks

    def descend(self, points: Floats, owner: Index, criteria: StoppingCriteria) -> Solution:
        """Descend from points, shape (descents, exponents), for the problems that own them."""
        blocks = [block.take(owner) for block in self.blocks]
        return descend(blocks, points, self.lower, self.upper, objective=self.objective, criteria=criteria)

    def look_lower(self, best: Solution, problems: Index, candidates: _Starts, places: _Places) -> _Places:
        """Look for lower optima of some problems, and put them into `best`.

        Parameters
        ----------
        best : Solution
            The optima so far, of all problems.
        problems : ndarray of int
            Those that look.
        candidates : _Starts
            Other candidates than those from which they have descended, of all problems.
        places : _Places
            Where they look.

        Returns
        -------
        _Places
            Where they often found one.
        """
        active, allowed, lowered = problems, np.flatnonzero(places.moves), []
        moves, often = np.zeros_like(places.moves), max(1.0, _OFTEN * problems.size)
        for _ in range(self.effort.rounds if allowed.size else 0):
            moved = self._moved(best.exponents[active])[:, allowed]
            starts = _Starts.best(moved, self._scores_of_moved(best, moved, active), self.effort.moves)
            active, which = self._improve(best, active, starts)
            moves[allowed] |= np.bincount(which, minlength=allowed.size) >= often
            lowered.append(active)
        elsewhere = np.array([], dtype=np.intp)
        if places.elsewhere:
            optima = distinct(best.exponents, self.lower, self.upper, _APART, _CANDIDATES)
            starts = candidates.with_more(problems, self.ranked(optima, problems, self.effort.elsewhere))
            elsewhere, _ = self._improve(best, problems, starts)
        ends = np.unique(np.concatenate([*lowered, elsewhere]))
        if ends.size:
            best.put(ends, self.descend(best.exponents[ends], ends, FINE))
        return _Places(moves, elsewhere.size >= often)

    def ranked(self, points: Floats, problems: Index, most: int) -> _Starts:
        """Return the best of points, shape (points, exponents) or with an axis of problems, for every problem."""
        spread = np.broadcast_to(points, (len(problems), *points.shape[-2:]))
        if points.ndim > 2 or not self._shares_columns:
            shared = points.ndim == 2 and len(problems) > _MANY
            guesses = self._guesses(points, problems[:1]) if shared else None
            return _Starts.best(spread, self._scores(self.blocks, spread, problems, guesses), most)
        scores = sum(_shared_scores(block.take(problems), points, len(problems)) for block in self.blocks)
        return _Starts.best(spread, np.asarray(scores).T, most)

    def _improve(self, best: Solution, problems: Index, starts: _Starts) -> tuple[Index, Index]:
        """Descend from starts that may end lower, and put what does into `best`, at the end of the last stage.

        Returns
        -------
        problems, starts : ndarray of int
            The problems that gained, and which of the points that were ranked led there.
        """
        here = best.exponents[problems][:, None]
        row, start = np.nonzero(
            (starts.scores < self.effort.margin * best.objective[problems][:, None]) & ~self._near(starts.points, here)
        )
        owner, points, which = problems[row], starts.points[row, start], starts.order[row, start]
        for criteria, allowed in self.effort.stages:
            if not owner.size:
                return owner, which
            found = self.descend(points, owner, criteria)
            excess = found.objective / np.maximum(best.objective[owner], np.finfo(float).tiny) - 1
            # An exponent that nothing determines may be anywhere in the same optimum.
            returned = self._near(found.exponents, best.exponents[owner]) | (np.abs(excess) <= _LOWER)
            kept = np.flatnonzero((excess < -_LOWER) | ((excess < allowed) & ~returned))
            owner, which, points, found = owner[kept], which[kept], found.exponents[kept], found.take(kept)
        order = np.lexsort((found.objective, owner))
        lowest = order[np.unique(owner[order], return_index=True)[1]]
        lowest = lowest[found.objective[lowest] < best.objective[owner[lowest]] * (1 - _LOWER)]
        best.put(owner[lowest], found.take(lowest))
        return owner[lowest], which[lowest]

    def _moved(self, exponents: Floats) -> Floats:
        """Return points with one exponent moved to a bound or the middle, shape (problems, 3 exponents, exponents)."""
        targets = np.array([self.lower, np.sqrt(self.lower * self.upper), self.upper])
        which = np.repeat(np.arange(exponents.shape[1]), len(targets))
        points = np.repeat(exponents[:, None, :], len(which), axis=1)
        points[:, np.arange(len(which)), which] = targets.T.ravel()
        return points

    def _scores_of_moved(self, best: Solution, moved: Floats, problems: Index) -> Floats:
        """Return the objectives at own optima that were moved, from few rows: as the optimum is on these and on all."""
        scores = self._scores(self._scored, moved, problems)
        if self._scored is self.blocks:
            return scores
        optima, own = best.take(problems), np.zeros(len(problems))
        for block, coefficients in zip(self._scored, optima.coefficients, strict=True):
            mine = block.take(problems)
            predicted = mine.predicted(optima.exponents, mine.columns(optima.exponents), coefficients)
            own += self.objective.value(predicted, mine.observed, mine.weights)
        known = np.isfinite(own) & (own > 0)
        return scores * np.divide(optima.objective, own, out=np.ones_like(own), where=known)[:, None]

    def _scores(
        self, blocks: Sequence[Block], points: Floats, problems: Index, guesses: Sequence[Floats] | None = None
    ) -> Floats:
        """Return the objectives at points of shape (problems, points, exponents), shape (problems, points).

        `guesses`, of every block, are coefficients that are nearly right at the points of all problems.
        """
        some, each, size = points.shape
        owner, flat, values = np.repeat(problems, each), points.reshape(-1, size), np.zeros(some * each)
        for piece in pieces(len(flat), sum(block.rows for block in blocks)):
            for k, block in enumerate(blocks):
                guess = None if guesses is None else guesses[k][piece % each]
                values[piece] += least(self.objective, block.take(owner[piece]), flat[piece], guess)
        return values.reshape(some, each)

    def _guesses(self, points: Floats, problem: Index) -> list[Floats]:
        """Return the coefficients of every block that are best for one problem, at points (points, exponents)."""
        blocks = [block.take(np.repeat(problem, len(points))) for block in self.blocks]
        return [project(self.objective, block, points, block.columns(points)) for block in blocks]

    def _near(self, points: Floats, optima: Floats) -> Bools:
        """Return which points are near optima, over the last axis of both, which broadcast."""
        return np.asarray((np.abs(np.log(points / optima)) <= _NEAR * np.log(self.upper / self.lower)).all(axis=-1))


def _shared_scores(block: Block, candidates: Floats, problems: int) -> Floats:
    """Return the least sum of squared relative residuals of many problems, shape (candidates, problems).

    The problems share the columns, so that one matrix product a candidate gives the normal equations of all.
    """
    rows, width = block.rows, block.width
    observed = np.broadcast_to(block.observed, (problems, rows))
    weights = np.broadcast_to(block.weights, (problems, rows))
    linear, square, constant = weights / observed, weights / observed**2, weights.sum(axis=1)
    pairs = np.triu_indices(width)
    scores = np.empty((len(candidates), problems))
    for i, candidate in enumerate(candidates):
        columns = block.columns(candidate[None])[0]
        gram = np.empty((problems, width, width))
        products = square @ (columns[pairs[0]] * columns[pairs[1]]).T
        gram[:, pairs[0], pairs[1]] = gram[:, pairs[1], pairs[0]] = products
        moments = linear @ columns.T
        found = solve_nnls(gram, moments)
        scores[i] = constant - (moments * found).sum(axis=1)
    return scores

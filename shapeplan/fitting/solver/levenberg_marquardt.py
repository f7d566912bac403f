"""Descent from many starts, or of many bootstrap replicates, at once: Levenberg-Marquardt with analytic derivatives.

A step is a quadratic program in exponents and coefficients together, with the bounds of both. Eliminating the
coefficients first (Golub and Pereyra 1973, Kaufman 1975) stalls wherever one of them vanishes; here a step sees which
coefficients it will switch on or off. After it the coefficients are solved for anew, under an outer power by one round
of Gauss and Newton's: without that a descent follows every bend of a flat valley. Exponents step in their logarithms,
in which valleys bend less: a term to a power is the same function with its exponents multiplied.

The curvature is the whole Hessian where the objective is smooth and the damped matrix positive definite, so that the
end of a descent is Newton's method; elsewhere it is Gauss and Newton's. The Hessian alone is slow to reach from afar,
Gauss and Newton's alone needs hundreds of steps where exponents are nearly collinear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shapeplan.fitting.solver.definite import solve_definite
from shapeplan.fitting.solver.losses import RELATIVE, Objective
from shapeplan.fitting.solver.model import Block, Solution, pieces
from shapeplan.fitting.solver.projection import project
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.numerics.box_qp import solve_box_qp

_TINY = 1e-300
_HIGHEST = 1e20
_LOWEST = 1e-15
_HOPELESS = 2.0**12
"""Growth of the damping, doubled by every step that fails in a row, at which no shorter step will go down either."""
_RIDGE = 1e-12
_ROUNDING = 1e-13
"""Change of the objective, relative, that may be rounding: Newton's last steps, which promise less, are taken."""
_LIGHT, _LIGHTER = 1e-8, 1e-12
"""Damping up to which Newton's step tells how far above its optimum a descent is; where it starts near an optimum."""
_SHORT = 1e-5
"""Step of logarithms of exponents in which the parabola of the objective can be relied on."""
_EARLY = 1e-2
"""Gain of a step, relative, above which a descent is early: far from an optimum the Hessian is rarely definite."""
_MUCH = 1e-3
"""Gain that a failed step promised, relative, above which a descent that opened as near an optimum is not near one."""
_PROVEN = 1e-12
"""Tolerance of a descent below which its end is asked to be an optimum."""
_OPTIMAL = 1e-9
"""Decrease, relative, that Newton's step promises at most at what counts as an optimum."""
_EXACT = 1e-20
"""Sum of squares of relative residuals below which there is nothing left but rounding."""


@frozen
class StoppingCriteria:
    """When a descent stops: after `quiet` steps in a row that gain less than `tolerance`, or `steps` in all.

    A descent from `near` an optimum opens with Newton's steps; where one fails that promised much, it goes on as from
    afar. After a `final` one no longer one follows: where it has taken all its steps, Newton's step alone tells whether
    it ended at an optimum.
    """

    steps: int = 300
    tolerance: float = 1e-14
    quiet: int = 8
    near: bool = False
    final: bool = False


FINEST = StoppingCriteria(near=True)
FINEST_LONG = StoppingCriteria(steps=1000, near=True, final=True)
"""Enough for the end of a valley in which steps gain next to nothing, from a point in it; affordable for one."""
COARSE = StoppingCriteria(steps=25, tolerance=1e-4, quiet=2)
"""Enough to tell which of many starts are worth more."""
MEDIUM = StoppingCriteria(steps=60, tolerance=1e-9, quiet=2)
"""Enough to compare optima."""
MEDIUM_NEAR = StoppingCriteria(steps=60, tolerance=1e-9, quiet=2, near=True)
"""The same from optima of problems that are hardly different."""
FINE = StoppingCriteria(steps=300, tolerance=1e-13, quiet=3, near=True)
"""To the optimum of one of very many problems, from that of one that is like it."""
FINE_LONG = StoppingCriteria(steps=600, tolerance=1e-13, quiet=3, near=True, final=True)
"""For the few of them that are in a valley."""


def descend(
    blocks: Sequence[Block],
    starts: Floats,
    lower: Floats,
    upper: Floats,
    free: Bools | None = None,
    *,
    objective: Objective = RELATIVE,
    criteria: StoppingCriteria = FINEST,
) -> Solution:
    """Descend from each start to a local optimum.

    Parameters
    ----------
    blocks : sequence of Block
        Observations and weights of shape (rows,), or (batch, rows) with one set a start.
    starts : ndarray, shape (batch, exponents)
        Where to start.
    lower, upper : ndarray, shape (exponents,)
        Bounds, positive.
    free : ndarray of bool, shape (exponents,), optional
        Exponents that may move; all of them by default.
    objective : Objective
        What to minimize.
    criteria : StoppingCriteria
        When to stop.

    Returns
    -------
    Solution
        One optimum a start.
    """
    movable = np.ones(starts.shape[1], dtype=bool) if free is None else free
    return _Descent(blocks, objective, lower, upper, movable).run(starts, criteria)


@dataclass
class _Point:
    """Exponents and coefficients of a batch, and the objective's parabola around them.

    Its derivatives are by the logarithms of exponents, then by coefficients; `bound` is Gauss and Newton's curvature.
    """

    exponents: Floats
    coefficients: Floats
    objective: Floats
    gradient: Floats
    curvature: Floats
    bound: Floats

    def take(self, batch: Index) -> _Point:
        return _Point(*(array[batch] for array in vars(self).values()))

    def put(self, batch: Index, other: _Point, some: Index) -> None:
        for mine, its in zip(vars(self).values(), vars(other).values(), strict=True):
            mine[batch] = its[some]

    @classmethod
    def concatenate(cls, points: Sequence[_Point]) -> _Point:
        if len(points) == 1:
            return points[0]
        return cls(*map(np.concatenate, zip(*(vars(point).values() for point in points), strict=True)))


@frozen
class _Descent:
    """A problem to descend on."""

    blocks: Sequence[Block]
    objective: Objective
    lower: Floats
    upper: Floats
    movable: Bools

    @cached_property
    def _projects(self) -> bool:
        """Whether the best coefficients are solved for in every step, not stepped with the exponents."""
        return self.objective.projects and all(block.inside is None for block in self.blocks)

    @cached_property
    def _used(self) -> list[Index]:
        """The exponents that move every block."""
        return [np.flatnonzero(block.uses) for block in self.blocks]

    def run(self, starts: Floats, criteria: StoppingCriteria) -> Solution:
        # What a float cannot hold has an infinite objective, and no step ends there.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._run(starts, criteria)

    def _run(self, starts: Floats, criteria: StoppingCriteria) -> Solution:
        theta = np.clip(starts, self.lower, self.upper)
        batch = len(theta)
        active = np.arange(batch)
        here = self._model(active, theta, None)
        newton = criteria.near and self.objective.smooth
        damping, growth = np.full(batch, _LIGHTER if newton else self.objective.damping), np.full(batch, 2.0)
        quiet = np.zeros(batch, dtype=int)
        late, opening = np.full(batch, newton), np.full(batch, newton)
        certain = np.zeros(batch, dtype=bool)
        for _ in range(criteria.steps):
            now = here.take(active)
            moved, promised, newtons = self._step(now, damping[active], late[active])
            before, size = now.objective, theta.shape[1]
            trial = np.clip(now.exponents * np.exp(moved[:, :size]), self.lower, self.upper)
            coefficients = now.coefficients + moved[:, size:]
            coefficients[coefficients <= _ROUNDING * now.coefficients] = 0.0
            # A short step of Newton's that promises nothing is the last, and need not be seen to be taken.
            last = newtons & (damping[active] <= _LIGHT) & (promised <= criteria.tolerance * before)
            last &= (np.abs(moved[:, :size]) <= _SHORT).all(axis=1)
            if last.any():
                ends, more = active[last], ~last
                here.exponents[ends], here.coefficients[ends] = trial[last], coefficients[last]
                certain[ends] = damping[ends] <= _LIGHTER
                active, before, trial, coefficients = active[more], before[more], trial[more], coefficients[more]
                moved, promised, newtons = moved[more], promised[more], newtons[more]
                if not active.size:
                    break
            fresh = self._model(active, trial, coefficients)
            gain = before - fresh.objective
            rounding = _ROUNDING * before
            accept = (gain > 0) | (self.objective.smooth & (promised < rounding) & (gain > -rounding))
            still = (np.abs(moved[:, :size]) <= 1e-13).all(axis=1) & self._projects
            # A step that fails was too long; only one whose predicted reduction is nil is a stopping point.
            flat = ~(np.where(accept, gain, np.abs(promised)) > criteria.tolerance * before)
            # Where Newton's step, next to undamped, promises nothing, no other need be waited for.
            still |= flat & newtons & (damping[active] <= _LIGHT)
            here.put(active[accept], fresh, np.flatnonzero(accept))
            # Nielsen's rule for the damping.
            ratio = np.clip(np.where(np.isfinite(gain), gain, -1.0) / np.maximum(promised, _TINY), 0.0, 2.0)
            shrink = np.maximum(0.2, 1 - (2 * ratio - 1) ** 3)
            damping[active] = np.clip(damping[active] * np.where(accept, shrink, growth[active]), _LOWEST, _HIGHEST)
            afar = active[opening[active] & ~accept & (promised > _MUCH * before)]
            damping[afar], opening[afar] = np.maximum(damping[afar], self.objective.damping), False
            growth[active] = np.where(accept, 2.0, growth[active] * 2.0)
            quiet[active] = np.where(flat, quiet[active] + 1, 0)
            late[active] = self.objective.smooth & ~(gain > _EARLY * before)
            active = active[~still & (quiet[active] < criteria.quiet) & (growth[active] < _HOPELESS)]
            if not active.size:
                break
        return self._solution(here, self._converged(here, active, certain, criteria))

    def _converged(self, here: _Point, unfinished: Index, certain: Bools, criteria: StoppingCriteria) -> Bools:
        """Return which descents ended at an optimum, given those that took all their steps and those that did."""
        converged = np.ones(len(certain), dtype=bool)
        proven = self.objective.smooth and criteria.tolerance <= _PROVEN
        # In a flat valley steps that gain no more than rounding go on to the last.
        converged[unfinished] = proven and criteria.final
        if proven:
            # A descent also stops where no step that it tries goes down: an optimum is where Newton's would not either.
            rest = np.flatnonzero(~certain)
            there = here.take(rest)
            _, promised, _ = self._step(there, np.full(len(rest), _LOWEST), np.ones(len(rest), dtype=bool))
            converged[rest] &= promised <= _OPTIMAL * there.objective + _EXACT
        return converged

    def _solution(self, here: _Point, converged: Bools) -> Solution:
        widths = np.cumsum([block.width for block in self.blocks])[:-1]
        parts = tuple(np.split(here.coefficients, widths, axis=1))
        live = np.any([block.live(part) for block, part in zip(self.blocks, parts, strict=True)], axis=0)
        # An exponent of terms that are switched off could be anything: it is always the same.
        middle = np.sqrt(self.lower * self.upper)
        exponents = np.where(live | ~self.movable, here.exponents, middle)
        return Solution(exponents, parts, here.objective, converged)

    def _step(self, now: _Point, damping: Floats, late: Bools) -> tuple[Floats, Floats, Bools]:
        """Return the damped step, the decrease it promises, and whether it is Newton's.

        The step is of logarithms of exponents, then of coefficients, shape (problems, exponents + coefficients). For
        problems that are late in their descent it is Newton's where that goes down.
        """
        gradient, curvature = now.gradient, now.curvature
        low, high = self._room(now)
        damped = _ridge(now.bound, damping)
        newtons = np.zeros(len(late), dtype=bool)
        step, open_ = np.empty_like(gradient), np.ones(len(late), dtype=bool)
        if self.objective.smooth:
            tried = np.flatnonzero(late)
            # What a bound holds stays there, so that the Hessian of the others decides.
            held = ((low > -_ROUNDING) & (gradient > 0) | (high < _ROUNDING) & (gradient < 0))[tried]
            whole = _decoupled(curvature[tried] + damped[tried], held)
            straight, definite = solve_definite(whole, np.where(held, 0.0, -gradient[tried]))
            within = definite & ((straight >= low[tried]) & (straight <= high[tried])).all(axis=1)
            newtons[tried], open_[tried[within]], step[tried[within]] = definite, False, straight[within]
            damped += now.bound
            damped[newtons] = whole[definite]
        else:
            damped += curvature
        if open_.any():
            step[open_] = solve_box_qp(damped[open_], gradient[open_], low[open_], high[open_])
        bent = (curvature @ step[..., None])[..., 0]
        return step, -np.einsum("bi,bi->b", gradient + bent / 2, step), newtons

    def _room(self, now: _Point) -> tuple[Floats, Floats]:
        """Return how far a step may go down and up, of logarithms of exponents, then of coefficients."""
        low = np.where(self.movable, np.log(self.lower / now.exponents), 0.0)
        high = np.where(self.movable, np.log(self.upper / now.exponents), 0.0)
        unbounded = np.full_like(now.coefficients, np.inf)
        return np.concatenate([low, -now.coefficients], axis=1), np.concatenate([high, unbounded], axis=1)

    def _model(self, problems: Index, theta: Floats, coefficients: Floats | None) -> _Point:
        """Model the objectives of some problems around exponents, with the best coefficients where they can be had.

        Those that are given are the first guess at the best, and are taken where no better can be had. Arrays that
        have rows are worked on in pieces that stay in the cache; steps, which have none, are those of all problems.
        """
        return _Point.concatenate(
            [
                self._model_at_once(
                    [block.take(problems[piece]) for block in self.blocks],
                    theta[piece],
                    None if coefficients is None else coefficients[piece],
                )
                for piece in pieces(len(theta), sum(block.rows for block in self.blocks))
            ]
        )

    def _model_at_once(self, blocks: Sequence[Block], theta: Floats, coefficients: Floats | None) -> _Point:
        batch, size = theta.shape
        total = size + sum(block.width for block in blocks)
        value, gradient = np.zeros(batch), np.zeros((batch, total))
        curvature, bound = np.zeros((batch, total, total)), np.zeros((batch, total, total))
        parts, start = [], size
        # Where a prediction vanishes, its logarithm and so the objective are infinite: no step ends there.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for block, used in zip(blocks, self._used, strict=True):
                columns = block.columns(theta)
                stop = start + block.width
                guess = None if coefficients is None else coefficients[:, start - size : stop - size]
                if guess is None or self.objective.projects:
                    solution = project(self.objective, block, theta, columns, guess)
                else:
                    solution = guess
                here = block.at(theta, columns, solution, used)
                local = self.objective.local(here.predicted, block.observed, block.weights)
                value += self.objective.value(here.predicted, block.observed, block.weights)
                jacobian = here.jacobian
                turned = jacobian.transpose(0, 2, 1)
                slope = (jacobian @ local.slope[..., None])[..., 0]
                bounds = (jacobian * local.bound[:, None]) @ turned
                if local.curvature is local.bound:
                    curved = bounds.copy()
                else:
                    curved = (jacobian * local.curvature[:, None]) @ turned
                if self.objective.smooth:
                    moving = np.einsum("bii->bi", bounds) > 0
                    curved += here.second_derivatives(local.slope) * (moving[:, :, None] & moving[:, None, :])
                _turn_to_logarithms(theta[:, used], slope, bounds, curved)
                if self.objective.smooth:
                    index = np.arange(len(used))
                    curved[:, index, index] += slope[:, : len(used)]
                where = np.concatenate([used, np.arange(start, stop)])
                gradient[:, where] += slope
                bound[:, where[:, None], where] += bounds
                curvature[:, where[:, None], where] += curved
                parts.append(solution)
                start = stop
        value = np.where(np.isfinite(value), value, np.inf)
        return _Point(theta, np.concatenate(parts, axis=1), value, gradient, curvature, bound)


def _turn_to_logarithms(values: Floats, slope: Floats, *matrices: Floats) -> None:
    """Make derivatives by the first parameters, whose values are given, those by their logarithms, in place.

    `slope` has shape (problems, p), matrices of second derivatives without what bends a logarithm (problems, p, p).
    """
    some = values.shape[1]
    slope[:, :some] *= values
    for matrix in matrices:
        matrix[:, :some] *= values[:, :, None]
        matrix[:, :, :some] *= values[:, None, :]


def _ridge(bound: Floats, damping: Floats) -> Floats:
    """Return what damping adds to a curvature, (problems, p, p), in units of each parameter's own curvature.

    Coefficients of steep columns are many orders smaller than others. What moves nothing has no gradient either, and
    stays where it is.
    """
    index = np.arange(bound.shape[1])
    diagonal = bound[:, index, index]
    ridge = damping[:, None, None] * bound
    ridge[:, index, index] += np.where(diagonal > 0, (damping[:, None] + _RIDGE) * diagonal, 1.0)
    return ridge


def _decoupled(matrices: Floats, held: Bools) -> Floats:
    """Return matrices, (problems, p, p), in which what is held, (problems, p), is alone with a positive diagonal."""
    index = np.arange(matrices.shape[1])
    diagonal = matrices[:, index, index]
    if not held.any():
        return matrices
    alone = np.where(held[:, :, None] | held[:, None, :], 0.0, matrices)
    alone[:, index, index] = np.where(held, np.where(diagonal == 0, 1.0, np.abs(diagonal)), diagonal)
    return alone

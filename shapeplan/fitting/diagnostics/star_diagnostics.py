"""Diagnostics of a star: Eq. 2 on its arms, and the rows that the fit never saw, which test it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.fitting.evidence import StarEvidence
from shapeplan.fitting.records import Arm, CenterRow, HeldOutError
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.frozen import frozen
from shapeplan.laws import Law, Star
from shapeplan.runs import Runs
from shapeplan.sweeps.star import StarSweep, doubts


@frozen
class StarReport:
    """The star of a log under Eq. 2.

    Attributes
    ----------
    evidence : StarEvidence
        Centre, arms, and the rows that the star never saw.
    cautions : tuple of Caution
        What is doubtful if the star is the law: the rows that it misses.
    exponent_cautions : tuple of Caution
        What is doubtful about s_k, whichever the law: the design, and arms that disagree about c.
    """

    evidence: StarEvidence
    cautions: tuple[Caution, ...]
    exponent_cautions: tuple[Caution, ...]


def report_star(runs: Runs, candidate: Candidate) -> StarReport:
    """Report on the star behind a candidate that was fitted to one."""
    assert candidate.star is not None, "only a star has arms"
    star, law, misfit = candidate.star.star, candidate.law, candidate.relative_rmse
    center = predict_center(runs, star, law)
    unseen = _center_error(center)
    grid = candidate.error_beside_star(runs)
    cautions = (*center_cautions(unseen, misfit), *grid_cautions(grid, misfit))
    exponents = (*candidate.star.cautions, *doubts(runs, star))
    arms = _arms(runs, candidate, candidate.star.c_alone)
    return StarReport(StarEvidence(dict(star.center), arms, center, unseen, grid), cautions, exponents)


def _center_error(rows: tuple[CenterRow, ...]) -> HeldOutError | None:
    """Sum up the rows of the held-out centre."""
    return HeldOutError.of(np.array([row.predicted for row in rows]), np.array([row.observed for row in rows]))


def predict_center(runs: Runs, star: StarSweep, law: Law) -> tuple[CenterRow, ...]:
    """Predict the rows of the centre, which the fit never saw, in order of compute."""
    rows = star.center_rows[np.argsort(runs.flops[star.center_rows], kind="stable")]
    if not rows.size:
        return ()
    variables: dict[str, ArrayLike] = {**star.center, "flops": runs.flops[rows]}
    predicted = np.broadcast_to(law.loss(**variables), rows.shape)
    by_arm = {
        dim: Law(Star((dim,), {dim: star.center[dim] / law.units[dim]}), law.constants, law.units).loss(**variables)
        for dim in star.arms
    }
    observed = runs.observed()[rows]
    return tuple(
        CenterRow(
            flops=float(runs.flops[row]),
            observed=float(observed[i]),
            predicted=float(predicted[i]),
            relative_error=float(predicted[i] / observed[i] - 1),
            by_arm={dim: float(values[i]) for dim, values in by_arm.items()},
        )
        for i, row in enumerate(rows)
    )


def center_cautions(center: HeldOutError | None, relative_rmse: float) -> list[Caution]:
    """Return a caution where the held-out centre is missed by more than 2% and three times the scatter."""
    if center is None:
        hint = "train the centre too: predicting it unseen is the best test of the law"
        return [Caution(codes.NO_CENTER, "the log has no row of the centre", hint)]
    if not center.refutes(relative_rmse):
        return []
    message = f"the held-out centre is missed by {center.rmse:.1%} (root mean square)"
    return [
        Caution(codes.CENTER_MISSED, message, "the law does not carry to large shapes; do not trust its loss there")
    ]


def grid_cautions(grid: HeldOutError | None, relative_rmse: float) -> list[Caution]:
    """Return a caution where the rows beside the star are missed by more than 2% and three times the scatter."""
    if grid is None or not grid.refutes(relative_rmse):
        return []
    message = f"the {grid.rows} rows beside the star are missed by {grid.rmse:.0%} (mean {grid.bias:+.0%})"
    hint = "Eq. 3 does not hold away from the arms, so plans give no loss"
    return [Caution(codes.OFF_STAR_MISFIT, message, hint)]


def _arms(runs: Runs, star: Candidate, c_alone: Mapping[str, float]) -> dict[str, Arm]:
    """Return how Eq. 2 does on every arm."""
    problem, residuals = star.problem, star.problem.residuals(star.found.best)
    arms, start = {}, 0
    for dim, rows in problem.rows.items():
        mine = residuals[start : start + len(rows)]
        start += len(rows)
        arms[dim] = Arm(
            values=tuple(map(float, np.unique(runs.values(dim)[rows]))),
            rows=len(rows),
            runs=len(np.unique(runs.run[rows])),
            relative_rmse=float(np.sqrt(np.mean(mine**2))),
            c_alone=c_alone[dim],
        )
    return arms

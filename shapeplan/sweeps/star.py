"""The star in a log: a large shape, its centre, and arms that vary one dimension each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution, ErrorDetail, FitError
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index, Ints
from shapeplan.runs import Runs

FEWEST_VALUES = 3
"""Values on an arm below which Eq. 2 has more unknowns than a shape can show."""
PARAMETERS_PER_ARM = 6
"""alpha_k, a_k, beta_k, b_k, xi_k and eps_k of Eq. 2; c is shared."""
FEW_VALUES = 5
"""Values on an arm below which intervals are wide; the paper uses six."""
_SMALL_SHARE = 0.25
"""Share of the rows below which shapes around one that is not the largest are no star that was meant."""


@frozen
class StarSweep:
    """Rows of a log that form a star.

    Attributes
    ----------
    center : mapping of str to float
        The large shape.
    arms : mapping of str to ndarray of int
        Rows of every arm, by the dimension that varies; the centre is on none.
    center_rows : ndarray of int
        Rows of the centre; may be empty.
    """

    center: Mapping[str, float]
    arms: Mapping[str, Index]
    center_rows: Index

    @property
    def rows(self) -> Index:
        """All rows of the star, arms and centre."""
        return np.unique(np.concatenate([*self.arms.values(), self.center_rows]))

    def beside(self, runs: Runs) -> Index:
        """Return the rows that are not of the star: the grid, if there is one."""
        return np.setdiff1d(np.arange(len(runs)), self.rows)

    def within(self, keep: Bools) -> StarSweep:
        """Return the star of the rows kept; `keep` has shape (rows of the log,)."""
        arms = {dim: rows[keep[rows]] for dim, rows in self.arms.items()}
        return StarSweep(self.center, arms, self.center_rows[keep[self.center_rows]])

    def values(self, runs: Runs, dim: str) -> Floats:
        """Return the distinct values on one arm, sorted."""
        return np.unique(runs.values(dim)[self.arms[dim]])

    def reaching_above(self, runs: Runs) -> dict[str, float]:
        """Return the largest value on every arm that reaches its centre."""
        largest = {dim: float(self.values(runs, dim).max()) for dim in self.arms}
        return {dim: value for dim, value in largest.items() if value >= self.center[dim]}


class NoStarError(FitError):
    """A log in which no dimension, or not every one, varies alone around one shape.

    Parameters
    ----------
    reason : str
        What the log is instead.
    hint : str
        What would make a star of it.
    """

    def __init__(self, reason: str, hint: str):
        self.reason = reason
        super().__init__(ErrorDetail("no-star", f"the log is no star: {reason}", hint))


def find_star(runs: Runs, dims: Sequence[str], center: Mapping[str, float] | None = None) -> StarSweep:
    """Find the star in a log.

    Parameters
    ----------
    runs : Runs
        The rows.
    dims : sequence of str
        The dimensions that move, each of which should have an arm.
    center : mapping of str to float, optional
        The centre, if it is known; by default the shape with the most shapes on its arms, the largest among equals.
        It need not have been trained. A centre that arms reach above is taken for one only where it is named, or a
        quarter of the rows are of its star.

    Returns
    -------
    StarSweep
        With at least three values on the arm of every dimension.

    Raises
    ------
    NoStarError
        If there is no such star; it says what comes closest.
    FitError
        If the centre is not one of these dimensions.
    """
    if not dims:
        hint = "train several shapes: a law of shape needs shapes that vary"
        raise NoStarError("every row has the same shape", hint)
    if len(dims) == 1:
        hint = "its one dimension is planned by the optimum of a joint law"
        raise NoStarError(f"it is a ladder: {dims[0]} alone varies, or all other dimensions with it", hint)
    columns = np.column_stack([runs.values(dim) for dim in dims])
    if center is not None:
        unknown = [dim for dim in center if dim not in runs.dims]
        absent = [dim for dim in dims if dim not in center]
        if unknown or absent:
            why = f"has no {', '.join(absent)}" if absent else f"speaks of {', '.join(unknown)}"
            raise FitError(ErrorDetail("bad-center", f"the centre {why}", f"give {', '.join(dims)}"))
        best = np.array([center[dim] for dim in dims])
    else:
        best = _best_center(runs.distinct_shapes(dims))
    star = _star_around(columns, dims, best)
    thin = {dim: len(np.unique(columns[rows, i])) for i, (dim, rows) in enumerate(star.arms.items())}
    short = {dim: count for dim, count in thin.items() if count < FEWEST_VALUES}
    if short:
        found = ", ".join(f"{count} of {dim}" for dim, count in thin.items())
        shown = ", ".join(f"{dim} {value:g}" for dim, value in star.center.items())
        which = "the shape with most around it" if center is None else "the centre that was named"
        hint = f"a star varies one dimension at a time around one large shape, {FEWEST_VALUES} values or more each"
        raise NoStarError(f"{which} ({shown}) has arms with {found} other values", hint)
    if center is None:
        _check_meant(runs, star)
    return star


def _check_meant(runs: Runs, star: StarSweep) -> None:
    """Raise `NoStarError` for a cross of shapes in a log of many others: few rows, around no large shape."""
    share, above = len(star.rows) / len(runs), star.reaching_above(runs)
    if share >= _SMALL_SHARE or not above:
        return
    shown = ", ".join(f"{dim} {value:g}" for dim, value in star.center.items())
    beyond = ", ".join(f"{dim} up to {value:g}" for dim, value in above.items())
    raise NoStarError(
        f"{share:.0%} of the rows lie around one shape ({shown}), which is not larger than these ({beyond})",
        "name the centre (`center`) if a star was trained around it",
    )


def doubts(runs: Runs, star: StarSweep) -> tuple[Caution, ...]:
    """Return cautions about a star: arms with few values, and a centre that does not tower over its arms."""
    cautions = []
    for dim in star.arms:
        values = star.values(runs, dim)
        if len(values) < FEW_VALUES:
            message = f"the {dim} arm has {len(values)} values besides the centre"
            hint = f"the paper uses six; add values of {dim} for narrower intervals"
            cautions.append(Caution(codes.TOO_FEW_RUNS, message, hint))
    if above := star.reaching_above(runs):
        said = ", ".join(f"{dim} reaches {value:g} of {star.center[dim]:g}" for dim, value in above.items())
        hint = "the other arms may be held back by a dimension that is too small; use a larger centre"
        cautions.append(Caution(codes.CENTER_BOTTLENECK, f"the centre is not above its arms ({said})", hint))
    return tuple(cautions)


def check_durations(runs: Runs, star: StarSweep) -> None:
    """Raise `FitError` unless three shapes of every arm are logged at two or more points of training."""
    for dim, rows in star.arms.items():
        values = runs.values(dim)[rows]
        twice = sum(len(np.unique(runs.flops[rows][values == value])) > 1 for value in np.unique(values))
        if twice < FEWEST_VALUES:
            logged = f"{twice} shape{'s are' if twice != 1 else ' is'} logged"
            raise FitError(
                ErrorDetail(
                    "one-duration",
                    f"on the {dim} arm only {logged} at two or more points of training",
                    "log several durations a shape: without them size and training cannot be told apart",
                    column=dim,
                )
            )


def check_rows(star: StarSweep) -> None:
    """Raise `FitError` unless the arms have more rows than Eq. 2 has parameters, with c shared."""
    rows = sum(len(arm) for arm in star.arms.values())
    parameters = PARAMETERS_PER_ARM * len(star.arms) + 1
    if rows <= parameters:
        raise FitError(
            ErrorDetail(
                "too-few-rows",
                f"the arms have {rows} rows, the law {parameters} parameters",
                "add shapes to the arms, or log more points of training",
            )
        )


def _best_center(shapes: Floats) -> Floats:
    """Return the shape, trained or implied by arms of others, with the most shapes on its arms."""
    # The largest value of every dimension is the paper's centre even where it was never trained.
    candidates = np.unique(np.vstack([shapes, shapes.max(axis=0)]), axis=0)
    arms = np.column_stack([_arm_sizes(shapes, candidates, k) for k in range(shapes.shape[1])])
    # Arms of fewer than three values say nothing, so they must not outweigh a dimension that has one.
    score = np.stack([np.minimum(arms, FEWEST_VALUES).sum(axis=1), arms.sum(axis=1), np.log(candidates).sum(axis=1)])
    return np.asarray(candidates[np.lexsort(score[::-1])[-1]])


def _arm_sizes(shapes: Floats, candidates: Floats, k: int) -> Ints:
    """Count, for every candidate, the other shapes that differ from it in dimension k alone."""
    others = np.vstack([shapes, candidates])
    others[:, k] = 0.0
    _, group = np.unique(others, axis=0, return_inverse=True)
    group = group.ravel()
    counts = np.bincount(group[: len(shapes)], minlength=group.max() + 1)
    return np.asarray(counts[group[len(shapes) :]] - _is_among(candidates, shapes))


def _is_among(candidates: Floats, shapes: Floats) -> Ints:
    """Return one for every candidate that is one of the shapes, which are distinct, else zero."""
    _, index, count = np.unique(np.vstack([candidates, shapes]), axis=0, return_inverse=True, return_counts=True)
    return np.asarray(count[index.ravel()[: len(candidates)]] - 1)


def _star_around(columns: Floats, dims: Sequence[str], center: Floats) -> StarSweep:
    differs: Bools = columns != center
    count = differs.sum(axis=1)
    arms = {dim: np.flatnonzero((count == 1) & differs[:, k]) for k, dim in enumerate(dims)}
    return StarSweep(dict(zip(dims, map(float, center), strict=True)), arms, np.flatnonzero(count == 0))

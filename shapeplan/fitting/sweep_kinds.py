"""What kind of sweep a log is: what it can answer, what it cannot, and which few runs would change that."""

from __future__ import annotations

import numpy as np

from shapeplan import codes
from shapeplan.fitting.isoflop import IsoFlops, told
from shapeplan.fitting.selection.identifiability import Contents
from shapeplan.frozen import frozen
from shapeplan.runs import Runs
from shapeplan.sweeps.grid import FEWEST_VALUES
from shapeplan.sweeps.ladder import constant_ratio

_CHECKPOINTS = 3
"""Rows of a run from which it is one logged on its way."""


@frozen
class SweepKind:
    """One thing that a log is.

    Attributes
    ----------
    name : str
        ``star``, ``grid``, ``isoFLOP``, ``ladder``, ``ladder at constant ratio``, ``checkpoints``, ``mixed recipes``
        or ``scattered shapes``.
    what : str
        What of it is in the log.
    answers, lacks : str
        What can be asked of it, and what cannot.
    remedy : str
        Which runs would change that.
    """

    name: str
    what: str
    answers: str
    lacks: str
    remedy: str


def kinds_of(runs: Runs, contents: Contents, isoflops: IsoFlops | None) -> tuple[SweepKind, ...]:
    """Return everything that a log is, the most telling first.

    Parameters
    ----------
    runs : Runs
        The log.
    contents : Contents
        Its dimensions and its star.
    isoflops : IsoFlops or None
        Its budgets, where it is an isoFLOP sweep.
    """
    found = [
        _isoflop(isoflops) if isoflops else None,
        _star(runs, contents),
        _grid(runs, contents),
        _ladder(runs, contents),
        None if isoflops else _checkpoints(runs),
        _mixed(runs),
    ]
    kinds = tuple(kind for kind in found if kind is not None)
    return kinds if any(kind.name not in ("checkpoints", "mixed recipes") for kind in kinds) else (_apart(runs), *kinds)


def _isoflop(isoflops: IsoFlops) -> SweepKind:
    valleys = isoflops.valleys
    sizes = [valley.sizes for valley in valleys]
    depths = [valley.depth for valley in valleys]
    open_ = [valley for valley in valleys if valley.state != "inside"]
    what = (
        f"{len(valleys)} budgets of {_span(sizes)} sizes, whose worst loses {min(depths):.0%} to "
        f"{max(depths):.0%} to the best"
    )
    if not open_:
        lacks = "the best size far beyond its largest budget"
        remedy = "a budget beyond the largest (`design isoflop`)"
    else:
        lacks = f"the best size at {told(open_)}: no minimum among the sizes"
        remedy = "sizes beyond their best, on the side where the loss still falls (`design next`)"
    return SweepKind("isoFLOP", what, "the best size at a compute, and how it grows", lacks, remedy)


def _span(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def _star(runs: Runs, contents: Contents) -> SweepKind | None:
    star = contents.star
    if star is None:
        return None
    arms = ", ".join(f"{len(star.values(runs, dim))} values of {dim}" for dim in star.arms)
    lacks = "whether dimensions act together: no row is away from the arms"
    remedy = "a small grid of three values or more a dimension (`design grid`)"
    if len(contents.beside_star(runs)):
        lacks, remedy = "shapes far beyond its largest", "one run near the shape of a plan (`design next`)"
    return SweepKind("star", f"arms with {arms}", "how each dimension grows with compute", lacks, remedy)


def _grid(runs: Runs, contents: Contents) -> SweepKind | None:
    dims = contents.dimensions.free
    rows = contents.beside_star(runs) if contents.star else np.arange(len(runs))
    if len(dims) < 2 or not len(rows):
        return None
    some = runs if len(rows) == len(runs) else runs.take(rows)
    values = {dim: len(np.unique(some.values(dim))) for dim in dims}
    shapes = len(some.distinct_shapes(dims))
    full = int(np.prod(list(values.values())))
    if min(values.values()) < FEWEST_VALUES or 2 * shapes < full:
        return None
    counts = " x ".join(f"{count} of {dim}" for dim, count in values.items())
    lacks, remedy = "shapes far beyond its largest", "one run near the shape of a plan (`design next`)"
    if some.examples is not None and len(np.unique(some.examples)) < FEWEST_VALUES:
        lacks, remedy = "how long to train a shape: it has fewer than three durations", "two more durations of the grid"
    return SweepKind("grid", f"{counts} ({shapes} shapes)", "the best shape, dimensions together", lacks, remedy)


def _ladder(runs: Runs, contents: Contents) -> SweepKind | None:
    dims = contents.dimensions
    of_params = not dims.free and runs.params is not None and len(np.unique(runs.params)) > 1
    if len(dims.free) != 1 and not of_params:
        return None
    lead = dims.free[0] if dims.free else "params"
    sizes = runs.variables()[lead]
    tied = f", {' and '.join(dims.tied)} with it" if dims.tied else ""
    what = f"{len(np.unique(sizes))} values of {lead}{tied}"
    lacks = f"proportions: {lead} is the only size" if dims.tied else "other dimensions than the one that varies"
    remedy = "shapes that differ in one dimension alone, at two sizes of the ladder (`design next`)"
    ratio = constant_ratio(runs)
    if ratio is not None:
        return SweepKind(
            "ladder at constant ratio",
            f"{what}; {ratio:.3g} {runs.examples_unit} per parameter in every row",
            "the loss along the ladder at that ratio",
            "the best size at a compute: size and training never move apart",
            "two sizes of the ladder at half and at twice the ratio" + (" (`design next`)" if dims.free else ""),
        )
    return SweepKind("ladder", what, "the best size at a compute, where several durations are logged", lacks, remedy)


def _checkpoints(runs: Runs) -> SweepKind | None:
    counts = np.bincount(runs.run)
    many = int((counts >= _CHECKPOINTS).sum())
    if 2 * many < len(counts) or not many:
        return None
    return SweepKind(
        "checkpoints",
        f"{many} of {len(counts)} runs have {_CHECKPOINTS} rows or more, {int(counts.max())} at most",
        "the loss during training, if the rate was constant or each row ends a decay",
        "the loss at the end of a shorter schedule, where all rows of a run share one decay",
        "runs of their own for two shorter durations of a few shapes",
    )


def _mixed(runs: Runs) -> SweepKind | None:
    varied = [caution for caution in runs.cautions if caution.code == codes.RECIPE_VARIES]
    if not varied:
        return None
    return SweepKind(
        "mixed recipes",
        varied[0].message,
        "the loss of the mean recipe",
        "which recipe is better: their rows are fitted as one",
        "the same shapes and durations under each recipe, fitted with `group`; or one recipe, by `where`",
    )


def _apart(runs: Runs) -> SweepKind:
    shapes = len(runs.distinct_shapes(runs.dims)) if runs.dims else 0
    return SweepKind(
        "scattered shapes",
        f"{shapes} shapes, neither around one of them nor at shared budgets",
        "what the laws below answer that it identifies",
        "one dimension, or one budget, by itself: there is no check of a law but its backtest",
        "budgets with four sizes each (`design isoflop`), or arms around one shape (`design star`)",
    )

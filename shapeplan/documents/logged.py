"""Whether what a law document tells of its log is what its rows say: counts, ranges, ties, the front, the star."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from shapeplan.documents.places import Fault, Path
from shapeplan.fitting.records import HeldOutError, Interval
from shapeplan.fitting.rows import BESIDE, CENTER, Rows
from shapeplan.numerics.arrays import Bools, Floats, same
from shapeplan.numerics.pareto import front_rows

if TYPE_CHECKING:
    from shapeplan.documents.law import LawDocument

_LEAST_SCATTER = 0.5
"""Of the error of the rows: that of a run is theirs, corrected for the constants that follow them."""


def unlike_rows(document: LawDocument, rows: Rows) -> Iterator[Fault]:
    """Yield what a document tells of its log that its rows do not say."""
    yield from _names(document, rows)
    yield from _fit(document, rows)
    yield from _ranges(document, rows)
    yield from _start(document, rows)
    yield from _followers(document, rows)
    yield from _front(document, rows)
    yield from _arms(document, rows)
    yield from _center(document, rows)


def _names(document: LawDocument, rows: Rows) -> Iterator[Fault]:
    """Yield the parts of the star, and the runs, that are none."""
    parts = {*document.arms, CENTER, BESIDE}
    for index, part in enumerate(rows.parts):
        if part not in parts:
            yield Fault(("rows", "part", index), "is no arm of the star, nor its centre")
            break
    logged, runs = {(run, rows.place(row)) for row, run in enumerate(rows.runs)}, set(rows.runs)
    told: list[tuple[Path, str, str]] = [(("front", i), row.run, row.place) for i, row in enumerate(document.front)]
    told += [(("outliers", i), row.run, row.place) for i, row in enumerate(document.outliers)]
    for path, run, place in told:
        if (run, place) not in logged:
            yield Fault(path, f"the run {run!r} has no row of {place}")
    for path, influence in document.influences.records():
        if unknown := sorted(set(influence.runs) - runs):
            yield Fault(("influences", *path, "runs"), f"the rows are of no run {unknown[0]!r}")


def _fit(document: LawDocument, rows: Rows) -> Iterator[Fault]:
    quality, fitted = document.fit, rows.fitted.nonzero()[0]
    if quality is None:
        return
    runs = len({rows.runs[i] for i in fitted})
    if quality.rows != len(fitted):
        yield Fault(("fit", "rows"), f"is not how many rows are fitted, {len(fitted)}")
    if quality.runs != runs:
        yield Fault(("fit", "runs"), f"is not how many runs are fitted, {runs}")
    if len(fitted):
        error = float(np.sqrt(np.mean(rows.residuals[fitted] ** 2)))
        if np.isfinite(error) and not same(quality.relative_rmse, error):
            yield Fault(("fit", "relative_rmse"), f"is not that of the rows, {error:.6g}")
    if (error_of_runs := document.run_error) and error_of_runs.scatter < quality.relative_rmse * _LEAST_SCATTER:
        yield Fault(("run_error", "scatter"), f"is less than rows scatter around the law, {quality.relative_rmse:.6g}")
    if sum(recipe.rows for recipe in document.recipes) > len(rows):
        yield Fault(("recipes",), f"recipes have more rows than the {len(rows)} there are")


def _ranges(document: LawDocument, rows: Rows) -> Iterator[Fault]:
    covered: dict[Path, tuple[Interval, Floats]] = {("range", "flops"): (document.range.flops, rows.flops[rows.fitted])}
    for dim, ends in document.range.shape.items():
        if dim in rows.shape:
            covered["range", "shape", dim] = (ends, rows.shape[dim])
    for path, (ends, values) in covered.items():
        if values.size and not same(np.array(ends), np.array([values.min(), values.max()])):
            yield Fault(
                path, f"{'.'.join(map(str, path))} is not that of the rows, {values.min():g} to {values.max():g}"
            )
    for index, valley in enumerate(document.isoflop.budgets if document.isoflop else ()):
        if not rows.flops.min() / 2 <= valley.flops <= rows.flops.max() * 2:
            yield Fault(("isoflop", "budgets", index, "flops"), "is the compute of no row")


def _start(document: LawDocument, rows: Rows) -> Iterator[Fault]:
    """Yield a start that is not where its grid is; the user's own may be anywhere."""
    start = document.start
    if start is None or not start.source.startswith("grid"):
        return
    there = [_near(rows.shape[dim], size) for dim, size in start.shape.items() if dim in rows.shape]
    if there and not np.all(there, axis=0).any():
        yield Fault(("start", "shape"), "the start from the grid is the shape of no row")
    if not rows.flops.min() <= start.flops * (1 + 1e-9) <= rows.flops.max() * (1 + 2e-9):
        yield Fault(("start", "flops"), "the start from the grid is beyond the compute of the rows")


def _followers(document: LawDocument, rows: Rows) -> Iterator[Fault]:
    """Yield the dimensions that do not follow, or stand still, as their rows do."""
    for dim, size in document.fixed.items():
        if dim in rows.shape and not _near(rows.shape[dim], size).all():
            yield Fault(("fixed", dim), "is not its size in the rows")
    for part, ties in (("tied", document.tied), ("kept", document.kept)):
        for dim, tie in ties.items():
            if not {dim, tie.to} <= rows.shape.keys():
                continue
            off = np.log(rows.shape[dim] / tie.of(rows.shape[tie.to]))
            if not off.min() - 1e-6 <= 0 <= off.max() + 1e-6:
                yield Fault((part, dim), f"no row has a {dim} as the tie to {tie.to} gives it")


def _front(document: LawDocument, rows: Rows) -> Iterator[Fault]:
    """Yield the front if its rows are not those that no row with as little compute beats."""
    if not document.front:
        return
    front = front_rows(rows.flops, rows.observed)
    told = np.array([(row.flops, row.loss) for row in document.front])
    if not same(told, np.column_stack([rows.flops[front], rows.observed[front]])):
        yield Fault(("front",), f"the front is not that of the rows, which has {len(front)}")


def _arms(document: LawDocument, rows: Rows) -> Iterator[Fault]:
    for dim, arm in document.arms.items():
        on_arm = [i for i, part in enumerate(rows.parts) if part == dim]
        if arm.rows != len(on_arm):
            yield Fault(("arms", dim, "rows"), f"is not how many rows are on the arm, {len(on_arm)}")
            continue
        if arm.runs != (runs := len({rows.runs[i] for i in on_arm})):
            yield Fault(("arms", dim, "runs"), f"is not how many runs are on the arm, {runs}")
        # `numpy.unique` would load `numpy.ma`, a tenth of our start-up.
        if dim in rows.shape and not same(arm.values, sorted(set(rows.shape[dim][on_arm].tolist()))):
            yield Fault(("arms", dim, "values"), f"the arm of {dim} has other values than its rows")
    beside = rows.parts.count(BESIDE)
    if document.star and document.grid_error and document.grid_error.rows != beside:
        yield Fault(("grid_error", "rows"), f"is not how many rows are beside the star, {beside}")


def _center(document: LawDocument, rows: Rows) -> Iterator[Fault]:
    """Yield what is wrong with the held-out centre: its rows, their errors, and the sum of these."""
    at_center = [i for i, part in enumerate(rows.parts) if part == CENTER]
    if len(document.center) != len(at_center):
        yield Fault(("center",), f"center has {len(document.center)} rows, and {len(at_center)} rows are the centre")
        return
    if document.star:
        for dim, size in document.star.center.items():
            if dim in rows.shape and not _near(rows.shape[dim], size).any():
                yield Fault(("star", "center", dim), "is the size of no row")
    for index, row in enumerate(document.center):
        if not (_near(rows.flops[at_center], row.flops) & _near(rows.observed[at_center], row.observed)).any():
            yield Fault(("center", index), "is no row of the centre in rows")
        if document.star and row.shape != document.star.center:
            yield Fault(("center", index, "shape"), "the shape is not that of star.center")
        if not same(row.relative_error, row.predicted / row.observed - 1):
            yield Fault(("center", index, "relative_error"), "is not that of predicted and observed")
        if not same(row.predicted, float(np.mean(list(row.by_arm.values()))) if row.by_arm else row.predicted):
            yield Fault(("center", index, "predicted"), "is not the mean of its arms")
    if document.center and document.center_error:
        with np.errstate(over="ignore"):
            wanted = HeldOutError.of_errors(np.array([row.relative_error for row in document.center]))
        for name in ("bias", "rmse", "worst"):
            if not same(getattr(document.center_error, name), getattr(wanted, name)):
                yield Fault(
                    ("center_error", name), f"is not that of the rows of the centre, {getattr(wanted, name):.6g}"
                )


def _near(values: Floats, value: float) -> Bools:
    return np.asarray(np.isclose(values, value, rtol=1e-6, atol=0))

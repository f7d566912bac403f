"""Predictions of a fitted law for rows, with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution, ErrorDetail, FitError, check_choice
from shapeplan.fitting.evidence import INTERVALS
from shapeplan.fitting.recipes.rows import levels_of
from shapeplan.fitting.result import Fit, check_is_fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats
from shapeplan.optimum.cost_model import BEYOND
from shapeplan.quantities import convert_flops
from shapeplan.runs import Runs, check_log

_OFF_RATIO = 1.05
"""Ratios of examples to parameters scatter by as much where steps and batches are whole."""
_OFF_COST = 2.0
"""Factor between compute and what shape and examples cost, above which they do not belong together."""
_FAR_OFF, _TIMES_OFF, _FEWEST_ALIKE = 0.1, 5.0, 3
"""Median error, alone and in units of the law's own, that rows like those behind the law may have; and how many."""
_OFF_TIE = 0.25
"""Ties of real sweeps are loose, since sizes are rounded: 2.67 to 3 in one public log."""


@frozen
class Predictions:
    """Predictions of the law for rows, in their order.

    Attributes
    ----------
    runs : Runs
        The rows.
    flops : ndarray, shape (rows,)
        Compute in the law's convention.
    predicted : ndarray, shape (rows,)
        The loss under the law; it and all that follows from it are NaN where the law gives none above zero.
    lower, upper : ndarray, shape (rows,), or None
        Interval of the loss of a run: over the bootstrap replicates, the scatter of rows, and what the backtest shows
        of the error by distance (see `RunError`); of the law alone if that was asked for.
    law_lower, law_upper : ndarray, shape (rows,), or None
        Interval of the law over the bootstrap replicates: how sure it is of itself.
    residual : ndarray, shape (rows,), or None
        predicted/observed - 1 where the metric is there.
    cautions : tuple of Caution
        What is doubtful about these rows under this law.
    notes : tuple of str
        What was derived on the way.
    """

    runs: Runs
    flops: Floats
    predicted: Floats
    lower: Floats | None
    upper: Floats | None
    law_lower: Floats | None
    law_upper: Floats | None
    residual: Floats | None
    cautions: tuple[Caution, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return how many rows there are and how far the law is from them; the rows are in the document."""
        missed = ""
        if self.residual is not None:
            missed = f", off by {float(np.sqrt(np.nanmean(self.residual**2))):.2%} (root mean square)"
        warnings = [caution.code for caution in self.cautions]
        return f"<Predictions of {len(self.predicted)} rows{missed}, warnings={warnings}>"


def predict(fit: Fit, runs: Runs, *, interval: str = "run") -> Predictions:
    """Predict the loss of rows.

    Parameters
    ----------
    fit : Fit
        With a law that has constants.
    runs : Runs
        Rows with every dimension of the law; their compute is converted to the law's convention.
    interval : {"run", "law"}
        Whose interval `lower` and `upper` are.

    Raises
    ------
    FitError
        If the law has no constants, or the rows lack a dimension of it or count examples in another unit.
    ArgumentError
        If there is no such interval, or the log has no rows.
    """
    check_is_fit(fit)
    check_log(runs)
    check_choice("interval", interval, INTERVALS)
    form = fit.law.form
    if not fit.law.has_loss:
        message = "the law gives growth exponents but no constants, so it predicts no loss"
        raise FitError(ErrorDetail("no-constants", message, "fit a law to a log of your own"))
    missing = [dim for dim in fit.dims if dim not in runs.dims and form.dims]
    if missing:
        there = f"the rows have {', '.join(runs.dims) or 'no dimension'}"
        message = f"the law is in {', '.join(missing)}"
        raise FitError(ErrorDetail("missing-dimension", message, f"{there}: add the column", runs.name))
    known = runs.variables()
    if "examples" in form.variables and "examples" in known and runs.examples_unit != fit.examples_unit:
        message = f"the law counts {fit.examples_unit}, and the rows {runs.examples_unit}"
        hint = f"if these are {fit.examples_unit}, name the column so; else convert them, or leave the column out"
        raise FitError(ErrorDetail("wrong-unit", message, hint, runs.name))
    known["flops"] = convert_flops(runs.flops, runs.flops_convention, fit.flops_convention)
    flops = known["flops"]
    recipe = levels_of(fit.log.recipes, runs)
    notes: tuple[str, ...] = ()
    if recipe is not None:
        notes = (recipe.said,)
        known |= {name: known[name] * recipe.compute for name in ("flops", "examples") if name in known}
    lacking = [name for name in form.variables if name not in known]
    if lacking:
        if fit.cost_model.needs(form):
            message = f"the law {form.name!r} needs {', '.join(lacking)}, which the rows do not say"
            raise FitError(ErrorDetail("missing-variable", message, "add the column, or an architecture to derive it"))
        derived = fit.variables({dim: runs.values(dim) for dim in fit.dims}, known["flops"])
        known.update({name: derived[name] for name in lacking})
        notes += (f"{' and '.join(lacking)} are derived from the compute and what a shape costs under the law",)
    variables = {name: known[name] for name in form.variables}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        predicted = np.broadcast_to(fit.law.loss(**variables), runs.flops.shape)
        of_law = fit.loss_interval(**variables)
    distance = fit.distance(known["flops"], known.get("examples"))
    shown = of_law if interval == "law" else fit.run_interval(predicted, distance, of_law)
    if recipe is not None:
        predicted = predicted * recipe.times + recipe.plus
        shown, of_law = (
            None if ends is None else (ends[0] * recipe.times + recipe.plus, ends[1] * recipe.times + recipe.plus)
            for ends in (shown, of_law)
        )
    everything = predicted if shown is None else predicted + shown[0] + shown[1]
    if not np.isfinite(everything).all():
        row = int(np.argmin(np.isfinite(everything)))
        message, line, file = "the law gives this row no finite loss", int(runs.lines[row]), runs.own_file(row)
        raise FitError(ErrorDetail("out-of-range", message, "check the row", line=line, file=file or None))
    cautions = tuple(_doubts(fit, runs, flops, predicted, () if recipe is None else recipe.unknown))
    is_loss = predicted > 0
    predicted, known_well = np.where(is_loss, predicted, np.nan), is_loss & ~_off_arms(fit, runs)
    of_law = _kept(of_law, known_well)
    (law_lower, law_upper) = of_law or (None, None)
    (lower, upper) = (of_law if interval == "law" else _kept(shown, known_well)) or (None, None)
    residual = None if runs.loss is None else predicted / runs.loss - 1.0
    return Predictions(runs, flops, predicted, lower, upper, law_lower, law_upper, residual, cautions, notes)


def _kept(ends: tuple[Floats, Floats] | None, rows: Bools) -> tuple[Floats, Floats] | None:
    """Return an interval of rows, NaN for all others."""
    return None if ends is None else (np.where(rows, ends[0], np.nan), np.where(rows, ends[1], np.nan))


def _off_arms(fit: Fit, runs: Runs) -> Bools:
    """Return which rows lie beside a star whose law does not hold there."""
    if fit.predicts_loss or not fit.star.shape:
        return np.zeros(len(runs), dtype=bool)
    off = [~np.isclose(runs.values(dim), fit.star.shape[dim]) for dim in fit.dims]
    return np.asarray(np.sum(off, axis=0) > 1)


def _off_fixed(fit: Fit, runs: Runs) -> dict[str, Bools]:
    """Return which rows have another size than the fixed one, by dimension."""
    fixed = fit.dimensions.fixed.items()
    return {dim: ~np.isclose(runs.values(dim), size) for dim, size in fixed if dim in runs.dims}


def _off_ties(fit: Fit, runs: Runs) -> dict[str, Bools]:
    """Return which rows are off the tie of a dimension, by dimension."""
    return {
        dim: np.abs(runs.values(dim) / tie.of(runs.values(tie.to)) - 1) > _OFF_TIE
        for dim, tie in fit.dimensions.tied.items()
        if {dim, tie.to} <= set(runs.dims)
    }


def _odd_costs(fit: Fit, runs: Runs, flops: Floats) -> Iterator[Caution]:
    """Yield a caution for rows whose compute is far from what their shape and examples cost under the law."""
    comparable = (
        runs.examples is not None and runs.examples_unit == fit.examples_unit and set(fit.dims) <= set(runs.dims)
    )
    if fit.cost is None or runs.examples is None or not comparable or not fit.dims:
        return
    each = fit.cost_model.flops_per_example({dim: runs.values(dim) for dim in fit.dims})
    factor = flops / (each * runs.examples)
    # What follows from the other sizes in the law says nothing of the cost of rows where it does not.
    alike = np.full(len(runs), True)
    for off in (*_off_fixed(fit, runs).values(), *_off_ties(fit, runs).values()):
        alike &= ~off
    odd = alike & (np.abs(np.log(factor)) > np.log(_OFF_COST))
    if odd.any():
        furthest = runs.place(int(np.argmax(np.where(odd, np.abs(np.log(factor)), 0.0))))
        factors = " to ".join(dict.fromkeys(f"{end:.3g}" for end in (factor[odd].min(), factor[odd].max())))
        message = (
            f"the compute of {int(odd.sum())} of {len(runs)} rows is {factors} times what their shape and "
            f"{runs.examples_unit} cost under the law ({furthest} is furthest)"
        )
        hint = f"check compute, {runs.examples_unit} and sizes there, and their units"
        yield Caution(codes.BROKEN_ARITHMETIC, message, hint)


def _odd_residuals(fit: Fit, runs: Runs, flops: Floats, predicted: Floats) -> Iterator[Caution]:
    """Yield a caution where rows like those behind the law are off to one side by far more than these were."""
    if runs.loss is None or runs.metric != fit.metric or fit.quality is None:
        return
    least, most = fit.flops_range
    alike = (flops >= least / BEYOND) & (flops <= most * BEYOND) & (predicted > 0)
    for dim, (low, high) in fit.shape_range.items():
        alike &= (runs.values(dim) >= low / BEYOND) & (runs.values(dim) <= high * BEYOND) if dim in runs.dims else True
    if alike.sum() < _FEWEST_ALIKE:
        return
    off = float(np.median(predicted[alike] / runs.loss[alike] - 1.0))
    if abs(off) > max(_FAR_OFF, _TIMES_OFF * fit.quality.relative_rmse):
        message = (
            f"the law is off by {off:+.1%} in the median of {int(alike.sum())} rows that are like its own, which it "
            f"misses by {fit.quality.relative_rmse:.2%}"
        )
        hint = "is their metric another one, in another unit (bits, perplexity), or of other data or another recipe?"
        yield Caution(codes.METRIC_DIFFERS, message, hint)


def _doubts(fit: Fit, runs: Runs, flops: Floats, predicted: Floats, unknown: Sequence[str]) -> list[Caution]:
    """Return cautions about rows beyond the data, off their ties, below zero, or of another metric or recipe."""
    cautions = []
    if unknown:
        message = f"the law never saw the recipe {' and '.join(map(repr, unknown))} of some rows"
        cautions.append(Caution(codes.RECIPE_VARIES, message, "they are predicted as of the reference"))
    cautions += [*_odd_costs(fit, runs, flops), *_odd_residuals(fit, runs, flops, predicted)]
    ratios = fit.examples_per_param
    if (
        ratios is not None
        and runs.examples is not None
        and runs.params is not None
        and runs.examples_unit == fit.examples_unit
    ):
        beyond = (runs.examples / runs.params > ratios[1] * _OFF_RATIO) | (
            runs.examples / runs.params < ratios[0] / _OFF_RATIO
        )
        if beyond.any():
            message = (
                f"{int(beyond.sum())} rows have fewer or more {fit.examples_unit} per parameter than any row behind "
                f"the law ({ratios[0]:.3g} to {ratios[1]:.3g})"
            )
            hint = "train a run at about their ratio to see if the law holds there"
            cautions.append(Caution(codes.RATIO_EXTRAPOLATION, message, hint))
    if runs.loss is not None and runs.metric != fit.metric:
        message = f"the rows say {runs.metric!r}, the law was fitted to {fit.metric!r}"
        cautions.append(Caution(codes.METRIC_DIFFERS, message, "residuals compare the two as if they were one"))
    for dim, off in _off_fixed(fit, runs).items():
        if off.any():
            value = fit.dimensions.fixed[dim]
            message = f"{int(off.sum())} rows have another {dim} than {value:g}, which the law never saw vary"
            cautions.append(Caution(codes.NOT_VARIED, message, f"the law does not depend on {dim}"))
    for dim, off in _off_ties(fit, runs).items():
        if off.any():
            tie = fit.dimensions.tied[dim]
            message = f"{int(off.sum())} rows have a {dim} that is not {tie}"
            cautions.append(Caution(codes.TIED, message, f"the law does not see {dim} apart from {tie.to}"))
    known = {**runs.variables(), "flops": flops}
    ranges = {"flops": fit.flops_range, **fit.shape_range}
    above = {name: float(known[name].max()) / most for name, (_, most) in ranges.items() if name in known}
    below = {name: least / float(known[name].min()) for name, (least, _) in ranges.items() if name in known}
    parts = [f"{name} up to {ratio:.3g}x above" for name, ratio in above.items() if ratio > BEYOND]
    parts += [f"{name} up to {ratio:.3g}x below" for name, ratio in below.items() if ratio > BEYOND]
    if parts:
        message = f"rows lie beyond those behind the law: {', '.join(parts)}"
        cautions.append(Caution(codes.EXTRAPOLATION, message, "an error in the exponents grows with the distance"))
    if (predicted <= 0).any():
        lowest = runs.place(int(np.argmin(predicted)))
        some = f"{int((predicted <= 0).sum())} of {len(runs)} rows"
        message = f"the law gives no loss above zero for {some} (the lowest on {lowest})"
        hint = "the law does not hold there, and their predictions are left empty"
        cautions.append(Caution(codes.NO_LOSS, message, hint))
    return cautions

"""Whether the numbers of a law document are those that its own rows and draws give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from shapeplan.documents.logged import unlike_rows
from shapeplan.documents.places import Fault
from shapeplan.fitting.result import OPTIMUM_AT, Fit
from shapeplan.fitting.rows import Rows
from shapeplan.laws import FORMS, Law
from shapeplan.numerics.arrays import ROUNDING, Floats, same

if TYPE_CHECKING:
    from shapeplan.documents.law import LawDocument

_AS_LOGGED = 1.1
"""Compute of a log may be so far from that of its architecture, as a factor, without a warning."""
_COST_LITTLE = frozenset({"heads"})
_AS_HEADS = 100.0
"""Settings of single rows that change little of what a shape costs, and up to which factor: heads may be wide."""
_OFF_COST = frozenset({"broken-arithmetic", "flops-mismatch"})
"""Warnings of a log whose compute is known not to be that of its shapes."""


def disagreements(document: LawDocument, fit: Fit) -> Iterator[Fault]:
    """Yield the numbers of a document that contradict others of it.

    Parameters
    ----------
    document : LawDocument
        Its parts make one law.
    fit : Fit
        What it describes.
    """
    yield from _intervals(document, fit)
    yield from _exponents(document, fit)
    yield from _scores(document)
    if document.optimum and not same(document.optimum.flops, OPTIMUM_AT * document.range.flops[1]):
        yield Fault(("optimum", "flops"), f"is not {OPTIMUM_AT:g} times the largest compute of the range")
    if fit.rows is None:
        return
    yield from unlike_rows(document, fit.rows)
    if set(fit.dims) <= fit.rows.shape.keys():
        yield from _predictions(document, fit, fit.rows)
        yield from _costs(document, fit, fit.rows)
        yield from _valleys(document, fit, fit.rows)


def _intervals(document: LawDocument, fit: Fit) -> Iterator[Fault]:
    for name, record in document.parameters.items():
        draws = fit.bootstrap.draws.get(name)
        wanted = None if draws is None else fit.bootstrap.interval(draws, record.value)
        if wanted is not None and (record.ci is None or not same(np.array(record.ci), np.array(wanted))):
            told = f"{wanted[0]:.6g} to {wanted[1]:.6g}"
            yield Fault(("parameters", name, "ci"), f"the interval of {name} is not that of its draws, {told}")


def _exponents(document: LawDocument, fit: Fit) -> Iterator[Fault]:
    """Yield the s_k that do not follow from the constants; where the log has a star they are those of Eq. 2."""
    if not document.scaling_exponents or (document.arms and fit.law.form.joint):
        return
    for dim, wanted in fit.law.scaling_exponents().items():
        record = document.scaling_exponents.get(dim)
        found = np.nan if record is None or record.value is None else record.value
        if not same(found, wanted):
            yield Fault(("scaling_exponents", dim, "value"), f"is not that of the constants, {wanted:.6g}")


def _scores(document: LawDocument) -> Iterator[Fault]:
    """Yield the scores that are not those of the laws that they are of."""
    for index, score in enumerate(document.selection):
        form = FORMS[score.law].over(document.dims)
        wanted = len(form.coefficients) + len(form.exponents)
        if score.parameters not in (0, wanted):
            yield Fault(("selection", index, "parameters"), f"is not how many constants the law has, {wanted}")
        if score.law == document.law and document.fit and not same(score.relative_rmse, document.fit.relative_rmse):
            yield Fault(("selection", index, "relative_rmse"), "is not fit.relative_rmse, though of the law of choice")


def _predictions(document: LawDocument, fit: Fit, rows: Rows) -> Iterator[Fault]:
    """Yield the first row that the law predicts otherwise than the document does, and rivals that miss their score."""
    if not fit.law.has_loss or not set(fit.law.form.variables) <= _variables(fit, fit.law, rows).keys():
        return
    predicted = _losses(fit, fit.law, rows)
    low, high = _range(document, fit, fit.law, rows, predicted)
    with np.errstate(all="ignore"):
        close = np.isclose(predicted, rows.predicted, rtol=ROUNDING, atol=0, equal_nan=True)
        same_there = close | ((low <= rows.predicted) & (rows.predicted <= high))
    wrong = np.flatnonzero(~(same_there | (~np.isfinite(predicted) & np.isnan(rows.predicted))))
    if wrong.size:
        i = int(wrong[0])
        message = f"is not what the law predicts there, {predicted[i]:.6g}: its constants, units or cost were edited"
        yield Fault(("rows", "predicted", i), message)
    scores = {score.law: score.relative_rmse for score in document.selection}
    for index, rival in enumerate(fit.rivals):
        losses = _losses(fit, rival.law, rows)
        error = _rms(losses / rows.observed - 1)
        low, high = _range(document, fit, rival.law, rows, losses)
        told = scores.get(rival.law.form.name)
        if told is not None and not same(error, told) and not abs(error - told) <= _rms((high - low) / rows.observed):
            yield Fault(("rivals", index, "parameters"), f"miss the rows by {error:.6g}, and selection says {told:.6g}")


def _rms(errors: Floats) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def _losses(fit: Fit, law: Law, rows: Rows, params: float = 1.0) -> Floats:
    """Return what a law predicts for the rows of a fit, with their parameters times a factor."""
    known = _variables(fit, law, rows)
    if "params" in known:
        known["params"] = params * known["params"]
    with np.errstate(all="ignore"):
        return np.broadcast_to(law.loss(**known), rows.flops.shape)


def _variables(fit: Fit, law: Law, rows: Rows) -> dict[str, Floats]:
    """Return the variables of a law that are known of the rows of a fit: as they were logged, or from the cost."""
    with np.errstate(all="ignore"):
        known = fit.cost_model.variables(law.form, rows.shape, rows.flops)
    if "examples" in law.form.variables and rows.examples is not None:
        known["examples"] = rows.examples
    return known


def _range(document: LawDocument, fit: Fit, law: Law, rows: Rows, predicted: Floats) -> tuple[Floats, Floats]:
    """Return between what a law predicts for the rows: parameters that were logged are known to the cost but nearly."""
    cost = document.cost.params if document.cost else None
    if cost is None or "params" not in law.form.variables:
        return predicted, predicted
    error = cost.max_relative_error
    ends = [_losses(fit, law, rows, factor) for factor in (1 / (1 + error), 1 / max(1 - error, ROUNDING))]
    with np.errstate(all="ignore"):
        return np.minimum(*ends) * (1 - ROUNDING), np.maximum(*ends) * (1 + ROUNDING)


def _costs(document: LawDocument, fit: Fit, rows: Rows) -> Iterator[Fault]:
    """Yield a cost that gives rows another compute than they have."""
    if rows.examples is None or fit.cost is None or _OFF_COST & {caution.code for caution in document.warnings}:
        return
    if set(document.own_settings) - _COST_LITTLE:
        # Rows are counted by what they say of themselves, which the document does not hold.
        return
    each = fit.cost_model.flops_per_example(rows.shape)
    logged = rows.flops / rows.examples
    if document.cost is None:
        factor = float(np.exp(np.abs(np.log(logged / each)).max()))
        if not factor <= (_AS_HEADS if document.own_settings else _AS_LOGGED):
            message = f"the architecture gives rows another compute than they have, by a factor of {factor:.3g}"
            yield Fault(("architecture",), message)
        return
    told, error = document.cost.forward_flops.max_relative_error, float(np.abs(each / logged - 1).max())
    if not abs(told - error) <= 0.01 * error + ROUNDING:
        message = f"is not how far the cost is from the rows, {error:.6g}"
        yield Fault(("cost", "forward_flops", "max_relative_error"), message)


def _valleys(document: LawDocument, fit: Fit, rows: Rows) -> Iterator[Fault]:
    """Yield the budgets of an isoFLOP sweep whose best size is beyond all that were trained."""
    params = fit.cost_model.params(rows.shape)
    for index, valley in enumerate(document.isoflop.budgets if document.isoflop and params is not None else ()):
        if params is not None and valley.best is not None and not params.min() / 2 <= valley.best <= params.max() * 2:
            yield Fault(("isoflop", "budgets", index, "best"), "is beyond the parameters of every row")

"""Exponents of several metrics side by side, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderableType

from shapeplan.fitting.records import Estimate
from shapeplan.render.parts import alarm, coverage, table, title
from shapeplan.wording import compact, percent, span

if TYPE_CHECKING:
    from shapeplan.fitting.metrics import MetricsFit
from shapeplan.fitting.records import Agreement


def render_metrics(found: MetricsFit) -> list[RenderableType]:
    """Return the fits in short, then the exponents of every metric and whether they agree."""
    parts: list[RenderableType] = []
    doubted = [metric for metric, fit in found.fits.items() if fit.status != "ok"]
    if doubted:
        parts += [alarm(f"NOT TO BE TRUSTED: the fit of {', '.join(doubted)}"), ""]
    rows = [
        [
            metric,
            fit.law.form.name,
            fit.status,
            percent(fit.quality.relative_rmse if fit.quality else None),
            ", ".join(dict.fromkeys(caution.code for caution in fit.cautions)) or "none",
        ]
        for metric, fit in found.fits.items()
    ]
    parts += [title("The fits"), table(["metric", "law", "status", "misfit", "warnings"], rows, left=3)]
    level = next(iter(found.fits.values())).bootstrap.level
    for prefix, heading in (
        ("s", f"Scaling exponents s: alone, a dimension grows as compute^s ({coverage(level)} intervals)"),
        ("growth", f"Growth of the best shape: together, dimensions grow as compute^S ({coverage(level)} intervals)"),
    ):
        names = [name for name in found.exponents if name.startswith(prefix + "_")]
        if names:
            dims = [name.removeprefix(prefix + "_") for name in names]
            parts += [title(heading), table(["metric", *dims], _by_metric(found, names))]
            said = [[dim, _said(found.agreement[name])] for dim, name in zip(dims, names, strict=True)]
            parts += [table(["", "within their intervals the metrics"], said, left=2)]
    return parts


def _by_metric(found: MetricsFit, names: list[str]) -> list[list[str]]:
    return [[metric, *(_estimate(found.exponents[name].get(metric)) for name in names)] for metric in found.fits]


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return compact(estimate.value) + (f" ({span(estimate.ci)})" if estimate.ci else "")


def _said(agreement: Agreement) -> str:
    if agreement.apart:
        return "differ: " + "; ".join(f"{one} and {other}" for one, other in agreement.apart)
    if agreement.common:
        return f"agree on {span(agreement.common)}"
    return f"cannot be compared: {', '.join(agreement.unknown)} has no interval"

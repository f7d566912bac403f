"""Several metrics of one log: their exponents side by side, and where they agree (the paper's Figure 5)."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from shapeplan.errors import ArgumentError, Caution, ErrorDetail, FitError
from shapeplan.fitting.fit import fit
from shapeplan.fitting.records import Agreement, Estimate
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.runs import Runs
from shapeplan.workers.executor import Executor


@frozen
class MetricsFit:
    """The fits of several metrics.

    Attributes
    ----------
    fits : mapping of str to Fit
        One a metric.
    """

    fits: Mapping[str, Fit]

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """What is doubtful; what only some metrics have names the metric."""
        counts = Counter(caution for fitted in self.fits.values() for caution in dict.fromkeys(fitted.cautions))
        said = [
            caution if counts[caution] == len(self.fits) else replace(caution, message=f"{metric}: {caution.message}")
            for metric, fitted in self.fits.items()
            for caution in fitted.cautions
        ]
        return tuple(dict.fromkeys(said))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was understood on the way."""
        return tuple(dict.fromkeys(note for fitted in self.fits.values() for note in fitted.notes))

    @property
    def exponents(self) -> dict[str, dict[str, Estimate]]:
        """Exponents by name, then by metric: ``s_...`` alone, ``growth_...`` of the best shape."""
        table: dict[str, dict[str, Estimate]] = {}
        for metric, fitted in self.fits.items():
            for prefix, estimates in (("s", fitted.scaling_exponents), ("growth", fitted.growth_exponents)):
                for dim, estimate in estimates.items():
                    table.setdefault(f"{prefix}_{dim}", {})[metric] = estimate
        return dict(sorted(table.items(), key=lambda item: item[0].startswith("growth_")))

    @property
    def agreement(self) -> dict[str, Agreement]:
        """Where the metrics agree within their intervals, by exponent."""
        return {name: _agree(by_metric, tuple(self.fits)) for name, by_metric in self.exponents.items()}


def fit_metrics(
    logs: Mapping[str, Runs],
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    done: Callable[[int, int], None] = lambda done, total: None,
    **options: Any,
) -> MetricsFit:
    """Fit every metric of a log by itself.

    Parameters
    ----------
    logs : mapping of str to Runs
        The log as read for every metric, two or more.
    jobs, scheduler
        Processes at once, or a cluster in their place (see `shapeplan.workers.executor.Executor`); the same fits.
    done : callable
        Told how many metrics are done, of how many.
    **options
        As `fit` takes them.

    Raises
    ------
    FitError
        As `fit` does; the message names the metric.
    ArgumentError
        As `fit` does; as `Executor.map` does of a cluster.
    """
    if len(logs) < 2:
        message = "there is nothing to compare with one metric"
        raise ArgumentError(ErrorDetail("one-metric", message, "name two or more, or use fit"))
    tasks = [(metric, runs, options) for metric, runs in logs.items()]
    fits: dict[str, Fit] = {}
    with contextlib.closing(Executor(min(jobs, len(logs)), scheduler).map(_fit_metric, tasks)) as found:
        for metric, one in zip(logs, found, strict=True):
            fits[metric] = one
            done(len(fits), len(logs))
    return MetricsFit(fits)


def _fit_metric(task: tuple[str, Runs, Mapping[str, Any]]) -> Fit:
    metric, runs, options = task
    try:
        return fit(runs, **options)
    except FitError as error:
        raise FitError(*(replace(detail, message=f"{metric}: {detail.message}") for detail in error.details)) from None


def _agree(by_metric: Mapping[str, Estimate], metrics: tuple[str, ...]) -> Agreement:
    known = {metric: estimate.ci for metric, estimate in by_metric.items() if estimate.ci and isfinite(estimate.value)}
    apart = tuple(
        (one, other)
        for (one, first), (other, second) in itertools.combinations(known.items(), 2)
        if first[1] < second[0] or second[1] < first[0]
    )
    unknown = tuple(metric for metric in metrics if metric not in known)
    common = None
    if known and not apart and not unknown:
        common = (max(low for low, _ in known.values()), min(high for _, high in known.values()))
    return Agreement(common, apart, unknown)

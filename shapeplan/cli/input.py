"""What commands read: logs, with the options that say how."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapeplan.cli.options import ConventionName, parse_columns, parse_dims, parse_names
from shapeplan.frozen import frozen

if TYPE_CHECKING:
    from shapeplan.fitting.result import Fit
    from shapeplan.runs import Runs


@frozen
class Reading:
    """The options that say how a log is read, as the command line has them."""

    higher_is_better: bool
    dims: str | None
    columns: list[str] | None
    flops_convention: ConventionName | None
    config: Path | None
    where: list[str] | None
    drop_nonfinite: bool
    last_point: bool
    best_of: str | None
    all_points: bool

    def arguments(self) -> dict[str, Any]:
        """Return them as the arguments of `read_runs`."""
        from shapeplan.readers.selection import Selection

        best = parse_names("--best-of", self.best_of) if self.best_of else ()
        return {
            "higher_is_better": self.higher_is_better,
            "dims": parse_dims(self.dims),
            "columns": parse_columns(self.columns),
            "flops_convention": self.flops_convention.value if self.flops_convention else None,
            "config": self.config,
            "selection": Selection(
                tuple(self.where or ()), self.drop_nonfinite, self.last_point, best, self.all_points
            ),
        }


def read_log(logs: Sequence[str], metric: str | None, reading: Reading) -> Runs:
    """Read a sweep log as the options of the command line say."""
    from shapeplan.readers.read import read_runs

    return read_runs(list(logs), metric=metric, **reading.arguments())


def read_log_of_metrics(logs: Sequence[str], metrics: list[str], reading: Reading) -> dict[str, Runs]:
    """Read a sweep log once for every metric."""
    from shapeplan.readers.read import read_metrics

    return read_metrics(list(logs), metrics, **reading.arguments())


def read_rows(fit: Fit, rows: str, metric: str | None, reading: Reading) -> Runs:
    """Read rows to predict as the log of a law was read, where the options do not say otherwise."""
    from shapeplan.readers.read import read_runs

    options = {**reading.arguments(), "dims": dims_beside(fit)}
    required = metric is not None or reading.higher_is_better
    return read_runs(
        rows, metric=metric, architecture=fit.architecture, require_metric=required, like=fit.log.read_as, **options
    )


def dims_beside(fit: Fit) -> tuple[str, ...] | None:
    """Return the dimensions to read of other rows than a law's, None for those of the usual names.

    Tied and fixed dimensions are read too where the usual names do, so that rows off their tie are seen.
    """
    from shapeplan.readers.names import SHAPE

    return None if set(fit.dims) <= set(SHAPE) else fit.dims

"""What commands read: a log, with the options that say how."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shapeplan.cli.options import ConventionName, parse_dims

if TYPE_CHECKING:
    from shapeplan.runs import Runs


def read_log(
    log: str,
    metric: str | None,
    higher_is_better: bool,
    dims: str | None,
    flops_convention: ConventionName | None,
    config: Path | None,
) -> Runs:
    """Read a sweep log as the options of the command line say."""
    from shapeplan.readers.read import read_runs

    return read_runs(
        log,
        metric=metric,
        higher_is_better=higher_is_better,
        dims=parse_dims(dims),
        flops_convention=flops_convention.value if flops_convention else None,
        config=config,
    )


def read_log_of_metrics(
    log: str,
    metrics: list[str],
    higher_is_better: bool,
    dims: str | None,
    flops_convention: ConventionName | None,
    config: Path | None,
) -> dict[str, Runs]:
    """Read a sweep log once for every metric."""
    from shapeplan.readers.read import read_metrics

    return read_metrics(
        log,
        metrics,
        higher_is_better=higher_is_better,
        dims=parse_dims(dims),
        flops_convention=flops_convention.value if flops_convention else None,
        config=config,
    )

"""``shapeplan fit``: from a log to a law, or to the exponents of several metrics."""

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.command import command_of
from shapeplan.cli.input import Reading, read_log, read_log_of_metrics
from shapeplan.cli.output import emit, open_console, output_target
from shapeplan.quantities import format_flops, parse_fraction

if TYPE_CHECKING:
    from rich.console import RenderableType

    from shapeplan.documents.base import Document
    from shapeplan.fitting.metrics import MetricsFit
    from shapeplan.fitting.result import Fit


def fit(
    context: typer.Context,
    log: opt.Logs,
    law: Annotated[
        str,
        typer.Option("--law", help="auto (by backtest), or a law by name: see shapeplan explain laws."),
    ] = "auto",
    objective: opt.Objective = "relative",
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", help="Column to be minimized; several are compared. [default: the only loss]"),
    ] = None,
    higher_is_better: opt.HigherIsBetter = False,
    dims: opt.Dims = None,
    column: opt.ColumnNames = None,
    where: opt.Where = None,
    drop_nonfinite: opt.DropNonfinite = False,
    last_point: opt.LastPoint = False,
    all_points: opt.AllPoints = False,
    best_of: opt.BestOf = None,
    flops_convention: opt.LogConvention = None,
    config: opt.Config = None,
    center: opt.Center = None,
    start: opt.StartPoint = None,
    every_row: opt.EveryRow = False,
    group: Annotated[
        str | None,
        typer.Option("--group", metavar="COLUMN", help="Recipes that share one law: what is each worth in compute?"),
    ] = None,
    replicates: Annotated[int, typer.Option("--replicates", min=0, help="Bootstrap replicates; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the bootstrap.")] = 0,
    level: Annotated[
        str, typer.Option("--level", metavar="SHARE", help="Coverage of the intervals, e.g. 0.9 or 95%.")
    ] = "0.9",
    jobs: opt.Jobs = 0,
    scheduler: opt.Scheduler = None,
    as_json: opt.AsJson = False,
    output_format: opt.Format = opt.OutputFormat.text,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> None:
    """Fit the law of shape and compute to a sweep log.

    Example: shapeplan fit sample_runs/vit_sweep.csv -o law.json
    """
    from shapeplan.fitting.fit import fit as fit_runs
    from shapeplan.fitting.result import OPTIMUM_AT
    from shapeplan.render.fit import render_fit
    from shapeplan.sweeps.grid import Start

    as_json = as_json or output_format is opt.OutputFormat.json
    console = open_console(quiet=quiet, as_json=as_json, github=output_format is opt.OutputFormat.github)
    place = output_target(output, (*log, config))
    metrics = list(dict.fromkeys(metric or ()))
    reading = Reading(
        *(higher_is_better, dims, column, flops_convention, config, where, drop_nonfinite),
        *(last_point, best_of, all_points),
    )
    options: dict[str, Any] = {
        "law": law,
        "objective": objective,
        "center": opt.parse_center(center),
        "start": Start(*opt.parse_start(start), source="given by --start") if start is not None else None,
        "every_row": every_row,
        "group": group,
        "replicates": replicates,
        "seed": seed,
        "level": parse_fraction(level, most=1.0, hint="write e.g. 0.9 or 95%"),
    }
    result: Fit | MetricsFit
    planned: Fit | None = None
    document: Callable[[], Document]
    tables: Callable[[], Sequence[RenderableType]]
    if len(metrics) > 1:
        from shapeplan.fitting.metrics import fit_metrics
        from shapeplan.render.metrics import render_metrics

        logs = read_log_of_metrics(log, metrics, reading)
        with console.progress("fitting") as advance:
            result = several = fit_metrics(
                logs, jobs=jobs or os.cpu_count() or 1, scheduler=scheduler, **options, done=advance
            )
        document, tables = lambda: _metrics_document(several), lambda: render_metrics(several)
    else:
        runs = read_log(log, metrics[0] if metrics else None, reading)
        with console.progress("fitting") as advance:
            found = fit_runs(runs, jobs=jobs or 1, scheduler=scheduler, **options, done=advance)
        result = one = replace(found, command=command_of(context))
        document, tables = lambda: _law_document(one), lambda: render_fit(one)
        planned = None if one.law.form.along_ladder else one
    for note in result.notes:
        console.note(note)
    console.warn(result.cautions)
    emit(console, document, tables, as_json=as_json, output=place)
    if place is None and not as_json:
        console.note("the law is not saved: add -o law.json, to plan from it")
    if place is not None and planned is not None and planned.dims and planned.distrust is None:
        at = format_flops(OPTIMUM_AT * planned.flops_range[1])
        console.note(f"next: shapeplan recommend --law {shlex.quote(str(place.path))} --flops {at}")


# Documents are loaded where one is asked for: tables come without, sooner.
def _law_document(found: "Fit") -> "Document":
    from shapeplan.documents.law import law_document

    return law_document(found)


def _metrics_document(found: "MetricsFit") -> "Document":
    from shapeplan.documents.metrics import metrics_document

    return metrics_document(found)

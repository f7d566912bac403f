"""``shapeplan fit``: from a log to a law."""

from typing import Annotated

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.input import read_log
from shapeplan.cli.output import emit
from shapeplan.render.console import Console


def fit(
    log: opt.Log,
    law: Annotated[str, typer.Option("--law", help="auto or star.")] = "auto",
    metric: opt.Metric = None,
    higher_is_better: opt.HigherIsBetter = False,
    dims: opt.Dims = None,
    flops_convention: opt.LogConvention = None,
    config: opt.Config = None,
    center: opt.Center = None,
    start: opt.StartPoint = None,
    replicates: Annotated[int, typer.Option("--replicates", min=0, help="Bootstrap replicates; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the bootstrap.")] = 0,
    level: Annotated[float, typer.Option("--level", help="Coverage of the intervals.")] = 0.9,
    as_json: opt.AsJson = False,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> None:
    """Fit the law of shape and compute to a sweep log.

    Example: shapeplan fit sample_runs/vit_sweep.csv -o law.json
    """
    from shapeplan.documents.law import law_document
    from shapeplan.fitting.fit import fit as fit_runs
    from shapeplan.render.fit import render_fit
    from shapeplan.sweeps.grid import Start

    console = Console(quiet=quiet, as_json=as_json)
    runs = read_log(log, metric, higher_is_better, dims, flops_convention, config)
    fitted = fit_runs(
        runs,
        law=law,
        center=opt.parse_center(center),
        start=Start(*opt.parse_start(start), source="given by --start") if start else None,
        replicates=replicates,
        seed=seed,
        level=level,
    )
    for note in fitted.notes:
        console.note(note)
    console.warn(fitted.cautions)
    emit(
        console, law_document(fitted), lambda: render_fit(fitted), as_json=as_json, output=output, inputs=(log, config)
    )

"""``shapeplan check``: what is in a log."""

from shapeplan.cli import options as opt
from shapeplan.cli.input import read_log
from shapeplan.cli.output import emit, output_target
from shapeplan.render.console import Console


def check(
    log: opt.Log,
    metric: opt.Metric = None,
    higher_is_better: opt.HigherIsBetter = False,
    dims: opt.Dims = None,
    flops_convention: opt.LogConvention = None,
    config: opt.Config = None,
    center: opt.Center = None,
    as_json: opt.AsJson = False,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> None:
    """Look through a sweep log before fitting it.

    Says what is there, which laws it can identify, and what is missing for the others.

    Example: shapeplan check sample_runs/vit_sweep.csv
    """
    from shapeplan.documents.check import check_document
    from shapeplan.fitting.check import check as check_runs
    from shapeplan.render.check import render_check

    console = Console(quiet=quiet, as_json=as_json)
    place = output_target(output, (log, config))
    runs = read_log(log, metric, higher_is_better, dims, flops_convention, config)
    found = check_runs(runs, center=opt.parse_center(center))
    for note in runs.notes:
        console.note(note)
    console.warn(found.cautions)
    emit(
        console,
        lambda: check_document(found),
        lambda: render_check(found),
        as_json=as_json,
        output=place,
    )

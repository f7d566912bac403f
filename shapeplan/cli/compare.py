"""``shapeplan compare``: the laws side by side."""

from shapeplan.cli import options as opt
from shapeplan.cli.input import Reading, read_log
from shapeplan.cli.output import emit, open_console, output_target


def compare(
    log: opt.Logs,
    objective: opt.Objective = "relative",
    metric: opt.Metric = None,
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
    every_row: opt.EveryRow = False,
    as_json: opt.AsJson = False,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> None:
    """Compare the laws on rows they did not see: the next ones up in compute, the top decade, and unseen shapes.

    Example: shapeplan compare sample_runs/vit_sweep.csv
    """
    from shapeplan.documents.comparison import comparison_document
    from shapeplan.fitting.compare import compare as compare_laws
    from shapeplan.render.compare import render_compare

    console = open_console(quiet=quiet, as_json=as_json)
    place = output_target(output, (*log, config))
    reading = Reading(
        *(higher_is_better, dims, column, flops_convention, config, where, drop_nonfinite),
        *(last_point, best_of, all_points),
    )
    runs = read_log(log, metric, reading)
    with console.progress("comparing") as advance:
        found = compare_laws(
            runs, objective=objective, center=opt.parse_center(center), every_row=every_row, done=advance
        )
    for note in found.notes:
        console.note(note)
    console.warn(found.cautions)
    emit(
        console,
        lambda: comparison_document(found),
        lambda: render_compare(found),
        as_json=as_json,
        output=place,
    )

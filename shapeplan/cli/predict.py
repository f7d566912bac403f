"""``shapeplan predict``: what a law predicts for rows."""

from typing import Annotated

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.input import Reading, read_rows
from shapeplan.cli.output import open_console, output_target


def predict(
    law: opt.LawFile,
    rows: Annotated[str, typer.Argument(metavar="ROWS", help="Log or design: shapes and compute; - for stdin.")],
    metric: opt.Metric = None,
    higher_is_better: opt.HigherIsBetter = False,
    column: opt.ColumnNames = None,
    where: opt.Where = None,
    drop_nonfinite: opt.DropNonfinite = False,
    last_point: opt.LastPoint = False,
    all_points: opt.AllPoints = False,
    best_of: opt.BestOf = None,
    flops_convention: opt.LogConvention = None,
    config: opt.Config = None,
    interval: opt.Interval = "run",
    as_json: opt.AsJson = False,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> None:
    """Predict the loss of rows, with intervals.

    Rows are read as the law's log was, where options do not say otherwise. Residuals are added where the metric is
    there. -o writes CSV, or the JSON document if the name ends in .json.

    Example: shapeplan predict law.json sample_runs/vit_sweep.csv -o predicted.csv
    """
    from shapeplan.documents.files import read_law
    from shapeplan.documents.predictions import kept_names, predictions_csv, predictions_document
    from shapeplan.fitting.predict import predict as predict_rows
    from shapeplan.render.predictions import render_predictions
    from shapeplan.sweeps.grid import START_CODES

    console = open_console(quiet=quiet, as_json=as_json)
    place = output_target(output, (law, rows, config), ("csv", "json"))
    fit = read_law(law)
    reading = Reading(
        *(higher_is_better, None, column, flops_convention, config, where, drop_nonfinite),
        *(last_point, best_of, all_points),
    )
    runs = read_rows(fit, rows, metric, reading)
    predictions = predict_rows(fit, runs, interval=interval)
    document = predictions_document(fit, predictions)
    for note in (*runs.notes, *predictions.notes):
        console.note(note)
    if runs.loss is None:
        console.note(
            f"the rows have no column {fit.log.read_as.metric!r}, so there are no residuals (--metric names another)"
        )
    names = kept_names(runs)
    renamed = ", ".join(f"{column} as {name}" for column, name in names.items() if name != column)
    if renamed:
        console.note(f"columns of the rows that are named like predictions are kept: {renamed}")
    if names.keys() != runs.cells.keys():
        console.note("the predictions that the rows have already are replaced")
    console.warn(
        (
            *(caution for caution in fit.cautions if caution.code not in START_CODES),
            *runs.cautions,
            *predictions.cautions,
        )
    )
    if place is not None:
        place.write(console, document.dumps() if place.format == "json" else predictions_csv(predictions))
    if as_json:
        console.text(document.dumps())
    elif output is None:
        console.show(*render_predictions(fit, predictions))

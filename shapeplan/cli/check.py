"""``shapeplan check``: what is in a log."""

from typing import TYPE_CHECKING

from shapeplan.cli import options as opt
from shapeplan.cli.flags import with_flags
from shapeplan.cli.input import Reading, read_log
from shapeplan.cli.output import emit, open_console, output_target
from shapeplan.errors import ErrorDetail, FitError

if TYPE_CHECKING:
    from shapeplan.documents.base import Document


def check(
    log: opt.Logs,
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
    as_json: opt.AsJson = False,
    output_format: opt.Format = opt.OutputFormat.text,
    strict: opt.Strict = False,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> None:
    """Look through a sweep log before fitting it.

    Says what is there, which laws it can identify, and what is missing for the others.

    Example: shapeplan check sample_runs/vit_sweep.csv
    """
    from shapeplan.fitting.check import check as check_runs
    from shapeplan.render.check import render_check

    as_json = as_json or output_format is opt.OutputFormat.json
    console = open_console(quiet=quiet, as_json=as_json, github=output_format is opt.OutputFormat.github)
    place = output_target(output, (*log, config))
    reading = Reading(
        *(higher_is_better, dims, column, flops_convention, config, where, drop_nonfinite),
        *(last_point, best_of, all_points),
    )
    runs = read_log(log, metric, reading)
    found = check_runs(runs, center=opt.parse_center(center))
    for note in runs.notes:
        console.note(note)
    console.warn(found.cautions)

    def document() -> "Document":
        # Loaded for documents alone: tables come without, in a tenth less time.
        from shapeplan.documents.check import check_document

        return check_document(found)

    emit(
        console,
        document,
        lambda: render_check(found, with_flags),
        as_json=as_json,
        output=place,
    )
    if strict and found.cautions:
        codes = ", ".join(dict.fromkeys(caution.code for caution in found.cautions))
        hint = "shapeplan explain CODE says what to do"
        raise FitError(ErrorDetail("strict", f"the log has warnings, which --strict refuses: {codes}", hint, runs.name))

"""``shapeplan status``: what has become of a design."""

from typing import TYPE_CHECKING, Annotated

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.design_next import law_so_far
from shapeplan.cli.output import emit, open_console, output_target
from shapeplan.quantities import parse_flops, parse_fraction

if TYPE_CHECKING:
    from shapeplan.design.campaign import Campaign, Outlook
    from shapeplan.readers.under_way import UnderWay
    from shapeplan.render.console import Console


def status(
    design: Annotated[str, typer.Argument(metavar="DESIGN", help="What was laid out: one row a run.")],
    log: Annotated[
        list[str], typer.Argument(metavar="RUNS...", help="The runs so far: a folder of runs, or any log; several.")
    ],
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="FLOPS", help="Budget to plan for: do the runs that are done suffice?"),
    ] = None,
    metric: opt.Metric = None,
    dims: opt.Dims = None,
    column: opt.ColumnNames = None,
    flops_convention: opt.LogConvention = None,
    where: opt.Where = None,
    config: opt.Config = None,
    candidates: Annotated[int, typer.Option("--candidates", help="How many of the rest to suggest.")] = 5,
    noise: opt.PlanNoise = None,
    as_json: opt.AsJson = False,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> None:
    """Watch a campaign: which runs of a design are done, what has been spent, and whether that suffices.

    Runs belong to the row of their name, else of their shape. With --target a law is fitted to the runs that are done:
    if the rest would hardly lower the expected regret of its plan, the advice is to stop early.

    Example: shapeplan status star.csv runs/ --target 1e22
    """
    from shapeplan.design.campaign import campaign
    from shapeplan.documents.status import status_document
    from shapeplan.readers.read import read_under_way
    from shapeplan.readers.under_way import read_campaign
    from shapeplan.render.status import render_status

    console = open_console(quiet=quiet, as_json=as_json)
    place = output_target(output, (design, *log, config))
    names = opt.parse_dims(dims)
    laid_out = read_under_way(design, dims=names, config=config)
    so_far = read_campaign(
        log,
        metric=metric,
        dims=names or laid_out.dims,
        columns=opt.parse_columns(column),
        config=config,
        flops_convention=flops_convention.value if flops_convention else None,
        where=where or (),
        design=laid_out,
    )
    console.warn((*laid_out.cautions, *(so_far.runs.cautions if so_far else ())))
    for note in so_far.runs.notes if so_far else ():
        console.note(note)
    found = campaign(laid_out, so_far.runs, so_far.ends) if so_far else campaign(laid_out, None)
    if so_far is None:
        console.note("no run has trained yet")
    elif count := _silent(found, so_far):
        runs = f"{count} runs are" if count > 1 else "1 run is"
        console.note(f"{runs} shorter than planned, and not said to have ended: counted as running")
    asked = None if noise is None else parse_fraction(noise, most=0.5)
    outlook = None if target is None else _outlook(console, found, parse_flops(target), candidates, asked)
    if outlook is None:
        console.note("add --target FLOPS to be told whether the runs that are done suffice for a plan")
    else:
        console.warn(outlook.cautions)
    emit(
        console,
        lambda: status_document(found, outlook),
        lambda: render_status(found, outlook),
        as_json=as_json,
        output=place,
    )


def _silent(found: "Campaign", so_far: "UnderWay") -> int:
    """Return how many runs count as running since nothing says how they ended."""
    quiet = {name for name, end in zip(so_far.runs.run_names, so_far.ends, strict=True) if end is None}
    return sum(row.state == "running" and row.run in quiet for row in found.rows)


def _outlook(console: "Console", found: "Campaign", target: float, candidates: int, noise: float | None) -> "Outlook":
    from shapeplan.design.campaign import outlook

    done = found.done()
    law = None if done is None or found.counts["done"] == len(found.rows) else law_so_far(console, done)
    return outlook(found, target, law, candidates=candidates, noise=noise)

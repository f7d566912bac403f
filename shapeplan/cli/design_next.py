"""``shapeplan design next``: the runs to add to a sweep, of new ones or of a pool."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.input import dims_beside
from shapeplan.cli.launch import Command, Launch, design_target
from shapeplan.cli.output import emit, open_console
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.quantities import parse_flops, parse_fraction

if TYPE_CHECKING:
    from rich.console import RenderableType

    from shapeplan.design.next_run import NextRuns
    from shapeplan.design.pool import PoolChoice
    from shapeplan.documents.base import Document
    from shapeplan.fitting.result import Fit
    from shapeplan.readers.selection import Selection
    from shapeplan.render.console import Console
    from shapeplan.runs import Runs

REPLICATES = 200
"""Bootstrap replicates of a law that is fitted on the way: enough for variances."""


def next_(
    target: Annotated[str, typer.Option("--target", metavar="FLOPS", help="Budget to plan for, as the law counts.")],
    law: Annotated[
        str | None, typer.Option("--law", metavar="FILE", help="Law document of the runs so far; - for stdin.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget", metavar="FLOPS", help="For all added runs, as the law counts; required without --pool."
        ),
    ] = None,
    pool: Annotated[
        str | None,
        typer.Option("--pool", metavar="DESIGN", help="Choose from these runs: a design, or any log of them."),
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(
            "--log", metavar="LOG", help="The runs of --pool so far; fitted unless --law is given. Repeatable."
        ),
    ] = None,
    metric: opt.Metric = None,
    dims: opt.Dims = None,
    config: opt.Config = None,
    where: opt.Where = None,
    drop_nonfinite: opt.DropNonfinite = False,
    candidates: Annotated[int, typer.Option("--candidates", help="How many runs to suggest.")] = 5,
    noise: opt.PlanNoise = None,
    as_json: opt.AsJson = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="A log to fill in (.csv, .yaml, .jsonl), or .json for all."
        ),
    ] = None,
    launch: Launch = None,
    command: Command = None,
    quiet: opt.Quiet = False,
) -> None:
    """Suggest the runs that would tell most about the plan for a target: those that shrink its expected regret most.

    The best comes first; each knows of those before it. Without --pool, shapes and durations are up to 1.5 times beyond
    those of the log, in every combination; each run spends its share of the budget, if runs like that can. With --pool
    they are runs that are laid out already, at what each costs: first those that identify a law, then those that cover
    the pool, too.

    Example: shapeplan design next --law law.json --budget 1e20 --target 1e22 -o more.csv
    """
    from shapeplan.design.next_run import next_runs
    from shapeplan.design.pool import next_from_pool
    from shapeplan.documents.files import read_law
    from shapeplan.documents.log import log_text
    from shapeplan.documents.next_run import next_document
    from shapeplan.documents.pool import pool_document
    from shapeplan.readers.selection import Selection
    from shapeplan.render.next_run import render_next
    from shapeplan.render.pool import render_pool

    console = open_console(quiet=quiet, as_json=as_json)
    place = design_target(output, (law, pool, config, *(log or ())), launch, command)
    asked = None if noise is None else parse_fraction(noise, most=0.5)
    document: Callable[[], Document]
    tables: Callable[[], Sequence[RenderableType]]
    found: NextRuns | PoolChoice
    of_log = {"--where": where, "--drop-nonfinite": drop_nonfinite}
    if pool is None:
        alone = {"--log": log, "--metric": metric, "--dims": dims, "--config": config, **of_log}
        if unused := [name for name, given in alone.items() if given]:
            message = f"{unused[0]} is of --pool, which is not given"
            raise ArgumentError(ErrorDetail("no-pool", message, "add --pool design.csv, or leave it out"))
        if law is None or budget is None:
            message = "new runs follow from a --law and a --budget"
            hint = "give both, or --pool design.csv to choose from runs that are laid out"
            raise ArgumentError(ErrorDetail("no-law" if law is None else "no-budget", message, hint))
        made = found = next_runs(
            read_law(law), parse_flops(target), parse_flops(budget), candidates=candidates, noise=asked
        )
        document, tables = lambda: next_document(made), lambda: render_next(made)
    else:
        if not log and (unused := [name for name, given in of_log.items() if given]):
            message = f"{unused[0]} is of --log, which is not given"
            raise ArgumentError(ErrorDetail("no-log", message, "add --log runs.csv, or leave it out"))
        fitted = read_law(law) if law is not None else None
        chosen_rows = Selection(where=tuple(where or ()), drop_nonfinite=drop_nonfinite)
        names = opt.parse_dims(dims) or (None if fitted is None else dims_beside(fitted))
        laid_out, so_far = _read(pool, log, metric, names, config, fitted, chosen_rows)
        console.warn((*laid_out.cautions, *(so_far.cautions if so_far else ())))
        if so_far is not None and fitted is None:
            fitted = law_so_far(console, so_far)
        chosen = found = next_from_pool(
            laid_out,
            parse_flops(target),
            fit=fitted,
            log=so_far,
            budget=math.inf if budget is None else parse_flops(budget),
            candidates=candidates,
            noise=asked,
        )
        document, tables = lambda: pool_document(chosen), lambda: render_pool(chosen)
    console.warn(found.cautions)
    if place.file is not None:
        form = place.file.format
        place.write(console, found.runs(), document().dumps() if form == "json" else log_text(found.runs(), form))
    emit(console, document, tables, as_json=as_json, output=None)


def law_so_far(console: "Console", log: "Runs") -> "Fit | None":
    """Fit a law to the runs so far, and say why where they allow none."""
    from shapeplan.errors import FitError
    from shapeplan.fitting.fit import fit

    try:
        with console.progress("fitting") as advance:
            return fit(log, replicates=REPLICATES, done=advance)
    except FitError as error:
        console.note(f"no law yet: {error.details[0].message}")
        return None


def _read(
    pool: str,
    log: list[str] | None,
    metric: str | None,
    dims: tuple[str, ...] | None,
    config: Path | None,
    fit: "Fit | None",
    selection: "Selection",
) -> "tuple[Runs, Runs | None]":
    """Return the pool, and the chosen rows of a log, which count as the pool does where they do not say."""
    from shapeplan.readers.read import read_runs, read_under_way

    known = None if fit is None else fit.architecture
    laid_out = read_under_way(pool, dims=dims, config=config, architecture=known)
    if not log:
        return laid_out, None
    like = None if fit is None else fit.log.read_as
    counted_as = laid_out.architecture
    return laid_out, read_runs(
        log, metric=metric, dims=dims, config=config, selection=selection, architecture=counted_as, like=like
    )

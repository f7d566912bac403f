"""``shapeplan design``: the sweep to run, and what it costs."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.design_next import next_
from shapeplan.cli.launch import Command, DesignTarget, Launch, design_target
from shapeplan.cli.output import emit, open_console, output_target
from shapeplan.cli.strict import StrictCommand, StrictGroup
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.quantities import format_count, format_flops, parse_assignments, parse_flops, parse_fraction
from shapeplan.render.console import Console

if TYPE_CHECKING:
    from shapeplan.architectures import Architecture
    from shapeplan.design.layout import Design
    from shapeplan.quantities import Convention

design = typer.Typer(
    cls=StrictGroup,
    help="Lay out the sweep to run: a log to fill in, with what every run costs.",
    no_args_is_help=True,
)

_CENTER_HINT = "write e.g. width=1968,depth=40,mlp_dim=6144"
_AROUND_HINT = "write e.g. width=608,depth=10,mlp_dim=928"

ArchitectureFile = Annotated[
    Path,
    typer.Option("--architecture", metavar="YAML", help="File with architecture: {family: vit, patch: 14 ...}."),
]
Durations = Annotated[
    str | None, typer.Option("--durations", metavar="N,N,...", help="Images, or tokens, to train on: 64M,128M,256M.")
]
Ratio = Annotated[float | None, typer.Option("--ratio", help="Of neighbouring values.")]
Values = Annotated[
    list[str] | None,
    typer.Option("--values", metavar="DIM=N,N,...", help="Values of a dimension, in place of spaced ones. Repeatable."),
]
TotalBudget = Annotated[
    str | None, typer.Option("--budget", metavar="FLOPS", help="For all runs: chooses what is not given.")
]
Counted = Annotated[
    opt.ConventionName | None,
    typer.Option(
        "--flops-convention",
        help="What the compute column, and a budget, count. [default: training for language models, else forward]",
    ),
]
Gpus = Annotated[str | None, typer.Option("--gpus", metavar="64xH100", help="How many days all runs take there.")]


@design.command(cls=StrictCommand)
def star(
    architecture: ArchitectureFile,
    center: opt.Center = None,
    durations: Durations = None,
    points: Annotated[int, typer.Option("--points", help="Values on an arm.")] = 6,
    ratio: Ratio = None,
    values: Values = None,
    budget: TotalBudget = None,
    flops_convention: Counted = None,
    gpus: Gpus = None,
    mfu: opt.Mfu = None,
    output: opt.LogOutput = None,
    launch: Launch = None,
    command: Command = None,
    quiet: opt.Quiet = False,
) -> None:
    """Lay out a star: one large centre, and arms that vary one dimension each, well below it.

    The largest value of an arm is the centre over the ratio (1.25 by default). Every row is a run of its own, trained
    to its end.

    Example: shapeplan design star --center width=1968,depth=40,mlp_dim=6144 --durations 64M,128M,256M
    --architecture vit.yaml
    """
    from shapeplan.design.star import PAPER_RATIO, design_star
    from shapeplan.design.star_budget import star_for_budget

    console = open_console(quiet=quiet)
    place = design_target(output, (architecture,), launch, command)
    cost = _architecture(architecture)
    convention = _convention(console, flops_convention, cost, "--budget" if budget else None)
    shape = opt.parse_center(center)
    lengths = opt.parse_durations(durations)
    rest: dict[str, Any] = {
        "flops_convention": convention,
        "arms": opt.parse_values(values),
        "points": points,
        "ratio": PAPER_RATIO if ratio is None else ratio,
    }
    if budget is not None:
        made = star_for_budget(parse_flops(budget), cost, center=shape, durations=lengths, **rest)
    elif shape is None or lengths is None:
        message = "a star needs --center and --durations, or a --budget that they follow from"
        raise ArgumentError(ErrorDetail("bad-design", message, f"{_CENTER_HINT}, and --durations 64M,128M,256M"))
    else:
        made = design_star(shape, cost, lengths, **rest)
    _show(console, made, gpus, mfu, place, architecture)


@design.command(cls=StrictCommand)
def grid(
    architecture: ArchitectureFile,
    around: Annotated[
        str | None, typer.Option("--around", metavar="SHAPE", help=f"The small shape: {_AROUND_HINT[11:]}.")
    ] = None,
    durations: Durations = None,
    points: Annotated[int, typer.Option("--points", help="Values a dimension.")] = 4,
    ratio: Ratio = None,
    values: Values = None,
    budget: TotalBudget = None,
    flops_convention: Counted = None,
    gpus: Gpus = None,
    mfu: opt.Mfu = None,
    output: opt.LogOutput = None,
    launch: Launch = None,
    command: Command = None,
    quiet: opt.Quiet = False,
) -> None:
    """Lay out a grid of small shapes around one, which lies inside in every dimension.

    Neighbours are 20% apart unless --ratio says otherwise.

    Example: shapeplan design grid --around width=608,depth=10,mlp_dim=928 --durations 300M,600M --architecture vit.yaml
    """
    from shapeplan.design.grid import PAPER_RATIO, design_grid
    from shapeplan.design.grid_budget import grid_for_budget

    console = open_console(quiet=quiet)
    place = design_target(output, (architecture,), launch, command)
    cost, lengths = _architecture(architecture), opt.parse_durations(durations)
    shape = None if around is None else parse_assignments(around, _AROUND_HINT)
    rest: dict[str, Any] = {
        "flops_convention": _convention(console, flops_convention, cost, "--budget" if budget else None),
        "values": opt.parse_values(values),
        "points": points,
        "ratio": PAPER_RATIO if ratio is None else ratio,
    }
    if budget is not None:
        made = grid_for_budget(parse_flops(budget), cost, around=shape, durations=lengths, **rest)
    elif shape is None or lengths is None:
        message = "a grid needs --around and --durations, or a --budget that they follow from"
        raise ArgumentError(ErrorDetail("bad-design", message, f"{_AROUND_HINT}, and --durations 300M,600M"))
    else:
        made = design_grid(shape, cost, lengths, **rest)
    _show(console, made, gpus, mfu, place, architecture)


@design.command(cls=StrictCommand)
def isoflop(
    architecture: ArchitectureFile,
    budgets: Annotated[str, typer.Option("--budgets", metavar="FLOPS,...", help="Of a run each: 1e18,3e18,1e19.")],
    sizes: Annotated[int, typer.Option("--sizes", help="Models a budget.")] = 7,
    ratio: Annotated[float, typer.Option("--ratio", help="Of the parameters of neighbouring sizes.")] = 1.5,
    law: Annotated[
        str | None, typer.Option("--law", metavar="FILE", help="Law document: its best shapes. [default: published]")
    ] = None,
    aspect: Annotated[
        float | None, typer.Option("--aspect", help="Width over depth, where no law tells it. [default: 64]")
    ] = None,
    flops_convention: Counted = None,
    gpus: Gpus = None,
    mfu: opt.Mfu = None,
    output: opt.LogOutput = None,
    launch: Launch = None,
    command: Command = None,
    quiet: opt.Quiet = False,
) -> None:
    """Lay out an isoFLOP analysis: budgets, each with models of several sizes around the expected best.

    Without a law a decoder is expected to be best at 20 tokens per parameter, and a ViT as the published SoViT law has
    it. Every run trains on what its budget buys, by the exact FLOPs of its shape.

    Example: shapeplan design isoflop --budgets 1e18,3e18,1e19 --sizes 7 --architecture lm.yaml -o isoflop.csv
    """
    from shapeplan.design.isoflop import design_isoflop
    from shapeplan.documents.files import published_law, read_law

    console = open_console(quiet=quiet)
    place = design_target(output, (architecture, law), launch, command)
    cost = _architecture(architecture)
    fit = read_law(law) if law is not None else None
    if fit is None and aspect is None and cost.examples_unit != "tokens":
        fit = published_law()
    made = design_isoflop(
        [parse_flops(part) for part in budgets.split(",")],
        cost,
        sizes=sizes,
        ratio=ratio,
        fit=fit,
        aspect=aspect,
        flops_convention=_convention(console, flops_convention, cost, "--budgets"),
    )
    _show(console, made, gpus, mfu, place, architecture)


@design.command(cls=StrictCommand)
def power(
    log: Annotated[str, typer.Argument(metavar="DESIGN", help="Runs to train: what `design star` or `grid` wrote.")],
    law: Annotated[str, typer.Option("--law", metavar="FILE", help="Law document that is taken for the truth.")],
    target: Annotated[str, typer.Option("--target", metavar="FLOPS", help="Budget to plan for, as the law counts.")],
    noise: Annotated[str, typer.Option("--noise", help="Relative noise of a row.")] = "0.5%",
    run_noise: opt.RunNoise = "0%",
    tails: opt.Tails = None,
    fitted: Annotated[str, typer.Option("--fit", metavar="LAW", help="Law to fit the sweeps with.")] = "auto",
    sweeps: Annotated[int, typer.Option("--sweeps", help="Simulated sweeps for every point of the curve.")] = 40,
    replicates: Annotated[int, typer.Option("--replicates", help="Bootstrap replicates of every fit.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="First seed.")] = 0,
    jobs: opt.Jobs = 0,
    scheduler: opt.Scheduler = None,
    outcomes: Annotated[
        Path | None,
        typer.Option("--outcomes", metavar="FILE.jsonl", help="A line a simulated sweep, as it lands; resumed from."),
    ] = None,
    as_json: opt.AsJson = False,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> None:
    """Rehearse a sweep before paying for it: simulate it many times, fit, plan, and see what would come out.

    Example: shapeplan design power star.csv --law prior.json --noise 0.5% --target 1e22
    """
    import os

    from shapeplan.design.power import power as rehearse
    from shapeplan.documents.files import read_law
    from shapeplan.documents.outcomes import open_outcomes
    from shapeplan.documents.power import power_document
    from shapeplan.readers.read import read_runs
    from shapeplan.render.power import render_power

    console = open_console(quiet=quiet, as_json=as_json)
    place = output_target(output, (log, law, outcomes))
    prior = read_law(law)
    runs = read_runs(log, like=prior.log.read_as, architecture=prior.architecture, require_metric=False)
    console.warn(runs.cautions)
    study = {
        "target": parse_flops(target),
        "noise": parse_fraction(noise),
        "run_noise": parse_fraction(run_noise),
        "tails": tails,
        "fit": fitted,
        "sweeps": sweeps,
        "replicates": replicates,
        "seed": seed,
    }
    with (
        open_outcomes(outcomes, study, (*runs.sources, *prior.sources)) as stream,
        console.progress("rehearsing") as advance,
    ):
        found = rehearse(
            runs,
            prior,
            parse_flops(target),
            noise=parse_fraction(noise),
            run_noise=parse_fraction(run_noise),
            tails=tails,
            law=fitted,
            sweeps=sweeps,
            replicates=replicates,
            seed=seed,
            jobs=jobs or os.cpu_count() or 1,
            scheduler=scheduler,
            known=stream.known(),
            landed=stream.landed,
            done=advance,
        )
    emit(
        console,
        lambda: power_document(found, (*runs.sources, *prior.sources)),
        lambda: render_power(found),
        as_json=as_json,
        output=place,
    )


design.command("next", cls=StrictCommand)(next_)


def _show(
    console: Console, made: "Design", gpus: str | None, mfu: str | None, place: DesignTarget, architecture: Path
) -> None:
    """Write the log to fill in, and say what it costs."""
    from shapeplan.counting.accelerators import read_fleet
    from shapeplan.documents.log import log_text
    from shapeplan.quantities import format_days

    runs = made.runs
    forward, training = made.flops("forward"), made.flops("training")
    said = (
        f"{len(runs)} runs of {made.shapes} shapes: {format_flops(forward)} forward = {format_flops(training)} training"
    )
    console.note(f"{said} FLOPs in all, every row a run of its own")
    for note in made.notes or (_values_of(made),):
        console.note(note)
    fleet, share = read_fleet(gpus, opt.parse_mfu(mfu))
    if fleet is not None and share is not None:
        console.note(f"{format_days(fleet.days(training, share))} on {fleet} at MFU {share:g}")
    if made.boundary:
        inside = made.shapes - len(made.boundary)
        console.note(
            f"{inside} shape{'s are' if inside != 1 else ' is'} inside; {len(made.boundary)} are the boundary ring "
            "that keeps the best of them from being on the edge"
        )
    console.warn(made.cautions)
    form, path = (place.file.format, place.file.path) if place.file else ("csv", "LOG")
    # The other formats hold the architecture themselves.
    config = [] if form in ("yaml", "json") else ["--config", str(architecture)]
    then = shlex.join(["shapeplan", "fit", str(path), *config])
    console.note(f"add a column {runs.metric} and fill it in; then: {then}")
    place.write(console, runs, log_text(runs, form))


def _values_of(made: "Design") -> str:
    values = "; ".join(f"{dim} {', '.join(map(str, sizes))}" for dim, sizes in made.values.items())
    return f"{values}; trained on {', '.join(map(format_count, made.durations))} {made.runs.examples_unit}"


def _architecture(path: Path) -> "Architecture":
    from shapeplan.readers.settings import read_settings

    found = read_settings(path).architecture
    if found is None:
        hint = "write e.g. architecture: {family: vit, patch: 14, image: 224, heads: 16}"
        raise ArgumentError(ErrorDetail("no-architecture", "the file says no architecture", hint, str(path)))
    return found


def _convention(
    console: Console, asked: opt.ConventionName | None, cost: "Architecture", option: str | None
) -> "Convention":
    """Return what compute counts: as asked, else training FLOPs for language models, forward for others."""
    if asked is not None:
        return asked.value
    convention: Convention = "training" if cost.examples_unit == "tokens" else "forward"
    if option is not None:
        console.note(f"{option} is read as {convention} FLOPs; --flops-convention says otherwise")
    return convention

"""``shapeplan simulate``: a synthetic log, to rehearse."""

from typing import Annotated

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.output import LOG_FORMATS, emit_text, open_console, output_target
from shapeplan.quantities import parse_fraction


def simulate(
    law: Annotated[
        str | None,
        typer.Argument(metavar="[LAW]", help="Law document that is the truth. [default: the rehearsal law]"),
    ] = None,
    design: Annotated[
        str | None,
        typer.Argument(metavar="[DESIGN]", help="Shapes and durations to log. [default: the paper's star and grid]"),
    ] = None,
    noise: Annotated[str, typer.Option("--noise", help="Relative noise of a row, e.g. 0.3%.")] = "0.3%",
    run_noise: opt.RunNoise = "0%",
    tails: opt.Tails = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the noise.")] = 0,
    output: opt.LogOutput = None,
    quiet: opt.Quiet = False,
) -> None:
    """Simulate a sweep log, to rehearse.

    Losses are drawn from a law, for the rows of a design, with noise.

    Example: shapeplan simulate --seed 2305 -o vit_sweep.csv
    """
    from shapeplan.design.simulate import simulate as simulate_runs
    from shapeplan.design.sovit_protocol import paper_design, rehearsal_law
    from shapeplan.documents.files import read_law
    from shapeplan.documents.log import log_text
    from shapeplan.readers.read import read_runs

    console = open_console(quiet=quiet)
    place = output_target(output, (law, design), LOG_FORMATS)
    fit = read_law(law) if law is not None else None
    if design is not None:
        rows = read_runs(
            design,
            like=fit.log.read_as if fit else None,
            architecture=fit.architecture if fit else None,
            require_metric=False,
        )
    else:
        rows = paper_design()
    for note in rows.notes:
        console.note(note)
    if rows.loss is not None:
        console.note(f"the column {rows.metric!r} of {design} is replaced")
    if fit is not None and (distrust := fit.distrust) is not None:
        console.warn((distrust,))
    console.warn(rows.cautions)
    runs = simulate_runs(
        fit.law if fit else rehearsal_law(),
        rows,
        flops_convention=fit.flops_convention if fit else None,
        noise=parse_fraction(noise),
        run_noise=parse_fraction(run_noise),
        tails=tails,
        seed=seed,
    )
    emit_text(console, log_text(runs, place.format if place else "csv"), place)

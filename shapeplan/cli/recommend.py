"""``shapeplan recommend``: from a law and budgets to shapes."""

from typing import Annotated

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.output import emit
from shapeplan.quantities import parse_assignments, parse_flops
from shapeplan.render.console import Console


def recommend(
    flops: Annotated[
        list[str], typer.Option("--flops", metavar="FLOPS", help="Budget: 1e21, 500 EFLOP, '9T GFLOPs'. Repeatable.")
    ],
    law: Annotated[
        str | None, typer.Option("--law", metavar="FILE", help="Law document; - for stdin. [default: published SoViT]")
    ] = None,
    flops_convention: Annotated[
        opt.ConventionName | None,
        typer.Option("--flops-convention", help="What the budget counts. [default: what the law counts]"),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option("--method", help="optimum, or scale (the recipe). [default: scale for star, else optimum]"),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option("--weights", metavar="W", help="Of the recipe: equal (1/D), implied, or width=0.4,depth=0.6."),
    ] = None,
    multiple_of: Annotated[
        list[str] | None,
        typer.Option("--multiple-of", metavar="DIM=N", help="Round to multiples, e.g. width=128,mlp_dim=256."),
    ] = None,
    start: opt.StartPoint = None,
    force: Annotated[bool, typer.Option("--force", help="Plan on a fit that is not to be trusted.")] = False,
    as_json: opt.AsJson = False,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> None:
    """Recommend shapes for compute budgets.

    The optimum is the shape of least loss under the law; the recipe is the paper's: a good small shape, scaled jointly,
    every dimension by its own exponent. Without --law, the published SoViT exponents (ViT/14, ImageNet 10-shot error).

    Example: shapeplan recommend --law law.json --flops 1e21
    """
    from shapeplan.documents.files import published_law, read_law
    from shapeplan.documents.plan import plan_document
    from shapeplan.planning.recommend import recommend as plan_budgets
    from shapeplan.render.plan import render_plan
    from shapeplan.sweeps.grid import Start

    console = Console(quiet=quiet, as_json=as_json)
    budgets = [parse_flops(text) for text in flops]
    fit = read_law(law) if law is not None else published_law()
    plan = plan_budgets(
        fit,
        budgets,
        flops_convention=flops_convention.value if flops_convention else None,
        method=method,
        weights=parse_assignments(weights, "write e.g. width=0.4,depth=0.6") if weights and "=" in weights else weights,
        multiples=opt.parse_multiples(multiple_of),
        start=Start(*opt.parse_start(start), source="given by --start") if start else None,
        force=force,
    )
    if law is None:
        console.note("no --law is given: this is the published SoViT law (arXiv:2305.13035)")
    if not flops_convention:
        console.note(f"--flops is read as {fit.flops_convention} FLOPs, as the law counts")
    console.warn(plan.cautions)
    console.warn(dict.fromkeys(caution for budget in plan.budgets for caution in budget.cautions))
    emit(
        console,
        plan_document(plan),
        lambda: render_plan(plan, console.width),
        as_json=as_json,
        output=output,
        inputs=(law,),
    )

"""``shapeplan recommend``: from a law and budgets to shapes."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.command import command_of
from shapeplan.cli.output import emit_text, open_console, output_target
from shapeplan.errors import ArgumentError, ErrorDetail, check_choice
from shapeplan.quantities import parse_assignments, parse_flops, parse_fraction

if TYPE_CHECKING:
    from shapeplan.documents.base import Document
    from shapeplan.fitting.result import Fit
    from shapeplan.planning.plan import Plan
    from shapeplan.profile import Profile
    from shapeplan.render.console import Console

_FORMATS = ("table", "json", "csv")
_SHARE = re.compile(r"[0-9.,eE+%\s-]*")
"""What is written of these signs alone is a number, or wants to be one."""
_FIX_HINT = "write e.g. depth=24"


def recommend(
    context: typer.Context,
    flops: Annotated[
        list[str] | None,
        typer.Option("--flops", metavar="FLOPS", help="Budget: 1e21, 500 EFLOP, '9T GFLOPs'. Repeatable."),
    ] = None,
    loss: Annotated[
        list[str] | None,
        typer.Option("--loss", metavar="LOSS", help="In place of a budget: a loss to reach. Repeatable."),
    ] = None,
    gpus: Annotated[
        str | None,
        typer.Option("--gpus", metavar="64xH100", help="With --days a budget; else how long its training takes."),
    ] = None,
    days: Annotated[str | None, typer.Option("--days", help="Days on --gpus.")] = None,
    mfu: Annotated[
        str | None,
        typer.Option("--mfu", help="Share of the peak of --gpus, or a file of shapes with theirs. [default: 0.4]"),
    ] = None,
    price: Annotated[
        str | None, typer.Option("--price", metavar="2.5/gpu-hour", help="What one of --gpus costs an hour.")
    ] = None,
    law: Annotated[
        str | None, typer.Option("--law", metavar="FILE", help="Law document; - for stdin. [default: published SoViT]")
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option("--log", metavar="LOG", help="In place of a law: a log to fit first, as `fit` does. Repeatable."),
    ] = None,
    config: opt.Config = None,
    metric: opt.Metric = None,
    flops_convention: Annotated[
        opt.ConventionName | None,
        typer.Option("--flops-convention", help="What the budget counts. [default: what the law counts]"),
    ] = None,
    versus: Annotated[
        list[str] | None,
        typer.Option(
            "--versus",
            metavar="SHAPE",
            help="Compare with ViT-g/14, or 24x1024x4096: of the first two the smaller is the depth. Repeatable.",
        ),
    ] = None,
    preset: Annotated[
        str,
        typer.Option("--preset", help="What shapes are rounded to: gpu, tpu, or none (whole numbers)."),
    ] = "gpu",
    multiple_of: Annotated[
        list[str] | None,
        typer.Option("--multiple-of", metavar="DIM=N", help="Round to multiples, e.g. width=128,mlp_dim=256."),
    ] = None,
    heads: Annotated[int | None, typer.Option("--heads", help="Attention heads; width is a multiple.")] = None,
    head_dim: Annotated[int | None, typer.Option("--head-dim", help="Width of a head; width is a multiple.")] = None,
    tensor_parallel: Annotated[
        int, typer.Option("--tensor-parallel", help="Devices that share a layer: heads and MLP divide among them.")
    ] = 1,
    pipeline_parallel: Annotated[
        int, typer.Option("--pipeline-parallel", help="Stages among which the blocks divide.")
    ] = 1,
    expert_parallel: Annotated[
        int, typer.Option("--expert-parallel", help="Devices among which the experts of a layer divide.")
    ] = 1,
    max_params: Annotated[str | None, typer.Option("--max-params", help="Most parameters: 400M.")] = None,
    max_flops_per_example: Annotated[
        str | None, typer.Option("--max-flops-per-example", help="Most forward FLOPs of one example: 2e11.")
    ] = None,
    max_examples: Annotated[
        str | None,
        typer.Option("--max-examples", help="How many different examples, or tokens, there are: 13B."),
    ] = None,
    max_tokens: Annotated[
        str | None, typer.Option("--max-tokens", help="The same, for a law that counts tokens.")
    ] = None,
    epochs: Annotated[
        str | None,
        typer.Option("--epochs", help="How often each may be seen; repeats are worth less. [default: 1]"),
    ] = None,
    inference_examples: Annotated[
        str | None,
        typer.Option("--inference-examples", help="Examples served afterwards: the budget pays for them too. 1e12"),
    ] = None,
    fix: Annotated[
        list[str] | None, typer.Option("--fix", metavar="DIM=N", help="Hold a dimension, e.g. depth=24.")
    ] = None,
    trust: Annotated[
        float | None, typer.Option("--trust", help="How far beyond the trained shapes, as a factor. [default: 5]")
    ] = None,
    tolerance: Annotated[
        str | None, typer.Option("--tolerance", help="Excess loss that is as good as none. [default: 0.5%]")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option("--method", help="optimum, or scale (the recipe). [default: scale for star, else optimum]"),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="W",
            help="Of the recipe: implied, equal (1/D), or width=0.4,depth=0.6. [default: implied where the law does]",
        ),
    ] = None,
    start: opt.StartPoint = None,
    interval: opt.Interval = "run",
    force: Annotated[bool, typer.Option("--force", help="Plan on a fit that is not to be trusted.")] = False,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="table, json, csv; a config: big_vision, timm, hf-vit, hf-llama, hf (mixtures), hf-training, nanogpt, "
            "nanochat, torchtitan, megatron.",
        ),
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option("--batch", help="Of such a config: tokens (or examples) a step. [default: the log's]"),
    ] = None,
    expect: Annotated[
        str | None,
        typer.Option("--expect", metavar="PLAN", help="Exit with 3 if the plan moved from this one of `recommend -o`."),
    ] = None,
    loss_tolerance: Annotated[
        str | None, typer.Option("--loss-tolerance", help="Change of the loss that --expect allows. [default: 0.5%]")
    ] = None,
    size_tolerance: Annotated[
        str | None,
        typer.Option("--size-tolerance", help="The same of a size. [default: 10%, and what its interval holds]"),
    ] = None,
    as_json: opt.AsJson = False,
    output_format: opt.Format = opt.OutputFormat.text,
    output: opt.Output = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print all warnings in full.")] = False,
    quiet: opt.Quiet = False,
) -> None:
    """Recommend shapes for compute budgets, losses or days on accelerators.

    The optimum is the shape of least loss under the law; the recipe is the paper's: a good small shape, scaled jointly,
    every dimension by its own exponent. Without --law, the published SoViT exponents (ViT/14, ImageNet 10-shot error).

    Example: shapeplan recommend --law law.json --flops 1e21 --versus ViT-g/14
    """
    from shapeplan.planning.answer import ANSWERED, next_step
    from shapeplan.planning.recommend import recommend as plan_budgets
    from shapeplan.render.plan import render_plan
    from shapeplan.sweeps.grid import Start

    if form is not None:
        from shapeplan.documents.configs import FORMATS

        check_choice("format", form, (*_FORMATS, *FORMATS))
        if as_json and form != "json":
            message = f"--json and --format {form} both say what to print"
            raise ArgumentError(ErrorDetail("bad-format", message, "give one of them", value=form))
    if batch is not None and form in (None, *_FORMATS):
        message = "--batch is of a configuration, and --format names none"
        raise ArgumentError(ErrorDetail("bad-option", message, "give e.g. --format torchtitan, or leave it out"))
    size = opt.parse_number("--batch", batch, "write e.g. 524288 or 0.5M")
    as_json = as_json or form == "json" or (form is None and output_format is opt.OutputFormat.json)
    console = open_console(quiet=quiet, as_json=as_json, github=output_format is opt.OutputFormat.github)
    expectation = _expectation(expect, loss_tolerance, size_tolerance)
    written = {None: ("json", "csv"), "table": ("json", "csv"), "json": ("json",), "csv": ("csv",)}
    place = output_target(output, (law, *(log or ()), config, expect), written.get(form, ()))

    def document() -> "Document":
        # Loaded for documents alone: tables come without, in a tenth less time.
        from shapeplan.documents.plan import plan_document

        return plan_document(plan)

    more = {} if trust is None else {"trust": trust}
    more |= {} if tolerance is None else {"tolerance": parse_fraction(tolerance, hint="write e.g. 0.5% or 0.005")}
    fit, notes = _law(console, law, log or [], config, metric, command_of(context))
    data, notes = _data(fit, max_examples, max_tokens, notes)
    plan = plan_budgets(
        fit,
        [parse_flops(text) for text in flops] if flops else None,
        flops_convention=flops_convention.value if flops_convention else None,
        loss=[opt.parse_number("--loss", text, "write e.g. 0.15") or 0.0 for text in loss] if loss else None,
        gpus=gpus,
        days=opt.parse_number("--days", days, "write e.g. 14 or 0.5"),
        mfu=_utilization(mfu),
        price=price,
        method=method,
        weights=parse_assignments(weights, "write e.g. width=0.4,depth=0.6") if weights and "=" in weights else weights,
        start=Start(*opt.parse_start(start), source="given by --start") if start is not None else None,
        preset=preset,
        multiples=opt.parse_multiples(multiple_of),
        heads=heads,
        head_dim=head_dim,
        tensor_parallel=tensor_parallel,
        pipeline_parallel=pipeline_parallel,
        expert_parallel=expert_parallel,
        max_params=opt.parse_number("--max-params", max_params, "write e.g. 4e8 or 400M"),
        max_flops_per_example=parse_flops(max_flops_per_example) if max_flops_per_example is not None else None,
        max_examples=data,
        epochs=opt.parse_number("--epochs", epochs, "write e.g. 4"),
        inference_examples=opt.parse_number("--inference-examples", inference_examples, "write e.g. 1e12"),
        fix=parse_assignments(",".join(fix), _FIX_HINT) if fix else {},
        versus=versus or (),
        interval=interval,
        force=force,
        **more,
    )

    def warn() -> None:
        if flops and not flops_convention:
            console.note(f"--flops is read as {fit.flops_convention} FLOPs, as the law counts them")
        for note in (*notes, *plan.notes):
            console.note(note)
        # What `fit` has said of a fit that is sound, or the answer itself says, is named; the rest is said.
        own = [caution for budget in plan.budgets for caution in budget.cautions]
        told = verbose or as_json or output_format is not opt.OutputFormat.text
        brief = plan.fit.status == "ok" and form in (None, "table") and not told
        named = [*plan.cautions, *(one for one in own if one.code in ANSWERED)] if brief else []
        if named:
            codes = ", ".join(dict.fromkeys(caution.code for caution in named))
            console.note(f"warnings: {codes}; -v prints them, shapeplan explain CODE says what to do")
        console.warn(one for one in dict.fromkeys((*plan.cautions, *own)) if one not in named)

    if form not in (None, *_FORMATS):
        from shapeplan.documents.configs import export_config

        warn()
        export = export_config(plan, form, size)
        console.warn(export.cautions)
        emit_text(console, export.text, place)
        expectation(console, plan)
        return

    def csv() -> str:
        from shapeplan.documents.plan import plan_csv

        return plan_csv(plan)

    if place is not None:
        place.write(console, csv() if place.format == "csv" else document().dumps())
    if as_json:
        console.text(document().dumps())
    elif form != "csv":
        following = "" if law == "-" else next_step(plan, command_of(context))
        console.show(*render_plan(plan, console.width, following))
    elif place is None:
        console.text(csv())
    # The answer comes first; its lines name the codes of the warnings.
    warn()
    expectation(console, plan)


def _expectation(expect: str | None, loss: str | None, size: str | None) -> "Callable[[Console, Plan], None]":
    """Return what compares a plan with the pinned one, which is read before the work."""
    if expect is None:
        if loss is not None or size is not None:
            option = "--loss-tolerance" if loss is not None else "--size-tolerance"
            message = f"{option} is of --expect, which is not given"
            raise ArgumentError(ErrorDetail("bad-option", message, "give --expect plan.json, or leave it out"))
        return lambda console, plan: None
    from shapeplan.documents.files import read_plan
    from shapeplan.documents.plan import pinned_plan, plan_document
    from shapeplan.planning.pin import check_pinned

    allowed = {
        name: None if text is None else parse_fraction(text, hint="write e.g. 0.5% or 0.005")
        for name, text in (("loss_tolerance", loss), ("size_tolerance", size))
    }
    pinned = pinned_plan(read_plan(expect), expect)

    def compare(console: "Console", plan: "Plan") -> None:
        count = check_pinned(pinned, pinned_plan(plan_document(plan), "the plan"), **allowed)
        console.note(f"as expected: {count} quantities are within their tolerance of {expect}")

    return compare


def _data(
    fit: "Fit", examples: str | None, tokens: str | None, notes: tuple[str, ...]
) -> tuple[float | None, tuple[str, ...]]:
    """Return how many examples there are, in the unit of the law, and the notes with what they are taken for."""
    unit, hint = fit.examples_unit, "write e.g. 13e9 or 13B"
    if tokens is None:
        if examples is not None and unit == "tokens":
            notes = (*notes, f"--max-examples {examples} is read as tokens, which the law counts")
        return opt.parse_number("--max-examples", examples, hint), notes
    if examples is not None:
        message = "--max-examples and --max-tokens both say how much data there is"
        raise ArgumentError(ErrorDetail("bad-option", message, "give one of them"))
    if unit != "tokens":
        message = f"--max-tokens {tokens} is of tokens, and the law counts {unit}"
        raise ArgumentError(ErrorDetail("wrong-unit", message, f"give --max-examples, of {unit}", value=tokens))
    return opt.parse_number("--max-tokens", tokens, hint), notes


def _utilization(text: str | None) -> "float | Profile | None":
    """Return a share, or the measurements of a file."""
    if text is None or _SHARE.fullmatch(text) or not (Path(text).suffix or os.path.exists(text) or "/" in text):
        return opt.parse_mfu(text)
    from shapeplan.readers.profile import read_profile

    return read_profile(text)


def _law(
    console: "Console", law: str | None, log: list[str], config: Path | None, metric: str | None, command: str
) -> "tuple[Fit, tuple[str, ...]]":
    """Return the law of a document, the fit of a log with the options that `fit` has by default, or the published.

    With it comes what was understood on the way.
    """
    if log and law is not None:
        message = "a law is given with --law, and a log to fit one to with --log"
        raise ArgumentError(ErrorDetail("bad-option", message, "give one of them"))
    if log:
        from shapeplan.fitting.fit import fit as fit_runs
        from shapeplan.readers.read import read_runs

        runs = read_runs(log, metric=metric, config=config)
        with console.progress("fitting") as advance:
            found = fit_runs(runs, done=advance)
        return replace(found, command=command), found.notes
    if config is not None or metric is not None:
        option = "--config" if config is not None else "--metric"
        message = f"{option} tells how a log is read, and no --log is given"
        raise ArgumentError(ErrorDetail("bad-option", message, "give --log, or leave it out"))
    from shapeplan.documents.files import published_law, read_law

    if law is not None:
        return read_law(law), ()
    return published_law(), ("no --law is given: this is the published SoViT law (arXiv:2305.13035)",)

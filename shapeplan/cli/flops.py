"""``shapeplan flops``: parameters and FLOPs of named or given shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.output import emit, open_console, output_target
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.quantities import parse_count, parse_flops

if TYPE_CHECKING:
    from shapeplan.counting.compare import Costs
    from shapeplan.documents.base import Document


def flops(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|FILE]...", help="Names such as SoViT-400m/14, llama-3-8b; a config.json; files of shapes."
        ),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(
            "--family",
            help="A shape of your own: vit, llama, mixtral, bert, t5, dit ...; or how to read an unknown model_type.",
        ),
    ] = None,
    width: Annotated[str | None, typer.Option("--width", help="Residual stream.")] = None,
    depth: Annotated[str | None, typer.Option("--depth", help="Blocks.")] = None,
    mlp_dim: Annotated[str | None, typer.Option("--mlp-dim", help="Hidden size of the MLP.")] = None,
    heads: Annotated[str | None, typer.Option("--heads", help="Attention heads.")] = None,
    head_dim: Annotated[str | None, typer.Option("--head-dim", help="Width of a head, in place of --heads.")] = None,
    kv_heads: Annotated[str | None, typer.Option("--kv-heads", help="Key and value heads (decoders).")] = None,
    patch: Annotated[str | None, typer.Option("--patch", help="Side of a patch (ViT).")] = None,
    image: Annotated[str | None, typer.Option("--image", metavar="PX", help="Image: 518, or 384x512 (ViT).")] = None,
    pool: Annotated[str | None, typer.Option("--pool", help="gap, tok or map (ViT).")] = None,
    classes: Annotated[str | None, typer.Option("--classes", help="Outputs of the classifier (ViT).")] = None,
    vocab: Annotated[str | None, typer.Option("--vocab", help="Vocabulary (decoders).")] = None,
    seq: Annotated[str | None, typer.Option("--seq", help="Sequence length (decoders).")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any other setting: gated=true, norm=rmsnorm. Repeatable."),
    ] = None,
    examples: Annotated[
        str | None, typer.Option("--examples", help="Length of a training: images, or sequences. 40B")
    ] = None,
    tokens: Annotated[str | None, typer.Option("--tokens", help="Length of a training: tokens. 2T")] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="FLOPS", help="How many examples does it buy? 1e21")
    ] = None,
    flops_convention: Annotated[
        str, typer.Option("--flops-convention", help="What the budget counts: training, forward, 6nd ...")
    ] = "training",
    gpus: Annotated[str | None, typer.Option("--gpus", metavar="64xH100", help="How many days on these?")] = None,
    mfu: opt.Mfu = None,
    memory: Annotated[
        str | None,
        typer.Option(
            "--memory",
            metavar="RECIPE",
            help="Bytes of the state: adamw-mixed, adamw-fp32, adamw-bf16, adamw-8bit, adafactor.",
        ),
    ] = None,
    parts: Annotated[bool, typer.Option("--parts", help="Break the counts down by part.")] = False,
    list_names: Annotated[
        bool, typer.Option("--list", help="Show the names of the catalogue, or those with the words given.")
    ] = False,
    as_json: opt.AsJson = False,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> None:
    """Count parameters and FLOPs, exactly, in every convention.

    With several models, ratios are to the first. --image and --seq hold for all models that have them; the other
    settings make up the --family shape, or change every named model where there is none.

    Example: shapeplan flops ViT-g/14 SoViT-400m/14 --image 518
    """
    from shapeplan.architectures.catalogue import models_with
    from shapeplan.counting.compare import flops as count
    from shapeplan.readers.models import read_models
    from shapeplan.render.flops import render_catalogue, render_flops

    console = open_console(quiet=quiet, as_json=as_json)
    if list_names:
        if as_json or output:
            raise ArgumentError(
                ErrorDetail("useless-option", "--list shows a table and nothing else", "leave the rest out")
            )
        console.show(*render_catalogue(models_with(models or [])))
        return
    given = {
        **{"width": width, "depth": depth, "mlp_dim": mlp_dim, "heads": heads, "head_dim": head_dim},
        **{"kv_heads": kv_heads, "patch": patch, "pool": pool, "classes": classes, "vocab": vocab},
    }
    shared = {name: text for name, text in (("image", image), ("seq", seq)) if text is not None}
    own = {name: text for name, text in given.items() if text is not None}
    asked = read_models(
        models or [],
        family=family,
        settings={**own, **opt.parse_settings(settings, taken={*own, *shared})},
        shared=shared,
    )
    place = output_target(output, [source.name for source in asked.sources])
    for note in asked.notes:
        console.note(note)
    costs = count(
        asked.models,
        examples=parse_count(examples) if examples is not None else None,
        tokens=parse_count(tokens) if tokens is not None else None,
        budget=parse_flops(budget) if budget is not None else None,
        flops_convention=flops_convention,
        gpus=gpus,
        mfu=opt.parse_mfu(mfu),
        memory=memory,
        sources=asked.sources,
    )
    if budget is not None:
        console.note(f"--budget is counted as {flops_convention} FLOPs; --flops-convention says otherwise")
    console.warn(costs.cautions)
    emit(
        console,
        lambda: _document(costs),
        lambda: render_flops(costs, console.width, parts=parts),
        as_json=as_json,
        output=place,
    )


def _document(costs: Costs) -> Document:
    # Reading and writing documents takes pydantic, which a table does not.
    from shapeplan.documents.flops import flops_document

    return flops_document(costs)

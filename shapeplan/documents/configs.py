"""A recommended shape as libraries read it: big_vision, timm, Hugging Face and nanoGPT."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from shapeplan import codes
from shapeplan.architectures import Architecture, Decoder, ViT
from shapeplan.architectures.base import SHAPE_DIMS, Transformer
from shapeplan.architectures.styles import STYLES
from shapeplan.errors import ArgumentError, Caution, ErrorDetail
from shapeplan.planning.plan import BudgetPlan, Plan
from shapeplan.quantities import format_flops
from shapeplan.readers.configs.write import model_config

_TIMM_POOLS = {"map": "map", "gap": "avg", "tok": "token"}


@dataclass(frozen=True)
class Export:
    """A snippet of configuration.

    Attributes
    ----------
    text : str
        Python, or JSON for Hugging Face.
    cautions : tuple of Caution
        What of the shape or the architecture the library does not take from it.
    """

    text: str
    cautions: tuple[Caution, ...]


@dataclass(frozen=True)
class _Shape:
    """What is exported: sizes, and the transformer where the law has an architecture."""

    width: int
    depth: int
    mlp_dim: int
    heads: int
    model: Transformer | None
    family: str
    title: str

    @property
    def vit(self) -> ViT | None:
        return self.model if isinstance(self.model, ViT) else None

    @property
    def decoder(self) -> Decoder | None:
        return self.model if isinstance(self.model, Decoder) else None


@dataclass(frozen=True)
class _Library:
    """How a library is told.

    Attributes
    ----------
    write : callable
        From a shape to the text.
    model : type of Transformer
        The kind of model that it builds.
    tells : frozenset of str
        Settings of the architecture that the text carries, or the user gives elsewhere.
    implies : mapping of str to value
        Settings that the library has no other value of, where it is not the default here.
    """

    write: Callable[[_Shape], str]
    model: type[Transformer]
    tells: frozenset[str]
    implies: Mapping[str, Any] = field(default_factory=dict)

    def untold(self, model: Transformer) -> dict[str, Any]:
        """Return the settings of a model that the library would not have from the text."""
        fixed = {*SHAPE_DIMS, "heads", "head_dim", *self.tells}
        return {
            setting.name: value
            for setting in fields(model)
            if setting.name not in fixed
            and (value := getattr(model, setting.name)) != self.implies.get(setting.name, setting.default)
        }


def export_config(plan: Plan, library: str) -> Export:
    """Return the recommended shape as a library reads it.

    Parameters
    ----------
    plan : Plan
        For one budget.
    library : str
        A name of `LIBRARIES`.

    Raises
    ------
    ArgumentError
        If there are several budgets, no heads, a dimension is missing, or the architecture is of another kind.
    """
    if len(plan.budgets) != 1:
        message = f"`format={library}` prints one shape, and there are {len(plan.budgets)} budgets"
        raise ArgumentError(ErrorDetail("bad-format", message, "ask for one budget", value=library))
    how, shape = LIBRARIES[library], _shape_of(plan, plan.budgets[0], library)
    if shape.model is not None and not isinstance(shape.model, how.model):
        family = plan.fit.architecture.family.name if plan.fit.architecture else ""
        message = f"`format={library}` is of another kind of model than the law's architecture, {family}"
        able = ", ".join(name for name, one in LIBRARIES.items() if isinstance(shape.model, one.model))
        raise ArgumentError(ErrorDetail("bad-format", message, f"write one of {able}", value=library))
    if shape.decoder is not None and shape.decoder.experts is not None and "experts" not in how.tells:
        message = f"{library} knows no experts, and this model has {shape.decoder.experts}"
        raise ArgumentError(ErrorDetail("bad-format", message, "write `format=hf`", value=library))
    return Export(how.write(shape), tuple(_cautions(library, how, shape)))


def _shape_of(plan: Plan, budget: BudgetPlan, library: str) -> _Shape:
    missing = [dim for dim in SHAPE_DIMS if dim not in budget.rounded]
    if missing and plan.fit.architecture is None:
        message = f"`format={library}` needs {', '.join(missing)}, which the law does not give"
        raise ArgumentError(ErrorDetail("bad-format", message, "add it to the log, or an architecture", value=library))
    if budget.heads is None:
        message = f"`format={library}` needs heads, for which the law has no rule"
        raise ArgumentError(ErrorDetail("bad-format", message, "give `heads` or `head_dim`", value=library))
    model = (
        None
        if plan.fit.architecture is None
        else _with_heads(plan.fit.architecture, budget.heads).model(budget.rounded)
    )
    sizes = {dim: int(budget.rounded.get(dim) or getattr(model, dim)) for dim in SHAPE_DIMS}
    family = plan.fit.architecture.family.name if plan.fit.architecture else ""
    compute = f"{format_flops(budget.flops_forward)} forward FLOPs"
    said = f"shapeplan: {plan.method} of the law {plan.fit.law.form.name} for {compute}"
    return _Shape(**sizes, heads=budget.heads, model=model, family=family, title=said)


def _with_heads(given: Architecture, heads: int) -> Architecture:
    """Return the architecture with the heads of the plan, which the user may have chosen."""
    settings = dict(given.settings)
    if "heads" not in settings:
        # Without it, heads were to grow with the width.
        settings.pop("head_dim", None)
    return Architecture.of(given.family, {**settings, "heads": heads})


def _cautions(library: str, how: _Library, shape: _Shape) -> list[Caution]:
    """Return cautions about what the library does not take from the text."""
    cautions = []
    if shape.model is None:
        message = f"the law has no architecture: {library} fills in everything that is not shape"
        cautions.append(
            Caution(codes.EXPORT_DEFAULTS, message, "check patch or vocabulary, length, pooling and biases")
        )
    else:
        if own := how.untold(shape.model):
            said = ", ".join(f"{name}={value}" for name, value in own.items())
            hint = "set it in the library itself, or expect other parameters than the plan's"
            cautions.append(Caution(codes.EXPORT_DIFFERS, f"{library} is not told of {said}", hint))
    if library == "nanogpt" and shape.mlp_dim != 4 * shape.width:
        message = f"nanoGPT's MLP is 4 times the width, {4 * shape.width}, where this shape has {shape.mlp_dim}"
        cautions.append(
            Caution(codes.EXPORT_DIFFERS, message, "change MLP in its model.py, or tie mlp_dim in the sweep")
        )
    return cautions


def _big_vision(shape: _Shape) -> str:
    arguments: dict[str, Any] = {
        "width": shape.width,
        "depth": shape.depth,
        "mlp_dim": shape.mlp_dim,
        "num_heads": shape.heads,
    }
    if vit := shape.vit:
        arguments |= {"patch_size": (vit.patch, vit.patch), "pool_type": vit.pool}
        arguments |= {"rep_size": vit.rep_size} if vit.rep_size else {}
    return _python(shape.title, 'config.model_name = "vit"\nconfig.model = dict', arguments)


def _timm(shape: _Shape) -> str:
    arguments: dict[str, Any] = {"embed_dim": shape.width, "depth": shape.depth, "num_heads": shape.heads}
    arguments["mlp_ratio"] = _ratio(shape.mlp_dim, shape.width)
    if vit := shape.vit:
        token = vit.pool == "tok" if vit.cls_token is None else vit.cls_token
        arguments |= {
            "img_size": vit.image,
            "patch_size": vit.patch,
            "in_chans": vit.channels,
            "num_classes": vit.classes,
            "global_pool": _TIMM_POOLS[vit.pool],
            "class_token": token,
            "no_embed_class": not vit.prefix_positions,
            "reg_tokens": vit.reg_tokens,
            "qkv_bias": vit.qkv_bias,
            "qk_norm": vit.qk_norm,
            "init_values": 1e-5 if vit.layer_scale else None,
        }
    return _python(
        shape.title,
        "from timm.models.vision_transformer import VisionTransformer\n\nmodel = VisionTransformer",
        arguments,
    )


def _hf_vit(shape: _Shape) -> str:
    config: dict[str, Any] = {
        "model_type": "vit",
        "hidden_size": shape.width,
        "num_hidden_layers": shape.depth,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.mlp_dim,
    }
    if vit := shape.vit:
        config |= {"image_size": vit.image, "patch_size": vit.patch, "num_channels": vit.channels}
        config |= {"qkv_bias": vit.qkv_bias}
    return json.dumps(config, indent=2) + "\n"


def _hf_llama(shape: _Shape) -> str:
    config: dict[str, Any] = {
        "model_type": "llama",
        "hidden_size": shape.width,
        "num_hidden_layers": shape.depth,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.mlp_dim,
    }
    if decoder := shape.decoder:
        config |= {
            "num_key_value_heads": shape.heads if decoder.kv_heads is None else int(decoder.kv_heads),
            "head_dim": int(decoder.head_width),
            "vocab_size": decoder.vocab,
            "max_position_embeddings": decoder.seq,
            "tie_word_embeddings": decoder.tied,
        }
    return json.dumps(config, indent=2) + "\n"


def _hf(shape: _Shape) -> str:
    """Return the configuration of the architecture's own family, which reads as the same model or is not written."""
    if shape.decoder is None:
        message = "`format=hf` writes the architecture's own family, and the law has none"
        raise ArgumentError(ErrorDetail("bad-format", message, "fit with one, or write hf-llama", value="hf"))
    return json.dumps(model_config(shape.decoder, shape.family), indent=2) + "\n"


def _nanogpt(shape: _Shape) -> str:
    values: dict[str, Any] = {"n_layer": shape.depth, "n_head": shape.heads, "n_embd": shape.width}
    if decoder := shape.decoder:
        values |= {"block_size": decoder.seq}
    return f"# {shape.title}\n" + "".join(f"{name} = {value!r}\n" for name, value in values.items())


def _python(title: str, call: str, arguments: Mapping[str, Any]) -> str:
    lines = "".join(f"    {name}={value!r},\n" for name, value in arguments.items())
    return f"# {title}\n{call}(\n{lines})\n"


def _ratio(mlp_dim: int, width: int) -> float:
    """Return the ratio from which ``int(width * ratio)``, as timm has it, gives the MLP dim back."""
    ratio = mlp_dim / width
    while int(width * ratio) < mlp_dim:
        ratio = math.nextafter(ratio, math.inf)
    return ratio


LIBRARIES: dict[str, _Library] = {
    "big_vision": _Library(_big_vision, ViT, frozenset({"patch", "image", "pool", "classes", "rep_size"})),
    "timm": _Library(
        _timm,
        ViT,
        frozenset(
            {"patch", "image", "pool", "classes", "channels", "cls_token", "prefix_positions", "reg_tokens"}
            | {"qkv_bias", "qk_norm", "layer_scale"}
        ),
    ),
    "hf-vit": _Library(
        _hf_vit,
        ViT,
        frozenset({"patch", "image", "channels", "qkv_bias", "classes"}),
        {"pool": "tok", "prefix_positions": True},
    ),
    "hf": _Library(_hf, Decoder, frozenset(setting.name for setting in fields(Decoder))),
    "hf-llama": _Library(_hf_llama, Decoder, frozenset({"vocab", "seq", "kv_heads", "tied"}), STYLES["llama"]),
    "nanogpt": _Library(_nanogpt, Decoder, frozenset({"seq"}), {"vocab": 50304}),
}
"""Every library by the name users write after ``format``."""

"""Any of the libraries, for a plan: what it needs of the plan, and what it is not told."""

from __future__ import annotations

from shapeplan import codes
from shapeplan.architectures import Architecture
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.documents.configs.big_vision import BIG_VISION
from shapeplan.documents.configs.hf_training import HF_TRAINING
from shapeplan.documents.configs.hugging_face import HF, HF_LLAMA, HF_VIT
from shapeplan.documents.configs.library import UNTOLD_HINT, Export, Library, Shape, Trainer
from shapeplan.documents.configs.megatron import MEGATRON
from shapeplan.documents.configs.nanochat import NANOCHAT
from shapeplan.documents.configs.nanogpt import NANOGPT
from shapeplan.documents.configs.timm import TIMM
from shapeplan.documents.configs.torchtitan import TORCHTITAN
from shapeplan.errors import ArgumentError, Caution, ErrorDetail
from shapeplan.planning.plan import BudgetPlan, Plan
from shapeplan.planning.training import training_of
from shapeplan.quantities import format_flops


def export_config(plan: Plan, library: str, batch: float | None = None) -> Export:
    """Return the recommended shape as a library reads it, and how it is trained as far as that is known.

    Parameters
    ----------
    plan : Plan
        For one budget.
    library : str
        A name of `LIBRARIES` or `TRAINERS`.
    batch : float, optional
        The batch, in the unit of the plan: tokens for language models. By default that of the law's log, if it tells.

    Raises
    ------
    ArgumentError
        If there are several budgets, no heads, a dimension is missing, the architecture is of another kind, or
        the batch is none of the plan or of the library.
    """
    if len(plan.budgets) != 1:
        message = f"`format={library}` prints one shape, and there are {len(plan.budgets)} budgets"
        raise ArgumentError(ErrorDetail("bad-format", message, "ask for one budget", value=library))
    training = training_of(plan, batch)
    if library in TRAINERS:
        return Export(TRAINERS[library].write(_title(plan), training), ())
    how, shape = LIBRARIES[library], _shape_of(plan, plan.budgets[0], library)
    if batch is not None and not how.trains:
        message = f"`format={library}` is the model alone, and has no batch"
        raise ArgumentError(ErrorDetail("bad-batch", message, "write `format=hf-training` beside it", value=library))
    if shape.model is not None and not isinstance(shape.model, how.model):
        family = plan.fit.architecture.family.name if plan.fit.architecture else ""
        message = f"`format={library}` is of another kind of model than the law's architecture, {family}"
        able = ", ".join(name for name, one in LIBRARIES.items() if isinstance(shape.model, one.model))
        hint = f"write one of {able}" if able else "no library's file is written for it: `format=json` has the sizes"
        raise ArgumentError(ErrorDetail("bad-format", message, hint, value=library))
    if shape.decoder is not None and shape.decoder.experts is not None and "experts" not in how.tells:
        message = f"no experts are written for {library}, and this model has {shape.decoder.experts}"
        raise ArgumentError(ErrorDetail("bad-format", message, "write `format=hf`", value=library))
    return Export(how.write(shape, training), tuple(_cautions(library, how, shape)))


def _shape_of(plan: Plan, budget: BudgetPlan, library: str) -> Shape:
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
    return Shape(**sizes, heads=budget.heads, model=model, family=family, title=_title(plan))


def _title(plan: Plan) -> str:
    compute = f"{format_flops(plan.budgets[0].flops_forward)} forward FLOPs"
    return f"shapeplan: {plan.method} of the law {plan.fit.law.form.name} for {compute}"


def _with_heads(given: Architecture, heads: int) -> Architecture:
    """Return the architecture with the heads of the plan, which the user may have chosen."""
    settings = dict(given.settings)
    if "heads" not in settings:
        # Without it, heads were to grow with the width.
        settings.pop("head_dim", None)
    return Architecture.of(given.family, {**settings, "heads": heads})


def _cautions(library: str, how: Library, shape: Shape) -> list[Caution]:
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
            cautions.append(Caution(codes.EXPORT_DIFFERS, f"{library} is not told of {said}", UNTOLD_HINT))
    return [*cautions, *(Caution(codes.EXPORT_DIFFERS, *miss) for miss in how.misses(shape))]


LIBRARIES: dict[str, Library] = {
    "big_vision": BIG_VISION,
    "timm": TIMM,
    "hf-vit": HF_VIT,
    "hf": HF,
    "hf-llama": HF_LLAMA,
    "nanogpt": NANOGPT,
    "nanochat": NANOCHAT,
    "torchtitan": TORCHTITAN,
    "megatron": MEGATRON,
}
"""Every library by the name users write after ``format``."""
TRAINERS: dict[str, Trainer] = {"hf-training": HF_TRAINING}
"""The same of what only says how a model is trained."""
FORMATS = (*LIBRARIES, *TRAINERS)

"""What models cost side by side: parameters, FLOPs in every convention, and what a training takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from shapeplan import codes
from shapeplan.architectures import CONVENTIONS, Part, Transformer
from shapeplan.architectures.catalogue import Counted, named
from shapeplan.architectures.conventions import find_convention, non_embedding_params
from shapeplan.architectures.settings import is_array
from shapeplan.arguments import number_or_none
from shapeplan.errors import ArgumentError, Caution, ErrorDetail, InputError
from shapeplan.frozen import frozen
from shapeplan.provenance import Source
from shapeplan.quantities import LARGEST_FLOPS, convert_flops, format_bytes, format_count, format_flops

if TYPE_CHECKING:
    from shapeplan.counting.accelerators import Fleet
    from shapeplan.counting.memory import MemoryRecipe

MOST_EXAMPLES = 1e20
_CENTURY = 36525.0
_SHOWN = 8
"""Models that a repr names."""


@frozen
class Training:
    """What one training takes.

    Attributes
    ----------
    examples : float
        Images or tokens.
    flops_forward, flops_training : float
        Compute of the whole training in both conventions.
    days : float or None
        On the fleet; None without one.
    """

    examples: float
    flops_forward: float
    flops_training: float
    days: float | None


@frozen
class Memory:
    """Bytes of the state: weights, gradients, optimizer."""

    weights: int
    gradients: int
    optimizer: int

    @property
    def total(self) -> int:
        """All together."""
        return self.weights + self.gradients + self.optimizer


@frozen
class ModelCost:
    """The counts of one model. FLOPs and MACs are those of one input: an image, or a sequence.

    Attributes
    ----------
    counted : Counted
        The model.
    params, active_params, non_embedding_params, macs : int
        Exact; active are those that a token meets, all but experts that it does not visit.
    flops : mapping of str to int or None
        By convention; None where it is not defined for this model.
    parts : mapping of str to Part
        In the order of the forward pass; parts that add nothing are left out.
    training : Training or None
        If a number of examples or a budget was given.
    memory : Memory or None
        If a recipe was.
    """

    counted: Counted
    params: int
    active_params: int
    non_embedding_params: int
    macs: int
    flops: Mapping[str, int | None]
    parts: Mapping[str, Part]
    training: Training | None
    memory: Memory | None

    @property
    def name(self) -> str:
        """What the model is called."""
        return self.counted.name

    @property
    def macs_per_example(self) -> int:
        """MACs of one example; whole for tokens too, since every term of a sequence is a multiple of its length."""
        return self.macs // self.counted.model.examples_per_input

    def flops_per_example(self, convention: str) -> float | None:
        """Return the FLOPs of one example: an image, or a token (at the model's sequence length)."""
        flops = self.flops[convention]
        return None if flops is None else flops / self.counted.model.examples_per_input

    def flops_ratio(self, first: ModelCost) -> float | None:
        """Return the ratio of forward FLOPs an example; None for an image to a token, or another kind."""
        if self.counted.model.example != first.counted.model.example:
            return None
        return self.forward_per_example / first.forward_per_example

    @property
    def forward_per_example(self) -> float:
        """Forward FLOPs of one example."""
        return 2.0 * self.macs_per_example


@frozen
class Costs:
    """Models side by side, and everything that was assumed.

    Attributes
    ----------
    models : tuple of ModelCost
        In the order asked for; ratios are to the first.
    budget, flops_convention : float or None, str
        What was to be spent, and the convention it is counted in.
    fleet, mfu, recipe : Fleet, float, MemoryRecipe, or None
        What days and bytes rest on.
    assumptions : tuple of str
        In words.
    cautions : tuple of Caution
        What is doubtful.
    sources : tuple of Source
        Files that the shapes were read from.
    """

    models: tuple[ModelCost, ...]
    budget: float | None
    flops_convention: str
    fleet: Fleet | None
    mfu: float | None
    recipe: MemoryRecipe | None
    assumptions: tuple[str, ...]
    cautions: tuple[Caution, ...]
    sources: tuple[Source, ...]

    def __repr__(self) -> str:
        """Return the names with their parameters; the costs are in the fields."""
        models = ", ".join(
            f"{one.counted.name}: {format_count(one.counted.model.params)}" for one in self.models[:_SHOWN]
        )
        more = f", and {len(self.models) - _SHOWN} more" if len(self.models) > _SHOWN else ""
        return f"<Costs of {models}{more}>"


def flops(  # noqa: PLR0913 - public: an argument a question
    models: Sequence[str | Transformer | Counted] | str | Transformer | Counted,
    *,
    examples: float | None = None,
    tokens: float | None = None,
    budget: float | None = None,
    flops_convention: str = "training",
    gpus: str | None = None,
    mfu: float | None = None,
    memory: str | None = None,
    sources: Sequence[Source] = (),
) -> Costs:
    """Count models side by side.

    Parameters
    ----------
    models : str, Transformer, Counted, or a sequence of them
        Names of the catalogue, or models of one shape each.
    examples, tokens : float, optional
        Length of a training: images (sequences, for decoders), or tokens (decoders only).
    budget : float, optional
        Compute to spend instead, counted as `flops_convention` says.
    flops_convention : str
        One of `CONVENTIONS`.
    gpus : str, optional
        ``64xH100``: how many days a training takes there.
    mfu : float, optional
        Share of the peak that the training FLOPs reach; 0.4 by default.
    memory : str, optional
        A name of `RECIPES`; with `gpus`, ``adamw-mixed`` by default.
    sources : sequence of Source
        Files that the models are from.

    Raises
    ------
    ArgumentError
        If an argument makes no sense, or does not go with another.
    InputError
        If a model cannot be counted.
    """
    listed = [models] if isinstance(models, str) or not isinstance(models, Iterable) else list(models)
    if not listed:
        hint = "name some, e.g. ViT-g/14 SoViT-400m/14, or give a file of shapes"
        raise ArgumentError(ErrorDetail("no-models", "there are no models to count", hint))
    find_convention(flops_convention)
    counted = [_counted(model) for model in listed]
    examples, tokens = number_or_none("examples", examples), number_or_none("tokens", tokens)
    budget = number_or_none("budget", budget)
    _check_lengths(examples, tokens, budget)
    fleet, share = _fleet(gpus, mfu)
    if fleet and examples is None and tokens is None and budget is None:
        hint = "add `examples`, `tokens` or `budget`"
        raise ArgumentError(ErrorDetail("no-training", "days need the length of a training", hint))
    recipe = _recipe(memory) if fleet or memory is not None else None
    rows = []
    for one in counted:
        training = _training(one, examples, tokens, budget, flops_convention, fleet, share)
        rows.append(_cost(one, training, recipe))
    return Costs(
        tuple(rows),
        budget,
        flops_convention,
        fleet,
        share,
        recipe,
        _assumptions(rows, fleet, share, recipe),
        _cautions(rows, fleet),
        tuple(sources),
    )


def _fleet(gpus: str | None, mfu: float | None) -> tuple[Fleet | None, float | None]:
    if gpus is None and mfu is None:
        return None, None
    # Counting alone needs no table of accelerators, and starts faster without.
    from shapeplan.counting.accelerators import read_fleet

    return read_fleet(gpus, mfu)


def _recipe(memory: str | None) -> MemoryRecipe:
    from shapeplan.counting.memory import DEFAULT_RECIPE, find_recipe

    return find_recipe(DEFAULT_RECIPE if memory is None else memory)


def _counted(model: str | Transformer | Counted) -> Counted:
    if isinstance(model, str):
        model = named(model)
    elif isinstance(model, Transformer):
        model = Counted(f"{model.family} {model.width}x{model.depth}x{model.mlp_dim}", model, model.family)
    if not isinstance(model, Counted):
        hint = "give names, transformers, or what shapeplan.named returns"
        raise ArgumentError(ErrorDetail("not-a-model", f"{str(model)[:60]!r} is no model", hint))
    for setting in fields(model.model):
        value = getattr(model.model, setting.name)
        if isinstance(value, float) or is_array(value):
            hint = "count arrays and shapes in between with .params, .macs and .flops()"
            message = f"{setting.name} of {model.name} is no whole number"
            raise InputError(ErrorDetail("not-a-model", message, hint, column=setting.name))
    return model


def _cost(counted: Counted, training: Training | None, recipe: MemoryRecipe | None) -> ModelCost:
    model = counted.model
    params = model.params
    memory = None
    if recipe:
        memory = Memory(params * recipe.weights, params * recipe.gradients, params * recipe.optimizer)
    return ModelCost(
        counted,
        params,
        model.active_params,
        non_embedding_params(model),
        model.macs,
        {name: _flops_or_none(model, name) for name in CONVENTIONS},
        {name: part for name, part in model.parts().items() if part.params or part.macs},
        training,
        memory,
    )


def _flops_or_none(model: Transformer, convention: str) -> int | None:
    try:
        return int(model.flops(convention))
    except InputError:
        return None


def _training(
    counted: Counted,
    examples: float | None,
    tokens: float | None,
    budget: float | None,
    convention: str,
    fleet: Fleet | None,
    mfu: float | None,
) -> Training | None:
    model = counted.model
    if tokens is not None and model.examples_unit != "tokens":
        hint = "say `examples` (images)"
        raise ArgumentError(ErrorDetail("wrong-unit", f"{counted.name} sees examples, not tokens", hint))
    each = model.flops("forward") / model.examples_per_input
    if budget is not None:
        seen = budget / (_budgeted(counted, convention) / model.examples_per_input)
    elif tokens is not None:
        seen = tokens
    elif examples is not None:
        seen = examples * model.examples_per_input
    else:
        return None
    forward = each * seen
    training = convert_flops(forward, "forward", "training")
    return Training(seen, forward, training, fleet.days(training, mfu) if fleet and mfu else None)


def _budgeted(counted: Counted, convention: str) -> int:
    try:
        return int(counted.model.flops(convention))
    except InputError:
        message = f"{convention} FLOPs of {counted.name} are not known, and a budget cannot be counted in them"
        hint = "say `flops_convention=forward` or training"
        raise ArgumentError(ErrorDetail("unknown-count", message, hint, value=convention)) from None


def _check_lengths(examples: float | None, tokens: float | None, budget: float | None) -> None:
    given = {"examples": examples, "tokens": tokens, "budget": budget}
    named_ones = [f"`{name}`" for name, value in given.items() if value is not None]
    if len(named_ones) > 1:
        message = f"{' and '.join(named_ones)} both say how long a training is"
        raise ArgumentError(ErrorDetail("two-lengths", message, "give one of them"))
    for name, value in given.items():
        largest = LARGEST_FLOPS if name == "budget" else MOST_EXAMPLES
        if value is not None and not 0 < value <= largest:
            message = f"{name} of {value:g} are not above 0 and at most {largest:g}"
            raise ArgumentError(ErrorDetail("bad-length", message, "check its zeros", value=f"{value:g}"))


def _assumptions(
    rows: Sequence[ModelCost], fleet: Fleet | None, mfu: float | None, recipe: MemoryRecipe | None
) -> tuple[str, ...]:
    lines = ["MACs are those of matrices and convolutions; attention in full, causal masks are not halved"]
    said: dict[str, list[str]] = {}
    for row in rows:
        for text in _said(row):
            said.setdefault(text, []).append(row.name)
    lines += [f"{some_names(names)}: {text}" for text, names in said.items()]
    if fleet and mfu:
        chip = fleet.accelerator
        lines.append(f"{chip.name}: {chip.peak / 1e12:g} TFLOP/s dense ({chip.source}; table of {fleet.as_of})")
        lines.append(f"MFU {mfu:.3g}: that share of the peak, counted in training FLOPs; no restarts, no evaluation")
    if recipe:
        lines.append(f"memory {recipe.name}: {recipe.what} ({recipe.source}); {recipe.total} bytes a parameter")
        lines.append("memory is that of the state, over all devices together; activations are not counted")
    return tuple(lines)


def _said(row: ModelCost) -> list[str]:
    """Return what must be known of one model's counts."""
    return [*([row.counted.note] if row.counted.note else []), *row.counted.model.remarks]


def some_names(names: Sequence[str]) -> str:
    """Return a few names, or the first and the last of many."""
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} ... {names[-1]} ({len(names)} models)"


def _cautions(rows: Sequence[ModelCost], fleet: Fleet | None) -> tuple[Caution, ...]:
    found = []
    lengths = {row.counted.model.tokens for row in rows if row.counted.model.examples_unit == "tokens"}
    if len(lengths) > 1:
        message = f"sequences differ in length ({', '.join(map(str, sorted(lengths)))}), and attention costs with them"
        found.append(Caution(codes.DIFFERENT_LENGTHS, message, "`seq=N` counts all at one length"))
    for row in rows:
        name = row.name
        if fleet and row.memory and row.memory.total > fleet.count * fleet.accelerator.memory:
            message = f"the state of {name} ({format_bytes(row.memory.total)}) is more than {fleet} hold"
            found.append(Caution(codes.DOES_NOT_FIT, message, "more devices, or another recipe"))
        if row.training and row.training.examples < 1:
            message = f"that is less than one example of {name}"
            found.append(Caution(codes.BUYS_NOTHING, message, f"one takes {format_flops(2 * row.macs)} forward FLOPs"))
        if row.training and row.training.days and row.training.days > _CENTURY:
            found.append(Caution(codes.VERY_LONG, f"training {name} takes more than a century", "more accelerators"))
    return tuple(found)

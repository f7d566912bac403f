"""A design: the runs to train, with what they cost, ready for the metric to be filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan import codes
from shapeplan.architectures import Architecture, Cost
from shapeplan.architectures.base import WHOLE_DIMS
from shapeplan.arguments import number, several
from shapeplan.bounds import BOUNDS
from shapeplan.errors import ArgumentError, Caution, ErrorDetail, check_type
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, nearest_multiple
from shapeplan.quantities import Convention, convert_flops
from shapeplan.runs import Runs
from shapeplan.sweeps.dimensions import wrong_size

MOST_RUNS, MOST_POINTS = 10_000, 100
_UNEVEN = 1.35
"""How far ratios of neighbouring values may differ; those on the paper's arms differ by up to 1.12."""
_STEP = 16
"""Width and MLP dim are multiples of this, if not also of the heads."""


@frozen
class Entry:
    """A run to train: a shape, for so many examples, under a name."""

    name: str
    shape: Mapping[str, float]
    examples: float


@frozen
class Design:
    """Runs to train.

    Attributes
    ----------
    runs : Runs
        One row a run, without the metric.
    kind : str
        ``star``, ``grid`` or ``isoflop``.
    boundary : tuple of str
        Names of the shapes of a grid that only hold its inside in place.
    cautions : tuple of Caution
        What is doubtful about it.
    notes : tuple of str
        How its runs follow from what was asked for, where their values alone do not say it.
    """

    runs: Runs
    kind: str
    boundary: tuple[str, ...] = ()
    cautions: tuple[Caution, ...] = ()
    notes: tuple[str, ...] = ()

    def flops(self, convention: Convention) -> float:
        """Return the compute of all runs together; every row is a run of its own, trained to its end."""
        return float(convert_flops(self.runs.flops, self.runs.flops_convention, convention).sum())

    @property
    def values(self) -> dict[str, list[int]]:
        """The values of every dimension, in order."""
        return {dim: [int(value) for value in np.unique(self.runs.values(dim))] for dim in self.runs.dims}

    @property
    def durations(self) -> list[float]:
        """The examples that runs are trained on, in order."""
        return [] if self.runs.examples is None else np.unique(self.runs.examples).tolist()

    @property
    def shapes(self) -> int:
        """How many shapes there are."""
        return len(self.runs.distinct_shapes(self.runs.dims))


def planned(
    entries: Sequence[Entry],
    cost: Cost,
    convention: Convention,
    *,
    examples_unit: str = "examples",
    metric: str = "loss",
) -> Runs:
    """Return the rows of runs to train, each with its compute and everything else that the cost tells.

    Parameters
    ----------
    entries : sequence of Entry
        The runs, at least one.
    cost : Cost
        An architecture counts exactly, and tells heads.
    convention : {"forward", "training"}
        What the compute column counts.
    examples_unit : str
        Where the cost is no architecture, which has its own.
    metric : str
        Name of the column to fill in.

    Raises
    ------
    InputError
        If the architecture does not give one of the shapes.
    """
    dims = tuple(entries[0].shape)
    shape = np.array([[float(entry.shape[dim]) for dim in dims] for entry in entries])
    columns = dict(zip(dims, shape.T, strict=True))
    architecture = cost if isinstance(cost, Architecture) else None
    heads = None
    if architecture is not None:
        # Shapes to train must divide, which only whole numbers are asked to.
        models = [architecture.model({dim: int(size) for dim, size in entry.shape.items()}) for entry in entries]
        heads = np.array([float(model.head_count) for model in models])
    params = cost.params(columns)
    examples = np.array([float(entry.examples) for entry in entries])
    each = convert_flops(1.0, "forward", convention) * cost.flops_per_example(columns)
    return Runs(
        dims=dims,
        shape=shape,
        flops=each * examples,
        flops_convention=convention,
        run=np.arange(len(entries)),
        run_names=tuple(entry.name for entry in entries),
        lines=np.arange(2, len(entries) + 2),
        metric=metric,
        examples=examples,
        examples_unit=architecture.examples_unit if architecture else examples_unit,
        params=None if params is None else np.round(params),
        heads=heads,
        architecture=architecture,
    )


def joined(designs: Iterable[Runs]) -> Runs:
    """Return the rows of several designs of one architecture as one."""
    parts = list(designs)
    names = tuple(name for part in parts for name in part.run_names)

    def column(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in parts])

    return replace(
        parts[0],
        shape=column("shape"),
        flops=column("flops"),
        examples=column("examples"),
        params=column("params"),
        heads=column("heads"),
        run=np.arange(len(names)),
        run_names=names,
        lines=np.arange(2, len(names) + 2),
    )


def step_of(dim: str, cost: Architecture) -> int:
    """Return what a dimension of a shape to train is a multiple of."""
    if dim != "width":
        return _STEP if dim.endswith("_dim") else 1
    # Heads of a fixed width come in groups that share keys and values.
    return int(np.lcm(_STEP, cost.heads or (cost.head_dim or 1) * cost.kv_heads))


def spaced(start: float, ratio: float, count: int, step: int) -> list[int]:
    """Return `count` values from a start on, each a ratio further, rounded to multiples; they may repeat."""
    values = np.asarray(start * ratio ** np.arange(count), dtype=np.float64)
    return [int(value) for value in nearest_multiple(values, step)]


def spacing_cautions(what: str, values: Sequence[int]) -> list[Caution]:
    """Return a caution where the neighbours among sorted values are not about a ratio apart."""
    ratios = np.array(values[1:]) / np.array(values[:-1])
    if ratios.max() / ratios.min() <= _UNEVEN:
        return []
    message = f"neighbours on {what} are {ratios.min():.3g} to {ratios.max():.3g} times apart"
    return [Caution(codes.UNEVEN_SPACING, message, "space values evenly in ratio, e.g. by 1.25")]


def check_durations(durations: Sequence[float], least: int) -> list[float]:
    """Return durations in order; raise `ArgumentError` on ones that make no sense."""
    durations = [number("durations", one) for one in several("durations", durations)]
    wrong = [value for value in durations if not 1 <= value <= BOUNDS["examples"].most]
    if wrong or len(set(durations)) < len(durations):
        why = f"{wrong[0]:g} examples is out of range" if wrong else "a duration is given twice"
        raise ArgumentError(ErrorDetail("bad-durations", why, "write e.g. `durations=64M,128M,256M`"))
    if len(durations) < least:
        message = f"{len(durations)} duration cannot show how loss falls with compute"
        raise ArgumentError(ErrorDetail("bad-durations", message, f"give {least} or more, e.g. 64M,128M,256M"))
    return sorted(durations)


def check_dims(what: str, shape: Mapping[str, float], cost: Architecture) -> None:
    """Raise `ArgumentError` if a shape to train has a dimension that no architecture counts, or one that cannot be."""
    check_architecture(cost)
    known = [dim for dim in WHOLE_DIMS if dim in cost.family.dims]
    unknown = [dim for dim in shape if dim not in known]
    wrong = [dim for dim, size in shape.items() if wrong_size(dim, size)]
    hint = "write e.g. width=1968,depth=40,mlp_dim=6144"
    if unknown:
        message = f"{what} has the dimension {unknown[0]!r}, which {cost.family.name} does not count"
        hint = f"the dimensions are {', '.join(known)}"
    elif wrong or not shape:
        message = f"{what} has a {wrong[0]} of {shape[wrong[0]]:g}" if wrong else f"{what} is empty"
    else:
        return
    raise ArgumentError(ErrorDetail("bad-center" if what == "the centre" else "bad-shape", message, hint))


def check_architecture(architecture: Architecture) -> None:
    """Raise `ArgumentError` unless it is an architecture."""
    hint = "write shapeplan.architecture({'family': 'vit', 'patch': 16, 'image': 224, 'heads': 12})"
    check_type("an architecture", architecture, Architecture, hint)


def check_ratio(ratio: float) -> float:
    """Return the ratio of neighbouring values; raise `ArgumentError` unless it is from 1.01 to 10."""
    ratio = number("ratio", ratio)
    if not 1.01 <= ratio <= 10:
        raise ArgumentError(ErrorDetail("bad-ratio", f"a ratio of {ratio:g} is out of range", "give e.g. 1.25"))
    return ratio


def run_name(shape: str, examples: float) -> str:
    """Return the name of a run: its shape's, and how long it is trained."""
    for scale, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if examples % scale == 0:
            return f"{shape}-{examples / scale:.0f}{suffix}"
    return f"{shape}-{examples:.0f}"

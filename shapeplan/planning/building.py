"""What can be built: by a preset of hardware, and the user's multiples, heads and devices; and shapes of that kind."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import field

import numpy as np

from shapeplan.errors import ArgumentError, ErrorDetail, PlanError, check_choice
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.planning.heads import Heads, preferred_head_dim
from shapeplan.planning.optimum import Optimum
from shapeplan.planning.planner import Planner
from shapeplan.planning.presets import LARGE, MATRICES, PRESETS
from shapeplan.planning.rounding import LARGEST_MULTIPLE, RoundingRule, check_multiples
from shapeplan.planning.shapes import check_shapes, round_to_least_loss
from shapeplan.planning.size import SIZE
from shapeplan.quantities import convert_flops

MOST_REGRET = 0.002
"""Excess loss above which finer multiples are tried."""
_EXPERTS_PER_STEP = 8
"""Experts are a multiple of the step of matrices over this: of 8 from large budgets on."""
_WORTH = 0.5
"""Share of the excess loss that finer multiples may leave to be worth it, where they do not get below `MOST_REGRET`."""
_COARSEST = 0.25
"""Step, as a share of a size, above which finer multiples are tried where no loss tells what they cost."""


@frozen
class Parallelism:
    """How a model is divided among devices.

    Attributes
    ----------
    tensor : int
        Devices that share a layer: heads divide among them, and what each holds of mlp_dim is a whole multiple.
    pipeline : int
        Stages among which the blocks divide.
    expert : int
        Devices among which the experts of a layer divide.
    """

    tensor: int = 1
    pipeline: int = 1
    expert: int = 1


ONE_DEVICE = Parallelism()


@frozen
class Builder:
    """What can be built of a law's dimensions.

    Attributes
    ----------
    fit : Fit
        Whose dimensions are rounded.
    preset : str
        A name of `PRESETS`.
    heads : Heads
        How heads follow from a width.
    parallel : Parallelism
        How the model is divided among devices.
    multiples : mapping of str to int
        The user's, by dimension.
    held : mapping of str to float
        Free dimensions that are fixed.
    """

    fit: Fit
    preset: str = "gpu"
    heads: Heads = field(default_factory=Heads)
    parallel: Parallelism = ONE_DEVICE
    multiples: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)

    def build(
        self, method: Planner, optimum: Optimum, shapes: Mapping[str, Floats], flops: Floats
    ) -> dict[str, Floats]:
        """Return a shape to train for every budget: of least loss around an optimum, the nearest to a recipe's.

        Steps are those of the preset; where they cost more than `MOST_REGRET`, the least loss among finer ones.

        Parameters
        ----------
        method : Planner
            What gave the shapes.
        optimum : Optimum
            The law, with what the shapes must keep.
        shapes : mapping of str to ndarray, shape (budgets,)
            Free dimensions.
        flops : ndarray, shape (budgets,)
            Budgets.

        Raises
        ------
        PlanError
            If no shape on any lattice keeps the limits.
        """
        check_shapes(optimum, shapes, flops)
        if isinstance(method, Optimum):
            return self._of_least_loss(optimum, shapes, flops)
        pieces = []
        for left, rules in self._groups(shapes, flops):
            for rule in rules:
                near = {dim: values[left] for dim, values in shapes.items()}
                fine = _is_fine(rule, near) | (rule is rules[-1])
                pieces.append((left[fine], rule.round({dim: values[fine] for dim, values in near.items()})))
                left = left[~fine]
        return _joined(pieces, len(flops))

    def _of_least_loss(self, optimum: Optimum, shapes: Mapping[str, Floats], flops: Floats) -> dict[str, Floats]:
        pieces = []
        best = optimum.losses(shapes, flops)
        for rows, rules in self._groups(shapes, flops):
            left, regret = rows, np.full(len(flops), np.inf)
            for rule in rules:
                near, budgets = {dim: values[left] for dim, values in shapes.items()}, flops[left]
                try:
                    built = round_to_least_loss(optimum, rule, near, budgets)
                except PlanError:
                    if rule is rules[-1] and not np.isfinite(regret[left]).all():
                        raise
                    continue
                excess = optimum.losses(built, budgets) / best[left] - 1.0
                better = excess <= np.maximum(MOST_REGRET, _WORTH * regret[left])
                pieces.append((left[better], {dim: values[better] for dim, values in built.items()}))
                regret[left[better]] = excess[better]
                left = left[regret[left] > MOST_REGRET]
                if not left.size:
                    break
        return _joined(pieces, len(flops))

    def _groups(self, shapes: Mapping[str, Floats], flops: Floats) -> Iterator[tuple[Index, tuple[RoundingRule, ...]]]:
        """Return budgets that have the same rules, with these, from the preset's to the finest."""
        large = convert_flops(1.0, self.fit.flops_convention, "training") * flops >= LARGE
        whole = self.fit.dimensions.complete({dim: shapes[dim] for dim in self.fit.dims})
        widths = np.broadcast_to(np.asarray(whole.get("width", 1.0), dtype=float), flops.shape)
        head_dims = [preferred_head_dim(width) for width in widths.tolist()]
        groups: dict[tuple[bool, int], list[int]] = {}
        for i, group in enumerate(zip(large.tolist(), head_dims, strict=True)):
            groups.setdefault(group, []).append(i)
        for group, rows in sorted(groups.items()):
            yield np.array(rows), self._rules(float(widths[rows[0]]), large=group[0])

    def _rules(self, width: float, *, large: bool) -> tuple[RoundingRule, ...]:
        """Return what shapes near a width are rounded to, from the preset's multiples to the finest."""
        matrices, steps = PRESETS[self.preset].matrices(large=large), self.heads.width_steps(width)
        own = {
            tuple(sizes.items()): sizes
            for sizes in (self._multiples(matrix, step) for matrix in matrices for step in steps)
        }
        return tuple(RoundingRule(self.fit.dimensions, sizes, self.heads, self.held) for sizes in own.values())

    def _multiples(self, matrix: int, head_step: int) -> dict[str, float]:
        """Return what every dimension is a multiple of."""
        dimensions = self.fit.dimensions
        own = {dim: self._multiple(dim, matrix, head_step) for dim in (*dimensions.free, *dimensions.tied)}
        asked = bool(self.heads.asked) or self.parallel != ONE_DEVICE
        for dim, size in dimensions.fixed.items():
            step = self._multiple(dim, 1, head_step)
            # What never varied stays what it was, unless options say otherwise.
            if dim in self.multiples or (asked and round(size) % step):
                own[dim] = step
        return own

    def _multiple(self, dim: str, matrix: int, head_step: int) -> float:
        if dim not in self.multiples and dim in self.fit.fractional:
            return 10.0 ** (math.floor(math.log10(self.fit.fractional[dim])) - 1)
        size = self.multiples.get(dim, _step(dim, matrix))
        if dim == "depth":
            return math.lcm(size, self.parallel.pipeline)
        if dim == "experts":
            return math.lcm(size, self.parallel.expert)
        if dim in ("mlp_dim", "expert_dim"):
            return size * self.parallel.tensor
        if dim == "heads":
            return math.lcm(size, self.heads.shared_by)
        return math.lcm(size, head_step, self.parallel.tensor) if dim == "width" else size

    def finest(self, dim: str) -> float:
        """Return what a dimension that the user fixed is a multiple of, at least."""
        step = self.heads.width_steps(1.0)[-1] if self.heads.asked or not self.heads.free else self.heads.shared_by
        return self._multiple(dim, 1, step)


def builder(
    fit: Fit,
    *,
    preset: str = "gpu",
    multiples: Mapping[str, int] | None = None,
    heads: int | None = None,
    head_dim: int | None = None,
    parallel: Parallelism = ONE_DEVICE,
    held: Mapping[str, float] | None = None,
) -> Builder:
    """Return what can be built of a law's dimensions.

    Parameters
    ----------
    fit : Fit
        Whose dimensions are rounded.
    preset : str
        A name of `PRESETS`.
    multiples : mapping of str to int, optional
        By dimension, in place of the preset's.
    heads, head_dim : int, optional
        In place of the log's rule for heads: width becomes a multiple.
    parallel : Parallelism
        How the model is divided among devices.
    held : mapping of str to float, optional
        Free dimensions that are fixed.

    Raises
    ------
    ArgumentError
        If a number makes no sense, or they exclude each other.
    """
    check_choice("preset", preset, tuple(PRESETS))
    given, held = dict(multiples or {}), dict(held or {})
    check_multiples(given, fit.dimensions.every)
    asked = {name: value for name, value in (("heads", heads), ("head_dim", head_dim)) if value is not None}
    if len(asked) > 1:
        message = "`heads` and `head_dim` both set the heads"
        raise ArgumentError(ErrorDetail("bad-heads", message, "give one: width follows from it"))
    devices = {"tensor": parallel.tensor, "pipeline": parallel.pipeline, "expert": parallel.expert}
    _check_numbers(asked | {f"{kind}_parallel": count for kind, count in devices.items()})
    _check_shaped(fit, asked, parallel)
    logged = _logged_heads(fit)
    _check_shared((asked or logged).get("heads"), fit.kv_heads, parallel.tensor)
    if len(logged) > 1 and head_dim not in (None, logged["head_dim"]):
        message = f"the architecture sets heads and a head_dim of {logged['head_dim']}, whatever the width"
        raise ArgumentError(
            ErrorDetail("bad-head-dim", message, "leave `head_dim` out, or fit with another architecture")
        )
    _check_experts(fit, parallel.expert)
    rule = Heads(
        asked,
        logged,
        shared_by=math.lcm(fit.kv_heads, parallel.tensor),
        unit=PRESETS[preset].finest,
        free=preset != "none",
    )
    built = Builder(fit, preset, rule, parallel, given, held)
    for dim, size in held.items():
        part = built.finest(dim)
        if dim not in fit.fractional and size % part:
            near = max(part, round(size / part) * part)
            message = f"`fix={dim}={size:g}` is no multiple of {part:g}, which other options or the heads ask for"
            raise ArgumentError(ErrorDetail("bad-fix", message, f"fix {dim}={near:g}, or change them"))
    return built


def _logged_heads(fit: Fit) -> dict[str, int]:
    """Return the log's rule for heads; ``heads`` and ``head_dim`` both where the architecture sets both."""
    settings = fit.architecture.settings if fit.architecture else {}
    both = {name: int(settings[name]) for name in ("heads", "head_dim") if name in settings}
    return both if len(both) > 1 else dict(fit.heads)


def rule_of_log(fit: Fit) -> RoundingRule:
    """Return what shapes of further runs are rounded to: tiles of 16, and the heads of the log."""
    heads = Heads(logged=fit.heads, shared_by=fit.kv_heads)
    own = Builder(fit, heads=heads)._multiples(PRESETS["gpu"].small, heads.width_steps(1.0)[0])
    return RoundingRule(fit.dimensions, own)


def _check_numbers(numbers: Mapping[str, int]) -> None:
    for name, value in numbers.items():
        if not 1 <= value <= LARGEST_MULTIPLE:
            hint = f"give a whole number from 1 to {LARGEST_MULTIPLE}"
            code, message = f"bad-{name.replace('_', '-')}", f"`{name}` cannot be {value}"
            raise ArgumentError(ErrorDetail(code, message, hint, value=str(value)))


def _check_shared(heads: int | None, kv_heads: int, devices: int) -> None:
    """Raise `ArgumentError` where heads cannot be shared; a single key and value head is copied to all devices."""
    if kv_heads > 1 and kv_heads % devices:
        message = f"{kv_heads} key and value heads cannot be split over {devices} devices"
        able = [count for count in range(1, kv_heads + 1) if kv_heads % count == 0]
        hint = f"give `tensor_parallel` as one of {', '.join(map(str, able))}"
        raise ArgumentError(ErrorDetail("bad-tensor-parallel", message, hint, value=str(devices)))
    for parts, why in ((devices, "devices"), (kv_heads, "key and value heads")):
        if heads is not None and heads % parts:
            message = f"{heads} heads cannot be shared by {parts} {why}"
            hint = f"give `heads={math.lcm(heads, kv_heads, devices)}`, or `head_dim`"
            raise ArgumentError(ErrorDetail("bad-heads", message, hint, value=str(parts)))


def _check_shaped(fit: Fit, asked: Mapping[str, int], parallel: Parallelism) -> None:
    """Raise `ArgumentError` where a law of parameters alone is asked for parts of a shape."""
    if fit.dims != (SIZE,):
        return
    devices = {"tensor_parallel": parallel.tensor, "pipeline_parallel": parallel.pipeline}
    given = [*asked, *(name for name, count in devices.items() if count > 1)]
    if given:
        message = f"`{given[0]}` is of a shape, and this law knows models by their parameters alone"
        raise ArgumentError(ErrorDetail("bad-option", message, "leave it out"))


def _check_experts(fit: Fit, devices: int) -> None:
    """Raise `ArgumentError` where there are no experts to divide, or a number that is given and does not divide."""
    if devices == 1 or "experts" in (*fit.dimensions.free, *fit.dimensions.tied):
        return
    fixed = fit.architecture.settings.get("experts") if fit.architecture else None
    experts = int(fit.dimensions.fixed.get("experts", fixed or 0))
    if not experts:
        message, hint = "`expert_parallel` divides experts, and this law has none", "leave it out"
    elif experts % devices:
        message = f"{experts} experts cannot be divided among {devices} devices"
        hint = f"give a divisor of {experts} as `expert_parallel`"
    else:
        return
    raise ArgumentError(ErrorDetail("bad-expert-parallel", message, hint, value=str(devices)))


def _step(dim: str, matrix: int) -> int:
    """Return what a dimension is a multiple of where matrices are of `matrix`.

    Experts divide among the devices of a node, which are 8, where matrices are wide; smaller models have fewer.
    """
    if dim == "experts":
        return max(matrix // _EXPERTS_PER_STEP, 1)
    return matrix if dim in MATRICES else 1


def _is_fine(rule: RoundingRule, near: Mapping[str, Floats]) -> Bools:
    """Return for which shapes the steps are small beside the sizes."""
    shares = [rule.multiple(dim) / near[dim] for dim in MATRICES if dim in near and dim not in rule.held]
    fine = np.ones(len(next(iter(near.values()))), dtype=bool)
    return np.asarray(fine & np.all([share <= _COARSEST for share in shares], axis=0))


def _joined(pieces: list[tuple[Index, dict[str, Floats]]], size: int) -> dict[str, Floats]:
    """Return whole columns from rows of them; later ones take the place of earlier ones."""
    names = dict.fromkeys(name for _, piece in pieces for name in piece)
    columns = {name: np.full(size, np.nan) for name in names}
    for rows, piece in pieces:
        for name, values in piece.items():
            columns[name][rows] = values
    return columns

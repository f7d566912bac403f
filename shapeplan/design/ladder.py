"""Models of one proportion, small to large, and which of them a budget is expected to be best spent on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shapeplan.architectures import Architecture
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.design.layout import step_of
from shapeplan.errors import ArgumentError, Caution, ErrorDetail
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.planning.recommend import recommend
from shapeplan.planning.size import SIZE
from shapeplan.planning.warnings import extrapolation, extrapolation_cautions
from shapeplan.quantities import Convention, convert_flops

TOKENS_PER_PARAMETER = 20.0
"""Compute-optimal for decoders (Hoffmann et al. 2022, arXiv:2203.15556, approaches 1 and 2)."""
USUAL_ASPECT = 64.0
"""Width over depth of GPT-2 small; those of GPT-3 and Llama are 64 to 128."""
_USUAL_MLP, _GATED_MLP = 4.0, 8.0 / 3.0
"""MLP dim over width: the same parameters where the MLP is gated, which has three matrices."""
_SMALLEST, _LARGEST, _RUNGS = 8.0, 1e5, 600
_BEYOND, _BUDGETS = 1e3, 61
"""How far beyond the budgets plans are made for sizes off their best, and how many."""
_TRIED = 4
"""Multiples of width on either side of the wanted one that are tried."""


@frozen
class Ladder:
    """Shapes along one proportion, and the budget that each is expected to be best for.

    Attributes
    ----------
    architecture : Architecture
        Everything that is not shape.
    shapes : mapping of str to ndarray, shape (rungs,)
        Sizes, before rounding, from the smallest model to the largest.
    params : ndarray, shape (rungs,)
        Their parameters.
    flops : ndarray, shape (rungs,)
        The budget that each is expected to be best for.
    says : str
        The rule, in words.
    cautions : tuple of Caution
        What is doubtful about the law behind it.
    """

    architecture: Architecture
    shapes: Mapping[str, Floats]
    params: Floats
    flops: Floats
    says: str
    cautions: tuple[Caution, ...] = ()

    def best(self, budget: float) -> float:
        """Return the parameters that are expected to be best for a budget."""
        return float(np.exp(np.interp(np.log(budget), np.log(self.flops), np.log(self.params))))

    def shape(self, params: float) -> dict[str, int]:
        """Return the shape that can be built whose parameters are nearest, depth first: it is the coarsest."""
        at = np.log(params)
        wanted = {dim: float(np.exp(np.interp(at, np.log(self.params), np.log(s)))) for dim, s in self.shapes.items()}
        tried = [dict(wanted)]
        if "depth" in wanted:
            tried = [{**wanted, "depth": max(1.0, float(round(wanted["depth"])))}]
        if "width" in wanted:
            step = step_of("width", self.architecture)
            middle = round(wanted["width"] / step)
            tried = [
                {**shape, **_scaled(wanted, multiple * step)}
                for shape in tried
                for multiple in range(max(1, middle - _TRIED), middle + _TRIED + 1)
            ]
        whole = [self._whole(shape) for shape in tried]
        return min(whole, key=lambda shape: abs(np.log(float(self.architecture.params(shape)) / params)))

    def _whole(self, shape: Mapping[str, float]) -> dict[str, int]:
        steps = {dim: step_of(dim, self.architecture) for dim in shape}
        return {dim: max(step, round(shape[dim] / step) * step) for dim, step in steps.items()}


def _scaled(wanted: Mapping[str, float], width: int) -> dict[str, float]:
    """Return width, and the MLP dim in the wanted proportion to it."""
    sizes = {"width": float(width)}
    if "mlp_dim" in wanted:
        sizes["mlp_dim"] = wanted["mlp_dim"] / wanted["width"] * width
    return sizes


def ladder_of_aspect(architecture: Architecture, aspect: float, convention: Convention) -> Ladder:
    """Return models whose width is a multiple of their depth, each for the budget that shows it 20 tokens a parameter.

    Parameters
    ----------
    architecture : Architecture
        A decoder; dimensions that it fixes stay.
    aspect : float
        Width over depth.
    convention : {"forward", "training"}
        What the budgets count.

    Raises
    ------
    ArgumentError
        If the aspect makes no sense.
    """
    if not 1 <= aspect <= 1000:
        raise ArgumentError(ErrorDetail("bad-aspect", f"an aspect of {aspect:g} is out of range", "give e.g. 64"))
    free, ratio, settings = free_dims(architecture), _mlp_ratio(architecture), architecture.settings
    width = np.geomspace(_SMALLEST, _LARGEST, _RUNGS)
    # An MLP follows the width that models have.
    follows = np.full(_RUNGS, float(settings["width"])) if "width" in settings else width
    mlp_dim = ratio * (width if "depth" in settings and "width" in settings else follows)
    every = {"width": width, "depth": np.maximum(1.0, width / aspect), "mlp_dim": mlp_dim}
    shapes = {dim: every[dim] for dim in free}
    params = np.broadcast_to(architecture.params(shapes), width.shape)
    each = convert_flops(1.0, "forward", convention) * architecture.flops_per_example(shapes)
    rules = {"width": "width free", "depth": "depth free", "mlp_dim": f"MLP dim {ratio:.3g} times width"}
    if {"width", "depth"} <= set(free):
        rules |= {"width": f"width {aspect:g} times depth", "depth": ""}
    if free == ("mlp_dim",):
        rules["mlp_dim"] = "MLP dim free"
    said = ", ".join(rules[dim] for dim in free if rules[dim])
    says = f"{said}; the middle size at {TOKENS_PER_PARAMETER:g} tokens per parameter (Hoffmann et al. 2022)"
    return Ladder(architecture, shapes, params, each * TOKENS_PER_PARAMETER * params, says)


def ladder_of_plans(
    fit: Fit, architecture: Architecture, budgets: Floats, aspect: float | None, convention: Convention
) -> Ladder:
    """Return the best shapes that a law gives for budgets around some.

    Parameters
    ----------
    fit : Fit
        The law.
    architecture : Architecture
        Of the models to train.
    budgets : ndarray
        Those of the sweep.
    aspect : float, optional
        Width over depth, where the law is over parameters alone.
    convention : {"forward", "training"}
        What the budgets count.

    Raises
    ------
    PlanError
        If the law is not to be planned from.
    ArgumentError
        If its best size does not grow with compute, or both it and the aspect tell proportions.
    """
    if fit.examples_unit != architecture.examples_unit:
        message = f"the law counts {fit.examples_unit}, and {architecture.family.name} {architecture.examples_unit}"
        raise ArgumentError(ErrorDetail("bad-design", message, "give a law of such models, or leave it out"))
    own = convert_flops(budgets, convention, fit.flops_convention)
    cautions = tuple(
        caution
        for end in dict.fromkeys((float(own.min()), float(own.max())))
        for caution in extrapolation_cautions(fit, extrapolation(fit, {}, end))
    )
    around = np.geomspace(budgets.min() / _BEYOND, budgets.max() * _BEYOND, _BUDGETS)
    plans = recommend(fit, around.tolist(), flops_convention=convention).budgets
    dims = tuple(plans[0].shape)
    if dims != (SIZE,) and aspect is not None:
        message = f"the law {fit.law.form.name!r} tells the proportions, and so does `aspect`"
        raise ArgumentError(ErrorDetail("bad-design", message, "give one of them"))
    best = {dim: np.array([plan.shape[dim] for plan in plans]) for dim in dims}
    shapes = {} if dims == (SIZE,) else _completed(architecture, best, aspect)
    params = best[SIZE] if dims == (SIZE,) else np.broadcast_to(architecture.params(shapes), around.shape)
    growing = np.concatenate([[True], np.diff(np.maximum.accumulate(params)) > 0])
    if growing.sum() < 2:
        message = f"the best size under the law {fit.law.form.name!r} does not grow with compute around these budgets"
        raise ArgumentError(
            ErrorDetail("no-growth", message, "give budgets near those of its log, or leave the law out")
        )
    params, around, name = params[growing], around[growing], repr(fit.law.form.name)
    if dims != (SIZE,):
        says = f"the best shapes of the law {name}, those of smaller and larger budgets beside"
        if unknown := [dim for dim in shapes if dim not in best]:
            says += f"; {' and '.join(unknown)}, which it does not know, in {_usual_proportion(architecture, unknown)}"
        kept = {dim: sizes[growing] for dim, sizes in shapes.items()}
        return Ladder(architecture, kept, params, around, says, cautions)
    ladder = ladder_of_aspect(architecture, USUAL_ASPECT if aspect is None else aspect, convention)
    told = (ladder.params >= params[0]) & (ladder.params <= params[-1])
    says = f"{ladder.says.partition(';')[0]}; the middle size is the best of the law {name}"
    flops = np.exp(np.interp(np.log(ladder.params[told]), np.log(params), np.log(around)))
    shapes = {dim: sizes[told] for dim, sizes in ladder.shapes.items()}
    return Ladder(architecture, shapes, ladder.params[told], flops, says, cautions)


def _completed(architecture: Architecture, best: Mapping[str, Floats], aspect: float | None) -> dict[str, Floats]:
    """Return the open dimensions of an architecture: those of a law, the others in the usual proportion to them."""
    width = best.get("width", architecture.settings.get("width"))
    shapes: dict[str, Floats] = {}
    for dim in free_dims(architecture):
        if dim in best:
            shapes[dim] = best[dim]
        elif width is not None and dim != "width":
            factor = _mlp_ratio(architecture) if dim == "mlp_dim" else 1 / (aspect or USUAL_ASPECT)
            shapes[dim] = np.maximum(1.0, factor * np.asarray(width, dtype=float)) * np.ones(
                len(next(iter(best.values())))
            )
        else:
            message = f"the law does not know {dim}, nor the width that it would follow"
            raise ArgumentError(ErrorDetail("bad-design", message, f"set {dim} in the architecture"))
    return shapes


def _mlp_ratio(architecture: Architecture) -> float:
    return _GATED_MLP if architecture.gated else _USUAL_MLP


def _usual_proportion(architecture: Architecture, dims: Sequence[str]) -> str:
    usual = {"mlp_dim": f"{_mlp_ratio(architecture):.3g} times width", "depth": f"width over {USUAL_ASPECT:g}"}
    return " and ".join(usual[dim] for dim in dims)


def free_dims(architecture: Architecture) -> tuple[str, ...]:
    """Return the dimensions of shape that an architecture leaves open."""
    settings = architecture.settings
    implied = {"mlp_dim"} if "mlp_ratio" in settings else set()
    return tuple(dim for dim in SHAPE_DIMS if dim not in settings and dim not in implied)

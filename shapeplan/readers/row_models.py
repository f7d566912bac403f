"""The transformers of the rows: the architecture's at their shapes, with the settings that rows of the log say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from shapeplan import codes
from shapeplan.architectures import Architecture, Transformer
from shapeplan.architectures.settings import LARGEST
from shapeplan.errors import Caution, ErrorDetail, InputError
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.numerics.grouping import group_alike
from shapeplan.quantities import Convention
from shapeplan.readers.cross_check import (
    check_flops,
    check_params,
    counts_of_groups,
    flops_counts,
    other_convention,
    params_counts,
    scattered,
)
from shapeplan.readers.row_settings import is_whole
from shapeplan.readers.within import check_derived

SAME_SIZE = 0.05
"""Sizes this near are the same: an MLP ratio of 8/3 is rounded to multiples of 64 or 256."""


@frozen
class RowModels:
    """Transformers of all rows.

    Attributes
    ----------
    parts : tuple of (ndarray of int, Transformer)
        Rows of the same settings, and their transformers, of arrays of shapes.
    """

    parts: tuple[tuple[Ints, Transformer], ...]

    @property
    def examples_per_input(self) -> Floats:
        """Examples in one input, shape (rows,): tokens in a sequence."""
        return self._scattered([np.asarray(model.examples_per_input) for _, model in self.parts])

    @property
    def params(self) -> Floats:
        """Parameters, shape (rows,)."""
        return self._scattered([np.asarray(model.params, dtype=float) for _, model in self.parts])

    def flops_per_example(self, convention: Convention) -> Floats:
        """Return the FLOPs of one example, shape (rows,)."""
        return self._scattered([model.flops(convention) / model.examples_per_input for _, model in self.parts])

    def doubt_flops(self, flops: Floats, examples: Floats, convention: Convention, lines: Ints) -> list[Caution]:
        """Return cautions where logged compute is not the exact count; as `check_flops`."""
        groups = [(rows, flops_counts(model, examples[rows], convention)) for rows, model in self.parts]
        return check_flops(flops, counts_of_groups(groups), convention, lines)

    def convention_of(self, flops: Floats, examples: Floats, convention: Convention) -> str | None:
        """Return another convention that logged compute follows in all rows; as `other_convention`."""
        found = {other_convention(flops[rows], model, examples[rows], convention) for rows, model in self.parts}
        return found.pop() if len(found) == 1 else None

    def doubt_params(self, params: Floats, lines: Ints) -> list[Caution]:
        """Return cautions where logged parameters are not the exact count; as `check_params`."""
        groups = [(rows, params_counts(model, len(rows))) for rows, model in self.parts]
        return check_params(params, counts_of_groups(groups), lines)

    def _scattered(self, parts: list[Floats]) -> Floats:
        return scattered([rows for rows, _ in self.parts], parts)


def row_models(
    cost: Architecture, shape: dict[str, Floats], settings: Mapping[str, Floats], lines: Ints, name: str
) -> tuple[RowModels, list[Caution]]:
    """Return the transformers of all rows, and a caution if no such models can be built.

    Parameters
    ----------
    cost : Architecture
        Of the log.
    shape : dict of str to ndarray, shape (rows,)
        Dimensions of the shape.
    settings : mapping of str to ndarray, shape (rows,)
        Settings that rows say, over those of the architecture.
    lines, name : ndarray of int, str
        Lines of the rows and the input, for errors.

    Raises
    ------
    InputError
        If a row and the architecture say different sizes of one dimension, or a setting cannot be.
    """
    _check_agreement(cost, shape, lines, name)
    group = group_alike(*settings.values()) if settings else np.zeros(len(lines), dtype=int)
    parts: list[tuple[Ints, Transformer]] = []
    cautions: list[Caution] = []
    for number in range(int(group.max()) + 1):
        rows = np.flatnonzero(group == number)
        said = {setting: int(values[rows[0]]) for setting, values in settings.items()}
        own = replace(cost, settings={**cost.settings, **said})
        sizes = {dim: values[rows] for dim, values in shape.items()}
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                model = own.model(sizes)
                check_derived("flops", np.broadcast_to(model.flops("training"), rows.shape), lines[rows], name)
        except InputError as error:
            place = int(lines[rows[0]])
            details = (found if found.file else replace(found, file=name, line=place) for found in error.details)
            raise InputError(*details) from None
        parts.append((rows, model))
        cautions += _buildable(own, sizes)
    return RowModels(tuple(parts)), list(dict.fromkeys(cautions))


def _buildable(cost: Architecture, shape: dict[str, Floats]) -> list[Caution]:
    if not all(is_whole(values) and values.max() <= LARGEST for values in shape.values()):
        return []
    try:
        cost.model({name: values.astype(np.int64) for name, values in shape.items()})
    except InputError as error:
        hint = "counts assume it all the same: check the architecture, or the rows"
        return [Caution(codes.ARCHITECTURE_MISMATCH, error.details[0].message, hint)]
    return []


def _check_agreement(cost: Architecture, shape: dict[str, Floats], lines: Ints, name: str) -> None:
    """Raise `InputError` where a row and the architecture say different sizes of one dimension."""
    fixed = {dim: cost.settings[dim] for dim in shape if dim in cost.settings}
    if "mlp_ratio" in cost.settings and {"width", "mlp_dim"} <= shape.keys():
        fixed["mlp_dim"] = cost.settings["mlp_ratio"] * shape["width"]
    for dim, size in fixed.items():
        apart = np.flatnonzero(np.abs(shape[dim] / size - 1) > SAME_SIZE)
        if apart.size:
            row = int(apart[0])
            said = np.broadcast_to(size, lines.shape)[row]
            message = f"{dim} is {shape[dim][row]:g} here, and {said:g} in the architecture"
            hint = f"take {'mlp_ratio' if 'mlp_ratio' in cost.settings else dim} out of the architecture"
            raise InputError(ErrorDetail("ambiguous-size", message, hint, name, int(lines[row]), dim))

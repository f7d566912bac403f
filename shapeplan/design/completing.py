"""Runs that would let a log tell what it does not: no law of the log can judge them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from shapeplan.architectures import Architecture, FittedCost
from shapeplan.design.candidates import examples_range
from shapeplan.design.layout import run_name
from shapeplan.fitting.isoflop import Valley
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, Index, nearest_multiple
from shapeplan.planning.building import rule_of_log
from shapeplan.quantities import convert_flops, format_flops

_APART = (0.5, 2.0)
"""Factors of a dimension, or of a ratio, that break a tie."""
_SIZES = (1 / 3, 2 / 3)
"""Where in the order of the trained sizes a tie is broken."""
_SHORTEST = 0.4
"""Part of the shortest training of the log below which no run is proposed; half of it may be asked for."""
_ROUNDING = 1 + 1e-9
_BUDGET = 1.1
"""Factor of compute within which rows are of one budget."""


@frozen
class CompletingRun:
    """A run to add.

    Attributes
    ----------
    name : str
        What to call it.
    shape : mapping of str to int or float
        Its shape, all dimensions.
    examples : float
        How long to train it.
    flops : float
        What it costs, in the convention of the law.
    reason : str
        What the log does not tell without it.
    """

    name: str
    shape: Mapping[str, int | float]
    examples: float
    flops: float
    reason: str


def completing_runs(fit: Fit, share: float) -> tuple[CompletingRun, ...]:
    """Return the runs that a log lacks, the most telling first, as `check` names them.

    Dimensions that move together, or that are kept in proportion, are moved apart at two sizes; a budget of an isoFLOP
    sweep without a minimum gets a size beyond its edge; a ladder at one ratio of examples to parameters gets others.

    Parameters
    ----------
    fit : Fit
        With rows, and a cost.
    share : float
        Most that a run may cost, in the convention of the law.
    """
    rows = fit.rows
    known = {*fit.log.dimensions.free, *fit.log.dimensions.tied, *fit.log.dimensions.fixed}
    if rows is None or fit.cost is None or not known or not set(rows.shape) <= known:
        return ()
    found = _Lacking(fit, share)
    ties = () if fit.law.form.along_ladder else found.off_the_ties()
    wanted = [*found.past_edges(), *found.off_the_ratio(), *ties]
    fewest = _SHORTEST * examples_range(fit)[0]
    return tuple(
        {run.name: run for run in wanted if run.examples >= fewest and run.flops <= share * _ROUNDING}.values()
    )


class _Lacking:
    """What the rows of a fit lack."""

    def __init__(self, fit: Fit, share: float) -> None:
        assert fit.rows is not None, "the rows are not known"
        self.fit, self.rows, self.share = fit, fit.rows, share
        self.built = rule_of_log(fit)
        dims = tuple(self.rows.shape)
        every = np.column_stack([self.rows.shape[dim] for dim in dims])
        shapes = np.unique(every, axis=0)
        order = np.argsort(np.log(shapes).sum(axis=1), kind="stable")
        self.shapes = [dict(zip(dims, map(float, shapes[i]), strict=True)) for i in order]

    def past_edges(self) -> Iterator[CompletingRun]:
        """Return a size beyond the edge of every budget whose best is there, or among sizes that are too few."""
        isoflops = self.fit.log.isoflops
        for valley in isoflops.valleys if isoflops else ():
            if valley.state != "inside":
                yield from self._past_edge(valley)

    def off_the_ratio(self) -> Iterator[CompletingRun]:
        """Return two sizes of a ladder at half and at twice its ratio of examples to parameters."""
        if not self.fit.law.form.along_ladder or self.rows.examples is None:
            return
        for shape in self._two_sizes():
            examples = float(np.median(self.rows.examples[self._rows_at(shape)]))
            for factor in _APART:
                reason = (
                    f"{factor:g} times the ratio of {self.fit.examples_unit} to parameters, which is one in the log"
                )
                yield self._run(shape, factor * examples, reason)

    def off_the_ties(self) -> Iterator[CompletingRun]:
        """Return two sizes with each dimension that follows another halved and doubled, at the compute of a row."""
        dimensions = self.fit.log.dimensions
        ties = {**dimensions.tied, **dimensions.kept}
        for shape in self._two_sizes():
            for dim, tie in ties.items():
                if not self._costs(dim):
                    continue
                how = "moves with" if dim in dimensions.tied else "is kept in proportion to"
                for factor in _APART:
                    moved = {**shape, dim: self._rounded(dim, shape[dim] * factor)}
                    if moved[dim] == shape[dim]:
                        continue
                    spent = min(self.share, float(self.rows.flops[self._rows_at(shape)].max()))
                    reason = f"{dim} {how} {tie.to} in the log: here it is {factor:g} times what follows"
                    yield self._run(moved, spent / self._each(moved), reason)

    def _past_edge(self, valley: Valley) -> Iterator[CompletingRun]:
        here = np.flatnonzero(np.abs(np.log(self.rows.flops / valley.flops)) < np.log(_BUDGET))
        sizes = self._sizes(here)
        order = here[np.argsort(sizes, kind="stable")]
        best = int(np.argmin(self.rows.observed[order]))
        reason = f"the budget {format_flops(valley.flops)} has no minimum among its sizes ({valley.state})"
        for edge, neighbour in self._edges(order, best):
            shape = {
                dim: self._rounded(dim, column[edge] * _step(column[edge], column[neighbour]))
                if dim in self.fit.log.dimensions.free
                else float(column[edge])
                for dim, column in self.rows.shape.items()
            }
            shape |= {dim: self._rounded(dim, tie.of(shape[tie.to])) for dim, tie in self.fit.dimensions.tied.items()}
            yield self._run(shape, valley.flops / self._each(shape), reason)

    def _edges(self, order: Index, best: int) -> Iterator[tuple[int, int]]:
        """Return rows beyond which a budget lacks a size, each with its neighbour inside: on the side of the best."""
        if best <= len(order) // 2:
            yield int(order[0]), int(order[1])
        if best >= (len(order) - 1) // 2:
            yield int(order[-1]), int(order[-2])

    def _sizes(self, rows: Index) -> Floats:
        return self.fit.cost_model.flops_per_example({dim: self.rows.shape[dim][rows] for dim in self.fit.dims})

    def _two_sizes(self) -> list[dict[str, float]]:
        places = {round(place * (len(self.shapes) - 1)) for place in _SIZES}
        return [self.shapes[place] for place in sorted(places, reverse=True)]

    def _rows_at(self, shape: Mapping[str, float]) -> Index:
        same = [self.rows.shape[dim] == size for dim, size in shape.items()]
        return np.flatnonzero(np.all(same, axis=0))

    def _costs(self, dim: str) -> bool:
        """Return whether what a shape costs is known off the ties of a dimension."""
        cost = self.fit.cost
        return isinstance(cost, Architecture) or (isinstance(cost, FittedCost) and dim in cost.dims)

    def _each(self, shape: Mapping[str, float]) -> float:
        assert self.fit.cost is not None, "what a shape costs is not known"
        forward = self.fit.cost.flops_per_example({dim: np.array(size) for dim, size in shape.items()})
        return float(convert_flops(forward, "forward", self.fit.flops_convention))

    def _rounded(self, dim: str, size: float) -> float:
        multiple = self.built.multiples.get(dim, 1)
        return float(max(multiple, nearest_multiple(np.array([size]), multiple)[0]))

    def _run(self, shape: Mapping[str, float], examples: float, reason: str) -> CompletingRun:
        whole = {dim: int(size) if size == round(size) else size for dim, size in shape.items()}
        seen = float(np.floor(examples))
        name = run_name("complete-" + "-".join(map(str, whole.values())), seen)
        return CompletingRun(name, whole, seen, seen * self._each(shape), reason)


def _step(edge: float, neighbour: float) -> float:
    """Return the ratio to the next value beyond an edge: that of the edge to its neighbour."""
    return edge / neighbour if edge != neighbour else 1.0

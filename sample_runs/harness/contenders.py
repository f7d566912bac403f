"""The shapes of a duel: the plan of the log, and those that people would train in its place, at equal compute."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.campaign import DIMS, HEAD_DIM, LOG, Campaign

import shapeplan as sp
from shapeplan.laws import FORMS
from shapeplan.quantities import convert_flops
from shapeplan.sweeps.grid import Start

Shape = Mapping[str, int]


@dataclass(frozen=True)
class Contender:
    """A shape, where it comes from, and how long the budget trains it.

    Attributes
    ----------
    name, source : str
        What it is called; how it was found.
    shape : mapping of str to int
        Width, depth, MLP dim.
    units : int
        Of the campaign: tokens or examples, whole steps of them.
    """

    name: str
    source: str
    shape: Shape
    units: int


@dataclass(frozen=True)
class Duel:
    """What a plan is matched against.

    Attributes
    ----------
    campaign : Campaign
        Whose log and task.
    budget : float
        Training FLOPs of every run, at most.
    metrics : tuple of str
        Columns that are predicted; the plan is for the first.
    proportions : mapping of str to shape
        Models whose proportions are scaled to their best size.
    units : int, optional
        How many different ones there are.
    where : tuple of str
        Which rows of the log are fitted; by default all.
    depths : tuple of int
        Blocks, beside twice and half the plan's, over which the plan's parameters are spread.
    ahead : mapping of str to float
        Laws, and the multiple of the budget that each plans for; `units` do not limit these plans.
    """

    campaign: Campaign
    budget: float
    metrics: tuple[str, ...]
    proportions: Mapping[str, Shape]
    units: int | None = None
    where: tuple[str, ...] = ()
    depths: tuple[int, ...] = ()
    ahead: Mapping[str, float] = field(default_factory=dict)

    def contenders(self, runs: sp.Runs, fit: sp.Fit) -> list[Contender]:
        """Return the contenders under the fit of the log, the plan first; a shape comes once, under its first name."""
        plan = self._planned(fit, self.budget, self.units)
        other = _second(fit)
        second = self._planned(sp.fit(runs, law=other, replicates=0), self.budget, self.units)
        found = [
            self._contender("plan", f"the optimum of the law {fit.law.form.name}", plan),
            *(self._in_proportion(fit, name, shape) for name, shape in self.proportions.items()),
            *self._of_equal_size(plan),
            self._published(fit),
            self._contender("second law", f"the optimum of the law {other}", second),
            *(self._ahead(runs, law, times) for law, times in self.ahead.items()),
            *(self._of_parameters(f"{depth} blocks", plan, depth) for depth in self.depths),
        ]
        first = {tuple(one.shape.values()): one for one in reversed(found)}
        return [one for one in found if first[tuple(one.shape.values())] is one]

    def trained(self, shape: Shape) -> int:
        """Return the units that the budget trains a shape on, in whole steps."""
        each = self.campaign.architecture.model(shape).flops("training") / self.campaign.example_units
        most = min(self.budget / each, self.units or self.budget / each)
        return int(most // self.campaign.step_units) * self.campaign.step_units

    def read(self, metric: str) -> sp.Runs:
        """Return the log of the sweep, with one of its metrics."""
        folder = self.campaign.folder
        rows = sp.Selection(where=self.where)
        return sp.read_runs(folder / LOG, config=folder / "config.yaml", metric=metric, selection=rows)

    def predict(self, fit: sp.Fit, contenders: Iterable[Contender], interval: str = "run") -> sp.Predictions:
        """Predict contenders at what the budget trains them on, in their order."""
        rows = [{"run": f"{i}", **one.shape, self.campaign.unit: one.units} for i, one in enumerate(contenders)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "contenders.csv"
            with path.open("w", newline="") as stream:
                writer = csv.DictWriter(stream, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
            read = sp.read_runs(path, config=self.campaign.folder / "config.yaml", require_metric=False)
        return sp.predict(fit, read, interval=interval)

    def _planned(self, fit: sp.Fit, budget: float, units: int | None) -> Shape:
        return _shape(sp.recommend(fit, flops=budget, head_dim=HEAD_DIM, max_examples=units, force=True))

    def _ahead(self, runs: sp.Runs, law: str, times: float) -> Contender:
        plan = self._planned(sp.fit(runs, law=law, replicates=0), times * self.budget, None)
        source = f"the optimum of the law {law} for {times:g} times the budget, {plan['depth']} blocks"
        return self._contender(f"{law} at {times:g}x", source, plan)

    def _contender(self, name: str, source: str, shape: Shape) -> Contender:
        return Contender(name, source, shape, self.trained(shape))

    def _in_proportion(self, fit: sp.Fit, name: str, model: Shape) -> Contender:
        """Return the size of a family in a model's proportions that the law predicts the least loss for."""

        def scaled(width: int) -> Shape:
            depth = max(1, round(width * model["depth"] / model["width"]))
            return {"width": width, "depth": depth, "mlp_dim": width * model["mlp_dim"] // model["width"]}

        said = " : ".join(str(model[dim]) for dim in DIMS) + ", scaled to its best size under the law"
        sizes = [self._contender(name, said, scaled(width)) for width in range(HEAD_DIM, 40 * HEAD_DIM, HEAD_DIM)]
        family = [one for one in sizes if one.units]
        return family[int(self.predict(fit, family, "law").predicted.argmin())]

    def _of_equal_size(self, plan: Shape) -> Iterable[Contender]:
        """Yield the plan's parameters in twice and in half the blocks."""
        yield self._of_parameters("deep and narrow", plan, 2 * plan["depth"])
        yield self._of_parameters("shallow and wide", plan, max(1, plan["depth"] // 2))

    def _of_parameters(self, name: str, plan: Shape, depth: int) -> Contender:
        """Return the plan's parameters in so many blocks, its MLP as wide in widths."""
        count, each = self.campaign.architecture.model, plan["mlp_dim"] / plan["width"] / HEAD_DIM
        shapes = [
            {"width": width, "depth": depth, "mlp_dim": HEAD_DIM * max(1, round(width * each))}
            for width in range(HEAD_DIM, 8 * plan["width"], HEAD_DIM)
        ]
        shape = min(shapes, key=lambda one: abs(count(one).params - count(plan).params))
        return self._contender(name, f"{depth} blocks of about the plan's parameters", shape)

    def _published(self, fit: sp.Fit) -> Contender:
        """Return the paper's recipe from the log's own start, with the published exponents and equal weights."""
        start = fit.start
        assert start is not None, "the log has a grid to start from"
        budget, least = (convert_flops(flops, "training", "forward") for flops in (self.budget, start.flops))
        own = Start(start.shape, least, "the grid of the log")
        plan = sp.recommend(sp.published_law(), flops=budget, start=own, weights="equal", head_dim=HEAD_DIM)
        return self._contender("published exponents", "the paper's recipe from the log's start", _shape(plan))


def _shape(plan: sp.Plan) -> Shape:
    return {dim: int(plan.budgets[0].rounded[dim]) for dim in DIMS}


def _second(fit: sp.Fit) -> str:
    """Return the law of shapes that the backtest puts next to the one of choice."""
    of_shapes = [one for one in fit.selection if FORMS[one.law].knows_shape]
    scored = {one.law: one.rollout_rmse for one in of_shapes if one.rollout_rmse is not None}
    return min(scored.keys() - {fit.law.form.name}, key=lambda law: scored[law])

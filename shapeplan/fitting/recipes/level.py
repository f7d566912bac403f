"""What the level of a recipe is: of its compute, of its loss, or of the irreducible loss.

A level is one number a recipe, 0 for the reference. It says which row of the reference a row of the recipe is like:
then rows of all recipes share one law.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar

import numpy as np

from shapeplan.frozen import frozen
from shapeplan.laws import Law
from shapeplan.numerics.arrays import Floats
from shapeplan.runs import Runs

LARGEST_FACTOR = 30.0
"""Of compute that a recipe may be worth."""
_MOST_OF_LOSS = 0.5
_HALVINGS = 60


class Level(ABC):
    """A kind of level.

    Attributes
    ----------
    name : str
        As documents write it.
    says : str
        The same in words.
    most : float
        Largest size of a level that is looked for.
    """

    name: ClassVar[str]
    says: ClassVar[str]
    most: float

    @abstractmethod
    def as_reference(self, runs: Runs, levels: Floats) -> Runs:
        """Return the rows of the reference that are like rows of these levels, shape (rows,)."""

    @abstractmethod
    def value(self, level: float) -> float:
        """Return a level in units that people read."""

    def share(self, like: Floats, levels: Floats) -> Floats:
        """Return losses of the reference over those of rows that are like them, by which their errors shrink."""
        return np.ones_like(like)

    def compute(self, level: float, law: Law, runs: Runs) -> float:
        """Return what compute of a recipe is worth in that of the reference: the median over rows of the recipe.

        Under the law the reference reaches the loss of a row with so many times its compute, the shape the same.
        """
        of_compute, here = ComputeLevel(), replace(runs, loss=_loss(law, runs))
        goal = self.as_recipe(here, np.full(len(runs), level)).observed()
        low, high = np.full(len(runs), -of_compute.most), np.full(len(runs), of_compute.most)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            short = _loss(law, of_compute.as_reference(runs, middle)) > goal
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        return float(np.exp(np.median((low + high) / 2)))

    def as_recipe(self, runs: Runs, levels: Floats) -> Runs:
        """Return rows of levels that are like rows of the reference: the reverse of `as_reference`."""
        return self.as_reference(runs, -levels)


@frozen
class ComputeLevel(Level):
    """The logarithm of a factor of compute: a run is like one of the reference that was trained so much longer."""

    name: ClassVar[str] = "compute"
    says: ClassVar[str] = "a factor of compute"
    most: float = float(np.log(LARGEST_FACTOR))

    def as_reference(self, runs: Runs, levels: Floats) -> Runs:
        """Return the rows with compute and examples multiplied."""
        factor = np.exp(levels)
        examples = None if runs.examples is None else runs.examples * factor
        return replace(runs, flops=runs.flops * factor, examples=examples)

    def value(self, level: float) -> float:
        """Return the factor."""
        return float(np.exp(level))

    def compute(self, level: float, law: Law, runs: Runs) -> float:
        """Return the factor."""
        return self.value(level)


@frozen
class LossLevel(Level):
    """The logarithm of a factor of the loss."""

    name: ClassVar[str] = "loss"
    says: ClassVar[str] = "a factor of the loss"
    most: float = float(np.log(2.0))

    def as_reference(self, runs: Runs, levels: Floats) -> Runs:
        """Return the rows with the loss divided by the factor."""
        return replace(runs, loss=runs.observed() * np.exp(-levels))

    def value(self, level: float) -> float:
        """Return the factor."""
        return float(np.exp(level))


@frozen
class EpsLevel(Level):
    """A difference of the irreducible loss, in units of the smallest loss of the log.

    Attributes
    ----------
    smallest : float
        That loss.
    """

    name: ClassVar[str] = "eps"
    says: ClassVar[str] = "a difference of the irreducible loss"
    smallest: float
    most: float = _MOST_OF_LOSS

    def as_reference(self, runs: Runs, levels: Floats) -> Runs:
        """Return the rows with the difference taken off the loss."""
        return replace(runs, loss=runs.observed() - levels * self.smallest)

    def value(self, level: float) -> float:
        """Return the difference in units of the metric."""
        return level * self.smallest

    def share(self, like: Floats, levels: Floats) -> Floats:
        """Return the loss without the difference over that with it."""
        return like / (like + levels * self.smallest)


def levels_for(runs: Runs) -> tuple[Level, ...]:
    """Return the kinds of level, that of compute first."""
    return ComputeLevel(), LossLevel(), EpsLevel(float(runs.observed().min()))


def _loss(law: Law, runs: Runs) -> Floats:
    columns = runs.variables()
    return law.loss(**{name: columns[name] for name in law.form.variables})

"""What a law is: terms with non-negative coefficients, each a product of powers of the variables.

Given its exponents, every law is linear in its coefficients. A `Form` says which terms there are; a `Law` adds the
constants. Forms hold no data, and the engine that fits them sees only arrays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.arrays import Floats

Bounds = tuple[float, float]
EXPONENT_BOUNDS: dict[str, Bounds] = {"a": (0.02, 8.0), "b": (0.02, 8.0), "c": (0.02, 2.0)}
"""Search range of the exponents, by the first letter of their name. Published exponents lie in 0.1 ... 3."""


@dataclass(frozen=True)
class Power:
    """The factor ``variable ** (sign * exponent)`` of a term; the exponent is named, its value comes later."""

    variable: str
    exponent: str
    sign: int


@dataclass(frozen=True)
class Term:
    """A coefficient times a product of powers; with no powers, a constant."""

    coefficient: str
    powers: tuple[Power, ...] = ()

    def value(self, constants: Mapping[str, Floats], logs: Mapping[str, Floats]) -> Floats:
        """Return the term at the variables whose logarithms are `logs`; everything broadcasts."""
        log_power = np.zeros(())
        for power in self.powers:
            log_power = log_power + power.sign * constants[power.exponent] * logs[power.variable]
        return np.asarray(constants[self.coefficient] * np.exp(log_power))


@dataclass(frozen=True)
class Form(ABC):
    """A functional form over named dimensions, without constants.

    Attributes
    ----------
    dims : tuple of str
        The dimensions of the shape that the law speaks of.
    """

    dims: tuple[str, ...]

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that users write after ``--law``."""

    @property
    @abstractmethod
    def source(self) -> str:
        """Where the form comes from."""

    @property
    @abstractmethod
    def branches(self) -> Mapping[str, tuple[Term, ...]]:
        """The sums of terms that are fitted to rows: one for a joint law, one an arm for the star."""

    @abstractmethod
    def loss(self, constants: Mapping[str, Floats], logs: Mapping[str, Floats]) -> Floats:
        """Return the loss at the variables whose logarithms (in the law's units) are `logs`."""

    def scaling_exponents(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the growth exponent of every dimension that the form gives in closed form."""
        return {}

    @property
    def terms(self) -> tuple[Term, ...]:
        """All terms of all branches, in order."""
        return tuple(term for branch in self.branches.values() for term in branch)

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients, in the order of the terms."""
        return tuple(term.coefficient for term in self.terms)

    @property
    def exponents(self) -> tuple[str, ...]:
        """Names of the exponents, each once, in the order they appear."""
        return tuple(dict.fromkeys(power.exponent for term in self.terms for power in term.powers))

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables, each once, in the order they appear."""
        return tuple(dict.fromkeys(power.variable for term in self.terms for power in term.powers))

    def bounds(self, exponent: str) -> Bounds:
        """Return the search range of the exponent of that name."""
        return EXPONENT_BOUNDS[exponent[0]]


@dataclass(frozen=True)
class JointForm(Form):
    """A form with one sum of terms that holds for every shape."""

    @abstractmethod
    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of the sum."""

    @property
    def branches(self) -> Mapping[str, tuple[Term, ...]]:
        """One branch, ``joint``."""
        return {"joint": self.joint_terms()}

    def loss(self, constants: Mapping[str, Floats], logs: Mapping[str, Floats]) -> Floats:
        """Return the sum of the terms."""
        return np.asarray(sum(term.value(constants, logs) for term in self.terms))

    def size_terms(self) -> tuple[Term, ...]:
        """Return ``alpha_k x_k^-a_k`` for every dimension k."""
        return tuple(Term(f"alpha_{dim}", (Power(dim, f"a_{dim}", -1),)) for dim in self.dims)


@dataclass(frozen=True)
class Law:
    """A form with its constants: a function from shape and compute to loss.

    Attributes
    ----------
    form : Form
        Which terms there are.
    constants : mapping of str to float
        Value of every coefficient and exponent; empty for a published law whose constants are not.
    units : mapping of str to float
        Reference value of every variable; powers are of ``variable / unit``.
    """

    form: Form
    constants: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, float] = field(default_factory=dict)

    @property
    def has_loss(self) -> bool:
        """Whether the constants are known, so that `loss` can be called."""
        return bool(self.constants)

    def loss(self, /, **variables: ArrayLike) -> Floats:
        """Return the loss the law predicts.

        Parameters
        ----------
        **variables : array_like
            Every variable of the form by name: the dimensions, and ``flops`` (in the law's convention) or
            ``examples``. They broadcast against each other.

        Returns
        -------
        ndarray
            The loss, in the broadcast shape.

        Raises
        ------
        ValueError
            If a variable is missing or the law has no constants.
        """
        return self.loss_under({name: np.asarray(value) for name, value in self.constants.items()}, **variables)

    def loss_under(self, draws: Mapping[str, Floats], /, **variables: ArrayLike) -> Floats:
        """Return the loss under other constants, such as bootstrap draws of shape (B, 1), by the same broadcasting."""
        if not draws:
            raise ValueError(f"the law {self.form.name!r} has no constants, so it predicts no loss")
        missing = [name for name in self.form.variables if name not in variables]
        if missing:
            raise ValueError(f"the law {self.form.name!r} needs {', '.join(missing)}")
        logs = {
            name: np.log(np.asarray(variables[name], dtype=float) / self.units[name]) for name in self.form.variables
        }
        return self.form.loss(draws, logs)

    def scaling_exponents(self) -> dict[str, float]:
        """Return s_k for every dimension that the form gives in closed form (NaN where it is not defined)."""
        arrays = {name: np.asarray(value) for name, value in self.constants.items()}
        return {dim: float(value) for dim, value in self.form.scaling_exponents(arrays).items()} if arrays else {}

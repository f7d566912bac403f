"""What a law is: terms with non-negative coefficients, each a product of powers of the variables.

Given its exponents, every law is linear in its coefficients. A `Form` defines the terms; a `Law` adds the
constants. Forms hold no data, and the engine that fits them sees only arrays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats

Bounds = tuple[float, float]
OUTER = "kappa"
"""Name of an outer power."""
EXPONENT_BOUNDS: dict[str, Bounds] = {"a": (0.02, 4.0), "b": (0.02, 4.0), "c": (0.02, 2.0), "k": (0.1, 10.0)}
"""Search range of the exponents, by the first letter of their name. Published exponents lie in 0.1 ... 3. That of an
outer power is symmetric about 1."""


@frozen
class Power:
    """The factor ``variable ** (sign * exponent)`` of a term; the exponent is named, its value comes later."""

    variable: str
    exponent: str
    sign: int


@frozen
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


FORMS: dict[str, type[Form]] = {}
"""Every form by the name users write; a form enters when its class is made."""


@frozen
class Form(ABC):
    """A functional form over named dimensions, without constants.

    Attributes
    ----------
    dims : tuple of str
        The dimensions of the shape that are variables of the law.
    """

    dims: tuple[str, ...]

    name: ClassVar[str]
    """The name that users write after ``law``."""
    source: ClassVar[str]
    """Where the form comes from."""
    joint: ClassVar[bool] = True
    """Whether one sum of terms holds for every shape: then a plan is its optimum, else each dimension has its own."""
    plain: ClassVar[str | None] = None
    """The law that this one is at an outer power of 1, where its terms but the constant one are in one, `OUTER`."""
    knows_shape: ClassVar[bool] = True
    """Whether the loss depends on more of a shape than its number of parameters."""
    along_ladder: ClassVar[bool] = False
    """Whether it holds along one line of sizes and durations, so that it says nothing of a shape beside it."""

    def __init_subclass__(cls, *, name: str = "", source: str = "", **rest: object) -> None:
        """Make a form with a name known to everything that lists laws."""
        super().__init_subclass__(**rest)
        if name:
            cls.name, cls.source = name, source
            FORMS[name] = cls

    @classmethod
    def over(cls, dims: tuple[str, ...]) -> Self:
        """Return the form over these dimensions."""
        return cls(dims)

    def around(self, center: Mapping[str, float]) -> Self:
        """Return the form around the centre of a star, in units of the law; a joint form has none."""
        return self

    @property
    @abstractmethod
    def branches(self) -> Mapping[str, tuple[Term, ...]]:
        """The sums of terms that are fitted to rows: one for a joint law, one an arm for the star."""

    @abstractmethod
    def loss(self, constants: Mapping[str, Floats], logs: Mapping[str, Floats]) -> Floats:
        """Return the loss at the variables whose logarithms (in the law's units) are `logs`."""

    def scaling_exponents(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return s_k, the growth of a dimension while the others stay, where the form gives it in closed form."""
        return {}

    def growth_exponents(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the growth of a dimension while all follow the optimum, where the form gives it in closed form."""
        return {}

    def optimum(self, constants: Mapping[str, Floats], log_flops: Floats) -> dict[str, Floats]:
        """Return the shape of least loss at a compute (its logarithm, in the law's units), where in closed form."""
        return {}

    @property
    def outer(self) -> bool:
        """Whether the terms but the constant one are in an outer power."""
        return self.plain is not None

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """All terms of all branches, in order."""
        return tuple(term for branch in self.branches.values() for term in branch)

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients, in the order of the terms."""
        return tuple(term.coefficient for term in self.terms)

    @property
    def exponents(self) -> tuple[str, ...]:
        """Names of the exponents, each once, in the order they appear; an outer power is the last."""
        inner = dict.fromkeys(power.exponent for term in self.terms for power in term.powers)
        return (*inner, OUTER) if self.outer else tuple(inner)

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables, each once, in the order they appear."""
        return tuple(dict.fromkeys(power.variable for term in self.terms for power in term.powers))

    def bounds(self, exponent: str) -> Bounds:
        """Return the search range of the exponent of that name."""
        return EXPONENT_BOUNDS[exponent[0]]


@frozen
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
        """Return the sum of the terms, those but the constant one in the outer power if there is one."""
        if not self.outer:
            return np.asarray(sum(term.value(constants, logs) for term in self.terms))
        inside = sum(term.value(constants, logs) for term in self.terms if term.powers)
        floor = sum(constants[term.coefficient] for term in self.terms if not term.powers)
        return np.asarray(floor + np.asarray(inside) ** constants[OUTER])

    def size_terms(self) -> tuple[Term, ...]:
        """Return ``alpha_k x_k^-a_k`` for every dimension k."""
        return tuple(Term(f"alpha_{dim}", (Power(dim, f"a_{dim}", -1),)) for dim in self.dims)


class Derive(Protocol):
    """Gives the variables of a form at a shape and a compute: examples and params follow from what a shape costs."""

    def __call__(self, form: Form, shape: Mapping[str, Floats], flops: Floats, /) -> Mapping[str, Floats]:
        """Return the variables that are known."""
        ...


@frozen
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
    derive : Derive or None
        Where ``examples`` or ``params`` come from if `loss` is given ``flops`` instead.
    """

    form: Form
    constants: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, float] = field(default_factory=dict)
    derive: Derive | None = field(default=None, compare=False, repr=False)

    @property
    def has_loss(self) -> bool:
        """Whether the constants are known, so that `loss` can be called."""
        return bool(self.constants)

    def arrays(self) -> dict[str, Floats]:
        """Return the constants as forms take them, of shape ()."""
        return {name: np.asarray(value) for name, value in self.constants.items()}

    def loss(self, /, **variables: ArrayLike) -> Floats:
        """Return the loss the law predicts.

        Parameters
        ----------
        **variables : array_like
            Every variable of the form by name: the dimensions, and ``flops`` (in the law's convention), ``examples``
            or ``params``. They broadcast against each other. A law of a fit takes ``flops`` in place of the others.

        Returns
        -------
        ndarray
            The loss, in the broadcast shape.

        Raises
        ------
        ValueError
            If a variable is missing or the law has no constants.
        """
        return self.loss_under(self.arrays(), **variables)

    def loss_under(self, draws: Mapping[str, Floats], /, **variables: ArrayLike) -> Floats:
        """Return the loss under other constants, such as bootstrap draws of shape (B, 1), by the same broadcasting."""
        if not draws:
            raise ValueError(f"the law {self.form.name!r} has no constants, so it predicts no loss")
        if self.derive and "flops" in variables and not variables.keys() >= set(self.form.variables):
            given = {name: np.asarray(value, dtype=float) for name, value in variables.items()}
            variables = {**self.derive(self.form, given, given.pop("flops")), **variables}
        missing = [name for name in self.form.variables if name not in variables]
        if missing:
            raise ValueError(f"the law {self.form.name!r} needs {', '.join(missing)}")
        logs = {
            name: np.log(np.asarray(variables[name], dtype=float) / self.units[name]) for name in self.form.variables
        }
        return self.form.loss(draws, logs)

    def scaling_exponents(self) -> dict[str, float]:
        """Return s_k for every dimension that the form gives in closed form (NaN where it is not defined)."""
        if not self.has_loss:
            return {}
        return {dim: float(value) for dim, value in self.form.scaling_exponents(self.arrays()).items()}

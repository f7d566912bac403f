"""What a log has to offer to laws: which of them it can identify, and why not the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from shapeplan import codes
from shapeplan.arguments import numbers_by_name
from shapeplan.errors import Caution, ErrorDetail, FitError
from shapeplan.frozen import frozen
from shapeplan.laws import FORMS, Form, Star
from shapeplan.numerics.arrays import Floats, Index, Ints
from shapeplan.numerics.collinearity import LogProducts
from shapeplan.runs import Runs
from shapeplan.sweeps.dimensions import Dimensions, find_dimensions
from shapeplan.sweeps.ladder import constant_ratio
from shapeplan.sweeps.star import NoStarError, StarSweep, check_durations, check_rows, find_star

_DETERMINED = 1e-6
_ENOUGH = 10_000
"""Rows in which values are counted first."""
_ROUNDING = 1e-6
_NO_SIGNAL = 1e-9
_COLLINEAR = 0.98
"""Share of a variable that the others may explain; beyond it they are collinear."""
FEWEST_VALUES = 3
"""Values of a variable below which no power law in it with a floor can be told from a straight line."""


@frozen
class Support:
    """Whether the log can identify a law, and why not."""

    law: str
    supported: bool
    reason: str | None = None


@frozen
class Contents:
    """What a log has to offer to laws.

    Attributes
    ----------
    dimensions : Dimensions
        Free, tied and fixed dimensions.
    star : StarSweep or None
        The star, if there is one.
    no_star : NoStarError or None
        Why there is none.
    laws : tuple of Support
        Which laws the log can identify.
    cautions : tuple of Caution
        What is doubtful about the dimensions.
    """

    dimensions: Dimensions
    star: StarSweep | None
    no_star: NoStarError | None
    laws: tuple[Support, ...]
    cautions: tuple[Caution, ...]

    def beside_star(self, runs: Runs) -> Index:
        """Return the rows beside the star: all where there is none."""
        return np.arange(len(runs)) if self.star is None else self.star.beside(runs)

    @property
    def supported(self) -> tuple[str, ...]:
        """The laws that the log can identify."""
        return tuple(law.law for law in self.laws if law.supported)


def survey(runs: Runs, center: Mapping[str, float] | None = None) -> Contents:
    """Look for dimensions, a star, and the laws that a log can identify.

    Raises
    ------
    ArgumentError
        If the centre is no mapping to numbers.
    FitError
        If there is no star around the centre that was given. Around the one that the log names there may be none yet:
        that is a caution.
    """
    center = numbers_by_name("center", center)
    dimensions, cautions = find_dimensions(runs)
    star, no_star = None, None
    try:
        star = find_star(runs, dimensions.free, center or runs.center) if runs.dims else None
    except NoStarError as error:
        if center:
            raise
        no_star = error
        if runs.center:
            hint = "name the centre that was trained, or none to have it found"
            cautions += (Caution(codes.NO_STAR, error.details[0].message, hint),)
    return Contents(dimensions, star, no_star, supports(runs, dimensions, star, no_star), cautions)


def supports(
    runs: Runs, dimensions: Dimensions, star: StarSweep | None, no_star: NoStarError | None
) -> tuple[Support, ...]:
    """Return for every law whether the log can identify it."""
    return tuple(
        joint_support(runs, dimensions, name) if form.joint else star_support(runs, star, no_star)
        for name, form in FORMS.items()
    )


def is_constant(metric: Floats) -> bool:
    """Return whether a metric, shape (rows,), is the same in every row, so that no law can be fitted to it."""
    return bool(np.ptp(metric) <= _NO_SIGNAL * metric.min())


def lacking(
    form: Form, columns: Mapping[str, Floats], unit: str = "examples", products: LogProducts | None = None
) -> str | None:
    """Return what rows lack to identify a joint law; None where they can.

    This is the one rule of identifiability: of a log, and of every fold of it.

    Parameters
    ----------
    form : Form
        A joint law.
    columns : mapping of str to ndarray, shape (rows,)
        What is known of the rows: the variables of the law, and ``examples`` if they are known.
    unit : str
        What the log calls examples, for the reason.
    products : LogProducts, optional
        Of the columns, where they serve more than one law.
    """
    # Durations tell the decay, whether the law is in examples or in compute: at two of them compute is hardly more than
    # a function of the shape, and c, the powers of the shape and the floor are not identified apart.
    asked = dict.fromkeys((*form.variables, *(("examples",) if "examples" in columns else ())))
    counts = {name: _values_apart(columns[name]) for name in asked}
    said = {"examples": unit}
    thin = [f"{said.get(name, name)} (has {count})" for name, count in counts.items() if count < FEWEST_VALUES]
    if thin:
        return f"needs {FEWEST_VALUES} values or more of {', '.join(thin)}"
    if few := _few_combinations(form, columns):
        return few
    unknowns, rows = len(form.coefficients) + len(form.exponents), len(columns["flops"])
    if rows <= unknowns:
        return f"has {unknowns} parameters for {rows} rows"
    if bound := _bound_together(form, products or LogProducts(columns)):
        return f"needs rows in which {bound} does not follow from the others"
    return None


def lacking_on_star(runs: Runs, star: StarSweep) -> str | None:
    """Return what the rows of a star lack to identify Eq. 2; None where they can."""
    thin = [dim for dim in star.arms if len(star.values(runs, dim)) < FEWEST_VALUES]
    if thin:
        return f"needs {FEWEST_VALUES} values or more on the arm of {', '.join(thin)}"
    try:
        check_durations(runs, star)
        check_rows(star)
    except FitError as error:
        return error.details[0].message
    rows = np.concatenate(list(star.arms.values()))
    if runs.examples is not None and (count := _values_apart(runs.examples[rows])) < FEWEST_VALUES:
        return f"needs {FEWEST_VALUES} values or more of {runs.examples_unit} on its arms (has {count})"
    if runs.loss is not None and is_constant(runs.loss[rows]):
        return f"the metric {runs.metric!r} is the same in every row of its arms"
    return None


def _few_combinations(form: Form, columns: Mapping[str, Floats]) -> str | None:
    """Return which dimensions have more constants of their own than combinations in the rows; None where none have.

    Every dimension has its exponents and a coefficient. With five pairs of width and depth, of which every other row is
    a repetition, six constants of the two can be anything.
    """
    powers = {(power.variable, power.exponent) for term in form.terms for power in term.powers}
    constants = {dim: 1 + sum(variable == dim for variable, _ in powers) for dim in form.dims}
    few = None
    # As for values: most logs show enough in a few of their rows.
    for step in _steps(len(columns["flops"])):
        few = _too_few({dim: _ranks(columns[dim][::step]) for dim in form.dims}, constants)
        if few is None:
            break
    return few


def _steps(rows: int) -> tuple[int, ...]:
    """Return how to step through rows: so that enough are met all over the log, then through every one."""
    few = max(rows // _ENOUGH, 1)
    return (few, 1) if few > 1 else (1,)


def _too_few(ranks: Mapping[str, Ints], constants: Mapping[str, int]) -> str | None:
    """Return the first of two dimensions or more with fewer combinations of their ranks than constants."""
    for size in range(2, len(ranks) + 1):
        for some in combinations(ranks, size):
            needed, count = sum(constants[dim] for dim in some), _combinations_apart([ranks[dim] for dim in some])
            if count < needed:
                return f"needs {needed} combinations or more of {' and '.join(some)} (has {count})"
    return None


def _ranks(values: Floats) -> Ints:
    """Return the place of every value among those that more than rounding tells apart."""
    order = np.argsort(values, kind="stable")
    steps = np.diff(np.log(values[order]), prepend=np.log(values[order[:1]])) > _ROUNDING
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.cumsum(steps)
    return ranks


def _combinations_apart(ranks: Sequence[Ints]) -> int:
    """Return how many combinations there are of the ranks of columns."""
    together = np.zeros(1, dtype=np.int64)
    for column in ranks:
        _, together = np.unique(together * (int(column.max()) + 1) + column, return_inverse=True)
    return int(together.max()) + 1


def _values_apart(values: Floats) -> int:
    """Return how many values there are, those that only rounding tells apart counted once; of many at least enough."""
    count = 0
    # Most logs show enough values in a few of their rows; the others are sorted as a whole.
    for step in _steps(len(values)):
        logs = np.sort(np.log(values[::step]))
        count = 1 + int((np.diff(logs) > _ROUNDING).sum()) if logs.size else 0
        if count >= FEWEST_VALUES:
            break
    return count


def star_support(runs: Runs, star: StarSweep | None, no_star: NoStarError | None) -> Support:
    """Return whether the log can identify Eq. 2 on every arm."""
    if not runs.dims:
        return Support(Star.name, False, "needs columns of a shape, such as width and depth")
    if no_star is not None:
        return Support(Star.name, False, no_star.reason)
    assert star is not None, "a log without a star says why"
    reason = lacking_on_star(runs, star)
    return Support(Star.name, reason is None, reason)


def joint_support(runs: Runs, dimensions: Dimensions, name: str) -> Support:
    """Return whether the log can identify a joint law."""
    form = joint_form(name, dimensions)
    ratio = constant_ratio(runs)
    if form.along_ladder and ratio is None:
        return Support(name, False, "needs a ladder: one ratio of examples to parameters in every row")
    if ratio is not None and not form.along_ladder:
        same = f"{ratio:.3g} {runs.examples_unit} per parameter in every row"
        return Support(name, False, f"size and training never move apart: {same}")
    if not dimensions.free and FORMS[name].over(("width",)).dims:
        why = "every row has the same shape" if runs.dims else "needs columns of a shape, such as width and depth"
        return Support(name, False, why)
    known = runs.variables()
    missing = [variable for variable in form.variables if variable not in known]
    if missing:
        wanted = " and ".join("examples (or tokens)" if one == "examples" else one for one in missing)
        return Support(name, False, f"needs {wanted}, or an architecture")
    reason = lacking(form, known, runs.examples_unit, runs.log_products)
    return Support(name, reason is None, reason)


def _bound_together(form: Form, products: LogProducts) -> str | None:
    """Return a variable of the form that the others determine in every row, if there is one."""
    if len(form.variables) < 2:
        return None
    shares = products.explained(form.variables)
    name = max(shares, key=lambda variable: shares[variable])
    return name if shares[name] > 1 - _DETERMINED else None


def collinear_cautions(runs: Runs, form: Form) -> list[Caution]:
    """Return a caution that names the variables of a joint law which hardly move apart."""
    if len(form.variables) < 2 or len(form.branches) > 1:
        return []
    shares = runs.log_products.explained(form.variables)
    found = [name for name, share in shares.items() if share > _COLLINEAR]
    if not found:
        return []
    message = f"{' and '.join(found)} hardly move apart: {max(shares.values()):.1%} of one follows from the others"
    return [Caution(codes.UNIDENTIFIED, message, "the law cannot tell them apart: vary one while the others stay")]


def joint_form(name: str, dimensions: Dimensions) -> Form:
    """Return a joint law over the dimensions that are free."""
    return FORMS[name].over(dimensions.free)


def nothing_supported(contents: Contents) -> FitError:
    """Return the error that says why no law can be identified."""
    laws: dict[str | None, list[str]] = {}
    for law in contents.laws:
        laws.setdefault(law.reason, []).append(law.law)
    reasons = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in laws.items())
    hint = "train more shapes at more durations; shapeplan check shows what the log has"
    return FitError(ErrorDetail("no-law", f"the log cannot identify any law ({reasons})", hint))

"""What is in a log, and which laws it can identify, before any fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shapeplan.errors import Caution, FitError
from shapeplan.laws import FORMS, Form
from shapeplan.runs import Runs
from shapeplan.sweeps.dimensions import Dimensions, find_dimensions
from shapeplan.sweeps.grid import Start, find_start
from shapeplan.sweeps.star import StarSweep, check_durations, check_rows, doubts, find_star

FITTED = ("star",)
"""The laws that `fit` takes; the others can be identified, simulated and told of."""
FEWEST_VALUES = 3
"""Values of a variable below which no power law in it with a floor can be told from a straight line."""


@dataclass(frozen=True)
class Support:
    """Whether the log can identify a law, and why not."""

    law: str
    supported: bool
    reason: str | None


@dataclass(frozen=True)
class Check:
    """The contents of a log.

    Attributes
    ----------
    runs : Runs
        The log.
    shapes : int
        Distinct shapes.
    dimensions : Dimensions
        Free, tied and fixed dimensions.
    values : mapping of str to tuple of float
        Distinct values of every dimension.
    star : StarSweep or None
        The star, if there is one.
    no_star : str or None
        Why there is none.
    grid_rows : int
        Rows beside the star.
    start : Start or None
        The starting point that the grid gives.
    laws : tuple of Support
        Every law.
    fits : tuple of str
        Those that `fit` takes.
    cautions : tuple of Caution
        What is doubtful.
    """

    runs: Runs
    shapes: int
    dimensions: Dimensions
    values: Mapping[str, tuple[float, ...]]
    star: StarSweep | None
    no_star: str | None
    grid_rows: int
    start: Start | None
    laws: tuple[Support, ...]
    fits: tuple[str, ...]
    cautions: tuple[Caution, ...]


def check(runs: Runs, *, center: Mapping[str, float] | None = None) -> Check:
    """Look through a log without fitting it.

    Parameters
    ----------
    runs : Runs
        The log.
    center : mapping of str to float, optional
        Centre of the star, if it is known.

    Returns
    -------
    Check
        What is there, which laws it can identify, and what is missing for the others.
    """
    dimensions, cautions = find_dimensions(runs)
    found: list[Caution] = [*runs.cautions, *cautions]
    star, no_star, start, grid_rows = None, None, None, 0
    try:
        star = find_star(runs, dimensions.free, center or runs.center)
    except FitError as error:
        if error.complaints[0].code != "no-star":
            raise
        no_star = error.complaints[0].message
    if star is not None:
        rest = np.setdiff1d(np.arange(len(runs)), star.rows)
        start, start_cautions = find_start(runs, dimensions.free, rest)
        grid_rows = len(rest)
        found += [*doubts(runs, star), *start_cautions]
    supports = [_star_support(runs, star, no_star)]
    supports += [_joint_support(runs, dimensions, name) for name in FORMS if name != "star"]
    return Check(
        runs=runs,
        shapes=len(runs.distinct_shapes(runs.dims)),
        dimensions=dimensions,
        values={dim: tuple(map(float, np.unique(runs.values(dim)))) for dim in runs.dims},
        star=star,
        no_star=no_star,
        grid_rows=grid_rows,
        start=start,
        laws=tuple(supports),
        fits=FITTED,
        cautions=tuple(found),
    )


def _star_support(runs: Runs, star: StarSweep | None, no_star: str | None) -> Support:
    if star is None or not star.arms:
        return Support("star", False, "no star in the log: see above")
    try:
        check_durations(runs, star)
        check_rows(star)
    except FitError as error:
        return Support("star", False, error.complaints[0].message)
    return Support("star", True, None)


def _joint_support(runs: Runs, dimensions: Dimensions, name: str) -> Support:
    form: Form = FORMS[name](() if name == "chinchilla" else dimensions.free)
    known = runs.variables()
    missing = [variable for variable in form.variables if variable not in known]
    if missing:
        wanted = " and ".join("examples (or tokens)" if one == "examples" else one for one in missing)
        return Support(name, False, f"needs {wanted}, or an architecture")
    thin = [variable for variable in form.variables if len(np.unique(known[variable])) < FEWEST_VALUES]
    if thin:
        return Support(name, False, f"needs {FEWEST_VALUES} values or more of {', '.join(thin)}")
    unknowns = len(form.coefficients) + len(form.exponents)
    if len(runs) <= unknowns:
        return Support(name, False, f"has {unknowns} parameters, the log {len(runs)} rows")
    return Support(name, True, None)

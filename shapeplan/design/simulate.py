"""Synthetic logs: a law, a design, and noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shapeplan.arguments import number, seed_of
from shapeplan.errors import ArgumentError, ErrorDetail, FitError, check_type
from shapeplan.laws import Law
from shapeplan.numerics.arrays import Floats
from shapeplan.quantities import Convention, convert_flops
from shapeplan.runs import Runs, check_log

LEAST_TAILS = 2.5
"""Degrees of freedom at which Student's distribution still has a standard deviation that samples show."""


def simulate(
    law: Law,
    design: Runs,
    *,
    flops_convention: Convention | None = None,
    noise: float = 0.0,
    run_noise: float = 0.0,
    tails: float | None = None,
    seed: int = 0,
) -> Runs:
    """Return the design with a metric drawn from the law.

    Parameters
    ----------
    law : Law
        The truth.
    design : Runs
        Shapes, compute and (for laws of examples) examples of every row.
    flops_convention : {"forward", "training"}, optional
        What the law's compute counts; by default the same as the design's.
    noise : float
        Standard deviation of the relative, independent noise of a row.
    run_noise : float
        The same of a part that all rows of a run have in common, as seeds have.
    tails : float, optional
        Degrees of freedom of Student's distribution, scaled to the same standard deviation: 3 has rows far off now and
        then. Normal by default.
    seed : int
        Seed of NumPy's PCG64; the same seed gives the same log.

    Raises
    ------
    FitError
        If the law has no constants, the design lacks a variable of it, or the noise turns a loss negative.
    ArgumentError
        If the tails are too heavy to have a standard deviation, or the design has no rows.
    """
    check_type("a law", law, Law, "a fit has one: give fit.law")
    check_log(design)
    noise, run_noise, seed = number("noise", noise), number("run_noise", run_noise), seed_of(seed)
    if tails is not None and not tails >= LEAST_TAILS:
        message = f"noise with {tails:g} degrees of freedom has no standard deviation to speak of"
        raise ArgumentError(ErrorDetail("bad-tails", message, f"give {LEAST_TAILS:g} or more; 3 is heavy"))
    if not law.has_loss:
        message = "the law gives growth exponents but no constants, so it draws no loss"
        raise FitError(ErrorDetail("no-constants", message, "simulate from a law that was fitted"))
    variables = design.variables()
    variables["flops"] = convert_flops(
        design.flops, design.flops_convention, flops_convention or design.flops_convention
    )
    missing = [name for name in law.form.variables if name not in variables]
    if missing:
        message = f"the law {law.form.name!r} needs {', '.join(missing)}, which the design does not say"
        raise FitError(ErrorDetail("missing-variable", message, "add the column, or an architecture to derive it"))
    clean = law.loss(**{name: variables[name] for name in law.form.variables})
    rng = np.random.default_rng(seed)
    factor = 1 + noise * _deviates(rng, len(design), tails)
    if run_noise:
        factor = factor + run_noise * _deviates(rng, len(design.run_names), tails)[design.run]
    loss = clean * factor
    wrong = np.flatnonzero(~((loss > 0) & np.isfinite(loss)))
    if wrong.size:
        worst = wrong[np.argmin(loss[wrong])]
        message = f"the row of {design.place(int(worst))} comes out at {loss[worst]:.3g}, which is no loss"
        raise FitError(
            ErrorDetail("not-positive", message, "ask for less noise, or stay nearer to the rows of the law")
        )
    return replace(design, loss=loss)


def _deviates(rng: np.random.Generator, count: int, tails: float | None) -> Floats:
    """Return random numbers of standard deviation one."""
    if tails is None:
        return rng.standard_normal(count)
    return np.asarray(rng.standard_t(tails, count) * np.sqrt((tails - 2) / tails))

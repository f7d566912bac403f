"""All figures by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from shapeplan.arguments import number_or_none, several
from shapeplan.errors import ArgumentError, ErrorDetail, check_choice
from shapeplan.figures.exponents import exponents, growths
from shapeplan.figures.figure import Figure
from shapeplan.figures.frontier import frontier
from shapeplan.figures.isoflop import isoflop
from shapeplan.figures.predicted import predicted
from shapeplan.figures.residuals import residuals
from shapeplan.figures.rollout import rollout
from shapeplan.figures.valley import valley
from shapeplan.fitting.result import Fit, check_is_fit
from shapeplan.quantities import LARGEST_FLOPS

_OF_COMPUTE: dict[str, Callable[[Fit, float | None], Figure]] = {
    "frontier": frontier,
    "isoflop": isoflop,
    "valley": valley,
}
_OF_FIT: dict[str, Callable[[Fit], Figure]] = {"fit": predicted, "residuals": residuals, "rollout": rollout}
FIGURES = ("frontier", "isoflop", "valley", "fit", "residuals", "rollout", "exponents")
"""Names of all figures, in the order of a report."""


def figure(name: str, fits: Fit | Sequence[Fit], flops: float | None = None) -> Figure:
    """Return the numbers of a figure.

    Parameters
    ----------
    name : str
        One of `FIGURES`.
    fits : Fit or sequence of Fit
        One; ``exponents`` compares several.
    flops : float, optional
        Compute, in the convention of the law: where ``frontier`` ends, what ``isoflop`` and ``valley`` are at.

    Raises
    ------
    ArgumentError
        If there is no such figure, or it takes neither several fits nor a compute.
    PlanError
        If the fit cannot give it; the message says why.
    """
    flops = check_compute(name, flops)
    given = several("fits", fits)
    for one in given:
        check_is_fit(one)
    if name == "exponents":
        return exponents(growths(given))
    if len(given) != 1:
        message = f"the figure {name!r} is of one law, and there are {len(given)}"
        raise ArgumentError(ErrorDetail("several-laws", message, "give one; exponents compares several"))
    fit = given[0]
    found = _OF_COMPUTE[name](fit, flops) if name in _OF_COMPUTE else _OF_FIT[name](fit)
    if (distrust := fit.distrust) is None:
        return found
    summary = f"The fit is not to be trusted. {found.summary}"
    return replace(found, summary=summary, cautions=(distrust, *found.cautions))


def check_compute(name: str, flops: float | None) -> float | None:
    """Return the compute that a figure is asked for at, if any; raise `ArgumentError` as `figure` does."""
    check_choice("figure", name, FIGURES)
    flops = number_or_none("flops", flops)
    if flops is not None and not 0 < flops <= LARGEST_FLOPS:
        hint = f"give more than 0 and at most {LARGEST_FLOPS:g}"
        raise ArgumentError(ErrorDetail("bad-flops", f"a compute of {flops:g} FLOPs is out of range", hint))
    if flops is not None and name not in _OF_COMPUTE:
        message = f"the figure {name!r} is at no compute"
        raise ArgumentError(ErrorDetail("bad-flops", message, f"leave `flops` out; {', '.join(_OF_COMPUTE)} take it"))
    return flops

"""What is in a log, and which laws it can identify, before any fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shapeplan.errors import Caution
from shapeplan.fitting.selection.identifiability import Contents, Support, collinear_cautions, joint_form, survey
from shapeplan.fitting.sweep_kinds import SweepKind, kinds_of
from shapeplan.fitting.valleys import find_isoflops
from shapeplan.frozen import frozen
from shapeplan.laws import FORMS
from shapeplan.runs import Runs, check_log
from shapeplan.sweeps.dimensions import Dimensions, hold_two_valued
from shapeplan.sweeps.grid import Start, find_start
from shapeplan.sweeps.star import StarSweep, doubts


@frozen
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
    kinds : tuple of SweepKind
        What the sweep is, what it answers and what not.
    laws : tuple of Support
        Every law.
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
    kinds: tuple[SweepKind, ...]
    laws: tuple[Support, ...]
    cautions: tuple[Caution, ...]

    def __repr__(self) -> str:
        """Return what the sweep is and which laws it can identify; the rest is in the fields."""
        kinds, able = (
            ", ".join(names)
            for names in (
                [kind.name for kind in self.kinds],
                [law.law for law in self.laws if law.supported],
            )
        )
        warned = [caution.code for caution in self.cautions]
        return (
            f"<Check of {len(self.runs)} rows: {kinds or 'no known sweep'}; laws: {able or 'none'}; warnings={warned}>"
        )


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

    Raises
    ------
    ArgumentError
        If it is no log, or has no rows.
    """
    check_log(runs)
    runs = hold_two_valued(runs)
    contents = survey(runs, center)
    star, dims = contents.star, contents.dimensions.free
    rest = contents.beside_star(runs)
    start, start_cautions = find_start(runs, dims, rest) if dims else (None, ())
    return Check(
        runs=runs,
        shapes=len(runs.distinct_shapes(runs.dims)) if runs.dims else 0,
        dimensions=contents.dimensions,
        values={dim: tuple(map(float, runs.distinct_shapes([dim])[:, 0])) for dim in runs.dims},
        star=star,
        no_star=contents.no_star.details[0].message if contents.no_star else None,
        grid_rows=len(rest),
        start=start,
        kinds=kinds_of(runs, contents, find_isoflops(runs)),
        laws=contents.laws,
        cautions=(
            *runs.cautions,
            *contents.cautions,
            *_collinear_cautions(runs, contents),
            *(doubts(runs, star) if star else ()),
            *start_cautions,
        ),
    )


def _collinear_cautions(runs: Runs, contents: Contents) -> tuple[Caution, ...]:
    """Return what would make the fit of a law that the log can identify untrusted, with the laws it concerns."""
    laws: dict[Caution, list[str]] = {}
    for name in contents.supported:
        if FORMS[name].joint:
            for caution in collinear_cautions(runs, joint_form(name, contents.dimensions)):
                laws.setdefault(caution, []).append(name)
    return tuple(replace(caution, message=f"{', '.join(names)}: {caution.message}") for caution, names in laws.items())

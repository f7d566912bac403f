"""What a figure is: a name, a sentence for those who cannot see it, and tables of plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping

from shapeplan.errors import Caution, ErrorDetail, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.fitting.rows import Rows
from shapeplan.frozen import frozen

Value = str | float | int | bool | None
Table = tuple[Mapping[str, Value], ...]


@frozen
class Figure:
    """The numbers of a picture.

    Attributes
    ----------
    name : str
        Of the kind: ``frontier``, ``fit`` ...
    title : str
        What it shows, for a heading.
    about : str
        The law and the metric.
    summary : str
        What can be read off it, in a sentence or two: the text in its place where there is no picture.
    reading : str
        What lines, marks and bands mean.
    tables : mapping of str to tuple of rows
        Its data; a row is a mapping of column to plain value, None where there is none.
    labels : mapping of str to str
        Words for axes, by column.
    cautions : tuple of Caution
        What is doubtful about it, beside the fit's own.
    """

    name: str
    title: str
    about: str
    summary: str
    reading: str
    tables: Mapping[str, Table]
    labels: Mapping[str, str]
    cautions: tuple[Caution, ...] = ()

    def __repr__(self) -> str:
        """Return what it is of, without its tables."""
        sizes = ", ".join(f"{name}: {len(table)} rows" for name, table in self.tables.items())
        return f"<Figure {self.name!r} of {self.about}: {sizes}>"


def finite(value: float | None) -> float | None:
    """Return None for what a document cannot hold."""
    return None if value is None or not math.isfinite(value) else float(value)


def no_figure(name: str, why: str, mend: str) -> PlanError:
    """Return the error of a figure that a fit cannot give."""
    return PlanError(ErrorDetail("no-figure", f"there is no figure {name!r}: {why}", mend))


def rows_behind(fit: Fit, name: str) -> Rows:
    """Return the rows of a fit.

    Raises
    ------
    PlanError
        If it has none.
    """
    if fit.rows is None:
        if fit.quality is None:
            raise no_figure(name, "a published law has no rows", "fit a log of your own")
        raise no_figure(name, "the law document does not hold its rows: an older version wrote it", "fit again")
    return fit.rows


def check_loss(fit: Fit, name: str) -> None:
    """Raise `PlanError` unless the law tells the loss of shapes."""
    if fit.law.has_loss and not fit.law.form.dims:
        raise no_figure(name, f"the law {fit.law.form.name!r} has no shape", "fit a law of shape")
    if not fit.law.has_loss or not fit.dims:
        raise no_figure(name, f"the law {fit.law.form.name!r} predicts no loss of shapes", "fit a log with shapes")
    if not fit.predicts_loss:
        why = f"the law {fit.law.form.name!r} does not hold away from the arms, or what a shape costs is not known"
        raise no_figure(name, why, "fit a joint law, as `shapeplan fit` does by default, or add examples")


def about(fit: Fit) -> str:
    """Return the words for a fit."""
    trust = "" if fit.status == "ok" else ", NOT TO BE TRUSTED"
    return f"law {fit.law.form.name} for {fit.metric}{trust}"


def tied_note(fit: Fit) -> str:
    """Return what dimensions follow others, in a sentence that stands after another; nothing where none does."""
    notes = [f"{dim} is {tie}" for dim, tie in fit.dimensions.tied.items()]
    return f" Tied: {', '.join(notes)}." if notes else ""


def compute_label(fit: Fit) -> str:
    """Return the words for compute."""
    return f"compute ({fit.flops_convention} FLOPs)"

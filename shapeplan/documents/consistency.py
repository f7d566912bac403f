"""Whether the parts of a law document make one law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from shapeplan.documents.rivals import LARGEST_COEFFICIENT, LARGEST_EXPONENT, LARGEST_UNIT
from shapeplan.laws import FORMS, Form
from shapeplan.quantities import LARGEST_FLOPS

if TYPE_CHECKING:
    from shapeplan.documents.law import LawDocument

LARGEST_GROWTH = 1000.0
"""Beyond this a document was not made by a fit."""


def inconsistencies(document: LawDocument) -> Iterator[str]:
    """Yield what is wrong with a document whose fields are valid one by one, the gravest first.

    What comes first makes what follows meaningless: a reader takes the first.
    """
    if document.law not in FORMS:
        yield f"there is no law {document.law!r}; the laws are {', '.join(FORMS)}"
        return
    form = FORMS[document.law].over(document.dims)
    yield from _lacking(document, form)
    yield from _sizes(document)
    yield from _draws(document)
    yield from _constants(document, form)
    yield from _costs(document)
    yield from _growths(document)
    yield from _dimensions(document)
    yield from _ranges(document)


def _lacking(document: LawDocument, form: Form) -> Iterator[str]:
    """Yield the parts that lack a name of the law."""
    dims, draws = set(document.dims), document.bootstrap.draws
    constants = {*form.coefficients, *form.exponents} if document.parameters else set()
    needed: dict[str, tuple[set[str], Mapping[str, object]]] = {
        "parameters": (constants, document.parameters),
        "units": (set(form.variables) if constants else set(), document.units),
        "bootstrap.draws": (constants if draws else set(), draws),
        "star.center": (dims if constants and not form.joint else set(), center_in(document)),
        "scaling_exponents": (set() if form.joint else dims, document.scaling_exponents),
        "start.shape": (dims if document.start else set(), document.start.shape if document.start else {}),
    }
    for where, (wanted, given) in needed.items():
        if lacking := sorted(wanted - given.keys()):
            yield f"{where} lacks {', '.join(lacking)}"


def _sizes(document: LawDocument) -> Iterator[str]:
    """Yield the parts with sizes that are none."""
    for where, sizes in (
        ("units", document.units),
        ("star.center", center_in(document)),
        ("start.shape", document.start.shape if document.start else {}),
        ("fixed", document.fixed),
    ):
        if wrong := [name for name, size in sizes.items() if not 1 / LARGEST_UNIT <= size <= LARGEST_UNIT]:
            why = "not positive" if any(sizes[name] <= 0 for name in wrong) else "beyond all bounds"
            yield f"{where} is {why} in {', '.join(wrong)}"
    if document.start and document.start.flops <= 0:
        yield "start.flops is not positive"


def _draws(document: LawDocument) -> Iterator[str]:
    draws = document.bootstrap.draws
    if len({len(draw) for draw in draws.values()}) > 1:
        yield "bootstrap.draws are of different lengths"
    if draws and not next(iter(draws.values())):
        yield "bootstrap.draws are empty"
    if document.parameters and document.fit is None:
        yield "fit is null though there are parameters"
    if document.fit and document.fit.relative_rmse < 0:
        yield "fit.relative_rmse is below 0"


def _constants(document: LawDocument, form: Form) -> Iterator[str]:
    """Yield the constants that no fit gives."""
    for what, numbers in (
        ("parameters", {name: (record.value,) for name, record in document.parameters.items()}),
        ("bootstrap.draws", document.bootstrap.draws),
    ):
        for name, values in numbers.items():
            most = LARGEST_EXPONENT if name in form.exponents else LARGEST_COEFFICIENT
            if not all(0 <= value <= most for value in values):
                yield f"{what} of {name} are not in 0 ... {most:g}"


def _costs(document: LawDocument) -> Iterator[str]:
    terms = document.cost.terms if document.cost else ()
    if not all(0 < term.coefficient <= LARGEST_UNIT for term in terms):
        yield f"coefficients of cost are not in 0 ... {LARGEST_UNIT:g}"


def _growths(document: LawDocument) -> Iterator[str]:
    growths = [record.value for record in (*document.scaling_exponents.values(), *document.growth_exponents.values())]
    growths += [value for values in document.bootstrap.exponents.values() for value in values]
    if not all(value is None or abs(value) <= LARGEST_GROWTH for value in growths):
        yield f"exponents of growth are not within {LARGEST_GROWTH:g}"


def _dimensions(document: LawDocument) -> Iterator[str]:
    """Yield the parts that speak of other dimensions than the law."""
    dims = set(document.dims)
    if len(dims) < len(document.dims) or (not dims and FORMS[document.law].knows_shape):
        yield "dims are missing or double"
    for dim, tie in document.tied.items():
        if tie.to not in dims or not 1 / LARGEST_UNIT <= tie.ratio <= LARGEST_UNIT:
            yield f"{dim} is tied to {tie.to!r} by {tie.ratio:g}"
        if not 1 / LARGEST_GROWTH <= tie.power <= LARGEST_GROWTH:
            yield f"{dim} is tied to {tie.to!r} by a power of {tie.power:g}"
    for dim, tie in document.kept.items():
        leads = dim in dims and tie.to in dims - document.kept.keys()
        sound = 1 / LARGEST_UNIT <= tie.ratio <= LARGEST_UNIT and abs(tie.power) <= LARGEST_GROWTH
        if not (leads and sound):
            yield f"{dim} is kept in proportion to {tie.to!r} by {tie.ratio:g} and a power of {tie.power:g}"
    named = [*document.dims, *document.tied, *document.fixed]
    if document.cost and any(term.exponents.keys() - set(named) for term in document.cost.terms):
        yield "cost speaks of other dimensions than dims"
    if any(rival.dims != document.dims for rival in document.rivals):
        yield "rivals speak of other dimensions than dims"
    arms = set(document.arms)
    for dim, arm in document.arms.items():
        if not arm.values:
            yield f"the arm of {dim} has no values"
    if dims and not (arms <= dims and all(arms <= set(row.by_arm) for row in document.center)):
        yield "arms, or the centre's errors by arm, speak of other dimensions than dims"
    if not document.heads.keys() <= {"heads", "head_dim"}:
        yield "heads are told by heads or head_dim alone"
    if len(set(named)) < len(named):
        yield "dims, tied and fixed name a dimension twice"


def _ranges(document: LawDocument) -> Iterator[str]:
    dims, covered = set(document.dims), document.range
    for name, parameter in document.parameters.items():
        if parameter.ci and parameter.ci[0] > parameter.ci[1]:
            yield f"parameters: the ends of the interval of {name} are the wrong way round"
    if not 1e-6 <= covered.flops[0] <= covered.flops[1] <= LARGEST_FLOPS:
        yield "range.flops is beyond all bounds"
    if not dims <= covered.shape.keys():
        yield "range is missing a dimension"
    if document.rows and not dims <= document.rows.shape.keys():
        yield "rows.shape is missing a dimension"
    if not all(1 / LARGEST_UNIT <= end <= LARGEST_UNIT for ends in covered.shape.values() for end in ends):
        yield "range.shape is not positive, or beyond all bounds"


def center_in(document: LawDocument) -> dict[str, float]:
    """Return the centre of the star; empty without one."""
    return dict(document.star.center) if document.star else {}

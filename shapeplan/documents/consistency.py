"""Whether the parts of a law document make one law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shapeplan.documents.bounds import bounds_of
from shapeplan.documents.places import Fault, Path
from shapeplan.laws import FORMS, Form

if TYPE_CHECKING:
    from shapeplan.documents.law import LawDocument

_ROUNDING = 1e-9
"""Relative: an end of an interval may be the value itself, computed in another order."""


def inconsistencies(document: LawDocument) -> Iterator[Fault]:
    """Yield what is wrong with a document whose fields are valid one by one."""
    if document.law not in FORMS:
        yield Fault(("law",), f"is no law; the laws are {', '.join(FORMS)}")
        return
    form = FORMS[document.law].over(document.dims)
    yield from _dimensions(document)
    yield from _lacking(document, form)
    yield from _unknown(document, form)
    yield from _draws(document, form)
    yield from _constants(document, form)
    yield from _followers(document)
    yield from _sections(document)
    yield from _choice(document)
    yield from _budgets(document)
    yield from _tuning(document)


def outside_intervals(data: Any, path: Path = ()) -> Iterator[Fault]:
    """Yield the estimates of a document, of any kind, that their own interval does not hold."""
    if isinstance(data, list):
        # The long lists of a document are of numbers.
        for index, item in enumerate(data if data and isinstance(data[0], dict) else ()):
            yield from outside_intervals(item, (*path, index))
    if not isinstance(data, dict):
        return
    interval = data.get("ci")
    if isinstance(interval, list) and len(interval) == 2 and None not in interval:
        least, most = interval
        value = data.get("value", least)
        slack = _ROUNDING * max(abs(least), abs(most))
        if least > most:
            yield Fault((*path, "ci"), "the ends of the interval are the wrong way round")
        elif value is not None and not least - slack <= value <= most + slack:
            yield Fault((*path, "value"), f"is outside its interval, {least:g} to {most:g}")
    for key, held in data.items():
        yield from outside_intervals(held, (*path, key))


def _lacking(document: LawDocument, form: Form) -> Iterator[Fault]:
    """Yield the parts that lack a name of the law."""
    dims, draws = set(document.dims), document.bootstrap.draws
    # A law that was published may have exponents alone; one that was fitted to rows has constants.
    constants = {*form.coefficients, *form.exponents} if document.parameters or document.rows else set()
    star = dims if constants and not form.joint else set[str]()
    start, rows = document.start, document.rows
    needed: dict[str, tuple[set[str], Mapping[str, object]]] = {
        "parameters": (constants, document.parameters),
        "units": (set(form.variables) if constants else set(), document.units),
        "bootstrap.draws": (constants if draws else set(), draws),
        "star.center": (dims if document.star or document.arms else star, center_in(document)),
        "scaling_exponents": (
            set() if form.joint and not document.scaling_exponents else dims,
            document.scaling_exponents,
        ),
        "bootstrap.exponents": (dims if document.bootstrap.exponents else set(), document.bootstrap.exponents),
        "start.shape": (dims if start else set(), start.shape if start else {}),
        "range.shape": (dims, document.range.shape),
        "rows.shape": (dims if rows else set(), rows.shape if rows else {}),
    }
    for where, (wanted, given) in needed.items():
        if lacking := sorted(wanted - given.keys()):
            yield Fault(tuple(where.split(".")), f"{where} lacks {', '.join(lacking)}")


def _unknown(document: LawDocument, form: Form) -> Iterator[Fault]:
    """Yield the names that are of no dimension or constant of the law."""
    dims = set(document.dims)
    every = {*dims, *document.tied, *document.fixed}
    constants = {*form.coefficients, *form.exponents}
    start, star, rows = document.start, document.star, document.rows
    known: dict[str, tuple[set[str], Mapping[str, object]]] = {
        "parameters": (constants, document.parameters),
        "bootstrap.draws": (constants, document.bootstrap.draws),
        "bootstrap.exponents": (dims, document.bootstrap.exponents),
        "scaling_exponents": (dims, document.scaling_exponents),
        "growth_exponents": ({*dims, "params"}, document.growth_exponents),
        "start.shape": (every, start.shape if start else {}),
        "star.center": (every, star.center if star else {}),
        "range.shape": ({*every, "params"}, document.range.shape),
        "rows.shape": ({*every, "params"}, rows.shape if rows else {}),
        "arms": (dims, document.arms),
        "size_drift": (dims, document.size_drift),
        "trends": ({*every, "flops", "params", "examples"}, document.trends),
        "heads": ({"heads", "head_dim"}, document.heads),
    }
    for where, (names, given) in known.items():
        for name in sorted(given.keys() - names):
            yield Fault((*where.split("."), name), f"{where} has {name!r}, which the law has not")


def _dimensions(document: LawDocument) -> Iterator[Fault]:
    """Yield what is wrong with the names of the dimensions."""
    dims = set(document.dims)
    if len(dims) < len(document.dims) or (not dims and FORMS[document.law].knows_shape):
        yield Fault(("dims",), "dims are missing or double")
    named = [*document.dims, *document.tied, *document.fixed]
    if len(set(named)) < len(named) and len(dims) == len(document.dims):
        yield Fault(("dims",), "dims, tied and fixed name a dimension twice")
    terms = document.cost.terms if document.cost else ()
    if any(term.exponents.keys() - set(named) for term in terms):
        yield Fault(("cost",), "cost speaks of other dimensions than dims")
    for index, rival in enumerate(document.rivals):
        if rival.dims != document.dims:
            yield Fault(("rivals", index, "dims"), "rivals speak of other dimensions than dims")
    for index, row in enumerate(document.center):
        if not document.arms.keys() <= row.by_arm.keys():
            yield Fault(("center", index, "by_arm"), "the centre's errors by arm speak of other dimensions than arms")


def _draws(document: LawDocument, form: Form) -> Iterator[Fault]:
    """Yield the draws that are not as many as the replicates."""
    bootstrap = document.bootstrap
    if bootstrap.replicates and document.parameters and not bootstrap.draws:
        yield Fault(("bootstrap", "draws"), f"bootstrap.draws are empty, and {bootstrap.replicates} are stated")
    for part, draws in (("draws", bootstrap.draws), ("exponents", bootstrap.exponents)):
        for name, draw in draws.items():
            if len(draw) != bootstrap.replicates:
                message = (
                    f"bootstrap.{part} of {name} are {len(draw)}, and {bootstrap.replicates} replicates are stated"
                )
                yield Fault(("bootstrap", part, name), message)
    if bootstrap.unconverged > bootstrap.replicates:
        yield Fault(("bootstrap", "unconverged"), "is more than there are replicates")
    for index, rival in enumerate(document.rivals):
        count = len(next(iter(rival.draws.values()), ()))
        if count > bootstrap.replicates:
            message = f"the rival has {count} draws, and {bootstrap.replicates} replicates are stated"
            yield Fault(("rivals", index, "draws"), message)
    if document.parameters and document.fit is None:
        yield Fault(("fit",), "fit is null though there are parameters")


def _constants(document: LawDocument, form: Form) -> Iterator[Fault]:
    """Yield the constants that no fit gives."""
    for name in (*form.coefficients, *form.exponents):
        least, most = bounds_of(form, name)
        bounds = f"{least:.6g} ... {most:.6g}"
        if (record := document.parameters.get(name)) is not None:
            if not least <= record.value <= most:
                yield Fault(("parameters", name, "value"), f"is not in {bounds}")
            elif record.ci and not least <= record.ci[0] <= record.ci[1] <= most:
                yield Fault(("parameters", name, "ci"), f"the interval of {name} is not in {bounds}")
        wrong = (i for i, value in enumerate(document.bootstrap.draws.get(name, ())) if not least <= value <= most)
        for index in wrong:
            yield Fault(("bootstrap", "draws", name, index), f"is not in {bounds}")
            break


def _followers(document: LawDocument) -> Iterator[Fault]:
    """Yield the dimensions that follow none that is free."""
    dims = set(document.dims)
    for dim, tie in document.tied.items():
        if tie.to not in dims:
            yield Fault(("tied", dim, "to"), f"{dim} is tied to {tie.to!r}, which is no dimension of the law")
    for dim, tie in document.kept.items():
        if dim not in dims or tie.to not in dims - document.kept.keys():
            yield Fault(("kept", dim, "to"), f"{dim} is kept in proportion to {tie.to!r}, which it cannot follow")


def _sections(document: LawDocument) -> Iterator[Fault]:
    """Yield the counts and errors that contradict each other."""
    for dim, arm in document.arms.items():
        if not arm.values:
            yield Fault(("arms", dim, "values"), f"the arm of {dim} has no values")
        if arm.runs > arm.rows:
            yield Fault(("arms", dim, "runs"), f"is more than its {arm.rows} rows")
    if document.fit and document.fit.runs > document.fit.rows:
        yield Fault(("fit", "runs"), f"is more than the {document.fit.rows} rows")
    for part, error in (("center_error", document.center_error), ("grid_error", document.grid_error)):
        if error and not abs(error.bias) * (1 - _ROUNDING) <= error.rmse <= abs(error.worst) * (1 + _ROUNDING):
            yield Fault((part, "rmse"), "is not between the mean and the largest of the errors it sums up")
    if document.center_error and document.center_error.rows != len(document.center):
        yield Fault(("center_error", "rows"), f"is not the number of rows of the centre, {len(document.center)}")
    for place, influence in document.influences.records():
        if {len(influence.lines), len(influence.files) or len(influence.runs)} != {len(influence.runs)}:
            yield Fault(("influences", *place), "runs, lines and files are not as many")
    settings = document.architecture or {}
    for name, number in document.heads.items():
        if settings.get(name, number) != number:
            yield Fault(("heads", name), f"is not that of the architecture, {settings[name]}")


def _choice(document: LawDocument) -> Iterator[Fault]:
    """Yield what is wrong with the table of choice, and with the recipes."""
    laws = [score.law for score in document.selection]
    for index, law in enumerate(laws):
        if law not in FORMS:
            yield Fault(("selection", index, "law"), f"is no law; the laws are {', '.join(FORMS)}")
    if len(set(laws)) < len(laws):
        yield Fault(("selection",), "selection scores a law twice")
    if laws and document.law not in laws:
        yield Fault(("selection",), f"selection does not score the law of choice, {document.law!r}")
    for index, rival in enumerate(document.rivals):
        if laws and rival.law not in laws:
            yield Fault(("rivals", index, "law"), "is not scored in selection")
    if document.recipes and document.recipes[0].compute.value != 1:
        yield Fault(("recipes", 0, "compute", "value"), "is not 1, what compute of the reference is worth")


def _budgets(document: LawDocument) -> Iterator[Fault]:
    """Yield the budgets of an isoFLOP sweep that are no such, and rows of the front that one before them beats."""
    valleys = document.isoflop.budgets if document.isoflop else ()
    if document.isoflop and not valleys:
        yield Fault(("isoflop", "budgets"), "isoflop has no budgets")
    for index, valley in enumerate(valleys):
        if (valley.state == "inside") != (valley.best is not None):
            yield Fault(("isoflop", "budgets", index, "best"), f"does not go with the state {valley.state!r}")
    for part, flops in (
        (("isoflop", "budgets"), [valley.flops for valley in valleys]),
        (("front",), [row.flops for row in document.front]),
    ):
        for index, (before, after) in enumerate(pairwise(flops), 1):
            if after < before:
                yield Fault((*part, index, "flops"), "is less than the one before")
    for index, (better, worse) in enumerate(pairwise(document.front), 1):
        if worse.loss > better.loss:
            yield Fault(("front", index, "loss"), "is above the one before, of as little compute")


def center_in(document: LawDocument) -> dict[str, float]:
    """Return the centre of the star; empty without one."""
    return dict(document.star.center) if document.star else {}


def _tuning(document: LawDocument) -> Iterator[Fault]:
    """Yield the power laws of the recipe whose parts are of other variables than their powers."""
    for name, tuned in (("lr", document.tuning.lr), ("batch", document.tuning.batch)) if document.tuning else ():
        law, path = tuned.law, ("tuning", name, "law")
        if law is None:
            continue
        if not law.exponents or not set(law.exponents) <= {"flops", "params", "examples"}:
            yield Fault((*path, "exponents"), "a power law of the recipe is one of flops, params and examples")
        for part, given in (("center", law.center), ("covered", law.covered)):
            if given.keys() != law.exponents.keys():
                yield Fault((*path, part), "is of other variables than exponents")
        count = len(law.exponents)
        if [len(row) for row in law.spread] != [count] * count:
            yield Fault((*path, "spread"), f"is no matrix of {count} variables")

"""Documents from and to files: strict reading with the place of every mistake."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from shapeplan.documents.agreement import disagreements
from shapeplan.documents.base import SCHEMA_VERSION, Document
from shapeplan.documents.bounds import beyond_bounds
from shapeplan.documents.consistency import inconsistencies, outside_intervals
from shapeplan.documents.law import KIND, LawDocument, fit_of, law_document
from shapeplan.documents.places import Fault, line_of, placed
from shapeplan.documents.writing import write_file
from shapeplan.errors import ErrorDetail, InputError
from shapeplan.fitting.result import Fit
from shapeplan.provenance import Source
from shapeplan.readers.json_text import loads_once
from shapeplan.readers.source import read_text

if TYPE_CHECKING:
    from shapeplan.documents.metrics import MetricsDocument
    from shapeplan.documents.plan import PlanDocument

METRICS = "shapeplan.metrics"
D = TypeVar("D", bound=Document)
_KIND = ("kind",)
_CONSTANT = r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)'
"""Pattern of a text, or of what is no number outside one; compiled where one is there."""
PUBLISHED = "sovit"
"""The embedded law: the exponents that arXiv:2305.13035 publishes."""


def read_law(path: str | Path) -> Fit:
    """Read a law document.

    Parameters
    ----------
    path : str or Path
        The file, or ``-`` for stdin.

    Returns
    -------
    Fit
        The law with its evidence; its source is the document itself.

    Raises
    ------
    InputError
        If it is not a law document that this version can read; the complaint names the field.
    """
    text = read_text(path)
    return _parse(text.body, _load(text.body, text.name), text.name, text.source)


def save(fit: Fit, path: str | Path) -> None:
    """Write the law document of a fit, as a whole or not at all.

    Raises
    ------
    OutputError
        If the path is an input of the fit or a directory, or cannot be written.
    """
    write_file(path, law_document(fit).dumps(), tuple(source.name for source in fit.sources))


def load(path: str | Path) -> Fit:
    """Read what `Fit.save` or ``fit -o`` wrote; as `read_law`."""
    return read_law(path)


def published_law() -> Fit:
    """Return the embedded law: the published growth exponents of SoViT, with a calibrated starting point."""
    body = (Path(__file__).parent / "published" / f"{PUBLISHED}.json").read_text(encoding="utf-8")
    name = f"{PUBLISHED} (embedded)"
    return _parse(body, _load(body, name), name, None)


def read_law_or_metrics(path: str | Path) -> Fit | tuple[MetricsDocument, Source]:
    """Read a law document, or one of several metrics with its source.

    Raises
    ------
    InputError
        As `read_law`.
    """
    # Loaded where it may be needed: `recommend` starts without.
    from shapeplan.documents.metrics import MetricsDocument

    text = read_text(path)
    data = _load(text.body, text.name)
    if _kind_of(data) == METRICS:
        return _validated(MetricsDocument, text.body, data, text.name), text.source
    return _parse(text.body, data, text.name, text.source)


def read_plan(path: str | Path) -> PlanDocument:
    """Read a plan document: what ``recommend -o`` wrote.

    Raises
    ------
    InputError
        If it is no plan document that this version can read; the complaint names the field.
    """
    from shapeplan.documents.plan import KIND as PLAN
    from shapeplan.documents.plan import PlanDocument

    text = read_text(path)
    data = _load(text.body, text.name, "recommend -o plan.json")
    if (kind := _kind_of(data)) != PLAN:
        found = f"is a {kind}" if isinstance(kind, str) else "is no shapeplan document"
        hint = "give what `shapeplan recommend -o plan.json` wrote"
        line = line_of(text.body, _KIND)
        raise InputError(ErrorDetail("wrong-kind", f"{found}, not a plan", hint, text.name, line, "kind"))
    return _validated(PlanDocument, text.body, data, text.name)


def _parse(body: str, data: Any, name: str, source: Source | None) -> Fit:
    document = _validated(LawDocument, body, data, name)
    _refuse(inconsistencies(document), body, data, name)
    try:
        fit = fit_of(document, (source,) if source else ())
        found = list(disagreements(document, fit))
    except InputError as error:
        # What complains is the architecture, which knows no document.
        raise InputError(*(_of_architecture(detail, body, name) for detail in error.details)) from None
    _refuse(found, body, data, name)
    return fit


def _of_architecture(detail: ErrorDetail, body: str, name: str) -> ErrorDetail:
    path = ("architecture", *([detail.column] if detail.column else []))
    return replace(detail, file=name, line=line_of(body, path), column=".".join(path))


def _validated(kind: type[D], body: str, data: Any, name: str) -> D:
    """Return the document that a text holds; only where it holds none is its data looked at more closely."""
    try:
        document = kind.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False)
    else:
        found = [*_misspelt(kind, data), *beyond_bounds(document.kind, data)]
        # A pinned plan may be edited to what is expected: the loss that it gives is compared, and its interval is not.
        pinned = document.kind == "shapeplan.plan"
        _refuse([*found, *(() if pinned else outside_intervals(data))], body, data, name)
        return document
    if kind is LawDocument:
        _check_kind(body, data, name)
    _check_version(body, data, name)
    _refuse(map(_fault, problems), body, data, name)
    raise AssertionError("unreachable: pydantic told no problem")


def _misspelt(kind: type[Document], data: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the fields that are of no version, but nearly one that the document lacks."""
    lacking = kind.model_fields.keys() - data.keys()
    for name in data.keys() - kind.model_fields.keys():
        if close := difflib.get_close_matches(name, lacking, n=1, cutoff=0.8):
            yield Fault((name,), f"is no field of the document; did you mean {close[0]!r}?")


def _refuse(faults: Iterable[Fault], body: str, data: Any, name: str) -> None:
    """Raise `InputError` if a document has faults, each with its place."""
    if details := [placed(fault, body, data, name) for fault in faults]:
        raise InputError(*details)


def _load(body: str, name: str, wrote: str = "fit -o law.json") -> Any:
    """Return what a text holds; of a key that comes twice pydantic would take the last, and say nothing."""
    try:
        return loads_once(body, name, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        hint = f"give the document that `shapeplan {wrote}` wrote"
        message = f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise InputError(ErrorDetail("bad-json", message, hint, name, error.lineno)) from None
    except _NoNumberError as error:
        line = next(body.count("\n", 0, found.start()) + 1 for found in re.finditer(_CONSTANT, body) if found[1])
        raise InputError(ErrorDetail("bad-json", f"is not JSON: {error}", "fit again", name, line)) from None
    except (ValueError, RecursionError) as error:
        raise InputError(ErrorDetail("bad-json", f"is not JSON: {error}", "fit again", name)) from None


class _NoNumberError(ValueError):
    """A constant that Python takes for a number, and JSON does not."""


def _refuse_constant(constant: str) -> float:
    raise _NoNumberError(f"{constant} is no JSON number")


def _check_kind(body: str, data: Any, name: str) -> None:
    hint = "give the document that `shapeplan fit -o law.json` wrote"
    kind = _kind_of(data)
    if kind == METRICS:
        hint = "fit one metric at a time: that document is a law (plot `figure=exponents` takes this one)"
    if kind != KIND:
        found = f"is a {kind}" if isinstance(kind, str) else "is no shapeplan document"
        raise InputError(
            ErrorDetail(
                "wrong-kind", f"{found}, not a law", hint, name, line_of(body, _KIND), "kind", kind and str(kind)
            )
        )


def _kind_of(data: Any) -> Any:
    return data.get("kind") if isinstance(data, dict) else None


def _check_version(body: str, data: Any, name: str) -> None:
    version = data.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        message = f"has schema_version {version}, this shapeplan reads {SCHEMA_VERSION} and older"
        line, hint = line_of(body, ("schema_version",)), "install a newer shapeplan"
        raise InputError(ErrorDetail("newer-schema", message, hint, name, line, "schema_version", str(version)))


def _fault(problem: Any) -> Fault:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "json_invalid" and ("surrogate" in message or "escape" in message):
        message = "holds half of a surrogate pair, which is no text"
    return Fault(tuple(problem["loc"]), message[:1].lower() + message[1:])

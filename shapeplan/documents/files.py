"""Documents from and to files: strict reading with the place of every mistake."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from shapeplan.documents.base import SCHEMA_VERSION, Document
from shapeplan.documents.law import KIND, LawDocument, fit_of, law_document
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
    body = (resources.files("shapeplan.documents") / "published" / f"{PUBLISHED}.json").read_text(encoding="utf-8")
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
    data = _load(text.body, text.name)
    if (kind := _kind_of(data)) != PLAN:
        found = f"is a {kind}" if isinstance(kind, str) else "is no shapeplan document"
        hint = "give what `shapeplan recommend -o plan.json` wrote"
        raise InputError(ErrorDetail("wrong-kind", f"{found}, not a plan", hint, text.name, column="kind"))
    return _validated(PlanDocument, text.body, data, text.name)


def _parse(body: str, data: Any, name: str, source: Source | None) -> Fit:
    document = _validated(LawDocument, body, data, name)
    try:
        return fit_of(document, (source,) if source else ())
    except InputError as error:
        raise InputError(*(detail.within(name) for detail in error.details)) from None


def _validated(kind: type[D], body: str, data: Any, name: str) -> D:
    """Return the document that a text holds; only where it holds none is its data looked at more closely."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False)
    if kind is LawDocument:
        _check_kind(data, name)
    _check_version(data, name)
    raise InputError(*(_error_detail(problem, name) for problem in problems))


def _load(body: str, name: str) -> Any:
    """Return what a text holds; of a key that comes twice pydantic would take the last, and say nothing."""
    try:
        return loads_once(body, name, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        hint = "give the document that `shapeplan fit -o law.json` wrote"
        message = f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise InputError(ErrorDetail("bad-json", message, hint, name, error.lineno)) from None
    except (ValueError, RecursionError) as error:
        raise InputError(ErrorDetail("bad-json", f"is not JSON: {error}", "fit again", name)) from None


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")


def _check_kind(data: Any, name: str) -> None:
    hint = "give the document that `shapeplan fit -o law.json` wrote"
    kind = _kind_of(data)
    if kind == METRICS:
        hint = "fit one metric at a time: that document is a law (plot `figure=exponents` takes this one)"
    if kind != KIND:
        found = f"is a {kind}" if isinstance(kind, str) else "is no shapeplan document"
        raise InputError(
            ErrorDetail("wrong-kind", f"{found}, not a law", hint, name, column="kind", value=kind and str(kind))
        )


def _kind_of(data: Any) -> Any:
    return data.get("kind") if isinstance(data, dict) else None


def _check_version(data: Any, name: str) -> None:
    version = data.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        message = f"has schema_version {version}, this shapeplan reads {SCHEMA_VERSION} and older"
        raise InputError(
            ErrorDetail("newer-schema", message, "install a newer shapeplan", name, column="schema_version")
        )


def _error_detail(problem: Any, name: str) -> ErrorDetail:
    field = ".".join(str(part) for part in problem["loc"]) or None
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "json_invalid" and ("surrogate" in message or "escape" in message):
        message = "holds half of a surrogate pair, which is no text"
    shown = None if problem["type"] == "missing" or not field else str(problem["input"])[:60]
    return ErrorDetail(
        "bad-document",
        message[:1].lower() + message[1:],
        "fit again, or undo the edit",
        name,
        column=field,
        value=shown,
    )

"""What is fuzzed: functions of bytes that answer or refuse with an error of shapeplan's own; all else is a finding.

Inputs are text that a person can read and write: a log is its suffix on a line and then the file; a law document is the
name of a sound one on a line, and then its edits, one a line: ``scaling_exponents/width/value = 1e308``.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import shapeplan as sp
from shapeplan.bounds import BOUNDS
from shapeplan.errors import ShapeplanError
from shapeplan.fitting.result import Fit
from shapeplan.quantities import format_flops, parse_assignments, parse_count, parse_flops, parse_fraction
from shapeplan.readers.models import read_models
from shapeplan.readers.settings import read_settings

SAMPLES = Path(__file__).parents[2] / "sample_runs"
SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".yaml")
BUDGET = 1e20
"""Training FLOPs of the plans of laws that are read."""


def logs(data: bytes) -> None:
    """Read a log and survey it: what is read is positive and finite."""
    with _written(data) as path, _refusing():
        runs = sp.read_runs(path)
        assert np.all(np.isfinite(runs.flops) & (runs.flops > 0))
        assert np.all(np.isfinite(runs.shape) & (runs.shape > 0))
        assert runs.loss is not None
        assert np.all(np.isfinite(runs.loss) & (runs.loss > 0))
        sp.check(runs)


def settings(data: bytes) -> None:
    """Read the file behind `--config`."""
    with _written(b".yaml\n" + data) as path, _refusing():
        read_settings(path)


def models(data: bytes) -> None:
    """Read a file of shapes, or a configuration, and count every model in it."""
    with _written(data) as path, _refusing():
        for model in read_models([str(path)], family=None, settings={}, shared={}).models:
            assert model.model.params > 0
            assert model.model.flops("training") > 0


def quantities(data: bytes) -> None:
    """Read one text as every kind of quantity."""
    text = data.decode(errors="replace")
    with _refusing():
        flops = parse_flops(text)
        assert BOUNDS["flops"].holds(flops)
        assert math.isclose(parse_flops(format_flops(flops)), flops, rel_tol=0.01)
    with _refusing():
        assert 0 < parse_count(text) < math.inf
    with _refusing():
        assert 0 <= parse_fraction(text) < 1
    with _refusing():
        assert all(math.isfinite(value) for value in parse_assignments(text, "hint").values())


def laws(data: bytes) -> None:
    """Read a law document, plan with it and predict: what is written holds no number that JSON has not."""
    with _written(b".json\n" + edited(data)) as path, _refusing():
        fit = sp.read_law(path)
        json.loads(sp.law_document(fit).dumps(), parse_constant=_refuse_constant)
        with _refusing():
            plan = sp.recommend(fit, BUDGET, force=True)
            json.loads(sp.plan_document(plan).dumps(), parse_constant=_refuse_constant)
        for name in ("frontier", "valley", "exponents"):
            with _refusing():
                json.loads(sp.figure_document(sp.figure(name, fit), (fit,)).dumps(), parse_constant=_refuse_constant)


TARGETS: dict[str, Callable[[bytes], None]] = {one.__name__: one for one in (logs, settings, models, quantities, laws)}


@cache
def documents() -> dict[str, str]:
    """Return sound law documents, by the name that an input begins with."""
    runs = sp.read_runs(SAMPLES / "vit_sweep.yaml")
    fits: dict[str, Fit] = {law: sp.fit(runs, law=law, replicates=20) for law in ("star", "product", "additive")}
    return {name: sp.law_document(fit).dumps() for name, fit in {**fits, "published": sp.published_law()}.items()}


def edited(data: bytes) -> bytes:
    """Return a sound document with the edits of an input; the input itself where it names none."""
    name, *edits = data.decode(errors="replace").split("\n")
    if name not in documents():
        return data
    document = json.loads(documents()[name])
    for edit in edits:
        path, equals, value = edit.partition(" = ")
        if equals:
            _edit(document, path.split("/"), value)
    return json.dumps(document, indent=2).encode(errors="replace")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every place in a document, and what is there."""
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from leaves(one, f"{path}/{key}" if path else str(key))


def _edit(document: Any, path: list[str], text: str) -> None:
    """Put a value in its place, text that is no JSON as it stands; nothing where there is no such place."""
    *way, last = path
    for step in way:
        document = _child(document, step)
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(document, dict):
        document[last] = value
    elif isinstance(document, list) and last.isdecimal() and last.isascii() and int(last) < len(document):
        document[int(last)] = value


def _child(value: Any, step: str) -> Any:
    if isinstance(value, list):
        return value[int(step)] if step.isascii() and step.isdecimal() and int(step) < len(value) else None
    return value.get(step) if isinstance(value, dict) else None


@contextmanager
def _written(data: bytes) -> Iterator[Path]:
    """Yield a file with the suffix and the body of an input."""
    head, _, body = data.partition(b"\n")
    suffix = head.decode(errors="replace").strip()
    path = _folder() / f"input{suffix if suffix in SUFFIXES else SUFFIXES[len(data) % len(SUFFIXES)]}"
    path.write_bytes(body)
    yield path


@contextmanager
def _refusing() -> Iterator[None]:
    """Take an error of shapeplan's own for an answer: it has a code, and says what is wrong."""
    try:
        yield
    except ShapeplanError as error:
        for detail in error.complaints:
            assert detail.code, detail
            assert detail.code != "internal", detail
            assert detail.message, detail


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="shapeplan-fuzz-"))


def _refuse_constant(constant: str) -> float:
    raise AssertionError(f"{constant} is no number of JSON")

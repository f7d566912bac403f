"""What fuzzing found, tried again on its target without the fuzzer (``python tests/fuzz/run.py TARGET`` finds more)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fuzz.targets import TARGETS, documents, edited

CORPUS = sorted((Path(__file__).parent / "fuzz" / "corpus").rglob("*/*"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_found_stays_mended(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


def test_an_input_edits_a_sound_document() -> None:
    made = json.loads(edited(b"published\nrange/flops/0 = 1e18\nnowhere/at/all = 1\nobjective = x\n"))
    whole = json.loads(documents()["published"])
    assert made["objective"] == "x"
    assert {name for name in made if made[name] != whole.get(name)} <= {"objective", "range"}


def test_a_sound_document_is_no_finding() -> None:
    TARGETS["laws"](b"published")


def test_an_error_that_is_not_ours_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.targets.parse_count", lambda text: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        TARGETS["quantities"](b"64M")

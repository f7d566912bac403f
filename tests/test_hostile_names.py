"""Names that would steer a terminal: whatever holds them, and in whatever format they are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import SAMPLES, Program, on_terminal
from test_law_document import fitted, text  # noqa: F401 - fixtures

HOSTILE = "x\x1b[31m\x1b]0;t\x07\x7f\x9b5m\u202e\u2066\u200f"
"""Escape sequences, of one byte too, bell and delete, and what turns the direction of text."""


def is_safe(shown: str) -> bool:
    """Return whether a terminal only writes what it is shown."""
    return all(character.isprintable() or character in "\n\t\r" for character in shown)


@pytest.fixture(scope="module")
def folder(text: str, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A log, a log with a mistake and a law document whose names are hostile."""
    folder = tmp_path_factory.mktemp("names")
    log = (SAMPLES / "vit_sweep.csv").read_text().replace("width-608-64M", HOSTILE)
    header, first, *rows = log.splitlines()
    rows = [f"{row},{HOSTILE}" for row in (first, *rows)]
    (folder / f"{HOSTILE}.csv").write_text("\n".join([f"{header},{HOSTILE}", *rows]) + "\n")
    (folder / "broken.csv").write_text("\n".join([f"{header},{HOSTILE}", rows[0].replace("e", HOSTILE), *rows]) + "\n")
    data = json.loads(text)
    data |= {"metric": HOSTILE, "reference": HOSTILE, "command": HOSTILE}
    data["warnings"] = [{"code": HOSTILE, "message": HOSTILE, "hint": HOSTILE}]
    data["inputs"] = [{"name": HOSTILE, "sha256": HOSTILE}]
    data["start"]["source"] = HOSTILE
    (folder / "law.json").write_text(json.dumps(data))
    data["bootstrap"]["draws"][HOSTILE] = []
    (folder / "bad.json").write_text(json.dumps({**data, HOSTILE: 1, "dims": [HOSTILE, HOSTILE]}))
    (folder / "config.yaml").write_text(f'"metric": "{HOSTILE[1:3]}"\n'.replace("\x1b", "\\e"))
    return folder


LOG = f"{HOSTILE}.csv"
COMMANDS: list[tuple[str, ...]] = [
    ("check", LOG),
    ("check", "broken.csv"),
    ("check", "broken.csv", "--output-format", "github"),
    ("check", "broken.csv", "--json"),
    ("check", LOG, "--config", "config.yaml"),
    ("check", HOSTILE),
    ("check", LOG, "--metric", HOSTILE),
    ("check", LOG, "--where", f"{HOSTILE}=1"),
    ("fit", LOG, "--law", "separable", "--replicates", "0", "--quiet"),
    ("predict", "--law", "law.json", LOG),
    ("recommend", "--law", "law.json", "--flops", "1e21", "-v"),
    ("recommend", "--law", "law.json", "--flops", "1e21", "--format", "csv"),
    ("recommend", "--law", "law.json", "--flops", "1e21", "--format", "big_vision"),
    ("recommend", "--law", "law.json", "--flops", "1e21", "--output-format", "github"),
    ("recommend", "--law", "bad.json", "--flops", "1e21"),
    ("recommend", "--law", "bad.json", "--flops", "1e21", "--json"),
    ("simulate", "--law", "law.json"),
    ("explain", HOSTILE),
    ("flops", HOSTILE),
    (HOSTILE,),
    ("recommend", f"--{HOSTILE}"),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: ascii(" ".join(arguments)))
def test_no_name_steers_a_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    monkeypatch.chdir(folder)
    shown, _ = on_terminal(100, *arguments, NO_COLOR="1")
    assert shown
    assert is_safe(shown), ascii([character for character in shown if not is_safe(character)])


@pytest.mark.long
@pytest.mark.parametrize("command", ["report", "plot"])
def test_no_name_steers_a_terminal_by_a_page(program: Program, folder: Path, tmp_path: Path, command: str) -> None:
    page = tmp_path / "page.html"
    done = program(command, folder / "law.json", "-o", page)
    assert done.returncode == 0, done.stderr
    written = page.read_text()
    assert "\\x1b[31m" in written
    assert not [character for character in HOSTILE if character in written and not character.isprintable()]

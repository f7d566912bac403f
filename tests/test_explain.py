"""Explanations: a page for every warning code and every law, in one form, with examples that run."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import forked
import pytest
from conftest import ROOT, SAMPLES, Program, on_terminal

from shapeplan.codes import WARNINGS
from shapeplan.errors import ArgumentError
from shapeplan.explain.pages import KINDS, Page, by_kind, page, pages, search
from shapeplan.laws import FORMS

HEADINGS = ("What it means", ("Why it appears", "Where it appears"), "What to do", "Example", "Source")
PAGES = pages()
WORDS = {one.word for one in PAGES}


def warnings_in_code() -> set[str]:
    """Return the codes of the registry that the code warns with; no warning has a literal code."""
    used = set()
    for path in sorted((ROOT / "shapeplan").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Caution":
                assert node.args, path
                assert not isinstance(node.args[0], ast.Constant | ast.JoinedStr), (path, node.lineno)
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "codes"
                and node.attr.isupper()
            ):
                used.add(node.attr.lower().replace("_", "-"))
    for path in sorted((ROOT / "shapeplan" / "documents" / "published").glob("*.json")):
        used |= {warning["code"] for warning in json.loads(path.read_text())["warnings"]}
    return used


def test_every_registered_code_is_used_and_every_code_is_registered() -> None:
    assert warnings_in_code() == set(WARNINGS)
    for code, entry in WARNINGS.items():
        assert code == entry.name
        assert entry.meaning
        assert entry.remedy


def test_every_code_and_every_law_has_a_page() -> None:
    assert set(WARNINGS) <= WORDS
    assert set(FORMS) <= WORDS


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.word)
def test_a_page_has_the_form_of_all(one: Page) -> None:
    assert one.text.startswith(f"# {one.word}\n\n")
    assert 10 < len(one.summary) <= 120, one.summary
    found = re.findall(r"^## (.+)$", one.text, re.M)
    assert len(found) == len(HEADINGS)
    for heading, allowed in zip(found, HEADINGS, strict=True):
        assert heading in (allowed if isinstance(allowed, tuple) else (allowed,))
    other = re.search(r"^See also: (.+)", one.text, re.M | re.S)
    for word in re.split(r",\s+", other[1].strip().rstrip(".")) if other else ():
        assert word in WORDS - {one.word}, word
    assert commands(one)


def commands(one: Page) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", one.text, re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.long
def test_every_example_runs(tmp_path: Path) -> None:
    """From the root of a clone, every distinct line once."""
    (tmp_path / "sample_runs").symlink_to(SAMPLES)
    for line in dict.fromkeys(line for one in PAGES for line in commands(one)):
        assert line.startswith(("shapeplan ", "printf ")), line
        if re.search(r"[|<>;&$]", line):
            command = f'set -e; shapeplan() {{ {sys.executable} -m shapeplan "$@"; }}; {line}'
            done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
        else:
            done = forked.run(shlex.split(line)[1:], tmp_path)
        assert done.returncode == 0, (line, done.stderr)


def test_pages_are_found_by_word_and_by_text() -> None:
    assert page("Trust Region").word == page("[trust-region]").word == "trust-region"
    assert page("s and s").word == "s-and-S"
    assert search("profile likelihood")
    assert search("EXTRAPOLATION")[0].word == "extrapolation"
    assert set(by_kind(PAGES)) == set(KINDS)
    with pytest.raises(ArgumentError, match="did you mean extrapolation"):
        page("extrapolatoin")
    with pytest.raises(ArgumentError, match=r"'x{60}\.\.\.'"):
        page("x" * 5000)
    for nothing in ("qqqq", " "):
        with pytest.raises(ArgumentError, match="no page has the text"):
            search(nothing)


def test_the_command_shows_a_page_the_list_and_a_search(program: Program) -> None:
    shown = program("explain", "at-bound")
    assert shown.returncode == 0
    assert shown.stdout == page("at-bound").text, "a pipe gets the Markdown"
    everything = program("explain").stdout
    assert all(word in everything for word in WORDS)
    assert "noise" in program("explain", "--search", "noise").stdout
    wrong = program("explain", "at-bund")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "error: there is no page 'at-bund'; did you mean at-bound or bounds?\n"
    assert program("explain", "at-bound", "--search", "x").returncode == 2


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_pages_fit_the_terminal(columns: int) -> None:
    for arguments in (("explain", "at-bound"), ("explain",), ("explain", "--search", "noise")):
        shown, status = on_terminal(columns, *arguments, NO_COLOR="1")
        assert status == 0
        assert max(map(len, shown.splitlines())) <= columns
    assert "## " not in on_terminal(columns, "explain", "at-bound")[0]


def test_a_warning_ends_in_the_word_to_explain(program: Program) -> None:
    done = program("recommend", "--flops", "9e21", "-v")
    warned = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert warned
    for line in warned:
        code = re.search(r" \[([a-z0-9-]+)\]$", line)
        assert code, line
        assert code[1] in WARNINGS

"""What a command must not load: start-up is a set of modules, not a stopwatch (that one is in benchmarks/)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SAMPLES

HEAVY = {"numpy", "scipy", "pydantic", "yaml", "rich", "altair", "vl_convert", "jinja2"}


def loaded_by(*arguments: str) -> set[str]:
    code = (
        "import sys, contextlib, io\n"
        "from shapeplan.cli.app import run\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        f"    assert run({list(arguments)!r}) == 0\n"
        "print(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_loads_nothing_heavy(word: str) -> None:
    # Old versions of Typer load Rich themselves.
    code = (
        "import sys, typer\n"
        "app = typer.Typer(rich_markup_mode=None)\n"
        "app.command()(lambda: None)\n"
        "app(['--help'], standalone_mode=False)\n"
        "print('loads', *sys.modules)"
    )
    bare = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & loaded_by(word) - set(bare.stdout.split("loads")[1].split())


def test_import_loads_nothing_heavy() -> None:
    code = "import shapeplan, sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_a_plan_needs_no_scipy(tmp_path: Path) -> None:
    law = tmp_path / "law.json"
    loaded_by("fit", str(SAMPLES / "vit_sweep.csv"), "--replicates", "5", "-o", str(law))
    code = "import numpy, sys; print(' '.join(sys.modules))"
    bare = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    for arguments in (("--flops", "1e21"), ("--law", str(law), "--flops", "1e21", "--force")):
        modules = loaded_by("recommend", *arguments)
        assert "numpy" in modules
        assert not {"scipy", "yaml", "numpy.ma"} & modules - bare


def test_names_are_counted_without_a_parser_of_files() -> None:
    assert not {"scipy", "yaml"} & loaded_by("flops", "ViT-g/14", "SoViT-400m/14", "--image", "518")


def test_a_fit_needs_no_scipy_stats() -> None:
    modules = loaded_by("fit", str(SAMPLES / "vit_sweep.csv"), "--replicates", "5")
    assert "scipy.special" in modules
    assert "scipy.stats" not in modules


def test_every_public_name_is_there() -> None:
    import shapeplan

    for name in shapeplan.__all__:
        assert getattr(shapeplan, name) is not None
    assert set(shapeplan.__all__) <= set(dir(shapeplan))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = shapeplan.nonsense

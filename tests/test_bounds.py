"""What is beyond the bounds of a log: sizes of cells, frames and nested data, counts of mistakes, paths, memory."""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import SAMPLES, Program

from shapeplan import read_runs
from shapeplan.bounds import BOUNDS
from shapeplan.cli.app import run
from shapeplan.errors import MOST_KEPT, ArgumentError, InputError, OutputError
from shapeplan.explain.pages import page
from shapeplan.quantities import parse_flops
from shapeplan.readers.settings import read_settings
from shapeplan.readers.shapes import read_shapes

ROW = {"width": 64.0, "depth": 2.0, "mlp_dim": 256.0, "flops": 1e15, "tokens": 1e9, "params": 1e6, "loss": 3.0}
BOMB = "m0: &m0 {a: 1, b: 2}\n" + "".join(
    f"m{i}: &m{i} {{{', '.join(f'k{j}: *m{i - 1}' for j in range(9))}}}\n" for i in range(1, 10)
)


def test_the_page_has_the_table() -> None:
    rows = re.findall(r"^\| (\w+) \| (\S+) \| (\S+) \|$", page("bounds").text, re.M)
    assert {role: (float(least), float(most)) for role, least, most in rows if role != "role"} == BOUNDS


@pytest.mark.parametrize("role", sorted(ROW))
@pytest.mark.parametrize("end", ["least", "most"])
def test_every_role_is_read_to_its_bounds_and_not_beyond(role: str, end: str) -> None:
    bound = BOUNDS[role]
    within, beyond = (bound.least, bound.least / 2) if end == "least" else (bound.most, bound.most * 2)
    rows = [ROW, {**ROW, "flops": 2e15, "tokens": 2e9, role: beyond}]
    with pytest.raises(InputError) as caught:
        read_runs(rows)
    found = caught.value.details[0]
    assert (found.code, found.line, found.column, found.file) == ("out-of-bounds", 2, role, "<records>")
    try:
        read_runs([ROW, {**ROW, "flops": 2e15, "tokens": 2e9, role: within}])
    except InputError as error:
        assert role not in {detail.column for detail in error.details if detail.code == "out-of-bounds"}  # noqa: PT017


@pytest.mark.parametrize("extreme", ["5e-324", "1e-308", "1e300", "1.7e308"])
@pytest.mark.parametrize(
    "column", ["width", "depth", "mlp_dim", "heads", "params", "examples", "forward_flops", "loss"]
)
def test_an_extreme_cell_of_a_log_is_placed(column: str, extreme: str, tmp_path: Path) -> None:
    header, *lines = (SAMPLES / "vit_sweep.csv").read_text().splitlines()
    cells = lines[4].split(",")
    cells[header.split(",").index(column)] = extreme
    lines[4] = ",".join(cells)
    (tmp_path / "log.csv").write_text("\n".join([header, *lines]) + "\n")
    with pytest.raises(InputError) as caught:
        read_runs(tmp_path / "log.csv")
    found = caught.value.details[0]
    assert (found.code, found.line, found.column, found.value) == ("out-of-bounds", 6, column, extreme)


@pytest.mark.parametrize("text", ["1e300", "1e-300", "1e41"])
def test_budgets_obey_them(text: str) -> None:
    with pytest.raises(ArgumentError, match="is not from 1e-6 to 1e40 FLOPs"):
        parse_flops(text)


@pytest.mark.parametrize("end", ["runs: *m9\n", "architecture: *m9\n", "star: {center: *m9}\n", "metric: *m9\n", ""])
@pytest.mark.parametrize("reader", [read_runs, read_settings, read_shapes])
def test_aliases_that_explode_are_refused_by_every_reader(reader: Any, end: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.yaml").write_text(BOMB + end)
    with pytest.raises(InputError) as caught:
        reader(tmp_path / "bomb.yaml")
    assert [(one.code, one.line) for one in caught.value.details] == [("too-many-aliases", 7)]


def test_aliases_of_a_large_sweep_are_read(tmp_path: Path) -> None:
    base = ", ".join(f"setting{i}: {i}" for i in range(20))
    rows = "".join(f"- {{<<: *base, width: 64, depth: 2, flops: {i}e12, loss: 3}}\n" for i in range(1, 1000))
    (tmp_path / "log.yaml").write_text(f"base: &base {{{base}}}\nruns:\n{rows}")
    assert len(read_runs(tmp_path / "log.yaml")) == 999


@pytest.mark.parametrize("levels", [120, 900, 100_000])
@pytest.mark.parametrize(
    ("suffix", "start", "end"), [("yaml", "{a: ", "}"), ("yaml", "[", "]"), ("json", '{"a": ', "}"), ("json", "[", "]")]
)
def test_what_is_nested_too_deeply_is_refused(
    levels: int, suffix: str, start: str, end: str, program: Program, tmp_path: Path
) -> None:
    (tmp_path / f"a.{suffix}").write_text(start * levels + "1" + end * levels)
    for command in (("check", f"a.{suffix}"), ("flops", f"a.{suffix}")):
        done = program(*command)
        assert done.returncode == 1
        assert re.match(rf"error: a\.{suffix}:1: .*nest", done.stderr)


def test_a_frame_that_is_nested_too_deeply_is_refused() -> None:
    deep: dict[str, Any] = {}
    deep["a"] = deep
    with pytest.raises(InputError, match="<records>:1: it is nested too deeply"):
        read_runs([{**ROW, "config": deep}])


@pytest.mark.parametrize(
    ("line", "code"),
    [("r,x,2,1e15,3", "not-a-number"), ("r,64,2", "too-few-cells"), ("r,64,2,1e15,-3", "not-positive")],
)
def test_of_many_alike_mistakes_some_are_kept_and_all_are_counted(line: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("run,width,depth,flops,loss\n" + f"{line}\n" * 5000)
    with pytest.raises(InputError) as caught:
        read_runs(tmp_path / "log.csv")
    assert len(caught.value.details) == MOST_KEPT
    assert caught.value.total == 5000
    assert [one.line for one in caught.value.details] == list(range(2, MOST_KEPT + 2))
    assert {one.code for one in caught.value.details} == {code}
    assert str(caught.value).endswith("and 4990 more")


def test_the_total_is_told(program: Program, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("run,width,depth,flops,loss\n" + "r,x,2,1e15,3\n" * 5000)
    done = program("check", "log.csv")
    assert done.stderr.startswith("error: 5000 mistakes in log.csv\n")
    assert "and 4990 more\n" in done.stderr
    found = json.loads(program("check", "log.csv", "--json").stderr)["error"]
    assert found["total"] == 5000
    assert "more" not in found


@pytest.mark.parametrize("header", ["c{i}", "c{half}", ""])
def test_a_log_on_its_side_is_refused_in_few_words(header: str, program: Program, tmp_path: Path) -> None:
    names = ",".join(header.format(i=i, half=i // 2) for i in range(100_000))
    (tmp_path / "log.csv").write_text(f"width,{names}\n" + "1," * 100_000 + "1\n")
    done = program("check", "log.csv")
    assert done.returncode == 1
    assert done.stderr.startswith("error: log.csv:1: has 100,001 columns, and a log has at most 20,000; ")
    assert len(done.stderr) < 1000


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, str]:
    """Return paths that the system does not take."""
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "here").symlink_to("there")
    (tmp_path / "there").symlink_to("here")
    return {
        "loop": str(tmp_path / "loop"),
        "loop above": str(tmp_path / "here" / "log.csv"),
        "long": "x" * 300 + ".csv",
        "long path": "y/" * 3000 + "log.csv",
        "NUL": "a\0b.csv",
    }


@pytest.mark.parametrize("kind", ["loop", "loop above", "long", "long path", "NUL"])
def test_paths_that_the_system_does_not_take(kind: str, paths: dict[str, str]) -> None:
    from shapeplan.documents.files import read_law
    from shapeplan.documents.writing import write_file

    for read in (read_runs, read_settings, read_shapes, read_law):
        with pytest.raises(InputError, match="cannot be read: ") as caught:
            read(paths[kind])  # type: ignore[operator]
        assert (caught.value.details[0].code, caught.value.details[0].file) == ("unreadable", paths[kind])
    with pytest.raises(OutputError, match="cannot be written: "):
        write_file(paths[kind], "text")


def test_a_folder_whose_files_cannot_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log.csv").write_text("width\n1\n")
    looked_at = Path.stat

    def stat(self: Path, **options: Any) -> os.stat_result:
        if self.name == "log.csv":
            raise PermissionError(13, "Permission denied", str(self))
        return looked_at(self, **options)

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(InputError, match=r"log\.csv: cannot be read: permission denied"):
        read_runs(tmp_path)


def test_a_name_is_not_guessed_where_the_folder_is_not_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object = ".") -> list[str]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(InputError, match=r"there is no such file; check the path"):
        read_runs("nowhere.csv")


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    command = f"mkdir {gone} && cd {gone} && rmdir {gone} && {sys.executable} -m shapeplan "
    here = {**os.environ, "PYTHONPATH": str(SAMPLES.parent)}
    for rest, wanted in (
        ("check log.csv", "error: log.csv: there is no such file"),
        ("simulate -q -o log.csv", "error: log.csv: cannot be written: no such file or directory"),
    ):
        done = subprocess.run(["bash", "-c", command + rest], capture_output=True, text=True, env=here)
        assert done.returncode == 1
        assert done.stderr.startswith(wanted)


def test_memory_that_does_not_suffice(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for error in (MemoryError(), ImportError("x.so: failed to map segment from shared object")):
        monkeypatch.setattr(
            "shapeplan.readers.read.read_runs", lambda *_, error=error, **__: (_ for _ in ()).throw(error)
        )
        assert run(["check", str(SAMPLES / "vit_sweep.csv"), "--json"]) == 1
        assert json.loads(capsys.readouterr().err)["error"]["code"] == "out-of-memory"


@pytest.mark.parametrize("kilobytes", [30_000, 120_000, 160_000, 190_000])
def test_memory_that_does_not_suffice_to_start(kilobytes: int) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (kilobytes * 1024,) * 2)

    here = {**os.environ, "PYTHONPATH": str(SAMPLES.parent), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "shapeplan", "check", str(SAMPLES / "vit_sweep.csv")],
        capture_output=True,
        text=True,
        env=here,
        preexec_fn=limit,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: the memory does not suffice")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "row", "count", "said"),
    [
        ("log.csv", b"1,2\n", 20_000_001, "has 20,000,001 lines, of which at most 20,000,000 are read"),
        ("log.csv.gz", b"1\n", 20_000_001, "has 20,000,001 lines when decompressed, of which at most"),
        ("log.json", b"{},", 4_000_001, "has 4,000,001 mappings, of which at most 4,000,000 are read"),
    ],
)
def test_small_files_of_very_many_rows_are_refused(
    tmp_path: Path, name: str, row: bytes, count: int, said: str
) -> None:
    body = row * count
    (tmp_path / name).write_bytes(gzip.compress(body, 1) if name.endswith(".gz") else body)
    with pytest.raises(InputError, match=said) as error:
        read_runs(tmp_path / name)
    assert error.value.details[0].code == "too-large"

"""Where results go: streams, files, devices, pipes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SAMPLES, Program

from shapeplan.cli.app import run
from shapeplan.documents.writing import write_file


def test_devices_pipes_and_links_are_written_to_not_replaced(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE)
    write_file(fifo, "through")
    assert reader.communicate(timeout=10)[0] == b"through"
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    write_file(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    write_file(tmp_path / ("n" * 250), "long")
    write_file(tmp_path / "half", "\ud800")
    assert not list(tmp_path.glob(".*"))


def test_a_config_is_never_overwritten(program: Program, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("metric: loss\n")
    done = program("check", SAMPLES / "vit_sweep.csv", "--config", "c.yaml", "-o", "c.yaml")
    assert done.returncode == 1
    assert (tmp_path / "c.yaml").read_text() == "metric: loss\n"
    dash = program("recommend", "--flops", "1e21", "-o", "-")
    assert dash.returncode == 2
    assert not (tmp_path / "-").exists()


def test_streams_that_are_closed_or_full(tmp_path: Path) -> None:
    base = f"{sys.executable} -m shapeplan recommend --flops 1e21"

    def shell(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)

    assert shell(f"{base} >&-").returncode == 0
    assert "Recommended shape" in shell(f"{base} 2>&-").stdout
    assert "Recommended shape" in shell(f"{base} 2>/dev/full").stdout
    full = shell(f"{base} --json >/dev/full")
    assert full.returncode == 1
    assert json.loads(full.stderr.strip().split("\n")[-1])["error"]["code"] == "unwritable"
    closed = shell(f"{sys.executable} -m shapeplan fit - <&-")
    assert closed.returncode == 2
    assert "stdin is closed" in closed.stderr


def test_errors_are_json_whatever_they_quote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "z.csv"
    log.write_text("width,depth,forward_flops,loss\n1\u00a0024\u200b\x7f,8,1e20,1\n")
    assert run(["check", str(log), "--json"]) == 1
    assert json.loads(capsys.readouterr().err)["error"]["value"].startswith("1\u00a0024")


def test_documents_are_json_on_ascii_streams(program: Program, tmp_path: Path) -> None:
    rows = (SAMPLES / "vit_sweep.csv").read_text().replace("grid-416-6-768-600M", "rün")
    (tmp_path / "u.csv").write_text(rows)
    done = program("check", "u.csv", "--json", PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout)["rows"] == 121


def test_a_full_disk_is_told(program: Program) -> None:
    command = f"{sys.executable} -m shapeplan recommend --flops 1e21 > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "<stdout>: cannot be written: no space left on device" in done.stderr


HELP = [(), ("--help",), ("--version",), ("--cite",), ("fit", "--help"), ("design",), ("design", "power", "-h")]


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_help_goes_where_results_go(arguments: tuple[str, ...], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "shapeplan", *arguments]
    there, gone = os.pipe()
    os.close(there)
    closed = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    os.close(gone)
    assert (closed.returncode, closed.stderr) == (0, "")
    with Path("/dev/full").open("w") as disk:
        full = subprocess.run(command, stdout=disk, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert full.returncode == 1
    assert full.stderr == "error: <stdout>: cannot be written: no space left on device; free it, or use -o\n"


def test_what_a_library_writes_ends_as_results_do() -> None:
    """In a process of its own, whose stdout may go; Typer itself writes the completion of a shell."""
    code = (
        "import errno, sys\n"
        "from shapeplan.render.console import ClosedPipe, Console\n"
        "def raised(error):\n"
        "    try:\n"
        "        with Console().writing():\n"
        "            if isinstance(error, BrokenPipeError):\n"
        "                try: raise error\n"
        "                except OSError: sys.exit(1)\n"
        "            raise error\n"
        "    except BaseException as found:\n"
        "        return type(found).__name__\n"
        "gone, full = BrokenPipeError(errno.EPIPE, 'gone'), OSError(errno.ENOSPC, 'full')\n"
        "others = OSError(errno.ENOENT, 'x'), SystemExit(3)\n"
        "print([raised(error) for error in (*others, gone, full)], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "['FileNotFoundError', 'SystemExit', 'ClosedPipe', 'OutputError']"


def test_a_read_only_file_is_kept(program: Program, tmp_path: Path) -> None:
    """Whoever asks, and though the folder could be written."""
    kept = tmp_path / "plan.json"
    kept.write_text("keep")
    kept.chmod(0o444)
    done = program("recommend", "--flops", "1e21", "-o", "plan.json")
    assert (done.returncode, done.stdout, kept.read_text()) == (1, "", "keep")
    assert done.stderr == "error: plan.json: cannot be written: the file is read-only; check the path\n"
    kept.chmod(0o644)
    assert program("recommend", "--flops", "1e21", "-o", "plan.json").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "name", "asked"),
    [
        (("recommend", "--flops", "1e21"), "plan.txt", "txt, and this is written as json or csv"),
        (("recommend", "--flops", "1e21"), "plan.json.gz", "gz, and this is written as json or csv"),
        (("check", SAMPLES / "vit_sweep.csv"), "check.xlsx", "xlsx, and this is written as json"),
        (("simulate",), "log.parquet", "parquet, and this is written as csv or tsv or yaml or json or jsonl"),
        (("flops", "ViT-g/14"), "flops.csv", "csv, and this is written as json"),
        (("fit", SAMPLES / "vit_sweep.csv"), "law.pkl", "pkl, and this is written as json"),
    ],
)
def test_a_name_that_asks_for_another_format_is_refused(
    program: Program, tmp_path: Path, arguments: tuple[str | Path, ...], name: str, asked: str
) -> None:
    done = program(*arguments, "-o", name)
    assert done.returncode == 2
    assert f"asks for {asked}" in done.stderr
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["plan", "plan-0.3", "PLAN.JSON"])
def test_a_name_that_asks_for_nothing_is_written(program: Program, tmp_path: Path, name: str) -> None:
    assert program("recommend", "--flops", "1e21", "-o", name).returncode == 0
    assert json.loads((tmp_path / name).read_text())["kind"] == "shapeplan.plan"

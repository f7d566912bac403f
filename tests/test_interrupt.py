"""Ctrl-C on a terminal: exit 130, nothing half-written, nothing left running. Tests wait for output, not for a time."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from conftest import SAMPLES, Program

LOG = str(SAMPLES / "vit_sweep.csv")
PRIOR = "prior.json"


_SHELL = 'trap : INT; "$@"; echo "status $?"; read -r _'
"""A shell that outlives the program, as a user's does: children that were left behind would live on in its session."""


def press_ctrl_c(folder: Path, *arguments: str, until: str) -> tuple[str, list[str]]:
    """Run the program from a shell on a terminal, and press Ctrl-C once it shows a text.

    Returns
    -------
    shown : str
        All it showed, its exit status last.
    left : list of str
        The processes that are still there after it.
    """
    shell, terminal = pty.fork()
    if shell == 0:
        os.chdir(folder)
        command = ["sh", "-c", _SHELL, "sh", sys.executable, "-m", "shapeplan", *arguments]
        os.execvpe("sh", command, {**os.environ, "TERM": "xterm-256color"})
    shown = ""
    for text, answer in ((until, b"\x03"), ("status ", b"")):
        while text not in shown:
            shown += os.read(terminal, 65536).decode()
        os.write(terminal, answer)
    # What has been killed may take a moment to go; what was left behind would stay for hours.
    left, deadline = live_processes(shell), time.monotonic() + 60
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = live_processes(shell)
    os.write(terminal, b"\n")
    os.waitpid(shell, 0)
    os.close(terminal)
    return shown, left


def live_processes(session: int) -> list[str]:
    """Return the processes of a session but for its leader; one that has ended and is not reaped is none."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_text()
        except OSError:
            continue
        if int(fields[3]) == session and int(entry.name) != session and fields[0] != "Z":
            found.append(command.replace("\0", " "))
    return found


@pytest.fixture
def prior(program: Program, tmp_path: Path) -> Path:
    """A folder with a law document."""
    assert program("fit", LOG, "--law", "separable", "--replicates", "0", "-o", PRIOR).returncode == 0
    return tmp_path


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so do its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


ENDLESS = {
    "fit": ("fit", LOG, "--replicates", "100000", "-o", "out.json"),
    "power": ("design", "power", LOG, "--law", PRIOR, "--noise", "0.3%", "--target", "1e20", "--sweeps", "9999"),
    "power in one process": (
        *("design", "power", LOG, "--law", PRIOR, "--noise", "0.3%", "--target", "1e20", "--sweeps", "9999"),
        *("--jobs", "1", "-o", "out.json"),
    ),
}
"""What would go on for hours: a test that ends has interrupted it."""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see what is left running")
@pytest.mark.parametrize("name", ENDLESS)
def test_ctrl_c_ends_long_work(prior: Path, name: str) -> None:
    before = set(prior.iterdir())
    shown, left = press_ctrl_c(prior, *ENDLESS[name], until="fitting" if name == "fit" else "rehearsing")
    assert "status 130" in shown
    assert "Traceback" not in shown
    assert "KeyboardInterrupt" not in shown
    assert set(prior.iterdir()) == before, "no file, and no part of one"
    assert left == []


def test_ctrl_c_while_stdin_is_read(tmp_path: Path) -> None:
    """A log that begins and never ends: what is written to the pipe has been read once the pipe is empty again."""
    process = subprocess.Popen(
        [sys.executable, "-m", "shapeplan", "fit", "-", "-o", "law.json"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
    )
    assert process.stdin is not None
    process.stdin.write(b"width,depth,flops,loss\n")
    process.stdin.flush()
    unread = 1
    while unread and process.poll() is None:
        (unread,) = struct.unpack("i", fcntl.ioctl(process.stdin, termios.FIONREAD, b"\0\0\0\0"))
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert (out, b"Traceback" in err) == (b"", False)
    assert not (tmp_path / "law.json").exists()


_INTERRUPTED_AT = """
import os, signal, sys
wanted = sys.argv.pop(1)
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
from shapeplan.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "module",
    [
        "shapeplan.cli",
        "shapeplan.cli.app",
        "typer",
        "shapeplan.cli.recommend",
        "dataclasses",
        "numpy",
        "pydantic",
        "rich",
    ],
)
def test_ctrl_c_while_the_program_is_loaded(tmp_path: Path, module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_AT, module, "recommend", "--flops", "1e21"],
        capture_output=True,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_nothing_is_loaded_before_ctrl_c_is_heard() -> None:
    """What is loaded before `main` is met by Python's own Ctrl-C, which ends in a traceback."""
    code = "import sys; before = set(sys.modules); import shapeplan.__main__; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    light = {
        "importlib",
        "importlib._bootstrap",
        "importlib._bootstrap_external",
        "warnings",
        "__future__",
        "atexit",
        "gc",
    }
    assert set(done.stdout.split()) <= {*light, "shapeplan", "shapeplan.__main__"}

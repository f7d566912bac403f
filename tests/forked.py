"""Runs of the program in a process of its own each, forked from a server that has its libraries in memory.

Tests run the program hundreds of times, and starting it would take most of their CPU time. Streams, working directory,
environment and exit status are the child's own, as they are in a shell.
"""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import shapeplan

PRELOADED = [module.name for module in pkgutil.walk_packages(shapeplan.__path__, "shapeplan.")]
"""All modules, also those that a command loads when it needs them."""
TIMEOUT = 300


def run(arguments: list[str], folder: Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program to its end.

    Raises
    ------
    subprocess.TimeoutExpired
        If it takes longer than `TIMEOUT`.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with tempfile.TemporaryDirectory() as streams:
        given, out, err = (Path(streams, name) for name in ("stdin", "stdout", "stderr"))
        given.write_text(stdin or "")
        process = context.Process(target=_program, args=(arguments, folder, dict(os.environ), (given, out, err)))
        process.start()
        process.join(TIMEOUT)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, TIMEOUT)
        return subprocess.CompletedProcess(arguments, process.exitcode, out.read_text(), err.read_text())


def _program(arguments: list[str], folder: Path, environment: dict[str, str], streams: tuple[Path, Path, Path]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, (path, mode) in enumerate(zip(streams, ("r", "w", "w"), strict=True)):
        stream = path.open(mode, encoding="utf-8")
        os.dup2(stream.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8")  # noqa: SIM115 - they live as long as the process
        for number, mode in enumerate("rww")
    )
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["shapeplan", *arguments]
    from shapeplan.__main__ import main

    main()

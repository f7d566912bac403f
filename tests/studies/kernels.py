"""Whether the answers depend on the CPU: ``python tests/studies/kernels.py``.

``fit``, ``compare``, ``recommend``, ``design next`` and ``flops`` on both sample runs, under every kernel of OpenBLAS
that this machine can run, with one thread and two, and without NumPy's own vector instructions. What they print, on
stdout and on stderr, must be the same to the byte; the numbers of the law documents are compared too: estimates may
differ by 1e-6, ends of intervals by 1e-3, relative. It exits with 1 if anything differs by more.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[2] / "sample_runs"
KERNELS = {
    "x86_64": ("Haswell", "SkylakeX", "Nehalem"),
    "aarch64": ("ARMV8", "CORTEXA57", "NEOVERSEN1", "NEOVERSEV1"),
}
NO_VECTORS = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX2 FMA3 AVX512F AVX512_SKX AVX512_ICL"}
LOGS = {
    "vit": (("sample_runs/vit_sweep.csv",), "1e21", "1e20"),
    "lm": (
        ("sample_runs/stdlib_lm/runs.csv", "--config", "sample_runs/stdlib_lm/config.yaml"),
        "1.36e15",
        "1e14",
    ),
}
ESTIMATES, ENDS = 1e-6, 1e-3


def commands() -> Iterator[tuple[str, ...]]:
    """Yield the command lines, in an order in which each finds its inputs."""
    for name, (log, target, budget) in LOGS.items():
        law = f"{name}.json"
        yield "fit", *log, "-o", law
        yield "compare", *log
        yield "recommend", "--law", law, "--flops", target
        yield "design", "next", "--law", law, "--target", target, "--budget", budget
    yield "flops", "ViT-g/14", "SoViT-400m/14"
    yield "flops", "sample_runs/shapes.csv", "--tokens", "1T"


def runs_here(environment: dict[str, str]) -> bool:
    """Return whether NumPy starts with a kernel, and without complaint."""
    probe = "import numpy as np; a = np.eye(64) + 0.1; np.linalg.solve(a @ a, a)"
    done = subprocess.run([sys.executable, "-c", probe], env=environment, capture_output=True, check=False)
    return done.returncode == 0 and not done.stderr


def environments() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the environments that this machine can run, by name."""
    for kernel in KERNELS.get(platform.machine(), ()):
        for threads in ("1", "2"):
            vectors = NO_VECTORS if kernel == "Nehalem" and threads == "2" else {}
            name = f"{kernel}, {threads} thread{'s' if threads == '2' else ''}{', no vectors' if vectors else ''}"
            environment = {**os.environ, "OPENBLAS_CORETYPE": kernel, "OPENBLAS_NUM_THREADS": threads, **vectors}
            if runs_here(environment):
                yield name, environment
            else:
                print(f"{name}: cannot run here", flush=True)


def answers(environment: dict[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what every command prints, and the law documents."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sample_runs").symlink_to(SAMPLES)
        shown = {}
        for command in commands():
            line = [sys.executable, "-m", "shapeplan", *command]
            done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=True)
            shown[" ".join(command)] = f"{done.stdout}\n{done.stderr}"
        return shown, {name: json.loads((Path(folder) / f"{name}.json").read_text()) for name in LOGS}


def largest_differences(one: Any, other: Any, place: str = "") -> Iterator[tuple[float, str]]:
    """Yield the relative difference of every two numbers of the estimates and intervals of two documents."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one:
            yield from largest_differences(one[key], other[key], f"{place}.{key}")
    elif isinstance(one, list) and isinstance(other, list):
        for i, (mine, its) in enumerate(zip(one, other, strict=True)):
            yield from largest_differences(mine, its, f"{place}[{i}]")
    elif isinstance(one, float) and isinstance(other, float):
        yield abs(one - other) / max(abs(one), abs(other), 1e-300), place


def main() -> None:
    """Print a row an environment."""
    first: tuple[str, dict[str, str], dict[str, Any]] | None = None
    failed = False
    for name, environment in environments():
        shown, laws = answers(environment)
        if first is None:
            first = name, shown, laws
            continue
        changed = [command for command, text in shown.items() if text != first[1][command]]
        numbers = [
            found
            for law, document in laws.items()
            for part in ("parameters", "scaling_exponents", "growth_exponents", "optimum")
            for found in largest_differences(first[2][law][part], document[part], f"{law}.{part}")
        ]
        ends = max((found for found in numbers if ".ci" in found[1]), default=(0.0, ""))
        estimates = max((found for found in numbers if ".ci" not in found[1]), default=(0.0, ""))
        failed |= bool(changed) or ends[0] > ENDS or estimates[0] > ESTIMATES
        told = f"estimates within {estimates[0]:.0e}, ends of intervals within {ends[0]:.0e}"
        print(f"{name}: {'prints the same as' if not changed else 'differs from'} {first[0]}; {told}", flush=True)
        for command in changed:
            print(f"    differs: shapeplan {command}", flush=True)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()

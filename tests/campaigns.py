"""The sweeps of sample_runs as tests load them: both folders have modules of the same names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace

from conftest import SAMPLES


@contextmanager
def modules_of(folder: str, *names: str) -> Iterator[SimpleNamespace]:
    """Import modules of a folder of sample_runs, as its scripts import each other, and forget them afterwards."""
    paths, before = [str(SAMPLES / folder), str(SAMPLES)], set(sys.modules)
    sys.path[:0] = paths
    try:
        yield SimpleNamespace(**{name: import_module(name) for name in names})
    finally:
        for path in paths:
            sys.path.remove(path)
        for name in set(sys.modules) - before:
            if str(SAMPLES) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]

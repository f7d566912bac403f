"""The corpus: the source text of the CPython standard library as installed, in a fixed order."""

from __future__ import annotations

import hashlib
import platform
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

VALIDATION_SHARE = 0.04
"""Of the files, by the hash of their path."""
_LEFT_OUT = ("site-packages", "__pycache__")
_OF_THE_BUILD = "_sysconfigdata"
"""Start of the name of a file that every build writes with its own paths."""


@dataclass(frozen=True)
class Corpus:
    """Bytes to train on, and bytes to validate on.

    Attributes
    ----------
    train, validation : ndarray of uint8
        The files one after the other.
    files : int
        How many.
    version : str
        Of Python.
    sha256 : str
        Of all bytes, training first.
    """

    train: NDArray[np.uint8]
    validation: NDArray[np.uint8]
    files: int
    version: str
    sha256: str

    def provenance(self) -> dict[str, object]:
        """Return what must be known to get the same bytes."""
        sizes = {"train_bytes": len(self.train), "validation_bytes": len(self.validation)}
        return {"python": self.version, "files": self.files, **sizes, "sha256": self.sha256}


def read_corpus(folder: Path | None = None) -> Corpus:
    """Read every Python file below a folder, by default the standard library of this Python, in order of its path."""
    root = folder or Path(sysconfig.get_path("stdlib"))
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    kept = [path for path in paths if not _left_out(path)]
    parts: dict[bool, list[bytes]] = {False: [], True: []}
    for path in kept:
        parts[_is_validation(path)].append((root / path).read_bytes())
    train, validation = b"".join(parts[False]), b"".join(parts[True])
    return Corpus(
        np.frombuffer(train, dtype=np.uint8),
        np.frombuffer(validation, dtype=np.uint8),
        len(kept),
        platform.python_version(),
        hashlib.sha256(train + validation).hexdigest(),
    )


def _left_out(path: str) -> bool:
    pieces = path.split("/")
    return any(piece in _LEFT_OUT for piece in pieces) or pieces[-1].startswith(_OF_THE_BUILD)


def _is_validation(path: str) -> bool:
    first = int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big")
    return first < VALIDATION_SHARE * 2**64

"""The corpus of stdlib_lm: split by path, and no byte lost."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from campaigns import modules_of


@pytest.fixture
def code() -> Iterator[SimpleNamespace]:
    with modules_of("stdlib_lm", "corpus") as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The modules of the standard library that are no packages."""
    for path in Path(sysconfig.get_path("stdlib")).glob("*.py"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_the_corpus_is_split_by_path_and_no_byte_is_lost(code: SimpleNamespace, folder: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.py") if not path.name.startswith("_sysconfig")}
    small = code.corpus.read_corpus(folder)
    assert small.files == len(sizes)
    provenance = small.provenance()
    assert provenance["train_bytes"] + provenance["validation_bytes"] == sum(sizes.values())
    assert len(small.train) > 5 * len(small.validation) > 10_000
    # A file more moves no other file to the other side.
    name = "zzz.py"
    (folder / name).write_text("print('more')\n")
    more = code.corpus.read_corpus(folder)
    (folder / name).unlink()
    assert more.sha256 != small.sha256
    kept = "train" if len(more.train) > len(small.train) else "validation"
    assert getattr(more, kept).tobytes().startswith(getattr(small, kept).tobytes())
    assert code.corpus.read_corpus(folder).sha256 == small.sha256

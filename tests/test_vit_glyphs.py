"""The images of vit_glyphs: the same from the same seed, never twice, and of faces that training does not see."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from campaigns import modules_of
from conftest import SAMPLES

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("PIL", reason="drawing needs the extra `train`")
pytest.importorskip("fontTools", reason="drawing needs the extra `train`")


@pytest.fixture(scope="module")
def code() -> Iterator[SimpleNamespace]:
    with modules_of("vit_glyphs", "fonts", "glyphs", "stream") as found:
        yield found


def pool_of(code: SimpleNamespace, classes: int) -> object:
    """A pool whose picture of a class, in faces 0 to 2 (the last one held out), has the level of class and face."""
    levels = 40 + 5 * np.arange(3 * classes, dtype=np.uint8)
    pictures = np.zeros((3 * classes, code.glyphs.SIDE, code.glyphs.SIDE), np.uint8)
    pictures[:, 12:28, 12:28] = levels[:, None, None]
    first = 3 * np.arange(classes)
    counts = np.stack([np.full(classes, 2), np.full(classes, 1)])
    return code.glyphs.Pool(classes, tuple("abcdefgh"[:classes]), pictures, np.stack([first, first + 2]), counts)


def stream_of(code: SimpleNamespace, group: int = 0, seed: int = 1) -> object:
    return code.stream.Stream(pool_of(code, 8), group, (2, 6), seed, torch.device("cpu"))


def test_a_seed_gives_the_same_images_and_no_image_comes_twice(code: SimpleNamespace) -> None:
    stream = stream_of(code)
    batches = [stream.batch(index, 16) for index in range(20)]
    again = stream_of(code).batch(7, 16)
    assert torch.equal(batches[7][0], again[0])
    assert torch.equal(batches[7][1], again[1])
    images = torch.cat([images for images, _ in batches])
    assert images.shape == (320, 1, 32, 32)
    assert len(images.reshape(320, -1).unique(dim=0)) == 320
    assert {int(label) for _, labels in batches for label in labels} == {0, 1, 2, 3}
    assert not torch.equal(stream_of(code, seed=2).batch(7, 16)[0], again[0])


def test_every_image_is_of_its_label_and_of_its_group_of_faces(
    code: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what hides it, the middle of an image is the level of one of the pictures that it may be of."""
    for name, value in (("CLUTTER", 0.0), ("GRADIENT", 0.0), ("NOISE", 0.0), ("CONTRAST", (1.0, 1.0))):
        monkeypatch.setattr(code.stream, name, value)
    for group, faces in ((0, (0, 1)), (1, (2,))):
        images, labels = stream_of(code, group).balanced(0, 20)
        assert labels.tolist() == [label for label in range(4) for _ in range(20)]
        levels = (images[:, 0, 16, 16] / 2 + 0.5) * 255
        for level, label in zip(levels, labels, strict=True):
            allowed = [40 + 5 * (3 * (int(label) + 2) + face) for face in faces]
            assert min(abs(float(level) - one) for one in allowed) < 0.5


def test_blur_keeps_the_mean_and_is_each_images_own(code: SimpleNamespace) -> None:
    point = torch.zeros(2, 1, 32, 32)
    point[:, :, 16, 16] = 1.0
    blurred = code.stream._blurred(point, torch.tensor([0.1, 1.0]))
    assert torch.allclose(blurred.sum((1, 2, 3)), torch.ones(2), atol=1e-6)
    assert blurred[0, 0, 16, 16] == pytest.approx(1.0, abs=1e-6)
    assert blurred[1, 0, 16, 16] == pytest.approx(1 / (2 * np.pi), rel=0.02)


def test_the_characters_are_many_and_told_apart(code: SimpleNamespace) -> None:
    candidates = list(code.glyphs.candidates())
    assert len(candidates) > 1.5 * (code.glyphs.CLASSES + code.glyphs.HELD_OUT)
    assert len(set(candidates)) == len(candidates)
    assert not {"ァ", "ゃ", "龘"} & set(candidates)
    assert {"A", "Ω", "я", "क", "あ", "가", "山"} <= set(candidates)


def test_the_pool_is_drawn_from_the_faces(code: SimpleNamespace) -> None:
    try:
        trained, validation = code.fonts.faces(("fonts-dejavu-core",)), code.fonts.faces(("fonts-liberation2",))
    except code.fonts.FontsError as error:
        pytest.skip(str(error).split(":")[0])
    pool = code.glyphs.draw_pool(trained, validation, "AO\u039f\u041e0B\u0392z", 3, 1)
    # Greek and Cyrillic capitals look like Latin ones (omicron and beta, o); the one held out is the first.
    assert set(pool.characters) <= set("AOB0z")
    assert len(pool.characters) == 4
    assert pool.characters[-1] == "A"
    assert pool.pictures.shape[1:] == (code.glyphs.SIDE, code.glyphs.SIDE)
    assert (pool.count >= 1).all()
    assert pool.count.sum() == len(pool.pictures)
    ink = pool.pictures > 100
    assert ink.any(axis=(1, 2)).all()
    assert not ink[:, 0].any()
    assert not ink[:, :, 0].any()
    with pytest.raises(ValueError, match="not 9"):
        code.glyphs.draw_pool(trained, validation, "AB", 8, 1)


def test_a_missing_package_is_named_with_the_command_that_installs_all(code: SimpleNamespace) -> None:
    with pytest.raises(
        code.fonts.FontsError, match=r"^fonts-nobody is not installed: apt-get install fonts-dejavu-core "
    ):
        code.fonts.font_files("fonts-nobody")


@pytest.mark.parametrize("script", ["sweep.py", "duel.py --train"])
def test_a_script_ends_in_one_line_where_something_is_missing(tmp_path: Path, script: str) -> None:
    """Without dpkg no package is installed; without a prediction nothing is trained."""
    folder = tmp_path / "sample_runs"
    shutil.copytree(SAMPLES, folder, ignore=shutil.ignore_patterns("states"))
    done = subprocess.run(
        [sys.executable, *script.split()],
        cwd=folder / "vit_glyphs",
        env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("fonts-dejavu-core is not installed: apt-get" if "sweep" in script else "there is no")
    assert done.stderr.count("\n") == 1

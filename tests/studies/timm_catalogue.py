"""Every ViT of timm that the settings can say: ``python tests/studies/timm_catalogue.py`` writes ``timm.csv`` anew.

Each name is built on the meta device with each of its tags (a tag may change classes, pooling and image), its settings
are read from the modules, and the row is kept only if the closed form gives its parameters and multiply-accumulates as
integers, at another image and other classes too. What is left out is refused by name, and printed here.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import timm
import torch
from catalogue_table import lean, write_table
from timm_settings import settings_of

sys.path.insert(0, str(Path(__file__).parents[1]))
from built import measured

from shapeplan.architectures import ViT

MODULES = ("vision_transformer", "deit", "eva", "beit")
OTHER_CLASSES = 10


class CountError(Exception):
    """A model that the settings cannot say."""


def build(name: str, **options: Any) -> Any:
    """Return a model of timm without memory."""
    with torch.device("meta"):
        return timm.create_model(name, pretrained=False, **options)


def counts(model: Any) -> tuple[int, int]:
    """Return what torch counts for one image of the model's own size."""
    height, width = model.patch_embed.img_size
    channels = model.pretrained_cfg["input_size"][0]
    return measured(model, torch.zeros(1, channels, height, width, device="meta"))


def described(model: Any) -> dict[str, Any]:
    """Return the settings of a model, and its counts, which they give exactly."""
    try:
        settings = lean(settings_of(model))
        ours = ViT(**settings)
    except (AttributeError, KeyError, TypeError) as error:
        raise CountError(f"{type(error).__name__}: {error}") from None
    built = counts(model)
    if (ours.params, ours.macs) != built:
        raise CountError(f"{built} is not {(ours.params, ours.macs)}: {settings}")
    return {**settings, "params": built[0], "macs": built[1]}


def holds_elsewhere(name: str, row: dict[str, Any]) -> None:
    """Raise `CountError` unless the settings hold at another image and other classes."""
    other = row["patch"] * 9
    try:
        model = build(name, img_size=other, num_classes=OTHER_CLASSES)
    except TypeError as error:
        raise CountError(str(error)) from None
    settings = {key: value for key, value in row.items() if key not in ("params", "macs")}
    ours = ViT(**{**settings, "image": other, "classes": OTHER_CLASSES})
    if (ours.params, ours.macs) != (built := counts(model)):
        raise CountError(f"{built} is not {(ours.params, ours.macs)} at {other} pixels: {settings}")


def rows_of(name: str) -> list[dict[str, Any]]:
    """Return a row for every group of tags that build the same; the first tag is the one of the bare name."""
    rows: list[dict[str, Any]] = []
    for tag in timm.models.get_pretrained_cfg(name) and tags(name):
        row = described(build(f"{name}.{tag}" if tag else name))
        if not rows:
            holds_elsewhere(name, row)
        same = next((known for known in rows if known["row"] == row), None)
        if same:
            same["tags"].append(tag)
        else:
            rows.append({"row": row, "tags": [tag]})
    return [{"name": name, "tags": [tag for tag in found["tags"] if tag], **found["row"]} for found in rows]


def tags(name: str) -> list[str]:
    """Return the tags of a name, that of the bare name first."""
    return list(timm.models._registry._model_default_cfgs[name].tags) or [""]


def main() -> None:
    """Write the table."""
    warnings.filterwarnings("ignore")
    rows, refused = [], {}
    for module in MODULES:
        for name in timm.list_models(module=module):
            try:
                rows += rows_of(name)
            except CountError as error:
                refused[name] = str(error)
            except Exception as error:
                refused[name] = f"not built: {type(error).__name__}: {error}"
    write_table("timm.csv", ("name", "tags"), rows)
    for name, why in refused.items():
        print(f"{name}: {why[:300]}")
    print(f"{len({row['name'] for row in rows})} names in {len(rows)} rows; {len(refused)} left out")


if __name__ == "__main__":
    main()

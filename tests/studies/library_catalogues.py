"""ViTs of open_clip, torchvision and transformers by name: ``python tests/studies/library_catalogues.py``.

Writes ``open_clip.csv``, ``torchvision.csv`` and ``transformers.csv`` anew. Each model is built on the meta device, and
a row is kept only if the closed form gives its parameters and multiply-accumulates as integers. Models of transformers
are built by what stands in their ``config.json`` on the hub, as far as it differs from the defaults (`HUB`).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from catalogue_table import lean, write_table
from hub_configs import HUB
from timm_settings import settings_of

sys.path.insert(0, str(Path(__file__).parents[1]))
from built import measured

from shapeplan.architectures import ViT
from shapeplan.readers.configs.config import Config
from shapeplan.readers.configs.open_clip import open_clip_config
from shapeplan.readers.configs.vision import VISION


def row(settings: dict[str, Any], model: Any, *, image: int | tuple[int, int]) -> dict[str, Any]:
    """Return settings and counts of a built model; raise `ValueError` if they are not equal."""
    height, width = image if isinstance(image, tuple) else (image, image)
    ours, built = ViT(**settings), measured(model, torch.zeros(1, 3, height, width, device="meta"))
    if (ours.params, ours.macs) != built:
        raise ValueError(f"{built} is not {(ours.params, ours.macs)}: {settings}")
    return {**lean(settings), "params": built[0], "macs": built[1]}


def open_clip_rows() -> Iterator[dict[str, Any]]:
    """Yield the image towers of open_clip, with the names of their weights on the hub."""
    import open_clip
    import timm
    from open_clip.pretrained import _PRETRAINED

    for name in open_clip.list_models():
        if timm.is_model(name):
            continue  # That name is timm's.
        config = open_clip.get_model_config(name)
        hub = [tag.get("hf_hub", "").removesuffix("/") for tag in _PRETRAINED.get(name, {}).values()]
        others = {f"timm/{other}" for other in open_clip.list_models() if other != name} | {""}
        aliases = sorted({each for each in hub if each not in others and not each.startswith("timm/vit_")})
        try:
            with torch.device("meta"):
                tower = open_clip.model._build_vision_tower(config["embed_dim"], dict(config["vision_cfg"]))
            if "timm_model_name" in config["vision_cfg"]:
                settings = settings_of(tower.trunk)
                if hasattr(tower.head, "proj"):
                    settings |= {"classes": config["embed_dim"], "head_bias": tower.head.proj.bias is not None}
                image = settings["image"]
            else:
                settings = dict(open_clip_config(Config(config)).settings)
                image = settings["image"]
            yield {"name": name, "aliases": aliases, **row(settings, tower, image=image)}
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {str(error)[:200]}")


def torchvision_rows() -> Iterator[dict[str, Any]]:
    """Yield the ViTs of torchvision."""
    import torchvision

    for name in ("vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14"):
        with torch.device("meta"):
            model = getattr(torchvision.models, name)()
        settings = {
            "width": model.hidden_dim,
            "depth": len(model.encoder.layers),
            "mlp_dim": model.mlp_dim,
            "heads": model.encoder.layers[0].num_heads,
            "patch": model.patch_size,
            "image": model.image_size,
            "pool": "tok",
            "prefix_positions": True,
            "classes": model.num_classes,
        }
        yield {"name": name, **row(settings, model, image=model.image_size)}


def transformers_rows() -> Iterator[dict[str, Any]]:
    """Yield the encoders of transformers by their names on the hub."""
    for names, values in HUB.items():
        name, *aliases = names.split()
        configured = VISION[values["model_type"]](Config(values))
        settings = dict(configured.settings)
        note = "; ".join((configured.counted, *configured.notes)).replace(",", ";")
        try:
            found = {**lean(settings), **transformers_counts(values, settings)}
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {str(error)[:300]}")
            continue
        yield {"name": name, "aliases": aliases, "note": note, **found}


def transformers_counts(values: dict[str, Any], settings: dict[str, Any]) -> dict[str, int]:
    """Return the counts of a model, or of the image tower of one; raise `ValueError` if the settings give others."""
    import transformers

    kind, built = values["model_type"], values["architectures"][0]
    said = {key: value for key, value in values.items() if key not in ("model_type", "architectures")}
    if "vision_config" in values:
        # Text towers need no building.
        kind, built = TOWERS[built]
        said = {**values["vision_config"]}
        if built.endswith("WithProjection"):
            said["projection_dim"] = values["projection_dim"]
    if kind == "vit_mae":
        built, said["mask_ratio"] = "ViTMAEModel", 0.0
    config = transformers.CONFIG_MAPPING[kind](**said)
    if kind == "siglip2_vision_model":
        found = siglip2_counts(config)
    else:
        with torch.device("meta"):
            model = getattr(transformers, built)(config)
            found = measured(model, torch.zeros(1, 3, *[settings["image"]] * 2))
    ours = ViT(**settings)
    if (ours.params, ours.macs) != found:
        raise ValueError(f"{found} is not {(ours.params, ours.macs)}: {settings}")
    return {"params": found[0], "macs": found[1]}


def siglip2_counts(config: Any) -> tuple[int, int]:
    """Return the counts of a model that looks at the sizes of its images, and so cannot be built without memory."""
    import transformers

    config._attn_implementation = "eager"
    side = int(config.num_patches**0.5)
    pixels = torch.zeros(1, config.num_patches, 3 * config.patch_size**2)
    mask, sides = torch.ones(1, config.num_patches), torch.tensor([[side, side]])
    model = transformers.Siglip2VisionModel(config)
    return measured(model, pixel_values=pixels, pixel_attention_mask=mask, spatial_shapes=sides)


TOWERS = {
    "CLIPModel": ("clip_vision_model", "CLIPVisionModelWithProjection"),
    "SiglipModel": ("siglip_vision_model", "SiglipVisionModel"),
    "Siglip2Model": ("siglip2_vision_model", "Siglip2VisionModel"),
}


def main() -> None:
    """Write the tables."""
    warnings.filterwarnings("ignore")
    for name, rows in (
        ("torchvision", torchvision_rows()),
        ("transformers", transformers_rows()),
        ("open_clip", open_clip_rows()),
    ):
        found = list(rows)
        write_table(f"{name}.csv", ("name", "aliases", "note"), found)
        print(f"{name}: {len(found)} rows")


if __name__ == "__main__":
    main()

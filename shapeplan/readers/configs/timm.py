"""timm's ``config.json`` on the hub: a name of its catalogue, with what the file changes."""

from __future__ import annotations

from typing import Any

from shapeplan.architectures.catalogue import NamedModel
from shapeplan.architectures.catalogue.tables import built_by_a_library
from shapeplan.readers.configs.config import Config, Configured

_POOLS = {"gap": "avg", "tok": "token", "map": "map"}
_COUNTED_ARGS = ("img_size", "patch_size", "in_chans", "num_classes")
_FREE_ARGS = ("dynamic_img_size", "dynamic_img_pad", "weight_init", "drop_rate", "drop_path_rate", "pos_drop_rate")
"""Arguments that change no count of a whole image."""


def timm_config(config: Config) -> Configured:
    """Return the model of timm that a configuration describes.

    Parameters
    ----------
    config : Config
        Keys ``architecture``, ``num_classes``, ``global_pool``, ``model_args`` and ``pretrained_cfg``, as timm reads
        them; in older files those of ``pretrained_cfg`` stand beside ``architecture``.

    Raises
    ------
    InputError
        If the architecture is not in the catalogue, or an argument of it is none that can be counted.
    """
    name = str(config.get("architecture"))
    record = timm_record(config, "architecture", name)
    pretrained = config.inner("pretrained_cfg") if config.get("pretrained_cfg", default=None) is not None else config
    arguments = config.inner("model_args") if config.get("model_args", default=None) is not None else Config({})
    for argument in arguments.values:
        if argument not in (*_COUNTED_ARGS, *_FREE_ARGS):
            arguments.refuse(argument, "is not counted", f"only {', '.join(_COUNTED_ARGS)} are")
    _check_width(config, record)
    check_pool(config, "global_pool", config.get("global_pool", default=None), record)
    channels, image = _input(pretrained)
    classes = config.number("num_classes", default=pretrained.number("num_classes", default=1000))
    changes = {
        "classes": arguments.number("num_classes", default=classes),
        "channels": arguments.number("in_chans", default=channels),
        "image": arguments.get("img_size", default=image),
        "patch": arguments.get("patch_size", default=None),
    }
    settings = {**record.settings, **{key: value for key, value in changes.items() if value is not None}}
    return Configured("vit", settings, f"{name} of timm")


def timm_record(config: Config, key: str, name: str) -> NamedModel:
    """Return the record of a model that timm builds; raise `InputError` if it is not in the catalogue."""
    record = built_by_a_library(f"timm/{name}")
    if record is None or record.whose != "timm":
        config.refuse(key, "is not in the catalogue of timm's ViTs", "give the shape instead, as columns of a table")
    return record


def check_pool(config: Config, key: str, pool: object, record: NamedModel) -> None:
    """Raise `InputError` if the configuration pools otherwise than the record: the norms are elsewhere then."""
    built = _POOLS[str(record.settings.get("pool", "map"))]
    if pool not in (None, "", built):
        config.refuse(key, f"is not how {record.name} pools", f"only {key} = {built} is counted")


def _check_width(config: Config, record: NamedModel) -> None:
    width = config.number("num_features", default=record.settings["width"])
    if width != record.settings["width"]:
        config.refuse("num_features", "is not the width of the architecture", f"it is {record.settings['width']}")


def _input(pretrained: Config) -> tuple[int | None, Any]:
    """Return the channels and sides of the images, where the file fixes them."""
    size = pretrained.get("input_size", default=None)
    if size is None:
        return None, None
    if not isinstance(size, list | tuple) or len(size) != 3:
        pretrained.refuse("input_size", "is no size", "write channels, height and width")
    channels, height, width = size
    fixed = pretrained.flag("fixed_input_size")
    return channels, ((height if height == width else (height, width)) if fixed else None)

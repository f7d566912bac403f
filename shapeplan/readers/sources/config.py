"""The configuration that lies beside what a run logged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.provenance import Source
from shapeplan.readers.json_text import loads_once
from shapeplan.readers.source import read_text
from shapeplan.readers.tree import check_tree
from shapeplan.readers.yaml_text import load_yaml, plain

_STEMS = ("config", "model_config", "hparams", "params", "args", "hyperparameters", "settings", "model")
_HYDRA = ".hydra/config.yaml"
_PLACES = (*(f"{stem}{suffix}" for stem in _STEMS for suffix in (".json", ".yaml", ".yml")), _HYDRA)


def config_beside(folder: Path, root: Path) -> tuple[Mapping[str, object], list[Source]]:
    """Return the configuration in a folder, or in the nearest one above it that is not above `root`; else nothing.

    Raises
    ------
    InputError
        If the file that is found holds no mapping.
    """
    for place in (folder, *folder.parents):
        for name in _PLACES:
            if (place / name).is_file():
                found, source = load_mapping(place / name)
                return _of_row(found) if name == _HYDRA else found, [source]
        if place == root or root not in place.parents:
            break
    return {}, []


def _of_row(config: Mapping[str, object]) -> Mapping[str, object]:
    """Return a configuration of Hydra in which the row of a design that it was started for comes first."""
    row = config.get("design")
    if not (isinstance(row, Mapping) and "run" in row):
        return config
    # What else it holds of the row refers to it: ${design.width}.
    return {**{key: value for key, value in config.items() if key != "design"}, **row}


def has_config(folder: Path) -> bool:
    """Return whether a configuration lies in a folder itself."""
    return any((folder / name).is_file() for name in _PLACES)


def is_config(file: Path) -> bool:
    """Return whether a file is named like a configuration."""
    return any(file.match(place) for place in _PLACES) or file.parent.name == ".hydra"


def load_mapping(path: Path) -> tuple[Mapping[str, object], Source]:
    """Return the mapping in a JSON or YAML file.

    Raises
    ------
    InputError
        If there is none in it.
    """
    text = read_text(path)
    if path.suffix == ".json":
        try:
            data = loads_once(text.body, str(path))
        except (ValueError, RecursionError):
            hint = "leave the run out, or mend it"
            raise InputError(ErrorDetail("bad-json", "is not JSON", hint, str(path))) from None
    else:
        loaded = load_yaml(text.body, str(path))
        check_tree(loaded, str(path))
        data = plain(loaded)
    if not isinstance(data, dict):
        raise InputError(ErrorDetail("wrong-type", "is not a mapping", "check the file", str(path)))
    return data, text.source

"""What a command is asked to count: names of the catalogue, files of shapes, and a shape of one's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from shapeplan.architectures import find_family
from shapeplan.architectures.catalogue import Counted
from shapeplan.errors import ArgumentError, ErrorDetail, InputError
from shapeplan.frozen import frozen
from shapeplan.provenance import Source
from shapeplan.readers.formats import SUFFIXES
from shapeplan.readers.settings_text import named_from_text, shape_from_text

_CONFIG = "config.json"


@frozen
class Models:
    """Models in the order they were asked for, what was understood, and the files they are from."""

    models: tuple[Counted, ...]
    notes: tuple[str, ...]
    sources: tuple[Source, ...]


def read_models(
    names: Sequence[str], *, family: str | None, settings: Mapping[str, str], shared: Mapping[str, str]
) -> Models:
    """Read what is to be counted.

    Parameters
    ----------
    names : sequence of str
        Names of the catalogue, files of shapes, folders with a ``config.json``, ``-`` for a file on stdin.
    family : str or None
        The family of a shape of one's own; with files, that of rows that do not say theirs.
    settings : mapping of str to str
        With `family` those of the shape of one's own; without, changes of every named model; with files, of every row.
    shared : mapping of str to str
        Changes of every model that has such a setting: ``{"image": "518"}``.

    Raises
    ------
    ArgumentError
        If a name is unknown, or a setting cannot be.
    InputError
        If a file cannot be read.
    """
    models: list[Counted] = []
    notes: list[str] = []
    sources: list[Source] = []
    folders = {name: os.path.join(name, _CONFIG) for name in names if os.path.isfile(os.path.join(name, _CONFIG))}
    notes += [f"{path} is read" for path in folders.values()]
    names = [folders.get(name, name) for name in names]
    files = [name for name in names if is_file(name)]
    for name in names:
        if name in files:
            # Names alone need no parser of files, and start faster without.
            from shapeplan.readers.shapes import read_shapes

            shapes = read_shapes(name, family=family, settings=settings, shared=shared)
            models += shapes.models
            notes += shapes.notes
            sources.append(shapes.source)
        else:
            own = settings if family is None else {}
            counted = _usage(partial(named_from_text, name, own, shared))
            if own:
                said = ", ".join(f"{key} {text}" for key, text in own.items())
                counted = replace(counted, name=f"{counted.name} ({said})", source=f"{counted.source}, changed")
            models.append(counted)
    if family is not None and not files:
        models.append(_usage(partial(_given, family, settings, shared)))
    elif settings and not names:
        hint = "add `family=vit`, decoder, llama ..., or a name to change"
        raise ArgumentError(ErrorDetail("missing-family", "a shape of one's own needs its family", hint))
    for key in shared:
        if models and not any(hasattr(counted.model, key) for counted in models):
            message = f"`{key}` says nothing here: no model has such a setting"
            raise ArgumentError(ErrorDetail("useless-option", message, "leave it out", value=shared[key]))
    return Models(tuple(models), tuple(notes), tuple(sources))


def is_file(name: str) -> bool:
    """Return whether an argument is a file of shapes, not a name."""
    if name == "-" or name.lower().endswith(tuple(SUFFIXES)):
        return True
    return os.path.isfile(name)


def _given(family: str, settings: Mapping[str, str], shared: Mapping[str, str]) -> Counted:
    found = find_family(family)
    # What is shared may be meant for the other models alone.
    texts = {**settings, **{key: text for key, text in shared.items() if key in found.fields}}
    model = shape_from_text(found, texts)
    return Counted(f"{found.name} {model.width}x{model.depth}x{model.mlp_dim}", model, found.name)


def _usage(read: Callable[[], Counted]) -> Counted:
    """Read what an option says; a setting that cannot be is wrong usage there, and has no column."""
    try:
        return read()
    except InputError as error:
        raise ArgumentError(*(replace(found, column=None) for found in error.details)) from None

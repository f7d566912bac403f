"""What a command is asked to count: names of the catalogue, files of shapes, and a shape of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shapeplan.architectures import find_family
from shapeplan.architectures.catalogue import Counted
from shapeplan.errors import ArgumentError, Complaint, InputError
from shapeplan.readers.settings_text import known_settings, named_from_text, shape_from_text
from shapeplan.runs import Source

_FILES = (".csv", ".tsv", ".yaml", ".yml", ".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
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
        Names of the catalogue, files of shapes, ``-`` for a file on stdin.
    family : str or None
        The family of a shape of one's own, and of rows of files that do not say theirs.
    settings : mapping of str to str
        With `family` those of the shape of one's own; without, changes of every named model.
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
    for name in names:
        if is_file(name):
            # Names alone need no parser of files, and start faster without.
            from shapeplan.readers.shapes import read_shapes

            shapes = read_shapes(name, family=family, changes={**({} if family else settings), **shared})
            models += shapes.models
            notes += shapes.notes
            sources.append(shapes.source)
        else:
            models.append(_named(name, {} if family else settings, shared))
    if family and (settings or not names):
        models.append(_given(family, settings, shared))
    elif settings and not names:
        hint = "add --family vit, decoder, llama ..., or a name to change"
        raise ArgumentError(Complaint("missing-family", "a shape of one's own needs its family", hint))
    for key in shared:
        if models and not any(hasattr(counted.model, key) for counted in models):
            message = f"--{key} says nothing here: no model has such a setting"
            raise ArgumentError(Complaint("useless-option", message, "leave it out", value=shared[key]))
    return Models(tuple(models), tuple(notes), tuple(sources))


def is_file(name: str) -> bool:
    """Return whether an argument is a file of shapes, not a name."""
    return name == "-" or name.lower().endswith(_FILES) or Path(name).is_file()


def _named(name: str, settings: Mapping[str, str], shared: Mapping[str, str]) -> Counted:
    try:
        return named_from_text(name, settings, shared)
    except InputError as error:
        raise ArgumentError(*error.complaints) from None


def _given(family: str, settings: Mapping[str, str], shared: Mapping[str, str]) -> Counted:
    try:
        found = find_family(family)
        # What is shared may be meant for the other models alone.
        model = shape_from_text(
            found, {**settings, **{key: text for key, text in shared.items() if key in known_settings(found)}}
        )
    except InputError as error:
        raise ArgumentError(*error.complaints) from None
    return Counted(f"{found.name} {model.width}x{model.depth}x{model.mlp_dim}", model, found.name)

"""One configuration: its keys, each asked for by its name, and the model that it describes."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Any, NoReturn

from shapeplan.architectures import Architecture, Transformer, find_family
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.architectures.settings import as_int, bad_setting
from shapeplan.frozen import frozen

_REQUIRED: Any = object()
_MISSPELT = 0.92
"""Two words this alike are one, misspelt."""


@frozen
class Configured:
    """The model that a configuration describes.

    Attributes
    ----------
    family : str
        A name of `FAMILIES`.
    settings : mapping of str to value
        Settings of the family, shape included.
    counted : str
        Whose model is counted: ``"LlamaForCausalLM of transformers"``.
    notes : tuple of str
        What was left out, or read in a way that a reader must know.
    """

    family: str
    settings: Mapping[str, Any]
    counted: str
    notes: tuple[str, ...] = ()

    def model(self, changes: Mapping[str, Any] | None = None) -> Transformer:
        """Return the transformer, with some settings changed.

        Raises
        ------
        InputError
            If a setting is missing, or cannot be; ``column`` names it.
        """
        settings = {**self.settings, **(changes or {})}
        shape = {dim: settings.pop(dim) for dim in SHAPE_DIMS if dim in settings}
        return Architecture.of(find_family(self.family), settings).model(shape)


@frozen
class Config:
    """The keys of a configuration.

    Attributes
    ----------
    values : mapping of str to value
        As the file has them.
    path : str
        Where in the file they stand: ``"text_config."``, or nothing.
    defaults : mapping of str to value
        What the framework takes for keys that the file lacks.
    """

    values: Mapping[str, Any]
    path: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def get(self, *names: str, default: Any = _REQUIRED) -> Any:
        """Return the value of the first of the names that is there and is not null, else the default.

        What the framework takes for a missing key goes before the default; a key that is there and null has none.

        Raises
        ------
        InputError
            If none is there, and there is no default.
        """
        values = self.values if any(name in self.values for name in names) else self.defaults
        for name in names:
            if values.get(name) is not None:
                return values[name]
        if default is _REQUIRED:
            raise bad_setting(self.path + names[0], None, "is missing", "add it to the configuration")
        return default

    def says(self, name: str) -> bool:
        """Return whether the file itself has the key, and not null."""
        return self.values.get(name) is not None

    def flag(self, *names: str, default: bool = False) -> bool:
        """Return a yes or no; raise `InputError` if it is neither."""
        value = self.get(*names, default=default)
        if not isinstance(value, bool) and value not in (0, 1):
            raise bad_setting(self.path + names[0], value, "is neither true nor false", "write true or false")
        return bool(value)

    def number(self, *names: str, default: Any = _REQUIRED, least: float = 0, whole: bool = True) -> Any:
        """Return a number, an int where it is whole; the default is returned as it is.

        Raises
        ------
        InputError
            If it is no finite number of at least `least`, or no whole number where one is needed.
        """
        value = self.get(*names, default=default)
        if value is default:
            return value
        said = next((name for name in names if self.values.get(name) is not None), names[0])
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise bad_setting(self.path + said, value, "is not a number", "write one number")
        if value < least:
            raise bad_setting(self.path + said, value, f"is below {least:g}", "check it")
        if whole and value != int(value):
            raise bad_setting(self.path + said, value, "is no whole number", "write a whole number")
        return as_int(value)

    def says_once(self, *names: str) -> None:
        """Raise `InputError` if two of the names, which mean the same, are there with different values."""
        said = {name: self.values[name] for name in names if self.values.get(name) is not None}
        if len({str(value) for value in said.values()}) > 1:
            other, name = list(said)[:2]
            raise bad_setting(self.path + name, said[name], f"is another than {other} = {said[other]}", "keep one")

    def must_know(self, words: Collection[str]) -> None:
        """Raise `InputError` for a key that is one of the words but for a letter or two, where that word is missing."""
        for key in self.values:
            near = [] if key in words else difflib.get_close_matches(key, words, n=1, cutoff=_MISSPELT)
            if near and near[0] not in self.values:
                hint = f"did you mean {near[0]!r}? leave it out if not"
                raise bad_setting(self.path + key, self.values[key], "is no key that is known here", hint)

    def items(self, name: str) -> list[Any]:
        """Return a list, empty where the key is missing; raise `InputError` if it is none."""
        value = self.get(name, default=None)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise bad_setting(self.path + name, value, "is no list", "write it in brackets")
        return list(value)

    def inner(self, name: str) -> Config:
        """Return the configuration nested under a key; raise `InputError` if there is none."""
        values = self.get(name)
        if not isinstance(values, Mapping):
            raise bad_setting(self.path + name, values, "is no configuration", "write its keys and values")
        return Config(values, f"{self.path}{name}.")

    def refuse(self, name: str, why: str, hint: str) -> NoReturn:
        """Raise `InputError`: the setting of that name cannot be counted."""
        raise bad_setting(self.path + name, self.values.get(name), why, hint)

    def must_be(self, name: str, *allowed: Any, default: Any = None) -> None:
        """Raise `InputError` if the key holds anything but one of the values (or is missing, where null is allowed)."""
        value = self.get(name, default=default)
        if value not in allowed:
            shown = " or ".join(str(one).lower() if isinstance(one, bool) else str(one) for one in allowed)
            self.refuse(name, "is not counted", f"only {name} = {shown} is")

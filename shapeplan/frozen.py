"""Frozen records: data classes whose methods are written once here, and not generated anew for every one.

`dataclasses` compiles six methods a class, of which this project has two hundred: a tenth of the start-up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import FrozenInstanceError, dataclass, field, fields
from reprlib import recursive_repr
from typing import Any, TypeVar, cast, dataclass_transform, overload

T = TypeVar("T")


@overload
def frozen(cls: type[T], /) -> type[T]: ...
@overload
def frozen(*, kw_only: bool = False) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T] | None = None, /, *, kw_only: bool = False) -> type[T] | Callable[[type[T]], type[T]]:
    """Return a class as ``dataclass(frozen=True)`` does; fields, `replace` and `asdict` are those of `dataclasses`.

    Parameters
    ----------
    cls : type
        The class with its annotated fields. A method that it defines itself is kept.
    kw_only : bool
        Whether fields are given by name alone.
    """

    def make(given: Any) -> Any:
        for name, method in _METHODS.items():
            if name not in vars(given):
                setattr(given, name, method)
        made = dataclass(repr=False, eq=False, kw_only=kw_only)(given)
        made._settable = frozenset(one.name for one in fields(made))
        return made

    return cast(type[T], make(cls)) if cls is not None else make


def _set_once(self: Any, name: str, value: object) -> None:
    """Set a field that is not set yet, as ``__init__`` does; anything else is refused."""
    if name in vars(self) or name not in self._settable:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    vars(self)[name] = value


def _keep(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _is_equal(self: Any, other: object) -> object:
    if other.__class__ is not self.__class__:
        return NotImplemented
    try:
        return _compared(self) == _compared(other)
    except ValueError:
        # Arrays of several elements have no truth value.
        return _same(_compared(self), _compared(other))


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are equal, arrays inside them too, where NaN is NaN."""
    if one is other:
        return True
    if isinstance(one, Sequence) and type(one) is type(other) and not isinstance(one, str | bytes):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if hasattr(one, "__array__") and hasattr(other, "__array__"):
        return one.shape == other.shape and bool(((one == other) | ((one != one) & (other != other))).all())
    return bool(one == other)


def _hash(self: Any) -> int:
    return hash(_compared(self))


@recursive_repr()
def _shown(self: Any) -> str:
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{self.__class__.__qualname__}({shown})"


def _compared(record: Any) -> tuple[object, ...]:
    return tuple([getattr(record, one.name) for one in fields(record) if one.compare])


_METHODS = {
    "__setattr__": _set_once,
    "__delattr__": _keep,
    "__eq__": _is_equal,
    "__hash__": _hash,
    "__repr__": _shown,
}

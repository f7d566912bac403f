"""Frozen records behave as data classes that the standard library freezes."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import pytest
from conftest import SAMPLES
from hypothesis import given
from hypothesis import strategies as st

import shapeplan as sp
from shapeplan.frozen import frozen


@frozen
class Point:
    kind: ClassVar[str] = "point"
    x: int
    y: float = 0.0
    note: str = field(default="", compare=False)
    secret: str = field(default="", repr=False)

    @cached_property
    def total(self) -> float:
        return self.x + self.y


@frozen
class Table:
    values: np.ndarray
    more: dict[str, tuple[np.ndarray, str]]


@dataclass(frozen=True)
class Wanted:
    kind: ClassVar[str] = "point"
    x: int
    y: float = 0.0
    note: str = field(default="", compare=False)
    secret: str = field(default="", repr=False)


Given = tuple[int, float, str, str]
VALUES = st.tuples(st.integers(0, 2), st.sampled_from([0.0, 1.5]), st.sampled_from("ab"), st.sampled_from("cd"))


@given(VALUES, VALUES)
def test_they_compare_hash_and_print_as_data_classes(
    one: tuple[int, float, str, str], two: tuple[int, float, str, str]
) -> None:
    first, second = Point(*one), Point(*two)
    assert (first == second) == (Wanted(*one) == Wanted(*two))
    assert (hash(first) == hash(second)) == (hash(Wanted(*one)) == hash(Wanted(*two)))
    assert repr(first) == repr(Wanted(*one)).replace("Wanted", "Point")
    assert first != Wanted(*one)
    assert asdict(first) == asdict(Wanted(*one))
    assert [one.name for one in fields(first)] == ["x", "y", "note", "secret"]
    assert replace(first, x=9) == Point(9, *one[1:])
    assert copy.deepcopy(first) == pickle.loads(pickle.dumps(first)) == first


@pytest.mark.parametrize("name", ["x", "secret", "kind", "total", "z"])
def test_nothing_of_them_can_be_set_or_deleted(name: str) -> None:
    point = Point(1)
    assert point.total == 1.0
    with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
        setattr(point, name, 2)
    with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{name}'"):
        delattr(point, name)
    assert vars(point) == {"x": 1, "y": 0.0, "note": "", "secret": "", "total": 1.0}


def test_their_own_methods_are_kept_and_derived_records_are_frozen_too() -> None:
    @frozen
    class Named(Point):
        name: str = "n"

        def __repr__(self) -> str:
            return self.name

    @frozen(kw_only=True)
    class ByName(Named):
        size: int

    made = ByName(1, size=3)
    assert repr(Named(1)) == "n"
    assert repr(made).endswith("ByName(x=1, y=0.0, note='', name='n', size=3)")
    assert made != ByName(1, size=4)
    with pytest.raises(FrozenInstanceError):
        made.size = 4  # type: ignore[misc]
    with pytest.raises(TypeError):
        ByName(1, 2.0, "", "", "n", 3)  # type: ignore[misc, call-arg]


def test_a_record_in_itself_is_printed_once() -> None:
    @frozen
    class Holder:
        held: list[object]

    holder = Holder([])
    holder.held.append(holder)
    assert repr(holder).endswith("Holder(held=[...])")


def test_records_with_arrays_compare_by_their_values() -> None:
    def made(last: float, name: str = "a") -> Table:
        return Table(np.array([1.0, last]), {name: (np.array([[2.0, np.nan]]), "b")})

    assert made(3.0) == made(3.0)
    assert made(np.nan) == made(np.nan)
    assert made(3.0) != made(4.0)
    assert made(3.0) != made(3.0, "c")
    assert Table(np.zeros(2), {"a": "xy"}) != Table(np.zeros(2), {"a": ["x", "y"]})  # type: ignore[dict-item]
    assert made(3.0) != replace(made(3.0), values=np.arange(3.0))
    runs = sp.read_runs(SAMPLES / "vit_sweep.csv")
    assert runs == sp.read_runs(SAMPLES / "vit_sweep.csv")
    assert runs != runs.take(np.arange(len(runs))[::-1])
    found = sp.fit(runs, law="separable", replicates=20)
    assert (found == found, found == replace(found)) == (True, True)
    assert found != sp.fit(runs, law="separable", replicates=20, seed=1)

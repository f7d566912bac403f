from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.numerics.grouping import first_alike, first_of_group, group_alike, is_function

NUMBERS = st.sampled_from([0.0, -0.0, 1.0, 2.5, 1e20, 1e20 + 2**14, math.inf, -math.inf, math.nan])


def columns(rows: list[list[float]]) -> list[Floats]:
    return [np.array(column) for column in zip(*rows, strict=True)]


def one_by_one(rows: list[list[float]]) -> list[int]:
    seen: dict[tuple[float, ...], int] = {}
    return [i if any(map(math.isnan, row)) else seen.setdefault(tuple(row), i) for i, row in enumerate(rows)]


@given(st.integers(1, 4).flatmap(lambda k: st.lists(st.lists(NUMBERS, min_size=k, max_size=k), min_size=1)))
def test_the_first_like_row_is_that_of_a_search_one_by_one(rows: list[list[float]]) -> None:
    assert first_alike(*columns(rows)).tolist() == one_by_one(rows)


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2)), min_size=1))
def test_groups_are_numbered_by_appearance(rows: list[tuple[int, int]]) -> None:
    group: Ints = group_alike(*(np.array(column) for column in zip(*rows, strict=True)))
    names = list(dict.fromkeys(rows))
    assert group.tolist() == [names.index(row) for row in rows]
    assert first_of_group(group).tolist() == [rows.index(row) for row in rows]
    assert is_function(np.array([row[0] for row in rows]), group)


def test_no_rows_are_no_groups() -> None:
    assert first_alike(np.empty(0)).tolist() == []


def test_many_groups_are_found_as_few_are() -> None:
    values = np.random.default_rng(0).integers(0, 3000, 9000)
    one, other = values % 70, values // 70
    _, heads, groups = np.unique(values, return_index=True, return_inverse=True)
    assert first_alike(values.astype(float)).tolist() == heads[groups].tolist()
    assert first_alike(one, other).tolist() == heads[groups].tolist()
    assert first_alike(one).tolist() == [int(np.argmax(one == value)) for value in one]

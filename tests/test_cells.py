from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.cells import Cells, Names

PLAIN = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(1e-3, 1e21).map(lambda value: f"{value:.9g}"),
    st.integers(-(10**18), 10**18).map(str),
    st.sampled_from(["007", "1.", ".5", "+3", "-0.0", "1E5"]),
)
ODD = st.sampled_from(["", " ", "1 2", " 1", "1 ", "1\t2", "x", "1e", "1,5", "0x10", "--1", "1.2.3", "5%"])


@given(st.lists(PLAIN, min_size=1, max_size=20))
def test_numbers_are_those_of_python(texts: list[str]) -> None:
    values = Cells.of_texts(texts).numbers()
    assert values is not None
    assert values.tolist() == [float(text) for text in texts]


@given(st.lists(st.one_of(PLAIN, ODD), min_size=1, max_size=6))
def test_what_is_no_number_is_never_read_as_one(texts: list[str]) -> None:
    try:
        wanted = [float(text) for text in texts]
    except ValueError:
        assert Cells.of_texts(texts).numbers() is None
    else:
        values = Cells.of_texts(texts).numbers()
        assert values is not None
        assert values.tolist() == wanted


@given(st.lists(st.sampled_from(["a", "b", "run 1", "x" * 30, "10"]), min_size=1))
def test_groups_are_the_distinct_texts_in_order(texts: list[str]) -> None:
    group, names = Cells.of_texts(texts).groups()
    assert names == tuple(dict.fromkeys(texts))
    assert [names[i] for i in group] == texts


def test_names_are_a_sequence_of_texts() -> None:
    _, names = Cells.of_texts(["b", "a", "b", "c"]).groups()
    assert isinstance(names, Names)
    assert (len(names), names[0], names[-1], names.index("c")) == (3, "b", "c", 2)
    assert names[1:] == ("a", "c")
    assert "a" in names
    assert names != ("b", "a")
    assert hash(names) == hash(("b", "a", "c"))
    assert repr(names) == "('b', 'a', 'c')"
    with pytest.raises(IndexError):
        names[3]

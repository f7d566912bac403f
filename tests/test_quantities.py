from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.errors import ArgumentError
from shapeplan.quantities import (
    convert_flops,
    format_count,
    format_flops,
    format_scientific,
    parse_assignments,
    parse_count,
    parse_flops,
    parse_fraction,
)


@pytest.mark.parametrize(
    ("text", "flops"),
    [
        ("1e21", 1e21),
        ("1e21FLOP", 1e21),
        ("1e21 FLOPs", 1e21),
        ("9T GFLOPs", 9e21),
        ("500 EFLOP", 5e20),
        ("500EFLOPs", 5e20),
        ("2.5 zflops", 2.5e21),
        ("9B TFLOP", 9e21),
        ("1_000 PFLOP", 1e18),
        (".5e20", 5e19),
        ("3E", 3e18),
        ("  7e19  ", 7e19),
        ("1 PF-day", 8.64e19),
        ("2.5PF-days", 2.16e20),
        ("3 petaflop/s-days", 2.592e20),
        ("1e3 TFLOPS days", 8.64e19),
        ("10 EFLOP/s-days", 8.64e23),
    ],
)
def test_budgets_are_read_as_people_write_them(text: str, flops: float) -> None:
    assert parse_flops(text) == pytest.approx(flops, rel=1e-12)


@pytest.mark.parametrize(
    "text", ["", "foo", "1e", "-1e21", "0", "nan", "inf", "1e41", "1e400", "1e21 GPUs", "1,5e21", "."]
)
def test_other_budgets_are_refused_with_their_text(text: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_flops(text)
    assert repr(text) in str(error.value)
    assert error.value.details[0].code == "bad-flops"


def test_a_rate_is_told_from_an_amount() -> None:
    with pytest.raises(ArgumentError, match="is a rate, not an amount of compute"):
        parse_flops("300 TFLOP/s")


@given(st.floats(min_value=1e-3, max_value=1e39))
def test_plain_numbers_are_read_exactly(value: float) -> None:
    assert parse_flops(repr(value)) == value


@given(st.floats(min_value=1e3, max_value=1e30))
def test_formats_keep_three_digits(value: float) -> None:
    assert float(format_flops(value)) == pytest.approx(value, rel=5.01e-3)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (428e6, "428M"),
        (999.6e6, "1.00B"),
        (1.318e9, "1.32B"),
        (912, "912"),
        (64e6, "64.0M"),
        (36.4e9, "36.4B"),
        (5, "5"),
    ],
)
def test_counts_are_short(count: float, text: str) -> None:
    assert format_count(count) == text


def test_scientific_drops_trailing_zeros() -> None:
    assert [format_scientific(x, 3) for x in (9e21, 1.85e20, 1e3)] == ["9e21", "1.85e20", "1e3"]


def test_counts_and_fractions() -> None:
    assert parse_count("1.2B") == 1.2e9
    assert parse_fraction("0.3%") == pytest.approx(0.003)
    assert parse_fraction("0.003") == 0.003
    for bad in ("0", "-1", "x", "1e999"):
        with pytest.raises(ArgumentError):
            parse_count(bad)
    for bad in ("1", "150%", "x", "nan", "-1%"):
        with pytest.raises(ArgumentError):
            parse_fraction(bad)


def test_assignments() -> None:
    assert parse_assignments("width=608, depth=10", "") == {"width": 608, "depth": 10}
    for bad in ("width", "width=", "=3", "width=1,width=2", "width=1,,depth=2", "width=x"):
        with pytest.raises(ArgumentError):
            parse_assignments(bad, "hint")


@given(st.floats(min_value=1, max_value=1e30))
def test_conventions_go_there_and_back(flops: float) -> None:
    assert convert_flops(flops, "forward", "training") == 3 * flops
    assert math.isclose(convert_flops(convert_flops(flops, "forward", "training"), "training", "forward"), flops)


def test_quantities_of_absurd_length_are_refused_at_once() -> None:
    with pytest.raises(ArgumentError) as error:
        parse_flops("1" * 200_000 + "x")
    assert len(str(error.value)) < 300

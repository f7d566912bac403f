"""Numbers, intervals, percentages and places as text: the same words in tables, sentences and documents."""

from __future__ import annotations


def span(interval: tuple[float, float] | None, digits: int = 3) -> str:
    """Return an interval as text, ``-`` where there is none."""
    return "-" if interval is None else f"{compact(interval[0], digits)} to {compact(interval[1], digits)}"


def compact(value: float, digits: int = 3) -> str:
    """Return a number to that many significant digits, whole numbers whole, without an exponent where that is short."""
    if value != value:
        return "undefined"
    if abs(value) < 1e7 and (float(value).is_integer() or abs(value) >= 10 ** (digits - 1)):
        return f"{value:.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def percent(value: float | None, *, signed: bool = False) -> str:
    """Return a fraction as a percentage with two digits after the point, ``-`` where there is none."""
    if value is None:
        return "-"
    text = f"{value:+.2%}" if signed else f"{value:.2%}"
    return "0.00%" if text in ("+0.00%", "-0.00%") else text


def place(line: int, file: str = "") -> str:
    """Return where a row stands: ``line 7``, or ``line 7 of b.csv`` where its log has several files."""
    return f"line {line} of {file}" if file else f"line {line}"

"""FLOPs, counts and ratios as people write them: parsing, printing, and the two conventions of compute."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from shapeplan.bounds import BOUNDS
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.numerals import as_float

if TYPE_CHECKING:
    from shapeplan.numerics.arrays import Floats

Convention: TypeAlias = Literal["forward", "training"]
TRAINING_PER_FORWARD = 3.0
"""Training FLOPs (forward + backward) per forward FLOP: a backward pass is two; real ViTs measure 2.99."""

LARGEST_FLOPS = BOUNDS["flops"].most
"""No budget is above this: it is 1e14 times the largest training run known."""

LEAST_MFU = 1e-6
"""A share of an accelerator's peak below this is a mistake of units."""

PREFIXES = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "Z": 1e21, "Y": 1e24}
"""Letters behind or before a unit, and what they multiply by."""
_NUMBER = r"(?P<number>[+-]?(?:\d+(?:_\d+)*)?\.?\d*(?:[eE][+-]?\d+)?)"
# A small e is never exa: "1e" is half a number, not 1e18.
_FLOPS = re.compile(_NUMBER + r"\s*(?P<scale>[KMGBTPEZYkmgbtpzy]?)\s*(?:(?P<prefix>[KMGTPEZYkmgtpezy]?)(?i:FLOPS?))?")
_WITH_UNIT = re.compile(_NUMBER + r"(?P<unit>.*)")
PF_DAY = 1e15 * 86400
_DEVICE_TIME = re.compile(
    r"(?:(?:training|train|total|compute)_)*(?:(?P<prefix>mega|giga|tera|peta|exa|zetta|[mgtpez])(?:fs?|f_s|flops?(?:_s)?)_?"
    r"(?P<time>days?|d|hours?|hrs?|h)|pfd)"
)
_OF_TIME = {"d": 86400.0, "h": 3600.0}
_COUNT = re.compile(_NUMBER + r"\s*(?P<scale>[KMGBT]?)", re.IGNORECASE)
_BELOW_ONE = math.nextafter(1.0, 0.0)
_NO_SUFFIX = 1e16
"""Counts from which on the suffixes say less than an exponent."""
_LONGEST = 80
"""No quantity is longer than this; the patterns take quadratic time."""
_FLOPS_HINT = "write e.g. 1e21, 1e21FLOP, 500 EFLOP, '9T GFLOPs' or '3 PF-days'"

_Quantity = TypeVar("_Quantity", float, "Floats")


def convert_flops(flops: _Quantity, given: Convention, wanted: Convention) -> _Quantity:
    """Return `flops` of convention `given` in the convention `wanted`.

    ``forward`` is per-example forward FLOPs times examples (the paper's); ``training`` is three times that.

    Raises
    ------
    ArgumentError
        If a convention is neither.
    """
    for convention in (given, wanted):
        if convention not in ("forward", "training"):
            raise _bad("bad-convention", str(convention), "is no convention of compute", "write forward or training")
    if given == wanted:
        return flops
    factor = TRAINING_PER_FORWARD if wanted == "training" else 1.0 / TRAINING_PER_FORWARD
    return flops * factor


def parse_flops(text: str) -> float:
    """Read a budget of compute.

    Parameters
    ----------
    text : str
        ``1e21``, ``1e21FLOP``, ``500 EFLOP``, ``9T GFLOPs``: a number, an optional multiplier, an optional unit; or
        ``3 PF-days``, ``3 petaflop/s-days``.

    Returns
    -------
    float
        FLOPs, within the bounds of compute.

    Raises
    ------
    ArgumentError
        If `text` is no such quantity; ``code`` is ``bad-flops``.
    """
    match = _FLOPS.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    of_device = _WITH_UNIT.fullmatch(text.strip()) if match is None and len(text) <= _LONGEST else None
    if of_device and of_device["number"].strip("+-.") and (spent := device_time(of_device["unit"])) is not None:
        return _in_bounds(_to_float(of_device["number"], text, "bad-flops", _FLOPS_HINT) * spent, text)
    if match is None or not match["number"].strip("+-."):
        is_rate = re.search(r"/\s*s|per\s*s", text, re.IGNORECASE)
        why = "is a rate, not an amount of compute" if is_rate else "is not an amount of compute"
        raise _bad("bad-flops", text, why, _FLOPS_HINT)
    scale = PREFIXES[match["scale"].upper()] * PREFIXES[(match["prefix"] or "").upper()]
    return _in_bounds(_to_float(match["number"], text, "bad-flops", _FLOPS_HINT) * scale, text)


def device_time(unit: str) -> float | None:
    """Return the FLOPs of a unit of a device's speed times time: ``PF-days``, ``tflop_hours``; None for any other."""
    match = _DEVICE_TIME.fullmatch(re.sub(r"\W+", "_", unit.strip().lower()))
    if match is None:
        return None
    return PREFIXES[match["prefix"][0].upper()] * _OF_TIME[match["time"][0]] if match["prefix"] else PF_DAY


def _in_bounds(flops: float, text: str) -> float:
    if not BOUNDS["flops"].holds(flops):
        raise _bad("bad-flops", text, f"is not {BOUNDS['flops']} FLOPs", _FLOPS_HINT)
    return flops


def parse_count(text: str, hint: str = "write e.g. 3e8, 64M or 1.2B") -> float:
    """Read a positive count such as ``64M``, ``1.2B`` or ``3e8``.

    Raises
    ------
    ArgumentError
        If `text` is no such quantity; ``code`` is ``bad-count``.
    """
    match = _COUNT.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if match is None or not match["number"].strip("+-."):
        raise _bad("bad-count", text, "is not a count", hint)
    value = _to_float(match["number"], text, "bad-count", hint) * PREFIXES[match["scale"].upper()]
    if not (0 < value < math.inf):
        raise _bad("bad-count", text, "is not positive and finite", hint)
    return value


def parse_fraction(text: str, *, most: float = _BELOW_ONE, hint: str = "write e.g. 0.3% or 0.003") -> float:
    """Read a fraction of one such as ``0.3%`` or ``0.003``.

    Raises
    ------
    ArgumentError
        If `text` is not a fraction from 0 to `most`, which is less than 1 if not given; ``code`` is ``bad-fraction``.
    """
    body = text.strip()
    percent = body.endswith("%")
    value = _to_float(body.removesuffix("%"), text, "bad-fraction", hint)
    if percent:
        # As it would be written: 99.9 / 100 is not the number 0.999.
        value = float(f"{value / 100:.15g}")
    if not 0 <= value <= most:
        limit = "less than 100%" if most == _BELOW_ONE else f"{most:.0%}"
        raise _bad("bad-fraction", text, f"is not from 0% to {limit}", hint)
    return value


def parse_assignments(text: str, hint: str) -> dict[str, float]:
    """Read ``width=608,depth=10`` into a mapping of names to positive numbers.

    Raises
    ------
    ArgumentError
        If a part is not ``name=number`` or a name comes twice; ``code`` is ``bad-assignment``.
    """
    values: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not (name and equals and number):
            raise _bad("bad-assignment", text, f"has a part {part.strip()!r} that is not name=number", hint)
        if name in values:
            raise _bad("bad-assignment", text, f"sets {name!r} twice", hint)
        values[name] = parse_count(number, hint)
    return values


def format_flops(flops: float) -> str:
    """Return e.g. ``1.85e20``: three significant digits, no padding, no unit."""
    return format_scientific(flops, 3)


def format_scientific(value: float, digits: int) -> str:
    """Return `value` to `digits` significant digits as ``1.85e20``, dropping trailing zeros; ``inf`` as it is."""
    if not math.isfinite(value):
        return f"{value}"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def format_count(count: float) -> str:
    """Return e.g. ``428M``, ``1.32B``, ``912``: three significant digits with the field's suffixes."""
    if count >= _NO_SUFFIX:
        return f"{count:.2e}"
    for scale, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= scale * 0.9995:
            digits = count / scale
            return f"{digits:.{max(0, 2 - int(math.log10(max(digits, 1.0) * 1.0005)))}f}{suffix}"
    return f"{count:.0f}"


def format_size(value: float, digits: int = 4) -> str:
    """Return a size to so many significant digits as people write it: ``21,280``, ``13.19``."""
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:,.0f}" if rounded.is_integer() else f"{rounded:.{digits}g}"


def format_factor(factor: float) -> str:
    """Return a factor above one as people say it: ``4.66x``, ``46,600x``, ``3.8 million times``."""
    rounded = float(f"{factor:.3g}")
    if rounded < 1e6:
        return f"{format_size(rounded, 3)}x"
    if rounded < 1e9:
        return f"{rounded / 1e6:g} million times"
    return f"{rounded / 1e9:g} billion times" if rounded < 1e12 else f"{format_scientific(rounded, 3)} times"


def format_bytes(count: float) -> str:
    """Return e.g. ``16.1 GB``: three significant digits, in powers of a thousand."""
    for scale, unit in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if count >= scale * 0.9995:
            return f"{float(f'{count / scale:.3g}'):g} {unit}"
    return f"{count:.0f} B"


def format_days(days: float) -> str:
    """Return e.g. ``43.5 days``, ``3.2 hours``, ``12 minutes``, ``19.6 years``."""
    for scale, unit, most in ((1.0, "days", 1000.0), (24.0, "hours", 24.0), (1440.0, "minutes", 60.0)):
        if (days >= 1 and scale == 1.0 and days <= most) or (scale > 1 and 1 <= days * scale < most):
            count = float(f"{days * scale:.3g}")
            return f"{count:g} {unit.removesuffix('s') if count == 1 else unit}"
    return f"{days * 86400:.2g} seconds" if days < 1 else f"{float(f'{days / 365.25:.3g}'):,.15g} years"


def _to_float(number: str, text: str, code: str, hint: str) -> float:
    try:
        return as_float(number)
    except ValueError:
        raise _bad(code, text, "is not a number", hint) from None


def _bad(code: str, text: str, why: str, hint: str) -> ArgumentError:
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
    return ArgumentError(ErrorDetail(code, f"{shown!r} {why}", hint, value=shown))

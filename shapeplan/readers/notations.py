"""Ways to write numbers, beside the plain one: separators of thousands, decimal commas, suffixes, units."""

from __future__ import annotations

import re
from collections.abc import Callable

from shapeplan.frozen import frozen
from shapeplan.quantities import PF_DAY
from shapeplan.readers.units import LETTERS, LOWERED, SUPERSCRIPTS, WORDS

_SCALES = {"": 1.0, **LETTERS, **WORDS}
_SCALE = r" ?(?:thousand|million|billion|trillion|mio\.?|mln|mrd\.?|bn|bln|tn|[kmbgtp])"
_EXPONENT = r"(?:[eE][+-]?\d+)?"
_PLAIN = rf"[+-]?(?:\d+\.?\d*|\.\d+){_EXPONENT}"
_FLOPS = r"[kmgtpezy]?(?-i:FLOPs?|[Ff]lops?)"
"""Not FLOPS, which is a rate."""
_PF_DAYS = r"(?:pf|pflops?|petaflops?)(?:/s)?[-_ ]?days?"
_UNIT = (
    rf"(?:{_PF_DAYS}|{_FLOPS}|nats?|bits?|tokens?|toks?|params?|parameters?|examples?|images?|samples?|layers?|heads?)"
)
_TIMES_TEN = r"(?:[x*\u00d7\u00b7] ?10(?:\^|\*\*)|[Dd](?=[+-]?\d)| [eE](?=[+-]?\d))"
_RAISED = rf" ?[x*\u00d7\u00b7] ?10[{SUPERSCRIPTS}]+"
_AROUND = r"(?:(?:tensor|array|(?:np|numpy)\.float\d+)\(\[*|\[+)"


@frozen
class Notation:
    """A way to write numbers.

    Attributes
    ----------
    name : str
        For notes.
    pattern : re.Pattern
        What every cell matches, those that are plain numbers included.
    telling : re.Pattern
        What a cell matches that is in this notation and not in plain numbers.
    value : callable
        The number of a cell.
    throughout : bool
        Whether most cells of a column must be in it: one that is alone is a mistake.
    """

    name: str
    pattern: re.Pattern[str]
    telling: re.Pattern[str]
    value: Callable[[str], float]
    throughout: bool = False


def _with_suffix(text: str) -> float:
    body = text.replace(",", "").replace(" ", "").rstrip(".")
    number = re.sub("[A-Za-z]+$", "", body)
    scale = _SCALES[body[len(number) :].lower()]
    return float(body) if scale == 1.0 else float(f"{float(number) * scale:.15g}")


def _with_unit(text: str) -> float:
    number = re.sub(rf" ?{_UNIT}$", "", text, flags=re.I)
    unit = text[len(number) :].strip().lower()
    prefix = PF_DAY if re.fullmatch(_PF_DAYS, unit) else LETTERS[unit[0]] if re.fullmatch(".flops?", unit) else 1.0
    value = _with_suffix(number)
    return value if prefix == 1.0 else float(f"{value * prefix:.15g}")


def _pattern(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a pattern whose digits are 0 to 9 alone, as in `shapeplan.numerals`."""
    return re.compile(pattern, flags | re.ASCII)


THOUSANDS = Notation(
    "thousands separators",
    _pattern(rf"[+-]?(?:[1-9]\d{{0,2}}(?:,\d{{3}})+(?:\.\d*)?|\d+(?:\.\d*)?{_EXPONENT})"),
    _pattern(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?"),
    lambda text: float(text.replace(",", "")),
)
SPACED = Notation(
    "blanks or apostrophes between thousands",
    _pattern(rf"[+-]?(?:\d{{1,3}}(?:[ \u00a0\u2009\u202f'\u2019]\d{{3}})+|\d+)(?:[.]\d*)?{_EXPONENT}"),
    _pattern(r"[+-]?\d{1,3}(?:[ \u00a0\u2009\u202f'\u2019]\d{3})+.*"),
    lambda text: float(re.sub(r"[ \u00a0\u2009\u202f'\u2019]", "", text)),
)
DECIMAL_COMMA = Notation(
    "decimal commas",
    _pattern(rf"[+-]?(?:\d{{1,3}}(?:\.\d{{3}})+|\d+)(?:,\d*)?{_EXPONENT}|[+-]?,\d+"),
    _pattern(rf"[+-]?[\d.]*,\d*{_EXPONENT}|[+-]?\d{{1,3}}(?:\.\d{{3}}){{2,}}"),
    lambda text: float(text.replace(".", "").replace(",", ".")),
)
DOTTED = Notation(
    "dots between thousands",
    _pattern(r"[+-]?(?:[1-9]\d{0,2}(?:\.\d{3})+|\d{1,3})"),
    _pattern(r"[+-]?\d{1,3}(?:\.\d{3})+"),
    lambda text: float(text.replace(".", "")),
)
SUFFIXES = Notation(
    "suffixes (K, M, B, T)",
    _pattern(rf"[+-]?(?:(?:[1-9]\d{{0,2}}(?:,\d{{3}})+|\d+)\.?\d*|\.\d+){_EXPONENT}(?:{_SCALE})?", re.I),
    _pattern(rf"[+-]?[\d,.]*\d\.?{_SCALE}", re.I),
    _with_suffix,
)
COMMA_SUFFIXES = Notation(
    "decimal commas and suffixes (K, M, B, T)",
    _pattern(rf"[+-]?(?:\d{{1,3}}(?:\.\d{{3}})+|\d+)(?:,\d*)?{_EXPONENT}(?:{_SCALE})?", re.I),
    _pattern(rf"[+-]?(?:[\d.]*,\d+|\d{{1,3}}(?:\.\d{{3}})+){_SCALE}", re.I),
    lambda text: _with_suffix(text.replace(".", "").replace(",", ".")),
)
PERCENT = Notation(
    "percents, read as shares of one",
    _pattern(rf"[+-]?\d*\.?\d+{_EXPONENT} ?%"),
    _pattern(r".*%"),
    lambda text: float(f"{float(text.rstrip('% ')) / 100:.15g}"),
)
UNITS = Notation(
    "units behind the numbers",
    _pattern(rf"[+-]?(?:\d+\.?\d*|\.\d+){_EXPONENT}(?:{_SCALE})? ?{_UNIT}", re.I),
    _pattern(rf".*[\d.KMBGT] ?{_UNIT}", re.I),
    _with_unit,
    throughout=True,
)
PLUS_MINUS = Notation(
    "an uncertainty behind the numbers, which is not read",
    _pattern(rf"{_PLAIN} ?(?:(?:\u00b1|\+/-|\+-) ?{_PLAIN}|\(\u00b1?{_PLAIN}\))"),
    _pattern(r".*(?:\u00b1|\+/-|\+-|\().*"),
    lambda text: float(re.split(r"\u00b1|\+/-|\+-|\(", text)[0]),
    throughout=True,
)
POWERS = Notation(
    "powers of ten written out",
    _pattern(rf"{_PLAIN}(?: ?{_TIMES_TEN}[+-]?\d+|{_RAISED})?"),
    _pattern(rf".*(?:{_TIMES_TEN}[+-]?\d+|{_RAISED})"),
    lambda text: float(
        re.sub(rf" ?(?:{_TIMES_TEN}|[x*\u00d7\u00b7] ?10(?=[{SUPERSCRIPTS}]))", "e", text).translate(LOWERED)
    ),
    throughout=True,
)
PRINTED = Notation(
    "what Python prints around numbers",
    _pattern(rf"{_PLAIN}|{_AROUND}{_PLAIN}(?:, ?(?:device|dtype)=[^()]*)?[\])]+"),
    _pattern(rf"{_AROUND}.*"),
    lambda text: float(re.sub(rf"^{_AROUND}|[,\])].*$", "", text)),
    throughout=True,
)
MARKED = Notation(
    "marks around numbers",
    _pattern(rf"[~\u2248*'\"=]*{_PLAIN}[*'\"x\u00d7]*"),
    _pattern(r"[~\u2248*'\"=].*|.*[x\u00d7]"),
    lambda text: float(text.strip("~\u2248*'\"=x\u00d7")),
    throughout=True,
)
OTHERS = (UNITS, PLUS_MINUS, POWERS, PRINTED, MARKED)
"""Those that no other may be taken for."""
WITH_UNITS = frozenset({SUFFIXES.name, COMMA_SUFFIXES.name, UNITS.name})
"""Those in which a cell may say its own unit."""

"""One spelling of words, whoever wrote them."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"\$[^$|\n]+\$|<(su[bp])>[^<|\n]*</\1>|<br ?/?>")
"""What Markdown sets as a formula, below or above the line, or on two lines."""
_MARKUP = (
    (re.compile(r"\\times\s*|\\cdot\s*"), "x"),
    (re.compile(r"\\(?:text\w*|math\w+|operatorname|boldsymbol|bm|emph|num)\{([^{}]*)\}"), r"\1"),
    (re.compile(r"([_^])\{([^{}]*)\}"), r"\1\2"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\([_%])"), r"\1"),
    (re.compile(r"\\pm\b"), "\u00b1"),
    (re.compile(r"\\downarrow\b"), "\u2193"),
    (re.compile(r"\\uparrow\b"), "\u2191"),
    (re.compile(r"\\[,;]|\$|~|<br ?/?>"), " "),
    (re.compile(r"<sub>([^<]*)</sub>"), r"_\1"),
    (re.compile(r"<sup>([^<]*)</sup>"), r"^\1"),
)
"""What LaTeX and HTML write around names and numbers, and what is left of it."""


def normal(column: str) -> str:
    """Return a column's name as the tables of words have it: lower case, with underscores."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", column.strip().lstrip("# "))
    return re.sub(r"[\s\-./:@_]+", "_", words.lower())


def without_markup(text: str) -> str:
    """Return a text without the markup of LaTeX and HTML: ``d_{model}`` is ``d_model``."""
    for mark, left in _MARKUP:
        text = mark.sub(left, text)
    return text


def without_formulas(text: str) -> str:
    """Return a text whose formulas are without markup, and with everything else as it stands."""
    return _FORMULA.sub(lambda formula: without_markup(formula[0]).strip(), text)

"""Units in headers: by what they multiply a number, and the words of them that say nothing that is known."""

from __future__ import annotations

import re
from typing import NamedTuple

from shapeplan.quantities import PREFIXES, device_time

LETTERS = {letter.lower(): factor for letter, factor in PREFIXES.items() if letter}
WORDS = {
    **{"thousand": 1e3, "thousands": 1e3, "million": 1e6, "millions": 1e6, "mio": 1e6, "billion": 1e9},
    **{"billions": 1e9, "trillion": 1e12, "trillions": 1e12, "kilo": 1e3, "mega": 1e6, "giga": 1e9, "tera": 1e12},
    **{"mrd": 1e9, "bn": 1e9, "bil": 1e9, "mil": 1e6, "mn": 1e6, "mln": 1e6, "bln": 1e9, "tsd": 1e3, "tn": 1e12},
    **{"peta": 1e15, "exa": 1e18, "zetta": 1e21, "yotta": 1e24, "mm": 1e6},
}
"""Letters and words of large numbers, in headers and in cells, in lower case."""
TOKENS = frozenset({"token", "tokens", "tok", "toks"})
_COUNTED: dict[str, frozenset[str]] = {
    "tokens": TOKENS | {"t", "d"},
    "examples": frozenset({"example", "examples", "image", "images", "img", "imgs", "sample", "samples", "sequences"}),
    "params": frozenset({"param", "params", "parameter", "parameters", "weights", "p", "n", "embedding", "embeddings"}),
    "flops": frozenset({"flop", "flops", "f", "c", "forward", "fwd", "training", "train", "6nd"}),
    "batch_size": frozenset({"example", "examples", "sequences", "seqs", "samples", "images"}),
    "batch_tokens": TOKENS,
    "steps": frozenset({"step", "steps", "iterations", "updates"}),
}
"""What a number of a role counts, in words and in the letters of the papers."""
_FILLERS = frozenset(
    {
        *("in", "of", "the", "a", "number", "count", "total", "train", "training", "trained", "unique", "distinct"),
        *("all", "seen", "consumed", "processed", "so", "far", "x", "times", "approx", "about", "cumulative", "est"),
        *("estimated", "non", "without", "excl", "incl", "per", "run", "model", "and", "dataset", "data", "global"),
        *("backward", "bwd", "last", "final", "latest", "max", "value"),
    }
)
"""Words that say no size."""
_BETWEEN_WORDS = re.compile(r"[\s_,;:*\u00b7\u00d7\"'()\[\]{}|-]+")
_RATE = re.compile(r"/\s*s\b|(?:/\s*|\bper[ _-])(?:s|sec|second|image|img|example|token|sample|step)\b")
_OF_ANOTHER = re.compile(r"\b(?:gpu|tpu|[avh]100|h200|b200)\b|\b(?:hours?|days?|usd|eur|relative|rel)\b|^log")
"""Units that are none of compute, data or size: hours of a device, money, logarithms."""
_ZEROS = re.compile(r"(?:\b1|['\u2019])((?:[,.]?000)+)s?\b")
"""Numbers written out, as in ``1000s`` and ``'000``."""
_POWER = re.compile(r"(?:10\s*(?:\^|\*\*)\s*|1?e\+?)(\d+)")
SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b"
LOWERED = str.maketrans(SUPERSCRIPTS, "0123456789+-")
"""Raised digits and signs, and the table that makes plain ones of them."""


_LONGEST_FIRST = sorted({**WORDS, **LETTERS}.items(), key=lambda one: -len(one[0]))


class Unit(NamedTuple):
    """What the unit of a header says.

    Attributes
    ----------
    scale : float or None
        What its numbers are multiplied by; None for what is no count: a rate, hours, money.
    words : tuple of str
        What is left of it, in lower case: what is counted, and what is not understood.
    """

    scale: float | None
    words: tuple[str, ...] = ()

    def unread(self, role: str) -> bool:
        """Return whether words are left that do not say what a role counts."""
        return role in _COUNTED and not set(self.words) <= _COUNTED[role]


def unit_of(text: str) -> Unit:
    """Return what a unit says: ``B``, ``1e18``, ``in millions``, ``Gtok``, ``tokens (unique)``."""
    if text.strip() in ("$", "\u20ac", "\u00a3"):
        return Unit(None)
    text = re.sub(r"[${}\\]", "", text).strip().lower().replace("\u00d7", "x").lstrip("x* ")
    text = re.sub(
        "10([\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+)", lambda found: f"10^{found[1].translate(LOWERED)}", text
    )
    if (spent := device_time(text)) is not None:
        return Unit(spent)
    text = _ZEROS.sub(lambda found: f" 1e{found[1].count('0')} ", text)
    if _RATE.search(text) or _OF_ANOTHER.search(text):
        return Unit(None)
    scale, left = 1.0, []
    for found in _POWER.finditer(text):
        scale *= float(f"1e{found[1]}")
    for word in _BETWEEN_WORDS.split(_POWER.sub(" ", text)):
        word = word.rstrip(".")
        factor, rest = _factor(word)
        scale *= factor
        left += [rest] if rest and rest not in _FILLERS else []
    return Unit(scale, tuple(left))


def _factor(word: str) -> tuple[float, str]:
    """Return what a word multiplies by, and what is left of it: of ``gtok``, a billion of ``tok``."""
    if word in WORDS:
        return WORDS[word], ""
    if word in LETTERS:
        return LETTERS[word], ""
    for prefix, factor in _LONGEST_FIRST:
        rest = word.removeprefix(prefix)
        if rest != word and rest not in ("n", "d", "c") and any(rest in words for words in _COUNTED.values()):
            return factor, rest
    return 1.0, word

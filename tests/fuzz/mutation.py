"""Changes that keep an input near what is sound: a cell, a value or a line at a time; bytes alone seldom hit one."""

from __future__ import annotations

import json
import random
import re

from targets import documents, leaves

TOKENS = (
    *(
        "",
        "0",
        "-0",
        "-1",
        "0.5",
        "1",
        "3",
        "1e-308",
        "5e-324",
        "1e20",
        "1e308",
        "1e309",
        "9" * 400,
        "nan",
        "inf",
        "-inf",
    ),
    *("null", "true", "false", "[]", "{}", "~", '""', "'", '"', "\\", "\x00", "\x1b[2J", "\r", "\n", "\t", ",", ";"),
    *(
        "1_0",
        "1,5",
        "0x10",
        "1K",
        "1e",
        "e5",
        "+",
        ".",
        "٣",
        "\uff11",
        "½",
        "\u22121",
        "\u202e",
        "\ufeff",
        "w\u0456dth",
        "x" * 5000,
    ),
    *("width", "depth", "mlp_dim", "heads", "flops", "training_flops", "gflops", "examples", "tokens", "loss", "run"),
    *("step", "params", "seed", "accuracy", "metric", "runs", "architecture", "family", "vit", "decoder", "center"),
    *("&a", "*a", "<<: *a", "!!python/object:x", "? ", "- ", ": ", "{a: ", "[", "]", "}", "# ", "---", "%YAML 1.1"),
    *("GFLOPs", "1e21FLOP", "500 EFLOP", "%", "64M", "1.2B", "width=64,depth=2", "\ud800"),
)
"""What takes the place of a token."""
_TOKEN = re.compile(r"[\w.+-]+|\s+|[^\w\s]")
VALUES = (
    *("0", "-1", "1", "0.5", "1e-308", "1e308", "1e999", "-1e308", "NaN", "null", "true", '""', '"x"', "[]", "{}"),
    *("[0, 0]", "[1, 0]", "[null]", '{"a": 1}', "1e18", "3.0", '"2"', "2", "9" * 40, '"\\ud800"', '"\\u001b[2J"'),
)
"""What takes the place of a value of a document."""


def mutated(text: str, chance: random.Random) -> str:
    """Return an input of text with one to four of its tokens or lines changed."""
    for _ in range(chance.randint(1, 4)):
        text = chance.choice((_token, _token, _token, _line, _column))(text, chance)
    return text


def mutated_edits(text: str, chance: random.Random) -> str:
    """Return an input of a law document with an edit more, less or another."""
    name, *edits = text.split("\n")
    if name not in documents():
        name, edits = chance.choice(sorted(documents())), []
    if edits and chance.random() < 0.3:
        edits.pop(chance.randrange(len(edits)))
    if edits and chance.random() < 0.3:
        edits[-1] = _token(edits[-1], chance)
    if not edits or chance.random() < 0.7:
        edits.append(_edit(name, chance))
    return "\n".join((name, *edits))


def _edit(name: str, chance: random.Random) -> str:
    path, value = chance.choice(list(leaves(json.loads(documents()[name])))[1:])
    if isinstance(value, int | float) and not isinstance(value, bool) and chance.random() < 0.5:
        return f"{path} = {json.dumps(value * chance.choice((-1, 0.5, 0.999, 1.001, 2, 1e3, 1e-3, 1e12)))}"
    return f"{path} = {chance.choice(VALUES)}"


def _token(text: str, chance: random.Random) -> str:
    """Replace a token, by another of the same text or a hostile one."""
    found = list(_TOKEN.finditer(text))
    if not found:
        return chance.choice(TOKENS)
    old = chance.choice(found)
    new = chance.choice(TOKENS) if chance.random() < 0.7 else chance.choice(found)[0]
    return text[: old.start()] + new + text[old.end() :]


def _line(text: str, chance: random.Random) -> str:
    """Leave a line out, double it, or swap it with another."""
    lines = text.split("\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    what = chance.randrange(3)
    if what == 0:
        del lines[one]
    elif what == 1:
        lines.insert(one, lines[other])
    else:
        lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def _column(text: str, chance: random.Random) -> str:
    """Change the same cell of every line: a factor, or a token."""
    separator, new = chance.choice(",\t;:"), chance.choice(TOKENS)
    at, factor = chance.randrange(8), chance.choice((None, 1e-9, 1e-3, 1e3, 1e9))
    lines = []
    for line in text.split("\n"):
        cells = line.split(separator)
        if at < len(cells):
            cells[at] = new if factor is None else _scaled(cells[at], factor)
        lines.append(separator.join(cells))
    return "\n".join(lines)


def _scaled(cell: str, factor: float) -> str:
    try:
        return repr(float(cell) * factor)
    except ValueError:
        return cell

"""What comments above a table say of all its rows: ``# width: 256``."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import takewhile

from shapeplan.readers.names import SIZES, claim_of

_SETTING = re.compile(
    r"#+\s*(?P<key>[A-Za-z][\w ./-]{0,60}?)\s*[:=]\s*(?P<value>\d[\d,]*(?:\.\d*)?(?:e\+?\d+)?\s?[KMBGT]?)\s*",
    re.IGNORECASE,
)
_ROLES = (*SIZES, "mlp_ratio", "examples", "tokens", "flops", "batch_size", "batch_tokens")
_LONGEST, _HEAD = 200, 2**14
"""Characters of such a comment, and of a text in which they are looked for."""


def settings_in_comments(body: str, columns: Collection[str]) -> dict[str, str]:
    """Return the sizes and lengths of training that the comments before a table assign, by name.

    Parameters
    ----------
    body : str
        The text.
    columns : collection of str
        Names of the table's columns: what is one of them, or has the role of one, is not returned.
    """
    taken = {claim.role for column in columns if (claim := claim_of(column)) is not None}
    found: dict[str, str] = {}
    for line in takewhile(lambda line: not line.strip() or line.lstrip().startswith("#"), body[:_HEAD].split("\n")):
        match = _SETTING.fullmatch(line.strip()[:_LONGEST])
        claim = claim_of(match["key"]) if match else None
        if match and claim is not None and claim.role in _ROLES and claim.role not in taken:
            found.setdefault(match["key"], match["value"])
    return found

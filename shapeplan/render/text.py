"""Text that is safe to show."""

from __future__ import annotations

import re
from unicodedata import category

_CODE = re.compile(r"`([^`]+)`")


def printable(text: str) -> str:
    """Return text with control characters and line breaks escaped: names and cells must not steer the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def without_controls(text: str) -> str:
    """Return text for a file, with what steers a terminal that shows it escaped; blanks and line breaks stay."""
    return "".join(c if category(c) not in ("Cc", "Cf") or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def html_of(text: str) -> str:
    """Return a message as HTML: what stands between backticks, such as the name of an argument, is code."""
    from html import escape

    return _CODE.sub(r"<code>\1</code>", escape(without_controls(text)))

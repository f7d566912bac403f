"""Text that is safe to show."""

from __future__ import annotations

import re

_CODE = re.compile(r"`([^`]+)`")


def printable(text: str) -> str:
    """Return text with control characters and line breaks escaped: names and cells must not steer the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def html_of(text: str) -> str:
    """Return a message as HTML: what stands between backticks, such as the name of an argument, is code."""
    from html import escape

    return _CODE.sub(r"<code>\1</code>", escape(text))

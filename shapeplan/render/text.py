"""Text that is safe to show."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return text with control characters and line breaks escaped: names and cells must not steer the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)

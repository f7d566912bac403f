"""How far long work is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Counter:
    """Counts what is done of a total, and tells."""

    total: int
    tell: Callable[[int, int], None]
    count: int = 0

    def __call__(self, more: int = 1) -> None:
        """Count more of it."""
        self.count += more
        self.tell(self.count, max(self.total, self.count))

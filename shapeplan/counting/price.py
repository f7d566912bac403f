"""What accelerators cost an hour, as people write it."""

from __future__ import annotations

import re

from shapeplan.counting.accelerators import Fleet
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.frozen import frozen

HOURS_PER_DAY = 24.0
MOST = 1e6
_UNIT = r"(?:(?:/|\bper\b|\ban?\b)\s*)?(?:(?:gpu|tpu|chip|device|accelerator)s?\s*[- ]?\s*)?(?:hours?|hr|h)"
_PRICE = re.compile(
    rf"\s*(?P<before>[$€£]|[A-Za-z]{{3}})?\s*(?P<amount>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*"
    rf"(?P<after>[$€£]|(?!per\b)[A-Z]{{3}}\b)?\s*(?:{_UNIT})?\s*",
    re.IGNORECASE,
)
_HINT = "write what one accelerator costs an hour: 2.5/gpu-hour, or $2.5"


@frozen
class Price:
    """What one accelerator costs an hour.

    Attributes
    ----------
    per_hour : float
        The amount.
    currency : str
        As the user wrote it; empty where they did not.
    """

    per_hour: float
    currency: str = ""

    def __str__(self) -> str:
        """Return e.g. ``$2.5 an accelerator hour``."""
        return f"{self.money(self.per_hour)} an accelerator hour"

    def of(self, fleet: Fleet, days: float) -> float:
        """Return what so many days on a fleet cost."""
        return self.per_hour * fleet.count * days * HOURS_PER_DAY

    def money(self, amount: float) -> str:
        """Return an amount with its currency, a large one to a whole with commas between thousands."""
        number = f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"
        return f"{self.currency}{number}" if len(self.currency) < 2 else f"{number} {self.currency}"


def parse_price(text: str) -> Price:
    """Read ``2.5/gpu-hour``, ``$2.5``, ``2.5 EUR per hour``.

    Raises
    ------
    ArgumentError
        If it is no such thing, or not a sensible amount.
    """
    found = _PRICE.fullmatch(text[:60])
    amount = float(found["amount"]) if found else 0.0
    if found is None or not 0 < amount <= MOST or (found["before"] and found["after"]):
        raise ArgumentError(ErrorDetail("bad-price", f"{text[:60]!r} is no price of an hour", _HINT, value=text[:60]))
    return Price(amount, (found["before"] or found["after"] or "").upper())

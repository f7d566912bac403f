"""What every quantity may be: the one table that readers, designs, plans and options obey.

The bounds leave room for whatever can be real, also in units that a header does not say. What is beyond them is a
mistake, and would end in numbers that no float holds.
"""

from __future__ import annotations

from typing import NamedTuple


class Bound(NamedTuple):
    """The least and the most that a quantity may be, both included."""

    least: float
    most: float

    def holds(self, value: float) -> bool:
        """Return whether a value is within the bounds, which NaN is not."""
        return self.least <= value <= self.most

    def __str__(self) -> str:
        """Return ``from 0.001 to 1e9``."""
        return f"from {_short(self.least)} to {_short(self.most)}"


def _short(value: float) -> str:
    return f"{value:g}".replace("e+", "e").replace("e-0", "e-").replace("e0", "e")


DIMENSION = "dimension"
BOUNDS = {
    "width": Bound(1e-3, 1e9),
    "depth": Bound(1e-3, 1e9),
    "mlp_dim": Bound(1e-3, 1e9),
    "heads": Bound(1e-3, 1e9),
    "mlp_ratio": Bound(1e-3, 1e9),
    DIMENSION: Bound(1e-12, 1e12),
    "flops": Bound(1e-6, 1e40),
    "params": Bound(1e-6, 1e20),
    "active_params": Bound(1e-6, 1e20),
    "tokens": Bound(1e-6, 1e20),
    "examples": Bound(1e-6, 1e20),
    "steps": Bound(1e-6, 1e20),
    "batch_size": Bound(1e-6, 1e20),
    "tokens_per_param": Bound(1e-6, 1e9),
    "loss": Bound(1e-30, 1e30),
    "lr": Bound(1e-15, 1e9),
    "patch": Bound(1.0, 1e9),
    "image": Bound(1.0, 1e9),
    "seq": Bound(1.0, 1e9),
}
"""By role; what has no role of its own is a dimension of a law."""


def bound_of(role: str) -> Bound:
    """Return the bounds of a role, or of a dimension by its name."""
    return BOUNDS.get(role, BOUNDS[DIMENSION])

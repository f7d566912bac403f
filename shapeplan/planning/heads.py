"""Attention heads: how many a width has, and which widths have heads that can be built."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field

import numpy as np

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats

_PREFERRED = ((2048, 128), (256, 64), (128, 32), (64, 16), (0, 8))
"""From which width on a head is preferably how wide: 64 or 128, but at least four heads."""
WIDEST = 256
"""Widest head that kernels of attention take (FlashAttention 2 and 3)."""


@frozen
class Heads:
    """How heads follow from a width.

    Attributes
    ----------
    asked : mapping of str to int
        The user's rule, ``{"heads": h}`` or ``{"head_dim": d}``; it is kept.
    logged : mapping of str to int
        That of the log or the architecture; with both, attention is as wide as they say, whatever the width.
    shared_by : int
        What the number of heads is a multiple of: key and value heads, devices that share a layer.
    unit : int
        What head_dim is a multiple of.
    free : bool
        Whether other heads may be chosen where the rule of the log does not fit a width, or there is none.
    """

    asked: Mapping[str, int] = field(default_factory=dict)
    logged: Mapping[str, int] = field(default_factory=dict)
    shared_by: int = 1
    unit: int = 1
    free: bool = False

    def of(self, width: float) -> int | None:
        """Return the heads of a width: by the user's rule, the log's where it fits, else near the preferred head_dim.

        None where there is no rule and none may be chosen, or no number of heads divides the width.
        """
        rule = self.asked or self.logged
        if "heads" in rule and (self.asked or self.decoupled or not self.free):
            return rule["heads"]
        if rule and (self.asked or not self.free):
            return round(width / rule["head_dim"])
        if not self.free or width != round(width):
            return None
        if "heads" in rule and width % (rule["heads"] * self.unit) == 0 and width <= rule["heads"] * WIDEST:
            return rule["heads"]
        size = rule.get("head_dim", 0)
        if size and size % self.unit == 0 and width % (size * self.shared_by) == 0:
            return int(width) // size
        return self._nearest(int(width))

    def of_all(self, widths: Floats) -> Floats | None:
        """Return the heads of widths, in their shape; None where any has none."""
        each, places = np.unique(widths, return_inverse=True)
        found = [self.of(width) for width in each.tolist()]
        if any(count is None for count in found):
            return None
        return np.array(found, dtype=float)[places].reshape(np.shape(widths))

    def head_dim(self, width: float | None, heads: int) -> float | None:
        """Return the width of a head; None where neither the architecture nor a width tells it."""
        if self.decoupled:
            return self.logged["head_dim"]
        return None if width is None else width / heads

    @property
    def decoupled(self) -> bool:
        """Whether attention is as wide as the architecture says, whatever the width."""
        return len(self.logged) > 1

    def width_steps(self, width: float) -> tuple[int, ...]:
        """Return what a width near this is a multiple of so that its heads can be built, the preferred first."""
        if self.decoupled:
            return (1,)
        rule = self.asked or self.logged
        steps = []
        if "heads" in rule and (self.asked or not self.free or width <= rule["heads"] * WIDEST):
            steps.append(rule["heads"] * self.unit)
        elif "head_dim" in rule and (self.asked or rule["head_dim"] % self.unit == 0):
            steps.append(rule["head_dim"] * self.shared_by)
        if self.free and not self.asked:
            sizes = [preferred_head_dim(width)]
            while sizes[-1] > self.unit:
                sizes.append(sizes[-1] // 2)
            steps += [size * self.shared_by for size in sizes]
        return tuple(dict.fromkeys(steps or [1]))

    def _nearest(self, width: int) -> int | None:
        """Return the heads whose width is nearest in ratio to the preferred, of multiples of the unit if there are."""
        preferred = preferred_head_dim(width)
        below = [count for count in range(1, math.isqrt(width) + 1) if width % count == 0]
        divisors = [*below, *(width // count for count in reversed(below) if count**2 != width)]
        able = [count for count in divisors if count % self.shared_by == 0]
        return min(able, key=lambda count: self._distance(width // count, preferred), default=None)

    def _distance(self, size: int, preferred: int) -> tuple[bool, bool, bool, float]:
        # Rotary positions need an even width of a head.
        return size % self.unit != 0, size % 2 != 0, size > WIDEST, abs(math.log(size / preferred))


def preferred_head_dim(width: float) -> int:
    """Return the width of a head that is preferred at a width of the model."""
    return next(size for least, size in _PREFERRED if width >= least)

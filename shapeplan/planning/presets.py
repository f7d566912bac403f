"""Presets of hardware: what width, MLP dim and the width of a head are a multiple of by default."""

from __future__ import annotations

from shapeplan.frozen import frozen

LARGE = 1e19
"""Training FLOPs from which on models are large enough for wide multiples."""
FINEST = 8
"""What width, mlp_dim and head_dim are a multiple of, however small the model: kernels of attention need it."""
MATRICES = ("width", "mlp_dim", "expert_dim", "shared_expert_dim")
"""Dimensions of matrices, to which the multiples apply."""


@frozen
class Preset:
    """What shapes are rounded to by default on a kind of hardware.

    Attributes
    ----------
    small, large : int
        What width and mlp_dim are a multiple of below `LARGE` training FLOPs, and from there on.
    finest : int
        What they are a multiple of where that costs too much loss; also what head_dim is a multiple of.
    """

    small: int
    large: int
    finest: int

    @property
    def said(self) -> str:
        """What is rounded to what, in words."""
        if self.finest == 1:
            return "whole numbers"
        large = f"{self.large} from {LARGE:.0e} training FLOPs on".replace("+", "")
        return f"width and mlp_dim in steps of {self.small} ({large}), heads of a width in steps of {self.finest}"

    def matrices(self, *, large: bool) -> tuple[int, ...]:
        """Return what width and mlp_dim are a multiple of, from the preferred to the finest."""
        steps = [self.large if large else self.small]
        while steps[-1] > self.finest:
            steps.append(steps[-1] // 2)
        return tuple(steps)


PRESETS = {
    # Tensor cores take tiles of 16, and their pipelines are full from 64 on.
    "gpu": Preset(16, 64, FINEST),
    # Matrix units are 128 wide.
    "tpu": Preset(16, 128, FINEST),
    "none": Preset(1, 1, 1),
}
"""By the name users write after ``preset``."""

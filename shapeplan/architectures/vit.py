"""Vision transformers: parameters and multiply-accumulates in closed form (FLOPS.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from shapeplan.architectures.base import Transformer, bad_setting, whole

POOLS = ("gap", "tok", "map")


@dataclass(frozen=True, kw_only=True)
class ViT(Transformer):
    """A plain ViT as in big_vision: LayerNorm, all biases, learned positions, MLP with two matrices.

    Attributes
    ----------
    patch, image : int
        Side of a patch and of the square image, in pixels.
    pool : {"gap", "tok", "map"}
        Global average, class token, or the MAP head of the SoViT paper.
    channels : int
        Colours of the image.
    classes : int
        Outputs of the classifier; 0 for an encoder without one.
    """

    family: ClassVar[str] = "vit"

    patch: int
    image: int
    pool: Literal["gap", "tok", "map"] = "map"
    channels: int = 3
    classes: int = 0

    @property
    def patches(self) -> int:
        """Patches in an image; a remainder of the side is cropped."""
        return (self.image // self.patch) ** 2

    @property
    def tokens(self) -> int:
        """Length of the sequence in the blocks."""
        return self.patches + (self.pool == "tok")

    @property
    def params(self) -> Any:
        """Number of parameters: stem, positions, blocks, norm, pooling, classifier."""
        width, mlp = self.width, self.mlp_dim
        stem = (self.channels * self.patch**2 + 1) * width
        positions = (self.patches + (self.pool == "tok")) * width
        block = 4 * width * width + 2 * width * mlp + 9 * width + mlp
        pooling = 4 * (width * width + width) + 4 * width + 2 * width * mlp + mlp if self.pool == "map" else 0
        head = (width + 1) * self.classes
        return stem + positions + self.depth * block + 2 * width + pooling + head

    @property
    def macs(self) -> Any:
        """Multiply-accumulates of one image."""
        width, mlp, tokens = self.width, self.mlp_dim, self.tokens
        stem = self.patches * self.channels * self.patch**2 * width
        block = tokens * (4 * width * width + 2 * width * mlp) + 2 * tokens**2 * width
        pooling = (
            2 * tokens * width * width + 2 * width * width + 2 * tokens * width + 2 * width * mlp
            if self.pool == "map"
            else 0
        )
        return stem + self.depth * block + pooling + width * self.classes

    def check(self) -> None:
        """Raise `InputError` on a setting that cannot be."""
        for name in ("patch", "image", "channels", "classes"):
            whole(name, getattr(self, name))
        super().check()
        if self.patch > self.image:
            raise bad_setting("patch", self.patch, f"is larger than the image ({self.image})", "give a smaller patch")
        if self.pool not in POOLS:
            raise bad_setting("pool", self.pool, "is no way of pooling", f"choose one of {', '.join(POOLS)}")

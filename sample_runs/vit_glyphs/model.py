"""The model: a plain vision transformer, as shapeplan's family `vit` counts it."""

from __future__ import annotations

import torch
from harness.block import Block
from torch import Tensor, nn

IMAGE, PATCH = 32, 4
FEATURE_GAIN = 64.0
"""Of the last norm, at the start."""


class VisionTransformer(nn.Module):
    """Pre-norm, GELU, learned positions, average of the normed tokens, a linear classifier."""

    def __init__(self, width: int, depth: int, mlp_dim: int, classes: int):
        super().__init__()
        tokens = (IMAGE // PATCH) ** 2
        self.stem = nn.Linear(PATCH**2, width)
        self.positions = nn.Parameter(torch.randn(tokens, width))
        self.blocks = nn.ModuleList(Block(width, mlp_dim, depth, causal=False) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)
        nn.init.normal_(self.stem.weight, std=1 / PATCH)
        # Averages of tokens are much the same for all images: with a gain of 1, 24,000 images teach next to nothing.
        nn.init.constant_(self.norm.weight, FEATURE_GAIN)
        for zero in (self.stem.bias, self.head.weight, self.head.bias):
            nn.init.zeros_(zero)

    def features(self, images: Tensor) -> Tensor:
        """Return the average of the tokens, shape (batch, width), of images of shape (batch, 1, IMAGE, IMAGE)."""
        side = IMAGE // PATCH
        patches = images.view(-1, side, PATCH, side, PATCH).transpose(2, 3).reshape(len(images), side**2, PATCH**2)
        x = self.stem(patches) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.norm(x).mean(1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of the classes, shape (batch, classes)."""
        return self.head(self.features(images))

"""The block of both models: pre-norm, GELU, biases everywhere, heads of 16."""

from __future__ import annotations

import math

from harness.campaign import HEAD_DIM
from torch import Tensor, nn
from torch.nn import functional


class Block(nn.Module):
    """Attention and MLP, each normed on the way in and added to the stream."""

    def __init__(self, width: int, mlp_dim: int, depth: int, *, causal: bool):
        super().__init__()
        self.causal = causal
        self.heads = width // HEAD_DIM
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, mlp_dim), nn.Linear(mlp_dim, width)
        # What goes into the stream is scaled so that its variance does not grow with depth.
        for layer, scale in ((self.qkv, 1), (self.up, 1), (self.out, 2 * depth), (self.down, 2 * depth)):
            nn.init.normal_(layer.weight, std=1 / math.sqrt(layer.in_features * scale))
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the stream after the block, shape (batch, tokens, width)."""
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, HEAD_DIM).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], is_causal=self.causal)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))

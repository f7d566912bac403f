"""The model: a byte-level decoder, as shapeplan's family `gpt2` counts it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

VOCAB, CONTEXT, HEAD_DIM = 256, 128, 16


class Block(nn.Module):
    """Attention and MLP, each normed on the way in and added to the stream."""

    def __init__(self, width: int, mlp_dim: int, depth: int):
        super().__init__()
        self.heads = width // HEAD_DIM
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, mlp_dim), nn.Linear(mlp_dim, width)
        # What goes into the stream is scaled so that its variance does not grow with depth.
        for layer, scale in ((self.qkv, 1.0), (self.up, 1.0), (self.out, depth), (self.down, depth)):
            nn.init.normal_(layer.weight, std=1 / math.sqrt(layer.in_features * (2 * scale if scale > 1 else 1)))
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the stream after the block, shape (batch, context, width)."""
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, HEAD_DIM).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class Decoder(nn.Module):
    """Pre-norm, GELU, learned positions, one table for bytes in and out."""

    def __init__(self, width: int, depth: int, mlp_dim: int):
        super().__init__()
        self.bytes, self.positions = nn.Embedding(VOCAB, width), nn.Embedding(CONTEXT, width)
        self.blocks = nn.ModuleList(Block(width, mlp_dim, depth) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        for table in (self.bytes, self.positions):
            nn.init.normal_(table.weight, std=1 / math.sqrt(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of the next bytes, shape (batch, context, vocab)."""
        x = self.bytes(tokens) + self.positions(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return functional.linear(self.norm(x), self.bytes.weight)

    def loss(self, sequences: Tensor) -> Tensor:
        """Return the mean loss, in nats a byte, of sequences of shape (batch, context + 1)."""
        logits = self(sequences[:, :-1])
        return functional.cross_entropy(logits.reshape(-1, VOCAB), sequences[:, 1:].reshape(-1))

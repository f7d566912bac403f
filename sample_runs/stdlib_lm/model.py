"""The model: a byte-level decoder, as shapeplan's family `gpt2` counts it."""

from __future__ import annotations

import math

import torch
from batch import CONTEXT
from harness.block import Block
from torch import Tensor, nn
from torch.nn import functional

VOCAB = 256


class Decoder(nn.Module):
    """Pre-norm, GELU, learned positions, one table for bytes in and out."""

    def __init__(self, width: int, depth: int, mlp_dim: int):
        super().__init__()
        self.bytes, self.positions = nn.Embedding(VOCAB, width), nn.Embedding(CONTEXT, width)
        self.blocks = nn.ModuleList(Block(width, mlp_dim, depth, causal=True) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        for table in (self.bytes, self.positions):
            nn.init.normal_(table.weight, std=1 / math.sqrt(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of the next bytes, shape (batch, context, vocab)."""
        x = self.bytes(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            x = block(x)
        return functional.linear(self.norm(x), self.bytes.weight)

    def loss(self, sequences: Tensor) -> Tensor:
        """Return the mean loss, in nats a byte, of sequences of shape (batch, context + 1)."""
        logits = self(sequences[:, :-1])
        return functional.cross_entropy(logits.reshape(-1, VOCAB), sequences[:, 1:].reshape(-1))

"""Decoder language models: parameters and multiply-accumulates in closed form (FLOPS.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from shapeplan.architectures.base import Transformer, bad_setting, whole


@dataclass(frozen=True, kw_only=True)
class Decoder(Transformer):
    """A decoder-only language model. The defaults are GPT-2's; Llama is gated, untied, without biases, RMSNorm.

    Attributes
    ----------
    vocab, seq : int
        Vocabulary, and the sequence length of training; attention is counted in full, causal masks are not halved.
    kv_heads : int, optional
        Key and value heads; as many as heads by default.
    head_dim : int, optional
        Width of a head; width / heads by default.
    gated : bool
        Whether the MLP has a gate (three matrices instead of two).
    tied : bool
        Whether input and output embeddings are one table.
    biases : bool
        Whether matrices have biases.
    learned_positions : bool
        Whether there is a table of `seq` positions.
    norm : {"layernorm", "rmsnorm"}
        Two parameters a channel, or one.
    """

    family: ClassVar[str] = "decoder"
    examples_unit: ClassVar[str] = "tokens"

    vocab: int
    seq: int
    kv_heads: int | None = None
    head_dim: int | None = None
    gated: bool = False
    tied: bool = True
    biases: bool = True
    learned_positions: bool = True
    norm: str = "layernorm"

    @property
    def examples_per_input(self) -> int:
        """Tokens in a sequence."""
        return self.seq

    @property
    def _attention(self) -> tuple[Any, Any]:
        """Width of the queries, and of keys or values."""
        head = self.width / self.heads if self.head_dim is None else self.head_dim
        if isinstance(head, float) and head.is_integer():
            head = int(head)
        return head * self.heads, head * (self.heads if self.kv_heads is None else self.kv_heads)

    @property
    def _matmul(self) -> Any:
        """Weights of one block's matrices."""
        queries, keys = self._attention
        return self.width * (2 * queries + 2 * keys) + (3 if self.gated else 2) * self.width * self.mlp_dim

    @property
    def params(self) -> Any:
        """Number of parameters: embeddings, positions, blocks, norm."""
        queries, keys = self._attention
        per_norm = {"layernorm": 2, "rmsnorm": 1}[self.norm] * self.width
        biases = queries + 2 * keys + self.width + self.mlp_dim + self.width if self.biases else 0
        embeddings = self.vocab * self.width * (1 if self.tied else 2)
        positions = self.seq * self.width if self.learned_positions else 0
        return embeddings + positions + self.depth * (self._matmul + biases + 2 * per_norm) + per_norm

    @property
    def macs(self) -> Any:
        """Multiply-accumulates of one sequence; logits are always paid, the embedding look-up never."""
        queries, _ = self._attention
        blocks = self.depth * (self.seq * self._matmul + 2 * self.seq**2 * queries)
        return blocks + self.seq * self.vocab * self.width

    def check(self) -> None:
        """Raise `InputError` on a setting that cannot be."""
        for name in ("vocab", "seq"):
            whole(name, getattr(self, name))
        super().check()
        for name in ("gated", "tied", "biases", "learned_positions"):
            if not isinstance(getattr(self, name), bool):
                raise bad_setting(name, getattr(self, name), "is neither true nor false", "write true or false")
        if self.norm not in ("layernorm", "rmsnorm"):
            raise bad_setting("norm", self.norm, "is no norm", "choose layernorm or rmsnorm")

"""Decoder language models: parameters and multiply-accumulates in closed form (FLOPS.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from shapeplan.architectures.base import NORM_PARAMS, Transformer, bad_setting, whole


@dataclass(frozen=True, kw_only=True)
class Decoder(Transformer):
    """A decoder-only language model.

    The defaults are GPT-2's; Llama is gated, untied, without biases or learned positions, with RMSNorm.

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
    qkv_bias, out_bias, mlp_bias : bool
        Which matrices have biases.
    positions : int, optional
        Length of the table of learned positions; `seq` by default, 0 for rotary and the like.
    norm : {"layernorm", "rmsnorm", "nonparametric"}
        Two parameters a channel, one, or none.
    block_norms : int
        Norms in a block: 2, or 4 where branches are normed on the way out too.
    qk_norm : {"none", "head", "full"}
        Norms of queries and keys: none, one of a head's width each, or one of their full width each.
    """

    family: ClassVar[str] = "decoder"
    examples_unit: ClassVar[str] = "tokens"

    vocab: int
    seq: int
    kv_heads: int | None = None
    head_dim: int | None = None
    gated: bool = False
    tied: bool = True
    qkv_bias: bool = True
    out_bias: bool = True
    mlp_bias: bool = True
    positions: int | None = None
    norm: str = "layernorm"
    block_norms: int = 2
    qk_norm: str = "none"

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
        norm = NORM_PARAMS[self.norm]
        biases = (queries + 2 * keys) * self.qkv_bias + self.width * self.out_bias
        biases = biases + ((1 + self.gated) * self.mlp_dim + self.width) * self.mlp_bias
        qk = {"none": 0, "head": 2 * (queries // self.heads), "full": queries + keys}[self.qk_norm]
        block = self._matmul + biases + self.block_norms * norm * self.width + qk
        embeddings = self.vocab * self.width * (1 if self.tied else 2)
        table = (self.seq if self.positions is None else self.positions) * self.width
        return embeddings + table + self.depth * block + norm * self.width

    @property
    def macs(self) -> Any:
        """Multiply-accumulates of one sequence; logits are always paid, the embedding look-up never."""
        queries, _ = self._attention
        blocks = self.depth * (self.seq * self._matmul + 2 * self.seq**2 * queries)
        return blocks + self.seq * self.vocab * self.width

    def check(self) -> None:
        """Raise `InputError` on a setting that cannot be."""
        for name in ("vocab", "seq", "block_norms"):
            whole(name, getattr(self, name))
        super().check()
        if self.qk_norm not in ("none", "head", "full"):
            raise bad_setting("qk_norm", self.qk_norm, "is no norm of queries", "choose none, head or full")

"""Decoder language models: parameters and multiply-accumulates in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from shapeplan.architectures.base import NORM_PARAMS, Part, Transformer
from shapeplan.architectures.settings import bad_setting, choice, count, dimension, flag, must_divide

QK_NORMS = ("none", "head", "full")


@dataclass(frozen=True, kw_only=True)
class Decoder(Transformer):
    """A decoder-only language model.

    The defaults are GPT-2's; `STYLES` holds the settings of Llama, Gemma, Qwen and others.

    Attributes
    ----------
    vocab, seq : int
        Vocabulary, and the sequence length of training; attention is counted in full, causal masks are not halved,
        nor sliding windows cut.
    kv_heads : int, float or array, optional
        Key and value heads; as many as heads by default.
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

    vocab: int = count()
    seq: int = count()
    kv_heads: Any = dimension(None)
    gated: bool = flag(False)
    tied: bool = flag(True)
    qkv_bias: bool = flag(True)
    out_bias: bool = flag(True)
    mlp_bias: bool = flag(True)
    positions: int | None = count(None, least=0)
    norm: str = choice("layernorm", tuple(NORM_PARAMS))
    block_norms: int = count(2, least=0)
    qk_norm: str = choice("none", QK_NORMS)

    @property
    def examples_per_input(self) -> int:
        """Tokens in a sequence."""
        return self.seq

    @property
    def tokens(self) -> int:
        """Length of the sequence."""
        return self.seq

    @property
    def block_weights(self) -> Any:
        """Weights of one block's matrices."""
        return self._attention_weights + self._mlp_weights

    @property
    def _keys(self) -> Any:
        """Width of all keys together; the values' is the same."""
        return self.attention_width if self.kv_heads is None else self.kv_heads * self.head_width

    @property
    def _attention_weights(self) -> Any:
        return 2 * self.width * (self.attention_width + self._keys)

    @property
    def _mlp_weights(self) -> Any:
        return (3 if self.gated else 2) * self.width * self.mlp_dim

    def parts(self) -> dict[str, Part]:
        """Return what every part adds, in the order of the forward pass.

        ``stem`` (token embeddings; a look-up multiplies nothing), ``positions``, ``attention`` and ``mlp`` (of all
        blocks, with their biases), ``norms``, ``head`` (logits: no parameters of its own where the table is tied).
        """
        table = self.vocab * self.width
        positions = self.seq if self.positions is None else self.positions
        norms = self.block_norms * self.depth + 1
        return {
            "stem": Part(table, 0),
            "positions": Part(positions * self.width, 0),
            "attention": self._attention(),
            "mlp": self._mlp(),
            "norms": Part(norms * NORM_PARAMS[self.norm] * self.width, 0),
            "head": Part(0 if self.tied else table, self.seq * table),
        }

    def _attention(self) -> Part:
        queries, keys = self.attention_width, self._keys
        biases = self.qkv_bias * (queries + 2 * keys) + self.out_bias * self.width
        normed = {"none": 0, "head": 2 * self.head_width, "full": queries + keys}[self.qk_norm]
        params = self._attention_weights + biases + NORM_PARAMS[self.norm] * normed
        return Part(self.depth * params, self.depth * (self.seq * self._attention_weights + 2 * self.seq**2 * queries))

    def _mlp(self) -> Part:
        biases = self.mlp_bias * ((1 + self.gated) * self.mlp_dim + self.width)
        return Part(self.depth * (self._mlp_weights + biases), self.depth * self.seq * self._mlp_weights)

    def _check_together(self) -> None:
        super()._check_together()
        if self.kv_heads is not None:
            must_divide({"kv_heads": self.kv_heads, "heads": self.head_count}, "kv_heads", "heads")
        if self.positions and self.seq > self.positions:
            why = f"is longer than the table of {self.positions} positions"
            raise bad_setting("seq", self.seq, why, "give a shorter sequence, or more positions")


_ROTARY = {"positions": 0, "gated": True, "qkv_bias": False, "out_bias": False, "mlp_bias": False, "norm": "rmsnorm"}

STYLES: dict[str, dict[str, Any]] = {
    "gpt2": {},
    "gpt_neox": {"positions": 0, "tied": False},
    "llama": {**_ROTARY, "tied": False},
    "mistral": {**_ROTARY, "tied": False},
    "gemma": {**_ROTARY, "tied": True},
    "gemma2": {**_ROTARY, "tied": True, "block_norms": 4},
    "gemma3": {**_ROTARY, "tied": True, "block_norms": 4, "qk_norm": "head"},
    "qwen2": {**_ROTARY, "tied": False, "qkv_bias": True},
    "qwen3": {**_ROTARY, "tied": False, "qk_norm": "head"},
    "olmo": {**_ROTARY, "tied": True, "norm": "nonparametric"},
    "olmo2": {**_ROTARY, "tied": False, "qk_norm": "full"},
}
"""Settings of well-known decoders, by the names of their families; each may be overridden."""

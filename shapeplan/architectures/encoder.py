"""Encoder language models (BERT and what keeps its plan): parameters and multiply-accumulates in closed form."""

from __future__ import annotations

from typing import Any, ClassVar

from shapeplan.architectures.base import NORM_PARAMS, Embeddings, Part, Transformer
from shapeplan.architectures.settings import bad_setting, choice, count, dimension, flag, must_divide
from shapeplan.frozen import frozen

HEADS = ("mlm", "tokens", "sequence", "none")


@frozen(kw_only=True)
class Encoder(Transformer):
    """An encoder-only language model, whose tokens all attend to each other; examples are tokens.

    The defaults are those of BERT with its head for masked tokens; `encoder_styles` holds the settings of others.

    Attributes
    ----------
    vocab, seq : int
        Vocabulary, and the sequence length of training.
    kv_heads : int, float or array, optional
        Key and value heads; as many as heads by default.
    embedding_dim : int, optional
        Width of the embeddings, where a matrix with a bias maps them to the width of the blocks (small ELECTRA).
    positions : int, optional
        Length of the table of learned positions; `seq` by default, 0 for rotary and the like.
    token_types : int
        Length of the table of token types (segments); 0 for none.
    relative_buckets : int
        Buckets of distances, each with a learned bias a head, shared by all blocks (MPNet, T5); 0 for none.
    relative_every_block : bool
        Whether every block has relative biases of its own (UMT5).
    gated : bool
        Whether the MLP has a gate (three matrices instead of two).
    qkv_bias, out_bias, mlp_bias : bool
        Which matrices have biases: queries, keys and values; the output of attention; the MLP.
    norm : {"layernorm", "rmsnorm", "layernorm_nobias", "nonparametric"}
        Two parameters a channel, one, one, or none.
    block_norms : int
        Norms in a block, before or after its branches.
    embedding_norm, first_norm, final_norm : bool
        Norm of the embeddings; first norm of the first block, which ModernBERT lacks; norm after the blocks.
    pooler : bool
        Whether a square matrix with a bias maps the first token to a vector of the sequence.
    next_sentence : bool
        Whether two classes are read off the pooled vector.
    head : {"mlm", "tokens", "sequence", "none"}
        What is predicted: the vocabulary or `classes` of every token, `classes` of the sequence, nothing.
    classes : int
        Outputs of the heads ``tokens`` and ``sequence``.
    head_dense, head_norm : bool, optional
        Whether a square matrix, and a norm, stand before the outputs; by default they do for ``mlm`` alone.
    head_dense_bias, head_bias : bool
        Whether that matrix, and the outputs, have biases.
    tied : bool
        Whether the head ``mlm`` multiplies with the table of tokens.
    contact_head : bool
        Whether a regression on all attention maps predicts contacts (ESM); it is no part of the forward pass.
    """

    family: ClassVar[str] = "encoder"
    examples_unit: ClassVar[str] = "tokens"
    example: ClassVar[str] = "token"

    vocab: int = count()
    seq: int = count()
    kv_heads: Any = dimension(None)
    embedding_dim: int | None = count(None)
    positions: int | None = count(None, least=0)
    token_types: int = count(2, least=0)
    relative_buckets: int = count(0, least=0)
    relative_every_block: bool = flag(False)
    gated: bool = flag(False)
    qkv_bias: bool = flag(True)
    out_bias: bool = flag(True)
    mlp_bias: bool = flag(True)
    norm: str = choice("layernorm", tuple(NORM_PARAMS))
    block_norms: int = count(2)
    embedding_norm: bool = flag(True)
    first_norm: bool = flag(True)
    final_norm: bool = flag(False)
    pooler: bool = flag(False)
    next_sentence: bool = flag(False)
    head: str = choice("mlm", HEADS)
    classes: int = count(2)
    head_dense: bool | None = flag(None)
    head_dense_bias: bool = flag(True)
    head_norm: bool | None = flag(None)
    head_bias: bool = flag(True)
    tied: bool = flag(True)
    contact_head: bool = flag(False)

    @property
    def examples_per_input(self) -> int:
        """Tokens in a sequence."""
        return self.seq

    @property
    def tokens(self) -> int:
        """Length of the sequence."""
        return self.seq

    @property
    def token_weights(self) -> Any:
        """Weights of the blocks' matrices."""
        return self.depth * (self._attention_weights + self._mlp_matrices * self.width * self.mlp_dim)

    @property
    def attention_macs(self) -> Any:
        """Multiply-accumulates of scores and mixing."""
        return 2 * self.depth * self.seq**2 * self.attention_width

    @property
    def embeddings(self) -> Embeddings:
        """What tokens look up; token types are counted with positions."""
        tables = self._position_params + self.token_types * self._embedding_width
        return Embeddings(self.vocab * self._embedding_width, tables, self.tied and self.head == "mlm")

    def parts(self) -> dict[str, Part]:
        """Return what every part adds, in the order of the forward pass.

        ``stem`` (tables of tokens and token types, and the matrix that widens them), ``positions`` (learned ones and
        relative biases), ``attention`` and ``mlp`` (of all blocks, with their biases), ``norms``, ``pooling`` and
        ``head``.
        """
        width, table = self.width, self._embedding_width
        widening = width * table if self.embedding_dim is not None else 0
        return {
            "stem": Part(
                (self.vocab + self.token_types) * table + widening + (self.embedding_dim is not None) * width,
                self.seq * widening,
            ),
            "positions": Part(self._position_params, 0),
            "attention": self._attention(),
            "mlp": self._mlp(),
            "norms": self._norms(),
            "pooling": Part(self.pooler * (width * width + width), self.pooler * width * width),
            "head": self._head(),
        }

    @property
    def _embedding_width(self) -> Any:
        return self.width if self.embedding_dim is None else self.embedding_dim

    @property
    def _position_params(self) -> Any:
        learned = (self.seq if self.positions is None else self.positions) * self._embedding_width
        tables = self.depth if self.relative_every_block else 1
        return learned + (tables * self.relative_buckets * self.head_count if self.relative_buckets else 0)

    @property
    def _keys(self) -> Any:
        """Width of all keys together; the values' is the same."""
        return self.attention_width if self.kv_heads is None else self.kv_heads * self.head_width

    @property
    def _attention_weights(self) -> Any:
        return 2 * self.width * (self.attention_width + self._keys)

    @property
    def _mlp_matrices(self) -> int:
        return 3 if self.gated else 2

    def _attention(self) -> Part:
        biases = self.qkv_bias * (self.attention_width + 2 * self._keys) + self.out_bias * self.width
        return Part(
            self.depth * (self._attention_weights + biases),
            self.depth * self.seq * self._attention_weights + self.attention_macs,
        )

    def _mlp(self) -> Part:
        weights = self._mlp_matrices * self.width * self.mlp_dim
        biases = self.mlp_bias * ((self._mlp_matrices - 1) * self.mlp_dim + self.width)
        return Part(self.depth * (weights + biases), self.depth * self.seq * weights)

    def _norms(self) -> Part:
        nu = NORM_PARAMS[self.norm]
        norms = self.block_norms * self.depth - (not self.first_norm) + self.final_norm
        return Part(nu * (norms * self.width + self.embedding_norm * self._embedding_width), 0)

    def _head(self) -> Part:
        """Count the outputs, on every token or once, with what stands before them."""
        masked = self.head == "mlm"
        dense = masked if self.head_dense is None else self.head_dense
        normed = masked if self.head_norm is None else self.head_norm
        features = self._embedding_width if masked else self.width
        contacts = self.depth * self.head_count + 1 if self.contact_head else 0
        rest = Part(self.next_sentence * (2 * self.width + 2) + contacts, self.next_sentence * 2 * self.width)
        if self.head == "none":
            return rest
        outputs = self.vocab if masked else self.classes
        extras = dense * self.head_dense_bias * features + normed * NORM_PARAMS[self.norm] * features
        own = 0 if masked and self.tied else features * outputs
        square = dense * self.width * features
        read = 1 if self.head == "sequence" else self.seq
        return Part(
            rest.params + square + extras + own + self.head_bias * outputs,
            rest.macs + read * (square + features * outputs),
        )

    def _check_together(self) -> None:
        super()._check_together()
        if self.kv_heads is not None:
            must_divide({"kv_heads": self.kv_heads, "heads": self.head_count}, "kv_heads", "heads")
        if self.positions and self.seq > self.positions:
            why = f"is longer than the table of {self.positions} positions"
            raise bad_setting("seq", self.seq, why, "give a shorter sequence, or more positions")
        if self.next_sentence and not self.pooler:
            raise bad_setting("next_sentence", True, "is read off the pooled vector", "set pooler = true")
        if self.embedding_dim is not None and self.head == "mlm" and self.head_dense is False:
            why = "leaves the vocabulary of a head mlm at another width than the blocks"
            raise bad_setting("head_dense", False, why, "leave it out, or leave out embedding_dim")

"""Encoder-decoders (T5, BART and what keeps their plans): parameters and multiply-accumulates in closed form."""

from __future__ import annotations

from typing import Any, ClassVar

from shapeplan.architectures.base import NORM_PARAMS, Embeddings, Part, Transformer
from shapeplan.architectures.conventions import find_convention
from shapeplan.architectures.settings import bad_setting, choice, count, dimension, flag
from shapeplan.frozen import frozen

_DEFINED = ("forward", "training")
"""Conventions that are defined: the others multiply parameters by tokens, and here every token meets one stack only."""


@frozen(kw_only=True)
class EncoderDecoder(Transformer):
    """An encoder of a source and a decoder of a target, which attends to the encoder's output in every block.

    One example is one input: a pair of a source of `seq` tokens and a target of `target_seq` tokens. Attention is
    counted in full in both stacks and between them. Of the conventions, ``forward`` and ``training`` are defined: a
    token meets the weights of one stack, so that parameters times tokens mean nothing.

    The defaults are those of mBART; `encoder_styles.ENCODER_DECODER_STYLES` holds the settings of others.

    Attributes
    ----------
    depth : int, float or array
        Blocks of the encoder.
    mlp_dim : int, float or array
        Hidden size of the MLPs.
    decoder_depth, decoder_mlp_dim : int, float or array, optional
        Blocks of the decoder, and the hidden size of its MLPs; as the encoder's by default.
    vocab : int
        Vocabulary; source and target share one table.
    seq, target_seq : int
        Lengths of source and target; the target is as long as the source by default.
    positions, target_positions : int, optional
        Lengths of the tables of positions of both stacks; as long as the sequences by default, 0 for none.
    relative_buckets : int
        Buckets of distances, each with a learned bias a head, in the first block of each stack; 0 for none.
    relative_every_block : bool
        Whether every block has relative biases of its own (UMT5).
    gated : bool
        Whether MLPs have a gate (three matrices instead of two).
    qkv_bias, out_bias, mlp_bias : bool
        Which matrices have biases: queries, keys and values; the output of attention; the MLP.
    k_bias : bool, optional
        Whether keys have a bias; by default as `qkv_bias` says.
    norm : {"layernorm", "rmsnorm", "layernorm_nobias", "nonparametric"}
        Two parameters a channel, one, one, or none. A block has one before or after each of its two or three branches.
    embedding_norm, final_norm : bool
        Norm of the embeddings, and norm after the blocks, of both stacks.
    lm_head : bool
        Whether the target's tokens are predicted.
    tied : bool
        Whether these predictions multiply with the table of tokens.
    """

    family: ClassVar[str] = "encoder_decoder"
    example: ClassVar[str] = "pair"

    decoder_depth: Any = dimension(None)
    decoder_mlp_dim: Any = dimension(None)
    vocab: int = count()
    seq: int = count()
    target_seq: int | None = count(None)
    positions: int | None = count(None, least=0)
    target_positions: int | None = count(None, least=0)
    relative_buckets: int = count(0, least=0)
    relative_every_block: bool = flag(False)
    gated: bool = flag(False)
    qkv_bias: bool = flag(True)
    k_bias: bool | None = flag(None)
    out_bias: bool = flag(True)
    mlp_bias: bool = flag(True)
    norm: str = choice("layernorm", tuple(NORM_PARAMS))
    embedding_norm: bool = flag(True)
    final_norm: bool = flag(True)
    lm_head: bool = flag(True)
    tied: bool = flag(True)

    @property
    def target_tokens(self) -> int:
        """Length of the target."""
        return self.seq if self.target_seq is None else self.target_seq

    @property
    def tokens(self) -> int:
        """Length of source and target together."""
        return self.seq + self.target_tokens

    @property
    def token_weights(self) -> Any:
        """Weights of the blocks' matrices of both stacks; a token of either meets only its own."""
        width = self.width
        encoder = self.depth * (self._square + self._mlp_matrices * width * self.mlp_dim)
        return encoder + self._decoder_depth * (2 * self._square + self._mlp_matrices * width * self._decoder_mlp_dim)

    @property
    def attention_macs(self) -> Any:
        """Multiply-accumulates of scores and mixing, of source, of target, and between them."""
        source, target = self.seq, self.target_tokens
        pairs = self.depth * source**2 + self._decoder_depth * (target**2 + source * target)
        return 2 * pairs * self.attention_width

    @property
    def embeddings(self) -> Embeddings:
        """What tokens look up."""
        return Embeddings(self.vocab * self.width, self._position_params, self.tied and self.lm_head)

    def flops(self, convention: str = "forward") -> Any:
        """Return the FLOPs of one input, a pair of source and target.

        Raises
        ------
        ArgumentError
            If there is no such convention.
        InputError
            If it is neither ``forward`` nor ``training``.
        """
        if find_convention(convention).name not in _DEFINED:
            why = f"has no count by {convention}, since a token meets one of two stacks"
            raise bad_setting("family", self.family, why, "use the convention training")
        return super().flops(convention)

    def parts(self) -> dict[str, Part]:
        """Return what every part adds, in the order of the forward pass.

        ``stem`` (the table of tokens), ``positions`` (of both stacks, and relative biases), ``attention`` and ``mlp``
        of the encoder's blocks, ``decoder_attention``, ``cross_attention`` and ``decoder_mlp`` of the decoder's,
        ``norms`` (of both), ``head``.
        """
        source, target, depth = self.seq, self.target_tokens, self._decoder_depth
        table = self.vocab * self.width
        return {
            "stem": self._stem(),
            "positions": Part(self._position_params, 0),
            "attention": self._attention(self.depth, source, source),
            "mlp": self._mlp(self.depth, self.mlp_dim, source),
            "decoder_attention": self._attention(depth, target, target),
            "cross_attention": self._attention(depth, target, source),
            "decoder_mlp": self._mlp(depth, self._decoder_mlp_dim, target),
            "norms": self._norms(),
            "head": Part(self.lm_head * (not self.tied) * table, self.lm_head * target * table),
        }

    @property
    def _decoder_depth(self) -> Any:
        return self.depth if self.decoder_depth is None else self.decoder_depth

    @property
    def _decoder_mlp_dim(self) -> Any:
        return self.mlp_dim if self.decoder_mlp_dim is None else self.decoder_mlp_dim

    @property
    def _mlp_matrices(self) -> int:
        return 3 if self.gated else 2

    @property
    def _square(self) -> Any:
        """Weights of one attention."""
        return 4 * self.width * self.attention_width

    @property
    def _position_params(self) -> Any:
        source = self.seq if self.positions is None else self.positions
        target = self.target_tokens if self.target_positions is None else self.target_positions
        tables = self.depth + self._decoder_depth if self.relative_every_block else 2
        relative = tables * self.relative_buckets * self.head_count if self.relative_buckets else 0
        return (source + target) * self.width + relative

    def _stem(self) -> Part:
        return Part(self.vocab * self.width, 0)

    def _attention(self, depth: Any, queries: int, keys: int) -> Part:
        """Count attention of so many query tokens to so many others, in so many blocks."""
        width, inner = self.width, self.attention_width
        key_bias = self.qkv_bias if self.k_bias is None else self.k_bias
        biases = (2 * self.qkv_bias + key_bias) * inner + self.out_bias * width
        macs = 2 * (queries + keys) * width * inner + 2 * queries * keys * inner
        return Part(depth * (self._square + biases), depth * macs)

    def _mlp(self, depth: Any, hidden: Any, tokens: int) -> Part:
        weights = self._mlp_matrices * self.width * hidden
        biases = self.mlp_bias * ((self._mlp_matrices - 1) * hidden + self.width)
        return Part(depth * (weights + biases), depth * tokens * weights)

    def _norms(self) -> Part:
        norms = 2 * self.depth + 3 * self._decoder_depth + 2 * (self.embedding_norm + self.final_norm)
        return Part(norms * NORM_PARAMS[self.norm] * self.width, 0)

    def _check_together(self) -> None:
        super()._check_together()
        lengths = {"seq": (self.seq, self.positions), "target_seq": (self.target_tokens, self.target_positions)}
        for name, (length, positions) in lengths.items():
            if positions and length > positions:
                why = f"is longer than the table of {positions} positions"
                raise bad_setting(name, length, why, "give a shorter sequence, or more positions")

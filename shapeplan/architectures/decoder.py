"""Decoder language models, dense or with mixtures of experts: parameters and multiply-accumulates in closed form."""

from __future__ import annotations

from typing import Any, ClassVar

from shapeplan.architectures.attention import LatentAttention, attended_pairs
from shapeplan.architectures.base import NORM_PARAMS, OF_EXPERTS, OF_LATENT, Embeddings, Part, Transformer
from shapeplan.architectures.mixture import Mixture, mixture_layers
from shapeplan.architectures.settings import bad_setting, choice, count, dimension, flag, is_array, must_divide
from shapeplan.frozen import frozen

QK_NORMS = ("none", "head", "full", "full_nobias")
CORRECTIONS = ("none", "buffer", "parameter")
_LATENT_HEADS = ("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")


@frozen(kw_only=True)
class Decoder(Transformer):
    """A decoder-only language model.

    The defaults are GPT-2's; `styles.STYLES` holds the settings of Llama, Gemma, Qwen and others.

    Attributes
    ----------
    mlp_dim : int, float or array
        Hidden size of the MLP; of an expert too, where `expert_dim` is not given.
    vocab, seq : int
        Vocabulary, and the sequence length of training.
    kv_heads : int, float or array, optional
        Key and value heads; as many as heads by default.
    gated : bool
        Whether MLPs and experts have a gate (three matrices instead of two).
    tied : bool
        Whether input and output embeddings are one table.
    qkv_bias, out_bias, mlp_bias, head_bias : bool
        Which matrices have biases: queries, keys and values; the output of attention; the MLP; the logits.
    q_bias, k_bias, v_bias, up_bias, down_bias : bool, optional
        The same, matrix by matrix: by default as `qkv_bias` and `mlp_bias` say (a gate is as `up_bias` is).
    positions : int, optional
        Length of the table of learned positions; `seq` by default, 0 for rotary and the like.
    norm : {"layernorm", "rmsnorm", "layernorm_nobias", "nonparametric"}
        Two parameters a channel, one, one, or none.
    block_norms : int
        Norms in a block: 2, 1 where attention and MLP run side by side, 4 where branches are normed on the way out too.
    embedding_norm, final_norm, attn_norm, mlp_norm : bool
        Norm of the embeddings; before the logits; before the last matrix of attention, and of the MLP.
    qk_norm : {"none", "head", "full", "full_nobias"}
        Norms of queries and keys: none, one of a head's width each, one of their full width each (or one a head, with
        parameters of its own), the same without biases.
    sinks : bool
        Whether every head has a learned logit that takes attention away (gpt-oss).
    activation_params : int
        Learned parameters of a block's activation (Apertus' xIELU has two).
    q_lora_rank, kv_lora_rank, qk_nope_head_dim, qk_rope_head_dim, v_head_dim : int, optional
        Multi-head latent attention, with `kv_lora_rank` its mark: see `LatentAttention`.
    causal : bool
        Whether only the pairs of tokens that a causal mask allows are counted; by default attention is counted in full.
    window, full_every : int, optional
        With `causal`: every layer attends to this many tokens at most, but for every n-th, which is full (0: none is).
    experts, experts_per_token : int, float or array, optional
        Routed experts of a mixture layer, and how many of them a token visits; dense without.
    expert_dim : int, float or array, optional
        Hidden size of an expert; `mlp_dim` by default.
    shared_experts : int
        Experts that every token visits.
    shared_expert_dim : int, float or array, optional
        Hidden size of a shared expert; `expert_dim` by default.
    shared_gate : bool
        Whether what shared experts add is weighted by a gate of its own.
    first_dense_layers, moe_every : int
        Layer i is a mixture if ``i >= first_dense_layers`` and ``(i + 1) mod moe_every == 0``.
    expert_bias, shared_bias, router_bias : bool
        Whether routed experts, shared experts (together one MLP) and router have biases.
    correction_bias : {"none", "buffer", "parameter"}
        Learned correction of the router's scores; as a buffer it is no parameter, but checkpoints hold it.
    """

    family: ClassVar[str] = "decoder"
    examples_unit: ClassVar[str] = "tokens"
    example: ClassVar[str] = "token"

    mlp_dim: Any = dimension(None)
    vocab: int = count()
    seq: int = count()
    kv_heads: Any = dimension(None)
    gated: bool = flag(False)
    tied: bool = flag(True)
    qkv_bias: bool = flag(True)
    out_bias: bool = flag(True)
    mlp_bias: bool = flag(True)
    head_bias: bool = flag(False)
    q_bias: bool | None = flag(None)
    k_bias: bool | None = flag(None)
    v_bias: bool | None = flag(None)
    up_bias: bool | None = flag(None)
    down_bias: bool | None = flag(None)
    positions: int | None = count(None, least=0)
    norm: str = choice("layernorm", tuple(NORM_PARAMS))
    block_norms: int = count(2, least=0)
    embedding_norm: bool = flag(False)
    final_norm: bool = flag(True)
    attn_norm: bool = flag(False)
    mlp_norm: bool = flag(False)
    qk_norm: str = choice("none", QK_NORMS)
    sinks: bool = flag(False)
    activation_params: int = count(0, least=0)
    q_lora_rank: int | None = count(None)
    kv_lora_rank: int | None = count(None)
    qk_nope_head_dim: int | None = count(None)
    qk_rope_head_dim: int | None = count(None)
    v_head_dim: int | None = count(None)
    causal: bool = flag(False)
    window: int | None = count(None)
    full_every: int = count(0, least=0)
    experts: Any = dimension(None)
    experts_per_token: Any = dimension(None)
    expert_dim: Any = dimension(None)
    shared_experts: int = count(0, least=0)
    shared_expert_dim: Any = dimension(None)
    shared_gate: bool = flag(False)
    first_dense_layers: int = count(0, least=0)
    moe_every: int = count(1)
    expert_bias: bool = flag(False)
    shared_bias: bool = flag(False)
    router_bias: bool = flag(False)
    correction_bias: str = choice("none", CORRECTIONS)

    @property
    def examples_per_input(self) -> int:
        """Tokens in a sequence."""
        return self.seq

    @property
    def tokens(self) -> int:
        """Length of the sequence."""
        return self.seq

    @property
    def remarks(self) -> tuple[str, ...]:
        """How long sequences are, and what checkpoints hold that is no parameter."""
        if self.correction_bias != "buffer" or self.experts is None:
            return super().remarks
        held = f"{self.mixture_layers * self.experts} numbers that correct the routers' scores"
        return (*super().remarks, f"checkpoints hold {held}, which are buffers and not counted")

    @property
    def latent(self) -> LatentAttention | None:
        """The matrices of latent attention, where the model has it."""
        if self.kv_lora_rank is None:
            return None
        dims = (getattr(self, name) for name in _LATENT_HEADS)
        return LatentAttention(self.width, self.head_count, self.q_lora_rank, self.kv_lora_rank, *dims)

    @property
    def mixture(self) -> Mixture | None:
        """One layer of experts, where the model has them."""
        if self.experts is None:
            return None
        expert = self.mlp_dim if self.expert_dim is None else self.expert_dim
        return Mixture(
            self.width,
            self.experts,
            self.experts_per_token,
            expert,
            self.shared_experts,
            expert if self.shared_expert_dim is None else self.shared_expert_dim,
            self._mlp_matrices,
            self.expert_bias,
            self.shared_bias,
            self.router_bias,
            self.correction_bias == "parameter",
            self.shared_gate,
        )

    @property
    def mixture_layers(self) -> Any:
        """Layers with experts."""
        return 0 if self.experts is None else mixture_layers(self.depth, self.first_dense_layers, self.moe_every)

    @property
    def idle_params(self) -> Any:
        """Parameters of the experts that a token does not visit."""
        mixture = self.mixture
        return 0 if mixture is None else self.mixture_layers * mixture.idle

    @property
    def token_weights(self) -> Any:
        """Weights of the blocks' matrices that a token is multiplied with, each once."""
        mixture, layers = self.mixture, self.mixture_layers
        dense = self.depth * self._attention_weights + self._dense_layers * self._mlp_weights
        return dense if mixture is None else dense + layers * mixture.visited

    @property
    def attention_macs(self) -> Any:
        """Multiply-accumulates of scores and mixing, with attention in full."""
        return self.depth * self.seq**2 * self._pair_macs

    @property
    def macs_in_full(self) -> Any:
        """Multiply-accumulates with attention in full, whatever mask `macs` counts."""
        return self.macs + self.attention_macs - self._layer_pairs * self._pair_macs

    @property
    def embeddings(self) -> Embeddings:
        """What tokens look up."""
        return Embeddings(self.vocab * self.width, self._position_params, self.tied)

    def parts(self) -> dict[str, Part]:
        """Return what every part adds, in the order of the forward pass.

        ``stem`` (token embeddings; a look-up multiplies nothing), ``positions``, ``attention`` and ``mlp`` (of all
        blocks, with their biases), ``router``, ``experts`` and ``shared_experts`` (of mixtures), ``norms``, ``head``
        (logits: no parameters of its own where the table is tied).
        """
        table = self.vocab * self.width
        return {
            "stem": Part(table, 0),
            "positions": Part(self._position_params, 0),
            "attention": self._attention(),
            "mlp": self._mlp(),
            **self._experts(),
            "norms": self._norms(),
            "head": Part((0 if self.tied else table) + self.head_bias * self.vocab, self.seq * table),
        }

    @property
    def head_width(self) -> Any:
        """Width of one head's queries."""
        latent = self.latent
        return super().head_width if latent is None else latent.nope + latent.rope

    @property
    def _position_params(self) -> Any:
        return (self.seq if self.positions is None else self.positions) * self.width

    @property
    def _keys(self) -> Any:
        """Width of all keys together; the values' is the same."""
        return self.attention_width if self.kv_heads is None else self.kv_heads * self.head_width

    @property
    def _attention_weights(self) -> Any:
        latent = self.latent
        return 2 * self.width * (self.attention_width + self._keys) if latent is None else latent.weights

    @property
    def _pair_macs(self) -> Any:
        """Multiply-accumulates of one pair of tokens: its score, and the mixing of its value."""
        latent = self.latent
        return 2 * self.attention_width if latent is None else latent.pair_macs

    @property
    def _mlp_matrices(self) -> int:
        return 3 if self.gated else 2

    @property
    def _mlp_weights(self) -> Any:
        return self._mlp_matrices * self.width * self.mlp_dim

    @property
    def _dense_layers(self) -> Any:
        return self.depth - self.mixture_layers

    @property
    def _layer_pairs(self) -> Any:
        """Pairs of tokens that are counted, summed over layers."""
        if not self.causal:
            return self.depth * self.seq**2
        if self.window is None:
            return self.depth * attended_pairs(self.seq)
        full = self.depth // self.full_every if self.full_every else 0
        return full * attended_pairs(self.seq) + (self.depth - full) * attended_pairs(self.seq, self.window)

    def _attention(self) -> Part:
        params = self._attention_weights + self._attention_extras()
        return Part(
            self.depth * params,
            self.depth * self.seq * self._attention_weights + self._layer_pairs * self._pair_macs,
        )

    def _attention_extras(self) -> Any:
        """Count biases, norms within attention, and sinks, of one block."""
        latent, nu = self.latent, NORM_PARAMS[self.norm]
        extras = self.out_bias * self.width + self.sinks * self.head_count
        if latent is not None:
            return extras + self.qkv_bias * latent.down_biases + nu * latent.normed
        queries, keys = self.attention_width, self._keys
        biases = [self.qkv_bias if bias is None else bias for bias in (self.q_bias, self.k_bias, self.v_bias)]
        normed = nu * {"head": 2 * self.head_width, "full": queries + keys}.get(self.qk_norm, 0)
        normed = normed + (self.qk_norm == "full_nobias") * (queries + keys) + self.attn_norm * nu * queries
        return extras + biases[0] * queries + (biases[1] + biases[2]) * keys + normed

    def _mlp(self) -> Part:
        up = self.mlp_bias if self.up_bias is None else self.up_bias
        down = self.mlp_bias if self.down_bias is None else self.down_bias
        extras = up * (self._mlp_matrices - 1) * self.mlp_dim + down * self.width
        extras = extras + self.mlp_norm * NORM_PARAMS[self.norm] * self.mlp_dim + self.activation_params
        layers = self._dense_layers
        return Part(layers * (self._mlp_weights + extras), layers * self.seq * self._mlp_weights)

    def _experts(self) -> dict[str, Part]:
        mixture, layers = self.mixture, self.mixture_layers
        if mixture is None:
            return {}
        tokens = layers * self.seq
        return {
            "router": Part(layers * mixture.router, tokens * mixture.router_weights),
            "experts": Part(layers * mixture.experts * mixture.expert, tokens * mixture.routed_weights),
            "shared_experts": Part(layers * mixture.always, tokens * mixture.always_weights),
        }

    def _norms(self) -> Part:
        norms = self.block_norms * self.depth + self.embedding_norm + self.final_norm
        return Part(norms * NORM_PARAMS[self.norm] * self.width, 0)

    def _check_together(self) -> None:
        self._check_latent()
        self._check_experts()
        super()._check_together()
        if self.kv_heads is not None:
            must_divide({"kv_heads": self.kv_heads, "heads": self.head_count}, "kv_heads", "heads")
        if self.positions and self.seq > self.positions:
            why = f"is longer than the table of {self.positions} positions"
            raise bad_setting("seq", self.seq, why, "give a shorter sequence, or more positions")
        for name in ("window", "full_every"):
            if _any(getattr(self, name)) and not (self.causal and _any(self.window)):
                why = "says nothing while attention is counted in full"
                raise bad_setting(name, getattr(self, name), why, "set causal = true, and a window")

    def _check_heads(self) -> None:
        if self.kv_lora_rank is None:
            super()._check_heads()

    def _check_latent(self) -> None:
        """Raise `InputError` on settings of latent attention that are missing, or too many."""
        if self.kv_lora_rank is None:
            for name in OF_LATENT:
                if getattr(self, name) is not None:
                    why = "is of latent attention, which this model lacks"
                    raise bad_setting(name, getattr(self, name), why, "add kv_lora_rank, or leave it out")
            return
        for name in _LATENT_HEADS:
            if getattr(self, name) is None:
                raise bad_setting(name, None, "is missing", "latent attention (kv_lora_rank) needs it")
        for name, fine in (("kv_heads", None), ("qk_norm", "none"), ("attn_norm", False)):
            if getattr(self, name) != fine and not (name == "kv_heads" and _same(self.kv_heads, self.heads)):
                raise bad_setting(name, getattr(self, name), "does not go with latent attention", "leave it out")
        if self.heads is None:
            raise bad_setting("heads", None, "is missing", "latent attention needs the number of heads")

    def _check_experts(self) -> None:
        """Raise `InputError` on settings of experts that are missing, or too many."""
        if self.experts is None:
            for name in OF_EXPERTS:
                if _any(getattr(self, name)):
                    why = "is of a mixture of experts, which this model is not"
                    raise bad_setting(name, getattr(self, name), why, "add experts, or leave it out")
        elif self.experts_per_token is None:
            raise bad_setting("experts_per_token", None, "is missing", "say how many experts a token visits")
        elif _any(self.experts_per_token > self.experts):
            visited, experts = _first_where(self.experts_per_token > self.experts, self.experts_per_token, self.experts)
            hint = "give fewer; or is each said in place of the other?"
            raise bad_setting("experts_per_token", visited, f"is more than there are experts ({experts})", hint)
        if self.mlp_dim is None:
            if self.expert_dim is None or self.first_dense_layers or self.moe_every > 1:
                raise bad_setting("mlp_dim", None, "is missing", "give the hidden size of the MLP")
            # There is no dense layer, so that its size says nothing.
            object.__setattr__(self, "mlp_dim", self.expert_dim)


def _any(condition: Any) -> bool:
    return bool(condition.any()) if is_array(condition) else bool(condition)


def _first_where(condition: Any, *values: Any) -> tuple[Any, ...]:
    """Return numbers, or of arrays the first entries for which a condition holds, in the shortest form."""
    if not is_array(condition):
        return values
    place = int(condition.argmax())
    return tuple(f"{value[place] if is_array(value) else value:g}" for value in values)


def _same(one: Any, other: Any) -> bool:
    return not is_array(one) and not is_array(other) and one == other

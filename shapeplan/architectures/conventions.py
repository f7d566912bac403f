"""Counting conventions: the same model has another number of FLOPs in each, so every number names its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.frozen import frozen
from shapeplan.quantities import Convention

if TYPE_CHECKING:
    from shapeplan.architectures.base import Transformer

FORWARD_PER_MAC = 2
"""One multiply-accumulate is two FLOPs; bias adds, norms, softmax and activations are not counted."""
TRAINING_PER_MAC = 6
"""The backward pass multiplies twice as much as the forward pass: gradients of inputs and of weights."""
EMBEDDING_PARTS = ("stem", "tokens", "positions", "head")
"""Parts whose parameters "without embeddings" leaves out: what turns inputs into vectors, and vectors into classes."""


SYMBOLS = (
    "N parameters that a token meets (mixtures: without the experts it does not visit); N' those without embeddings "
    "(token or patch, positions) and output layer; W weights of the blocks' matrices that it meets; V, P tables of "
    "tokens and of learned positions; L depth; A attention width; T tokens of one input"
)


@frozen
class CountingConvention:
    """One way of counting FLOPs.

    Attributes
    ----------
    name : str
        As users write it.
    counts : {"forward", "training"}
        Whether the number is that of a forward pass, or of forward and backward.
    formula : str
        For the line the number stands on, in the symbols of `SYMBOLS`.
    source : str
        Where the convention is from.
    use : str
        When it is the right one.
    flops : callable
        From a transformer to the FLOPs of one input; ints for ints.
    """

    name: str
    counts: Convention
    formula: str
    source: str
    use: str
    flops: Callable[[Transformer], Any]


def _forward(model: Transformer) -> Any:
    return FORWARD_PER_MAC * model.macs


def _training(model: Transformer) -> Any:
    return TRAINING_PER_MAC * model.macs


def _xla(model: Transformer) -> Any:
    return model.xla_flops


def _six_nd(model: Transformer) -> Any:
    return 6 * model.active_params * model.tokens


def _six_nd_without_embeddings(model: Transformer) -> Any:
    return 6 * (non_embedding_params(model) - model.idle_params) * model.tokens


def _palm(model: Transformer) -> Any:
    return 6 * (model.active_params * model.tokens + model.attention_macs)


def _kaplan(model: Transformer) -> Any:
    return 6 * model.token_weights * model.tokens + 3 * model.attention_macs


def _megatron(model: Transformer) -> Any:
    _ = model.embeddings  # Defined for models of tokens alone.
    return TRAINING_PER_MAC * model.macs_in_full - 3 * model.attention_macs


def _torchtitan(model: Transformer) -> Any:
    tables = model.embeddings
    # A tied table is that of the logits too, and stays.
    looked_up = tables.positions + (0 if tables.tied else tables.tokens)
    return 6 * ((model.active_params - looked_up) * model.tokens + model.attention_macs)


def _hf_trainer(model: Transformer) -> Any:
    return 6 * (model.params - model.embeddings.tokens - model.embeddings.positions) * model.tokens


def _nanogpt(model: Transformer) -> Any:
    return 6 * ((model.active_params - model.embeddings.positions) * model.tokens + model.attention_macs)


def non_embedding_params(model: Transformer) -> Any:
    """Return the parameters without `EMBEDDING_PARTS`."""
    return sum(part.params for name, part in model.parts().items() if name not in EMBEDDING_PARTS)


CONVENTIONS: dict[str, CountingConvention] = {
    convention.name: convention
    for convention in (
        CountingConvention(
            "forward",
            "forward",
            "2 x MACs",
            "matmuls and convolutions, counted exactly; attention in full, causal masks are not halved",
            "inference, and the paper's compute: forward FLOPs x examples",
            _forward,
        ),
        CountingConvention(
            "training",
            "training",
            "3 x forward",
            "Kaplan et al. 2020 (arXiv:2001.08361), sec. 2.1: the backward pass is twice the forward pass",
            "what a training run computes; budgets, days of accelerators",
            _training,
        ),
        CountingConvention(
            "xla",
            "forward",
            "forward + elementwise",
            "XLA's cost analysis of big_vision's ViT (jax 0.10.2), as in Table 1 of arXiv:2305.13035",
            "comparing with the FLOPs that the SoViT paper prints; plain ViTs only",
            _xla,
        ),
        CountingConvention(
            "6nd",
            "training",
            "6 N a token",
            "Kaplan et al. 2020; Hoffmann et al. 2022 (arXiv:2203.15556): N all, or active, parameters",
            "comparing with published token budgets; attention is left out and look-ups are counted",
            _six_nd,
        ),
        CountingConvention(
            "6nd-nonembedding",
            "training",
            "6 N' a token",
            "Kaplan et al. 2020, sec. 2.1: N without token and position embeddings, nor the output layer",
            "comparing with logs that say 'non-embedding'; small vocabularies or large models",
            _six_nd_without_embeddings,
        ),
        CountingConvention(
            "palm",
            "training",
            "6 N + 12 L A T a token",
            "Chowdhery et al. 2022 (arXiv:2204.02311), appendix B: all parameters, attention in full",
            "model FLOPs utilization (MFU) as in the PaLM paper; frameworks differ, see their own conventions",
            _palm,
        ),
        CountingConvention(
            "kaplan",
            "training",
            "6 W + 6 L A T a token",
            "Kaplan et al. 2020, Table 1, times three: matrices of the blocks, causal attention at half, no logits",
            "comparing with Kaplan's C; attention averaged over a causal mask",
            _kaplan,
        ),
        CountingConvention(
            "megatron",
            "training",
            "training - 6 L A T^2 an input",
            "Megatron-LM's throughput report, and MaxText's: matmuls and logits, causal attention at half",
            "MFU and TFLOP/s that Megatron-LM, NeMo and MaxText print; language models only",
            _megatron,
        ),
        CountingConvention(
            "torchtitan",
            "training",
            "6 (N - V - P) + 12 L A T a token",
            "torchtitan's report: palm without tables that are only looked up (V stays where it is the output's too)",
            "MFU and TFLOP/s that torchtitan prints; language models only",
            _torchtitan,
        ),
        CountingConvention(
            "hf-trainer",
            "training",
            "6 (all parameters - V - P) a token",
            "total_flos of the Hugging Face Trainer: no input embeddings, no attention; all experts, idle or not",
            "comparing with trainer_state.json; language models only",
            _hf_trainer,
        ),
        CountingConvention(
            "nanogpt",
            "training",
            "6 (N - P) + 12 L A T a token",
            "nanoGPT's estimate_mfu: palm without learned positions",
            "MFU that nanoGPT prints; language models only",
            _nanogpt,
        ),
    )
}
"""Every convention by its name."""


def find_convention(name: object) -> CountingConvention:
    """Return the convention of that name.

    Raises
    ------
    ArgumentError
        If there is none.
    """
    if not isinstance(name, str) or name not in CONVENTIONS:
        hint = f"the conventions are {', '.join(CONVENTIONS)}"
        raise ArgumentError(
            ErrorDetail("unknown-convention", f"there is no convention {name!r}", hint, value=str(name))
        )
    return CONVENTIONS[name]

"""What attention multiplies: pairs of tokens under a mask, and the matrices of multi-head latent attention."""

from __future__ import annotations

from typing import Any

from shapeplan.frozen import frozen


@frozen
class LatentAttention:
    """The matrices of one block of multi-head latent attention (DeepSeek-V2, arXiv:2405.04434, section 2.1).

    Queries, and keys with values, go through a narrow latent vector each; keys have a part that carries rotary
    positions, the same for all heads. Counted expanded, as training runs it.

    Attributes
    ----------
    width, heads : int, float or array
        Residual stream; attention heads.
    q_rank : int or None
        Width of the queries' latent vector; None for one full matrix.
    kv_rank : int
        Width of the latent vector of keys and values.
    nope, rope, value : int
        Width of a head's queries and keys without positions, of their rotary part, and of its values.
    """

    width: Any
    heads: Any
    q_rank: int | None
    kv_rank: int
    nope: int
    rope: int
    value: int

    @property
    def weights(self) -> Any:
        """Weights of all matrices; every token is multiplied with each once."""
        queries = self.heads * (self.nope + self.rope)
        through = self.width * queries if self.q_rank is None else self.q_rank * (self.width + queries)
        keys = self.width * (self.kv_rank + self.rope) + self.kv_rank * self.heads * (self.nope + self.value)
        return through + keys + self.heads * self.value * self.width

    @property
    def normed(self) -> int:
        """Channels of the norms on the latent vectors."""
        return (self.q_rank or 0) + self.kv_rank

    @property
    def down_biases(self) -> int:
        """Outputs of the matrices into the latent vectors, where these have biases."""
        return (self.q_rank or 0) + self.kv_rank + self.rope

    @property
    def pair_macs(self) -> Any:
        """Multiply-accumulates of one pair of tokens: its score, and the mixing of its value."""
        return self.heads * (self.nope + self.rope + self.value)


def attended_pairs(tokens: int, window: int | None = None) -> int:
    """Return the pairs of tokens under a causal mask: each attends to itself and what is before it.

    With a window, only to the last `window` tokens, itself among them.
    """
    if window is None or window >= tokens:
        return tokens * (tokens + 1) // 2
    return window * tokens - window * (window - 1) // 2

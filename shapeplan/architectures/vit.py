"""Vision transformers: parameters and multiply-accumulates in closed form (FLOPS.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from shapeplan.architectures.base import NORM_PARAMS, Transformer, bad_setting, whole

POOLS = ("gap", "tok", "map")


@dataclass(frozen=True, kw_only=True)
class ViT(Transformer):
    """A vision transformer. The defaults are big_vision's: LayerNorm, all biases, learned positions, plain MLP.

    Attributes
    ----------
    patch, image : int
        Side of a patch and of the square image, in pixels; a remainder of the image is cropped.
    pool : {"gap", "tok", "map"}
        Global average, class token, or the MAP head of the SoViT paper.
    channels, classes : int
        Colours of the image; outputs of the classifier, 0 for an encoder without one.
    cls_token : bool, optional
        Whether a class token is in the sequence; by default if it is what is pooled.
    reg_tokens : int
        Register tokens.
    pool_prefix : bool
        Whether the MAP head sees class and register tokens too.
    positions : int, optional
        Length of the position table; one a patch by default, as in big_vision.
    rep_size : int
        Width of a representation layer before the classifier; 0 for none.
    gated : bool
        Whether the MLP has a gate (three matrices instead of two).
    qkv_bias, proj_bias, mlp_bias, patch_bias, head_bias : bool
        Which matrices have biases.
    layer_scale, pre_norm, qk_norm, final_norm, fc_norm : bool
        Scale after each branch; norm before the blocks; norm of queries and keys; norm after the blocks; norm after
        pooling.
    norm : {"layernorm", "rmsnorm"}
        Two parameters a channel, or one.
    """

    family: ClassVar[str] = "vit"

    patch: int
    image: int
    pool: Literal["gap", "tok", "map"] = "map"
    channels: int = 3
    classes: int = 0
    cls_token: bool | None = None
    reg_tokens: int = 0
    pool_prefix: bool = False
    positions: int | None = None
    rep_size: int = 0
    gated: bool = False
    qkv_bias: bool = True
    proj_bias: bool = True
    mlp_bias: bool = True
    patch_bias: bool = True
    head_bias: bool = True
    layer_scale: bool = False
    pre_norm: bool = False
    qk_norm: bool = False
    final_norm: bool = True
    fc_norm: bool = False
    norm: str = "layernorm"

    @property
    def patches(self) -> int:
        """Patches in an image."""
        return (self.image // self.patch) ** 2

    @property
    def extra_tokens(self) -> int:
        """Class and register tokens."""
        has_cls = self.pool == "tok" if self.cls_token is None else self.cls_token
        return int(has_cls) + self.reg_tokens

    @property
    def tokens(self) -> int:
        """Length of the sequence in the blocks."""
        return self.patches + self.extra_tokens

    @property
    def params(self) -> Any:
        """Number of parameters: stem, tokens, positions, blocks, norms, pooling, representation, classifier."""
        width, mlp, norm = self.width, self.mlp_dim, NORM_PARAMS[self.norm]
        stem = (self.channels * self.patch**2 + self.patch_bias) * width
        table = (self.patches if self.positions is None else self.positions) * width
        attention = 4 * width * width + (3 * self.qkv_bias + self.proj_bias) * width
        gates = 2 if self.gated else 1
        feedforward = gates * (width * mlp + self.mlp_bias * mlp) + mlp * width + self.mlp_bias * width
        block = attention + feedforward + 2 * norm * width + 2 * self.layer_scale * width
        if self.qk_norm:
            block = block + 2 * norm * (width // self.heads)
        norms = (self.pre_norm + self.final_norm + self.fc_norm) * norm * width
        pooling = 4 * (width * width + width) + (2 + norm) * width + 2 * width * mlp + mlp if self.pool == "map" else 0
        rep = (width + 1) * self.rep_size
        head = ((self.rep_size or width) + self.head_bias) * self.classes
        return stem + self.extra_tokens * width + table + self.depth * block + norms + pooling + rep + head

    @property
    def macs(self) -> Any:
        """Multiply-accumulates of one image."""
        width, mlp, tokens, patches = self.width, self.mlp_dim, self.tokens, self.patches
        pooled = tokens if self.pool_prefix else patches
        stem = patches * self.channels * self.patch**2 * width
        matrices = 3 if self.gated else 2
        block = tokens * (4 * width * width + matrices * width * mlp) + 2 * tokens**2 * width
        pooling = (
            2 * pooled * width * width + 2 * width * width + 2 * pooled * width + 2 * width * mlp
            if self.pool == "map"
            else 0
        )
        head = width * self.rep_size + (self.rep_size or width) * self.classes
        return stem + self.depth * block + pooling + head

    def check(self) -> None:
        """Raise `InputError` on a setting that cannot be."""
        for name in ("patch", "image", "channels", "classes", "reg_tokens", "rep_size"):
            whole(name, getattr(self, name))
        super().check()
        if self.patch > self.image:
            raise bad_setting("patch", self.patch, f"is larger than the image ({self.image})", "give a smaller patch")
        if self.pool not in POOLS:
            raise bad_setting("pool", self.pool, "is no way of pooling", f"choose one of {', '.join(POOLS)}")

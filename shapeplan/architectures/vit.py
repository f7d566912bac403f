"""Vision transformers: parameters and multiply-accumulates in closed form."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

from shapeplan.architectures.base import NORM_PARAMS, SHAPE_DIMS, Part, Transformer
from shapeplan.architectures.settings import bad_setting, choice, count, flag, image_size
from shapeplan.frozen import frozen

POOLS = ("gap", "tok", "map")
RELATIVE_POSITIONS = ("none", "layers", "shared")
_XLA_KNOWS = (*SHAPE_DIMS, "heads", "head_dim", "patch", "image", "channels", "pool", "classes", "positions")
"""What XLA's count follows; with any other setting changed it is unknown."""


@frozen(kw_only=True)
class ViT(Transformer):
    """A vision transformer. The defaults are big_vision's: LayerNorm, all biases, learned positions, plain MLP.

    Attributes
    ----------
    patch : int
        Side of a patch, in pixels.
    image : int or (int, int)
        Side of the square image, or height and width, in pixels; a remainder beyond the patches is cropped.
    pool : {"gap", "tok", "map"}
        Global average, class token, or the MAP head of the SoViT paper.
    channels, classes : int
        Colours of the image; outputs of the classifier, 0 for an encoder without one.
    cls_token : bool, optional
        Whether a class token is in the sequence; by default if it is what is pooled.
    reg_tokens : int
        Register tokens.
    distilled : bool
        Whether there is a distillation token with a classifier of its own (DeiT).
    mask_token : bool
        Whether a token for masked patches is among the parameters; no forward pass of whole images uses it.
    pool_prefix : bool
        Whether the MAP head sees class and register tokens too.
    pool_query, pool_bias : bool
        Whether the MAP head multiplies its probe with a matrix; whether its queries, keys and values have biases.
    pool_mlp_dim : int, optional
        Hidden size of the MAP head's MLP; `mlp_dim` by default; 0 for neither that MLP nor the norm before it.
    positions : int, optional
        Length of the table of learned positions; one a patch by default, as in big_vision; 0 for none.
    prefix_positions : bool
        Whether class, distillation and register tokens have learned positions too, if `positions` is not given.
    resampled_positions : bool
        Whether a product of matrices fits the table of positions to every image (SigLIP 2 of transformers).
    relative_positions : {"none", "layers", "shared"}
        Tables of learned biases of attention, one a head and distance (BEiT): of every block, or one for all.
    learned_rotary : bool
        Whether the frequencies of rotary positions are parameters (RoPE-Mixed); fixed ones cost nothing.
    rep_size : int
        Width of a representation layer before the classifier, such as the pooler of transformers; 0 for none.
    head_inputs : int
        Vectors of the model's width that the classifier reads: 2 for the class token beside the average.
    gated : bool
        Whether the MLP has a gate (three matrices instead of two).
    attn_gate : bool
        Whether a further matrix gates what attention returns.
    qkv_bias, proj_bias, mlp_bias, patch_bias, head_bias : bool
        Which matrices have biases.
    k_bias : bool, optional
        Whether keys have a bias, if that differs from `qkv_bias` (BEiT, EVA and DINOv3 have none).
    layer_scale : bool
        A scale a channel after each branch; one for both where attention and MLP run side by side.
    pre_norm, qk_norm, attn_norm, mlp_norm, patch_norm, final_norm, fc_norm : bool
        Norm before the blocks; of queries and keys by head; before the attention's and the MLP's last matrix; of the
        patches; after the blocks; after pooling.
    block_norms : int
        Norms in a block: 2, or 1 where attention and MLP run side by side.
    norm : {"layernorm", "rmsnorm", "nonparametric"}
        Two parameters a channel, one (RMSNorm, or LayerNorm without bias), or none.
    """

    family: ClassVar[str] = "vit"

    patch: int = count()
    image: int | tuple[int, int] = image_size()
    pool: str = choice("map", POOLS)
    channels: int = count(3)
    classes: int = count(0, least=0)
    cls_token: bool | None = flag(None)
    reg_tokens: int = count(0, least=0)
    distilled: bool = flag(False)
    mask_token: bool = flag(False)
    pool_prefix: bool = flag(False)
    pool_query: bool = flag(True)
    pool_bias: bool = flag(True)
    pool_mlp_dim: int | None = count(None, least=0)
    positions: int | None = count(None, least=0)
    prefix_positions: bool = flag(False)
    resampled_positions: bool = flag(False)
    relative_positions: str = choice("none", RELATIVE_POSITIONS)
    learned_rotary: bool = flag(False)
    rep_size: int = count(0, least=0)
    head_inputs: int = count(1)
    gated: bool = flag(False)
    attn_gate: bool = flag(False)
    qkv_bias: bool = flag(True)
    k_bias: bool | None = flag(None)
    proj_bias: bool = flag(True)
    mlp_bias: bool = flag(True)
    patch_bias: bool = flag(True)
    head_bias: bool = flag(True)
    layer_scale: bool = flag(False)
    pre_norm: bool = flag(False)
    qk_norm: bool = flag(False)
    attn_norm: bool = flag(False)
    mlp_norm: bool = flag(False)
    patch_norm: bool = flag(False)
    final_norm: bool = flag(True)
    fc_norm: bool = flag(False)
    block_norms: int = count(2, least=0)
    norm: str = choice("layernorm", tuple(NORM_PARAMS))

    @property
    def grid(self) -> tuple[int, int]:
        """Patches in the height and in the width of an image."""
        height, width = self._sides
        return height // self.patch, width // self.patch

    @property
    def patches(self) -> int:
        """Patches in an image."""
        rows, columns = self.grid
        return rows * columns

    @property
    def cropped(self) -> bool:
        """Whether a remainder of the image lies beyond the patches."""
        return any(side % self.patch for side in self._sides)

    @property
    def _sides(self) -> tuple[int, int]:
        return self.image if isinstance(self.image, tuple) else (self.image, self.image)

    @property
    def input_words(self) -> str:
        """The size of the image and of a patch."""
        side = "x".join(map(str, self.image)) if isinstance(self.image, tuple) else f"{self.image}"
        return f"{side} px, patch {self.patch}"

    @property
    def head_words(self) -> str:
        """How tokens are pooled, and into how many classes."""
        return self.pool + (f", {self.classes} classes" if self.classes else "")

    @property
    def remarks(self) -> tuple[str, ...]:
        """Whether there is a classifier, and whether the image is cropped."""
        no_head = () if self.classes else ("encoder without classifier (`classes=1000` adds one)",)
        rows, columns = self.grid
        return (*no_head, f"the image is cropped to {rows} x {columns} patches") if self.cropped else no_head

    @property
    def has_cls_token(self) -> bool:
        """Whether a class token is in the sequence."""
        return self.pool == "tok" if self.cls_token is None else self.cls_token

    @property
    def extra_tokens(self) -> int:
        """Class, distillation and register tokens."""
        return int(self.has_cls_token) + int(self.distilled) + self.reg_tokens

    @property
    def tokens(self) -> int:
        """Length of the sequence in the blocks."""
        return self.patches + self.extra_tokens

    @property
    def token_weights(self) -> Any:
        """Weights of the blocks' matrices."""
        attention = self._attention_matrices * self.attention_width
        return self.depth * self.width * (attention + self._mlp_matrices * self.mlp_dim)

    @property
    def attention_macs(self) -> Any:
        """Multiply-accumulates of scores and mixing."""
        return 2 * self.depth * self.tokens**2 * self.attention_width

    @property
    def _attention_matrices(self) -> int:
        return 5 if self.attn_gate else 4

    @property
    def _mlp_matrices(self) -> int:
        return 3 if self.gated else 2

    def parts(self) -> dict[str, Part]:
        """Return what every part adds, in the order of the forward pass.

        ``stem`` (patch embedding), ``tokens`` (class, distillation, register and mask tokens), ``positions`` (absolute,
        relative and rotary), ``attention`` and ``mlp`` (of all blocks, with their biases and scales), ``norms``,
        ``pooling`` (MAP head), ``representation``, ``head`` (classifier).
        """
        width, norm = self.width, NORM_PARAMS[self.norm]
        pixels = self.channels * self.patch**2
        norms = self.block_norms * self.depth + self.pre_norm + self.final_norm + self.fc_norm
        return {
            "stem": Part((pixels + self.patch_bias + self.patch_norm * norm) * width, self.patches * pixels * width),
            "tokens": Part((self.extra_tokens + self.mask_token) * width, 0),
            "positions": self._position_tables(),
            "attention": self._attention(norm),
            "mlp": self._mlp(norm),
            "norms": Part(norms * norm * width, 0),
            "pooling": self._map_head(norm) if self.pool == "map" else Part(0, 0),
            "representation": Part((width + 1) * self.rep_size, width * self.rep_size),
            "head": self._classifier(),
        }

    @property
    def xla_flops(self) -> Any:
        """Forward FLOPs as XLA's cost analysis counts them: elementwise work too; coefficients measured on jax 0.10.2.

        Raises
        ------
        InputError
            If the model is not big_vision's plain ViT, for which alone the coefficients are known.
        """
        self._check_plain()
        width, mlp, heads, tokens = self.width, self.mlp_dim, self.head_count, self.tokens
        block = 22 * tokens * width + 9 * tokens * mlp + 4 * heads * tokens**2 - heads * tokens + 8 * tokens
        elementwise = self.depth * block + 10 * tokens * width + 4 * tokens + self.classes
        if self.pool == "tok":
            elementwise = elementwise - tokens * width - 2 * width
        elif self.pool == "map":
            elementwise = elementwise + tokens * width + 4 * heads * tokens + 12 * width + 9 * mlp
        return 2 * self.macs + elementwise

    def _position_tables(self) -> Part:
        length = self.positions
        if length is None:
            length = self.tokens if self.prefix_positions else self.patches
        absolute = length * self.width
        resampling = self.patches * absolute if self.resampled_positions else 0
        return Part(absolute + self._relative + self._rotary, resampling)

    @property
    def _relative(self) -> Any:
        """Parameters of relative positions: a bias a distance and head, three more distances with a class token."""
        if self.relative_positions == "none":
            return 0
        rows, columns = self.grid
        distances = (2 * rows - 1) * (2 * columns - 1) + 3 * self.has_cls_token
        return distances * self.head_count * (self.depth if self.relative_positions == "layers" else 1)

    @property
    def _rotary(self) -> Any:
        """Parameters of rotary positions: two frequencies a pair of channels and block, one a side of the image."""
        return self.depth * self.attention_width if self.learned_rotary else 0

    def _attention(self, norm: int) -> Part:
        width, inner, tokens, matrices = self.width, self.attention_width, self.tokens, self._attention_matrices
        k_bias = self.qkv_bias if self.k_bias is None else self.k_bias
        biases = ((matrices - 2) * self.qkv_bias + k_bias) * inner + (self.proj_bias + self.layer_scale) * width
        norms = 2 * self.qk_norm * self.head_width + self.attn_norm * inner if self.qk_norm or self.attn_norm else 0
        weights = matrices * width * inner
        return Part(
            self.depth * (weights + biases + norm * norms), self.depth * (tokens * weights + 2 * tokens**2 * inner)
        )

    def _mlp(self, norm: int) -> Part:
        width, mlp, matrices = self.width, self.mlp_dim, self._mlp_matrices
        scaled = self.layer_scale and self.block_norms > 1
        biases = self.mlp_bias * ((matrices - 1) * mlp + width) + scaled * width + self.mlp_norm * norm * mlp
        weights = matrices * width * mlp
        return Part(self.depth * (weights + biases), self.depth * self.tokens * weights)

    def _map_head(self, norm: int) -> Part:
        """Count the probe, its attention, and after a norm an MLP on one token."""
        width = self.width
        mlp = self.mlp_dim if self.pool_mlp_dim is None else self.pool_mlp_dim
        pooled = self.tokens if self.pool_prefix else self.patches
        biases = (2 + self.pool_query) * self.pool_bias + 1
        params = (3 + self.pool_query) * width * width + (1 + biases) * width
        macs = (2 * pooled + 1 + self.pool_query) * width * width + 2 * pooled * width
        if self.pool_mlp_dim == 0:
            return Part(params, macs)
        return Part(params + 2 * width * mlp + mlp + (1 + norm) * width, macs + 2 * width * mlp)

    def _classifier(self) -> Part:
        outputs = self.classes * (1 + self.distilled)
        features = self.rep_size if self.rep_size else self.head_inputs * self.width
        return Part((features + self.head_bias) * outputs, features * outputs)

    def _check_together(self) -> None:
        super()._check_together()
        if self.patches < 1:
            side = "x".join(map(str, self.image)) if isinstance(self.image, tuple) else self.image
            raise bad_setting("patch", self.patch, f"is larger than the image ({side})", "give a smaller patch")
        if self.pool == "tok" and self.cls_token is False:
            raise bad_setting("cls_token", False, "leaves pool = tok nothing to pool", "pool gap or map, or keep it")

    def _check_plain(self) -> None:
        """Raise `InputError` if anything differs from what XLA's counts were measured on."""
        odd = [
            setting.name
            for setting in fields(self)
            if setting.name not in _XLA_KNOWS
            and getattr(self, setting.name)
            not in (None, self.pool == "tok" if setting.name == "cls_token" else setting.default)
        ]
        odd += ["positions"] if self.positions == 0 else []
        odd += ["head_dim"] if self.heads is not None and self.head_dim is not None else []
        if odd:
            why = "is not what XLA's count is known for"
            raise bad_setting(odd[0], getattr(self, odd[0]), why, "use the convention forward")

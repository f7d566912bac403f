"""Diffusion transformers (DiT, SiT): parameters and multiply-accumulates in closed form."""

from __future__ import annotations

from typing import Any, ClassVar

from shapeplan.architectures.base import Part, Transformer
from shapeplan.architectures.settings import bad_setting, count, flag, image_size
from shapeplan.frozen import frozen


@frozen(kw_only=True)
class DiT(Transformer):
    """A diffusion transformer of latent images with adaLN-Zero (arXiv:2212.09748); SiT has the same network.

    Shift, scale and gate of every branch are read off the embedding of timestep and class, by one matrix a block that
    is multiplied once an image. Norms have no parameters. One example is one image, noised once.

    Attributes
    ----------
    patch : int
        Side of a patch, in latent pixels.
    image : int or (int, int)
        Side of the square latent image, or height and width: a 256 px image has 32.
    channels : int
        Channels of the latent image.
    out_channels : int, optional
        Channels of the output; twice `channels` by default, for the noise and its variance.
    classes : int
        Classes to condition on; 0 for none.
    null_class : bool
        Whether the table of classes has a row for no class (classifier-free guidance).
    frequencies : int
        Sinusoids of the timestep, which two matrices map to the width.
    positions : int, optional
        Length of the table of positions; one a patch by default, as DiT holds its fixed sinusoids among the
        parameters, though they are not trained; 0 for none, as in diffusers.
    qkv_bias : bool
        Whether queries, keys and values have biases; all other matrices have.
    block_embedders : bool
        Whether every block embeds timestep and class anew, with weights of its own, as diffusers builds it.
    """

    family: ClassVar[str] = "dit"

    patch: int = count()
    image: int | tuple[int, int] = image_size()
    channels: int = count(4)
    out_channels: int | None = count(None)
    classes: int = count(1000, least=0)
    null_class: bool = flag(True)
    frequencies: int = count(256)
    positions: int | None = count(None, least=0)
    qkv_bias: bool = flag(True)
    block_embedders: bool = flag(False)

    @property
    def tokens(self) -> int:
        """Patches of an image."""
        height, width = self.image if isinstance(self.image, tuple) else (self.image, self.image)
        return (height // self.patch) * (width // self.patch)

    @property
    def token_weights(self) -> Any:
        """Weights of the blocks' matrices, without those that modulate, which are multiplied once an image."""
        return self.depth * self.width * (4 * self.attention_width + 2 * self.mlp_dim)

    @property
    def attention_macs(self) -> Any:
        """Multiply-accumulates of scores and mixing."""
        return 2 * self.depth * self.tokens**2 * self.attention_width

    def parts(self) -> dict[str, Part]:
        """Return what every part adds, in the order of the forward pass.

        ``stem`` (patch embedding), ``positions``, ``conditioning`` (embedders of timestep and class), ``attention``,
        ``mlp`` and ``modulation`` (adaLN) of all blocks, ``head`` (modulation of the last norm, and the output).
        """
        width, patches = self.width, self.tokens
        pixels = self.channels * self.patch**2
        outputs = self.patch**2 * (2 * self.channels if self.out_channels is None else self.out_channels)
        square = width * width
        return {
            "stem": Part((pixels + 1) * width, patches * pixels * width),
            "positions": Part((patches if self.positions is None else self.positions) * width, 0),
            "conditioning": self._conditioning(),
            "attention": self._attention(),
            "mlp": self._mlp(),
            "modulation": Part(self.depth * (6 * square + 6 * width), self.depth * 6 * square),
            "head": Part(2 * square + 2 * width + (width + 1) * outputs, 2 * square + patches * width * outputs),
        }

    def _conditioning(self) -> Part:
        """Count two matrices for the timestep and a table of classes; diffusers' last layer runs the first's again."""
        width = self.width
        weights = self.frequencies * width + width * width
        table = (self.classes + self.null_class) * width if self.classes else 0
        copies = self.depth if self.block_embedders else 1
        return Part(copies * (weights + 2 * width + table), (copies + self.block_embedders) * weights)

    def _attention(self) -> Part:
        width, inner = self.width, self.attention_width
        weights = 4 * width * inner
        biases = 3 * self.qkv_bias * inner + width
        return Part(self.depth * (weights + biases), self.depth * self.tokens * weights + self.attention_macs)

    def _mlp(self) -> Part:
        weights = 2 * self.width * self.mlp_dim
        return Part(self.depth * (weights + self.mlp_dim + self.width), self.depth * self.tokens * weights)

    def _check_together(self) -> None:
        super()._check_together()
        if self.tokens < 1:
            raise bad_setting("patch", self.patch, f"is larger than the image ({self.image})", "give a smaller patch")

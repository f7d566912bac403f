"""Encoder-decoders of speech (Whisper): convolutions over a spectrogram in place of the source's tokens."""

from __future__ import annotations

from typing import ClassVar

from shapeplan.architectures.base import Part
from shapeplan.architectures.encoder_decoder import EncoderDecoder
from shapeplan.architectures.settings import count, flag
from shapeplan.frozen import frozen

_KERNEL = 3


@frozen(kw_only=True)
class Whisper(EncoderDecoder):
    """An encoder of audio and a decoder of text: an `EncoderDecoder` whose source are frames (arXiv:2212.04356).

    Two convolutions of width 3 with biases make `seq` frames of twice as many of the spectrogram's; the second has
    stride 2. The encoder's table of positions holds fixed sinusoids, which transformers counts among the parameters
    (openai/whisper does not): so does this, and ``positions = 0`` leaves them out.

    Attributes
    ----------
    channels : int
        Bands of the spectrogram.
    """

    family: ClassVar[str] = "whisper"
    example: ClassVar[str] = "clip"

    channels: int = count(80)
    k_bias: bool | None = flag(False)
    embedding_norm: bool = flag(False)

    def _stem(self) -> Part:
        """Count the two convolutions, and the table of the target's tokens."""
        first, second = _KERNEL * self.channels * self.width, _KERNEL * self.width * self.width
        table = super()._stem()
        return Part(table.params + first + second + 2 * self.width, self.seq * (2 * first + second))

"""Dense decoders of Qwen, and what was distilled into them, by name, as their configurations were released."""

from __future__ import annotations

from shapeplan.architectures.catalogue.record import NamedModel
from shapeplan.architectures.catalogue.series import Size, series

_SMALL = {"vocab": 151936, "seq": 4096}
_TIED = {"tied": True}
_LARGE = {"vocab": 152064}

QWENS: tuple[NamedModel, ...] = (
    *series(
        "qwen2",
        "model cards; Qwen/Qwen1.5 config.json",
        _SMALL,
        Size("qwen1.5-1.8b", 2048, 24, 5504, 16),
        Size("qwen1.5-4b", 2560, 40, 6912, 20),
        Size("qwen1.5-7b", 4096, 32, 11008, 32),
        Size("qwen1.5-14b", 5120, 40, 13696, 40, own=_LARGE),
        Size("qwen1.5-32b", 5120, 64, 27392, 40, 8, own=_LARGE),
        Size("qwen1.5-72b", 8192, 80, 24576, 64, own=_LARGE),
        Size("qwen1.5-110b", 8192, 80, 49152, 64, 8, own=_LARGE),
    ),
    *series(
        "qwen2",
        "arXiv:2407.10671; Qwen/Qwen2 config.json",
        _SMALL,
        Size("qwen2-0.5b", 896, 24, 4864, 14, 2, own=_TIED),
        Size("qwen2-1.5b", 1536, 28, 8960, 12, 2, "qwen2-math-1.5b", _TIED),
        Size("qwen2-7b", 3584, 28, 18944, 28, 4, "qwen2-math-7b", _LARGE),
        Size("qwen2-72b", 8192, 80, 29568, 64, 8, "qwen2-math-72b", _LARGE),
    ),
    *series(
        "qwen2",
        "arXiv:2412.15115; Qwen/Qwen2.5 config.json",
        _SMALL,
        Size("qwen2.5-0.5b", 896, 24, 4864, 14, 2, "qwen2.5-coder-0.5b", _TIED),
        Size("qwen2.5-1.5b", 1536, 28, 8960, 12, 2, "qwen2.5-coder-1.5b qwen2.5-math-1.5b", _TIED),
        Size("qwen2.5-3b", 2048, 36, 11008, 16, 2, "qwen2.5-coder-3b", _TIED),
        Size("qwen2.5-7b", 3584, 28, 18944, 28, 4, "qwen2.5-coder-7b qwen2.5-math-7b qwen2.5-7b-1m", _LARGE),
        Size("qwen2.5-14b", 5120, 48, 13824, 40, 8, "qwen2.5-coder-14b qwen2.5-14b-1m", _LARGE),
        Size("qwen2.5-32b", 5120, 64, 27648, 40, 8, "qwen2.5-coder-32b", _LARGE),
        Size("qwen2.5-72b", 8192, 80, 29568, 64, 8, "qwen2.5-math-72b", _LARGE),
        Size("qwq-32b", 5120, 64, 27648, 40, 8, "qwq-32b-preview", _LARGE),
    ),
    *series(
        "qwen2",
        "arXiv:2501.12948; deepseek-ai/DeepSeek-R1-Distill config.json",
        _SMALL,
        Size("deepseek-r1-distill-qwen-1.5b", 1536, 28, 8960, 12, 2, "r1-distill-qwen-1.5b deepseek-r1-1.5b"),
        Size("deepseek-r1-distill-qwen-7b", 3584, 28, 18944, 28, 4, "r1-distill-qwen-7b deepseek-r1-7b", _LARGE),
        Size(
            *("deepseek-r1-distill-qwen-14b", 5120, 48, 13824, 40, 8, "r1-distill-qwen-14b deepseek-r1-14b"),
            _LARGE,
        ),
        Size(
            *("deepseek-r1-distill-qwen-32b", 5120, 64, 27648, 40, 8, "r1-distill-qwen-32b deepseek-r1-32b"),
            _LARGE,
        ),
    ),
    *series(
        "qwen3",
        "arXiv:2505.09388; Qwen/Qwen3 config.json",
        {**_SMALL, "head_dim": 128},
        Size("qwen3-0.6b", 1024, 28, 3072, 16, 8, own=_TIED),
        Size("qwen3-1.7b", 2048, 28, 6144, 16, 8, own=_TIED),
        Size("qwen3-4b", 2560, 36, 9728, 32, 8, "qwen3-4b-2507 qwen3-4b-thinking-2507", _TIED),
        Size("qwen3-8b", 4096, 36, 12288, 32, 8, "deepseek-r1-0528-qwen3-8b"),
        Size("qwen3-14b", 5120, 40, 17408, 40, 8),
        Size("qwen3-32b", 5120, 64, 25600, 64, 8),
    ),
)
"""Sequence lengths are those of pre-training, before any extension of the context."""

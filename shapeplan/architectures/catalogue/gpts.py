"""Decoders with LayerNorm by name, as their configurations were released: GPT-2 and what grew out of it."""

from __future__ import annotations

from shapeplan.architectures.catalogue.record import NamedModel
from shapeplan.architectures.catalogue.series import Size, series

_NANOGPT = {"positions": 1024, "qkv_bias": False, "out_bias": False, "mlp_bias": False, "norm": "layernorm_nobias"}


def _gpt2(positions: int) -> dict[str, object]:
    return {"vocab": 50257, "seq": positions, "positions": positions, "tied": True}


def _pythia(size: str, width: int, depth: int, heads: int, vocab: int = 50304) -> Size:
    name = f"pythia-{size}"
    return Size(name, width, depth, 4 * width, heads, aliases=f"{name}-deduped", own={"vocab": vocab})


def _opt(size: str, width: int, depth: int, heads: int) -> Size:
    return Size(f"opt-{size}", width, depth, 4 * width, heads)


def _bloom(size: str, width: int, depth: int, heads: int, *aliases: str) -> Size:
    return Size(f"bloom-{size}", width, depth, 4 * width, heads, aliases=" ".join((f"bloomz-{size}", *aliases)))


GPTS: tuple[NamedModel, ...] = (
    *series(
        "gpt2",
        "Radford et al. 2019; openai-community/gpt2 config.json",
        _gpt2(1024),
        Size("gpt2-small", 768, 12, 3072, 12, aliases="gpt2 gpt2-124m"),
        Size("gpt2-medium", 1024, 24, 4096, 16),
        Size("gpt2-large", 1280, 36, 5120, 20),
        Size("gpt2-xl", 1600, 48, 6400, 25),
    ),
    *series(
        "gpt2",
        "arXiv:1910.01108; distilbert/distilgpt2 config.json",
        _gpt2(1024),
        Size("distilgpt2", 768, 6, 3072, 12),
    ),
    *series(
        "gpt2",
        "karpathy/nanoGPT, config/train_gpt2.py and train_shakespeare_char.py: no biases",
        {**_NANOGPT, "seq": 1024, "tied": True},
        Size("nanogpt-124m", 768, 12, 3072, 12, aliases="nanogpt-gpt2", own={"vocab": 50304}),
        Size("nanogpt-shakespeare-char", 384, 6, 1536, 6, own={"vocab": 65, "seq": 256, "positions": 256}),
    ),
    *series(
        "gpt2",
        "arXiv:2005.14165, Table 2.1; vocabulary of GPT-2",
        _gpt2(2048),
        Size("gpt3-125m", 768, 12, 3072, 12),
        Size("gpt3-350m", 1024, 24, 4096, 16),
        Size("gpt3-760m", 1536, 24, 6144, 16),
        Size("gpt3-2.7b", 2560, 32, 10240, 32),
        Size("gpt3-6.7b", 4096, 32, 16384, 32),
        Size("gpt3-175b", 12288, 96, 49152, 96, aliases="gpt3"),
    ),
    *series(
        "gpt_neo",
        "EleutherAI/gpt-neo config.json",
        _gpt2(2048),
        Size("gpt-neo-125m", 768, 12, 3072, 12),
        Size("gpt-neo-1.3b", 2048, 24, 8192, 16),
        Size("gpt-neo-2.7b", 2560, 32, 10240, 20),
    ),
    *series(
        "gptj",
        "kingoflolz/mesh-transformer-jax; EleutherAI/gpt-j-6b config.json",
        {"vocab": 50400, "seq": 2048},
        Size("gpt-j-6b", 4096, 28, 16384, 16),
    ),
    *series(
        "gpt_neox",
        "arXiv:2304.01373; EleutherAI/pythia config.json",
        {"seq": 2048},
        _pythia("14m", 128, 6, 4),
        _pythia("31m", 256, 6, 8),
        _pythia("70m", 512, 6, 8),
        _pythia("160m", 768, 12, 12),
        _pythia("410m", 1024, 24, 16),
        _pythia("1b", 2048, 16, 8),
        _pythia("1.4b", 2048, 24, 16),
        _pythia("2.8b", 2560, 32, 32),
        _pythia("6.9b", 4096, 32, 32, 50432),
        _pythia("12b", 5120, 36, 40, 50688),
    ),
    *series(
        "gpt_neox",
        "arXiv:2204.06745; EleutherAI/gpt-neox configs/20B.yml",
        {"vocab": 50432, "seq": 2048},
        Size("gpt-neox-20b", 6144, 44, 24576, 64),
    ),
    *series(
        "opt",
        "arXiv:2205.01068, Table 1; facebook/opt config.json",
        {"vocab": 50272, "seq": 2048, "positions": 2050, "tied": True},
        _opt("125m", 768, 12, 12),
        _opt("1.3b", 2048, 24, 32),
        _opt("2.7b", 2560, 32, 32),
        _opt("6.7b", 4096, 32, 32),
        _opt("13b", 5120, 40, 40),
        _opt("30b", 7168, 48, 56),
        _opt("66b", 9216, 64, 72),
    ),
    *series(
        "bloom",
        "arXiv:2211.05100, Table 3; bigscience/bloom config.json",
        {"vocab": 250880, "seq": 2048, "tied": True},
        _bloom("560m", 1024, 24, 16),
        _bloom("1b1", 1536, 24, 16, "bloom-1.1b"),
        _bloom("1b7", 2048, 24, 16, "bloom-1.7b"),
        _bloom("3b", 2560, 30, 32),
        _bloom("7b1", 4096, 30, 32, "bloom-7.1b"),
        _bloom("176b", 14336, 70, 112, "bloom", "bloomz"),
    ),
    *series(
        "falcon",
        "arXiv:2311.16867; tiiuae/falcon config.json",
        {"vocab": 65024, "seq": 2048, "tied": True},
        Size("falcon-7b", 4544, 32, 18176, 71, 1),
        Size("falcon-40b", 8192, 60, 32768, 128, 8, own={"block_norms": 2}),
        Size("falcon-180b", 14848, 80, 59392, 232, 8, own={"block_norms": 2}),
    ),
    *series(
        "mpt",
        "mosaicml/mpt config.json",
        {"vocab": 50432, "seq": 2048, "tied": True},
        Size("mpt-7b", 4096, 32, 16384, 32),
        Size("mpt-30b", 7168, 48, 28672, 64),
    ),
    *series(
        "gpt_bigcode",
        "arXiv:2301.03988; bigcode/gpt_bigcode-santacoder config.json",
        {"vocab": 49280, "seq": 2048, "positions": 2048, "tied": True},
        Size("santacoder-1.1b", 2048, 24, 8192, 16, 1, "santacoder gpt_bigcode-santacoder"),
    ),
    *series(
        "gpt_bigcode",
        "arXiv:2305.06161; bigcode/starcoder config.json",
        {"vocab": 49152, "seq": 8192, "positions": 8192, "tied": True},
        Size("starcoderbase-1b", 2048, 24, 8192, 16, 1, "starcoder-1b"),
        Size("starcoderbase-3b", 2816, 36, 11264, 22, 1, "starcoder-3b"),
        Size("starcoderbase-7b", 4096, 42, 16384, 32, 1, "starcoder-7b"),
        Size("starcoder-15b", 6144, 40, 24576, 48, 1, "starcoder starcoderbase starcoderplus starcoderbase-15b"),
    ),
    *series(
        "starcoder2",
        "arXiv:2402.19173; bigcode/starcoder2 config.json",
        {"vocab": 49152, "seq": 4096, "tied": True},
        Size("starcoder2-3b", 3072, 30, 12288, 24, 2),
        Size("starcoder2-7b", 4608, 32, 18432, 36, 4),
        Size("starcoder2-15b", 6144, 40, 24576, 48, 4, "starcoder2-15b-instruct-v0.1", {"tied": False}),
    ),
    *series(
        "phi",
        "arXiv:2306.11644, arXiv:2309.05463; microsoft/phi config.json",
        {"vocab": 51200, "seq": 2048},
        Size("phi-1", 2048, 24, 8192, 32),
        Size("phi-1.5", 2048, 24, 8192, 32),
        Size("phi-2", 2560, 32, 10240, 32, aliases="phi-2-2.7b"),
    ),
    *series(
        "stablelm",
        "arXiv:2402.17834; stabilityai/stablelm config.json",
        {"seq": 4096},
        Size(
            *("stablelm-3b-4e1t", 2560, 32, 6912, 32, 32, "stablelm-3b stablelm-zephyr-3b stable-code-3b"),
            {"vocab": 50304},
        ),
        Size(
            *("stablelm-2-1.6b", 2048, 24, 5632, 32, 32, "stablelm2-1.6b stablelm-2-zephyr-1.6b"),
            {"vocab": 100352, "qkv_bias": True},
        ),
    ),
    *series(
        "cohere",
        "model cards; CohereLabs/c4ai-command-r config.json",
        {"vocab": 256000, "seq": 8192, "tied": True, "head_dim": 128},
        Size("command-r-35b", 8192, 40, 22528, 64, aliases="c4ai-command-r-v01 command-r-v01"),
        Size("command-r-08-2024", 8192, 40, 24576, 64, 8, "c4ai-command-r-08-2024"),
        Size(
            *("command-r-plus-104b", 12288, 64, 33792, 96, 8),
            "command-r-plus c4ai-command-r-plus command-r-plus-08-2024 c4ai-command-r-plus-08-2024",
            {"qk_norm": "full"},
        ),
        Size("aya-23-8b", 4096, 32, 14336, 32, 8),
        Size("aya-23-35b", 8192, 40, 22528, 64),
        Size("aya-expanse-8b", 4096, 32, 14336, 32, 8),
        Size("aya-expanse-32b", 8192, 40, 24576, 64, 8),
    ),
    *series(
        "cohere2",
        "arXiv:2504.00698; CohereLabs/c4ai-command config.json",
        {"vocab": 256000, "seq": 8192, "tied": True, "head_dim": 128},
        Size("command-r7b", 4096, 32, 14336, 32, 8, "command-r7b-12-2024 c4ai-command-r7b-12-2024 command-r7b-7b"),
        Size("command-a-111b", 12288, 64, 36864, 96, 8, "command-a command-a-03-2025 c4ai-command-a-03-2025"),
    ),
)
"""Sequence lengths are those of pre-training, before any extension of the context, where they are published."""

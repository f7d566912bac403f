"""Decoder language models by name, as their configurations were released."""

from __future__ import annotations

from shapeplan.architectures.catalogue.record import NamedModel

_GPT2 = "Radford et al. 2019; openai-community/gpt2 config.json"
_GPT3 = "arXiv:2005.14165, Table 2.1; vocabulary of GPT-2"
_PYTHIA = "arXiv:2304.01373; EleutherAI/pythia config.json"
_NEOX = "arXiv:2204.06745; EleutherAI/gpt-neox configs/20B.yml"
_LLAMA1 = "arXiv:2302.13971, Table 2"
_LLAMA2 = "arXiv:2307.09288; meta-llama/Llama-2 config.json"
_LLAMA3 = "arXiv:2407.21783, Table 3; meta-llama/Llama-3 config.json"
_LLAMA32 = "model card; meta-llama/Llama-3.2 config.json"
_TINYLLAMA = "arXiv:2401.02385; TinyLlama/TinyLlama-1.1B config.json"
_SMOLLM2 = "arXiv:2502.02737; HuggingFaceTB/SmolLM2 config.json"
_MISTRAL = "arXiv:2310.06825, Table 1; mistralai/Mistral-7B-v0.1 config.json"
_MISTRAL3 = "model card; mistralai/Mistral-7B-v0.3 config.json"
_NEMO = "model card; mistralai/Mistral-Nemo-Base-2407 config.json"
_GEMMA = "arXiv:2403.08295; google/gemma config.json"
_GEMMA2 = "arXiv:2408.00118; google/gemma-2 config.json"
_GEMMA3 = "arXiv:2503.19786; google/gemma-3 text_config, language model only"
_QWEN25 = "arXiv:2412.15115; Qwen/Qwen2.5 config.json"
_QWEN3 = "arXiv:2505.09388; Qwen/Qwen3 config.json"
_OLMO = "arXiv:2402.00838; allenai/OLMo config.json"
_OLMO2 = "arXiv:2501.00656; allenai/OLMo-2 config.json"


def _decoder(
    name: str,
    family: str,
    shape: tuple[int, int, int],
    heads: tuple[int, int, int],
    vocab: int,
    seq: int,
    tied: bool,
    source: str,
    *aliases: str,
) -> NamedModel:
    """Return a record from (width, depth, mlp_dim) and (heads, kv_heads, head_dim)."""
    settings: dict[str, object] = dict(zip(("width", "depth", "mlp_dim"), shape, strict=True))
    settings |= {"heads": heads[0], "vocab": vocab, "seq": seq, "tied": tied}
    # What follows from the rest is left out, so that a model may be changed in one thing and still be one.
    if heads[1] != heads[0]:
        settings["kv_heads"] = heads[1]
    if heads[0] * heads[2] != shape[0]:
        settings["head_dim"] = heads[2]
    if family == "gpt2":
        settings["positions"] = seq
    return NamedModel(name, family, settings, source, aliases)


DECODERS: tuple[NamedModel, ...] = (
    _decoder("gpt2-small", "gpt2", (768, 12, 3072), (12, 12, 64), 50257, 1024, True, _GPT2, "gpt2"),
    _decoder("gpt2-medium", "gpt2", (1024, 24, 4096), (16, 16, 64), 50257, 1024, True, _GPT2),
    _decoder("gpt2-large", "gpt2", (1280, 36, 5120), (20, 20, 64), 50257, 1024, True, _GPT2),
    _decoder("gpt2-xl", "gpt2", (1600, 48, 6400), (25, 25, 64), 50257, 1024, True, _GPT2),
    _decoder("gpt3-175b", "gpt2", (12288, 96, 49152), (96, 96, 128), 50257, 2048, True, _GPT3, "gpt3"),
    _decoder("pythia-14m", "gpt_neox", (128, 6, 512), (4, 4, 32), 50304, 2048, False, _PYTHIA),
    _decoder("pythia-31m", "gpt_neox", (256, 6, 1024), (8, 8, 32), 50304, 2048, False, _PYTHIA),
    _decoder("pythia-70m", "gpt_neox", (512, 6, 2048), (8, 8, 64), 50304, 2048, False, _PYTHIA),
    _decoder("pythia-160m", "gpt_neox", (768, 12, 3072), (12, 12, 64), 50304, 2048, False, _PYTHIA),
    _decoder("pythia-410m", "gpt_neox", (1024, 24, 4096), (16, 16, 64), 50304, 2048, False, _PYTHIA),
    _decoder("pythia-1b", "gpt_neox", (2048, 16, 8192), (8, 8, 256), 50304, 2048, False, _PYTHIA),
    _decoder("pythia-1.4b", "gpt_neox", (2048, 24, 8192), (16, 16, 128), 50304, 2048, False, _PYTHIA),
    _decoder("pythia-2.8b", "gpt_neox", (2560, 32, 10240), (32, 32, 80), 50304, 2048, False, _PYTHIA),
    _decoder("pythia-6.9b", "gpt_neox", (4096, 32, 16384), (32, 32, 128), 50432, 2048, False, _PYTHIA),
    _decoder("pythia-12b", "gpt_neox", (5120, 36, 20480), (40, 40, 128), 50688, 2048, False, _PYTHIA),
    _decoder("gpt-neox-20b", "gpt_neox", (6144, 44, 24576), (64, 64, 96), 50432, 2048, False, _NEOX),
    _decoder("llama-7b", "llama", (4096, 32, 11008), (32, 32, 128), 32000, 2048, False, _LLAMA1, "llama-1-7b"),
    _decoder("llama-13b", "llama", (5120, 40, 13824), (40, 40, 128), 32000, 2048, False, _LLAMA1, "llama-1-13b"),
    _decoder("llama-30b", "llama", (6656, 60, 17920), (52, 52, 128), 32000, 2048, False, _LLAMA1, "llama-33b"),
    _decoder("llama-65b", "llama", (8192, 80, 22016), (64, 64, 128), 32000, 2048, False, _LLAMA1, "llama-1-65b"),
    _decoder("llama-2-7b", "llama", (4096, 32, 11008), (32, 32, 128), 32000, 4096, False, _LLAMA2),
    _decoder("llama-2-13b", "llama", (5120, 40, 13824), (40, 40, 128), 32000, 4096, False, _LLAMA2),
    _decoder("llama-2-70b", "llama", (8192, 80, 28672), (64, 8, 128), 32000, 4096, False, _LLAMA2),
    _decoder(
        "llama-3-8b",
        "llama",
        (4096, 32, 14336),
        (32, 8, 128),
        128256,
        8192,
        False,
        _LLAMA3,
        "meta-llama-3-8b",
        "llama-3.1-8b",
        "meta-llama-3.1-8b",
    ),
    _decoder(
        "llama-3-70b",
        "llama",
        (8192, 80, 28672),
        (64, 8, 128),
        128256,
        8192,
        False,
        _LLAMA3,
        "meta-llama-3-70b",
        "llama-3.1-70b",
        "llama-3.3-70b",
        "meta-llama-3.1-70b",
    ),
    _decoder(
        "llama-3.1-405b",
        "llama",
        (16384, 126, 53248),
        (128, 8, 128),
        128256,
        8192,
        False,
        _LLAMA3,
        "llama-3-405b",
        "meta-llama-3.1-405b",
    ),
    _decoder("llama-3.2-1b", "llama", (2048, 16, 8192), (32, 8, 64), 128256, 8192, True, _LLAMA32),
    _decoder("llama-3.2-3b", "llama", (3072, 28, 8192), (24, 8, 128), 128256, 8192, True, _LLAMA32),
    _decoder(
        "tinyllama-1.1b",
        "llama",
        (2048, 22, 5632),
        (32, 4, 64),
        32000,
        2048,
        False,
        _TINYLLAMA,
        "tinyllama",
        "tinyllama-1.1b-v1.0",
    ),
    _decoder("smollm2-135m", "llama", (576, 30, 1536), (9, 3, 64), 49152, 2048, True, _SMOLLM2),
    _decoder("smollm2-360m", "llama", (960, 32, 2560), (15, 5, 64), 49152, 2048, True, _SMOLLM2),
    _decoder("smollm2-1.7b", "llama", (2048, 24, 8192), (32, 32, 64), 49152, 2048, True, _SMOLLM2),
    _decoder("mistral-7b-v0.1", "mistral", (4096, 32, 14336), (32, 8, 128), 32000, 8192, False, _MISTRAL, "mistral-7b"),
    _decoder("mistral-7b-v0.3", "mistral", (4096, 32, 14336), (32, 8, 128), 32768, 32768, False, _MISTRAL3),
    _decoder(
        "mistral-nemo-12b",
        "mistral",
        (5120, 40, 14336),
        (32, 8, 128),
        131072,
        131072,
        False,
        _NEMO,
        "mistral-nemo",
        "mistral-nemo-base-2407",
    ),
    _decoder("gemma-2b", "gemma", (2048, 18, 16384), (8, 1, 256), 256000, 8192, True, _GEMMA, "gemma-1-2b"),
    _decoder("gemma-7b", "gemma", (3072, 28, 24576), (16, 16, 256), 256000, 8192, True, _GEMMA, "gemma-1-7b"),
    _decoder("gemma-2-2b", "gemma2", (2304, 26, 9216), (8, 4, 256), 256000, 8192, True, _GEMMA2),
    _decoder("gemma-2-9b", "gemma2", (3584, 42, 14336), (16, 8, 256), 256000, 8192, True, _GEMMA2),
    _decoder("gemma-2-27b", "gemma2", (4608, 46, 36864), (32, 16, 128), 256000, 8192, True, _GEMMA2),
    _decoder("gemma-3-270m", "gemma3", (640, 18, 2048), (4, 1, 256), 262144, 32768, True, _GEMMA3),
    _decoder("gemma-3-1b", "gemma3", (1152, 26, 6912), (4, 1, 256), 262144, 32768, True, _GEMMA3),
    _decoder("gemma-3-4b", "gemma3", (2560, 34, 10240), (8, 4, 256), 262208, 32768, True, _GEMMA3),
    _decoder("gemma-3-12b", "gemma3", (3840, 48, 15360), (16, 8, 256), 262208, 32768, True, _GEMMA3),
    _decoder("gemma-3-27b", "gemma3", (5376, 62, 21504), (32, 16, 128), 262208, 32768, True, _GEMMA3),
    _decoder("qwen2.5-0.5b", "qwen2", (896, 24, 4864), (14, 2, 64), 151936, 4096, True, _QWEN25),
    _decoder("qwen2.5-1.5b", "qwen2", (1536, 28, 8960), (12, 2, 128), 151936, 4096, True, _QWEN25),
    _decoder("qwen2.5-3b", "qwen2", (2048, 36, 11008), (16, 2, 128), 151936, 4096, True, _QWEN25),
    _decoder("qwen2.5-7b", "qwen2", (3584, 28, 18944), (28, 4, 128), 152064, 4096, False, _QWEN25),
    _decoder("qwen2.5-14b", "qwen2", (5120, 48, 13824), (40, 8, 128), 152064, 4096, False, _QWEN25),
    _decoder("qwen2.5-32b", "qwen2", (5120, 64, 27648), (40, 8, 128), 152064, 4096, False, _QWEN25),
    _decoder("qwen2.5-72b", "qwen2", (8192, 80, 29568), (64, 8, 128), 152064, 4096, False, _QWEN25),
    _decoder("qwen3-0.6b", "qwen3", (1024, 28, 3072), (16, 8, 128), 151936, 4096, True, _QWEN3),
    _decoder("qwen3-1.7b", "qwen3", (2048, 28, 6144), (16, 8, 128), 151936, 4096, True, _QWEN3),
    _decoder("qwen3-4b", "qwen3", (2560, 36, 9728), (32, 8, 128), 151936, 4096, True, _QWEN3),
    _decoder("qwen3-8b", "qwen3", (4096, 36, 12288), (32, 8, 128), 151936, 4096, False, _QWEN3),
    _decoder("qwen3-14b", "qwen3", (5120, 40, 17408), (40, 8, 128), 151936, 4096, False, _QWEN3),
    _decoder("qwen3-32b", "qwen3", (5120, 64, 25600), (64, 8, 128), 151936, 4096, False, _QWEN3),
    _decoder("olmo-1b", "olmo", (2048, 16, 8192), (16, 16, 128), 50304, 2048, True, _OLMO),
    _decoder("olmo-7b", "olmo", (4096, 32, 11008), (32, 32, 128), 50304, 2048, False, _OLMO),
    _decoder(
        "olmo-2-1b", "olmo2", (2048, 16, 8192), (16, 16, 128), 100352, 4096, False, _OLMO2, "olmo2-1b", "olmo-2-0425-1b"
    ),
    _decoder(
        "olmo-2-7b",
        "olmo2",
        (4096, 32, 11008),
        (32, 32, 128),
        100352,
        4096,
        False,
        _OLMO2,
        "olmo2-7b",
        "olmo-2-1124-7b",
    ),
    _decoder(
        "olmo-2-13b",
        "olmo2",
        (5120, 40, 13824),
        (40, 40, 128),
        100352,
        4096,
        False,
        _OLMO2,
        "olmo2-13b",
        "olmo-2-1124-13b",
    ),
    _decoder(
        "olmo-2-32b",
        "olmo2",
        (5120, 64, 27648),
        (40, 8, 128),
        100352,
        4096,
        False,
        _OLMO2,
        "olmo2-32b",
        "olmo-2-0325-32b",
    ),
)
"""Sequence lengths are those of pre-training, before any extension of the context."""

"""Decoders with RMSNorm and gated MLPs by name, as their configurations were released: Llama and its kin."""

from __future__ import annotations

from shapeplan.architectures.catalogue.record import NamedModel
from shapeplan.architectures.catalogue.series import Size, series

_TEXT_ALONE = "the language model alone; its vision tower is not counted"
_MISTRAL = {"vocab": 131072, "seq": 32768, "head_dim": 128}

_LLAMAS: tuple[NamedModel, ...] = (
    *series(
        "llama",
        "arXiv:2302.13971, Table 2",
        {"vocab": 32000, "seq": 2048},
        Size("llama-7b", 4096, 32, 11008, 32, aliases="llama-1-7b open-llama-7b open-llama-7b-v2"),
        Size("llama-13b", 5120, 40, 13824, 40, aliases="llama-1-13b open-llama-13b"),
        Size("llama-30b", 6656, 60, 17920, 52, aliases="llama-33b llama-1-30b llama-1-33b"),
        Size("llama-65b", 8192, 80, 22016, 64, aliases="llama-1-65b"),
    ),
    *series(
        "llama",
        "arXiv:2307.09288; meta-llama/Llama-2 config.json",
        {"vocab": 32000, "seq": 4096},
        Size("llama-2-7b", 4096, 32, 11008, 32, aliases="vicuna-7b-v1.5"),
        Size("llama-2-13b", 5120, 40, 13824, 40, aliases="vicuna-13b-v1.5"),
        Size("llama-2-70b", 8192, 80, 28672, 64, 8),
    ),
    *series(
        "llama",
        "arXiv:2308.12950; codellama/CodeLlama config.json",
        {"vocab": 32016, "seq": 16384},
        Size("codellama-7b", 4096, 32, 11008, 32),
        Size("codellama-13b", 5120, 40, 13824, 40),
        Size("codellama-34b", 8192, 48, 22016, 64, 8, "codellama-34b-python", {"vocab": 32000}),
        Size("codellama-70b", 8192, 80, 28672, 64, 8, "codellama-70b-python"),
        Size("codellama-7b-python", 4096, 32, 11008, 32, own={"vocab": 32000}),
        Size("codellama-13b-python", 5120, 40, 13824, 40, own={"vocab": 32000}),
    ),
    *series(
        "llama",
        "arXiv:2407.21783, Table 3; meta-llama/Llama-3 config.json",
        {"vocab": 128256, "seq": 8192},
        Size("llama-3-8b", 4096, 32, 14336, 32, 8, "meta-llama-3-8b llama-3.1-8b meta-llama-3.1-8b"),
        Size(
            *("llama-3-70b", 8192, 80, 28672, 64, 8),
            "meta-llama-3-70b llama-3.1-70b llama-3.3-70b meta-llama-3.1-70b llama-3.1-nemotron-70b",
        ),
        Size("llama-3.1-405b", 16384, 126, 53248, 128, 8, "llama-3-405b meta-llama-3.1-405b"),
    ),
    *series(
        "llama",
        "model card; meta-llama/Llama-3.2 config.json",
        {"vocab": 128256, "seq": 8192, "tied": True, "head_dim": 128},
        Size("llama-3.2-1b", 2048, 16, 8192, 32, 8, own={"head_dim": 64}),
        Size("llama-3.2-3b", 3072, 28, 8192, 24, 8),
    ),
    *series(
        "llama",
        "arXiv:2501.12948; deepseek-ai/DeepSeek-R1-Distill config.json",
        {"vocab": 128256, "seq": 8192},
        Size("deepseek-r1-distill-llama-8b", 4096, 32, 14336, 32, 8, "r1-distill-llama-8b"),
        Size("deepseek-r1-distill-llama-70b", 8192, 80, 28672, 64, 8, "r1-distill-llama-70b deepseek-r1-70b"),
    ),
    *series(
        "llama",
        "arXiv:2401.02385; TinyLlama/TinyLlama-1.1B config.json",
        {"vocab": 32000, "seq": 2048},
        Size("tinyllama-1.1b", 2048, 22, 5632, 32, 4, "tinyllama tinyllama-1.1b-v1.0"),
    ),
    *series(
        "llama",
        "openlm-research/open_llama_3b config.json",
        {"vocab": 32000, "seq": 2048},
        Size("open-llama-3b", 3200, 26, 8640, 32, aliases="open-llama-3b-v2"),
    ),
    *series(
        "llama",
        "arXiv:2502.02737; HuggingFaceTB/SmolLM2 config.json",
        {"vocab": 49152, "seq": 2048, "tied": True},
        Size("smollm2-135m", 576, 30, 1536, 9, 3, "smollm-135m"),
        Size("smollm2-360m", 960, 32, 2560, 15, 5, "smollm-360m"),
        Size("smollm2-1.7b", 2048, 24, 8192, 32, aliases="smollm-1.7b"),
    ),
    *series(
        "smollm3",
        "HuggingFaceTB/SmolLM3-3B config.json",
        {"vocab": 128256, "seq": 4096, "tied": True},
        Size("smollm3-3b", 2048, 36, 11008, 16, 4, "smollm3"),
    ),
    *series(
        "llama",
        "arXiv:2403.04652; 01-ai/Yi config.json",
        {"vocab": 64000, "seq": 4096},
        Size("yi-6b", 4096, 32, 11008, 32, 4, "yi-1.5-6b yi-6b-200k"),
        Size("yi-9b", 4096, 48, 11008, 32, 4, "yi-1.5-9b yi-9b-200k yi-coder-9b"),
        Size("yi-34b", 7168, 60, 20480, 56, 8, "yi-1.5-34b yi-34b-200k"),
    ),
    *series(
        "llama",
        "arXiv:2401.02954; deepseek-ai/deepseek-llm config.json",
        {"vocab": 102400, "seq": 4096},
        Size("deepseek-llm-7b", 4096, 30, 11008, 32, aliases="deepseek-math-7b deepseek-coder-7b-v1.5"),
        Size("deepseek-llm-67b", 8192, 95, 22016, 64, 8),
    ),
    *series(
        "llama",
        "arXiv:2401.14196; deepseek-ai/deepseek-coder config.json",
        {"vocab": 32256, "seq": 4096},
        Size("deepseek-coder-1.3b", 2048, 24, 5504, 16),
        Size("deepseek-coder-6.7b", 4096, 32, 11008, 32),
        Size("deepseek-coder-33b", 7168, 62, 19200, 56, 8),
    ),
    *series(
        "llama",
        "arXiv:2309.10305; baichuan-inc/Baichuan2 config.json",
        {"vocab": 125696, "seq": 4096},
        Size("baichuan2-7b", 4096, 32, 11008, 32, aliases="baichuan-2-7b"),
        Size("baichuan2-13b", 5120, 40, 13696, 40, aliases="baichuan-2-13b"),
    ),
    *series(
        "llama",
        "tiiuae/Falcon3 config.json",
        {"vocab": 131072, "seq": 4096, "head_dim": 256},
        Size("falcon3-1b", 2048, 18, 8192, 8, 4),
        Size("falcon3-3b", 3072, 22, 9216, 12, 4),
        Size("falcon3-10b", 3072, 40, 23040, 12, 4),
    ),
    *series(
        "internlm2",
        "arXiv:2403.17297; internlm/internlm2 config.json",
        {"vocab": 92544, "seq": 4096},
        Size("internlm2-1.8b", 2048, 24, 8192, 16, 8, "internlm2.5-1.8b"),
        Size("internlm2-7b", 4096, 32, 14336, 32, 8, "internlm2.5-7b"),
        Size("internlm2-20b", 6144, 48, 16384, 48, 8, "internlm2.5-20b"),
    ),
    *series(
        "internlm3",
        "internlm/internlm3-8b-instruct config.json",
        {"vocab": 128512, "seq": 4096},
        Size("internlm3-8b", 4096, 48, 10240, 32, 2),
    ),
    *series(
        "granite",
        "ibm-granite/granite-3 config.json",
        {"vocab": 49155, "seq": 4096, "tied": True},
        Size("granite-3.0-2b", 2048, 40, 8192, 32, 8, "granite-3.1-2b"),
        Size("granite-3.0-8b", 4096, 40, 12800, 32, 8, "granite-3.1-8b"),
        Size("granite-3.3-2b-instruct", 2048, 40, 8192, 32, 8, own={"vocab": 49159}),
        Size("granite-3.3-8b-instruct", 4096, 40, 12800, 32, 8, own={"vocab": 49159}),
    ),
    *series(
        "exaone",
        "arXiv:2412.04862; LGAI-EXAONE/EXAONE-3.5 config.json",
        {"vocab": 102400, "seq": 4096},
        Size("exaone-3.5-2.4b", 2560, 30, 7168, 32, 8, "exaone-deep-2.4b", {"tied": True}),
        Size("exaone-3.5-7.8b", 4096, 32, 14336, 32, 8, "exaone-deep-7.8b exaone-3.0-7.8b"),
        Size("exaone-3.5-32b", 5120, 64, 27392, 40, 8, "exaone-deep-32b"),
    ),
    *series(
        "exaone4",
        "arXiv:2507.11407; LGAI-EXAONE/EXAONE-4.0 config.json",
        {"vocab": 102400, "seq": 4096},
        Size("exaone-4.0-1.2b", 2048, 30, 4096, 32, 8, own={"tied": True}),
        Size("exaone-4.0-32b", 5120, 64, 27392, 40, 8),
    ),
    *series(
        "phi3",
        "arXiv:2404.14219; microsoft/Phi-3 config.json",
        {"vocab": 32064, "seq": 4096},
        Size(
            *("phi-3-mini", 3072, 32, 8192, 32, 32),
            "phi-3-mini-4k phi-3-mini-128k phi-3.5-mini phi-3-3.8b phi-3-mini-3.8b phi-3.5-3.8b",
        ),
        Size("phi-3-medium", 5120, 40, 17920, 40, 10, "phi-3-medium-4k phi-3-medium-128k phi-3-14b phi-3-medium-14b"),
    ),
    *series(
        "phi3",
        "arXiv:2412.08905, arXiv:2503.01743; microsoft/phi-4 config.json",
        {"vocab": 100352, "seq": 4096},
        Size("phi-4", 5120, 40, 17920, 40, 10, "phi-4-14b phi-4-reasoning phi-4-reasoning-plus"),
        Size(
            *("phi-4-mini", 3072, 32, 8192, 24, 8, "phi-4-mini-3.8b phi-4-mini-reasoning"),
            {"vocab": 200064, "tied": True},
        ),
    ),
    *series(
        "minicpm3",
        "openbmb/MiniCPM3-4B config.json",
        {"vocab": 73448, "seq": 4096, "tied": True, "q_lora_rank": 768, "kv_lora_rank": 256}
        | {"qk_nope_head_dim": 64, "qk_rope_head_dim": 32, "v_head_dim": 64},
        Size("minicpm3-4b", 2560, 62, 6400, 40),
    ),
    *series(
        "apertus",
        "arXiv:2509.14233; swiss-ai/Apertus config.json",
        {"vocab": 131072, "seq": 4096},
        Size("apertus-8b", 4096, 32, 21504, 32, 8, "apertus-8b-2509"),
        Size("apertus-70b", 8192, 80, 43008, 64, 8, "apertus-70b-2509"),
    ),
    *series(
        "seed_oss",
        "ByteDance-Seed/Seed-OSS-36B config.json",
        {"vocab": 155136, "seq": 4096, "head_dim": 128},
        Size("seed-oss-36b", 5120, 64, 27648, 80, 8),
    ),
    *series(
        "ernie4_5",
        "baidu/ERNIE-4.5-0.3B-PT config.json",
        {"vocab": 103424, "seq": 4096, "tied": True, "head_dim": 128},
        Size("ernie-4.5-0.3b", 1024, 18, 3072, 16, 2),
    ),
    *series(
        "glm",
        "arXiv:2406.12793; zai-org/glm-4-9b-hf config.json",
        {"vocab": 151552, "seq": 8192},
        Size("glm-4-9b", 4096, 40, 13696, 32, 2),
    ),
    *series(
        "glm4",
        "zai-org/GLM-4-9B-0414 config.json",
        {"vocab": 151552, "seq": 8192},
        Size("glm-4-9b-0414", 4096, 40, 13696, 32, 2, "glm-z1-9b-0414"),
    ),
)

_MISTRALS: tuple[NamedModel, ...] = (
    *series(
        "mistral",
        "arXiv:2310.06825, Table 1; mistralai/Mistral-7B-v0.1 config.json",
        {"vocab": 32000, "seq": 8192},
        Size("mistral-7b-v0.1", 4096, 32, 14336, 32, 8, "mistral-7b mistral-7b-v0.2 zephyr-7b-beta zephyr-7b-alpha"),
    ),
    *series(
        "mistral",
        "model cards; mistralai config.json",
        {"vocab": 32768, "seq": 32768, "head_dim": 128},
        Size("mistral-7b-v0.3", 4096, 32, 14336, 32, 8, "mathstral-7b-v0.1 mathstral-7b"),
        Size("codestral-22b", 6144, 56, 16384, 48, 8, "codestral-22b-v0.1"),
        Size("mistral-small-22b", 6144, 56, 16384, 48, 8, "mistral-small-2409 mistral-small-22b-2409"),
        Size("mistral-large-123b", 12288, 88, 28672, 96, 8, "mistral-large-2407 mistral-large-2411"),
    ),
    *series(
        "mistral",
        "model cards; mistralai config.json",
        _MISTRAL,
        Size(
            *("mistral-nemo-12b", 5120, 40, 14336, 32, 8),
            "mistral-nemo mistral-nemo-base-2407 mistral-nemo-2407 mistral-nemo-12b-2407",
            {"seq": 131072},
        ),
        Size("ministral-8b", 4096, 36, 12288, 32, 8, "ministral-8b-2410"),
        Size("mistral-small-24b", 5120, 40, 32768, 32, 8, "mistral-small-24b-2501 mistral-small-2501"),
        Size("magistral-small-24b", 5120, 40, 32768, 32, 8, "magistral-small-2506 magistral-small-2507 magistral-24b"),
        Size("devstral-small-24b", 5120, 40, 32768, 32, 8, "devstral-small-2505 devstral-small-2507 devstral-24b"),
        Size(
            *("mistral-small-3.1-24b", 5120, 40, 32768, 32, 8),
            "mistral-small-3.1-24b-2503 mistral-small-3.2-24b mistral-small-3.2-24b-2506",
            note=_TEXT_ALONE,
        ),
    ),
    *series(
        "ministral3",
        "mistralai/Ministral-3-2512 config.json, text_config",
        _MISTRAL,
        *(
            Size(
                *(f"ministral-3-{size}", width, depth, mlp_dim, 32, 8),
                f"ministral-3-{size}-2512 ministral-3-{size}-reasoning-2512",
                {"tied": tied},
                _TEXT_ALONE,
            )
            for size, width, depth, mlp_dim, tied in (
                ("3b", 3072, 26, 9216, True),
                ("8b", 4096, 34, 14336, False),
                ("14b", 5120, 40, 16384, False),
            )
        ),
    ),
)

_GEMMAS: tuple[NamedModel, ...] = (
    *series(
        "gemma",
        "arXiv:2403.08295; google/gemma config.json",
        {"vocab": 256000, "seq": 8192, "tied": True, "head_dim": 256},
        Size("gemma-2b", 2048, 18, 16384, 8, 1, "gemma-1-2b gemma-1.1-2b codegemma-2b codegemma-1.1-2b"),
        Size("gemma-7b", 3072, 28, 24576, 16, 16, "gemma-1-7b gemma-1.1-7b codegemma-7b codegemma-1.1-7b"),
    ),
    *series(
        "gemma2",
        "arXiv:2408.00118; google/gemma-2 config.json",
        {"vocab": 256000, "seq": 8192, "tied": True, "head_dim": 256},
        Size("gemma-2-2b", 2304, 26, 9216, 8, 4),
        Size("gemma-2-9b", 3584, 42, 14336, 16, 8),
        Size("gemma-2-27b", 4608, 46, 36864, 32, 16, own={"head_dim": 128}),
    ),
    *series(
        "gemma3",
        "arXiv:2503.19786; google/gemma-3 text_config, language model only",
        {"vocab": 262208, "seq": 32768, "tied": True, "head_dim": 256},
        Size("gemma-3-270m", 640, 18, 2048, 4, 1, own={"vocab": 262144}),
        Size("gemma-3-1b", 1152, 26, 6912, 4, 1, own={"vocab": 262144}),
        Size("gemma-3-4b", 2560, 34, 10240, 8, 4, note=_TEXT_ALONE),
        Size("gemma-3-12b", 3840, 48, 15360, 16, 8, note=_TEXT_ALONE),
        Size("gemma-3-27b", 5376, 62, 21504, 32, 16, own={"head_dim": 128}, note=_TEXT_ALONE),
    ),
)

_OLMOS: tuple[NamedModel, ...] = (
    *series(
        "olmo",
        "arXiv:2402.00838; allenai/OLMo config.json",
        {"vocab": 50304, "seq": 2048},
        Size("olmo-1b", 2048, 16, 8192, 16, own={"tied": True}),
        Size("olmo-7b", 4096, 32, 11008, 32, aliases="olmo-7b-0424"),
    ),
    *series(
        "olmo2",
        "arXiv:2501.00656; allenai/OLMo-2 config.json",
        {"vocab": 100352, "seq": 4096},
        Size("olmo-2-1b", 2048, 16, 8192, 16, aliases="olmo2-1b olmo-2-0425-1b"),
        Size("olmo-2-7b", 4096, 32, 11008, 32, aliases="olmo2-7b olmo-2-1124-7b"),
        Size("olmo-2-13b", 5120, 40, 13824, 40, aliases="olmo2-13b olmo-2-1124-13b"),
        Size("olmo-2-32b", 5120, 64, 27648, 40, 8, "olmo2-32b olmo-2-0325-32b"),
    ),
    *series(
        "olmo3",
        "arXiv:2512.13961; allenai/Olmo-3 config.json",
        {"vocab": 100278, "seq": 8192},
        Size("olmo-3-7b", 4096, 32, 11008, 32, aliases="olmo-3-1025-7b olmo-3-7b-think"),
        Size("olmo-3-32b", 5120, 64, 27648, 40, 8, "olmo-3-1125-32b olmo-3-32b-think olmo-3.1-32b olmo-3.1-32b-think"),
    ),
)

LLAMAS: tuple[NamedModel, ...] = (*_LLAMAS, *_MISTRALS, *_GEMMAS, *_OLMOS)
"""Sequence lengths are those of pre-training, before any extension of the context, where they are published."""

"""Mixtures of experts by name, as their configurations were released."""

from __future__ import annotations

from typing import Any

from shapeplan.architectures.catalogue.record import NamedModel
from shapeplan.architectures.catalogue.series import Size, series

_CORRECTION = "checkpoints hold the correction of the router's scores too, which is no parameter"
_FURTHER = "layers that predict further tokens (multi-token prediction) are not counted"
_TEXT_ALONE = "the language model alone; its vision tower is not counted"
_LATENT = {"kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128}
_DEEPSEEK_V3 = {"vocab": 129280, "seq": 4096, "q_lora_rank": 1536, **_LATENT}
_KIMI = {"vocab": 163840, "seq": 4096, **_LATENT}


def _experts(number: int, per_token: int, size: int, **more: Any) -> dict[str, Any]:
    """Return the settings of a mixture, other than those of its dense layers."""
    return {"experts": number, "experts_per_token": per_token, "expert_dim": size, **more}


def _shared(number: int, per_token: int, size: int, shared: int, dense: int) -> dict[str, Any]:
    """Return the settings of a mixture with shared experts behind some dense layers, as DeepSeek has them."""
    return _experts(number, per_token, size, shared_experts=shared, first_dense_layers=dense)


def _both(*notes: str) -> str:
    return "; ".join(notes)


MIXTURES: tuple[NamedModel, ...] = (
    *series(
        "mixtral",
        "arXiv:2401.04088; mistralai/Mixtral config.json",
        {"vocab": 32000, "seq": 32768},
        Size("mixtral-8x7b", 4096, 32, 14336, 32, 8, "mixtral-8x7b-v0.1", _experts(8, 2, 14336)),
        Size("mixtral-8x22b-v0.1", 6144, 56, 16384, 48, 8, "mixtral-8x22b", _experts(8, 2, 16384)),
        Size(
            *("mixtral-8x22b-instruct-v0.1", 6144, 56, 16384, 48, 8, "mixtral-8x22b-instruct"),
            _experts(8, 2, 16384, vocab=32768),
        ),
    ),
    *series(
        "qwen2_moe",
        "arXiv:2407.10671; Qwen/Qwen1.5-MoE and Qwen2 config.json",
        {"vocab": 151936, "seq": 4096, "shared_experts": 1},
        Size(
            *("qwen1.5-moe-a2.7b", 2048, 24, 1408, 16, 16, "qwen1.5-moe"),
            _experts(60, 4, 1408, shared_expert_dim=5632),
        ),
        Size("qwen2-57b-a14b", 3584, 28, 2560, 28, 4, "", _experts(64, 8, 2560, shared_expert_dim=20480)),
    ),
    *series(
        "qwen3_moe",
        "arXiv:2505.09388; Qwen/Qwen3 config.json",
        {"vocab": 151936, "seq": 4096, "head_dim": 128},
        Size(
            *("qwen3-30b-a3b", 2048, 48, 768, 32, 4),
            "qwen3-30b qwen3-30b-a3b-2507 qwen3-30b-a3b-thinking-2507 qwen3-coder-30b-a3b qwen3-coder-30b",
            _experts(128, 8, 768),
        ),
        Size(
            *("qwen3-235b-a22b", 4096, 94, 1536, 64, 4),
            "qwen3-235b qwen3-235b-a22b-2507 qwen3-235b-a22b-thinking-2507",
            _experts(128, 8, 1536),
        ),
        Size("qwen3-coder-480b-a35b", 6144, 62, 2560, 96, 8, "qwen3-coder-480b", _experts(160, 8, 2560)),
    ),
    *series(
        "olmoe",
        "arXiv:2409.02060; allenai/OLMoE-1B-7B-0924 config.json",
        {"vocab": 50304, "seq": 4096},
        Size("olmoe-1b-7b", 2048, 16, 1024, 16, 16, "olmoe-1b-7b-0924 olmoe-1b-7b-0125", _experts(64, 8, 1024)),
    ),
    *series(
        "deepseek",
        "arXiv:2401.06066; deepseek-ai/deepseek-moe-16b-base config.json",
        {"vocab": 102400, "seq": 4096},
        Size("deepseek-moe-16b", 2048, 28, 10944, 16, own=_shared(64, 6, 1408, 2, 1)),
    ),
    *series(
        "deepseek_v2",
        "arXiv:2405.04434; deepseek-ai/DeepSeek-V2 config.json",
        {"vocab": 102400, "seq": 4096, **_LATENT},
        Size(
            *("deepseek-v2-lite", 2048, 27, 10944, 16, 16),
            "deepseek-v2-16b deepseek-coder-v2-lite deepseek-coder-v2-16b",
            _shared(64, 6, 1408, 2, 1),
        ),
        Size(
            *("deepseek-v2", 5120, 60, 12288, 128, 128),
            "deepseek-v2-236b deepseek-v2-0628 deepseek-v2.5 deepseek-v2.5-1210 deepseek-v2.5-236b"
            " deepseek-coder-v2 deepseek-coder-v2-0724 deepseek-coder-v2-236b",
            {**_shared(160, 6, 1536, 2, 1), "q_lora_rank": 1536},
        ),
    ),
    *series(
        "deepseek_v3",
        "arXiv:2412.19437, arXiv:2501.12948; deepseek-ai/DeepSeek-V3 and DeepSeek-R1 config.json",
        {**_DEEPSEEK_V3, **_shared(256, 8, 2048, 1, 3)},
        *(
            Size(name, 7168, 61, 18432, 128, aliases=aliases, note=_both(_CORRECTION, _FURTHER))
            for name, aliases in (
                (
                    "deepseek-v3",
                    "deepseek-v3-0324 deepseek-v3-671b deepseek-v3.1 deepseek-v3.1-671b deepseek-v3.1-terminus",
                ),
                ("deepseek-r1", "deepseek-r1-0528 deepseek-r1-zero deepseek-r1-671b"),
            )
        ),
    ),
    *series(
        "deepseek_v3",
        "arXiv:2502.16982, arXiv:2507.20534; moonshotai/Moonlight-16B-A3B and Kimi-K2 config.json",
        _KIMI,
        Size("moonlight-16b-a3b", 2048, 27, 11264, 16, own=_shared(64, 6, 1408, 2, 1), note=_CORRECTION),
        Size(
            *("kimi-k2", 7168, 61, 18432, 64, 64, "kimi-k2-0711 kimi-k2-0905 kimi-k2-thinking kimi-k2-1t"),
            {**_shared(384, 8, 2048, 1, 1), "q_lora_rank": 1536},
            _CORRECTION,
        ),
    ),
    *series(
        "glm4_moe",
        "arXiv:2508.06471; zai-org/GLM-4.5 config.json",
        {"vocab": 151552, "seq": 4096, "head_dim": 128, "qkv_bias": True},
        Size(
            *("glm-4.5-air", 4096, 46, 10944, 96, 8, "glm-4.5-air-106b glm-4.5-air-106b-a12b"),
            _shared(128, 8, 1408, 1, 1),
            _both(_CORRECTION, _FURTHER),
        ),
        *(
            Size(
                *(name, 5120, 92, 12288, 96, 8, f"{name}-355b {name}-355b-a32b"),
                {**_shared(160, 8, 1536, 1, 3), "qk_norm": "head"},
                _both(_CORRECTION, _FURTHER),
            )
            for name in ("glm-4.5", "glm-4.6")
        ),
    ),
    *series(
        "gpt_oss",
        "arXiv:2508.10925; openai/gpt-oss config.json",
        {"vocab": 201088, "seq": 4096, "head_dim": 64},
        Size("gpt-oss-20b", 2880, 24, 2880, 64, 8, own=_experts(32, 4, 2880)),
        Size("gpt-oss-120b", 2880, 36, 2880, 64, 8, own=_experts(128, 4, 2880)),
    ),
    *series(
        "granitemoe",
        "ibm-granite/granite-3.0-1b-a400m and -3b-a800m config.json",
        {"vocab": 49155, "seq": 4096, "tied": True},
        Size("granite-3.0-1b-a400m", 1024, 24, 512, 16, 8, "granite-3.1-1b-a400m", _experts(32, 8, 512)),
        Size("granite-3.0-3b-a800m", 1536, 32, 512, 24, 8, "granite-3.1-3b-a800m", _experts(40, 8, 512)),
    ),
    *series(
        "phimoe",
        "arXiv:2404.14219; microsoft/Phi-3.5-MoE-instruct config.json",
        {"vocab": 32064, "seq": 4096, "qkv_bias": True, "out_bias": True, "head_bias": True},
        Size("phi-3.5-moe", 4096, 32, 6400, 32, 8, own=_experts(16, 2, 6400)),
    ),
    *series(
        "dbrx",
        "databricks/dbrx-base config.json",
        {"vocab": 100352, "seq": 32768},
        Size("dbrx", 6144, 40, 10752, 48, 8, "dbrx-132b", _experts(16, 4, 10752)),
    ),
    *series(
        "llama4_text",
        "meta-llama/Llama-4 config.json, text_config",
        {"vocab": 202048, "seq": 8192, "shared_experts": 1},
        Size(
            *("llama-4-scout", 5120, 48, 16384, 40, 8),
            "llama-4-scout-17b-16e llama-4-16x17b",
            _experts(16, 1, 8192),
            _TEXT_ALONE,
        ),
        Size(
            *("llama-4-maverick", 5120, 48, 16384, 40, 8),
            "llama-4-maverick-17b-128e llama-4-128x17b",
            _experts(128, 1, 8192, moe_every=2),
            _TEXT_ALONE,
        ),
    ),
    *series(
        "minimax_m2",
        "MiniMaxAI/MiniMax-M2 config.json",
        {"vocab": 200064, "seq": 4096, "head_dim": 128},
        *(
            Size(name, 3072, 62, 1536, 48, 8, own=_experts(256, 8, 1536), note=_CORRECTION)
            for name in ("minimax-m2", "minimax-m2.5", "minimax-m2.7")
        ),
    ),
    *series(
        "dots1",
        "arXiv:2506.05767; rednote-hilab/dots.llm1.base config.json",
        {"vocab": 152064, "seq": 4096},
        Size("dots.llm1", 4096, 62, 10944, 32, 32, "dots.llm1.inst", _shared(128, 6, 1408, 2, 1), _CORRECTION),
    ),
    *series(
        "ernie4_5_moe",
        "baidu/ERNIE-4.5-A3B-PT and -A47B-PT config.json",
        {"vocab": 103424, "seq": 4096},
        Size(
            *("ernie-4.5-21b-a3b", 2560, 28, 12288, 20, 4, "ernie-4.5-21b-a3b-thinking"),
            {**_shared(64, 6, 1536, 2, 1), "tied": True},
            _FURTHER,
        ),
        Size("ernie-4.5-300b-a47b", 8192, 54, 28672, 64, 8, own=_shared(64, 8, 3584, 0, 3), note=_FURTHER),
    ),
    *series(
        "hunyuan_v1_moe",
        "tencent/Hunyuan-A13B-Instruct config.json",
        {"vocab": 128167, "seq": 4096, "tied": True, "shared_experts": 1},
        Size("hunyuan-a13b", 4096, 32, 3072, 32, 8, own=_experts(64, 8, 3072)),
    ),
)
"""For a mixture without dense layers the size of an expert stands for that of the MLP."""

"""Language models by name: exact totals, names as hubs and programs write them, and names that are refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shapeplan.architectures.catalogue import CATALOGUE, NamedModel, find_model, named
from shapeplan.architectures.catalogue.decoders import DECODERS
from shapeplan.architectures.catalogue.language_names import is_quantized, language_names
from shapeplan.architectures.catalogue.mixtures import MIXTURES
from shapeplan.errors import ArgumentError

# Parameters, equal to those of transformers' own models on the meta device; others are in test_catalogue.py.
DENSE = """
distilgpt2 81912576  nanogpt-124m 124373760  nanogpt-shakespeare-char 10745088  gpt3-125m 125226240
gpt3-350m 355871744  gpt3-760m 760300032  gpt3-2.7b 2651553280  gpt3-6.7b 6658404352  gpt3-175b 174604259328
gpt-neo-125m 125198592  gpt-neo-1.3b 1315575808  gpt-neo-2.7b 2651307520  gpt-j-6b 6050882784  pythia-31m 30494720
opt-125m 125239296  opt-1.3b 1315758080  opt-2.7b 2651596800  opt-6.7b 6658473984  opt-13b 12853473280
opt-30b 29974540288  opt-66b 65719701504  bloom-560m 559214592  bloom-1b1 1065314304  bloom-1b7 1722408960
bloom-3b 3002557440  bloom-7b1 7069016064  bloom-176b 176247271424  falcon-7b 6921720704  falcon-40b 41303293952
falcon-180b 178557088768  mpt-7b 6649286656  mpt-30b 29957200896  santacoder-1.1b 1124886528
starcoderbase-1b 1137207296  starcoderbase-3b 3043311104  starcoderbase-7b 7327263232  starcoder-15b 15517456384
starcoder2-3b 3030371328  starcoder2-7b 7173923840  starcoder2-15b 15957889024  phi-1 1418270720  phi-1.5 1418270720
phi-2 2779683840  stablelm-3b-4e1t 2795443200  stablelm-2-1.6b 1644515328  command-r-35b 34980831232
command-r-08-2024 32296476672  command-r-plus-104b 103810674688  aya-23-8b 8028033024  aya-23-35b 34980831232
aya-expanse-8b 8028033024  aya-expanse-32b 32296476672  command-r7b 8028033024  command-a-111b 111057580032
llama-7b 6738415616  llama-13b 13015864320  llama-30b 32528943616  llama-65b 65285660672  codellama-7b 6738546688
codellama-13b 13016028160  codellama-34b 33743970304  codellama-70b 68976910336  codellama-7b-python 6738415616
codellama-13b-python 13015864320  deepseek-r1-distill-llama-8b 8030261248  deepseek-r1-distill-llama-70b 70553706496
open-llama-3b 3426473600  smollm2-360m 361821120  smollm3-3b 3075098624  yi-6b 6061035520  yi-9b 8829407232
yi-34b 34388917248  deepseek-llm-7b 6910365696  deepseek-llm-67b 67425001472  deepseek-coder-1.3b 1346471936
deepseek-coder-6.7b 6740512768  deepseek-coder-33b 33342991360  baichuan2-7b 7505973248  baichuan2-13b 13896668160
falcon3-1b 1669408768  falcon3-3b 3227655168  falcon3-10b 10305653760  internlm2-1.8b 1889110016
internlm2-7b 7737708544  internlm2-20b 19861149696  internlm3-8b 8804241408  granite-3.0-2b 2533531648
granite-3.0-8b 8170848256  granite-3.3-2b-instruct 2533539840  granite-3.3-8b-instruct 8170864640
exaone-3.5-2.4b 2405327360  exaone-3.5-7.8b 7818448896  exaone-3.5-32b 32003200000  exaone-4.0-1.2b 1279391488
exaone-4.0-32b 32003216384  phi-3-mini 3821079552  phi-3-medium 13960238080  phi-4 14659507200  phi-4-mini 3836021760
minicpm3-4b 4073875968  apertus-8b 8053338176  apertus-70b 70599864480  seed-oss-36b 36151104512
ernie-4.5-0.3b 360748032  glm-4-9b 9399951360  glm-4-9b-0414 9400279040  codestral-22b 22247282688
mistral-small-22b 22247282688  mistral-large-123b 122610069504  ministral-8b 8019808256  mistral-small-24b 23572403200
magistral-small-24b 23572403200  devstral-small-24b 23572403200  mistral-small-3.1-24b 23572403200
ministral-3-3b 3429006336  ministral-3-8b 8489553920  ministral-3-14b 13506073600  gemma-3-270m 268098176
gemma-3-12b 11766034176  olmo-2-1b 1484916736  olmo-2-32b 32234279936  olmo-3-7b 7298011136  olmo-3-32b 32233522176
qwen1.5-1.8b 1836828672  qwen1.5-4b 3950369280  qwen1.5-7b 7721324544  qwen1.5-14b 14167290880
qwen1.5-32b 32512218112  qwen1.5-72b 72287920128  qwen1.5-110b 111209914368  qwen2-0.5b 494032768
qwen2-1.5b 1543714304  qwen2-7b 7615616512  qwen2-72b 72706203648  qwen2.5-1.5b 1543714304  qwen2.5-3b 3085938688
qwen2.5-14b 14770033664  qwen2.5-32b 32763876352  qwq-32b 32763876352  deepseek-r1-distill-qwen-1.5b 1777088000
deepseek-r1-distill-qwen-7b 7615616512  deepseek-r1-distill-qwen-14b 14770033664
deepseek-r1-distill-qwen-32b 32763876352  qwen3-1.7b 1720574976  qwen3-4b 4022468096  qwen3-14b 14768307200
"""
# Parameters, and those that a token meets.
SPARSE = {
    "mixtral-8x7b": (46702792704, 12879925248),
    "mixtral-8x22b-v0.1": (140620634112, 39152031744),
    "mixtral-8x22b-instruct-v0.1": (140630071296, 39161468928),
    "qwen1.5-moe-a2.7b": (14315784192, 2689173504),
    "qwen2-57b-a14b": (57408658944, 14249270784),
    "qwen3-30b-a3b": (30532122624, 3353032704),
    "qwen3-235b-a22b": (235093634560, 22190763520),
    "qwen3-coder-480b-a35b": (480154875392, 35474765312),
    "olmoe-1b-7b": (6919161856, 1282017280),
    "deepseek-moe-16b": (16375728128, 2828650496),
    "deepseek-v2-lite": (15706484224, 2661150208),
    "deepseek-v2": (235741434880, 21375800320),
    "deepseek-v3": (671026404352, 37552282624),
    "deepseek-r1": (671026404352, 37552282624),
    "moonlight-16b-a3b": (15960108544, 2914774528),
    "kimi-k2": (1026408209408, 32861477888),
    "glm-4.5-air": (106852245504, 13424123904),
    "glm-4.5": (352797814784, 33632251904),
    "glm-4.6": (352797814784, 33632251904),
    "gpt-oss-20b": (20914757184, 4187440704),
    "gpt-oss-120b": (116829156672, 5711982912),
    "granite-3.0-1b-a400m": (1334628352, 428658688),
    "granite-3.0-3b-a800m": (3298793472, 882874368),
    "phi-3.5-moe": (41873153344, 6640999744),
    "dbrx": (131596523520, 36469708800),
    "llama-4-scout": (107769861120, 17172894720),
    "llama-4-maverick": (400711848960, 17184691200),
    "minimax-m2": (228689748992, 11030537216),
    "minimax-m2.5": (228689748992, 11030537216),
    "minimax-m2.7": (228689748992, 11030537216),
    "dots.llm1": (142774373888, 14016581120),
    "ernie-4.5-21b-a3b": (21825437888, 3352150208),
    "ernie-4.5-300b-a47b": (299484163264, 47926586560),
    "hunyuan-a13b": (80393183232, 12747448320),
}
WRITTEN = {
    "meta-llama/Llama-3.1-8B-Instruct": "llama-3-8b",
    "Qwen/Qwen3-30B-A3B-Instruct-2507": "qwen3-30b-a3b",
    "deepseek-ai/DeepSeek-R1-0528": "deepseek-r1",
    "deepseek-ai/DeepSeek-V3-Base": "deepseek-v3",
    "unsloth/Qwen3-8B-unsloth-bnb-4bit": "qwen3-8b",
    "llama3.1:8b": "llama-3-8b",
    "qwen2.5:7b-instruct-q4_K_M": "qwen2.5-7b",
    "gpt-oss:20b": "gpt-oss-20b",
    "deepseek-r1:671b": "deepseek-r1",
    "deepseek-r1:7b": "deepseek-r1-distill-qwen-7b",
    "hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M": "llama-3.2-1b",
    "TheBloke/Llama-2-7B-Chat-GPTQ": "llama-2-7b",
    "llama-2-7b-chat.Q4_K_M.gguf": "llama-2-7b",
    "Meta-Llama-3.1-70B-Instruct-AWQ-INT4": "llama-3-70b",
    "RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8-dynamic": "llama-3-8b",
    "RedHatAI/Llama-3.3-70B-Instruct-quantized.w4a16": "llama-3-70b",
    "Qwen/Qwen2.5-72B-Instruct-GPTQ-Int4": "qwen2.5-72b",
    "Qwen/Qwen3-235B-A22B-Thinking-2507-FP8": "qwen3-235b-a22b",
    "Qwen/Qwen3-Coder-480B-A35B-Instruct": "qwen3-coder-480b-a35b",
    "google/gemma-3-27b-it-qat-q4_0-gguf": "gemma-3-27b",
    "gemma3:12b-it-qat": "gemma-3-12b",
    "mistralai/Mistral-7B-Instruct-v0.2": "mistral-7b-v0.1",
    "mistralai/Mistral-Small-3.1-24B-Instruct-2503": "mistral-small-3.1-24b",
    "mistralai/Mistral-Small-24B-Instruct-2501": "mistral-small-24b",
    "mistralai/Mistral-Small-Instruct-2409": "mistral-small-22b",
    "mistralai/Mistral-Nemo-Instruct-2407": "mistral-nemo-12b",
    "mistralai/Mistral-Large-Instruct-2407": "mistral-large-123b",
    "mistralai/Ministral-8B-Instruct-2410": "ministral-8b",
    "mistralai/Ministral-3-8B-Instruct-2512": "ministral-3-8b",
    "mistralai/Mixtral-8x7B-Instruct-v0.1": "mixtral-8x7b",
    "mistralai/Mixtral-8x22B-Instruct-v0.1": "mixtral-8x22b-instruct-v0.1",
    "mistralai/Codestral-22B-v0.1": "codestral-22b",
    "mixtral:8x7b": "mixtral-8x7b",
    "microsoft/Phi-3-mini-4k-instruct": "phi-3-mini",
    "microsoft/Phi-3.5-MoE-instruct": "phi-3.5-moe",
    "microsoft/phi-1_5": "phi-1.5",
    "phi4:14b": "phi-4",
    "stabilityai/stablelm-2-zephyr-1_6b": "stablelm-2-1.6b",
    "CohereLabs/c4ai-command-r-plus": "command-r-plus-104b",
    "command-r+": "command-r-plus-104b",
    "command-r-plus:104b": "command-r-plus-104b",
    "deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct": "deepseek-v2-lite",
    "deepseek-ai/DeepSeek-V2-Chat-0628": "deepseek-v2",
    "moonshotai/Kimi-K2-Instruct-0905": "kimi-k2",
    "zai-org/GLM-4.5-Air-FP8": "glm-4.5-air",
    "THUDM/glm-4-9b-chat-hf": "glm-4-9b",
    "meta-llama/Llama-4-Scout-17B-16E-Instruct": "llama-4-scout",
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8": "llama-4-maverick",
    "llama4:scout": "llama-4-scout",
    "internlm/internlm2_5-7b-chat": "internlm2-7b",
    "internlm/internlm2-chat-1_8b": "internlm2-1.8b",
    "HuggingFaceTB/SmolLM3-3B-Base": "smollm3-3b",
    "allenai/OLMoE-1B-7B-0924-Instruct": "olmoe-1b-7b",
    "allenai/Olmo-3-7B-Instruct": "olmo-3-7b",
    "allenai/OLMo-2-0325-32B-Instruct": "olmo-2-32b",
    "ibm-granite/granite-3.3-8b-instruct": "granite-3.3-8b-instruct",
    "ibm-granite/granite-3.1-3b-a800m-instruct": "granite-3.0-3b-a800m",
    "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct-AWQ": "exaone-3.5-7.8b",
    "baidu/ERNIE-4.5-21B-A3B-Base-PT": "ernie-4.5-21b-a3b",
    "rednote-hilab/dots.llm1.inst": "dots.llm1",
    "tencent/Hunyuan-A13B-Instruct": "hunyuan-a13b",
    "swiss-ai/Apertus-8B-Instruct-2509": "apertus-8b",
    "ByteDance-Seed/Seed-OSS-36B-Instruct": "seed-oss-36b",
    "codellama/CodeLlama-34b-Python-hf": "codellama-34b",
    "codellama/CodeLlama-7b-Instruct-hf": "codellama-7b",
    "deepseek-coder:6.7b-instruct-q8_0": "deepseek-coder-6.7b",
    "EleutherAI/gpt-neo-2.7B": "gpt-neo-2.7b",
    "facebook/opt-6.7b": "opt-6.7b",
    "bigscience/bloomz-7b1": "bloom-7b1",
    "tiiuae/falcon-40b-instruct": "falcon-40b",
    "mosaicml/mpt-7b-chat": "mpt-7b",
    "bigcode/starcoderbase": "starcoder-15b",
    "bigcode/starcoder2-15b-instruct-v0.1": "starcoder2-15b",
    "nvidia/Llama-3.1-Nemotron-70B-Instruct-HF": "llama-3-70b",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B": "deepseek-r1-distill-qwen-32b",
    "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B": "qwen3-8b",
    "Qwen/QwQ-32B-AWQ": "qwq-32b",
    "mlx-community/Qwen2.5-Coder-32B-Instruct-4bit": "qwen2.5-32b",
    "openai-community/gpt2-xl": "gpt2-xl",
    "databricks/dbrx-instruct": "dbrx",
    "Qwen/Qwen1.5-MoE-A2.7B-Chat": "qwen1.5-moe-a2.7b",
    "qwen3:30b-a3b-q4_K_M": "qwen3-30b-a3b",
    "01-ai/Yi-1.5-34B-Chat": "yi-34b",
    "google/gemma-2-9b-it": "gemma-2-9b",
    "MiniMaxAI/MiniMax-M2": "minimax-m2",
    "openbmb/MiniCPM3-4B": "minicpm3-4b",
    "deepseek-ai/deepseek-moe-16b-chat": "deepseek-moe-16b",
}
# What is another model, or may be several; and what is near, if it is of help.
REFUSED = {
    "llama-3-8b-vision": "llama-3-8b",
    "Qwen/Qwen2.5-VL-7B-Instruct": "qwen2.5-7b",
    "Qwen/Qwen3-Next-80B-A3B-Instruct": "qwen3-30b-a3b",
    "google/gemma-3n-E4B-it": "gemma-3-4b",
    "meta-llama/Llama-3.2-11B-Vision-Instruct": "llama-3.2-1b",
    "facebook/opt-350m": "opt-125m",
    "deepseek-r1:8b": "deepseek-r1-distill",
    "deepseek-ai/DeepSeek-V3.2": "deepseek-v3",
    "mistral:7b": "mistral-7b-v0.3",
    "mixtral:8x22b": "mixtral-8x22b-v0.1",
    "command-r:35b": "command-r-35b",
    "command-r": "",
    "microsoft/Phi-4-multimodal-instruct": "",
    "microsoft/Phi-3-small-8k-instruct": "",
    "Qwen/Qwen1.5-0.5B": "",
    "Qwen/CodeQwen1.5-7B": "qwen1.5-7b",
    "Qwen/Qwen-7B": "",
    "Qwen/Qwen3-Embedding-0.6B": "",
    "meta-llama/Llama-Guard-3-8B": "",
    "allenai/Llama-3.1-Tulu-3-8B": "",
    "NousResearch/Hermes-3-Llama-3.1-8B": "",
    "TinyLlama/TinyLlama-1.1B-Chat-v0.3": "tinyllama-1.1b",
    "zai-org/glm-4-9b-chat-1m": "glm-4-9b",
    "zai-org/GLM-4-32B-0414": "",
    "google/recurrentgemma-2b": "",
    "mistralai/Mamba-Codestral-7B-v0.1": "",
    "llama3.1": "",
    "llama3.1:latest": "",
    "qwen3-8b+": "",
    "qwen3-8b(old)": "",
    "qwen3-8b-v2": "",
    "llama-3-8b-16k": "",
    "moonshotai/Kimi-K2.5": "",
    "zai-org/GLM-4.5V": "",
    "nvidia/Llama-3_1-Nemotron-51B-Instruct": "",
    "ibm-granite/granite-3.3-8b-base": "",
    "yi-vl-6b": "",
    "llama-3-8b@2048@4096": "",
}
QUANTIZED = (
    *("-AWQ", "-GPTQ-Int4", "-FP8", "-FP8-dynamic", "-bnb-4bit", "-4bit", "-NVFP4", "-quantized.w4a16"),
    *(".Q4_K_M.gguf", "-Q8_0-GGUF", "-IQ4_XS", "-UD-Q4_K_XL", ".i1-Q5_K_S.gguf", "-qat-q4_0"),
)
PLAIN = ("", "-bf16", "-GGUF", "-hf", "-mlx", "-fp16-ONNX")
OWNERS = ("", "unsloth/", "mlx-community/", "hf.co/bartowski/", "TheBloke/")
LANGUAGE_MODELS = (*DECODERS, *MIXTURES)
NAMES = [name for record in LANGUAGE_MODELS for name in (record.name, *record.aliases)]
JOINED = {name.replace("-", "") for name in NAMES}
KNOWN_WORDS = (
    "instruct",
    "chat",
    "base",
    "sft",
    "dpo",
    "gguf",
    "ggml",
    "mlx",
    "onnx",
    "unsloth",
    "awq",
    "gptq",
    "bnb",
    "qat",
    "dynamic",
    "quantized",
)


def test_totals_of_dense_models() -> None:
    words = DENSE.split()
    totals = dict(zip(words[::2], words[1::2], strict=True))
    assert {name: named(name).model.params for name in totals} == {name: int(n) for name, n in totals.items()}


@pytest.mark.parametrize("name", SPARSE)
def test_totals_of_mixtures(name: str) -> None:
    model = named(name).model
    assert (model.params, model.active_params) == SPARSE[name]


def test_every_mixture_has_its_totals_here() -> None:
    assert SPARSE.keys() == {record.name for record in MIXTURES}


def test_mixtures_of_the_certified_table(shared: Path) -> None:
    found = 0
    with (shared / "shapes" / "moe.csv").open() as table:
        for row in csv.DictReader(table):
            try:
                model = named(row["name"].partition(" (")[0], seq=int(row["seq"])).model
            except ArgumentError:
                continue
            certified = [int(row[column]) for column in ("params", "active_params", "macs_seq")]
            assert [model.params, model.active_params, model.macs] == certified, row["name"]
            found += 1
    assert found == 20


@pytest.mark.parametrize("name", WRITTEN)
def test_names_as_hubs_and_programs_write_them(name: str) -> None:
    record, changes = find_model(name)
    assert (record.name, changes) == (WRITTEN[name], {})


@pytest.mark.parametrize("name", REFUSED)
def test_other_models_are_refused_with_what_is_near(name: str) -> None:
    with pytest.raises(ArgumentError, match="there is no model") as error:
        find_model(name)
    (detail,) = error.value.details
    assert detail.code == "unknown-model"
    assert REFUSED[name] in (detail.hint or "")


@given(st.sampled_from(LANGUAGE_MODELS), st.sampled_from(OWNERS), st.sampled_from((*PLAIN, *QUANTIZED)))
def test_owners_and_quantizations_change_nothing(record: NamedModel, owner: str, suffix: str) -> None:
    name = f"{owner}{record.name}{suffix}"
    assert find_model(name) == (record, {})
    assert is_quantized(name) == (suffix in QUANTIZED)


@given(
    st.sampled_from(NAMES),
    st.from_regex(r"[a-z]{3,9}|v[2-9]|[a-z][0-9]{1,2}b|[0-9]{2,4}k", fullmatch=True),
    st.sampled_from("-_.: "),
    st.booleans(),
)
def test_a_further_word_makes_another_model(name: str, word: str, apart: str, first: bool) -> None:
    parts = (word, name) if first else (name, word)
    assume(word not in KNOWN_WORDS)
    assume("".join(parts).replace("-", "") not in JOINED)
    with pytest.raises(ArgumentError):
        find_model(apart.join(parts))


def test_the_note_says_what_was_counted() -> None:
    assert named("qwen3-8b").note == ""
    assert named("Qwen/Qwen3-8B-AWQ").note == "parameters are counted as before quantization"
    assert "vision tower is not counted; parameters" in named("gemma3:4b-it-q4_K_M").note
    assert "(multi-token prediction) are not counted" in named("deepseek-v3").note


def test_sequence_lengths_in_names() -> None:
    assert find_model("Qwen/Qwen3-8B-AWQ@2048") == (CATALOGUE["qwen3-8b"], {"seq": 2048})
    assert named("mixtral-8x7b@512").model.macs == named("mixtral-8x7b", seq=512).model.macs
    assert list(language_names("no/name/at/all")) == []

"""Encoder-decoders: known totals, invariants, configurations, and what transformers builds."""

from __future__ import annotations

from typing import Any

import built
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shapeplan.architectures import CONVENTIONS, EncoderDecoder, Whisper
from shapeplan.architectures.base import NORM_PARAMS
from shapeplan.architectures.catalogue import named
from shapeplan.architectures.encoder_styles import ENCODER_DECODER_STYLES
from shapeplan.errors import InputError
from shapeplan.readers.configs.config import Config
from shapeplan.readers.configs.defaults import defaults_of
from shapeplan.readers.configs.encoder_decoders import ENCODER_DECODERS

SMALL: dict[str, Any] = {"width": 512, "depth": 6, "mlp_dim": 2048, "heads": 8, "vocab": 32128, "seq": 512}
PREFIXES = {
    **{"t5": "T5", "mt5": "MT5", "umt5": "UMT5", "bart": "Bart", "mbart": "MBart", "blenderbot": "Blenderbot"},
    **{"blenderbot-small": "BlenderbotSmall", "pegasus": "Pegasus", "m2m_100": "M2M100", "whisper": "Whisper"},
    "marian": "Marian",
}
BUILT = [
    *((kind, "Model") for kind in PREFIXES),
    *((kind, "ForConditionalGeneration") for kind in PREFIXES if kind != "marian"),
    ("marian", "MTModel"),
    *((kind, "EncoderModel") for kind in ("t5", "mt5", "umt5")),
]


def read(kind: str, **values: Any) -> Any:
    return ENCODER_DECODERS[kind](Config({"model_type": kind, **values}, "", defaults_of(kind)))


@st.composite
def encoder_decoders(draw: st.DrawFn) -> dict[str, Any]:
    heads = draw(st.integers(1, 8))
    flags = ("gated", "qkv_bias", "k_bias", "out_bias", "mlp_bias", "embedding_norm", "final_norm", "lm_head", "tied")
    return {
        "width": heads * draw(st.integers(1, 64)),
        "depth": draw(st.integers(1, 64)),
        "decoder_depth": draw(st.none() | st.integers(1, 64)),
        "mlp_dim": draw(st.integers(1, 4096)),
        "decoder_mlp_dim": draw(st.none() | st.integers(1, 4096)),
        "heads": heads,
        "head_dim": draw(st.none() | st.integers(1, 64)),
        "vocab": draw(st.integers(1, 300_000)),
        "seq": draw(st.integers(1, 2048)),
        "target_seq": draw(st.none() | st.integers(1, 2048)),
        "relative_buckets": draw(st.sampled_from([0, 32])),
        "norm": draw(st.sampled_from(sorted(NORM_PARAMS))),
        **{name: draw(st.booleans()) for name in (*flags, "relative_every_block")},
    }


# --- known answers


def test_t5_small() -> None:
    """As transformers 5.24 builds it, on the meta device; 60.5 million parameters as published."""
    t5 = {**ENCODER_DECODER_STYLES["t5"], **SMALL, "head_dim": 64}
    model = EncoderDecoder(**{**t5, "seq": 40, "target_seq": 30})
    assert (model.params, model.macs) == (60_506_624, 2_057_625_600)
    assert isinstance(model.macs, int)
    assert EncoderDecoder(**{**t5, "gated": True, "mlp_dim": 1024, "depth": 8, "heads": 6, "tied": False}).params == (
        76_961_152
    )


def test_bart_large() -> None:
    bart = {**ENCODER_DECODER_STYLES["bart"], "width": 1024, "depth": 12, "mlp_dim": 4096, "heads": 16}
    bart |= {"vocab": 50265, "positions": 1026, "target_positions": 1026}
    model = EncoderDecoder(**bart, seq=40, target_seq=30)
    assert (model.params, model.macs) == (406_291_456, 13_966_325_760)


def test_whisper_tiny() -> None:
    sizes = {"width": 384, "depth": 4, "mlp_dim": 1536, "heads": 6, "vocab": 51865, "seq": 1500, "target_seq": 448}
    model = Whisper(**sizes)
    assert (model.params, model.macs) == (37_760_640, 35_541_098_496)
    assert model.params - Whisper(**sizes, positions=0).params == 1500 * 384
    assert model.examples_per_input == 1
    assert model.examples_unit == "examples"


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("google-t5/t5-small", 60_506_624),
        ("t5-base", 222_903_552),
        ("t5-large", 737_668_096),
        ("t5-3b", 2_851_598_336),
        ("t5-11b", 11_307_321_344),
        ("google/t5-v1_1-small", 76_961_152),
        ("google/flan-t5-base", 247_577_856),
        ("google/flan-t5-xxl", 11_135_332_352),
        ("google/mt5-small", 300_176_768),
        ("google/umt5-xxl", 12_972_531_712),
        ("facebook/bart-base", 139_420_416),
        ("facebook/bart-large-cnn", 406_290_432),
        ("facebook/mbart-large-50", 610_879_488),
        ("google/pegasus-large", 570_797_056),
        ("facebook/m2m100_418M", 483_905_536),
        ("facebook/nllb-200-distilled-600M", 615_073_792),
        ("openai/whisper-tiny", 37_760_640),
        ("openai/whisper-medium.en", 763_856_896),
        ("openai/whisper-large-v3", 1_543_490_560),
        ("openai/whisper-large-v3-turbo", 808_878_080),
        ("distil-whisper/distil-large-v3", 756_405_760),
    ],
)
def test_encoder_decoders_by_name(name: str, params: int) -> None:
    """As transformers 5.24 builds them; T5 v1.1 and what follows it with an output matrix of its own."""
    assert named(name).model.params == params
    assert named(name).note


# --- invariants


@given(st.sampled_from([EncoderDecoder, Whisper]), encoder_decoders(), st.integers(1, 4))
def test_parts_sum_to_the_whole_and_arrays_agree_with_scalars(
    family: type[EncoderDecoder], values: dict[str, Any], factor: int
) -> None:
    model = family(**values)
    parts = model.parts()
    assert sum(part.params for part in parts.values()) == model.params
    assert sum(part.macs for part in parts.values()) == model.macs
    assert min(min(part) for part in parts.values()) >= 0
    scaled = {"width": factor * values["width"], "depth": factor + values["depth"], "mlp_dim": 7 * values["mlp_dim"]}
    both = family(**{**values, **{name: np.array([values[name], value]) for name, value in scaled.items()}})
    other = family(**{**values, **scaled})
    assert both.params.tolist() == [model.params, other.params]
    assert both.macs.tolist() == [model.macs, other.macs]
    assert both.flops("training").tolist() == [model.flops("training"), other.flops("training")]
    floats = family(**{**values, **{name: float(value) for name, value in scaled.items()}})
    assert floats.macs == pytest.approx(float(other.macs), rel=1e-12)
    assert floats.params == pytest.approx(float(other.params), rel=1e-12)


@given(encoder_decoders())
def test_attention_is_what_grows_with_the_square_of_both_lengths(values: dict[str, Any]) -> None:
    """Twice the source and the target: everything doubles, attention once more."""
    values["target_seq"] = values["target_seq"] or values["seq"]
    twice = {**values, "seq": 2 * values["seq"], "target_seq": 2 * values["target_seq"]}
    model = EncoderDecoder(**values)
    assert EncoderDecoder(**twice).macs == 2 * model.macs + 2 * model.attention_macs


def test_conventions_of_parameters_times_tokens_are_not_defined() -> None:
    model = EncoderDecoder(**SMALL)
    assert model.flops("training") == 6 * model.macs
    for convention in set(CONVENTIONS) - {"forward", "training"}:
        with pytest.raises(InputError, match=f"has no count by {convention}, since a token meets one of two stacks"):
            model.flops(convention)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": 100}, "'seq' = 512 is longer than the table of 100 positions"),
        ({"target_positions": 100}, "'target_seq' = 512 is longer than the table of 100 positions"),
        ({"decoder_depth": 0}, "'decoder_depth' = 0 is not positive"),
    ],
)
def test_encoder_decoders_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        EncoderDecoder(**{**SMALL, **change})
    assert message in str(error.value)


# --- configurations


@pytest.mark.parametrize(
    ("kind", "values", "class_name", "params"),
    [
        ("t5", {}, "T5Model", 60_506_624),
        ("t5", {"architectures": ["T5ForConditionalGeneration"]}, "T5ForConditionalGeneration", 60_506_624),
        (
            "t5",
            {
                **{"architectures": ["T5ForConditionalGeneration"], "d_ff": 1024, "num_layers": 8, "num_heads": 6},
                **{"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
            },
            "T5ForConditionalGeneration",
            76_961_152,
        ),
        ("bart", {"architectures": ["BartForConditionalGeneration"]}, "BartForConditionalGeneration", 406_291_456),
        (
            "whisper",
            {"architectures": ["WhisperForConditionalGeneration"]},
            "WhisperForConditionalGeneration",
            37760640,
        ),
    ],
)
def test_configurations_are_read_with_the_defaults_of_transformers(
    kind: str, values: dict[str, Any], class_name: str, params: int
) -> None:
    configured = read(kind, **values)
    assert configured.counted == f"{class_name} of transformers"
    assert configured.notes
    assert built.counted(configured).params == params


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("t5", {"architectures": ["T5ForTokenClassification"]}, "'architectures' = ['T5ForTokenClassification']"),
        ("t5", {"feed_forward_proj": "glu-gelu-new"}, "'feed_forward_proj' = glu-gelu-new is not counted"),
        ("bart", {"tie_word_embeddings": False}, "'tie_word_embeddings' = False is not counted"),
        ("bart", {"decoder_attention_heads": 7}, "'decoder_attention_heads' = 7 does not divide the width 1024"),
        ("marian", {"decoder_vocab_size": 10}, "'decoder_vocab_size' = 10 is not the vocabulary 58101"),
        ("marian", {"share_encoder_decoder_embeddings": False}, "'share_encoder_decoder_embeddings' = False"),
        ("whisper", {"architectures": ["WhisperForAudioClassification"]}, "WhisperForConditionalGeneration are"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_its_key(kind: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        read(kind, **values)
    assert message in str(error.value)


# --- against transformers


def t5_values(data: st.DataObject) -> dict[str, Any]:
    return {
        "d_model": 4 * data.draw(st.integers(1, 16)),
        "num_layers": data.draw(st.integers(1, 3)),
        "num_decoder_layers": data.draw(st.none() | st.integers(1, 3)),
        "num_heads": data.draw(st.integers(1, 4)),
        "d_kv": data.draw(st.integers(1, 16)),
        "d_ff": data.draw(st.integers(1, 64)),
        "feed_forward_proj": data.draw(st.sampled_from(["relu", "gated-gelu", "gated-silu"])),
        "relative_attention_num_buckets": 4 * data.draw(st.integers(1, 8)),
    }


def bart_values(data: st.DataObject) -> dict[str, Any]:
    return {
        "d_model": 16 * data.draw(st.integers(1, 4)),
        **{f"{stack}_layers": data.draw(st.integers(1, 3)) for stack in ("encoder", "decoder")},
        **{f"{stack}_ffn_dim": data.draw(st.integers(1, 64)) for stack in ("encoder", "decoder")},
        **{f"{stack}_attention_heads": data.draw(st.sampled_from([1, 2, 4])) for stack in ("encoder", "decoder")},
        "max_position_embeddings": 32,
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "name"), BUILT)
@settings(max_examples=2, phases=(Phase.generate,))
@given(st.data())
def test_counts_equal_what_transformers_builds(kind: str, name: str, data: st.DataObject) -> None:
    transformers, torch = built.library("transformers", "torch"), built.library("torch")
    values = t5_values(data) if "t5" in kind else bart_values(data)
    values |= {"vocab_size": data.draw(st.integers(5, 300)), "pad_token_id": 0, "decoder_start_token_id": 1}
    source, target = 12, 9
    if kind == "whisper":
        values |= {"max_source_positions": source, "max_target_positions": 20, "num_mel_bins": 8}
        values.pop("max_position_embeddings")
    if kind == "marian":
        values["decoder_vocab_size"] = values["vocab_size"]
    class_name = PREFIXES[kind] + name
    read_as = read(kind, **values, architectures=[class_name])
    lengths = {"seq": source} if name == "EncoderModel" else {"seq": source, "target_seq": target}
    model = built.counted(read_as, **lengths)
    config = transformers.AutoConfig.for_model(kind, **values, attn_implementation="eager")
    with torch.device("meta"):
        theirs = getattr(transformers, class_name)(config)
        inputs = {"input_ids": torch.zeros((1, source), dtype=torch.long)}
        if kind == "whisper":
            inputs = {"input_features": torch.zeros((1, 8, 2 * source))}
        if name != "EncoderModel":
            inputs["decoder_input_ids"] = torch.zeros((1, target), dtype=torch.long)
        measured = built.measured(theirs, **inputs)
    assert (model.params, model.macs) == measured


@pytest.mark.filterwarnings("ignore")
def test_an_untied_t5_has_an_output_matrix_of_its_own() -> None:
    """As its checkpoints have: transformers 5 ties them until it has loaded two different ones."""
    transformers, torch = built.library("transformers", "torch"), built.library("torch")
    values = {"d_model": 64, "num_layers": 2, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
    name = "T5ForConditionalGeneration"
    with torch.device("meta"):
        theirs = transformers.T5ForConditionalGeneration(transformers.T5Config(**values))
        theirs.lm_head.weight = torch.nn.Parameter(torch.empty_like(theirs.lm_head.weight))
    model = built.counted(read("t5", **values, architectures=[name]))
    assert sum(parameter.numel() for parameter in theirs.parameters()) == model.params

"""Encoders: known totals, invariants, configurations, and what transformers builds."""

from __future__ import annotations

from typing import Any

import built
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shapeplan.architectures import CONVENTIONS, Encoder
from shapeplan.architectures.base import NORM_PARAMS
from shapeplan.architectures.catalogue import named
from shapeplan.architectures.encoder import HEADS
from shapeplan.architectures.encoder_styles import ENCODER_STYLES
from shapeplan.errors import InputError
from shapeplan.readers.configs.config import Config
from shapeplan.readers.configs.defaults import defaults_of
from shapeplan.readers.configs.encoders import ENCODERS, READINGS

BERT: dict[str, Any] = {"width": 768, "depth": 12, "mlp_dim": 3072, "heads": 12, "vocab": 30522, "seq": 512}
BUILT = [(kind, name) for kind, reading in READINGS.items() for name in reading.classes]


def read(kind: str, **values: Any) -> Any:
    return ENCODERS[kind](Config({"model_type": kind, **values}, "", defaults_of(kind)))


@st.composite
def encoders(draw: st.DrawFn) -> dict[str, Any]:
    kv_heads = draw(st.integers(1, 4))
    heads = kv_heads * draw(st.integers(1, 4))
    flags = ("gated", "qkv_bias", "out_bias", "mlp_bias", "embedding_norm", "first_norm", "final_norm", "pooler")
    flags = (*flags, "relative_every_block", "head_dense_bias", "head_bias", "tied", "contact_head")
    return {
        "width": heads * draw(st.integers(1, 64)),
        "depth": draw(st.integers(1, 64)),
        "mlp_dim": draw(st.integers(1, 4096)),
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": draw(st.none() | st.integers(1, 64)),
        "vocab": draw(st.integers(1, 300_000)),
        "seq": draw(st.integers(1, 8192)),
        "embedding_dim": draw(st.none() | st.integers(1, 512)),
        "token_types": draw(st.integers(0, 2)),
        "relative_buckets": draw(st.sampled_from([0, 32])),
        "norm": draw(st.sampled_from(sorted(NORM_PARAMS))),
        "head": draw(st.sampled_from(HEADS)),
        "classes": draw(st.integers(1, 100)),
        "head_norm": draw(st.none() | st.booleans()),
        **{name: draw(st.booleans()) for name in flags},
    }


# --- known answers


@pytest.mark.parametrize(
    ("settings", "params", "macs"),
    [
        ({}, 109_514_298, 60_622_110_720),
        ({"pooler": True, "head": "none"}, 109_482_240, 48_318_971_904),
        ({"pooler": True, "next_sentence": True}, 110_106_428, 60_622_702_080),
        ({"pooler": True, "head": "sequence"}, 109_483_778, 48_318_973_440),
        ({"head": "tokens", "classes": 2}, 108_893_186, 48_319_168_512),
    ],
)
def test_bert_base_with_its_heads(settings: dict[str, Any], params: int, macs: int) -> None:
    """As transformers 5.24 builds them, on the meta device."""
    model = Encoder(**BERT, **settings)
    assert (model.params, model.macs) == (params, macs)
    assert isinstance(model.params, int)


def test_modernbert_base() -> None:
    model = Encoder(**{**BERT, **ENCODER_STYLES["modernbert"], "depth": 22, "mlp_dim": 1152, "vocab": 50368})
    assert (model.params, model.macs) == (149_655_232, 85_437_972_480)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("google-bert/bert-base-uncased", 109_514_298),
        ("bert-base", 109_514_298),
        ("bert-large-cased", 333_610_308),
        ("FacebookAI/roberta-base", 124_697_433),
        ("roberta-large", 355_412_057),
        ("FacebookAI/xlm-roberta-large", 560_142_482),
        ("distilbert-base-uncased", 66_985_530),
        ("distilbert/distilroberta-base", 82_170_201),
        ("google/electra-small-discriminator", 13_549_057),
        ("google/electra-large-discriminator", 335_142_913),
        ("microsoft/mpnet-base", 109_518_527),
        ("answerdotai/ModernBERT-base", 149_655_232),
        ("answerdotai/ModernBERT-large", 395_881_664),
        ("sentence-transformers/all-MiniLM-L6-v2", 22_713_216),
        ("BAAI/bge-large-en-v1.5", 335_141_888),
        ("facebook/esm2_t33_650M_UR50D", 651_043_254),
    ],
)
def test_encoders_by_name(name: str, params: int) -> None:
    """As transformers 5.24 builds the class that the released configuration names."""
    assert named(name).model.params == params
    assert named(name).note


# --- invariants


@given(encoders(), st.integers(1, 4))
def test_parts_sum_to_the_whole_and_arrays_agree_with_scalars(values: dict[str, Any], factor: int) -> None:
    model = Encoder(**values)
    parts = model.parts()
    assert sum(part.params for part in parts.values()) == model.params
    assert sum(part.macs for part in parts.values()) == model.macs
    assert min(min(part) for part in parts.values()) >= 0
    blocks = parts["attention"].macs + parts["mlp"].macs
    assert blocks == model.tokens * model.token_weights + model.attention_macs
    scaled = {"width": factor * values["width"], "depth": factor + values["depth"], "mlp_dim": 7 * values["mlp_dim"]}
    both = Encoder(**{**values, **{name: np.array([values[name], value]) for name, value in scaled.items()}})
    other = Encoder(**{**values, **scaled})
    assert both.params.tolist() == [model.params, other.params]
    assert both.macs.tolist() == [model.macs, other.macs]
    for convention in set(CONVENTIONS) - {"xla"}:
        assert both.flops(convention).tolist() == [model.flops(convention), other.flops(convention)]
    floats = Encoder(**{**values, **{name: float(value) for name, value in scaled.items()}})
    assert floats.macs == pytest.approx(float(other.macs), rel=1e-12)
    assert floats.params == pytest.approx(float(other.params), rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kv_heads": 5}, "'heads' = 12 is no multiple of kv_heads = 5"),
        ({"seq": 514, "positions": 512}, "'seq' = 514 is longer than the table of 512 positions"),
        ({"next_sentence": True}, "'next_sentence' = True is read off the pooled vector; set pooler = true"),
        ({"embedding_dim": 128, "head_dense": False}, "'head_dense' = False leaves the vocabulary"),
        ({"head": "some"}, "choose one of mlm, tokens, sequence, none"),
    ],
)
def test_encoders_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Encoder(**{**BERT, **change})
    assert message in str(error.value)
    with pytest.raises(InputError, match="has no count by XLA"):
        Encoder(**BERT).flops("xla")


# --- configurations


@pytest.mark.parametrize(
    ("kind", "values", "class_name", "params"),
    [
        ("bert", {"architectures": ["BertForMaskedLM"]}, "BertForMaskedLM", 109_514_298),
        ("bert", {}, "BertModel", 109_482_240),
        (
            "bert",
            {"architectures": ["BertForSequenceClassification"], "id2label": {str(i): "x" for i in range(3)}},
            "BertForSequenceClassification",
            109_484_547,
        ),
        (
            "roberta",
            {
                **{"architectures": ["RobertaForMaskedLM"], "vocab_size": 50265, "max_position_embeddings": 514},
                **{"type_vocab_size": 1},
            },
            "RobertaForMaskedLM",
            124_697_433,
        ),
        ("distilbert", {"architectures": ["DistilBertForMaskedLM"]}, "DistilBertForMaskedLM", 66_985_530),
        ("electra", {"architectures": ["ElectraForPreTraining"]}, "ElectraForPreTraining", 13_549_057),
        ("modernbert", {"architectures": ["ModernBertForMaskedLM"]}, "ModernBertForMaskedLM", 149_655_232),
    ],
)
def test_configurations_are_read_with_the_defaults_of_transformers(
    kind: str, values: dict[str, Any], class_name: str, params: int
) -> None:
    configured = read(kind, **values)
    assert configured.counted == f"{class_name} of transformers"
    assert built.counted(configured).params == params


def test_the_first_positions_of_roberta_are_for_padding() -> None:
    assert read("roberta", max_position_embeddings=514).settings["seq"] == 512
    assert read("bert").settings["seq"] == 512


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("bert", {"architectures": ["BertForEmotion"]}, "'architectures' = ['BertForEmotion'] is not counted"),
        ("bert", {"architectures": ["RobertaModel"]}, "of this model type BertModel, BertForMaskedLM"),
        ("bert", {"is_decoder": True}, "'is_decoder' = True is not counted; only is_decoder = false is"),
        ("bert", {"position_embedding_type": "relative_key"}, "'position_embedding_type' = relative_key"),
        (
            "bert",
            {"architectures": ["BertForMaskedLM"], "tie_word_embeddings": False},
            "'tie_word_embeddings' = False is not counted",
        ),
        ("bert", {"architectures": ["BertForQuestionAnswering"], "num_labels": 3}, "'num_labels' = 3 is not 2"),
        ("bert", {"hidden_size": "wide"}, "'hidden_size' = wide is not a number"),
        ("esm", {}, "'vocab_size' is missing"),
        ("esm", {"vocab_size": 33, "position_embedding_type": "relative_key"}, "absolute and rotary are"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_its_key(kind: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        read(kind, **values)
    assert message in str(error.value)


# --- against transformers


@st.composite
def configurations(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    heads = draw(st.integers(1, 4))
    names = {"distilbert": {"hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads"}}
    names["distilbert"]["intermediate_size"] = "hidden_dim"
    flags = {
        "modernbert": ("norm_bias", "attention_bias", "mlp_bias", "classifier_bias", "decoder_bias"),
        "eurobert": ("attention_bias", "mlp_bias", "tie_word_embeddings"),
        "esm": ("emb_layer_norm_before",),
    }
    values: dict[str, Any] = {
        "vocab_size": draw(st.integers(5, 300)),
        "hidden_size": 4 * heads * draw(st.integers(1, 8)),
        "num_hidden_layers": draw(st.integers(1, 3)),
        "num_attention_heads": heads,
        "intermediate_size": draw(st.integers(1, 100)),
        "max_position_embeddings": draw(st.integers(20, 60)),
        **{name: draw(st.booleans()) for name in flags.get(kind, ())},
    }
    if READINGS[kind].token_types:
        values["type_vocab_size"] = draw(st.integers(1, 3))
    if kind == "electra":
        values["embedding_size"] = draw(st.sampled_from([values["hidden_size"], 12]))
    if kind == "esm":
        values |= {"position_embedding_type": draw(st.sampled_from(["absolute", "rotary"])), "pad_token_id": 1}
        values |= {"mask_token_id": 3}
    if kind == "eurobert":
        values |= {"num_key_value_heads": draw(st.sampled_from([1, heads])), "head_dim": draw(st.sampled_from([4, 8]))}
        values |= {"classifier_pooling": draw(st.sampled_from(["late", "mean", "bos"]))}
    if kind in ("modernbert", "eurobert"):
        values |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
    return {names.get(kind, {}).get(key, key): value for key, value in values.items()}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "name"), BUILT)
@settings(max_examples=2, phases=(Phase.generate,))
@given(st.data())
def test_counts_equal_what_transformers_builds(kind: str, name: str, data: st.DataObject) -> None:
    transformers, torch = built.library("transformers", "torch"), built.library("torch")
    values = data.draw(configurations(kind))
    class_name = READINGS[kind].prefix + name
    if name in ("ForSequenceClassification", "ForTokenClassification"):
        values["num_labels"] = data.draw(st.integers(2, 5))
    model = built.counted(read(kind, **values, architectures=[class_name]), seq=12)
    config = transformers.AutoConfig.for_model(kind, **values, attn_implementation="eager")
    shape = (1, 1, 12) if name == "ForMultipleChoice" else (1, 12)
    with torch.device("meta"):
        theirs = getattr(transformers, class_name)(config)
        measured = built.measured(theirs, input_ids=torch.zeros(shape, dtype=torch.long))
    assert (model.params, model.macs) == measured

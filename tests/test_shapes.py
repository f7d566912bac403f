from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shapeplan.architectures import Decoder, ViT
from shapeplan.errors import ArgumentError, InputError
from shapeplan.readers.models import read_models
from shapeplan.readers.shapes import read_shapes


def write(tmp_path: Path, text: str, name: str = "shapes.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_certified_tables_are_read_as_they_are(shared: Path) -> None:
    for name, macs, rows in (("vit.csv", "macs", 203), ("lm.csv", "macs_fwd_seq", 15)):
        lines = [line.split(",") for line in (shared / "shapes" / name).read_text().splitlines()]
        header = lines[0]
        shapes = read_shapes(shared / "shapes" / name)
        assert len(shapes.models) == rows
        for counted, line in zip(shapes.models, lines[1:], strict=True):
            row = dict(zip(header, line, strict=False))
            assert counted.name == row["name"]
            assert (counted.model.params, counted.model.macs) == (int(row["params"]), int(row[macs])), row["name"]


def test_a_file_of_shapes(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "name,family,d_model,n_layer,d_ff,num_heads,vocab_size,ctx,note\n"
        "small,gpt2,768,12,3072,12,50257,1024,x\n"
        "flat,llama,1024,24,4096,16,32000,2048,y\n",
    )
    shapes = read_shapes(path)
    small, flat = (counted.model for counted in shapes.models)
    assert small.params == 124439808
    assert isinstance(flat, Decoder)
    assert (flat.seq, flat.positions, flat.gated, flat.tied) == (2048, 0, True, False)
    assert "column 'd_model' is read as width" in shapes.notes
    assert "ignored column: note" in shapes.notes
    (longer, _) = read_shapes(path, shared={"seq": "512"}).models
    assert longer.model.tokens == 512


def test_files_may_name_models_of_the_catalogue(tmp_path: Path) -> None:
    text = json.dumps([{"name": "SoViT-400m/14", "image": 518}, {"name": "ViT-B/16", "classes": 1000}])
    so, b = read_shapes(write(tmp_path, text, "shapes.json")).models
    assert so.model.params == 428962880
    assert b.model.params == 86566120


def test_words_of_other_libraries(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "embed_dim,depth,mlp_dim,num_heads,patch_size,img_size,global_pool,num_classes,norm_type,mlp_type,class_token\n"
        "64,2,256,4,16,224x448,token,10,rms,swiglu,true\n",
    )
    (counted,) = read_shapes(path).models
    model = counted.model
    assert isinstance(model, ViT)
    assert (model.image, model.pool, model.norm, model.gated, model.cls_token) == (
        (224, 448),
        "tok",
        "rmsnorm",
        True,
        True,
    )
    assert counted.name == "row 1"


@pytest.mark.parametrize(
    ("text", "details"),
    [
        (
            "name,width,depth,mlp_dim,heads,patch,image\na,1000,2,256,16,14,224\nb,64,2,0,4,14,224\nc,64,2,256,4,300,224\n",
            [(2, "width"), (3, "mlp_dim"), (4, "patch")],
        ),
        ("width,depth,mlp_dim,heads,patch,image\nwide,2,256,16,14,224\n", [(2, "width")]),
        ("width,depth,mlp_dim,heads,patch,image\n64,2,256,,14,224\n", [(2, "heads")]),
        ("name\nViT-Z/14\n", [(2, "name")]),
        ("family,width,depth,mlp_dim,heads\ncnn,64,2,256,4\n", [(2, "family")]),
        ("depth,heads\n2,4\n", [(1, "width")]),
        ("width,d_model,depth\n2,4,3\n", [(2, "d_model")]),
    ],
)
def test_mistakes_name_line_and_column(tmp_path: Path, text: str, details: list[tuple[int, str]]) -> None:
    with pytest.raises(InputError) as error:
        read_shapes(write(tmp_path, text))
    assert [(found.line, found.column) for found in error.value.details] == details
    assert all(found.file and found.hint for found in error.value.details)


GPT2_CONFIG = {
    **{"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_inner": None},
    **{"vocab_size": 50257, "n_positions": 1024, "activation_function": "gelu_new"},
}
QWEN_CONFIG = {
    **{"model_type": "qwen2", "hidden_size": 896, "num_hidden_layers": 24, "intermediate_size": 4864},
    **{"num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": True},
    "max_position_embeddings": 32768,
}


@pytest.mark.parametrize(("config", "params"), [(GPT2_CONFIG, 124439808), (QWEN_CONFIG, 494032768)])
def test_a_config_json_is_one_model(tmp_path: Path, config: dict[str, Any], params: int) -> None:
    (counted,) = read_shapes(write(tmp_path, json.dumps(config), "config.json")).models
    assert counted.model.params == params


def test_an_architecture_before_the_rows_holds_for_all(tmp_path: Path) -> None:
    text = """
architecture: {family: vit, patch: 14, image: 224, heads: 16, pool: map}
runs:
  - {width: 1152, depth: 27, mlp_dim: 4304}
  - {width: 1152, depth: 27, mlp_dim: 4304, image: 518}
"""
    small, large = (counted.model for counted in read_shapes(write(tmp_path, text, "a.yaml")).models)
    assert small.params == 427680704
    assert large.params == 428962880


def test_what_a_file_leaves_to_us_is_noted(tmp_path: Path) -> None:
    shapes = read_shapes(write(tmp_path, "width,depth,mlp_ratio,heads,patch,image\n1024,24,4,16,16,224\n"))
    (counted,) = shapes.models
    assert counted.model.mlp_dim == 4096
    assert "rows that say no family are counted as vit, since they have a patch" in shapes.notes
    assert any("rows that say no pool have the MAP head" in note for note in shapes.notes)


def test_columns_that_agree_may_say_the_same(tmp_path: Path) -> None:
    text = "width,d_model,depth,mlp_dim,heads,vocab,seq\n64,64,2,256,4,100,128\n"
    (counted,) = read_shapes(write(tmp_path, text)).models
    assert counted.model.width == 64


@pytest.mark.parametrize(
    ("columns", "cells", "message"),
    [
        ("num_experts", "8", "'experts_per_token' is missing; say how many experts a token visits"),
        ("mlp_ratio", "4", "'mlp_ratio' = 4.0 and mlp_dim say the same"),
        ("kv_heads", "3", "'heads' = 4 is no multiple of kv_heads = 3"),
        ("tied", "maybe", "write true or false"),
    ],
)
def test_settings_of_rows_are_strict(tmp_path: Path, columns: str, cells: str, message: str) -> None:
    text = f"width,depth,mlp_dim,heads,vocab,seq,{columns}\n64,2,256,4,100,128,{cells}\n"
    with pytest.raises(InputError) as error:
        read_shapes(write(tmp_path, text))
    assert message in str(error.value)
    assert error.value.details[0].line == 2


# --- names and settings together


def ask(*names: str, family: str | None = None, shared: dict[str, str] | None = None, **settings: str) -> list[object]:
    return [
        counted.model for counted in read_models(names, family=family, settings=settings, shared=shared or {}).models
    ]


def test_settings_make_a_shape_or_change_the_named() -> None:
    shape = {"width": "1152", "depth": "27", "mlp_dim": "4304", "heads": "16", "patch": "14"}
    own, named_one = ask(family="vit", shared={"image": "224"}, **shape), ask("SoViT-400m/14")
    assert own == named_one
    both = ask("ViT-g/14", family="vit", shared={"image": "518"}, **shape)
    assert [model.params for model in both] == [1038015488, 428962880]
    (deeper,) = ask("ViT-g/14", depth="48")
    assert isinstance(deeper, ViT)
    assert deeper.depth == 48
    mixed = ask("ViT-g/14", "llama-3-8b", shared={"image": "518", "seq": "4096"})
    assert [model.tokens for model in mixed] == [37 * 37, 4096]


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ((), {"width": "64"}, "a shape of one's own needs its family"),
        (("ViT-g/14",), {"vocab": "64"}, "'vocab' = 64 is no setting of the family 'vit'"),
        (("ViT-g/14",), {"shared": {"seq": "64"}}, "`seq` says nothing here"),
        (("ViT-g/14",), {"width": "1000"}, "'width' = 1000 is no multiple of heads = 16"),
        (("ViT-g/14",), {"width": "wide"}, "'width' = wide is not a number"),
        (("ViT-g/14",), {"width": "1" + "0" * 30}, "is above 1e9"),
        ((), {"family": "vit", "width": "64"}, "'heads' is missing"),
        ((), {"family": "cnn", "width": "64"}, "'cnn' is no family|'family' = cnn is no family"),
    ],
)
def test_options_that_make_no_sense(names: tuple[str, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        ask(*names, **options)

"""A plan as libraries read it: built by the library itself where it is installed, it has the plan's parameters."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import Program, fit, sweep

from shapeplan.architectures import ViT, architecture
from shapeplan.documents.configs import LIBRARIES, export_config
from shapeplan.documents.law import law_document
from shapeplan.documents.writing import write_file
from shapeplan.errors import ArgumentError
from shapeplan.fitting.result import Fit
from shapeplan.planning.plan import Plan
from shapeplan.planning.recommend import recommend

VIT = {"family": "vit", "patch": 14, "image": 224, "heads": 16}
LLAMA = {"family": "llama", "vocab": 32000, "seq": 2048, "head_dim": 64}
GPT2 = {"family": "gpt2", "vocab": 50304, "seq": 1024, "head_dim": 64}


def plan(settings: dict[str, Any] | None, **options: Any) -> Plan:
    """Return a plan for an architecture, under the law of the sample."""
    runs = sweep() if settings is None else replace(sweep(), architecture=architecture(settings))
    if settings is None:
        runs = replace(runs, architecture=None, heads=None)
    found: Fit = fit(runs, law="product", replicates=0)
    return recommend(found, 1e21, **options)


def library(*names: str) -> Any:
    """Return the first of some modules, all of which must be there."""
    try:
        modules = {name: importlib.import_module(name) for name in names}
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"needs {' and '.join(names)}, to load what is exported: {error}")
    return modules[names[0]]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "settings",
    [
        {**VIT, "pool": "map"},
        {**VIT, "pool": "gap", "classes": 1000},
        {"family": "timm", "patch": 16, "image": 384, "heads": 16},
        {**VIT, "pool": "tok", "classes": 10, "layer_scale": True, "qk_norm": True},
    ],
    ids=["map", "gap", "timm", "tok"],
)
def test_timm_builds_the_plan(settings: dict[str, Any]) -> None:
    torch = library("torch")
    library("timm.models.vision_transformer")
    found = plan(settings)
    scope: dict[str, Any] = {}
    with torch.device("meta"):
        exec(export_config(found, "timm").text, scope)
    assert sum(parameter.numel() for parameter in scope["model"].parameters()) == found.budgets[0].params
    assert export_config(found, "timm").cautions == ()


def test_the_ratio_for_timm_gives_the_mlp_dim_back() -> None:
    """Timm takes ``int(width * mlp_ratio)``, which a ratio rounded down would miss by one."""
    found = plan({**VIT, "pool": "map"})
    for width in range(16, 3000, 16):
        for mlp_dim in range(width + 16, 6 * width, 1008):
            shaped = replace(found.budgets[0], rounded={"width": width, "depth": 12, "mlp_dim": mlp_dim})
            text = export_config(replace(found, budgets=(shaped,)), "timm").text
            ratio = float(next(line for line in text.split("\n") if "mlp_ratio" in line).split("=")[1].rstrip(","))
            assert int(width * ratio) == mlp_dim


@pytest.mark.filterwarnings("ignore")
def test_hugging_face_builds_the_llama() -> None:
    transformers = library("transformers", "torch")
    torch = library("torch")
    found = plan(LLAMA)
    export = export_config(found, "hf-llama")
    config = transformers.LlamaConfig.from_dict(json.loads(export.text))
    with torch.device("meta"):
        model = transformers.LlamaForCausalLM(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == found.budgets[0].params
    assert export.cautions == ()


@pytest.mark.filterwarnings("ignore")
def test_hugging_face_builds_the_vit() -> None:
    transformers = library("transformers", "torch")
    torch = library("torch")
    found = plan({**VIT, "pool": "tok", "prefix_positions": True})
    export = export_config(found, "hf-vit")
    config = transformers.ViTConfig.from_dict(json.loads(export.text))
    with torch.device("meta"):
        model = transformers.ViTModel(config, add_pooling_layer=False)
    assert sum(parameter.numel() for parameter in model.parameters()) == found.budgets[0].params
    assert export.cautions == ()
    other = export_config(plan({**VIT, "pool": "map"}), "hf-vit")
    assert "hf-vit is not told of pool=map" in other.cautions[0].message


def test_big_vision_reads_the_plan() -> None:
    """Its Model takes these names (big_vision/models/vit.py); ours of the same settings has the plan's parameters."""
    found = plan({**VIT, "pool": "map"})
    config = SimpleNamespace()
    exec(export_config(found, "big_vision").text, {"config": config})
    model = dict(config.model)
    assert config.model_name == "vit"
    patch, pool = model.pop("patch_size"), model.pop("pool_type")
    assert patch == (14, 14)
    again = ViT(heads=model.pop("num_heads"), patch=14, image=224, pool=pool, **model)
    assert again.params == found.budgets[0].params


def test_big_vision_builds_the_plan() -> None:
    vit = library("big_vision.models.vit")
    config = SimpleNamespace()
    exec(export_config(plan({**VIT, "pool": "map"}), "big_vision").text, {"config": config})
    assert vit.Model(num_classes=None, **config.model).width == config.model["width"]


def test_nanogpt_reads_the_plan_and_is_told_of_its_mlp() -> None:
    found = plan(GPT2)
    export = export_config(found, "nanogpt")
    scope: dict[str, Any] = {}
    exec(export.text, {}, scope)
    rounded = found.budgets[0].rounded
    assert scope == {
        "n_layer": rounded["depth"],
        "n_head": rounded["width"] // 64,
        "n_embd": rounded["width"],
        "block_size": 1024,
        "bias": True,
    }
    assert [caution.code for caution in export.cautions] == ["export-differs"]
    assert "nanoGPT's MLP is 4 times the width" in export.cautions[0].message


def test_nanogpt_is_told_of_biases_that_it_has_all_or_none_of() -> None:
    without = dict.fromkeys(("qkv_bias", "out_bias", "mlp_bias"), False)
    bare = export_config(plan({**GPT2, **without, "norm": "layernorm_nobias"}), "nanogpt")
    assert "bias = False" in bare.text
    assert not [caution for caution in bare.cautions if "biases" in caution.message]
    mixed = export_config(plan({**GPT2, "qkv_bias": False}), "nanogpt")
    message = "nanoGPT has all its biases or none, where this model has qkv_bias=False"
    assert message in [caution.message for caution in mixed.cautions]


def test_heads_of_the_user_are_exported() -> None:
    export = export_config(plan({**VIT, "pool": "map"}, head_dim=64), "big_vision")
    width = int(export.text.split("width=")[1].split(",")[0])
    assert f"num_heads={width // 64}," in export.text


def test_what_cannot_be_exported_is_told() -> None:
    vit = plan({**VIT, "pool": "map"})
    for name, message in (("hf-llama", "write one of big_vision, timm, hf-vit"), ("nanogpt", "another kind of model")):
        with pytest.raises(ArgumentError, match=message):
            export_config(vit, name)
    with pytest.raises(ArgumentError, match="prints one shape, and there are 2 budgets"):
        export_config(recommend(vit.fit, [1e20, 1e21]), "timm")
    bare = plan(None)
    without = recommend(bare.fit, 1e21, preset="none")
    with pytest.raises(ArgumentError, match="needs heads, for which the law has no rule; give `heads` or `head_dim`"):
        export_config(without, "timm")
    with pytest.raises(ArgumentError, match="`format=hf` writes the architecture's own family, and the law has none"):
        export_config(bare, "hf")
    for name in LIBRARIES.keys() - {"hf"}:
        codes = [caution.code for caution in export_config(bare, name).cautions]
        assert codes[0] == "export-defaults"
    flat = replace(sweep(), architecture=None, dims=("width", "depth"), shape=np.asarray(sweep().shape[:, :2]))
    narrow = recommend(fit(flat, law="product", replicates=0), 1e21)
    with pytest.raises(ArgumentError, match="needs mlp_dim, which the law does not give"):
        export_config(narrow, "timm")


def test_the_program_prints_a_config_and_nothing_else(program: Program, tmp_path: Path) -> None:
    write_file(tmp_path / "law.json", law_document(plan({**VIT, "pool": "map"}).fit).dumps(), ())
    done = program("recommend", "--law", "law.json", "--flops", "1e21", "--format", "hf-vit")
    assert json.loads(done.stdout)["model_type"] == "vit"
    assert "export-differs" in done.stderr
    saved = program("recommend", "--law", "law.json", "--flops", "1e21", "--format", "timm", "-o", "model.py")
    assert saved.stdout == ""
    assert (tmp_path / "model.py").read_text().startswith("# shapeplan: optimum of the law product for 1e21")

"""How a plan is trained, as libraries read it: what is known is in the file, and of the rest a comment says why."""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from conftest import Program, fit, sweep
from hypothesis import given
from hypothesis import strategies as st
from tuned import SEQ, rows

from shapeplan.architectures import architecture
from shapeplan.documents.configs import FORMATS, LIBRARIES, export_config
from shapeplan.documents.configs.nanochat import built_width
from shapeplan.documents.configs.python_text import ratio_to
from shapeplan.documents.files import read_law
from shapeplan.documents.law import fit_of, law_document
from shapeplan.documents.writing import write_file
from shapeplan.errors import ArgumentError, InputError
from shapeplan.fitting.result import Fit
from shapeplan.fitting.tuning.power_law import PowerLaw, Tuned, Tuning
from shapeplan.planning.plan import Plan
from shapeplan.planning.recommend import recommend
from shapeplan.planning.training import training_of
from shapeplan.readers.config_files import assignments
from shapeplan.readers.configs.read import read_config
from shapeplan.readers.read import read_runs
from shapeplan.readers.selection import Selection

LLAMA = {"family": "llama", "vocab": 32000, "seq": SEQ, "head_dim": 64}
GPT2 = {"family": "gpt2", "vocab": 50304, "seq": SEQ, "head_dim": 64}
NANOCHAT = {"family": "nanochat", "vocab": 65536, "seq": SEQ, "head_dim": 64}
VIT = {"family": "vit", "patch": 14, "image": 224, "heads": 16}
TRAINED = ("nanogpt", "nanochat", "torchtitan", "megatron", "hf-training")
BUDGET = 3e18
UNTOLD = Tuned(reason="the log has no column that tells the learning rate")


def best_rate(params: float, tokens: float) -> float:
    return 0.3118 * (6 * params * tokens) ** -0.125


def best_batch(params: float, tokens: float) -> float:
    return 0.05 * (6 * params * tokens) ** 0.33


def fitted(settings: dict[str, Any], *, tuned: bool = True) -> Fit:
    """Return the law of a sweep, whose log tells learning rates, batches and warm-up, or none of them."""
    log = rows(best_rate, batch=best_batch, warmup_steps=20)
    selection = Selection(best_of=("learning_rate", "batch_tokens"))
    if not tuned:
        log, selection = [{name: row[name] for name in row if name in _SHAPED} for row in log[12::25]], Selection()
    runs = read_runs(log, architecture=architecture(settings), selection=selection)
    return fit(runs, law="separable", replicates=0)


_SHAPED = ("run", "width", "depth", "mlp_dim", "tokens", "training_flops", "loss")


def plan(settings: dict[str, Any], *, tuned: bool = True, flops: float = BUDGET) -> Plan:
    return recommend(fitted(settings, tuned=tuned), flops, force=True)


def vit(**options: Any) -> Plan:
    return recommend(
        fit(replace(sweep(), architecture=architecture(VIT)), law="product", replicates=0), 1e21, **options
    )


def with_tuning(found: Plan, tuning: Tuning | None) -> Plan:
    return replace(found, fit=replace(found.fit, log=replace(found.fit.log, tuning=tuning)))


def power(exponents: dict[str, float], value: float, scatter: float = 0.01) -> PowerLaw:
    one = dict.fromkeys(exponents, 1e18)
    covered = dict.fromkeys(exponents, (1e17, 1e19))
    size = range(len(exponents))
    spread = tuple(tuple(float(i == j) for j in size) for i in size)
    return PowerLaw(value, one, exponents, covered, scatter, spread, 6, 2.1, 0.9, 1.05)


def number(text: str) -> int | float | str:
    """Return what an argument says, as argparse's own types read it."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def code(text: str) -> str:
    """Return a text without its comments."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def parsed(library: str, text: str) -> dict[str, Any]:
    """Return the settings of a text, in the names of the library."""
    if library == "nanogpt":
        return assignments(text, "train.py")
    if library == "hf-training":
        return yaml.safe_load(text) or {}
    if library == "torchtitan":
        found = tomllib.loads(text)
        return {f"{section}.{name}": value for section, held in found.items() for name, value in held.items()}
    words = [word for body in re.findall(r"_ARGS=\((.*?)\n\)", code(text), re.S) for word in shlex.split(body)]
    names = [word for word in words if word.startswith("--")]
    parser = argparse.ArgumentParser()
    for name in names:
        i = words.index(name)
        is_switch = i + 1 == len(words) or words[i + 1].startswith("--")
        parser.add_argument(name, **({"action": "store_true"} if is_switch else {"type": number}))
    return {name.replace("_", "-"): value for name, value in vars(parser.parse_args(words)).items()}


SETTINGS = {
    "nanogpt": ("batch_size", "max_iters", "warmup_iters", "learning_rate"),
    "nanochat": ("total-batch-size", "num-iterations", "warmup-steps", None),
    "torchtitan": ("training.global_batch_size", "training.steps", "lr_scheduler.warmup_steps", "optimizer.lr"),
    "megatron": ("global-batch-size", "train-iters", "lr-warmup-iters", "lr"),
    "hf-training": (None, "max_steps", "warmup_steps", "learning_rate"),
}


@pytest.mark.parametrize("library", TRAINED)
def test_what_the_log_tells_stands_in_the_file(library: str) -> None:
    found = plan(LLAMA)
    budget = found.budgets[0]
    said = parsed(library, export_config(found, library).text)
    batch, steps, warmup, rate = SETTINGS[library]
    flops = budget.achieved_flops or 0
    wanted = 0.05 * flops**0.33
    assert steps is not None
    if batch is not None:
        size = said[batch] * (1 if library == "nanochat" else SEQ)
        assert size == pytest.approx(wanted, rel=0.12)
        assert 0 <= (budget.examples or 0) - said[steps] * size < size
    assert said[warmup or ""] == 20
    if rate is not None:
        assert said[rate] == pytest.approx(0.3118 * flops**-0.125, rel=0.02)
        assert isinstance(said[rate], float)


@pytest.mark.parametrize("library", TRAINED)
def test_what_the_log_does_not_tell_is_left_to_the_user(library: str) -> None:
    found = plan(LLAMA, tuned=False)
    text = export_config(found, library).text
    assert not set(SETTINGS[library]) & parsed(library, text).keys()
    tokens = f"{found.budgets[0].examples:,} tokens"
    for remark in (
        f"# batch and steps are yours to set: the log of the law does not tell it; the plan is {tokens}\n",
        "# learning rate is yours to set: the log of the law does not tell it\n",
        "# warm-up is yours to set: the log of the law tells none that is the same in every run\n",
    ):
        assert remark in text


@pytest.mark.long
@given(st.floats(SEQ, 1e8))
def test_steps_of_the_batch_are_the_plan_but_for_a_batch(batch: float) -> None:
    found = plan(LLAMA, tuned=False)
    training = training_of(found, batch)
    assert training.batch.value is not None
    assert training.inputs == training.batch.value / SEQ
    assert abs(training.batch.value - batch) <= SEQ / 2
    assert 0 <= (found.budgets[0].examples or 0) - (training.steps or 0) * training.batch.value < training.batch.value


def test_the_batch_of_the_user_goes_first() -> None:
    text = export_config(plan(LLAMA), "torchtitan", 2**16).text
    assert parsed("torchtitan", text)["training.global_batch_size"] == 128
    assert "# batch: 65,536 tokens (128 sequences of 512), as given; " in text


def test_a_learning_rate_of_other_batches_is_not_taken() -> None:
    text = export_config(plan(LLAMA), "megatron", 2**22).text
    assert "lr" not in parsed("megatron", text)
    assert re.search(
        r"# learning rate is yours to set: the log's best, 0\.00\d+, is that of a batch of [0-9,]+ tokens\n", text
    )


def test_a_value_whose_interval_is_wide_is_not_taken() -> None:
    unsure = Tuning(Tuned(law=power({"flops": -0.1}, 1e-3, scatter=0.7)), Tuned(constant=2.0**17, reason="constant"))
    training = training_of(with_tuning(plan(LLAMA), unsure))
    assert training.lr.value is None
    assert "which is too wide (as flops^-0.1, 6 groups of the log, backtest off by 1.05x)" in training.lr.why
    assert (training.batch.value, training.batch.why) == (2.0**17, "that of every run of the log")


def test_a_batch_of_the_log_that_is_more_than_the_plan_is_not_taken() -> None:
    training = training_of(with_tuning(plan(LLAMA), Tuning(UNTOLD, Tuned(constant=1e13, reason="constant"))))
    assert training.batch.value is None
    assert training.batch.why == "that of the log, 10,000,000,000,000, is more than the whole plan"


def test_warm_up_is_a_share_where_the_log_has_one() -> None:
    told = Tuning(UNTOLD, Tuned(constant=2.0**17, reason="constant"), warmup_share=0.02)
    training = training_of(with_tuning(plan(LLAMA), told))
    assert training.warmup.value == round(0.02 * (training.steps or 0))
    without = training_of(with_tuning(plan(LLAMA), replace(told, batch=UNTOLD)))
    assert without.warmup.why == "the log's is 0.02 of the steps, which are not known"
    long = training_of(with_tuning(plan(LLAMA), replace(told, warmup_share=None, warmup_steps=1e9)))
    assert "the log's 1,000,000,000 steps are not less than the plan's" in long.warmup.why


def test_a_law_document_keeps_what_the_log_tells(tmp_path: Path) -> None:
    found = fitted(LLAMA)
    write_file(tmp_path / "law.json", law_document(found).dumps(), ())
    again = read_law(str(tmp_path / "law.json"))
    assert again.log.tuning == found.log.tuning
    for library in TRAINED:
        texts = {export_config(recommend(one, BUDGET, force=True), library).text for one in (found, again)}
        assert len(texts) == 1
    document = law_document(found)
    assert fit_of(document.model_copy(update={"tuning": None})).log.tuning is None


def test_a_law_document_whose_power_law_does_not_hold_together_is_refused(tmp_path: Path) -> None:
    text = law_document(fitted(LLAMA)).dumps()
    for wrong, message in (
        (
            text.replace('"exponents": {"flops": -0.1', '"exponents": {"depth": -0.1', 1),
            "one of flops, params and examples",
        ),
        (re.sub(r'"backtest": [0-9.]+', '"backtest": 0.5', text, count=1), "is not in 1 ... 1000"),
    ):
        assert wrong != text
        (tmp_path / "law.json").write_text(wrong)
        with pytest.raises(InputError, match=message):
            read_law(str(tmp_path / "law.json"))


def test_nanogpt_is_read_back_as_the_plan() -> None:
    found = plan(GPT2)
    read = read_config(assignments(export_config(found, "nanogpt", 2**17).text, "train.py"))
    assert read is not None
    rounded = found.budgets[0].rounded
    assert (read.settings["width"], read.settings["depth"]) == (rounded["width"], rounded["depth"])
    assert read.settings["heads"] == found.budgets[0].heads


def test_the_flavor_of_torchtitan_is_read_back_as_the_plan() -> None:
    """Its arguments are those of Meta's ``params.json``, which are counted too."""
    found = plan(LLAMA)
    export = export_config(found, "torchtitan")
    assert export.cautions == ()
    flavor = re.search(r"TransformerModelArgs\((.*)\)", export.text)
    assert flavor
    read = read_config(eval(f"dict({flavor[1]})"))
    assert read is not None
    assert read.model().params == found.budgets[0].params
    for width in range(64, 4096, 64):
        for mlp_dim in range(width, 6 * width, 208):
            assert int(ratio_to(mlp_dim, 8 * width // 3) * int(2 * (4 * width) / 3)) == mlp_dim


def test_megatron_is_told_the_architecture() -> None:
    found = plan({**LLAMA, "kv_heads": 2})
    export = export_config(found, "megatron")
    assert export.cautions == ()
    said, rounded = parsed("megatron", export.text), found.budgets[0].rounded
    assert (said["hidden-size"], said["num-layers"], said["ffn-hidden-size"]) == tuple(
        rounded.get(dim, 4 * rounded["width"]) for dim in ("width", "depth", "mlp_dim")
    )
    assert (said["group-query-attention"], said["num-query-groups"]) == (True, 2)
    assert (said["position-embedding-type"], said["normalization"]) == ("rope", "RMSNorm")
    assert said["swiglu"]
    assert said["disable-bias-linear"]
    assert said["untie-embeddings-and-output-weights"]
    plain = parsed("megatron", export_config(plan(GPT2), "megatron").text)
    assert plain["position-embedding-type"] == "learned_absolute"
    assert not {"swiglu", "disable-bias-linear", "group-query-attention"} & plain.keys()
    odd = export_config(plan({**LLAMA, "norm": "layernorm_nobias"}), "megatron").cautions
    assert [caution.message for caution in odd] == ["Megatron has no argument for norm=layernorm_nobias"]


def test_nanochat_ties_the_width_to_the_depth() -> None:
    found = plan(NANOCHAT)
    export = export_config(found, "nanochat")
    said, rounded = parsed("nanochat", export.text), found.budgets[0].rounded
    assert built_width(said["depth"], said["aspect-ratio"], said["head-dim"]) == rounded["width"]
    assert said["window-pattern"] == "L"
    assert export.cautions == ()
    deep = replace(found.budgets[0], rounded={"width": 256, "depth": 300, "mlp_dim": 512}, heads=4)
    missed = [caution.message for caution in export_config(replace(found, budgets=(deep,)), "nanochat").cautions]
    assert missed == [
        "nanochat's MLP is 4 times the width, 1024, where this shape has 512",
        "nanochat's width is the depth times a whole number, and this shape has 256 at 300",
    ]


def test_vision_trainers_are_told_what_they_read() -> None:
    found = vit(max_examples=1e9, epochs=1)
    text = export_config(found, "big_vision", 4096).text
    config = SimpleNamespace(input=SimpleNamespace())
    exec(text, {"config": config})
    assert config.input.batch_size == 4096
    assert config.total_steps == (found.budgets[0].examples or 0) // 4096
    assert not hasattr(config, "lr")
    timm = export_config(found, "timm", 4096).text
    assert "# batch: 4,096 examples, as given; " in timm
    assert re.search(r"# epochs: [0-9.]+ of 1,000,000,000 examples\n", timm)
    assert not [line for line in export_config(found, "timm").text.splitlines()[1:] if line.startswith("#")]


def test_what_a_batch_cannot_be_is_an_error() -> None:
    found = plan(LLAMA, tuned=False)
    for batch, message in (
        (100.0, r"`batch` cannot be 100; give at least a sequence, 512 tokens"),
        (1e15, r"`batch` of 1,000,000,000,000,000 tokens is more than the whole plan, [0-9,]+"),
        (float("nan"), "`batch` cannot be nan"),
    ):
        with pytest.raises(ArgumentError, match=message):
            export_config(found, "torchtitan", batch)
    with pytest.raises(
        ArgumentError, match="`format=hf` is the model alone, and has no batch; write `format=hf-training`"
    ):
        export_config(found, "hf", 2**17)


def test_training_arguments_need_no_heads() -> None:
    bare = fit(replace(sweep(), architecture=None, heads=None), law="product", replicates=0)
    text = export_config(recommend(bare, 1e21, preset="none"), "hf-training", 4096).text
    assert parsed("hf-training", text).keys() == {"max_steps"}


def test_the_library_reads_training_arguments(tmp_path: Path) -> None:
    for name in ("torch", "accelerate"):
        pytest.importorskip(name)
    transformers = pytest.importorskip("transformers")
    text = export_config(plan(LLAMA), "hf-training").text
    written = tmp_path / "arguments.yaml"
    written.write_text(text)
    (read,) = transformers.HfArgumentParser((transformers.TrainingArguments,)).parse_yaml_file(str(written))
    told = parsed("hf-training", text)
    assert told.keys() == {"max_steps", "learning_rate", "warmup_steps"}
    assert {name: getattr(read, name) for name in told} == told


def test_small_numbers_are_numbers_in_every_language() -> None:
    told = Tuning(Tuned(law=power({"flops": 0.0}, 3e-5)), UNTOLD)
    found = with_tuning(plan(LLAMA), told)
    for library in TRAINED:
        name = SETTINGS[library][3]
        if name is not None:
            assert parsed(library, export_config(found, library).text)[name] == 3e-5


def test_the_program_takes_a_batch_for_configurations_alone(program: Program, tmp_path: Path) -> None:
    write_file(tmp_path / "law.json", law_document(fitted(LLAMA)).dumps(), ())
    asked = ("recommend", "--law", "law.json", "--flops", "3e18", "--force")
    done = program(*asked, "--format", "torchtitan", "--batch", "65536")
    assert tomllib.loads(done.stdout)["training"]["global_batch_size"] == 128
    wrong = program(*asked, "--batch", "65536")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    hint = "give e.g. --format torchtitan, or leave it out"
    assert wrong.stderr == f"error: --batch is of a configuration, and --format names none; {hint}\n"
    small = program(*asked, "--format", "torchtitan", "--batch", "7")
    assert "error: --batch cannot be 7; give at least a sequence, 512 tokens" in small.stderr


def test_every_format_is_in_the_help_and_on_the_page(program: Program) -> None:
    shown, page = program("recommend", "--help").stdout, program("explain", "formats").stdout
    for name in FORMATS:
        assert name in re.sub(r"\s+", "", shown)
        assert f"`{name}`" in page
    assert set(TRAINED) - {"hf-training"} < LIBRARIES.keys()

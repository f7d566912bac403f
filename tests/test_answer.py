"""The first lines of a plan: a person can act on them, and every number of them is in the document."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program

import shapeplan as sp
from shapeplan.errors import ArgumentError
from shapeplan.fitting.result import Fit
from shapeplan.planning.answer import answer
from shapeplan.planning.plan import BudgetPlan, Plan
from shapeplan.quantities import format_factor
from shapeplan.runs import Runs

LAW = {"replicates": 60, "law": "separable"}


def grid(path: Path, ratios: tuple[float, ...] = (10.0, 20.0, 40.0)) -> Path:
    """Write a grid of decoders at some tokens per parameter."""
    rng = np.random.default_rng(0)
    lines = ["run,width,depth,mlp_dim,tokens,loss"]
    for width in (256, 384, 512, 768):
        for depth in (4, 6, 8, 12):
            for mlp in (2 * width, 3 * width, 4 * width):
                params = depth * (4 * width**2 + 2 * width * mlp)
                for ratio in ratios:
                    tokens = ratio * params
                    loss = 1.7 + 60 * width**-0.8 + 3 * depth**-1.1 + 20 * mlp**-0.6 + 300 * tokens**-0.3
                    loss *= np.exp(0.003 * rng.standard_normal())
                    lines.append(f"w{width}d{depth}m{mlp}r{ratio:g},{width},{depth},{mlp},{tokens:.0f},{loss:.6g}")
    path.write_text("\n".join(lines) + "\n")
    (path.parent / "lm.yaml").write_text("architecture: {family: gpt2, vocab: 512, seq: 1024, head_dim: 64}\n")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grid(tmp_path_factory.mktemp("answer") / "log.csv").parent


@pytest.fixture(scope="module")
def runs(folder: Path) -> Runs:
    return sp.read_runs(folder / "log.csv", config=folder / "lm.yaml")


@pytest.fixture(scope="module")
def fit(runs: Runs) -> Fit:
    return sp.fit(runs, **LAW)  # type: ignore[arg-type]


def only(plan: Plan) -> BudgetPlan:
    (budget,) = plan.budgets
    return budget


def test_the_first_line_says_what_to_train_on_how_much(fit: Fit) -> None:
    plan = sp.recommend(fit, 10 * fit.flops_range[1])
    budget = only(plan)
    assert budget.params is not None
    assert budget.examples is not None
    assert budget.examples_per_param == pytest.approx(budget.examples / budget.params)
    first = answer(plan, budget)[0]
    sizes = " x ".join(str(budget.rounded[dim]) for dim in ("width", "depth", "mlp_dim"))
    assert first.startswith(f"Train {sizes} ({budget.heads} heads of 64): ")
    assert f"({budget.examples_per_param:.3g} per parameter)" in first
    assert first.endswith("training FLOPs.")


def test_trust_names_the_distance_and_the_error_at_it(fit: Fit) -> None:
    largest = fit.flops_range[1]
    lines = {
        factor: answer(plan, only(plan)) for factor in (0.5, 2.0, 1e4) if (plan := sp.recommend(fit, factor * largest))
    }
    assert any(line == "Trust: within the compute of your runs." for line in lines[0.5])
    (near,) = [line for line in lines[2.0] if line.startswith("Trust")]
    assert re.fullmatch(
        r"Trust: 2x beyond your largest run in compute; at that distance this law was off by .*% on your own runs "
        r"\(fitted to the small, asked for the large\)\.",
        near,
    )
    (far,) = [line for line in lines[1e4] if line.startswith("Trust")]
    assert "as far as the log can test, this law was off by" in far
    tested = only(sp.recommend(fit, 2.0 * largest)).tested
    assert tested is not None
    assert f"{tested.rmse:.2%}" in near


def test_trust_names_how_far_below_all_runs_a_budget_is(fit: Fit) -> None:
    plan = sp.recommend(fit, fit.flops_range[0] / 100, force=True)
    (line,) = [line for line in answer(plan, only(plan)) if line.startswith("Trust")]
    assert re.fullmatch(r"Trust: 10\d(\.\d+)?x below your smallest run in compute, where nothing tests the law\.", line)


def test_trust_names_examples_where_they_are_farther_out_than_compute(fit: Fit) -> None:
    largest, seen = fit.flops_range[1], fit.examples_range
    assert seen is not None
    for factor, start in ((1.0, "within the compute of your runs, "), (2.0, "2x beyond your largest run in compute, ")):
        plan = sp.recommend(fit, factor * largest, max_params=1e6)
        budget = only(plan)
        assert budget.examples is not None
        more = format_factor(budget.examples / seen[1])
        (line,) = [line for line in answer(plan, budget) if line.startswith("Trust")]
        beyond = f" beyond them in {fit.examples_unit}" if factor == 1.0 else f" in {fit.examples_unit}"
        assert line.startswith(f"Trust: {start}{more}{beyond}; at ")


def test_trust_tells_how_far_rows_beside_a_star_are_missed() -> None:
    star = sp.fit(sp.read_runs(SAMPLES / "vit_sweep.csv"), law="star", replicates=50)
    assert star.grid_error is not None
    missed = f"the rows beside the star are missed by {star.grid_error.rmse:.2%}"
    for factor in (0.5, 2.0):
        plan = sp.recommend(star, factor * star.flops_range[1])
        (line,) = [line for line in answer(plan, only(plan)) if line.startswith("Trust")]
        assert line.endswith(f"; {missed}, so that only the growth of the sizes is of the law.")


def test_trust_is_of_no_backtest_where_a_size_is_far_beyond_all_runs(fit: Fit) -> None:
    largest = fit.flops_range[1]
    least, most = fit.shape_range["width"]
    for options, told in (
        ({"fix": {"width": 5 * most}}, "width (5x the largest)"),
        ({"fix": {"width": least / 4}}, "width (4x below the least)"),
        ({"multiples": {"width": int(8 * most)}}, "width (8x the largest)"),
    ):
        plan = sp.recommend(fit, 2 * largest, **options)  # type: ignore[arg-type]
        (line,) = [line for line in answer(plan, only(plan)) if line.startswith("Trust")]
        assert f"; beyond any run in {told}" in line
        assert line.endswith(", where nothing tests the law.")
        assert not any(line.startswith("If you want to stay within") for line in answer(plan, only(plan)))


def test_the_best_within_the_trained_sizes_is_named_where_the_plan_is_beyond_them(fit: Fit) -> None:
    budget = only(sp.recommend(fit, 30 * fit.flops_range[1]))
    inside = budget.in_range
    assert inside is not None
    assert inside.regret is not None
    assert inside.regret > 0
    for dim, size in inside.shape.items():
        least, most = fit.shape_range[dim]
        assert least <= size <= most
    plan = sp.recommend(fit, fit.flops_range[0] * 3)
    if not {"width", "depth", "mlp_dim"} & set(only(plan).extrapolation):
        assert only(plan).in_range is None
        assert not any("stay within" in line for line in answer(plan, only(plan)))


def test_a_ratio_beyond_those_of_the_log_is_a_warning(fit: Fit, tmp_path: Path) -> None:
    assert fit.examples_per_param == pytest.approx((10, 40), rel=0.35)
    largest = fit.flops_range[1]
    held = only(sp.recommend(fit, 30 * largest, max_params=3e6))
    (caution,) = [caution for caution in held.cautions if caution.code == "ratio-extrapolation"]
    assert "tokens per parameter are more than in any row of the log" in caution.message
    few = sp.recommend(fit, 30 * largest, max_examples=2e7)
    assert any("fewer than in any row" in caution.message for caution in only(few).cautions)
    within = [only(sp.recommend(fit, factor * largest)) for factor in (0.1, 1.0) if fit.examples_per_param is not None]
    for budget in within:
        assert budget.examples_per_param is not None
        beyond = not 10 * 0.65 <= budget.examples_per_param <= 40 * 1.35
        assert (
            beyond
            or "ratio-extrapolation" not in {caution.code for caution in budget.cautions}
            or budget.examples_per_param < fit.examples_per_param[0]
            or budget.examples_per_param > fit.examples_per_param[1]
        )


def test_a_published_law_says_that_it_is_one() -> None:
    plan = sp.recommend(sp.published_law(), 1e21)
    lines = answer(plan, only(plan))
    assert lines[1] == "Trust: a published law; no run of yours is behind it."
    assert only(plan).in_range is None


def test_what_is_typed_next_works_and_every_number_is_in_the_document(
    program: Program, folder: Path, tmp_path: Path
) -> None:
    options = ("--config", folder / "lm.yaml", "--law", "separable", "--replicates", "60")
    fitted = program("fit", folder / "log.csv", *options, "-o", "law.json")
    assert fitted.returncode == 0, fitted.stderr
    following = next(line for line in fitted.stderr.splitlines() if line.startswith("note: next: "))
    words = shlex.split(following.removeprefix("note: next: "))
    assert words[:4] == ["shapeplan", "recommend", "--law", "law.json"]
    planned = program(*words[1:])
    assert planned.returncode == 0, planned.stderr
    lines = planned.stdout.splitlines()
    assert lines[0].startswith("Train ")
    assert [line.split()[0] for line in lines[:5]] == ["Train", "Expect", "Trust:", "If", "Next:"]
    command, _, file = lines[4].removeprefix("Next: shapeplan ").partition(" > ")
    assert file in ("config.json", "train_shape.py", "model.py")
    config = program(*shlex.split(command))
    assert config.returncode == 0, config.stderr
    assert "n_layer" in config.stdout
    document = json.loads(program(*words[1:], "--json").stdout)
    (budget,) = document["budgets"]
    numbers = [*budget["rounded"].values(), budget["flops_training"], budget["flops"] / document["flops_range"][1]]
    numbers += [budget["examples_per_param"], budget["loss"]["value"], *budget["loss"]["ci"]]
    numbers += [
        budget["params"] / 1e6,
        budget["examples"] / 1e6,
        budget["head_dim"],
    ]
    numbers += [budget["params"] / 1e9, budget["examples"] / 1e9, 100 * document["tolerance"]]
    numbers += [end for ends in budget["valley"].values() for end in ends]
    numbers += [100 * budget["tested"]["rmse"], budget["tested"]["distance"]]
    inside = budget["in_range"]
    numbers += [*inside["shape"].values(), 100 * inside["regret"], inside["examples"] / 1e6, inside["examples"] / 1e9]
    assert budget["answer"] == lines[:4]
    for shown in re.findall(r"\d+\.?\d*(?:e\d+)?", " ".join(lines[:4])):
        assert any(abs(float(shown) - number) <= max(0.006 * abs(number), 0.0051) for number in numbers), shown


@pytest.mark.parametrize("name", ["runs.csv", "bare.csv"], ids=["with an architecture", "without parameters"])
def test_a_plan_as_csv_is_a_log_of_the_loss_that_it_expects(name: str, program: Program, tmp_path: Path) -> None:
    config = ("--config", SAMPLES / "stdlib_lm" / "config.yaml") if name == "runs.csv" else ()
    log = SAMPLES / "stdlib_lm" / "runs.csv"
    if name == "bare.csv":
        rows = [",".join(line.split(",")[i] for i in (0, 1, 2, 3, 7, 8, 9)) for line in log.read_text().splitlines()]
        log = tmp_path / name
        log.write_text("\n".join(rows) + "\n")
    done = program("fit", log, *config, "--law", "separable", "--replicates", "20", "-o", "law.json", "-q")
    assert done.returncode == 0, done.stderr
    planned = program("recommend", "--law", "law.json", "--flops", "1e14", "--format", "csv", "-o", "plan.csv", "-q")
    assert planned.returncode == 0, planned.stderr
    predicted = program("predict", "law.json", "plan.csv", "--json")
    assert predicted.returncode == 0, predicted.stderr
    (row,) = json.loads(predicted.stdout)["rows"]
    (expected,) = csv.DictReader((tmp_path / "plan.csv").read_text().splitlines())
    for name, column in (("predicted", "loss"), ("lower", "loss_lower"), ("upper", "loss_upper")):
        assert row[name] == pytest.approx(float(expected[column]), rel=1e-3), name


@pytest.mark.long
def test_a_log_is_planned_in_one_command(program: Program, folder: Path) -> None:
    config = ("--config", folder / "lm.yaml")
    once = program("recommend", "--log", folder / "log.csv", *config, "--flops", "1e18", "--json")
    assert once.returncode == 0, once.stderr
    program("fit", folder / "log.csv", *config, "-o", "law.json")
    twice = program("recommend", "--law", "law.json", "--flops", "1e18", "--json")
    assert json.loads(once.stdout)["budgets"] == json.loads(twice.stdout)["budgets"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--law", "x.json", "--log", "x.csv"), "a law is given with --law, and a log to fit one to with --log"),
        (("--config", "x.yaml"), "--config tells how a log is read, and no --log is given"),
        (("--metric", "loss"), "--metric tells how a log is read, and no --log is given"),
    ],
)
def test_a_law_and_a_log_exclude_each_other(program: Program, options: tuple[str, ...], said: str) -> None:
    done = program("recommend", *options, "--flops", "1e18")
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_a_fit_that_is_not_saved_says_so(program: Program) -> None:
    options = ("--law", "separable", "--replicates", "0")
    done = program("fit", SAMPLES / "vit_sweep.yaml", *options)
    assert "note: the law is not saved: add -o law.json, to plan from it" in done.stderr
    assert "not saved" not in program("fit", SAMPLES / "vit_sweep.yaml", *options, "--json").stderr


def test_models_without_shape_are_planned_by_parameters(tmp_path: Path) -> None:
    lines = ["params,tokens,flops,loss"]
    for params in np.geomspace(1e8, 3e9, 6):
        for tokens in np.geomspace(1e9, 1e11, 6):
            loss = 1.8 + 482 / params**0.348 + 2085 / tokens**0.366
            lines.append(f"{params:.6g},{tokens:.6g},{6 * params * tokens:.6g},{loss:.6f}")
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    plan = sp.recommend(sp.fit(sp.read_runs(tmp_path / "log.csv"), law="chinchilla", replicates=0), 1e22)
    lines = answer(plan, only(plan))
    assert re.match(
        r"Train a model of about [\d.]+B parameters on about \d+B tokens \([\d.]+ per parameter\), 1e22", lines[0]
    )
    assert "B parameters lose at most 0.5%." in lines[1]


@pytest.mark.parametrize("argument", ["flops"])
def test_a_plan_of_nothing_is_refused(fit: Fit, argument: str) -> None:
    with pytest.raises(ArgumentError):
        sp.recommend(fit, **{argument: []})


def test_reprs_are_one_screen(runs: Runs, fit: Fit) -> None:
    """Of everything that a session at the prompt returns: at most 24 lines of 80 characters."""
    plan = sp.recommend(fit, [1e18, 1e19])
    shown = (runs, fit, fit.law, fit.log, fit.uncertainty, fit.diagnostics, plan, plan.budgets[0], sp.check(runs))
    for one in (*shown, sp.predict(fit, runs), sp.compare(runs), sp.next_runs(fit, 1e19, 1e16), sp.flops(["ViT-g/14"])):
        assert len(repr(one)) <= 80 * 24
        assert "array(" not in repr(one)
    assert repr(plan.budgets[0]).startswith("<BudgetPlan 1e+18 training FLOPs: {'width': ")
    assert repr(sp.check(runs)).startswith("<Check of 144 rows: ")

"""Plans that are pinned: what has moved by more than its tolerance is named, and the exit status is 3."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from conftest import SAMPLES, Program

from shapeplan.documents.files import read_law
from shapeplan.documents.plan import plan_document
from shapeplan.errors import ArgumentError, PlanMoved
from shapeplan.explain.pages import page
from shapeplan.fitting.fit import fit
from shapeplan.planning.pin import PinnedBudget, PinnedPlan, check_pinned
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs

HINT = "see what changed in the log; if the new plan is right, pin it in place of this one"
INTERVAL, OWN = ", and the pinned interval 800 to 1300", {"size_tolerance": 0.2}
BUDGET = PinnedBudget(1e21, None, {"width": 1000.0, "depth": 20.0}, {"width": (800.0, 1300.0), "depth": None}, 2.0)
PLAN = PinnedPlan("plan.json", {"preset": "gpu"}, "loss", (BUDGET,))


def now(flops: float = 1e21, loss: float | None = 2.0, **sizes: float) -> PinnedPlan:
    budget = replace(BUDGET, flops=flops, loss=loss, shape={**BUDGET.shape, **sizes})
    return replace(PLAN, budgets=(budget,))


def test_sizes_that_are_rounded_otherwise_are_another_question() -> None:
    def built(width: float, heads: float, best: float = 1000.0) -> PinnedPlan:
        budget = replace(now(width=best).budgets[0], built={"width": width, "depth": 20.0, "heads": heads})
        return replace(PLAN, budgets=(budget,))

    assert check_pinned(built(1024, 16), built(1024, 16)) == 4
    assert check_pinned(built(1024, 16), built(1152, 18, best=1100.0)) == 4
    message = "width 1024, depth 20, heads 16 built of the same sizes at 1e21 FLOPs, now width 1024, depth 20, heads 8"
    with pytest.raises(ArgumentError, match=message):
        check_pinned(built(1024, 16), built(1024, 8))


@pytest.mark.parametrize(
    ("found", "tolerances", "moved"),
    [
        (now(), {}, []),
        (now(width=1290), {}, []),
        (now(width=1310), {}, ["width at 1e21 FLOPs moved from 1000 to 1310 (+31.00%); tolerance 10.00%" + INTERVAL]),
        (now(width=1290), OWN, ["width at 1e21 FLOPs moved from 1000 to 1290 (+29.00%); tolerance 20.00%"]),
        (now(width=1310), {"size_tolerance": 0.4}, []),
        (now(depth=21.9), {}, []),
        (now(depth=17.9), {}, ["depth at 1e21 FLOPs moved from 20 to 17.900 (-10.50%); tolerance 10.00%"]),
        (now(loss=2.009), {}, []),
        (now(loss=1.98), {}, ["loss at 1e21 FLOPs moved from 2 to 1.9800 (-1.00%); tolerance 0.50%"]),
        (now(loss=1.98), {"loss_tolerance": 0.02}, []),
        (now(loss=None), {}, ["loss at 1e21 FLOPs moved from 2 to none; tolerance 0.50%"]),
        (now(mlp_dim=64), {}, ["mlp_dim at 1e21 FLOPs moved from none to 64; tolerance 10.00%"]),
        (now(flops=2e21), {}, ["compute at 1e21 FLOPs moved from 1e21 to 2e21 (+100.00%); tolerance 10.00%"]),
    ],
)  # fmt: skip
def test_what_has_moved_is_named(found: PinnedPlan, tolerances: dict[str, float], moved: list[str]) -> None:
    if not moved:
        assert check_pinned(PLAN, found, **tolerances) == 4
        return
    with pytest.raises(PlanMoved) as error:
        check_pinned(PLAN, found, **tolerances)
    assert [detail.message for detail in error.value.details] == moved
    assert error.value.exit_code == 3


def test_the_interval_of_the_compute_for_a_loss_may_be_open() -> None:
    asked = replace(PLAN, budgets=(replace(BUDGET, flops_ci=(8e20, None)),))
    assert check_pinned(asked, now(flops=5e22)) == 4
    with pytest.raises(PlanMoved, match="and the pinned interval from "):
        check_pinned(asked, now(flops=5e20))


def test_answers_to_two_questions_are_not_compared() -> None:
    other = replace(PLAN, settings={"preset": "tpu", "max_params": 1e9}, budgets=(BUDGET, BUDGET))
    with pytest.raises(ArgumentError) as error:
        check_pinned(PLAN, other)
    assert str(error.value) == (
        "plan.json: is the answer to another question: preset gpu, now tpu; max_params none, now 1e+09; "
        "budgets 1, now 2; ask as then, or pin the new plan"
    )
    with pytest.raises(ArgumentError, match="another question: a budget of 1e21 FLOPs, now 2e21; ask as then"):
        check_pinned(PLAN, now(flops=2e21, loss=1.9))
    with pytest.raises(ArgumentError, match="`loss_tolerance` cannot be -1"):
        check_pinned(PLAN, PLAN, loss_tolerance=-1)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log, its law, and a plan."""
    folder = tmp_path_factory.mktemp("pinned")
    shutil.copy(SAMPLES / "vit_sweep.csv", folder / "sweep.csv")
    found = fit(read_runs(folder / "sweep.csv"), law="separable", replicates=20)
    found.save(folder / "law.json")
    plan = recommend(read_law(folder / "law.json"), 1e21)
    (folder / "plan.json").write_text(plan_document(plan).dumps())
    return folder


@pytest.fixture
def pinned(documents: Path, tmp_path: Path) -> Path:
    shutil.copytree(documents, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_a_pinned_plan_passes_until_it_moves(program: Program, pinned: Path) -> None:
    command = ("recommend", "--law", "law.json", "--flops", "1e21", "--expect", "plan.json")
    same = program(*command)
    assert same.returncode == 0
    assert same.stderr.endswith("note: as expected: 5 quantities are within their tolerance of plan.json\n")
    assert program(*command, "--quiet").returncode == 0
    old = json.loads((pinned / "plan.json").read_text())
    old["budgets"][0]["loss"]["value"] *= 1.1
    old["budgets"][0]["shape"]["width"] *= 2
    old["budgets"][0]["ci"]["width"] = None
    (pinned / "plan.json").write_text(json.dumps(old))
    moved = program(*command)
    assert moved.returncode == 3
    assert moved.stdout == same.stdout, "the plan is printed all the same"
    assert "error: 2 quantities beyond tolerance in plan.json\n" in moved.stderr
    assert re.search(r"width at 1e21 FLOPs moved from [\d.]+ to [\d.]+ \(-50\.00%\); tolerance 10\.00% ", moved.stderr)
    assert re.search(r"loss at 1e21 FLOPs moved from 0\.\d+ to 0\.\d+ \(-9\.09%\); tolerance 0\.50% ", moved.stderr)
    assert program(*command, "--loss-tolerance", "10%", "--size-tolerance", "60%").returncode == 0
    shown = program(*command, "--output-format", "github").stdout.splitlines()
    annotations = [line for line in shown if line.startswith("::error ")]
    assert len(annotations) == 2
    assert annotations[0].startswith("::error file=plan.json,title=plan-moved::width at 1e21 FLOPs moved from ")
    assert "(-50.00%25); tolerance 10.00%25; " + HINT in annotations[0]
    told = json.loads(program(*command, "--json").stderr.splitlines()[-1])["error"]
    assert (told["code"], told["total"], told["others"][0]["code"]) == ("plan-moved", 2, "plan-moved")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--expect", "nope.json"], 1, "nope.json: there is no such file"),
        (["--expect", "law.json"], 1, "law.json:2: column 'kind': is a shapeplan.law, not a plan"),
        (["--expect", "sweep.csv"], 1, "sweep.csv:1: is not JSON"),
        (["--expect", "plan.json", "--preset", "tpu"], 2, "another question: preset gpu, now tpu"),
        (["--expect", "plan.json", "-o", "plan.json"], 1, "is an input, and would be overwritten"),
        (["--expect", "plan.json", "--loss-tolerance", "x"], 2, "'x'"),
        (["--size-tolerance", "3%"], 2, "--size-tolerance is of --expect, which is not given"),
    ],
)
def test_what_cannot_be_compared_is_told(
    program: Program, pinned: Path, arguments: list[str], status: int, message: str
) -> None:
    done = program("recommend", "--law", "law.json", "--flops", "1e21", *arguments)
    assert done.returncode == status, done.stderr
    assert message in done.stderr


@pytest.mark.long
def test_the_workflow_of_the_page_runs(program: Program, pinned: Path) -> None:
    body = re.search(r"^```yaml\n(.*?)^```$", page("ci").text, re.M | re.S)
    assert body
    steps = yaml.safe_load(body[1])["jobs"]["plan"]["steps"]
    commands = [step["run"] for step in steps if step.get("run", "").startswith("shapeplan ")]
    assert [command.split()[1] for command in commands] == ["check", "fit", "recommend"]
    # The sample has a warning, which a strict check refuses, and shows at its code.
    strict = program(*shlex.split(commands[0])[1:])
    assert strict.returncode == 1
    assert re.match(r"::warning title=[a-z-]+::", strict.stdout)
    assert "::error file=sweep.csv,title=strict::" in strict.stdout
    assert program(*shlex.split(commands[1])[1:]).returncode == 0
    # What is pinned by the law of the workflow itself is what it then finds.
    plan = shlex.split(commands[2])[1:]
    made = plan[: plan.index("--expect")]
    assert program(*made, "-o", "plan.json").returncode == 0
    done = program(*plan)
    assert done.returncode == 0, done.stdout
    assert "note: as expected: " in done.stderr
    bad = (pinned / "sweep.csv").read_text().splitlines()
    bad[3] = bad[3].replace(bad[3].split(",")[1], "wide", 1)
    (pinned / "sweep.csv").write_text("\n".join(bad))
    assert "::error file=sweep.csv,line=4,title=" in program(*shlex.split(commands[1])[1:]).stdout

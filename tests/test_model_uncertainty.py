"""Laws that extrapolate as well, asked about the plan."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from changed import changed
from conftest import DIMS, fit, one, sweep

from shapeplan.documents.files import read_law
from shapeplan.documents.law import law_document
from shapeplan.documents.plan import plan_document
from shapeplan.documents.writing import write_file
from shapeplan.fitting.result import Fit, Rival
from shapeplan.laws import Law
from shapeplan.planning.recommend import recommend


@pytest.fixture(scope="module")
def law(tmp_path_factory: pytest.TempPathFactory, planned: Fit) -> Path:
    path = tmp_path_factory.mktemp("law") / "law.json"
    write_file(path, law_document(planned).dumps(), ())
    return path


@pytest.mark.long
def test_laws_as_good_are_asked_too(rivalled: Fit) -> None:
    assert [rival.law.form.name for rival in rivalled.rivals] == ["interaction"]
    other = one(rivalled).laws[0]
    assert other.law == "interaction"
    assert other.loss.ci is not None
    assert other.loss.ci[0] < other.loss.value < other.loss.ci[1]
    assert -1e-9 <= other.regret < 0.005
    assert all(other.ci[dim] is not None for dim in DIMS)


def test_laws_that_disagree_are_told(rivalled: Fit) -> None:
    assert "laws-disagree" not in {caution.code for caution in one(rivalled).cautions}
    rival = rivalled.rivals[0]
    deep = {**rival.law.constants, "alpha_depth": 6 * rival.law.constants["alpha_depth"]}
    draws = {name: np.full(50, value) for name, value in deep.items()}
    odd = changed(rivalled, rivals=(Rival(Law(rival.law.form, deep, rival.law.units, rival.law.derive), draws),))
    caution = next(caution for caution in one(odd).cautions if caution.code == "laws-disagree")
    assert "interaction: optimum 875.6 x 69.03 x 1959" in caution.message
    assert ", apart in width, depth, mlp_dim; this plan's regret " in caution.message
    floor = {**rival.law.constants, "eps": 0.8 * rival.law.constants["eps"]}
    low = {name: np.full(50, value) for name, value in floor.items()}
    odd = changed(rivalled, rivals=(Rival(Law(rival.law.form, floor, rival.law.units, rival.law.derive), low),))
    caution = next(caution for caution in one(odd).cautions if caution.code == "laws-disagree")
    assert "interaction: the same shape, but a loss of 0.1" in caution.message
    # Intervals so wide that they overlap: that a plan loses much under the other law is told all the same.
    wide = {name: np.repeat([rival.law.constants[name], value], 25) for name, value in deep.items()}
    odd = changed(rivalled, rivals=(Rival(Law(rival.law.form, deep, rival.law.units, rival.law.derive), wide),))
    caution = next(caution for caution in one(odd).cautions if caution.code == "laws-disagree")
    assert "; this plan's regret " in caution.message
    assert "apart in" not in caution.message
    # A law whose best shape has no end is no law to compare with, and says so.
    endless = {**rival.law.constants, "alpha_depth": 1e6 * rival.law.constants["alpha_depth"]}
    odd = changed(rivalled, rivals=(Rival(Law(rival.law.form, endless, rival.law.units, rival.law.derive), {}),))
    budget = one(odd)
    assert budget.laws[0].at_edge == ("depth",)
    assert "laws-disagree" not in {caution.code for caution in budget.cautions}
    coarse = one(rivalled, multiples={"width": 512, "mlp_dim": 4096})
    assert "laws-disagree" not in {caution.code for caution in coarse.cautions}, "rounding is no disagreement"


def test_the_interval_of_a_regret_holds_what_rivals_say(rivalled: Fit) -> None:
    def giant(rivals: tuple[Rival, ...]) -> tuple[float, float, float]:
        other = one(changed(rivalled, rivals=rivals), versus=["ViT-g/14"]).versus[0]
        assert other.regret is not None
        assert other.regret_ci is not None
        return other.regret, *other.regret_ci

    regret, low, high = giant(())
    law = rivalled.law
    other = Law(law.form, {**law.constants, "alpha_depth": 6 * law.constants["alpha_depth"]}, law.units, law.derive)
    rival = Rival(other, {name: np.full(50, value) for name, value in other.constants.items()})
    alone = giant((rival,))
    assert alone[0] == regret
    assert alone[1] < low < high < alone[2]
    plan = one(rivalled)
    ends = [plan.rounded[dim] for dim in DIMS], [1408.0, 40.0, 6144.0]
    best, large = (
        float(np.ravel(other.loss(**rivalled.variables(dict(zip(DIMS, shape, strict=True)), 1e21)))[0])
        for shape in ends
    )
    assert abs(large / best - 1 - regret) / np.sqrt(2) < alone[2] - regret, "the deviation of one rival, about the plan"


def test_rivals_are_part_of_the_hand_over(rivalled: Fit, tmp_path: Path) -> None:
    law = tmp_path / "law.json"
    write_file(law, law_document(rivalled).dumps(), ())
    again = read_law(law)
    assert plan_document(recommend(again, 1e21)).budgets == plan_document(recommend(rivalled, 1e21)).budgets
    assert [rival.law.form.name for rival in again.rivals] == ["interaction"]
    old = json.loads(law.read_text())
    del old["rivals"]
    law_without = law.with_name("old.json")
    law_without.write_text(json.dumps(old))
    assert read_law(law_without).rivals == ()


def test_a_law_that_is_asked_for_has_no_rivals() -> None:
    assert fit(sweep(), law="separable", replicates=0).rivals == ()
    assert one(fit(sweep(), law="separable", replicates=0)).laws == ()

"""Other shapes beside a plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import DIMS, fit, loss, one, sweep

from shapeplan.documents.files import published_law
from shapeplan.documents.law import law_document
from shapeplan.documents.writing import write_file
from shapeplan.errors import ArgumentError
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend


@pytest.fixture(scope="module")
def law(tmp_path_factory: pytest.TempPathFactory, planned: Fit) -> Path:
    path = tmp_path_factory.mktemp("law") / "law.json"
    write_file(path, law_document(planned).dumps(), ())
    return path


def test_versus_by_name_and_by_sizes(planned: Fit) -> None:
    plan = recommend(
        planned, 1e21, versus=["ViT-g/14", "24x1024x4096", "1024 x 24 x 4096", "width=1024,depth=24,mlp_dim=4096"]
    )
    giant, *same = plan.budgets[0].versus
    assert giant.shape == {"width": 1408, "depth": 40, "mlp_dim": 6144}
    assert all(other.shape == {"width": 1024, "depth": 24, "mlp_dim": 4096} for other in same)
    assert giant.params == 1036448384, "FLOPS.md: ViT-g/14 with the MAP head at 224"
    assert giant.loss == pytest.approx(loss(planned, dict(giant.shape), 1e21))
    here = plan.budgets[0].loss
    assert here is not None
    assert giant.regret == pytest.approx(giant.loss / here.value - 1)
    assert giant.regret_ci is not None
    assert giant.regret_ci[0] < giant.regret < giant.regret_ci[1]
    assert "24x1024x4096 is width 1024, depth 24, mlp_dim 4096" in plan.notes


def test_the_same_loss_for_less(planned: Fit) -> None:
    giant = one(planned, versus=["ViT-g/14"]).versus[0]
    same = giant.same_loss
    assert same is not None
    assert 0 < same.compute < 1
    assert same.compute == pytest.approx(same.flops / 1e21)
    assert same.compute_ci is not None
    assert same.compute_ci[0] < same.compute < same.compute_ci[1]
    cheap = one(planned, same.flops)
    assert loss(planned, dict(cheap.shape), same.flops) == pytest.approx(giant.loss, rel=1e-8)
    assert giant.flops_per_example is not None
    exact = float(planned.cost_model.flops_per_example({dim: np.asarray(cheap.shape[dim]) for dim in DIMS}))
    assert same.inference == pytest.approx(exact / giant.flops_per_example)


@pytest.mark.parametrize(
    ("versus", "message"),
    [
        ("ViT-q/14", "there is no model 'ViT-q/14'"),
        ("0x1024x4096", "has a depth of 0; give a whole number from 1"),
        ("width=1024,depth=24", "lacks mlp_dim; write e.g. ViT-g/14"),
        ("24x1024", "'24x1024' gives 2 sizes; a shape is depth, width and MLP dim; write e.g. ViT-g/14"),
        ("width=1024,depth=24,mlp=4096", "the law has no dimension mlp"),
        ("width=1024.5,depth=24,mlp_dim=4096", "has a width of 1024.5"),
    ],
)
def test_versus_that_cannot_be(planned: Fit, versus: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        one(planned, versus=[versus])


def test_a_law_without_loss_still_counts_what_others_cost() -> None:
    giant = one(published_law(), 9e21, versus=["ViT-g/14"]).versus[0]
    assert giant.params == 1036448384
    assert giant.loss is giant.regret is giant.regret_ci is giant.same_loss is None


def test_a_dimension_that_the_law_never_had_is_not_compared(planned: Fit) -> None:
    runs = sweep()
    law = fit(replace(runs, dims=("width", "depth"), shape=runs.shape[:, :2], architecture=None), replicates=0)
    budget = recommend(law, 1e21, versus=["24x1024x4096"], force=True)
    assert "24x1024x4096: the law has no mlp_dim; its 4096 is not compared" in budget.notes


@pytest.mark.long
def test_the_interval_of_a_regret_holds_it_however_few_the_replicates() -> None:
    for seed in range(2):
        giant = one(fit(sweep(), law="additive", replicates=3, seed=seed), versus=["ViT-g/14"]).versus[0]
        assert giant.regret is not None
        assert giant.regret_ci is not None
        assert giant.regret_ci[0] <= giant.regret <= giant.regret_ci[1]

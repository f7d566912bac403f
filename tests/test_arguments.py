"""Numbers of any kind as arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import SAMPLES, one

import shapeplan as sp
from shapeplan.errors import ArgumentError
from shapeplan.fitting.fit import fit
from shapeplan.fitting.predict import predict
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend


def test_numbers_of_any_kind_are_numbers(planned: Fit) -> None:
    plain = one(planned, max_params=1e8, heads=16, trust=5.0)
    assert one(planned, np.float64(1e21), max_params=np.int64(10**8), heads=16.0, trust=5) == plain
    assert recommend(planned, np.array([1e20, 1e21])).budgets == recommend(planned, ["1e20", 1e21]).budgets
    assert recommend(planned, np.array(1e21)).budgets == recommend(planned, 10**21).budgets
    assert one(planned, versus="ViT-g/14").versus == one(planned, versus=["ViT-g/14"]).versus


def test_names_of_files_are_no_logs_and_no_fits(planned: Fit) -> None:
    runs = sp.read_runs(SAMPLES / "vit_sweep.csv")
    for call, message in (
        (lambda: recommend("law.json", 1e21), r"a fit is a shapeplan\.Fit, not a str; write shapeplan\.fit\(runs\)"),
        (lambda: fit("runs.csv"), r"a log is a shapeplan\.Runs, not a str; write shapeplan\.read_runs"),
        (lambda: predict(planned, "runs.csv"), r"a log is a shapeplan\.Runs, not a str"),
        (lambda: sp.next_runs("law.json", 1e21, 1e17), r"a fit is a shapeplan\.Fit, not a str"),
        (lambda: sp.power(runs, "law.json", 1e21, noise=0.01), r"a fit is a shapeplan\.Fit, not a str"),
        (lambda: sp.next_from_pool(runs, 1e21, fit="law.json"), r"a fit is a shapeplan\.Fit, not a str"),
        (lambda: sp.next_from_pool(runs, 1e21, log="runs.csv"), r"a log is a shapeplan\.Runs, not a str"),
        (lambda: sp.campaign(runs, "runs.csv"), r"a log is a shapeplan\.Runs, not a str"),
        (lambda: sp.figure("frontier", "law.json"), r"a fit is a shapeplan\.Fit, not a str"),
        (lambda: sp.figure("frontier", None), r"a fit is a shapeplan\.Fit, not a NoneType"),
        (lambda: sp.report_page("law.json"), r"a fit is a shapeplan\.Fit, not a str"),
        (lambda: sp.simulate(planned, runs), r"a law is a shapeplan\.Law, not a Fit; a fit has one: give fit\.law"),
    ):
        with pytest.raises(ArgumentError, match=message):
            call()  # type: ignore[no-untyped-call]


def test_what_is_no_file_no_model_and_no_architecture_is_named(planned: Fit) -> None:
    runs, sizes = sp.read_runs(SAMPLES / "vit_sweep.csv"), {"width": 512, "depth": 8, "mlp_dim": 2048}
    vit = sp.architecture({"family": "vit", "patch": 16, "image": 224, "head_dim": 64})
    for call, message in (
        (lambda: sp.load(4), "a file cannot be named by int"),
        (lambda: sp.read_campaign(4), "a log cannot be read from int"),
        (lambda: sp.named(4), "a model cannot be named by int"),
        (lambda: sp.flops(4), "'4' is no model"),
        (lambda: sp.flops(["ViT-B/16"], examples="40B"), "`examples` is no number: 40B"),
        (lambda: sp.architecture("vit"), "an architecture cannot be told by str"),
        (lambda: sp.design_star(sizes, None, [1e8, 2e8]), r"an architecture is a shapeplan\.Architecture, not a None"),
        (lambda: sp.design_grid(sizes, "vit", [1e8]), r"an architecture is a shapeplan\.Architecture, not a str"),
        (lambda: sp.star_for_budget(1e20, None), r"an architecture is a shapeplan\.Architecture, not a None"),
        (lambda: sp.design_isoflop(1e20, None), r"an architecture is a shapeplan\.Architecture, not a None"),
        (lambda: sp.grid_for_budget("1e20 FLOPs", vit), "`budget` is no number: 1e20 FLOPs"),
        (lambda: sp.design_isoflop(None, vit), "`budget` is no number: None"),
        (lambda: sp.design_star(sizes, vit, ["64M"]), "`durations` is no number: 64M"),
        (lambda: sp.design_grid(sizes, vit, [1e8], ratio="wide"), "`ratio` is no number: wide"),
        (lambda: sp.fit(runs, center=0), "`center` is no mapping of dimensions to numbers"),
        (lambda: sp.fit(runs, law=4), "there is no law '4'"),
        (lambda: recommend(planned, 1e21, preset=None), "there is no preset 'None'"),
    ):
        with pytest.raises(ArgumentError, match=message):
            call()  # type: ignore[no-untyped-call]


def test_a_log_without_rows_is_named_by_all_that_take_one(planned: Fit) -> None:
    runs = sp.read_runs(SAMPLES / "vit_sweep.csv")
    none = runs.take(runs.flops > 1e30)
    for call in (
        lambda: sp.fit(none),
        lambda: sp.check(none),
        lambda: sp.compare(none),
        lambda: sp.predict(planned, none),
        lambda: sp.next_from_pool(none, 1e21),
        lambda: sp.campaign(none, runs),
        lambda: sp.simulate(planned.law, none),
        lambda: sp.power(none, planned, 1e21, noise=0.01),
    ):
        with pytest.raises(
            ArgumentError, match=r"vit_sweep\.csv: the log has no rows; see what its rows were taken by"
        ):
            call()


def test_numbers_that_are_none_are_named_by_what_fits_designs_and_simulates(planned: Fit) -> None:
    runs = sp.read_runs(SAMPLES / "vit_sweep.csv")
    for call, message in (
        (lambda: sp.fit(runs, replicates=1.5), "`replicates` is not whole: 1.5"),
        (lambda: sp.fit(runs, replicates="10"), "`replicates` is no number: 10"),
        (lambda: sp.fit(runs, seed="a"), "`seed` is no number: a"),
        (lambda: sp.fit(runs, seed=-1), "`seed` cannot be -1; give 0 or more"),
        (lambda: sp.fit(runs, level="90%"), "`level` is no number: 90%"),
        (lambda: sp.simulate(planned.law, runs, noise="1%"), "`noise` is no number: 1%"),
        (lambda: sp.power(runs, planned, "x", noise=0.01), "`target` is no number: x"),
        (lambda: sp.next_runs(planned, "x", 1e17), "`target` is no number: x"),
        (lambda: sp.next_from_pool(runs, 1e21, candidates=2.5), "`candidates` is not whole: 2.5"),
        (lambda: recommend(planned, gpus=64, days=14), "'64' is no number of accelerators; write e.g. 64xH100"),
    ):
        with pytest.raises(ArgumentError, match=message):
            call()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("flops", "options", "message"),
    [
        ([], {}, "`flops` is empty"),
        ([None], {}, "`flops` is no number: None"),
        (10**400, {}, "`flops` is no number"),
        (b"1e21", {}, "`flops` is empty"),
        (None, {"loss": []}, "`loss` is empty"),
        (None, {"loss": ["0.14"]}, "`loss` is no number: 0.14"),
        (1e21, {"max_params": "1e8"}, "`max_params` is no number: 1e8"),
        (1e21, {"trust": True}, "`trust` is no number: True"),
        (1e21, {"heads": 16.5}, "`heads` is not whole: 16.5"),
        (1e21, {"fix": {"depth": "24"}}, "`fix` is no number: 24"),
        (1e21, {"fix": "depth=24"}, "`fix` is no mapping"),
        (1e21, {"start": {}}, "a start is a shapeplan.Start"),
    ],
)
def test_what_is_no_number_is_told(planned: Fit, flops: object, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        one(planned, flops, **options)

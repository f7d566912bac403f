"""IsoFLOP sweeps and ladders: budgets, parabolas, the growth of the best parameters, and plans along a ladder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program
from ladders import BUDGETS, C_EXPONENT, GROWTH, B, ladder

import shapeplan as sp
from shapeplan.errors import FitError
from shapeplan.fitting.diagnostics.warnings import valley_cautions
from shapeplan.fitting.isoflop import IsoFlops, Valley
from shapeplan.fitting.records import Estimate
from shapeplan.fitting.selection.identifiability import survey
from shapeplan.fitting.valleys import FAR, find_isoflops, is_far
from shapeplan.runs import Runs


def read(path: Path) -> Runs:
    return sp.read_runs(path, flops_convention="training")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return read(ladder(tmp_path_factory.mktemp("isoflop") / "log.csv"))


def found(runs: Runs) -> IsoFlops:
    isoflops = find_isoflops(runs)
    assert isoflops is not None
    return isoflops


def test_parabolas_tell_the_budgets_and_the_growth_of_the_truth(sweep: Runs) -> None:
    isoflops = found(sweep)
    assert [valley.flops for valley in isoflops.valleys] == pytest.approx(BUDGETS)
    assert all(valley.state == "inside" for valley in isoflops.valleys)
    assert isoflops.growth is not None
    assert isoflops.growth.ci is not None
    assert isoflops.growth.ci[0] < GROWTH < isoflops.growth.ci[1]
    assert isoflops.growth.value == pytest.approx(GROWTH, abs=0.03)


@pytest.mark.study
def test_the_interval_by_parabolas_covers_the_truth(tmp_path: Path) -> None:
    held = []
    for spread in (3.0, 8.0):
        for seed in range(60):
            growth = found(read(ladder(tmp_path / "log.csv", spread=spread, noise=0.004, seed=seed))).growth
            assert growth is not None
            assert growth.ci is not None
            held.append(growth.ci[0] <= GROWTH <= growth.ci[1])
    assert np.mean(held) >= 0.85


def test_compute_that_scatters_a_little_is_one_budget_and_is_allowed_for(sweep: Runs) -> None:
    factor = np.exp(0.03 * np.random.default_rng(1).standard_normal(len(sweep)))
    assert sweep.params is not None
    assert sweep.examples is not None
    tokens = sweep.examples * factor
    loss = sweep.observed() + B * (tokens**-C_EXPONENT - sweep.examples**-C_EXPONENT)
    scattered = found(replace(sweep, flops=sweep.flops * factor, examples=tokens, loss=loss))
    assert len(scattered.valleys) == len(BUDGETS)
    assert scattered.growth is not None
    assert scattered.growth.value == pytest.approx(GROWTH, abs=0.03)


def test_parameters_are_taken_from_compute_where_they_are_not_logged(sweep: Runs) -> None:
    known, derived = found(sweep).growth, found(replace(sweep, params=None)).growth
    assert known is not None
    assert derived is not None
    assert derived.value == pytest.approx(known.value, rel=1e-3)


def test_a_budget_whose_best_size_is_its_last_shows_no_minimum_and_is_named(sweep: Runs) -> None:
    assert sweep.params is not None
    first = sweep.flops < BUDGETS[1] / 2
    cut = sweep.take(~first | (sweep.params <= found(sweep).valleys[0].best))
    isoflops = found(cut)
    assert isoflops.valleys[0].state in ("edge", "few")
    (caution,) = valley_cautions(replace(isoflops, valleys=(replace(isoflops.valleys[0], state="edge"),)), None)
    assert caution.code == "open-valley"
    assert "1e18 (edge)" in caution.message


@pytest.mark.filterwarnings("error")
def test_growth_is_told_between_all_budgets_where_one_alone_has_its_minimum_inside(sweep: Runs) -> None:
    assert sweep.params is not None
    budget = np.argmin(np.abs(np.log(sweep.flops[:, None] / np.array(BUDGETS))), axis=1)
    best = np.array([valley.best for valley in found(sweep).valleys])
    cut = sweep.take((budget == 0) | (sweep.params <= best[budget]))
    assert len(found(cut).inside) == 1
    growth = sp.fit(cut, law="interaction", replicates=20).growth_exponents["params"]
    assert growth.value == pytest.approx(GROWTH, abs=0.1)


def test_valleys_turned_upside_down_are_flagged_and_give_no_growth(sweep: Runs) -> None:
    turned = found(replace(sweep, loss=1 / sweep.observed()))
    assert all(valley.state in ("upside-down", "edge") for valley in turned.valleys)
    assert turned.growth is None


@pytest.mark.parametrize("name", ["vit_sweep.csv", "stdlib_lm/runs.csv"])
def test_other_sweeps_are_no_isoflop_sweeps(name: str) -> None:
    config = SAMPLES / "stdlib_lm" / "config.yaml" if "stdlib" in name else None
    assert find_isoflops(sp.read_runs(SAMPLES / name, config=config)) is None


def test_runs_of_any_compute_are_no_isoflop_sweep(sweep: Runs) -> None:
    rng = np.random.default_rng(0)
    factor = np.exp(rng.uniform(-0.6, 0.6, len(sweep)))
    assert sweep.examples is not None
    assert find_isoflops(replace(sweep, flops=sweep.flops * factor, examples=sweep.examples * factor)) is None


def test_sizes_that_see_the_same_examples_are_no_budget(sweep: Runs) -> None:
    assert find_isoflops(replace(sweep, examples=np.full(len(sweep), 1e9))) is None


def test_rows_far_from_the_valleys_are_left_out_where_that_is_better(tmp_path: Path) -> None:
    runs = read(ladder(tmp_path / "bent.csv", spread=20.0, bend=0.05))
    far = is_far(runs)
    assert 0 < far.sum() < len(runs)
    fit = sp.fit(runs, law="chinchilla", replicates=0)
    assert len(fit.dropped) == far.sum()
    assert {row.reason for row in fit.dropped} == {"far from the valley of its budget"}
    assert any(f"lose more than {FAR:.0%}" in note and "left out" in note for note in fit.notes)
    assert fit.growth_exponents["params"].value == pytest.approx(GROWTH, abs=0.04)


def test_compare_takes_the_rows_that_fit_takes(tmp_path: Path) -> None:
    runs = read(ladder(tmp_path / "bent.csv", spread=20.0, bend=0.05))
    fit, compared = sp.fit(runs, replicates=0), sp.compare(runs)
    assert compared.chosen == fit.law.form.name
    assert compared.rows == len(runs) - len(fit.dropped)
    assert [note for note in compared.notes if "isoFLOP" in note] == [note for note in fit.notes if "isoFLOP" in note]


def test_rows_far_from_the_valleys_stay_where_the_law_is_true(tmp_path: Path) -> None:
    runs = read(ladder(tmp_path / "wide.csv", spread=40.0))
    assert is_far(runs).any()
    fit = sp.fit(runs, law="chinchilla", replicates=0)
    assert not fit.dropped
    assert any("they are in it" in note for note in fit.notes)


def test_growth_under_a_law_of_shape_and_by_parabolas_is_in_the_document(sweep: Runs, tmp_path: Path) -> None:
    fit = sp.fit(sweep, law="separable", replicates=40)
    fit.save(tmp_path / "law.json")
    document = json.loads((tmp_path / "law.json").read_text())
    assert len(document["isoflop"]["budgets"]) == len(BUDGETS)
    low, high = document["isoflop"]["growth"]["ci"]
    assert low < document["isoflop"]["growth"]["value"] < high
    of_law = document["growth_exponents"]["params"]
    assert of_law["ci"][0] < of_law["value"] < of_law["ci"][1]
    assert of_law["value"] == pytest.approx(GROWTH, abs=0.08)
    again = sp.load(tmp_path / "law.json")
    assert again.log.isoflops == fit.log.isoflops
    assert again.growth_exponents["params"] == fit.growth_exponents["params"]


def test_a_law_that_grows_otherwise_than_the_parabolas_is_named() -> None:
    valleys = tuple(Valley(flops, 7, 0.1, "inside", 1e8, 0.01) for flops in BUDGETS)
    isoflops = IsoFlops(valleys, Estimate(0.6, (0.58, 0.62)))
    (caution,) = valley_cautions(isoflops, Estimate(0.43, (0.38, 0.49)))
    assert caution.code == "valleys-disagree"
    assert "compute^0.430 (0.380 to 0.490) under the law, and as compute^0.600 (0.580 to 0.620)" in caution.message
    assert valley_cautions(isoflops, Estimate(0.56, (0.52, 0.60))) == ()
    assert valley_cautions(None, Estimate(0.43, (0.38, 0.49))) == ()


def test_a_ladder_is_no_star_and_is_planned_without_an_option(program: Program, tmp_path: Path, sweep: Runs) -> None:
    contents = survey(sweep, None)
    assert contents.dimensions.free == ("width",)
    assert contents.star is None
    with pytest.raises(FitError, match="it is a ladder: width alone varies"):
        sp.fit(sweep, law="star")
    path = ladder(tmp_path / "ladder.csv")
    fitted = program("fit", path, "--replicates", "20", "-o", "law.json")
    assert fitted.returncode == 0, fitted.stderr
    assert "IsoFLOP sweep: the best parameters grow as compute^S" in fitted.stdout
    planned = program("recommend", "--law", "law.json", "--flops", "1e22", "--json")
    assert planned.returncode == 0, planned.stderr
    plan = json.loads(planned.stdout)
    assert plan["method"] == "optimum"
    assert plan["budgets"][0]["rounded"]["width"] > 0
    compared = program("compare", path)
    assert "by parabolas through 7 budgets the best parameters grow as compute^" in compared.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "published"), [("isoflop_wide", 0.604), ("isoflop_rw", None)], ids=["isoflop_wide", "isoflop_rw"]
)
def test_the_law_and_the_parabolas_agree_on_public_sweeps(shared: Path, name: str, published: float | None) -> None:
    fit = sp.fit(sp.read_runs(shared / "sweeps" / f"{name}.csv"), replicates=100)
    isoflops, of_law = fit.log.isoflops, fit.growth_exponents["params"]
    assert isoflops is not None
    assert isoflops.growth is not None
    assert isoflops.growth.ci is not None
    assert of_law.ci is not None
    assert of_law.ci[0] <= isoflops.growth.ci[1]
    assert isoflops.growth.ci[0] <= of_law.ci[1]
    if published is not None:
        assert 0.56 <= of_law.value <= 0.64
        assert of_law.ci[0] <= published <= of_law.ci[1]
        assert isoflops.growth.ci[0] <= published <= isoflops.growth.ci[1]
    assert "valleys-disagree" not in {caution.code for caution in fit.cautions}


def kinds(runs: Runs) -> dict[str, str]:
    return {kind.name: f"{kind.what}; {kind.lacks}; {kind.remedy}" for kind in sp.check(runs).kinds}


def test_check_says_what_a_sweep_is(sweep: Runs, tmp_path: Path) -> None:
    said = kinds(sweep)
    assert list(said) == ["isoFLOP", "ladder"]
    assert said["isoFLOP"].startswith("7 budgets of 7 sizes, whose worst loses ")
    assert "values of width, depth with it" in said["ladder"]
    assert list(kinds(sp.read_runs(SAMPLES / "vit_sweep.csv"))) == ["star", "grid"]
    assert sweep.params is not None
    constant = replace(sweep, examples=20 * sweep.params, flops=120 * sweep.params**2)
    assert "20 tokens per parameter in every row" in kinds(constant)["ladder at constant ratio"]


def test_check_names_the_budgets_without_a_minimum(sweep: Runs) -> None:
    assert sweep.params is not None
    last = sweep.flops > BUDGETS[-2] * 2
    best = found(sweep).valleys[-1].best
    assert best is not None
    said = kinds(sweep.take(~last | (sweep.params > best / 1.5)))
    assert "the best size at 1e21 (edge): no minimum among the sizes" in said["isoFLOP"]


def test_the_kinds_are_in_the_document_of_check(program: Program, tmp_path: Path) -> None:
    done = program("check", ladder(tmp_path / "log.csv"), "--json")
    document = json.loads(done.stdout)
    assert [kind["name"] for kind in document["sweep"]] == ["isoFLOP", "ladder"]
    assert set(document["sweep"][0]) == {"name", "what", "answers", "lacks", "remedy"}


def rungs(path: Path, exponent: float = 0.16) -> Path:
    """Write a ladder of 20 tokens per parameter, whose last rungs are a decade above the others."""
    rng = np.random.default_rng(0)
    lines = ["width,depth,params,tokens,flops,loss"]
    for depth in (4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28):
        width = 64 * depth
        params = 12 * width**2 * depth
        tokens = round(20 * params, -5)
        flops = 6 * params * tokens
        loss = (1.7 + 3 * (flops / 1e16) ** -exponent) * np.exp(0.002 * rng.standard_normal())
        lines.append(f"{width},{depth},{params},{tokens},{flops:.7g},{loss:.7g}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_ladder_at_constant_ratio_forecasts_its_own_top_decade(tmp_path: Path) -> None:
    runs = read(rungs(tmp_path / "rungs.csv"))
    below = runs.flops < runs.flops.max() / 10
    fit = sp.fit(runs.take(below), replicates=200)
    assert fit.law.form.name == "compute"
    told = sp.predict(fit, runs.take(~below))
    assert told.lower is not None
    assert told.upper is not None
    observed = runs.observed()[~below]
    assert ((told.lower <= observed) & (observed <= told.upper)).all()
    assert (told.upper / told.lower < 1.1).all()


@pytest.mark.long
@pytest.mark.parametrize(("name", "ratio", "below"), [("morph", 20, 4), ("morph", 40, 4), ("routing_moe", 24.5, 10)])
def test_public_rows_at_one_ratio_forecast_their_own_top(shared: Path, name: str, ratio: float, below: float) -> None:
    runs = sp.read_runs(shared / "sweeps" / f"{name}.csv")
    assert runs.params is not None
    assert runs.examples is not None
    ladder = runs.take(np.abs(np.log(runs.examples / runs.params / ratio)) < 0.07)
    top = ladder.flops > ladder.flops.max() / below
    fit = sp.fit(ladder.take(~top), replicates=100)
    assert fit.law.form.name == "compute"
    seen = sp.predict(fit, ladder.take(top))
    assert seen.lower is not None
    assert seen.upper is not None
    observed = ladder.take(top).observed()
    assert np.mean((seen.lower <= observed) & (observed <= seen.upper)) >= 0.85


def test_a_ladder_at_constant_ratio_has_no_best_shape(program: Program, tmp_path: Path) -> None:
    done = program("fit", rungs(tmp_path / "rungs.csv"), "--replicates", "20", "-o", "law.json")
    assert done.returncode == 0, done.stderr
    refused = program("recommend", "--law", "law.json", "--flops", "1e22", "--force")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "the law 'compute' tells the loss along the ladder of the log, not which shape is best" in refused.stderr
    (tmp_path / "next.csv").write_text("width,depth,params,tokens,flops\n2048,32,1.6e9,3.2e10,3.1e20\n")
    predicted = program("predict", "law.json", tmp_path / "next.csv", "--json")
    assert predicted.returncode == 0, predicted.stderr


@pytest.mark.parametrize("law", ["separable", "chinchilla", "additive"])
def test_no_other_law_is_told_from_a_ladder_at_constant_ratio(tmp_path: Path, law: str) -> None:
    with pytest.raises(FitError, match="size and training never move apart: 20 tokens per parameter in every row"):
        sp.fit(read(rungs(tmp_path / "rungs.csv")), law=law)


def test_other_logs_do_not_identify_the_law_of_a_ladder(sweep: Runs) -> None:
    with pytest.raises(FitError, match="needs a ladder: one ratio of examples to parameters in every row"):
        sp.fit(sweep, law="compute")


def test_the_frontier_shows_the_minima_of_the_parabolas(sweep: Runs) -> None:
    fit = sp.fit(sweep, law="separable", replicates=20)
    made = sp.figure("frontier", fit)
    minima = made.tables["minima"]
    assert [row["flops"] for row in minima] == pytest.approx(BUDGETS)
    assert {row["dimension"] for row in minima} == {"params"}
    for row in minima:
        assert float(row["lower"] or 0) < float(row["value"] or 0) < float(row["upper"] or 0)
    assert "Circles: minima of parabolas" in made.reading
    pytest.importorskip("altair", reason="pictures need the extra `plots`")
    import vl_convert

    from shapeplan.render.charts.chart import spec

    drawing = vl_convert.vegalite_to_svg(spec(made))
    assert drawing.count("<path") > 20

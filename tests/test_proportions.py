"""Plans of logs that do not tell the best size of a dimension keep the log's proportions, and say so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Program

import shapeplan as sp
from shapeplan.fitting.result import Fit

SHAPES = ((96, 4), (256, 6), (512, 8), (1024, 16), (1536, 16), (2048, 24))


def six_shapes(path: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = ["run,width,depth,tokens,flops,loss"]
    for i, (width, depth) in enumerate(SHAPES):
        for tokens in np.geomspace(1e9, 1e11, 6):
            loss = 1.7 + 25 * width**-0.7 + 1.2 * depth**-1.0 + 250 * tokens**-0.3
            loss *= np.exp(0.004 * rng.standard_normal())
            lines.append(f"r{i},{width},{depth},{tokens:.6g},{72 * width**2 * depth * tokens:.6g},{loss:.6g}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Fit:
    return sp.fit(sp.read_runs(six_shapes(tmp_path_factory.mktemp("few") / "log.csv")), law="separable", replicates=40)


def test_with_six_shapes_depth_follows_width(fit: Fit) -> None:
    assert fit.dims == ("width", "depth")
    tie = fit.dimensions.kept["depth"]
    assert tie.to == "width"
    (caution,) = [caution for caution in fit.cautions if caution.code == "kept-proportions"]
    assert "6 shapes are no more than the 6 constants of width and depth" in caution.message
    for flops in (1e20, 1e23, 1e25):
        best = fit.optimum(flops)
        assert best["depth"].value == pytest.approx(tie.of(best["width"].value))
        assert best["depth"].ci is not None
        assert best["width"].ci is not None
        assert best["depth"].ci[0] == pytest.approx(tie.of(best["width"].ci[0]), rel=1e-3)
    assert fit.growth_exponents["depth"].value == pytest.approx(tie.power * fit.growth_exponents["width"].value)


def test_the_plan_is_the_best_along_the_proportions(fit: Fit) -> None:
    flops = 1e23
    best, tie = fit.optimum(flops)["width"].value, fit.dimensions.kept["depth"]

    def loss(width: float) -> float:
        shape = {"width": width, "depth": tie.of(width)}
        return float(np.ravel(fit.law.loss(**fit.variables(shape, flops)))[0])

    assert loss(best) <= min(loss(0.97 * best), loss(1.03 * best))


def test_a_dimension_that_the_user_holds_is_held(program: Program, tmp_path: Path) -> None:
    path = six_shapes(tmp_path / "log.csv")
    fitted = program("fit", path, "--law", "separable", "--replicates", "20", "-o", "law.json")
    assert "[kept-proportions]" in fitted.stderr
    plain, held = (
        json.loads(program("recommend", "--law", "law.json", "--flops", "1e23", "--json", *options).stdout)["budgets"][
            0
        ]
        for options in ((), ("--fix", "depth=10"))
    )
    assert held["rounded"]["depth"] == 10
    assert plain["rounded"]["depth"] == round(plain["shape"]["depth"])
    assert plain["rounded"]["depth"] > 20
    again = sp.load(tmp_path / "law.json")
    assert again.dimensions.kept["depth"].to == "width"


@pytest.mark.parametrize(
    "kept",
    [
        {"depth": {"to": "heads", "ratio": 1.0, "power": 1.0}},
        {"depth": {"to": "depth", "ratio": 1.0, "power": 1.0}},
        {"heads": {"to": "width", "ratio": 1.0, "power": 1.0}},
        {"depth": {"to": "width", "ratio": 0.0, "power": 1.0}},
        {"depth": {"to": "width", "ratio": 1.0, "power": 1e9}},
    ],
)
def test_a_document_with_proportions_that_cannot_be_is_refused(
    program: Program, fit: Fit, tmp_path: Path, kept: dict[str, object]
) -> None:
    fit.save(tmp_path / "law.json")
    document = json.loads((tmp_path / "law.json").read_text())
    (tmp_path / "law.json").write_text(json.dumps({**document, "kept": kept}))
    done = program("recommend", "--law", "law.json", "--flops", "1e22")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "column 'kept." in done.stderr


def test_an_exponent_at_its_bound_gives_no_plan_of_its_dimension(shared: Path) -> None:
    fit = sp.fit(sp.read_runs(shared / "sweeps" / "overtrain_c4.csv"), replicates=50)
    assert "kept-proportions" in {caution.code for caution in fit.cautions}
    plan = fit.optimum(6 * 16e9 * 20 * 16e9)
    assert plan["depth"].value > 30


def test_many_shapes_apart_keep_their_own_best_sizes() -> None:
    fit = sp.fit(
        sp.read_runs(Path(__file__).parents[1] / "sample_runs" / "vit_sweep.csv"), law="separable", replicates=0
    )
    assert fit.dimensions.kept == {}


def star(path: Path, gain: str) -> Path:
    """Write a star of width and depth; depth gains as its text says."""
    rng = np.random.default_rng(0)
    shapes = [
        (1024, 24),
        *((w, 24) for w in (256, 320, 400, 512, 640, 800)),
        *((1024, d) for d in (4, 5, 7, 9, 12, 16)),
    ]
    lines = ["run,width,depth,flops,loss"]
    for i, (width, depth) in enumerate(shapes):
        for flops in (1e18, 2e18, 4e18, 8e18):
            loss = 1.7 + 60 * width**-0.8 + 0.02 * (width / 1024) ** 0.4 * (flops / 4e18) ** -0.35
            loss += (0.4 * (depth / 4) ** -9.0 if gain == "steep" else 1.2 * depth**-1.1) + 0.005 * (
                depth / 24
            ) ** 0.5 * (flops / 4e18) ** -0.35
            loss *= np.exp(0.0005 * rng.standard_normal())
            lines.append(f"r{i},{width},{depth},{flops:.6g},{loss:.7g}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_recipe_of_a_star_keeps_what_rests_on_a_bound_in_proportion(tmp_path: Path) -> None:
    fit = sp.fit(sp.read_runs(star(tmp_path / "log.csv", "steep")), law="star", replicates=0)
    assert fit.parameters["a_depth"].at_bound
    tie = fit.dimensions.kept["depth"]
    assert tie.to == "width"
    assert tie.power == 1, "arms tell a ratio, and no power"
    assert 4 / 1024 < tie.ratio < 24 / 256
    assert "kept-proportions" in [caution.code for caution in fit.cautions]
    start = sp.Start({"width": 256.0, "depth": 4.0}, 1e18, "user")
    plan = sp.recommend(fit, [1e18, 1e20], start=start, force=True)
    small, large = (budget.shape for budget in plan.budgets)
    assert large["depth"] / small["depth"] == pytest.approx((large["width"] / small["width"]) ** tie.power)
    assert large["width"] > small["width"]


def test_a_star_whose_exponents_are_inside_grows_by_its_own(tmp_path: Path) -> None:
    fit = sp.fit(sp.read_runs(star(tmp_path / "log.csv", "gentle")), law="star", replicates=0)
    assert not fit.dimensions.kept
    assert "kept-proportions" not in [caution.code for caution in fit.cautions]


def test_a_plan_names_the_warnings_of_its_fit_and_prints_them_when_asked(program: Program, tmp_path: Path) -> None:
    path = six_shapes(tmp_path / "log.csv")
    program("fit", path, "--law", "separable", "--replicates", "20", "-o", "law.json")
    asked = ("recommend", "--law", "law.json", "--flops", "1e23")
    short, long = program(*asked), program(*asked, "-v")
    assert short.stdout == long.stdout
    assert "kept-proportions, extrapolation; -v prints them, shapeplan explain CODE says what to do" in " ".join(
        short.stderr.split()
    )
    assert "the log does not tell the best depth" not in short.stderr
    assert "[extrapolation]" not in short.stderr
    assert "[extrapolation]" in long.stderr
    assert "the log does not tell the best depth" in long.stderr
    document = json.loads(program(*asked, "--json").stdout)
    assert any("the log does not tell the best depth" in one["message"] for one in document["warnings"])

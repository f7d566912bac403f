"""Figures and pictures: the numbers are in the documents, every format is drawn from one chart, and words are whole."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from changed import changed
from conftest import SAMPLES, Program, fit, fit_star, sweep

from shapeplan.documents.figure import FigureDocument, figure_document
from shapeplan.documents.files import published_law
from shapeplan.documents.law import law_document
from shapeplan.errors import ArgumentError, PlanError
from shapeplan.figures.catalogue import FIGURES, figure
from shapeplan.figures.figure import Figure
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs

HOSTILE = "</script><script>alert(1)</script>'\"&<b>\U0001f916" + "x" * 480
FORMATS = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<svg", ".json": b"{", ".html": b"<!doctype html>"}


@pytest.fixture(scope="module")
def found() -> Fit:
    return fit(read_runs(SAMPLES / "vit_sweep.yaml"), replicates=200)


@pytest.fixture(scope="module")
def law(found: Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("law") / "law.json"
    path.write_text(law_document(found).dumps())
    return path


def drawn(name: str, one: Fit) -> tuple[Figure, dict[str, Any]]:
    pytest.importorskip("altair", reason="pictures need the extra `plots`")
    from shapeplan.render.charts.chart import chart

    made = figure(name, one)
    return made, chart(made).to_dict()


def datasets(spec: Any) -> list[list[dict[str, Any]]]:
    """Return all data of a chart, wherever it is."""
    if isinstance(spec, list):
        return [rows for part in spec for rows in datasets(part)]
    if not isinstance(spec, dict):
        return []
    own = [spec["data"]["values"]] if isinstance(spec.get("data"), dict) and "values" in spec["data"] else []
    own += list(spec.get("datasets", {}).values())
    return own + [rows for key, part in spec.items() if key not in ("data", "datasets") for rows in datasets(part)]


@pytest.mark.parametrize("name", FIGURES)
def test_the_chart_shows_what_the_document_holds(found: Fit, name: str) -> None:
    made, spec = drawn(name, found)
    document = json.loads(figure_document(made, (found,)).dumps())
    assert FigureDocument.model_validate_json(json.dumps(document)).figure == name
    shown = [rows for rows in datasets(spec) if len(rows) > 2]
    tables = [table for table in document["tables"].values() if len(table) > 2]
    assert shown
    for rows in shown:
        assert rows in tables
    for table in tables:
        assert table in shown
    assert spec["description"].startswith(document["title"])
    assert document["summary"] in spec["description"]


def test_rows_are_those_of_the_law_document(found: Fit) -> None:
    record = json.loads(law_document(found).dumps())["rows"]
    rows = figure("fit", found).tables["rows"]
    for name in ("run", "line", "flops", "observed", "predicted", "fitted"):
        assert [row[name] for row in rows] == record[name]
    sizes = zip(*(record["shape"][dim] for dim in ("width", "depth", "mlp_dim")), strict=True)
    texts = [f"width {width:.0f}, depth {depth:.0f}, mlp_dim {mlp_dim:.0f}" for width, depth, mlp_dim in sizes]
    assert [row["shape"] for row in rows] == texts
    assert {row["part"] for row in rows} == {"centre", "width arm", "depth arm", "mlp_dim arm", "other rows"}


def test_the_frontier_is_the_plan(found: Fit) -> None:
    rows = figure("frontier", found, 1e22).tables["frontier"]
    last = {row["dimension"]: row for row in rows if row["flops"] == pytest.approx(1e22)}
    plan = recommend(found, 1e22).budgets[0]
    for dim, size in plan.shape.items():
        assert last[dim]["value"] == pytest.approx(size, rel=1e-6)
        assert plan.ci[dim] is not None
        assert (last[dim]["lower"], last[dim]["upper"]) == pytest.approx(plan.ci[dim], rel=1e-6)
    assert {str(row["dimension"]) for row in rows} == {"width", "depth", "mlp_dim", "params"}
    inside = [row for row in rows if not row["beyond"]]
    assert max(float(row["flops"]) for row in inside) <= found.flops_range[1]
    names = {row["name"] for row in figure("frontier", found).tables["published"]}
    assert names == {"SoViT-400m/14", "ViT-g/14"}


def test_isoflop_curves_are_least_at_the_best_size(found: Fit) -> None:
    made = figure("isoflop", found)
    assert {row["dimension"] for row in made.tables["optima"]} == {"width", "depth", "mlp_dim"}
    assert len(made.tables["rows"]) >= 20
    for best in made.tables["optima"]:
        mine = [
            row
            for row in made.tables["curves"]
            if (row["dimension"], row["compute"]) == (best["dimension"], best["compute"])
        ]
        assert float(best["loss"]) <= min(float(row["loss"]) for row in mine) * (1 + 1e-9)
        assert float(best["lower"]) <= float(best["size"]) <= float(best["upper"])
    # A row is as far off its curve as the law misses it.
    for row in made.tables["rows"][:20]:
        one = figure("isoflop", found, float(row["compute"]))
        near = [r for r in one.tables["curves"] if r["dimension"] == row["dimension"]]
        sizes, losses = (np.array([float(r[key]) for r in near]) for key in ("size", "loss"))
        curve = float(np.exp(np.interp(np.log(float(row["size"])), np.log(sizes), np.log(losses))))
        assert curve / float(row["loss"]) - 1 == pytest.approx(float(row["residual"]), abs=2e-3)


def test_the_star_has_isoflop_curves_of_its_arms() -> None:
    star = fit_star(sweep(), replicates=50)
    made = figure("isoflop", star)
    assert {row["part"] for row in made.tables["rows"]} == {"centre", "width arm", "depth arm", "mlp_dim arm"}
    assert {row["dimension"] for row in made.tables["optima"]} == {"width", "depth", "mlp_dim"}
    assert all(row["lower"] is not None for row in made.tables["optima"])


def test_a_fit_that_is_not_to_be_trusted_says_so_in_its_pictures(found: Fit) -> None:
    assert found.quality is not None
    doubted = changed(found, quality=replace(found.quality, status="untrusted"))
    for name in ("frontier", "valley", "residuals"):
        made = figure(name, doubted)
        assert made.about.endswith("NOT TO BE TRUSTED")
        assert made.summary.startswith("The fit is not to be trusted.")
        assert made.cautions[0].code == "untrusted-fit"


def test_the_valley_is_flat_at_the_best_shape_and_rises_both_ways(found: Fit) -> None:
    rows = figure("valley", found, 1e21).tables["excess"]
    for dim in ("width", "depth", "mlp_dim"):
        for kind in ("others held", "others re-optimized"):
            mine = [row for row in rows if (row["dimension"], row["kind"]) == (dim, kind)]
            factors, excess = (np.array([float(row[key]) for row in mine]) for key in ("factor", "excess"))
            assert abs(excess[np.argmin(np.abs(np.log(factors)))]) < 1e-9
            assert (np.diff(excess[factors <= 1.001]) < 1e-9).all()
            assert (np.diff(excess[factors >= 0.999]) > -1e-9).all()
    held = {(row["dimension"], row["factor"]): float(row["excess"]) for row in rows if row["kind"] == "others held"}
    free = {(row["dimension"], row["factor"]): float(row["excess"]) for row in rows if row["kind"] != "others held"}
    assert all(free[place] <= held[place] + 1e-9 for place in free)


def test_exponents_of_several_fits_are_apart(found: Fit) -> None:
    other = changed(found, metric="error")
    rows = figure("exponents", [found, other]).tables["exponents"]
    assert {row["metric"] for row in rows} == {"loss", "error"}
    twice = figure("exponents", [found, found]).tables["exponents"]
    assert len({row["metric"] for row in twice}) == 2
    alone = {row["dimension"]: row for row in rows if row["metric"] == "loss" and row["kind"] == "alone (s)"}
    for dim, estimate in found.scaling_exponents.items():
        assert alone[dim]["exponent"] == estimate.value
        assert (alone[dim]["lower"], alone[dim]["upper"]) == estimate.ci


def test_what_cannot_be_drawn_is_told(found: Fit) -> None:
    for name, one, message in (
        ("fit", published_law(), "a published law has no rows"),
        ("fit", changed(found, rows=None), "does not hold its rows"),
        ("rollout", fit(sweep(), law="separable", replicates=0), "no laws were compared"),
        ("valley", fit_star(sweep(), replicates=0), "does not hold away from the arms"),
        ("isoflop", fit(sweep(), law="chinchilla", replicates=0), "has no shape"),
        ("valley", fit(sweep(), law="chinchilla", replicates=0), "has no shape"),
    ):
        with pytest.raises(PlanError, match=message):
            figure(name, one)
    with pytest.raises(PlanError, match="no best shape near the trained ones"):
        figure("valley", found, 1e38)
    with pytest.raises(ArgumentError, match="choose one of"):
        figure("pie", found)
    with pytest.raises(ArgumentError, match="is at no compute"):
        figure("fit", found, 1e20)
    with pytest.raises(ArgumentError, match="is of one law, and there are 2"):
        figure("valley", [found, found])
    with pytest.raises(ArgumentError, match="a compute of nan FLOPs is out of range"):
        figure("valley", found, float("nan"))


@pytest.mark.parametrize(
    "suffix", [".png", ".svg", *(pytest.param(one, marks=pytest.mark.long) for one in (".pdf", ".json", ".html"))]
)
def test_every_format_is_written(program: Program, tmp_path: Path, law: Path, suffix: str) -> None:
    pytest.importorskip("altair", reason="pictures need the extra `plots`")
    done = program("plot", law, "--figure", "valley", "-o", f"picture{suffix}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert (tmp_path / f"picture{suffix}").read_bytes().startswith(FORMATS[suffix])


@pytest.mark.long
def test_pictures_are_the_same_for_the_same_law(program: Program, tmp_path: Path, law: Path) -> None:
    pytest.importorskip("altair", reason="pictures need the extra `plots`")
    for name in ("one.svg", "two.svg"):
        assert program("plot", law, "-o", name).returncode == 0
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_plot_refuses_in_one_line(program: Program, tmp_path: Path, law: Path) -> None:
    for arguments, status, message in (
        ([law], 2, "a picture needs a file to go to; give -o figure.png"),
        ([law, "-o", "x.gif"], 2, "there is no format '.gif'; end it in .png, .svg, .pdf, .html, .json"),
        ([law, "-o", "x"], 2, "the name of the file says no format"),
        ([law, "--figure", "pie", "-o", "x.png"], 2, "there is no figure 'pie'"),
        (["nowhere.json", "-o", "x.png"], 1, "there is no such file"),
    ):
        done = program("plot", *arguments)
        assert (done.returncode, done.stdout) == (status, "")
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
    assert list(tmp_path.glob("x*")) == []


def test_a_missing_extra_is_one_line(program: Program, tmp_path: Path, law: Path) -> None:
    # A folder of that name without the library stands for an environment without it.
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nreal = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'altair' else real(name, package)\n"
    )
    for arguments in (("plot", law, "-o", "x.png"), ("report", law, "-o", "x.html")):
        done = program(*arguments, PYTHONPATH=str(tmp_path))
        assert done.returncode == 2
        assert done.stderr == "error: pictures need Vega-Altair; pip install 'shapeplan[plots]'\n"
    numbers = program("plot", law, "--figure", "valley", "--json", PYTHONPATH=str(tmp_path))
    assert numbers.returncode == 0
    assert json.loads(numbers.stdout)["kind"] == "shapeplan.figure"


@pytest.mark.long
def test_a_document_of_metrics_gives_its_exponents(program: Program, tmp_path: Path) -> None:
    header, *lines = (SAMPLES / "vit_sweep.csv").read_text().splitlines()
    at = header.split(",").index("loss")
    rows = [f"{line},{float(line.split(',')[at]) ** 1.5:.6f}" for line in lines]
    (tmp_path / "two.csv").write_text("\n".join([f"{header},error", *rows]) + "\n")
    fitted = program(
        "fit", "two.csv", "--metric", "loss", "--metric", "error", "--replicates", "20", "-o", "metrics.json"
    )
    assert fitted.returncode == 0, fitted.stderr
    done = program("plot", "metrics.json", "--figure", "exponents", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["metric"] == ["loss", "error"]
    stored = json.loads((tmp_path / "metrics.json").read_text())["exponents"]
    for row in document["tables"]["exponents"]:
        name = ("s_" if row["kind"].startswith("alone") else "growth_") + row["dimension"]
        assert row["exponent"] == stored[name][row["metric"]]["value"]
    assert program("plot", "metrics.json", "-o", "x.svg").returncode == 1


@pytest.mark.parametrize(
    "names",
    [
        ("__proto__", "\x01c", "a.b"),
        pytest.param(("constructor", "x[0]", 'x"y'), marks=pytest.mark.long),
        pytest.param(("mean(d)", "image", "\U000e0067"), marks=pytest.mark.long),
    ],
)
def test_any_name_of_a_dimension_is_drawn(names: tuple[str, ...]) -> None:
    pytest.importorskip("altair", reason="pictures need the extra `plots`")
    import vl_convert

    from shapeplan.render.charts.chart import spec

    runs = sweep()
    one = fit(replace(runs, dims=names, architecture=None, heads=None), law="product", replicates=20)
    for kind in ("frontier", "isoflop", "valley", "residuals", "exponents"):
        drawing = vl_convert.vegalite_to_svg(spec(figure(kind, one, 1e21 if kind == "valley" else None)))
        assert drawing.count("<path") > 20


@pytest.mark.parametrize("values", [[5.0], [0.3, 0.3], [1.0, 1.0 + 1e-7], [0.25, 0.31], [1e18, 1e23], [3.0, 400.0]])
def test_ticks_lie_at_the_values(values: list[float]) -> None:
    pytest.importorskip("altair", reason="pictures need the extra `plots`")
    from shapeplan.render.charts.theme import ticks

    found = ticks(values)
    assert found == sorted(set(found))
    assert all(min(values) * 0.95 <= tick <= max(values) * 1.05 for tick in found)
    assert len(found) >= (4 if max(values) > 1.01 * min(values) else 1)


@pytest.mark.long
def test_pictures_of_large_logs_stay_small() -> None:
    pytest.importorskip("altair", reason="pictures need the extra `plots`")
    from shapeplan.render.report.report import report_page

    runs = sweep()
    many = np.tile(np.arange(len(runs)), 20)
    noise = np.random.default_rng(0).normal(1, 0.003, len(many))
    large = replace(runs.take(many), loss=runs.observed()[many] * noise, lines=np.arange(2, len(many) + 2))
    one = fit(large, law="separable", replicates=20)
    made = figure("fit", one)
    assert 800 <= len(made.tables["rows"]) <= 1050
    assert f"of {len(many)} rows are shown" in made.reading
    worst = max(abs(float(residual)) for residual in one.rows.residuals)
    assert max(abs(float(row["residual"])) for row in made.tables["rows"]) == worst
    assert len(report_page(one).encode()) < 5_000_000


def test_the_command_of_a_fit_makes_it_again(program: Program, tmp_path: Path) -> None:
    log = tmp_path / "my log.csv"
    log.write_text((SAMPLES / "vit_sweep.csv").read_text())
    options = ("--dims", "width,depth", "--replicates", "10", "--seed", "3", "--flops-convention", "forward")
    assert program("fit", log, *options, "-o", "law.json").returncode == 0
    document = json.loads((tmp_path / "law.json").read_text())
    command = document["command"]
    assert command.startswith(f"shapeplan fit '{log}'")
    again = program(*shlex.split(command)[1:], "--json")
    assert again.stdout == (tmp_path / "law.json").read_text()


def test_results_show_themselves_in_a_notebook(found: Fit) -> None:
    hostile = changed(found, metric=HOSTILE)
    for shown in (hostile, recommend(hostile, 1e21)):
        html = shown._repr_html_()
        assert html.startswith("<div>")
        assert html.count("<table>") == html.count("</table>") > 1
        assert "<script>" not in html
        bundle = shown._repr_mimebundle_()
        assert bundle["text/html"] == html
        assert "width" in bundle["text/plain"]
        assert shown._repr_mimebundle_(include=["text/html"]).keys() == {"text/html"}
        assert shown._repr_mimebundle_(exclude=["text/html"]).keys() == {"text/plain"}
    for caution in found.cautions:
        assert f"<code>{caution.code}</code>" in found._repr_html_()

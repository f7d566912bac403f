"""The report in a real browser: opened from disk with the network off, looked at, hovered over, printed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from changed import changed
from conftest import SAMPLES, Program, fit, fit_star, sweep
from test_figures import HOSTILE

from shapeplan.documents.files import published_law
from shapeplan.documents.law import law_document
from shapeplan.figures.catalogue import FIGURES
from shapeplan.fitting.result import Fit
from shapeplan.readers.read import read_runs

pytest.importorskip("altair", reason="reports need the extra `plots`")
sync_api = pytest.importorskip("playwright.sync_api", reason="browser tests need playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
LARGEST_BYTES = 2_040_000
"""Half as much again as before the page had a slider: 1.36 MB."""
PAPER = 794
"""Width of A4 in pixels."""
OVERLAPS = """() => [...document.querySelectorAll("[data-chart]")].flatMap((place) => {
    const seen = [...place.querySelectorAll("svg text")]
        .filter((one) => one.textContent.trim() && Number(one.getAttribute("opacity") ?? 1) > 0)
        .map((one) => [one.textContent, one.getBoundingClientRect()])
        .filter(([, box]) => box.width > 0);
    return seen.flatMap(([text, a], i) => seen.slice(i + 1)
        .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
        .map(([other]) => [place.dataset.chart, text, other]));
})"""
"""Labels of charts that lie on each other, by their boxes."""


@pytest.fixture(scope="module")
def found() -> Fit:
    return fit(read_runs(SAMPLES / "vit_sweep.yaml"), replicates=200)


@pytest.fixture(scope="module")
def report(found: Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(found, tmp_path_factory.mktemp("report") / "report.html")


def written(one: Fit, path: Path) -> Path:
    from shapeplan.render.report.report import report_page

    path.write_text(report_page(one), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Opened:
    """A page with what it said and asked for."""

    def __init__(self, browser: Any, path: Path, **options: Any):
        self.said: list[str] = []
        self.asked: list[str] = []
        self.context = browser.new_context(offline=True, **options)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.said.append(f"error: dialog {dialog.message}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        charts = self.page.locator("[data-chart]").count()
        self.page.wait_for_function(f"document.querySelectorAll('[data-drawn]').length === {charts}", timeout=60_000)

    def marks(self) -> dict[str, int]:
        """Return how many points, lines and rules every chart has."""
        marks: dict[str, int] = self.page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('[data-chart]')].map(place => [place.dataset.chart,"
            " place.querySelectorAll('.mark-symbol path, .mark-line path, .mark-rule line').length]))"
        )
        return marks


@needs_browser
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_it_opens_from_disk_with_the_network_off(browser: Any, report: Path, scheme: str) -> None:
    opened = Opened(browser, report, color_scheme=scheme)
    assert opened.asked == [report.as_uri()]
    assert [line for line in opened.said if not line.startswith("info")] == []
    marks = opened.marks()
    assert tuple(marks) == FIGURES
    assert min(marks.values()) > 5
    ink, paper = opened.page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert (lightness(ink) > lightness(paper)) == (scheme == "dark")
    label = opened.page.locator(".role-axis-label text").first
    assert label.evaluate("one => getComputedStyle(one).fill") == ink


def lightness(colour: str) -> float:
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3]))


@pytest.mark.long
@needs_browser
def test_hovering_tells_run_and_row(browser: Any, report: Path) -> None:
    page = Opened(browser, report, viewport={"width": 1200, "height": 900}).page
    point = page.locator("[data-chart=fit] .mark-symbol path").nth(20)
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for(timeout=10_000)
    text = tooltip.inner_text()
    assert re.search(r"run\s+\S+-\d+M", text)
    assert re.search(r"line\s+\d+", text)
    assert re.search(r"residual\s+[^\d\s]?\d", text)


@needs_browser
@pytest.mark.parametrize(
    "width", [360, pytest.param(768, marks=pytest.mark.long), pytest.param(1440, marks=pytest.mark.long)]
)
def test_it_fits_phones_and_desks(browser: Any, report: Path, width: int) -> None:
    """Nothing is wider than the screen, charts use it, and no label lies on another."""
    opened = Opened(browser, report, viewport={"width": width, "height": 800})
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.said == []
    for place in page.locator("[data-chart]").all():
        used = place.locator("svg.marks").bounding_box()["width"] / place.bounding_box()["width"]
        assert 0.8 < used < 1.01
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.long
@needs_browser
def test_the_answer_is_on_the_first_screen_of_a_phone(browser: Any, report: Path) -> None:
    page = Opened(browser, report, viewport={"width": 360, "height": 740}).page
    for first in ("Train ", "Expect ", "Trust: "):
        box = page.locator(".answer p:visible", has_text=first).first.bounding_box()
        assert box["y"] + box["height"] < 740


def state(page: Any) -> dict[str, Any]:
    """Return what follows the slider: the answer, the row of the table, and the marks and words of pictures."""
    found: dict[str, Any] = page.evaluate(
        """() => ({
            label: document.getElementById("budget-said").textContent,
            answer: document.querySelector("[data-at]:not([hidden]) .answer p").textContent,
            row: document.querySelector("tr.now").textContent,
            rule: document.querySelector("[data-chart=frontier] .mark-rule.role-mark line").getAttribute("transform"),
            curve: document.querySelector("[data-chart=valley] .mark-line path").getAttribute("d"),
            frontier: document.querySelector("[data-said=frontier]").textContent,
            valley: document.querySelector("[data-said=valley]").textContent,
        })"""
    )
    return found


@pytest.mark.long
@needs_browser
@pytest.mark.parametrize("how", ["mouse", "keyboard"])
def test_the_slider_moves_plan_table_and_pictures(browser: Any, report: Path, how: str) -> None:
    opened = Opened(browser, report, viewport={"width": 1440, "height": 900})
    page, slider = opened.page, opened.page.locator("#budget")
    before = state(page)
    if how == "mouse":
        box = slider.bounding_box()
        page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
    else:
        slider.focus()
        for _ in range(4):
            page.keyboard.press("ArrowLeft")
    page.wait_for_function("line => document.querySelector('#budget-said').textContent !== line", arg=before["label"])
    page.wait_for_timeout(500)
    after = state(page)
    assert all(after[name] != before[name] for name in before)
    assert slider.get_attribute("aria-valuetext") == after["label"]
    assert page.locator("[data-at]:visible").count() == 1
    assert opened.asked == [report.as_uri()]
    assert opened.said == []
    forward = after["label"].split()[0]
    assert after["row"].startswith(forward)
    assert forward in after["frontier"]


@pytest.mark.long
@needs_browser
def test_two_fits_side_by_side(browser: Any, found: Fit, tmp_path: Path) -> None:
    from shapeplan.render.report.report import report_page

    other = fit(read_runs(SAMPLES / "vit_sweep.yaml"), law="product", replicates=20)
    (tmp_path / "both.html").write_text(report_page(found, also=other), encoding="utf-8")
    page = Opened(browser, tmp_path / "both.html", viewport={"width": 1440, "height": 900}).page
    table = page.get_by_role("region", name="Two fits side by side").inner_text()
    assert "separable" in table
    assert "product" in table
    plans = page.get_by_role("region", name="Their plans").inner_text()
    assert plans.count("training FLOPs: shape") == 3
    assert "loss, product" in page.locator("[data-chart=exponents] svg.marks").text_content()


@pytest.mark.long
@needs_browser
def test_print_fits_the_page(browser: Any, report: Path, tmp_path: Path) -> None:
    page = Opened(browser, report, viewport={"width": PAPER, "height": 1123}).page
    page.emulate_media(media="print")
    over = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1"
        " && getComputedStyle(one).position !== 'absolute').map(one => one.tagName + one.className)"
    )
    assert over == []
    assert not page.locator("nav").is_visible()
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").stat().st_size > 10_000


@pytest.mark.long
@needs_browser
def test_headings_tables_and_pictures_have_words(browser: Any, report: Path) -> None:
    page = Opened(browser, report).page
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate("[...document.querySelectorAll('table')].every(one => one.querySelector('th[scope=col]'))")
    assert page.evaluate(
        "[...document.querySelectorAll('[role=img],[role=region]')].every(one => one.ariaLabel.length > 5)"
    )
    # Everything that scrolls can be reached with the keyboard; the first stop skips to the results.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("[...document.querySelectorAll('.scroll, .chart')].every(one => one.tabIndex === 0)")


@needs_browser
@pytest.mark.long
def test_hostile_words_are_shown_as_they_are(browser: Any, found: Fit, tmp_path: Path) -> None:
    assert found.rows is not None
    rows = replace(found.rows, runs=tuple(f"{HOSTILE}{i}" for i in range(len(found.rows))))
    sources = tuple(replace(source, name=HOSTILE) for source in found.sources)
    path = written(changed(found, rows=rows, metric=HOSTILE, sources=sources), tmp_path / "hostile.html")
    opened = Opened(browser, path, viewport={"width": 800, "height": 900})
    assert [line for line in opened.said if line.startswith(("error", "warning"))] == []
    assert HOSTILE in opened.page.locator("h1").inner_text()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 800
    point = opened.page.locator("[data-chart=fit] .mark-symbol path").nth(20)
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    tooltip = opened.page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for(timeout=10_000)
    assert HOSTILE[:40] in tooltip.inner_text()
    box = tooltip.bounding_box()
    assert box["width"] <= 800
    assert opened.page.locator("script").count() == 3 + len(FIGURES)


@pytest.mark.long
def test_every_fit_has_a_report(tmp_path: Path) -> None:
    """Whatever cannot be drawn or planned is left out, and said so."""
    for name, one in (
        ("star", fit_star(sweep(), replicates=20)),
        ("chinchilla", fit(sweep(), law="chinchilla", replicates=20)),
        ("published", published_law()),
        ("one", fit(sweep(), law="separable", replicates=0)),
    ):
        text = written(one, tmp_path / f"{name}.html").read_text()
        assert text.count("data-chart=") >= 1
        for caution in one.cautions:
            assert f"<code>{caution.code}</code>" in text
    assert "there is no figure" in (tmp_path / "published.html").read_text()


@pytest.mark.long
def test_a_fit_that_is_not_to_be_trusted_says_so_first(found: Fit, tmp_path: Path) -> None:
    assert found.quality is not None
    doubted = changed(found, quality=replace(found.quality, status="untrusted"))
    text = written(doubted, tmp_path / "doubted.html").read_text()
    assert text.index("This fit is not to be trusted") < text.index('<h2 id="plan">')
    assert text.index('<h2 id="plan">') < text.index('<h2 id="warnings">') < text.index('<h2 id="pictures">')


def test_the_command_writes_one_small_file(program: Program, found: Fit, tmp_path: Path) -> None:
    (tmp_path / "law.json").write_text(law_document(found).dumps())
    done = program("report", "law.json", "-o", "report.html", "--flops", "1e21")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "note: wrote report.html\n"
    page = (tmp_path / "report.html").read_text()
    assert len(page.encode()) < LARGEST_BYTES
    assert found.sources[0].sha256 in page
    assert "shapeplan report law.json --flops 1e21 -o report.html" in page
    assert "1e21 forward FLOPs = 3e21 training FLOPs" in page
    assert "shapeplan recommend --law law.json --flops 1e21 --format timm" in page
    refused = program("report", "law.json", "-o", "law.json")
    assert refused.returncode == 2
    assert "'law.json' does not end in .html" in refused.stderr
    (tmp_path / "law.html").write_text((tmp_path / "law.json").read_text())
    assert program("report", "law.html", "-o", "law.html").returncode == 1
    assert program("report", "law.json").returncode == 2

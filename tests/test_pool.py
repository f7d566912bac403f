"""Runs of a pool, and a design under way: what is chosen, what is done, and what is refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Program, fit, on_terminal
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.design.campaign import campaign, outlook
from shapeplan.design.coverage import Coverage, slopes_at_the_top
from shapeplan.design.first_runs import first_runs
from shapeplan.design.matching import matched
from shapeplan.design.pool import next_from_pool
from shapeplan.design.posterior import Posterior
from shapeplan.design.simulate import simulate
from shapeplan.design.sovit_protocol import paper_architecture, rehearsal_law
from shapeplan.design.star import design_star
from shapeplan.documents.log import log_text
from shapeplan.errors import ArgumentError, InputError, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.quantities import convert_flops
from shapeplan.readers.states import ends
from shapeplan.readers.under_way import read_campaign
from shapeplan.runs import Runs

VIT = paper_architecture()
POOL = design_star({"width": 1248, "depth": 24, "mlp_dim": 3840}, VIT, (32e6, 64e6, 128e6), points=4).runs
LOG = simulate(rehearsal_law(), POOL, noise=0.003, seed=0)
HALF = np.arange(len(POOL)) % 2 == 0
TARGET = 100 * float(POOL.flops.max())
SLOPES = slopes_at_the_top(POOL)


@pytest.fixture(scope="module")
def so_far() -> Fit:
    return fit(LOG.take(HALF), law="separable", replicates=60)


def test_the_best_run_per_flop_comes_first_and_none_that_is_done(so_far: Fit) -> None:
    found = next_from_pool(POOL, TARGET, fit=so_far)
    assert found.left == tuple(np.flatnonzero(~HALF))
    rows = [one.row for one in found.chosen]
    assert len(set(rows)) == 5
    assert set(rows) <= set(found.left)
    for before, after in zip(found.chosen, found.chosen[1:], strict=False):
        assert before.regret_after == after.regret_before
        assert before.error_after == after.error_before
    assert all(one.regret_after < one.regret_before for one in found.chosen)  # type: ignore[operator]
    assert found.regret_of_all is not None
    assert found.regret_of_all <= found.chosen[-1].regret_after  # type: ignore[operator]
    assert found.runs().run_names == tuple(POOL.run_names[row] for row in sorted(rows))
    assert found.flops == pytest.approx(float(POOL.flops[rows].sum()))


def test_the_budget_is_kept_and_says_what_the_cheapest_costs(so_far: Fit) -> None:
    cheapest = float(POOL.flops[~HALF].min())
    found = next_from_pool(POOL, TARGET, fit=so_far, budget=3 * cheapest)
    assert 0 < found.flops <= 3 * cheapest
    with pytest.raises(PlanError, match="pay for no run of the pool that is left; the cheapest costs"):
        next_from_pool(POOL, TARGET, fit=so_far, budget=cheapest / 2)
    with pytest.raises(ArgumentError, match="a budget of -1 FLOPs is out of range"):
        next_from_pool(POOL, TARGET, fit=so_far, budget=-1.0)
    with pytest.raises(PlanError, match=f"all {int(HALF.sum())} runs of the pool are done"):
        next_from_pool(POOL.take(HALF), TARGET, fit=so_far)


def test_compute_of_another_convention_is_converted(so_far: Fit) -> None:
    other = replace(POOL, flops=convert_flops(POOL.flops, "forward", "training"), flops_convention="training")
    one, two = (next_from_pool(pool, TARGET, fit=so_far) for pool in (POOL, other))
    assert [run.name for run in one.chosen] == [run.name for run in two.chosen]
    assert one.flops == pytest.approx(two.flops)


def test_without_a_law_the_cheap_runs_that_span_the_pool_come_first() -> None:
    found = next_from_pool(POOL, TARGET, candidates=10)
    assert found.why_first == "there is no law of the runs so far"
    rows = [one.row for one in found.chosen]
    assert len(set(rows)) == 10
    assert (POOL.flops[rows] <= np.median(POOL.flops)).all()
    for dim in POOL.dims:
        assert len(set(POOL.values(dim)[rows])) >= 2
    again = next_from_pool(POOL, TARGET, log=LOG.take(np.array(rows)), candidates=8)
    assert not {one.row for one in again.chosen} & set(rows)


def test_a_law_that_cannot_judge_leaves_the_choice_to_the_first_runs(so_far: Fit) -> None:
    bare = fit(LOG.take(HALF), law="separable", replicates=0)
    found = next_from_pool(POOL, TARGET, fit=bare)
    assert found.why_first == "the law has no draws"
    with pytest.raises(PlanError, match="the law is in mlp_dim, which the pool has not"):
        next_from_pool(replace(POOL, dims=POOL.dims[:2], shape=POOL.shape[:, :2]), TARGET, fit=so_far)


def test_a_law_without_a_dimension_that_the_pool_varies_does_not_judge(so_far: Fit) -> None:
    thin = LOG.take(np.flatnonzero(LOG.values("depth") == 24))
    found = next_from_pool(POOL, TARGET, fit=fit(thin, law="separable", replicates=40), log=thin)
    assert found.why_first == "the law does not tell depth, which the pool varies"
    assert set(found.left) == set(np.flatnonzero(POOL.values("depth") != 24))


def test_rows_that_a_fit_left_out_are_done_where_the_log_has_them(so_far: Fit) -> None:
    everything = next_from_pool(POOL, TARGET, fit=so_far).left
    found = next_from_pool(POOL, TARGET, fit=so_far, log=LOG.take(np.arange(len(POOL)) < len(POOL) - 1))
    assert found.left == (len(POOL) - 1,)
    assert len(everything) > 1


@given(st.integers(0, 2**31), st.integers(1, 12), st.floats(0.05, 1.0))
def test_first_runs_are_different_and_within_the_budget(seed: int, count: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    left = rng.random(len(POOL)) < 0.7
    budget = share * float(POOL.flops.sum())
    rows = first_runs(POOL, [], left, budget, count)
    assert len(rows) == len(set(rows)) <= count
    assert left[rows].all()
    assert POOL.flops[rows].sum() <= budget * (1 + 1e-12)


@given(st.integers(0, 2**31), st.floats(1e-3, 1.0))
def test_all_runs_at_once_are_as_one_after_the_other(seed: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    both = rng.standard_normal((40, 9)) @ rng.standard_normal((9, 9))
    both -= both.mean(axis=0)
    one = Posterior(both[:, :3], both[:, 3:], np.diag([1.0, 2.0, 0.5]), noise * np.arange(1.0, 7.0))
    in_turns = one
    for run in (4, 0, 2):
        in_turns = in_turns.after(run)
    assert one.regret_after(np.array([0, 2, 4])) == pytest.approx(in_turns.regret, rel=1e-6, abs=1e-12 * one.regret)
    assert in_turns.error_of(1) <= one.error_of(1)


@given(st.integers(0, 2**31), st.integers(1, 20))
def test_coverage_tells_what_is_left_once_a_run_is_seen(seed: int, done: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(POOL), done + 1, replace=False).tolist()
    before, row = Coverage.of(POOL, rows[:-1]), rows[-1]
    told = before.variance_reduction()
    assert ((told >= 0) & (told <= 1)).all()
    after = before.after(row)
    assert after.integrated_variance() == pytest.approx(before.integrated_variance() * (1 - told[row]), rel=1e-6)
    assert after.variance_reduction()[row] < told[row]
    assert Coverage.of(POOL, rows).integrated_variance() == pytest.approx(after.integrated_variance(), rel=1e-6)


@given(st.integers(0, 2**31), st.integers(1, 20))
def test_slopes_are_as_uncertain_as_is_told_once_a_run_is_seen(seed: int, done: int) -> None:
    def uncertain(coverage: Coverage) -> np.ndarray:
        return np.einsum("sf,fg,sg->s", SLOPES, coverage.covariance, SLOPES)

    rng = np.random.default_rng(seed)
    rows = rng.choice(len(POOL), done + 1, replace=False).tolist()
    before, row = Coverage.of(POOL, rows[:-1]), rows[-1]
    told = before.slope_variance_reduction(SLOPES)
    assert ((told >= 0) & (told <= 1)).all()
    assert told[row] == pytest.approx(np.mean(1 - uncertain(before.after(row)) / uncertain(before)), rel=1e-6, abs=1e-9)


def test_slopes_are_of_every_size_and_of_a_quadratic_as_calculus_has_them() -> None:
    assert len(SLOPES) == 3
    dear = POOL.flops >= np.quantile(POOL.flops, 0.8)
    logs = np.log(np.column_stack([POOL.shape, POOL.flops]))
    top = [*logs[dear, :3].mean(axis=0), logs[:, 3].max()]
    z = (np.array(top) - logs.min(axis=0)) / np.ptp(logs, axis=0) - 0.5
    # Features are 1, the four axes, their ten products, and the departure: the slope of the square of the width.
    assert SLOPES[0, :5] == pytest.approx([0, 3 / np.ptp(logs[:, 0]), 0, 0, 0])
    assert SLOPES[0, 5] == pytest.approx(2 * 2 * z[0] / np.ptp(logs[:, 0]))
    one_size = POOL.take((POOL.shape == POOL.shape[0]).all(axis=1))
    assert slopes_at_the_top(one_size).shape[0] == 0
    assert not Coverage.of(one_size, []).slope_variance_reduction(slopes_at_the_top(one_size)).any()


def test_a_pool_without_any_difference_is_covered() -> None:
    alike = POOL.take(np.zeros(1, dtype=int))
    assert Coverage.of(alike, []).variance_reduction() == pytest.approx([1.0], abs=1e-2)
    assert [one.row for one in next_from_pool(alike, TARGET).chosen] == [0]


def test_runs_under_way_are_neither_chosen_nor_repeated(so_far: Fit) -> None:
    twins = replace(POOL.take(np.arange(len(POOL)).repeat(2)), run=np.arange(2 * len(POOL)))
    twins = replace(twins, run_names=tuple(f"{name}{again}" for name in POOL.run_names for again in "ab"))
    one = next_from_pool(twins, TARGET, fit=so_far, candidates=1).chosen[0]
    found = next_from_pool(twins, TARGET, fit=so_far, under_way=(one.name,), candidates=8)
    assert one.row // 2 not in {other.row // 2 for other in found.chosen}


def test_once_enough_runs_are_done_those_without_a_law_cover_the_pool() -> None:
    first = [one.row for one in next_from_pool(POOL, TARGET, candidates=10).chosen]
    found = next_from_pool(POOL, TARGET, log=LOG.take(np.array(first)), candidates=10)
    rows = [one.row for one in found.chosen]
    assert POOL.flops[rows].max() > np.median(POOL.flops)
    cheapest = np.setdiff1d(np.argsort(POOL.flops), first)[:10]
    left = [Coverage.of(POOL, [*first, *some]).integrated_variance() for some in (rows, cheapest)]
    assert left[0] < left[1] / 2


def test_runs_are_matched_by_name_else_by_shape_and_length() -> None:
    shapes = {dim: POOL.values(dim)[[0, 1, 2]] for dim in POOL.dims}
    assert len({tuple(POOL.shape[row]) for row in (0, 1, 2)}) == 1
    lines = [("log.csv", 2), ("log.csv", 3), ("log.csv", 4)]
    names = [POOL.run_names[2], "a", "b"]
    flops = np.array([POOL.flops[2], POOL.flops[0] * 0.4, POOL.flops[1] * 0.9])
    assert matched(POOL, names, shapes, flops, lines).tolist() == [2, 0, 1]
    assert matched(POOL, ["a", "b", "c"], shapes, np.full(3, 10 * POOL.flops.max()), lines).tolist() == [2, 1, 0]
    off = {**shapes, "width": shapes["width"] + 16}
    assert matched(POOL, ["a", "b", "c"], off, flops, lines).tolist() == [-1, -1, -1]
    with pytest.raises(
        InputError, match=r"log.csv:2: column 'width': the run .* has width 1264, and 1248 in the design"
    ):
        matched(POOL, names, off, flops, lines)


@pytest.mark.parametrize(
    ("column", "cells", "expected"),
    [
        ("State", ["finished", "failed", ""], {"finished": "finished", "failed": "crashed"}),
        ("status", ["COMPLETED", "PENDING"], {"COMPLETED": "finished", "PENDING": "running"}),
        ("status", ["OUT_OF_MEMORY", "COMPLETED"], {"OUT_OF_MEMORY": "crashed", "COMPLETED": "finished"}),
        ("status", ["FAILED"], {"FAILED": "crashed"}),
        ("outcome", ["exploded"], {"exploded": "diverged"}),
        ("diverged", ["true", "false"], {"true": "diverged"}),
        ("crashed", ["0", "1"], {"1": "crashed"}),
        ("success", ["True", "False"], {"True": "finished", "False": "crashed"}),
        ("exit_code", ["0", "137"], {"0": "finished", "137": "crashed"}),
    ],
)  # fmt: skip
def test_cells_say_how_a_run_ended(column: str, cells: list[str], expected: dict[str, str]) -> None:
    assert ends(column, cells) == expected


def rows_of(runs: Runs) -> list[dict[str, str]]:
    return list(csv.DictReader(log_text(runs).splitlines()))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def started(row: dict[str, str], share: float) -> dict[str, str]:
    """Return a row of a run that has done a share of its training."""
    return {**row, **{name: str(share * float(row[name])) for name in ("examples", "forward_flops")}}


@pytest.fixture
def under_way(tmp_path: Path) -> Path:
    write(tmp_path / "design.csv", rows_of(POOL))
    rows = [{**row, "state": "finished"} for row in rows_of(LOG.take(HALF))]
    rows[1] = {**started(rows[1], 0.5), "state": "crashed"}
    rows[2] = {**rows[2], "loss": "nan", "state": "failed"}
    rows[3] = {**started(rows[3], 0.25), "loss": "", "state": "running"}
    rows[4] = {**rows[4], "run": "another name"}
    rows[5] = {**started(rows[5], 0.5)}
    rows.append({**rows[0], "run": "stray", "width": "320"})
    write(tmp_path / "log.csv", rows)
    return tmp_path


def test_a_run_that_failed_before_it_trained_is_pending(tmp_path: Path) -> None:
    first, *others = rows_of(LOG.take(HALF))
    write(tmp_path / "log.csv", [{**first, "forward_flops": "0", "loss": "", "state": "failed"}, *others])
    read = read_campaign(tmp_path / "log.csv")
    assert read is not None
    assert "left out 1 row: forward_flops is 0, before any training" in read.runs.notes
    states = {row.name: row.state for row in campaign(POOL, read.runs, read.ends).rows}
    assert states[first["run"]] == "pending"


def test_every_row_of_a_design_has_a_state(under_way: Path) -> None:
    read = read_campaign(under_way / "log.csv")
    assert read is not None
    found = campaign(POOL, read.runs, read.ends)
    names = [name for name, here in zip(POOL.run_names, HALF, strict=True) if here]
    by_name = {row.name: row for row in found.rows}
    assert [by_name[name].state for name in names[:5]] == ["done", "crashed", "diverged", "running", "done"]
    assert by_name[names[4]].run == "another name"
    assert by_name[names[5]].early
    assert found.unmatched == ("stray",)
    assert found.counts["pending"] == int((~HALF).sum())
    planned = {name: by_name[name].planned for name in names}
    expected = sum(planned.values()) - 0.5 * planned[names[1]] - 0.75 * planned[names[3]] - 0.5 * planned[names[5]]
    assert found.spent == pytest.approx(expected)
    done = found.done()
    assert done is not None
    assert len(done) == int(HALF.sum()) - 3


def test_rows_of_a_design_that_are_not_filled_in_are_pending() -> None:
    loss = np.where(np.arange(len(POOL)) < 2, 2.5, np.nan)
    found = campaign(POOL, replace(POOL, loss=loss))
    assert [row.state for row in found.rows] == ["done", "done", *["pending"] * (len(found.rows) - 2)]
    assert found.spent == pytest.approx(sum(row.planned for row in found.rows[:2]))


def test_a_run_without_a_state_is_done_at_its_planned_compute() -> None:
    short = replace(LOG, flops=LOG.flops * np.where(HALF, 1.0, 0.5))
    found = campaign(POOL, short)
    assert [row.state for row in found.rows] == ["done" if full else "running" for full in HALF]
    assert campaign(POOL, None).counts["pending"] == len(POOL)


def test_a_run_of_another_length_than_planned_is_told() -> None:
    flops = POOL.flops.copy()
    flops[3] *= 3
    flops[4] *= 1.01
    found = campaign(POOL, replace(POOL, loss=np.ones(len(POOL)), flops=flops))
    assert [row.name for row in found.rows if row.longer] == [POOL.run_names[POOL.run[3]]]


def test_it_is_time_to_stop_where_the_rest_tells_little(so_far: Fit) -> None:
    of = campaign(POOL, LOG.take(HALF))
    found = outlook(of, TARGET, so_far)
    assert found.regret_now is not None
    assert found.regret_after is not None
    assert found.regret_after < found.regret_now
    assert found.stop == (found.regret_now < 5e-4 or found.regret_now - found.regret_after < 5e-4)
    clean = simulate(rehearsal_law(), POOL, noise=0.0, seed=0).take(HALF)
    known = outlook(of, TARGET, fit(clean, law="separable", replicates=40))
    assert known.stop
    assert "less than 0.05% already" in known.why
    assert not outlook(of, TARGET, None).stop
    beyond = outlook(of, 1e30, so_far)
    assert not beyond.stop, "a size at the search bound has no variance, whatever is trained"
    assert "no-interior-optimum" in {one.code for one in beyond.cautions}
    assert "little-to-gain" not in {one.code for one in beyond.cautions}
    assert outlook(campaign(POOL, LOG), TARGET, None).why == "all runs are done"
    last = campaign(POOL, LOG, ["running", *["finished"] * (len(POOL) - 1)])
    assert outlook(last, TARGET, None).why.startswith("the last runs are under way: ")


def test_runs_under_way_are_not_chosen(so_far: Fit) -> None:
    first = next_from_pool(POOL, TARGET, fit=so_far).chosen[0]
    found = next_from_pool(POOL, TARGET, fit=so_far, under_way=[first.name])
    assert first.name not in [one.name for one in found.chosen]
    assert first.row in found.left


def test_status_tells_rows_spending_and_advice(program: Program, under_way: Path) -> None:
    done = program("status", "design.csv", "log.csv")
    assert done.returncode == 0, done.stderr
    assert "1 running" in done.stdout
    assert "not of the design  stray" in done.stdout
    assert "note: add --target FLOPS" in done.stderr
    told = program("status", "design.csv", "log.csv", "--target", f"{TARGET:g}", "--json")
    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    assert document["kind"] == "shapeplan.status"
    assert document["unmatched"] == ["stray"]
    assert sum(document["counts"].values()) == len(document["rows"]) == len(POOL)
    assert document["outlook"]["next"]


def test_status_reads_the_rows_and_the_compute_that_are_asked_for(program: Program, under_way: Path) -> None:
    def told(*arguments: str) -> dict[str, Any]:
        done = program("status", "design.csv", "log.csv", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    assert told("--where", "run!=stray")["unmatched"] == []
    log = under_way / "log.csv"
    log.write_text(log.read_text().replace("forward_flops", "flops", 1))
    assert told("--flops-convention", "forward")["spent"] == pytest.approx(
        3 * told("--flops-convention", "training")["spent"]
    )


@pytest.mark.parametrize("columns", [60, 100])
def test_status_fits_the_terminal(under_way: Path, columns: int) -> None:
    shown, status = on_terminal(
        columns, "status", under_way / "design.csv", under_way / "log.csv", results=True, NO_COLOR="1"
    )
    assert status == 0
    assert max(len(line) for line in shown.split("\n")) <= columns


def test_status_of_nothing_and_of_what_is_no_log(program: Program, under_way: Path) -> None:
    (under_way / "runs").mkdir()
    none = program("status", "design.csv", "runs", "--target", "1e22")
    assert none.returncode == 0, none.stderr
    assert f"{len(POOL)} pending" in none.stdout
    assert "there is no law of the runs so far" in none.stdout
    missing = program("status", "design.csv", "nowhere")
    assert (missing.returncode, missing.stderr) == (1, "error: nowhere: there is no such file; check the path\n")
    assert program("status", "design.csv", "log.csv", "--target", "much").returncode == 2
    assert program("status", "design.csv").returncode == 2
    text = (under_way / "log.csv").read_text().replace(f"{POOL.run_names[0]},1248", f"{POOL.run_names[0]},1264")
    (under_way / "other.csv").write_text(text)
    wrong = program("status", "design.csv", "other.csv")
    assert wrong.returncode == 1
    assert "error: other.csv:2: column 'width': the run" in wrong.stderr


def test_next_of_a_pool_from_nothing_from_rows_and_from_a_law(program: Program, under_way: Path) -> None:
    arguments = ("design", "next", "--pool", "design.csv", "--target", f"{TARGET:g}")
    first = program(*arguments, "-o", "first.csv")
    assert first.returncode == 0, first.stderr
    assert "The next runs of the pool, to identify a law" in first.stdout
    with (under_way / "first.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 5
    few = (under_way / "log.csv").read_text().splitlines()[:2]
    (under_way / "few.csv").write_text("\n".join(few) + "\n")
    early = program(*arguments, "--log", "few.csv")
    assert early.returncode == 0, early.stderr
    assert "note: no law yet: " in early.stderr
    write(under_way / "half.csv", rows_of(LOG.take(HALF)))
    document = json.loads(program(*arguments, "--log", "half.csv", "--json", "--candidates", "2").stdout)
    assert document["kind"] == "shapeplan.pool"
    assert len(document["chosen"]) == 2
    assert document["left"] == int((~HALF).sum())
    refused = program(*arguments, "--log", "log.csv")
    assert refused.returncode == 1
    assert "--where 'state=finished' leaves such rows out" in refused.stderr
    some = program(*arguments, "--log", "log.csv", "--where", "state=finished", "--where", "run!=stray")
    assert some.returncode == 0, some.stderr
    thin = LOG.take(np.flatnonzero(LOG.values("depth") == 24))
    fit(thin, law="separable", replicates=40).save(under_way / "thin.json")
    other = program(*arguments, "--law", "thin.json")
    assert other.returncode == 0, other.stderr
    assert "the law does not tell depth, which the pool varies" in other.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "new runs follow from a --law and a --budget"),
        (("--log", "log.csv"), "--log is of --pool, which is not given"),
        (("--pool", "design.csv", "--where", "a=b"), "--where is of --log, which is not given"),
    ],
)
def test_options_that_do_not_go_together(program: Program, arguments: tuple[str, ...], message: str) -> None:
    done = program("design", "next", "--target", "1e22", *arguments)
    assert done.returncode == 2
    assert message in done.stderr

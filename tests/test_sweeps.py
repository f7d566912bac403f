from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from conftest import additive_law, sweep
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.design.simulate import simulate
from shapeplan.design.sovit_protocol import ARMS, CENTER, paper_design
from shapeplan.errors import FitError
from shapeplan.runs import Runs
from shapeplan.sweeps.dimensions import find_dimensions
from shapeplan.sweeps.grid import find_start, pareto_front
from shapeplan.sweeps.star import doubts, find_star

DIMS = ("width", "depth", "mlp_dim")


def log_of(shapes: list[tuple[float, ...]], dims: tuple[str, ...] = DIMS, flops: list[float] | None = None) -> Runs:
    """Return a log of one row a shape."""
    n = len(shapes)
    return Runs(
        dims=dims,
        shape=np.array(shapes, dtype=float),
        flops=np.array(flops or [1e18 * (i + 1) for i in range(n)]),
        flops_convention="forward",
        run=np.arange(n),
        run_names=tuple(f"r{i}" for i in range(n)),
        lines=np.arange(2, n + 2),
        loss=np.linspace(2, 1, n),
    )


def test_the_star_of_the_paper_is_found_by_itself() -> None:
    runs = sweep()
    star = find_star(runs, DIMS)
    assert dict(star.center) == CENTER
    assert {dim: tuple(star.values(runs, dim)) for dim in DIMS} == ARMS
    assert len(star.center_rows) == 3
    assert doubts(runs, star) == ()


@pytest.mark.long
@given(st.permutations(range(121)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    star = find_star(sweep().take(np.array(order)), DIMS)
    assert dict(star.center) == CENTER
    assert [len(star.arms[dim]) for dim in DIMS] == [18, 18, 18]


def test_a_centre_that_was_never_trained_is_found_too() -> None:
    runs = sweep()
    star = find_star(runs, DIMS)
    kept = np.setdiff1d(np.arange(len(runs)), star.center_rows)
    again = find_star(runs.take(kept), DIMS)
    assert dict(again.center) == CENTER
    assert not again.center_rows.size


def test_a_given_centre_is_taken_at_its_word() -> None:
    assert dict(find_star(sweep(), DIMS, CENTER).center) == CENTER
    with pytest.raises(FitError, match="arms with 0 of width, 0 of depth, 0 of mlp_dim"):
        find_star(sweep(), DIMS, {"width": 100, "depth": 40, "mlp_dim": 6000})
    with pytest.raises(FitError, match="has no depth, mlp_dim"):
        find_star(sweep(), DIMS, {"width": 1968})
    with pytest.raises(FitError, match="speaks of experts"):
        find_star(sweep(), DIMS, {**CENTER, "experts": 8})


def test_a_cross_that_lies_in_a_log_of_many_shapes_is_no_star_unless_it_is_named() -> None:
    rng = np.random.default_rng(0)
    widths, depths = [256.0, 384.0, 512.0, 768.0, 1024.0], [4.0, 6.0, 8.0, 12.0, 16.0]
    middle = {"width": 768.0, "depth": 8.0}
    cross = [(width, 8.0) for width in widths] + [(768.0, depth) for depth in depths]
    others = [(float(width), float(depth)) for width, depth in rng.uniform((100, 2), (2000, 40), (60, 2))]
    dims = ("width", "depth")
    runs = log_of(cross + others, dims)
    expected = (
        r"14% of the rows lie around one shape \(width 768, depth 8\), which is not larger than these "
        r"\(width up to 1024, depth up to 16\); name the centre \(`center`\) if a star was trained around it"
    )
    with pytest.raises(FitError, match=expected):
        find_star(runs, dims)
    named = find_star(runs, dims, middle)
    assert {dim: len(rows) for dim, rows in named.arms.items()} == {"width": 4, "depth": 4}
    assert dict(find_star(log_of(cross, dims), dims).center) == middle, "a log that is a star around a middling shape"
    large = [(width, 40.0) for width in widths] + [(2048.0, depth) for depth in depths] + [(2048.0, 40.0)]
    assert dict(find_star(log_of(large + others, dims), dims).center) == {"width": 2048.0, "depth": 40.0}


def test_a_grid_alone_is_no_star_of_six() -> None:
    grid = sweep().take(np.arange(57, 121))
    star = find_star(grid, DIMS)
    codes = [caution.code for caution in doubts(grid, star)]
    assert codes == ["too-few-runs"] * 3


def test_one_shape_is_no_star() -> None:
    with pytest.raises(FitError, match="every row has the same shape"):
        find_star(log_of([(64, 2, 256)]), ())


def test_a_centre_below_its_arms_is_doubted() -> None:
    shapes = [(8, 4), (2, 4), (3, 4), (16, 4), (8, 1), (8, 2), (8, 3)]
    runs = log_of(shapes, ("width", "depth"))
    found = doubts(runs, find_star(runs, ("width", "depth")))
    assert [caution.code for caution in found] == ["too-few-runs", "too-few-runs", "center-bottleneck"]
    assert "width reaches 16 of 8" in found[-1].message


def test_dimensions_are_free_tied_or_fixed() -> None:
    runs = log_of([(64, 2, 256), (128, 2, 512), (256, 2, 1024), (128, 2, 512)])
    found, cautions = find_dimensions(runs)
    assert found.free == ("width",)
    assert (found.tied["mlp_dim"].to, found.tied["mlp_dim"].ratio) == ("width", pytest.approx(4.0))
    assert found.fixed == {"depth": 2.0}
    assert [caution.code for caution in cautions] == ["not-varied", "tied"]
    assert found.complete({"width": 100.0}) == {"width": 100.0, "mlp_dim": pytest.approx(400.0), "depth": 2.0}


def test_a_tie_may_be_a_power() -> None:
    widths = (256, 512, 1024, 2048, 4096)
    runs = log_of([(width, round(24 * (width / 4096) ** 0.5), 4 * width + 16) for width in widths])
    found, cautions = find_dimensions(runs)
    depth, mlp_dim = found.tied["depth"], found.tied["mlp_dim"]
    assert depth.power == pytest.approx(0.5, abs=0.02)
    assert mlp_dim.power == 1, "nearly proportional is proportional"
    whole = found.complete({"width": 4096.0})
    assert whole["depth"] == pytest.approx(24, rel=0.03)
    assert depth.leader(depth.of(777.0)) == pytest.approx(777.0)
    assert "depth moves with width (depth / width is 0.00586 to 0.0234) as 0.3" in cautions[0].message


def test_the_dimensions_of_the_paper_are_free() -> None:
    found, cautions = find_dimensions(sweep())
    assert found.free == DIMS
    assert cautions == ()


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(1, 100), st.floats(0.1, 10)), min_size=1, max_size=30))
def test_the_front_is_what_brute_force_says(rows: list[tuple[int, float, float]]) -> None:
    shapes = np.array([[float(row[0])] for row in rows])
    flops, loss = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    front = pareto_front(shapes, flops, loss)
    assert front[0].first == flops.min()
    for one, following in pairwise(front):
        assert one.last == following.first
        assert not np.array_equal(one.shape, following.shape)
        assert one.loss > following.loss
    for segment in front:
        assert segment.loss == loss[flops <= segment.first].min()
    assert min(loss) in [loss[flops <= segment.last].min() for segment in front]


def checkpointed_grid(noise: float = 0.0) -> Runs:
    """Return the paper's grid logged at 12 points of training, under the rehearsal law."""
    design = paper_design()
    grid = design.take(np.arange(57, 121))
    shares = np.geomspace(1 / 12, 1, 12)
    every = np.repeat(np.arange(64), 12)
    again = grid.take(every)
    scale = np.tile(shares, 64)
    assert again.examples is not None
    from shapeplan.design.sovit_protocol import rehearsal_law

    denser = replace(again, flops=again.flops * scale, examples=again.examples * scale, run=every)
    return simulate(rehearsal_law(), denser, noise=noise, seed=1)


def test_the_start_is_inside_the_grid_and_t0_the_least_of_its_range() -> None:
    runs = checkpointed_grid()
    start, cautions = find_start(runs, DIMS, np.arange(len(runs)))
    assert cautions == ()
    assert start is not None
    for dim in DIMS:
        values = np.unique(runs.values(dim))
        assert values[0] < start.shape[dim] < values[-1]
    front = pareto_front(runs.shape, runs.flops, runs.observed())
    ranges = {(*segment.shape,): segment.first for segment in front}
    assert start.flops in [segment.first for segment in front if tuple(segment.shape) == tuple(start.shape.values())]
    assert ranges


def test_a_grid_of_one_duration_is_doubted() -> None:
    runs = sweep()
    start, cautions = find_start(runs, DIMS, np.arange(57, 121))
    assert start is not None
    assert [caution.code for caution in cautions] == ["grid-one-duration"]


def test_a_front_on_the_edge_names_the_values_to_add() -> None:
    widths = (64.0, 128.0, 256.0)
    shapes = [(w, d) for w in widths for d in (2.0, 4.0, 8.0)]
    runs = log_of(shapes, ("width", "depth"), [w * w * d * 1e12 for w, d in shapes])
    loss = np.array([10.0 - np.log(w) + abs(d - 8.0) for w, d in shapes])
    start, cautions = find_start(replace(runs, loss=loss), ("width", "depth"), np.arange(9))
    assert start is not None
    assert [caution.code for caution in cautions] == ["grid-boundary", "grid-one-duration"]
    assert "depth 8" in cautions[0].message
    assert "depth 16, 32" in cautions[0].hint


def test_without_a_grid_there_is_no_start() -> None:
    start, cautions = find_start(sweep(), DIMS, np.arange(0))
    assert start is None
    assert [caution.code for caution in cautions] == ["no-start"]


def test_simulation_is_reproducible_and_noise_is_what_was_asked_for() -> None:
    one, two, other = sweep(seed=1), sweep(seed=1), sweep(seed=2)
    np.testing.assert_array_equal(one.observed(), two.observed())
    assert not np.array_equal(one.observed(), other.observed())
    clean = sweep(noise=0.0)
    ratio = np.concatenate([sweep(noise=0.01, seed=s).observed() / clean.observed() - 1 for s in range(20)])
    assert ratio.std() == pytest.approx(0.01, rel=0.05)
    assert ratio.mean() == pytest.approx(0.0, abs=0.001)


def test_a_design_without_a_variable_of_the_law_is_refused() -> None:
    design = replace(paper_design(), examples=None)
    assert simulate(additive_law(), design).loss is not None
    with pytest.raises(FitError, match="needs examples, which the design does not say"):
        sweep_without_examples(design)


def sweep_without_examples(design: Runs) -> Runs:
    from shapeplan.design.sovit_protocol import rehearsal_law

    return simulate(rehearsal_law(), design)

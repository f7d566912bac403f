"""Checks that need more than one cell: rows against each other, and magnitudes that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution, ErrorDetail, InputError, details_at
from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.numerics.grouping import first_alike, first_of_group
from shapeplan.quantities import format_flops
from shapeplan.readers.columns import Columns
from shapeplan.readers.cross_check import which_lines
from shapeplan.readers.table import Table
from shapeplan.runs import Runs

_FEWEST_COPIES, _COPIES = 3, 0.05
_COARSE = 2e-4
"""Step between values, relative, that is not far below the noise of seeds."""
FEWEST_EXAMPLES = 1e4
SMALLEST_FLOPS, LARGEST_FLOPS = 1e9, 1e28
"""Less than a second of one laptop core, and ten times what the largest runs known are said to be."""
MOST_EXAMPLES = 1e17
FEWEST_PARAMS, MOST_PARAMS = 1e3, 1e14
"""About ten times beyond the smallest and the largest models that are trained."""
LEAST_RATIO, MOST_RATIO = 1e-3, 1e6
"""Examples per parameter, in most rows, beyond which one of the two is in another unit."""
_FEWER_TOKENS = 0.5
_LARGEST_STEP, _MANY_TOKENS = 1e8, 1e4
"""Tokens of one step, and per parameter in most rows, from which sequences may be tokens."""
_FULL = {2.0**31 - 1: "2^31 - 1", 2.0**32 - 1: "2^32 - 1"}
"""Where counters of 32 bits end."""
_UNITS = "if a column is in another unit, say it in its header: gflops, 'FLOPs (1e18)', 'tokens (B)', 'params (M)'"


def check_rows(runs: Runs, metric: str | None, alike: Ints, *, training: bool) -> None:
    """Refuse rows that contradict each other or that no law can use.

    Parameters
    ----------
    runs : Runs
        The rows.
    metric : str or None
        The metric's column, for complaints.
    alike : ndarray of int, shape (rows,)
        The first row of the same shape, compute and metric, for every row; as `alike_rows` returns.
    training : bool
        Whether the rows are points of training, which come once; rows to predict may repeat.

    Raises
    ------
    InputError
        If the metric is zero or negative, a run has two shapes, or the same point of training comes twice.
    """
    details: list[ErrorDetail] = []
    if runs.loss is not None:
        loss = runs.loss
        details += details_at(
            np.flatnonzero(loss <= 0).tolist(),
            lambda i: _not_positive(float(loss[i]), runs.file_of(i), int(runs.lines[i]), metric),
        )
    if training:
        details += _contradictions(runs, alike)
    if details:
        raise InputError(*sorted(details, key=lambda found: found.line or 0))


def not_positive(loss: Floats, table: Table, metric: str, name: str) -> list[ErrorDetail]:
    """Return an error for every row whose metric is zero or negative."""
    return details_at(
        np.flatnonzero(loss <= 0).tolist(),
        lambda i: _not_positive(float(loss[i]), table.file_of(i, name), table.line_of(i, metric), metric),
    )


def _not_positive(loss: float, file: str, line: int, metric: str | None) -> ErrorDetail:
    hint = "relative errors need a positive metric: give a loss or an error rate"
    return ErrorDetail("not-positive", f"{loss:g} is not above zero", hint, file, line, metric, f"{loss:g}")


def doubt_magnitudes(runs: Runs, columns: Columns) -> Runs:
    """Return the rows with cautions where compute, examples or parameters cannot be those of training runs."""
    found = [*_few_examples(runs), *(_counts_beyond(runs) or _odd_ratio(runs)), *_full_counters(runs)]
    found += _counted_twice(runs, columns) if not found else []
    return replace(runs, cautions=(*runs.cautions, *found)) if found else runs


def _few_examples(runs: Runs) -> Iterator[Caution]:
    if runs.examples is not None and runs.examples.max() < FEWEST_EXAMPLES:
        message = f"no run sees more than {runs.examples.max():.3g} {runs.examples_unit}"
        hint = "if the column is in another unit, say it in its header, as 'tokens (B)', 'examples (M)'"
        yield Caution(codes.IMPLAUSIBLE_MAGNITUDE, message, hint)


def _counted_twice(runs: Runs, columns: Columns) -> Iterator[Caution]:
    """Yield a caution where sequences are so many that they may be tokens already.

    Of an architecture for text, examples and batches are read as sequences; steps of more than a hundred million tokens
    are of no training known, nor ten thousand tokens a parameter in most rows.
    """
    if runs.architecture is None or runs.examples is None or "tokens" in columns.roles:
        return
    if runs.examples_unit != "tokens":
        return
    column = columns.roles.get("examples") or columns.roles.get("batch_size")
    steps = runs.cells[columns.roles["steps"]].finite_numbers() if "steps" in columns.roles else None
    large = steps is not None and (runs.examples / np.maximum(steps, 1.0)).min() > _LARGEST_STEP
    middle = None if runs.params is None else float(np.median(runs.examples / runs.params))
    if column is not None and (large or (middle is not None and middle > _MANY_TOKENS)):
        ratio = "" if middle is None else f", {middle:.2g} per parameter"
        message = f"read as sequences, {column!r} gives up to {runs.examples.max():.3g} tokens{ratio} in most rows"
        role = "tokens" if "examples" in columns.roles else "batch_tokens"
        hint = f"if {column!r} counts tokens already, `columns={role}={column}`"
        yield Caution(codes.IMPLAUSIBLE_MAGNITUDE, message, hint)


def _full_counters(runs: Runs) -> Iterator[Caution]:
    """Yield a caution for rows whose examples are the largest number of a counter."""
    for most, said in _FULL.items():
        full = np.zeros(len(runs), dtype=bool) if runs.examples is None else runs.examples == most
        if full.any():
            message = (
                f"{which_lines(runs, full)}: {most:.0f} {runs.examples_unit} are the most that 32 bits hold ({said})"
            )
            hint = "the counter was full before the run ended: take what was seen from steps and batch size"
            yield Caution(codes.IMPLAUSIBLE_MAGNITUDE, message, hint)


def _counts_beyond(runs: Runs) -> list[Caution]:
    """Return a caution for every kind of count that is below or above those of all training runs."""
    told = codes.PARAMS_MISMATCH in {caution.code for caution in runs.cautions}
    kinds = (
        ("FLOPs", runs.flops, (SMALLEST_FLOPS, LARGEST_FLOPS), "a run"),
        (runs.examples_unit, runs.examples, (0.0, MOST_EXAMPLES), "a run"),
        ("parameters", None if told else runs.params, (FEWEST_PARAMS, MOST_PARAMS), "a model"),
    )
    found = []
    for unit, values, (least, most), of in kinds:
        if values is None or (values.min() >= least and values.max() <= most):
            continue
        little = bool(values.min() < least)
        row = int(np.argmin(values) if little else np.argmax(values))
        value = format_flops(float(values[row])) if unit == "FLOPs" else f"{values[row]:.3g}"
        where = which_lines(runs, np.arange(len(runs)) == row)
        message = f"{where} says {value} {unit}, which is {'little' if little else 'much'} for {of}"
        found.append(Caution(codes.IMPLAUSIBLE_MAGNITUDE, message, _UNITS))
    return found


def _odd_ratio(runs: Runs) -> Iterator[Caution]:
    """Yield a caution where examples and parameters are of unlike size in most rows."""
    told = {codes.PARAMS_MISMATCH, codes.FLOPS_MISMATCH} & {caution.code for caution in runs.cautions}
    if runs.examples is None or runs.params is None or told:
        return
    ratios, unit = runs.examples / runs.params, runs.examples_unit
    middle = float(np.median(ratios))
    if not LEAST_RATIO <= middle <= MOST_RATIO:
        message = f"most rows have about {middle:.2g} {unit} per parameter"
        hint = "if a column is in another unit, say it in its header, as 'tokens (B)', 'params (M)'"
        yield Caution(codes.IMPLAUSIBLE_MAGNITUDE, message, hint)
    elif unit == "tokens" and ratios.max() < _FEWER_TOKENS:
        message = f"every row has fewer tokens than parameters (at most {ratios.max():.2g} per parameter)"
        hint = "see whether tokens are sequences, or in a larger unit, or the two columns are swapped"
        yield Caution(codes.IMPLAUSIBLE_MAGNITUDE, message, hint)


def alike_rows(runs: Runs) -> Ints:
    """Return the first row of the same shape, compute and metric, for every row."""
    return first_alike(*runs.shape.T, runs.flops, *([] if runs.loss is None else [runs.loss]))


def doubt_copies(runs: Runs, alike: Ints) -> Runs:
    """Return the rows with a caution where too many are alike in shape, compute and metric to be other runs."""
    if runs.loss is None:
        return runs
    copies = int((alike != np.arange(len(runs))).sum())
    if copies < max(_FEWEST_COPIES, _COPIES * len(runs)) or _is_coarse(runs.loss):
        return runs
    message = f"{copies} rows repeat the shape, compute and {runs.metric} of a row of another run to the last digit"
    hint = "copies make every interval too narrow: remove them"
    return replace(runs, cautions=(*runs.cautions, Caution(codes.COPIED_ROWS, message, hint)))


def _is_coarse(loss: Floats) -> bool:
    """Return whether a metric is written with so few digits that runs of other seeds end at the same number."""
    steps = np.diff(np.unique(loss))
    return bool(steps.size and steps.min() > _COARSE * np.median(loss))


def _contradictions(runs: Runs, alike: Ints) -> list[ErrorDetail]:
    """Return a complaint for every run with two shapes and every point of training that comes twice."""
    if len(runs.run_names) == len(runs):
        return _identical_rows(runs, alike)
    leader = first_of_group(runs.run)
    two_shapes = (runs.shape != runs.shape[leader]).any(axis=1)
    whole = np.flatnonzero(~two_shapes)
    twin = np.arange(len(runs))
    twin[whole] = whole[first_alike(runs.run[whole], runs.flops[whole])]

    def complaint(i: int) -> ErrorDetail:
        label = runs.run_names[runs.run[i]]
        if not two_shapes[i]:
            return _repeated(runs, i, int(twin[i]), label)
        message = f"run {label!r} has another shape than on line {runs.lines[leader[i]]}"
        hint = "a run trains one shape: give the runs different names"
        return ErrorDetail("two-shapes", message, hint, runs.file_of(i), int(runs.lines[i]), "run", label)

    wrong = np.flatnonzero(two_shapes | (twin != np.arange(len(runs)))).tolist()
    # Without a run column a repeat becomes a run of its own (another seed), unless it is the same in every cell.
    return details_at(wrong, complaint) or _identical_rows(runs, alike)


def _repeated(runs: Runs, i: int, twin: int, label: str) -> ErrorDetail:
    same = runs.loss is None or runs.loss[i] == runs.loss[twin]
    return ErrorDetail(
        "duplicate-row",
        f"run {label!r} is at {format_flops(float(runs.flops[i]))} FLOPs already on line {runs.lines[twin]}"
        + (f" of {runs.file_of(twin)}" if runs.files else "")
        + ("" if same else f" with another {runs.metric}"),
        "remove one" if same else "keep one, or give repeated runs different names",
        runs.file_of(i),
        int(runs.lines[i]),
        "run",
        label,
    )


def _identical_rows(runs: Runs, alike: Ints) -> list[ErrorDetail]:
    """Return a complaint for every row that is the same as one before it in every cell."""
    rows, group = _shared(np.arange(len(runs)), alike)
    for cells in runs.cells.values():
        if not rows.size:
            return []
        rows, group = _shared(rows, first_alike(cells.take(rows).groups()[0], group))
    again = np.flatnonzero(rows[group] != rows)

    def complaint(place: int) -> ErrorDetail:
        i, twin = int(rows[place]), int(rows[group[place]])
        message = f"the row is the same as line {runs.lines[twin]} in every cell"
        value = str(next(iter(runs.row(i).values()), ""))
        return ErrorDetail("duplicate-row", message, "remove one", runs.file_of(i), int(runs.lines[i]), value=value)

    return details_at(again.tolist(), complaint)


def _shared(rows: Ints, first: Ints) -> tuple[Ints, Ints]:
    """Return the rows that are not alone in their group, and the place among them of the first of each one's group."""
    many = np.zeros(len(rows), dtype=bool)
    many[first[first != np.arange(len(rows))]] = True
    kept = many[first]
    return rows[kept], (np.cumsum(kept) - 1)[first[kept]]

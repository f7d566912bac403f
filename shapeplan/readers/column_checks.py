"""Columns against each other: those without a role that matter, units that cannot be, a metric of the wrong direction.

Where the answer would be wrong, it is an error; where it may be, a coded warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from shapeplan import codes
from shapeplan.architectures.base import MIXTURE_DIMS
from shapeplan.errors import Caution, ErrorDetail, InputError
from shapeplan.numerics.arrays import Floats
from shapeplan.numerics.grouping import group_alike, is_function
from shapeplan.readers.arithmetic import doubt_arithmetic
from shapeplan.readers.column_hints import pivoted
from shapeplan.readers.columns import Columns, quoted
from shapeplan.readers.differing import differing
from shapeplan.readers.metric_names import ACCURACY, is_loss
from shapeplan.readers.miscounted import doubt_6nd, doubt_counts
from shapeplan.readers.misspelt import misspelt
from shapeplan.readers.names import EXPERTS, SHAPE, SURE, claim_of, listed, word_of
from shapeplan.readers.numbers import written_numbers
from shapeplan.readers.partial_counts import doubt_parts
from shapeplan.readers.shape_checks import doubt_shapes
from shapeplan.readers.shape_cost import tokens_derived
from shapeplan.readers.unit_checks import doubt_unit, wrong_units
from shapeplan.runs import Runs, recipe_caution

_OF_SHAPE = re.compile(
    r"(^|_)(d|n|num|dim|dims|size|width|depth|hidden|layers?|blocks?|stages?|ffn?|mlp|embd?|embedding|heads?|groups?"
    r"|expansion|channels|state|kv)(_|$)"
)
_NOT_OF_SHAPE = re.compile(
    r"(^|_)(seed|index|idx|id|rank_id|time|runtime|timestamp|step|steps|epoch|epochs|batch|gpus?|nodes?|devices?|workers"
    r"|lr|rate|loss|acc|tokens|flops|samples|warmup|decay|seconds|hours|date|world|vocab|dataset|eval|test|memory"
    r"|mb|gb|bytes|image|rank|year|seq|params?|parameters?)(_|$)"
)
_SETTINGS = {"vocab": ("vocab", "vocab_size", "n_vocab"), "kv_heads": ("kv_heads", "n_kv_heads", "num_key_value_heads")}
"""Settings of an architecture that rows may say and that are counted as the architecture has them."""
_FORWARD = {2.0: "forward FLOPs", 1.0: "MACs of forward passes", 3.0: "MACs of all passes"}
"""Compute over params x tokens, where it is no training's."""
_ALL_PASSES = 3.0
_EXACTLY = 0.02
_OF_TOKENS = re.compile(r"tok(?:en)?s?")
_NOT_SEEN = re.compile(
    r"tokeniz|embed|(^|_)(per|s|sec|second|vocab|batch|seq|sequence|context|step|dataset|ids?|emb|params?|lr|max|acc|type)(_|$)"
)
"""Words for tokens of something else than a run, and for their rate."""
_SAME = 1e-6
_LEAST_SIZE, _FEWEST_SIZES = 2, 3
"""Smallest size that a missing dimension may have, and how many it must have."""
_FEW = 8
_ENOUGH = 100_000
"""Rows that tell a direction."""
_RISES = 0.5
"""Rank correlation of metric and compute above which the metric grows with compute."""
_FLAT, _FEWEST_FLAT, _FLAT_RANGE, _MOVED = 0.95, 5, 3.0, 0.7
"""An error rate starts at chance where so many rows or more, over such a range of compute, stay above this share of its
largest value, and it falls to less than this share of it later."""


def check_columns(runs: Runs, columns: Columns) -> Runs:
    """Return the rows with warnings of columns that matter and have no role.

    Parameters
    ----------
    runs : Runs
        The rows, with all their cells.
    columns : Columns
        What they mean, and which have no role.

    Raises
    ------
    InputError
        If a column contradicts the architecture, counts experts, or compute, parameters and tokens cannot belong
        together.
    """
    ignored = columns.ignored
    details = [
        *_contradictions(runs, ignored),
        *_experts(runs, ignored),
        *wrong_units(runs, columns),
        *_wrong_direction(runs),
    ]
    details += [*_second_candidates(runs, columns), *misspelt(runs, columns)]
    if details:
        raise InputError(*details)
    sizes = _sizes(runs, [column for column in ignored if _likely_role(word_of(column)) not in columns.none])
    sizes += _mixtures(runs, ignored, sizes)
    sizes += [*_missing_size(runs, columns, sizes), *_left_out(runs, columns)]
    recipe = differing(runs, columns)
    # A size that is not read is why rows of one shape differ in cost.
    arithmetic = [] if sizes else doubt_arithmetic(runs, columns)
    odd = list(doubt_shapes(runs, columns))
    if not (sizes or odd or _breaks(arithmetic)):
        # Rows that are a little off may be what a size that is far off in a part of the log leaves.
        counts = list(doubt_counts(runs, columns))
        arithmetic = counts if not arithmetic or _breaks(counts) else arithmetic
    counted = _forward(runs)
    if not (counted or sizes or arithmetic):
        counted = list(doubt_6nd(runs, columns)) or doubt_unit(runs, columns)
    cautions = [
        *map(_unread_unit, columns.unread),
        *_pivot(columns),
        *_tokens(runs, columns),
        *sizes,
        *arithmetic,
        *counted,
        *odd,
        *([recipe_caution(recipe)] if recipe else []),
        *_rising(runs),
        *doubt_parts(runs, columns),
        *_at_chance(runs, columns),
    ]
    return replace(runs, cautions=(*runs.cautions, *cautions), differing=recipe)


def _unread_unit(column: str) -> Caution:
    message = f"the unit in the header {column!r} is not understood: its numbers are taken as they stand"
    hint = "write it as 'tokens (B)', 'params (M)' or 'flops (1e18)', and nothing where there is none"
    return Caution(codes.UNREAD_UNIT, message, hint)


def _breaks(cautions: Sequence[Caution]) -> bool:
    return any(caution.code == codes.BROKEN_ARITHMETIC for caution in cautions)


def _contradictions(runs: Runs, ignored: Sequence[str]) -> list[ErrorDetail]:
    """Return an error where a column and the architecture say different values of one setting."""
    details: list[ErrorDetail] = []
    if runs.architecture is None:
        return details
    for column in ignored:
        setting = next((name for name, words in _SETTINGS.items() if word_of(column) in words), None)
        stated = runs.architecture.settings.get(setting) if setting else None
        values = runs.cells[column].finite_numbers() if isinstance(stated, int | float) else None
        if values is None or not isinstance(stated, int | float):
            continue
        wrong = np.flatnonzero(values != stated)
        if wrong.size:
            row = int(wrong[0])
            differ = f"{wrong.size} of {len(runs)} rows differ"
            message = f"the {setting} is {values[row]:g} here, and {stated:g} in the architecture ({differ})"
            hint = f"`where='{column}={stated:g}'` reads the rows that agree; or correct the architecture"
            place = (runs.file_of(row), int(runs.lines[row]), column, f"{values[row]:g}")
            details.append(ErrorDetail("contradicts-architecture", message, hint, *place))
    return details


def _experts(runs: Runs, ignored: Sequence[str]) -> list[ErrorDetail]:
    """Return an error where the architecture counts mixtures of experts as dense models."""
    dense = runs.architecture is not None and not set(MIXTURE_DIMS) & set(runs.dims)
    for column, values in _of_experts(runs, ignored) if dense else ():
        row = int(np.flatnonzero(values > 1)[0])
        hint = f"add experts_per_token to the architecture; `where='{column}<=1'` reads the dense models alone"
        place = (runs.file_of(row), int(runs.lines[row]), column, f"{values[row]:g}")
        return [ErrorDetail("mixture", "the row is a mixture of experts, counted as a dense model", hint, *place)]
    return []


def _of_experts(runs: Runs, ignored: Sequence[str]) -> list[tuple[str, Floats]]:
    """Return the columns that count more than one expert somewhere, and their numbers."""
    named = [(column, written_numbers(runs.cells[column])) for column in ignored if EXPERTS.search(word_of(column))]
    return [(column, values) for column, values in named if values is not None and (values > 1).any()]


def _mixtures(runs: Runs, ignored: Sequence[str], told: Sequence[Caution]) -> list[Caution]:
    """Return a warning for a column of experts that is ignored where no architecture counts them."""
    cautions = []
    for column, values in _of_experts(runs, ignored) if runs.architecture is None else ():
        if any(repr(column) in caution.message for caution in told):
            continue
        seen = f"{values.min():g} to {values.max():g}" if np.ptp(values) else f"{values[0]:g} in every row"
        message = f"column {column!r} counts experts ({seen}), and is ignored: a plan is of such mixtures"
        hint = "fit models of one number of experts, and log the compute of those that a token uses"
        if not np.ptp(values):
            hint = "compute has to be that of the experts that a token uses; an architecture with experts plans them"
        cautions.append(Caution(codes.UNREAD_COLUMN, message, hint))
    return cautions


def _wrong_direction(runs: Runs) -> list[ErrorDetail]:
    """Return an error where a metric that is named as an accuracy grows with compute."""
    if runs.loss is None or not ACCURACY.search(word_of(runs.metric)) or " - " in runs.metric:
        return []
    if len(runs) >= _FEW and _rank_correlation(runs.flops, runs.loss) < 0:
        return []
    hint = "`higher_is_better` minimizes one minus it"
    return [ErrorDetail("accuracy", f"{runs.metric!r} is an accuracy, and would be minimized", hint, runs.file_of(0))]


def _rising(runs: Runs) -> list[Caution]:
    if runs.loss is None or len(runs) < _FEW or _rank_correlation(runs.flops, runs.loss) < _RISES:
        return []
    hint = "if larger is better, say `higher_is_better`; else check the column"
    if re.match("1(?:00)? - ", runs.metric):
        hint = "so it is with `higher_is_better`: leave that out if the column is a loss"
    return [Caution(codes.METRIC_RISES, f"{runs.metric} grows with compute", hint)]


def _at_chance(runs: Runs, columns: Columns) -> list[Caution]:
    """Return a warning where an error rate is the same in the rows of least compute, over a range of it."""
    if runs.loss is None or columns.flops is None or runs.loss.max() > 1 or len(runs) < _FEW:
        return []
    order = np.argsort(runs.flops, kind="stable")
    flops, lowest = runs.flops[order], np.minimum.accumulate(runs.loss[order])
    flat = int((lowest >= _FLAT * runs.loss.max()).sum())
    if (
        flat < _FEWEST_FLAT
        or flat == len(runs)
        or flops[flat - 1] < _FLAT_RANGE * flops[0]
        or lowest[-1] > _MOVED * lowest[0]
    ):
        return []
    floor = f"{flops[flat - 1] / columns.flops.unit:.3g}"
    message = f"{runs.metric} does not move in the {flat} rows of least compute: it starts at chance ({lowest[0]:.3g})"
    hint = f"no law holds there: `where='{columns.flops.name}>{floor}'` leaves them out"
    return [Caution(codes.STARTS_AT_CHANCE, message, hint)]


def _pivot(columns: Columns) -> list[Caution]:
    """Return a warning where the metric is one of columns that differ in a number alone."""
    spread = pivoted([column for column in (columns.metric, *columns.ignored) if column])
    if columns.metric not in spread:
        return []
    others = [column for column in spread if column != columns.metric]
    message = f"{columns.metric!r} is read, and {listed(others)}, which differ in a number alone, are not"
    return [Caution(codes.UNREAD_COLUMN, message, "if these are other runs, give each a row (pandas: frame.melt)")]


def _tokens(runs: Runs, columns: Columns) -> list[Caution]:
    """Return a warning for a column that may count what runs saw, where no other does."""
    if not {"tokens", "examples", "batch_tokens", "batch_size"}.isdisjoint(columns.roles):
        return []
    found = []
    for column in columns.ignored:
        word = word_of(column)
        counts = _OF_TOKENS.search(word) and not _NOT_SEEN.search(word)
        values = written_numbers(runs.cells[column]) if counts else None
        if values is not None and (values > 0).all() and np.ptp(values) > 0:
            message = f"column {column!r} may be the tokens that runs saw, and is ignored"
            hint = f"`columns=tokens={quoted(column)}` reads it, in the unit that its header says"
            found.append(Caution(codes.UNREAD_COLUMN, message, hint))
    return found


def _sizes(runs: Runs, ignored: Sequence[str]) -> list[Caution]:
    """Return a warning for every column without a role that looks like a size of the model and varies with it."""
    cautions = []
    shape = None
    for column in ignored:
        word = word_of(column)
        experts = bool(EXPERTS.search(word))
        if not experts and (not _OF_SHAPE.search(word) or _NOT_OF_SHAPE.search(word)):
            continue
        values = written_numbers(runs.cells[column])
        if values is None or (values <= 0).any() or np.ptp(values) == 0:
            continue
        if shape is None:
            shape = runs.shape_groups
        if not experts and is_function(values, shape) and not _moves(values, runs):
            continue
        seen = f"{values.min():g} to {values.max():g}"
        message = f"column {column!r} looks like a size of the model, varies ({seen}), and is ignored"
        hint = f"name it with `columns={_likely_role(word)}='{column}'` (or its role), or `dims=...,'{column}'`"
        cautions.append(Caution(codes.UNREAD_COLUMN, message, hint))
    return cautions


def _left_out(runs: Runs, columns: Columns) -> Iterator[Caution]:
    """Yield a warning for every size of the model that `dims` leaves out, and that the others do not tell."""
    for dim in SHAPE:
        column = columns.roles.get(dim)
        values = written_numbers(runs.cells[column]) if runs.dims and column and dim not in columns.dims else None
        if column and values is not None and np.ptp(values) > 0 and not is_function(values, runs.shape_groups):
            named = f"column {column!r}" if column == dim else f"column {column!r} is the {dim},"
            seen = f"varies ({values.min():g} to {values.max():g}) among rows of one shape"
            message = f"{named} {seen}, and `dims` leaves it out"
            hint = f"add it: `dims={','.join((*columns.dims, column))}`; or read the rows of one value with `where`"
            yield Caution(codes.UNREAD_COLUMN, message, hint)


def _second_candidates(runs: Runs, columns: Columns) -> list[ErrorDetail]:
    """Return an error where a column without a role is by its name a dimension that another column is, and differs."""
    details = []
    for column in columns.ignored:
        claim = claim_of(column)
        if claim is None or claim.role not in SHAPE or claim.rank > SURE or claim.role not in columns.dims:
            continue
        if claim.role in columns.by_hand:
            continue
        values, own = written_numbers(runs.cells[column]), columns.roles[claim.role]
        if values is None or (values <= 0).any() or len(np.unique(values)) == 1:
            continue
        if not np.allclose(values, runs.values(claim.role), rtol=_SAME):
            hint = f"say which: `columns={claim.role}={own}` or `columns={claim.role}={column}`"
            message = f"{own!r} and {column!r} both mean {claim.role}, and differ"
            place = (runs.file_of(0), int(runs.lines[0]), column)
            details.append(ErrorDetail("ambiguous-column", message, hint, *place))
    return details


def _missing_size(runs: Runs, columns: Columns, told: Sequence[Caution]) -> list[Caution]:
    """Return a warning where a log lacks width or depth, and a column without a role could be it, whatever its name."""
    lacking = [dim for dim in ("width", "depth") if dim not in (*columns.dims, *columns.none)]
    if not lacking or not runs.dims or not set(runs.dims) <= set(SHAPE):
        return []
    cautions = []
    for column in columns.ignored:
        word, values = word_of(column), written_numbers(runs.cells[column])
        named = any(repr(column) in caution.message for caution in told)
        if values is None or named or _NOT_OF_SHAPE.search(word) or (is_loss(column) and word != "l"):
            continue
        whole = (values >= _LEAST_SIZE).all() and (values == np.round(values)).all()
        if not whole or len(np.unique(values)) < _FEWEST_SIZES or not is_function(values, runs.run):
            continue
        seen = f"{values.min():g} to {values.max():g}"
        message = f"the log has no {' and no '.join(lacking)}, and column {column!r} ({seen}) is ignored"
        hint = f"if it is the {lacking[0]}, `columns={lacking[0]}='{column}'`; without it a plan is of another model"
        cautions.append(Caution(codes.UNREAD_COLUMN, message, hint))
    return cautions


def _forward(runs: Runs) -> list[Caution]:
    """Return a warning where compute that is taken as training is that of forward passes, or MACs, in every row."""
    if runs.architecture is not None or runs.params is None or runs.examples is None or tokens_derived(runs):
        return []
    if runs.examples_unit != "tokens" or runs.flops_convention != "training":
        return []
    ratio = runs.flops / (runs.params * runs.examples)
    training = np.abs(ratio / 6 - 1) < _EXACTLY
    for factor, what in _FORWARD.items():
        such = np.abs(ratio / factor - 1) < _EXACTLY
        part = such.any() and (such | training).all() and factor < _ALL_PASSES
        if part or such.all():
            rows = "every row" if such.all() else f"{such.sum()} of {len(runs)} rows, and 6 times in the others"
            message = f"the compute is {factor:g} x params x tokens in {rows}: {what}, taken as training FLOPs"
            hint = "`columns=flops=6ND` takes 6 x params x tokens in every row"
            if such.all() and factor < _ALL_PASSES:
                hint = f"say `flops_convention=forward`, or {hint}"
            return [Caution(codes.FLOPS_MISMATCH, message, hint)]
    return []


def _likely_role(word: str) -> str:
    """Return the role that a size with such a name most likely has."""
    if re.search(r"ff|mlp|feed|inter", word):
        return "mlp_dim"
    if re.search(r"layer|block|depth|stage", word):
        return "depth"
    return "heads" if re.search(r"head", word) else "width"


def _moves(values: Floats, runs: Runs) -> bool:
    """Return whether a column is neither in proportion to a dimension nor a function of one alone."""
    return not any(is_function(values, group_alike(column)) for column in runs.shape.T)


def _rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's rank correlation, of very many rows of some; 0 where either does not vary."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    few = slice(None, None, 1 + len(one) // _ENOUGH)
    first, second = (np.unique(values[few], return_inverse=True)[1].reshape(-1) for values in (one, other))
    return float(np.corrcoef(first, second)[0, 1])

"""What the columns of a log mean: the field's many words for the same few things, with their units."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.quantities import Convention

SHAPE = ("width", "depth", "mlp_dim")
SYNONYMS: dict[str, tuple[str, ...]] = {
    "width": ("d_model", "hidden_size", "n_embd", "embed_dim", "model_dim", "hidden_dim"),
    "depth": ("n_layer", "n_layers", "num_layers", "num_hidden_layers", "layers"),
    "mlp_dim": ("d_ff", "intermediate_size", "ffn_dim", "ffn_size", "ffw_size", "n_inner", "mlp_width"),
    "heads": ("n_head", "n_heads", "num_heads", "num_attention_heads"),
    "examples": ("examples_seen", "samples", "samples_seen", "images", "images_seen", "sequences"),
    "tokens": ("tokens_seen", "n_tokens", "num_tokens", "total_tokens"),
    "steps": ("step", "train_steps", "iterations", "iter"),
    "batch_size": ("batch", "global_batch_size"),
    "params": ("parameters", "n_params", "num_params"),
    "run": ("run_id", "run_name"),
}
_CANONICAL = {word: role for role, words in SYNONYMS.items() for word in (role, *words)}
_NOT_DIMS = ("run", "examples", "tokens", "steps")
_FLOPS = re.compile(
    r"(?P<before>forward_|fwd_|training_|train_|total_)?(?P<unit>[kmgtpezy]|kilo|mega|giga|tera|peta|exa)?flops?"
    r"(?P<after>_forward|_fwd|_training|_train|_total)?"
)
_UNITS = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21, "y": 1e24}


@dataclass(frozen=True)
class FlopsColumn:
    """A column of compute: its name, its unit in FLOPs, and the convention the name declares, if it does."""

    name: str
    unit: float
    convention: Convention | None


@dataclass(frozen=True)
class Columns:
    """The meaning of a log's columns.

    Attributes
    ----------
    roles : dict of str to str
        Column of the input for every role that was found: dimensions, ``examples``, ``run``, and so on.
    dims : tuple of str
        The dimensions among the roles.
    flops : FlopsColumn or None
        Where the compute stands.
    metric : str or None
        Column of the metric; None where none was asked for.
    notes : tuple of str
        Which words were understood as which, and which columns are ignored.
    """

    roles: dict[str, str]
    dims: tuple[str, ...]
    flops: FlopsColumn | None
    metric: str | None
    notes: tuple[str, ...]


def resolve_columns(
    columns: Sequence[str],
    name: str,
    line: int,
    *,
    metric: str,
    metric_required: bool,
    dims: Sequence[str] | None,
    other_metrics: Sequence[str] = (),
) -> Columns:
    """Find out what the columns mean.

    Parameters
    ----------
    columns : sequence of str
        Names as they stand in the input.
    name, line : str, int
        The input and the line of its header, for complaints.
    metric : str
        Column of the metric.
    metric_required : bool
        Whether to complain where there is none.
    dims : sequence of str or None
        Dimensions of the law; by default those of width, depth and mlp_dim that are there.

    other_metrics : sequence of str
        Columns that are read as metrics of their own.

    Raises
    ------
    InputError
        If a column that is needed is missing (with the nearest ones there are), or two say the same.
    """
    wanted = tuple(dims or ())
    # The metric and the dimensions a user names go before any other meaning of the word.
    claimed, flops_columns = _claims([column for column in columns if column != metric and column not in wanted])
    roles, details, notes = _roles(claimed, name, line)
    if len(flops_columns) > 1:
        details.append(_ambiguous("compute", [column.name for column in flops_columns], name, line))
    for dim in wanted:
        if dim == metric or _CANONICAL.get(normal(dim), dim) in _NOT_DIMS:
            hint = "dimensions are what the models differ in: take it out of --dims"
            details.append(ErrorDetail("not-a-dimension", "it is no dimension of a shape", hint, name, line, dim))
        elif dim in columns:
            roles[dim] = dim
        elif dim not in roles:
            details.append(_missing(dim, columns, name, line))
    used_dims = wanted or tuple(dim for dim in SHAPE if dim in roles)
    if not used_dims:
        guesses = _guesses(columns)
        if "params" not in roles or guesses:
            details.append(_no_shape(columns, guesses, name, line))
        else:
            notes.append("no column of shape: only a law of params can be fitted, and no shape recommended")
    if metric not in columns and metric_required:
        details.append(_missing(metric, columns, name, line, hint="name the column with --metric"))
    if details:
        raise InputError(*details)

    flops = flops_columns[0] if flops_columns else None
    used = {*roles.values(), *([flops.name] if flops else []), metric, *other_metrics}
    ignored = [column for column in columns if column not in used]
    if ignored:
        notes.append(f"ignored column{'s' if len(ignored) > 1 else ''}: {', '.join(ignored)}")
    return Columns(roles, used_dims, flops, metric if metric in columns else None, tuple(notes))


def _claims(columns: Sequence[str]) -> tuple[dict[str, list[str]], list[FlopsColumn]]:
    """Return the columns whose names claim a role, by role, and those of compute."""
    claimed: dict[str, list[str]] = {}
    flops: list[FlopsColumn] = []
    for column in columns:
        word = normal(column)
        if word in _CANONICAL:
            claimed.setdefault(_CANONICAL[word], []).append(column)
        elif match := _FLOPS.fullmatch(word):
            flops.append(_flops_column(column, match))
        elif word == "compute":
            flops.append(FlopsColumn(column, 1.0, None))
    return claimed, flops


def _roles(
    claimed: Mapping[str, list[str]], name: str, line: int
) -> tuple[dict[str, str], list[ErrorDetail], list[str]]:
    """Return the column of every role, what is ambiguous, and what was read as something else."""
    roles, details, notes = {}, [], []
    for role, names in claimed.items():
        exact = [column for column in names if normal(column) == role]
        if len(names) > 1 and len(exact) != 1:
            details.append(_ambiguous(role, names, name, line))
        roles[role] = (exact or names)[0]
        if not exact:
            notes.append(f"column {roles[role]!r} is read as {role}")
    return roles, details, notes


def normal(column: str) -> str:
    """Return a column's name as the tables of words have it: lower case, with underscores."""
    return re.sub(r"[\s\-./]+", "_", column.strip().lower())


def _flops_column(column: str, match: re.Match[str]) -> FlopsColumn:
    said = (match["before"] or "") + (match["after"] or "")
    convention: Convention | None = None
    if "forward" in said or "fwd" in said:
        convention = "forward"
    elif "train" in said:
        convention = "training"
    return FlopsColumn(column, _UNITS[match["unit"][0]] if match["unit"] else 1.0, convention)


def _ambiguous(role: str, names: list[str], name: str, line: int) -> ErrorDetail:
    said = " and ".join(repr(column) for column in names)
    return ErrorDetail("ambiguous-column", f"{said} both mean {role}", "keep one", name, line, names[1])


def _missing(column: str, columns: Sequence[str], name: str, line: int, hint: str = "") -> ErrorDetail:
    close = difflib.get_close_matches(normal(column), [normal(other) for other in columns], n=1, cutoff=0.6)
    match = next((other for other in columns if close and normal(other) == close[0]), None)
    there = f"the columns are: {', '.join(columns)}"
    mend = (f"did you mean {match!r}? " if match else "") + there + (f"; {hint}" if hint else "")
    return ErrorDetail("missing-column", "there is no such column", mend, name, line, column)


def _guesses(columns: Sequence[str]) -> list[str]:
    """Return which columns may be a misspelt dimension."""
    words = [word for word, role in _CANONICAL.items() if role in SHAPE]
    guesses = []
    for column in columns:
        close = difflib.get_close_matches(normal(column), words, n=1, cutoff=0.75)
        if close and normal(column) not in _CANONICAL:
            guesses.append(f"did you mean {_CANONICAL[close[0]]!r} by {column!r}? ")
    return guesses


def _no_shape(columns: Sequence[str], guesses: list[str], name: str, line: int) -> ErrorDetail:
    return ErrorDetail(
        "missing-column",
        "there is no column of shape: width, depth or mlp_dim",
        "".join(guesses[:1]) + f"the columns are: {', '.join(columns)}; name others with --dims",
        name,
        line,
        "width",
    )

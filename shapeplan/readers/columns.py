"""Which column of a log has which role: dimensions of the shape, compute, duration, the metric."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from shapeplan.errors import ErrorDetail
from shapeplan.frozen import frozen
from shapeplan.quantities import Convention
from shapeplan.readers.metric_names import is_held_out, is_loss, rivals_of
from shapeplan.readers.names import LATER, SHAPE, SYNONYMS, Claim, claim_of, listed, path_of, word_of
from shapeplan.readers.spelling import normal

SETTINGS = ("lr", "patch", "image", "seq")
"""Roles that only ``columns`` gives: of the recipe, and of an architecture, row by row."""
ROLES = (*SYNONYMS, "mlp_ratio", "tokens_per_param", "flops", "loss", *SETTINGS)
"""What ``columns`` can name."""
_NOT_DIMS = ("run", "examples", "tokens", "steps", "flops", "loss")
_COUNTS = ("flops", "tokens", "examples", "params")
_RATE = re.compile(r"_per_|/\s*(s|sec|token|step|example|image|gpu|tpu|device|rank|chip|node)\b")
_DISPENSABLE = ("steps", "batch_size", "batch_tokens")
_DURATIONS = {"tokens", "examples", "flops"}
"""Roles that say how long a run is without steps and batch size."""
_ALIASES = {"metric": "loss", "compute": "flops"}
SIX_ND = "6ND"
"""What ``columns=flops=`` names where no column is the compute: 6 x params x tokens."""


NONE = "none"
"""What ``columns=ROLE=`` names where no column has a role, whatever their names."""


@frozen
class FlopsColumn:
    """A column of compute: its name, its unit in FLOPs, and the convention the name declares, if it does."""

    name: str
    unit: float
    convention: Convention | None


@frozen
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
    scales : dict of str to float
        What the cells of a role are multiplied by, where its header has a unit.
    ignored : tuple of str
        Columns without a role.
    unsure : frozenset of str
        Roles whose column has a name that may mean something else.
    six_nd : bool
        Whether compute is to be taken as 6 x params x tokens.
    by_hand : frozenset of str
        Roles whose column a user names.
    none : frozenset of str
        Roles that no column has, as a user says.
    unread : tuple of str
        Columns whose header has a unit that is not understood.
    """

    roles: dict[str, str]
    dims: tuple[str, ...]
    flops: FlopsColumn | None
    metric: str | None
    notes: tuple[str, ...]
    scales: dict[str, float] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unsure: frozenset[str] = frozenset()
    six_nd: bool = False
    by_hand: frozenset[str] = frozenset()
    none: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()

    @property
    def progress(self) -> tuple[str, ...]:
        """Columns that say how far a run is: compute, tokens, examples, steps."""
        roles = [self.roles[role] for role in ("tokens", "examples", "steps") if role in self.roles]
        return (*([self.flops.name] if self.flops else []), *roles)


def resolve_columns(  # noqa: PLR0913 - everything that may change what a name means
    columns: Sequence[str],
    name: str,
    line: int,
    *,
    metric: str | None,
    metric_required: bool,
    dims: Sequence[str] | None,
    named: Mapping[str, str] | None = None,
    other_metrics: Sequence[str] = (),
    mixture: Mapping[str, str] | None = None,
) -> tuple[Columns, list[ErrorDetail]]:
    """Find out what the columns mean, and what is wrong with them.

    Parameters
    ----------
    columns : sequence of str
        Names as they stand in the input.
    name, line : str, int
        The input and the line of its header, for errors.
    metric : str or None
        Column of the metric; by default the only one that is a loss.
    metric_required : bool
        Whether to complain where there is none.
    dims : sequence of str or None
        Dimensions of the law; by default those of width, depth and mlp_dim that are there.
    named : mapping of str to str, optional
        Columns by role that a user names, over all that names would mean.
    other_metrics : sequence of str
        Columns that are read as metrics of their own.
    mixture : mapping of str to str, optional
        Columns by the dimension of a mixture of experts that they are, beside those of a shape.

    Returns
    -------
    columns : Columns
        What they mean; where two may be meant, neither.
    details : list of ErrorDetail
        Columns that are needed and missing (with the nearest ones there are), or that may be meant beside another.
    """
    mixture = mixture or {}
    own_name = {column: dim for dim, column in mixture.items()}
    wanted = tuple(own_name.get(dim, dim) for dim in dims or ())
    six_nd = (named or {}).get("flops", "").upper() == SIX_ND and SIX_ND not in columns
    none = {role for role, column in (named or {}).items() if column.lower() == NONE and column not in columns}
    by_role = {
        role: column for role, column in (named or {}).items() if role not in none and not (six_nd and role == "flops")
    }
    by_hand, details = _by_hand(by_role, columns, name, line)
    asked = by_hand.pop("loss", metric)
    metric, mistake = _metric(asked, columns, metric_required, name, line)
    details += mistake
    others = [column for column in columns if column != metric and column not in other_metrics and is_loss(column)]
    taken = {metric, *wanted, *by_hand.values(), *mixture.values()}
    claims = [claim for column in columns if column not in taken and (claim := claim_of(column)) is not None]
    claims = [claim for claim in claims if claim.role not in none and not (six_nd and claim.role == "flops")]
    chosen, more, notes = _choose([claim for claim in claims if claim.role not in by_hand], name, line)
    details += more
    roles = {role: claim.column for role, claim in chosen.items()} | by_hand
    scales = {role: claim.scale for role, claim in chosen.items() if claim.scale != 1.0}
    for role, column in by_hand.items():
        # The header of a column that is named by hand may still say its unit.
        claim = claim_of(column)
        if claim is not None and claim.scale != 1.0:
            scales[role] = claim.scale
        notes.append(f"column {column!r} is read as {role}, as was asked for")
    if asked is None and metric is not None and others:
        notes.append(f"the metric is {metric!r}, not {' or '.join(map(repr, others))} (`metric` names another)")
    if "active_params" in roles and "params" not in {*roles, *none}:
        roles["params"] = roles.pop("active_params")
        notes.append(f"no column of all parameters: those of {roles['params']!r}, which a token visits, are the size")
    flops = None if six_nd else _flops(roles, claims, by_hand)
    roles.pop("flops", None)
    scales.pop("flops", None)
    for dim, column in mixture.items():
        roles[dim] = column
        notes += [f"column {column!r} is read as {dim}"] if column != dim else []
    for dim in wanted:
        if dim in mixture:
            continue
        if dim == metric or getattr(claim_of(dim), "role", dim) in _NOT_DIMS:
            hint = "dimensions are what the models differ in: take it out of `dims`"
            details.append(ErrorDetail("not-a-dimension", "it is no dimension of a shape", hint, name, line, dim))
        elif dim in columns and dim not in by_hand:
            roles[dim] = dim
            notes += _known_dimension(dim)
        elif dim not in roles:
            details.append(_missing(dim, columns, name, line))
    used_dims = tuple(dim for dim in wanted or (*SHAPE, *mixture) if dim in roles)
    if not used_dims and not wanted and not any(claim.role in SHAPE for claim in claims):
        guesses = _guesses(columns)
        if "params" not in roles or guesses:
            details.append(_no_shape(columns, guesses, name, line))
        else:
            notes.append("no column of shape: only a law of params can be fitted, and no shape recommended")
    used = {*roles.values(), *([flops.name] if flops else []), metric, *other_metrics}
    ignored = tuple(column for column in columns if column not in used)
    found = metric if metric in columns else None
    unsure = frozenset(role for role, claim in chosen.items() if claim.rank > 1)
    told = frozenset(by_hand)
    unread = tuple(claim.column for claim in claims if claim.unread and claim.column in used)
    return Columns(
        roles, used_dims, flops, found, tuple(notes), scales, ignored, unsure, six_nd, told, frozenset(none), unread
    ), details


def _by_hand(
    named: Mapping[str, str], columns: Sequence[str], name: str, line: int
) -> tuple[dict[str, str], list[ErrorDetail]]:
    """Return the columns that a user names by role, and what is wrong with them."""
    found, details = {}, []
    for role, said in named.items():
        role = _ALIASES.get(role, role)
        # Blanks around a header are seen by nobody.
        alike = [column for column in columns if column.strip() == said.strip()]
        column = alike[0] if said not in columns and len(alike) == 1 else said
        if role not in ROLES:
            close = difflib.get_close_matches(role, ROLES, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"roles are {', '.join(ROLES)}; `dims` adds dimensions"
            details.append(ErrorDetail("unknown-role", f"there is no role {role!r}", hint, name, line, column))
        elif column not in columns:
            details.append(_missing(column, columns, name, line))
        elif role in _COUNTS and (wrong := _no_count(column)):
            details.append(ErrorDetail("no-count", *wrong, name, line, column))
        else:
            found[role] = column
    return found, details


def _no_count(column: str) -> tuple[str, str] | None:
    """Return why a column that a user names cannot be a count of a whole run, and how to mend it."""
    word = normal(column)
    if re.search(r"(^|_)(log|log10|log2|ln)(_|\(|$)", word):
        return "its name is that of a logarithm", "give the number itself: 10^x in a column of its own"
    if _RATE.search(f"{word} {column.lower()}"):
        return (
            "its name is that of a rate",
            "give the count of the whole run: the rate times tokens, examples, seconds or devices",
        )
    if re.search(r"(^|_)[kmgtpez]?macs?(_|$)", word):
        return "its name is that of multiply-accumulates", "give FLOPs in a column of their own: two for each"
    return None


def _metric(
    asked: str | None, columns: Sequence[str], required: bool, name: str, line: int
) -> tuple[str | None, list[ErrorDetail]]:
    """Return the column of the metric: the one asked for, ``loss``, or the only loss there is."""
    if asked is not None:
        if asked in columns:
            return asked, []
        alike = [column for column in columns if normal(column) == normal(asked)] or [
            column for column in columns if normal(column).endswith("_" + normal(asked)) and path_of(column)
        ]
        if len(alike) == 1:
            return alike[0], []
        detail = _missing(asked, columns, name, line, hint="name the column with `metric`")
        return asked, [detail] if required else []
    losses = [column for column in columns if is_loss(column)]
    if "loss" in columns and not any(is_held_out(column) for column in losses):
        return "loss", []
    if len(losses) == 1:
        losses += rivals_of(losses[0], columns)
    if len(losses) == 1:
        return losses[0], []
    if not required:
        return None, []
    if losses:
        hint = " or ".join(f"`metric={quoted(column)}`" for column in losses)
        message = f"{' and '.join(map(repr, losses))} are losses"
        return None, [ErrorDetail("ambiguous-column", message, f"say which: {hint}", name, line, losses[0])]
    return None, [_missing("loss", columns, name, line, hint="name the column with `metric`")]


def _choose(claims: Sequence[Claim], name: str, line: int) -> tuple[dict[str, Claim], list[ErrorDetail], list[str]]:
    """Return the surest claim of every role, which roles have two, and what was read as something else."""
    by_role: dict[str, list[Claim]] = {}
    for claim in claims:
        by_role.setdefault(claim.role, []).append(claim)
    chosen, details, notes = {}, [], []
    understood: dict[str, str] = {}
    _tell_dims_apart(by_role)
    for role, found in by_role.items():
        least = min(claim.rank for claim in found)
        surest = [claim for claim in found if claim.rank == least]
        if role == "flops":
            # No word for compute is surer than another, but a symbol or a path may be anything.
            surest = [claim for claim in found if claim.rank <= max(least, 1)]
        if len(surest) > 1 and role in _DISPENSABLE and by_role.keys() & _DURATIONS:
            notes.append(f"{' and '.join(repr(claim.column) for claim in surest)} both mean {role}: not used")
            continue
        if len(surest) > 1 and role != "run":
            details.append(_ambiguous(role, [claim.column for claim in surest], name, line))
            continue
        chosen[role] = claim = surest[0]
        if normal(claim.column) != role and not (role == "flops" and claim.rank <= 1 and claim.scale == 1.0):
            understood[role] = repr(claim.column) + (f" x {claim.scale:g}" if claim.scale != 1.0 else "")
    if understood:
        notes.append("columns are read as: " + ", ".join(f"{role} = {column}" for role, column in understood.items()))
    return chosen, details, notes


def _tell_dims_apart(by_role: dict[str, list[Claim]]) -> None:
    """Take ``hidden_dim`` beside ``dim`` for the MLP dim, as Meta's models and DistilBERT call them."""
    width = {word_of(claim.column): claim for claim in by_role.get("width", ())}
    if width.keys() == {"dim", "hidden_dim"} and "mlp_dim" not in by_role:
        by_role["width"] = [width["dim"]]
        by_role["mlp_dim"] = [replace(width["hidden_dim"], role="mlp_dim")]


def _flops(roles: Mapping[str, str], claims: Sequence[Claim], by_hand: Mapping[str, str]) -> FlopsColumn | None:
    if "flops" not in roles:
        return None
    column = roles["flops"]
    claim = claim_of(column) if column in by_hand.values() else next(c for c in claims if c.column == column)
    if claim is None or claim.role != "flops":
        return FlopsColumn(column, claim.scale if claim else 1.0, None)
    return FlopsColumn(column, claim.scale, claim.convention)


def _known_dimension(dim: str) -> list[str]:
    claim = claim_of(dim)
    if claim is None or claim.role not in SHAPE or claim.role == dim:
        return []
    return [
        f"{dim!r} is a dimension of its own, as `dims` asks; if it is the {claim.role}, "
        f"`columns={claim.role}={quoted(dim)}` gives exact counts and sizes that can be built"
    ]


def _ambiguous(role: str, names: list[str], name: str, line: int) -> ErrorDetail:
    what = "compute" if role == "flops" else role
    said = " and ".join(repr(column) for column in names)
    hint = "say which: " + " or ".join(f"`columns={role}={quoted(column)}`" for column in names)
    return ErrorDetail("ambiguous-column", f"{said} both mean {what}", hint, name, line, names[1])


def _missing(column: str, columns: Sequence[str], name: str, line: int, hint: str = "") -> ErrorDetail:
    # A column with another role is no misspelling: 'flops' is near to 'loss'.
    free = [other for other in columns if (claim := claim_of(other)) is None or claim.role == column]
    close = difflib.get_close_matches(normal(column), [normal(other) for other in free], n=1, cutoff=0.6)
    match = next((other for other in free if close and normal(other) == close[0]), None)
    there = f"the columns are: {listed(columns)}"
    mend = (f"did you mean {match!r}? " if match else "") + there + (f"; {hint}" if hint else "")
    return ErrorDetail("missing-column", "there is no such column", mend, name, line, column)


def _guesses(columns: Sequence[str]) -> list[str]:
    """Return which columns may be a misspelt dimension."""
    words = {word: role for table in (SYNONYMS, LATER) for role in SHAPE for word in (role, *table[role])}
    guesses = []
    for column in columns:
        close = difflib.get_close_matches(word_of(column), words, n=1, cutoff=0.75)
        # A part of a word (layer, hidden, model) is another word, not a misspelling.
        if close and claim_of(column) is None and word_of(column) not in close[0]:
            guesses.append(f"did you mean {words[close[0]]!r} by {column!r}? ")
    return guesses


def _no_shape(columns: Sequence[str], guesses: list[str], name: str, line: int) -> ErrorDetail:
    if any(column.endswith("__MIN") for column in columns):
        message = "is an export of a W&B panel (a column a run), which holds no shapes"
        hint = "export the table of runs as CSV, or give wandb:ENTITY/PROJECT, or the .wandb files"
        return ErrorDetail("no-log", message, hint, name)
    hint = "".join(guesses[:1]) + f"the columns are: {listed(columns)}; "
    hint += "say which is which with `columns=width=NAME`, or name dimensions of your own with `dims`"
    return ErrorDetail(
        "missing-column", "there is no column of shape: width, depth or mlp_dim", hint, name, line, "width"
    )


def quoted(column: str) -> str:
    """Return a column as it is typed in a shell."""
    return column if column.replace("_", "").replace(".", "").replace("/", "").isalnum() else f"'{column}'"

"""The compute and the data of every row: logged, or derived from the architecture, or from parameters and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from shapeplan.architectures import Architecture
from shapeplan.errors import Caution, ErrorDetail, InputError
from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.quantities import Convention
from shapeplan.readers.column_hints import hint_of_sizes
from shapeplan.readers.columns import SIX_ND, Columns
from shapeplan.readers.cross_check import span
from shapeplan.readers.names import listed
from shapeplan.readers.partial_counts import hint_of_batch
from shapeplan.readers.row_models import RowModels
from shapeplan.readers.table import Table
from shapeplan.readers.within import check_derived


class Compute(NamedTuple):
    """Compute by row with its convention, the examples that it gives where the log has none, and what was found."""

    flops: Floats
    convention: Convention
    examples: Floats | None
    notes: tuple[str, ...] = ()
    cautions: tuple[Caution, ...] = ()


def compute_of(
    values: dict[str, Any],
    columns: Columns,
    model: RowModels | None,
    duration: tuple[Floats | None, str],
    convention: Convention | None,
    table: Table,
    name: str,
) -> Compute:
    """Return the compute of every row.

    Parameters
    ----------
    values : dict
        Numbers by role, shape (rows,) each.
    columns : Columns
        Which of them is the compute, in which unit and convention.
    model : RowModels or None
        Of the rows' shapes, where an architecture is known.
    duration : tuple of ndarray or None, and str
        Examples or tokens by row, and which they are.
    convention : {"forward", "training"} or None
        What the user or the log says that compute counts.
    table, name : Table, str
        The log, for errors.

    Raises
    ------
    InputError
        If nothing says the compute, or it is beyond all bounds.
    """
    examples, unit = duration
    lines = table.lines
    if columns.flops is not None:
        return _logged(values["flops"] * columns.flops.unit, columns, model, examples, convention, (lines, name))
    if columns.six_nd and "params" in values and unit == "tokens" and examples is not None:
        visited, of = visited_params(values)
        flops = 6 * visited * examples
        check_derived("flops", flops, lines, name)
        note = f"compute is 6 x {of} x tokens, as was asked for, in the convention training"
        return Compute(flops, "training", examples, (note,))
    if model is not None and examples is not None:
        convention = convention or "training"
        with np.errstate(over="ignore"):
            flops = model.flops_per_example(convention) * examples
        check_derived("flops", flops, lines, name)
        note = f"compute is derived from the architecture and the {unit}, in the convention {convention}"
        return Compute(flops, convention, examples, (note,))
    if columns.six_nd:
        lacking = " and ".join(role for role in ("params", "tokens") if role not in values)
        message = f"`columns=flops={SIX_ND}` needs params and tokens, and there is no column of {lacking}"
        hint = f"name it with `columns={lacking.split(' ')[0]}=NAME`, or leave the option out"
        if "tokens" in lacking and {"steps", "batch_size"} <= values.keys():
            hint += "; tokens are steps x batch x sequence length: log them, or the batch in tokens as batch_tokens"
        raise InputError(ErrorDetail("missing-column", message, hint, name, table.header_line, lacking.split(" ")[0]))
    lacking_data = "examples (or tokens) and an architecture"
    if examples is not None:
        lacking_data = f"an architecture (`config`): {unit} are there"
    if model is not None:
        lacking_data = "examples, tokens, or steps with a batch size"
    hint = f"add flops, or {lacking_data}; "
    if "params" in values and unit == "tokens" and examples is not None:
        hint += f"`columns=flops={SIX_ND}` takes 6 x params x tokens; "
    if "params" not in values:
        hint += hint_of_sizes(table)
    if examples is None and "steps" in values and not {"batch_size", "batch_tokens"} & values.keys():
        named = "steps count with a batch size, which `columns=batch_size=NAME` names; "
        hint += hint_of_batch(columns) or named
    hint += "`columns=flops=NAME` names a column; "
    hint += f"the columns are: {listed(table.columns)}"
    raise InputError(ErrorDetail("missing-column", "the rows say no compute", hint, name, table.header_line, "flops"))


def visited_params(values: Mapping[str, Floats]) -> tuple[Floats, str]:
    """Return the parameters that a token visits, and their role: the active ones of a mixture that tells them."""
    role = "active_params" if "active_params" in values else "params"
    return values[role], role


def _logged(
    flops: Floats,
    columns: Columns,
    model: RowModels | None,
    examples: Floats | None,
    convention: Convention | None,
    place: tuple[Ints, str],
) -> Compute:
    """Return compute that a column says, compared with the architecture's."""
    assert columns.flops is not None
    column, named = columns.flops.name, columns.flops.convention
    lines, name = place
    notes: list[str] = []
    if named and convention and named != convention:
        notes.append(f"column {column!r} is read as {convention} FLOPs, as was asked for")
    convention = convention or named
    if convention is None:
        convention = "training"
        notes.append(
            f"column {column!r} names no convention: taken as training FLOPs (forward + backward); "
            "`flops_convention` says otherwise"
        )
    check_derived("flops", flops, lines, name)
    if model is None:
        return Compute(flops, convention, examples, tuple(notes))
    if examples is not None:
        cautions = model.doubt_flops(flops, examples, convention, lines)
        other = None if cautions else model.convention_of(flops, examples, convention)
        if other is not None:
            notes.append(f"your flops are {other}: the fit takes them as they are, and plans count {convention} FLOPs")
        return Compute(flops, convention, examples, tuple(notes), tuple(cautions))
    notes.append("examples are derived from the compute and the architecture")
    examples = flops / model.flops_per_example(convention)
    check_derived("examples", examples, lines, name)
    return Compute(flops, convention, examples, tuple(notes))


def examples_of(
    values: dict[str, Any],
    architecture: Architecture | None,
    models: RowModels | None,
    notes: list[str],
    lines: Ints,
    name: str,
) -> tuple[Floats | None, str]:
    """Return the examples seen, in the unit of the architecture, and the unit's name; `notes` are added to."""
    wanted = architecture.examples_unit if architecture else None
    if "tokens" in values:
        if wanted == "examples":
            hint = "name the column examples (images)"
            raise InputError(ErrorDetail("wrong-unit", "a vit sees examples, not tokens", hint, name, 1, "tokens"))
        return values["tokens"], "tokens"
    examples = values.get("examples")
    if examples is None and "steps" in values and "batch_tokens" in values and wanted != "examples":
        tokens = values["steps"] * values["batch_tokens"]
        check_derived("tokens", tokens, lines, name)
        return tokens, "tokens"
    if examples is None and "steps" in values and "batch_size" in values:
        examples = values["steps"] * values["batch_size"]
        check_derived("examples", examples, lines, name)
    if examples is not None and wanted == "tokens" and models is not None:
        per_input = models.examples_per_input
        notes.append(f"examples are read as sequences of {span(per_input, 6)} tokens")
        check_derived("tokens", examples * per_input, lines, name)
        return examples * per_input, "tokens"
    return examples, wanted or "examples"

"""A sweep log to `Runs`: parse, understand, validate, derive, cross-check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from shapeplan import codes
from shapeplan.architectures import Architecture, Transformer
from shapeplan.architectures.settings import LARGEST
from shapeplan.errors import Caution, ErrorDetail, InputError
from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.quantities import Convention, convert_flops
from shapeplan.readers.columns import Columns, resolve_columns
from shapeplan.readers.cross_check import check_flops, check_params, check_tokens
from shapeplan.readers.parse import parse_table
from shapeplan.readers.row_checks import check_rows, doubt_copies, doubt_magnitudes
from shapeplan.readers.rows import Label, Number, Positive, validate_rows
from shapeplan.readers.settings import Settings, check_settings, read_settings
from shapeplan.readers.source import Text, read_text
from shapeplan.readers.table import Table
from shapeplan.runs import Runs

SAME_SIZE = 0.05
"""Sizes this near are the same: an MLP ratio of 8/3 is rounded to multiples of 64 or 256."""


@dataclass(frozen=True)
class _Asked:
    """What a caller asks of a log, over what the log says; as the arguments of `read_runs`."""

    metric: str | None
    higher_is_better: bool
    dims: Sequence[str] | None
    flops_convention: Convention | None
    require_metric: bool = True
    other_metrics: Sequence[str] = ()


def read_runs(
    path: str | Path,
    *,
    metric: str | None = None,
    higher_is_better: bool = False,
    dims: Sequence[str] | None = None,
    flops_convention: Convention | None = None,
    config: str | Path | None = None,
    architecture: Architecture | None = None,
    require_metric: bool = True,
) -> Runs:
    """Read a sweep log.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, YAML, JSON or JSON Lines; ``-`` for stdin.
    metric : str, optional
        Column to be minimized; by default what the log says, else ``loss``.
    higher_is_better : bool
        Whether the metric is an accuracy: then one minus it (100 minus it, for percentages) is minimized.
    dims : sequence of str, optional
        Columns that are dimensions of the law; by default those of width, depth and mlp_dim that are there.
    flops_convention : {"forward", "training"}, optional
        What the compute column counts; by default what its name or the log says, else ``training``.
    config : str or Path, optional
        YAML file of settings, as they may precede the runs in a YAML log.
    architecture : Architecture, optional
        Used where neither log nor config gives one.
    require_metric : bool
        Whether rows without the metric are an error.

    Returns
    -------
    Runs
        All rows, in input order.

    Raises
    ------
    InputError
        With every complaint: file, line, column, value, and how to mend it.
    """
    text = read_text(path)
    asked = _Asked(metric, higher_is_better, dims, flops_convention, require_metric)
    return _read(text, parse_table(text), asked, _settings_of(config), architecture)


def read_metrics(
    path: str | Path,
    metrics: Sequence[str],
    *,
    higher_is_better: bool = False,
    dims: Sequence[str] | None = None,
    flops_convention: Convention | None = None,
    config: str | Path | None = None,
) -> dict[str, Runs]:
    """Read a sweep log once for every metric; the other arguments, and errors, are those of `read_runs`."""
    text = read_text(path)
    table, settings = parse_table(text), _settings_of(config)
    return {
        metric: _read(text, table, _Asked(metric, higher_is_better, dims, flops_convention, True, metrics), settings)
        for metric in metrics
    }


def _settings_of(config: str | Path | None) -> Settings:
    return read_settings(config) if config else Settings()


def _read(
    text: Text, table: Table, asked: _Asked, settings: Settings, architecture: Architecture | None = None
) -> Runs:
    said = check_settings(table.settings, table.settings_lines, text.name)
    settings = settings.over(said).over(Settings(architecture=architecture))
    if asked.flops_convention:
        settings = replace(settings, flops_convention=asked.flops_convention)
    metric = asked.metric if asked.metric is not None else settings.metric if settings.metric is not None else "loss"
    header = 1 if text.format in ("csv", "tsv") else table.records[0].line
    columns = resolve_columns(
        table.columns,
        text.name,
        header,
        metric=metric,
        metric_required=asked.require_metric,
        dims=asked.dims,
        other_metrics=asked.other_metrics,
    )
    values = _validate(table, columns, text.name)
    runs = _assemble(values, table, columns, settings, text)
    if asked.higher_is_better and runs.loss is not None:
        runs = _as_error(runs)
    check_rows(runs, columns.metric, training=asked.require_metric)
    return doubt_copies(doubt_magnitudes(runs))


def _validate(table: Table, columns: Columns, name: str) -> dict[str, Any]:
    """Return validated values by role (not by column)."""
    fields: dict[str, Any] = {columns.roles[role]: Positive for role in columns.dims}
    roles = {columns.roles[role]: role for role in columns.dims}
    for role in ("heads", "examples", "tokens", "steps", "batch_size", "params"):
        if role in columns.roles and columns.roles[role] not in fields:
            fields[columns.roles[role]], roles[columns.roles[role]] = Positive, role
    if columns.flops:
        fields[columns.flops.name], roles[columns.flops.name] = Positive, "flops"
    if columns.metric:
        fields[columns.metric], roles[columns.metric] = Number, "metric"
    if "run" in columns.roles:
        fields[columns.roles["run"]], roles[columns.roles["run"]] = Label, "run"
    values = validate_rows(table.records, fields, name)
    return {
        roles[column]: column_values if roles[column] == "run" else np.array(column_values, dtype=float)
        for column, column_values in values.items()
    }


def _assemble(values: dict[str, Any], table: Table, columns: Columns, settings: Settings, text: Text) -> Runs:
    notes = [*columns.notes, *settings.notes]
    cautions: list[Caution] = []
    cost = settings.architecture if columns.dims else None
    shape = {dim: values[dim] for dim in columns.dims}
    lines = np.array([record.line for record in table.records])
    model = _model(cost, shape, lines, text, cautions) if cost is not None else None
    examples, unit = _examples(values, cost, notes, text.name)
    if cost is not None and "tokens" in values:
        others = {role: column for role, column in values.items() if role != "tokens"}
        counted, _ = _examples(others, cost, [], text.name)
        if counted is not None:
            cautions += check_tokens(values["tokens"], counted, int(cost.settings["seq"]), lines)
    measured = [role for role in ("tokens", "examples", "steps") if role in values]
    if examples is None and measured:
        notes.append(f"not used: {', '.join(measured)} (steps need batch_size)")
    elif measured[1:]:
        notes.append(f"training is measured in {measured[0]}; not used: {', '.join(measured[1:])}")
    convention = settings.flops_convention
    flops: Floats
    if columns.flops is not None:
        flops = values["flops"] * columns.flops.unit
        named = columns.flops.convention
        if named and convention and named != convention:
            notes.append(f"column {columns.flops.name!r} is read as {convention} FLOPs, as was asked for")
        convention = convention or named
        if convention is None:
            convention = "training"
            notes.append(
                f"column {columns.flops.name!r} names no convention: taken as training FLOPs (forward + backward); "
                "--flops-convention says otherwise"
            )
        _check_finite("flops", flops, lines, text.name)
        if model is not None:
            if examples is None:
                examples = flops / (model.flops(convention) / model.examples_per_input)
                notes.append("examples are derived from the compute and the architecture")
            else:
                cautions += check_flops(flops, model, examples, convention, lines)
    elif model is not None and examples is not None:
        convention = convention or "training"
        with np.errstate(over="ignore"):
            flops = model.flops(convention) / model.examples_per_input * examples
        _check_finite("flops", flops, lines, text.name)
        notes.append(f"compute is derived from the architecture and the {unit}, in the convention {convention}")
    else:
        there = f"the columns are: {', '.join(table.columns)}"
        hint = f"add flops, or {unit if examples is not None else 'examples (or tokens)'} and an architecture; {there}"
        line = table.records[0].line if text.format not in ("csv", "tsv") else 1
        detail = ErrorDetail("missing-column", "the rows say no compute", hint, text.name, line, "flops")
        raise InputError(detail)
    if "heads" in values and np.ptp(values["heads"]) > 0 and "heads" not in columns.dims:
        low, high = values["heads"].min(), values["heads"].max()
        notes.append(f"heads vary ({low:g} to {high:g}) but are no dimension of the law: they are ignored")
    params = values.get("params")
    if model is not None:
        if params is None:
            params = np.broadcast_to(np.asarray(model.params, dtype=float), lines.shape)
        else:
            cautions += check_params(params, model, lines)
    if not columns.dims and examples is None:
        examples, unit = convert_flops(flops, convention, "training") / (6 * values["params"]), "tokens"
        notes.append("tokens are taken as training FLOPs / (6 params)")
    run, run_names = _runs(values, columns.dims or ("params",))
    return Runs(
        dims=columns.dims,
        shape=np.array([values[dim] for dim in columns.dims], dtype=float).reshape(len(columns.dims), len(lines)).T,
        flops=flops,
        flops_convention=convention,
        run=run,
        run_names=run_names,
        lines=lines,
        loss=values.get("metric"),
        metric=columns.metric or "loss",
        examples=examples,
        examples_unit=unit,
        params=params,
        heads=values.get("heads"),
        architecture=cost,
        center=settings.center,
        cells=tuple(record.cells for record in table.records),
        sources=(text.source,),
        notes=tuple(notes),
        cautions=tuple(cautions),
    )


def _model(
    cost: Architecture, shape: dict[str, Floats], lines: Ints, text: Text, cautions: list[Caution]
) -> Transformer:
    """Return the transformers of all rows, and warn if no such models can be built."""
    _check_agreement(cost, shape, lines, text.name)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            model = cost.model(shape)
            _check_finite("width", np.broadcast_to(model.flops("training"), lines.shape), lines, text.name)
    except InputError as error:
        raise InputError(
            *(found if found.file else replace(found, file=text.name, line=int(lines[0])) for found in error.details)
        ) from None
    if all((values == np.floor(values)).all() and values.max() <= LARGEST for values in shape.values()):
        try:
            cost.model({name: values.astype(np.int64) for name, values in shape.items()})
        except InputError as error:
            hint = "counts assume it all the same: check the architecture, or the rows"
            cautions.append(Caution(codes.ARCHITECTURE_MISMATCH, error.details[0].message, hint))
    return model


def _check_agreement(cost: Architecture, shape: dict[str, Floats], lines: Ints, name: str) -> None:
    """Raise `InputError` where a row and the architecture say different sizes of one dimension."""
    fixed = {dim: cost.settings[dim] for dim in shape if dim in cost.settings}
    if "mlp_ratio" in cost.settings and {"width", "mlp_dim"} <= shape.keys():
        fixed["mlp_dim"] = cost.settings["mlp_ratio"] * shape["width"]
    for dim, size in fixed.items():
        apart = np.flatnonzero(np.abs(shape[dim] / size - 1) > SAME_SIZE)
        if apart.size:
            row = int(apart[0])
            said = np.broadcast_to(size, lines.shape)[row]
            message = f"{dim} is {shape[dim][row]:g} here, and {said:g} in the architecture"
            hint = f"take {'mlp_ratio' if 'mlp_ratio' in cost.settings else dim} out of the architecture"
            raise InputError(ErrorDetail("ambiguous-size", message, hint, name, int(lines[row]), dim))


def _check_finite(column: str, values: Floats, lines: Ints, name: str) -> None:
    """Raise `InputError` where numbers of the input multiply to what no float holds."""
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        line = int(lines[wrong[0]])
        raise InputError(
            ErrorDetail(
                "not-finite", "the compute of this row is beyond all bounds", "check its zeros", name, line, column
            )
        )


def _examples(
    values: dict[str, Any], architecture: Architecture | None, notes: list[str], name: str
) -> tuple[Floats | None, str]:
    """Return the examples seen, in the unit of the architecture, and the unit's name."""
    wanted = architecture.examples_unit if architecture else None
    if "tokens" in values:
        if wanted == "examples":
            hint = "name the column examples (images)"
            raise InputError(ErrorDetail("wrong-unit", "a vit sees examples, not tokens", hint, name, 1, "tokens"))
        return values["tokens"], "tokens"
    examples = values.get("examples")
    if examples is None and "steps" in values and "batch_size" in values:
        examples = values["steps"] * values["batch_size"]
    if examples is not None and wanted == "tokens" and architecture is not None:
        per_input = int(architecture.settings["seq"])
        notes.append(f"examples are read as sequences of {per_input} tokens")
        return examples * per_input, "tokens"
    return examples, wanted or "examples"


def _runs(values: dict[str, Any], dims: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Return the run of every row. Without a column, rows of one shape and schedule are a run, repeats another."""
    if "run" in values:
        return _number_labels(values["run"])
    schedule = [values[role] for role in (*dims, "heads") if role in values]
    key = np.column_stack(schedule)
    progress = next(values[role] for role in ("flops", "tokens", "examples", "steps") if role in values)
    seen: dict[tuple[float, ...], int] = {}
    labels: list[str] = []
    for row, point in zip(key, progress, strict=True):
        place = (*row, point)
        repeat = seen.get(place, 0)
        seen[place] = repeat + 1
        labels.append(" x ".join(f"{value:g}" for value in row) + (f" #{repeat + 1}" if repeat else ""))
    return _number_labels(labels)


def _number_labels(labels: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Return the index of every label among the distinct ones, and those, in order of appearance."""
    index: dict[str, int] = {}
    numbered = np.array([index.setdefault(label, len(index)) for label in labels])
    return numbered, tuple(index)


def _as_error(runs: Runs) -> Runs:
    """Turn an accuracy into an error."""
    accuracy = runs.observed()
    top = 1.0 if accuracy.max() <= 1.0 else 100.0
    wrong = np.flatnonzero((accuracy < 0) | (accuracy > top))
    if wrong.size:
        name = runs.sources[0].name
        raise InputError(
            *(
                ErrorDetail(
                    "not-an-accuracy",
                    f"{accuracy[i]:g} is no accuracy",
                    "accuracies lie in 0 ... 1 or 0 ... 100",
                    name,
                    int(runs.lines[i]),
                    runs.metric,
                    f"{accuracy[i]:g}",
                )
                for i in wrong
            )
        )
    note = f"higher {runs.metric} is better: {top:g} minus it is minimized"
    return replace(runs, loss=top - accuracy, metric=f"{top:g} - {runs.metric}", notes=(*runs.notes, note))

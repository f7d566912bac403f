"""A sweep log to `Runs`: parse, understand, validate, derive, cross-check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shapeplan import codes
from shapeplan.architectures import Architecture
from shapeplan.errors import Caution, InputError
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.provenance import ReadAs
from shapeplan.quantities import Convention, convert_flops
from shapeplan.readers.alike import as_before
from shapeplan.readers.column_checks import check_columns
from shapeplan.readers.column_hints import with_hints
from shapeplan.readers.columns import Columns, resolve_columns
from shapeplan.readers.compute import compute_of, examples_of, visited_params
from shapeplan.readers.counters import doubt_counters, doubt_stale
from shapeplan.readers.cross_check import check_tokens
from shapeplan.readers.durations import by_duration
from shapeplan.readers.gather import Gathered, gather
from shapeplan.readers.in_memory import Frame, gather_frame, is_frame, paths_of
from shapeplan.readers.last_line import doubt_last_cells
from shapeplan.readers.metric import as_error, odd_metric
from shapeplan.readers.metric_names import may_be_factor
from shapeplan.readers.metric_scale import doubt_metric_scale
from shapeplan.readers.mixture_columns import mixture_columns
from shapeplan.readers.partial_counts import with_batch
from shapeplan.readers.planned_runs import as_planned
from shapeplan.readers.recipe_columns import recipe_of
from shapeplan.readers.row_checks import alike_rows, check_rows, doubt_copies, doubt_magnitudes
from shapeplan.readers.row_models import row_models
from shapeplan.readers.row_settings import doubt_settings, notes_of_settings, row_settings
from shapeplan.readers.run_names import runs_of
from shapeplan.readers.selection import (
    Selection,
    best_of,
    describe_dropped,
    drop_nonfinite,
    drop_untrained,
    last_points,
    refuse_unfinished,
    select_rows,
)
from shapeplan.readers.settings import Settings, check_settings, read_settings
from shapeplan.readers.table import Table
from shapeplan.readers.values import head_faults, read_values, with_ratio, with_tokens, with_width
from shapeplan.readers.within import check_derived
from shapeplan.runs import Runs

_FEW_COLUMNS = 8
_NO_METRIC = ("empty-cell", "not-finite")


@frozen
class _Asked:
    """What a caller asks of a log, over what the log says; as the arguments of `read_runs`."""

    metric: str | None
    higher_is_better: bool
    dims: Sequence[str] | None
    flops_convention: Convention | None
    columns: Mapping[str, str]
    selection: Selection
    require_metric: bool = True
    other_metrics: Sequence[str] = ()
    like: ReadAs | None = None
    under_way: bool = False
    """Whether a metric that is empty or not finite is NaN, and no error."""


def read_runs(
    path: str | Path | Frame | Sequence[str | Path],
    *,
    metric: str | None = None,
    higher_is_better: bool = False,
    dims: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    flops_convention: Convention | None = None,
    config: str | Path | None = None,
    architecture: Architecture | None = None,
    require_metric: bool = True,
    selection: Selection | None = None,
    like: ReadAs | None = None,
) -> Runs:
    """Read a sweep log.

    Parameters
    ----------
    path : str, Path, DataFrame, list of dict, or a sequence of str or Path
        CSV and its kin, YAML, JSON or JSON Lines, compressed or not; what a training tool wrote (a folder of runs, a
        file); ``wandb:ENTITY/PROJECT``, ``mlflow:URI``; ``-`` for stdin; several of them; or a DataFrame (pandas,
        Polars, Arrow) or records that are in memory.
    metric : str, optional
        Column to be minimized; by default what the log says, else ``loss``, else the only loss there is.
    higher_is_better : bool
        Whether the metric is an accuracy: then one minus it (100 minus it, for percentages) is minimized.
    dims : sequence of str, optional
        Columns that are dimensions of the law; by default those of width, depth and mlp_dim that are there.
    columns : mapping of str to str, optional
        Columns by role (``{"width": "model.hidden_dim"}``), over what their names would mean.
    flops_convention : {"forward", "training"}, optional
        What the compute column counts; by default what its name or the log says, else ``training``.
    config : str or Path, optional
        YAML file of settings, as they may precede the runs in a YAML log.
    architecture : Architecture, optional
        Used where neither log nor config gives one.
    require_metric : bool
        Whether rows without the metric are an error.
    selection : Selection, optional
        Which rows to read; by default all.
    like : ReadAs, optional
        How another log was read, such as a law's (``fit.log.read_as``), for what neither this one nor the other
        arguments say: its metric and its columns count where this log has columns of the same names.

    Returns
    -------
    Runs
        The rows, in input order; those left out are in ``dropped``.

    Raises
    ------
    InputError
        With every mistake: file, line, column, value, and how to mend it.
    ArgumentError
        If `like` is something else.
    """
    gathered = _gathered(path, selection)
    asked = _Asked(
        *(metric, higher_is_better, dims, flops_convention, columns or {}, selection or Selection(), require_metric),
        like=like,
    )
    return _read(gathered, asked, _settings_of(config), architecture)


def read_metrics(
    path: str | Path | Frame | Sequence[str | Path],
    metrics: Sequence[str],
    *,
    higher_is_better: bool = False,
    dims: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    flops_convention: Convention | None = None,
    config: str | Path | None = None,
    selection: Selection | None = None,
) -> dict[str, Runs]:
    """Read a sweep log once for every metric; the other arguments, and errors, are those of `read_runs`."""
    gathered, settings = _gathered(path, selection), _settings_of(config)
    rest = (columns or {}, selection or Selection(), True, metrics)
    return {
        metric: _read(gathered, _Asked(metric, higher_is_better, dims, flops_convention, *rest), settings)
        for metric in metrics
    }


def read_under_way(
    path: str | Path | Frame | Sequence[str | Path],
    *,
    metric: str | None = None,
    dims: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    config: str | Path | None = None,
    flops_convention: Convention | None = None,
    where: Sequence[str] = (),
    architecture: Architecture | None = None,
    design: Runs | None = None,
) -> Runs:
    """Read runs that may not have ended: as `read_runs`, but any state is read, and a metric that is none is NaN.

    Runs of a log that tells no shape have that of the row of the `design` whose name they have.
    """
    selection = Selection(where=tuple(where))
    asked = _Asked(
        metric, False, dims, flops_convention, columns or {}, selection, require_metric=False, under_way=True
    )
    gathered = _gathered(path, None)
    if design is not None:
        gathered = replace(gathered, table=as_planned(gathered.table, design))
    return _read(gathered, asked, _settings_of(config), architecture)


def _gathered(path: object, selection: Selection | None) -> Gathered:
    # What yields rows once is looked at as a list.
    given = list(path) if isinstance(path, Iterator) and not hasattr(path, "read") else path
    if is_frame(given):
        return gather_frame(given)
    return gather(paths_of(given), all_points=selection is not None and selection.all_points)


def _settings_of(config: str | Path | None) -> Settings:
    return read_settings(config) if config else Settings()


def _read(gathered: Gathered, asked: _Asked, settings: Settings, architecture: Architecture | None = None) -> Runs:
    runs, columns = _understood(gathered, asked, settings, architecture)
    alike = alike_rows(runs)
    check_rows(runs, columns.metric, alike, training=asked.require_metric)
    if asked.require_metric:
        runs = check_columns(runs, columns)
    runs = doubt_magnitudes(runs, columns)
    if asked.require_metric:
        runs = doubt_copies(replace(runs, cautions=(*runs.cautions, *doubt_metric_scale(runs))), alike)
    return runs


def _understood(
    gathered: Gathered, asked: _Asked, settings: Settings, architecture: Architecture | None
) -> tuple[Runs, Columns]:
    """Return the rows that are selected, with what their columns mean, before they are checked against each other."""
    name, selection = gathered.name, asked.selection
    said = check_settings(gathered.table.settings, gathered.table.settings_lines, name)
    settings = settings.over(said).over(Settings(architecture=architecture))
    if asked.flops_convention:
        settings = replace(settings, flops_convention=asked.flops_convention)
    named = (asked.metric, settings.metric, *asked.other_metrics, *asked.columns.values(), *settings.columns.values())
    table, dropped = select_rows(by_duration(gathered.table, named), selection.where, name)
    is_accuracy = asked.higher_is_better
    if asked.like is not None:
        before, was_accuracy = as_before(asked.like, table.columns)
        is_accuracy = is_accuracy or (was_accuracy and asked.metric is None and settings.metric is None)
        settings = settings.over(before)
    columns, unresolved = resolve_columns(
        table.columns,
        name,
        table.header_line,
        metric=asked.metric if asked.metric is not None else settings.metric,
        metric_required=asked.require_metric,
        dims=asked.dims,
        named={**settings.columns, **asked.columns},
        other_metrics=asked.other_metrics,
        mixture=mixture_columns(table.columns, settings.architecture, asked.columns.values()),
    )
    unresolved = with_hints(unresolved, table, several_files=len(gathered.sources) > 1)
    if asked.like is not None and columns.flops is not None and columns.flops.convention is None:
        settings = settings.over(Settings(flops_convention=asked.like.flops_convention))
    if selection.drop_nonfinite and columns.metric:
        table, more = drop_nonfinite(table, columns.metric, name)
        dropped += more
    if selection.last_point or asked.under_way:
        table, more = drop_untrained(table, columns.progress, name)
        dropped += more
    if not asked.under_way and (wrong := head_faults(table, columns, name)):
        raise InputError(*unresolved, *wrong)
    values, notes, details = read_values(table, columns, name)
    if columns.metric:
        details += odd_metric(values["metric"], table, columns.metric, name, is_accuracy)
    if asked.require_metric:
        details += refuse_unfinished(table, selection.where, name)
    if asked.under_way:
        # Runs that train have of course not been evaluated at their ends.
        table = replace(table, cautions=())
        details = [found for found in details if found.column != columns.metric or found.code not in _NO_METRIC]
    details = [*unresolved, *table.faults, *details]
    if details:
        raise InputError(*sorted(details, key=lambda found: (found.file or "", found.line or 0)))
    columns = with_ratio(values, with_width(values, columns, table, name), table, name)
    columns = with_tokens(values, with_batch(values, columns, table, name), table, name)
    cost = settings.architecture if columns.dims else None
    own, columns = row_settings(table, columns, cost, values.get("heads"))
    runs = _assemble(values, own, table, columns, settings, gathered, notes)
    read_as = ReadAs(
        columns.metric or "loss",
        is_accuracy,
        {**settings.columns, **asked.columns},
        settings.flops_convention if columns.flops is not None else None,
    )
    if is_accuracy and runs.loss is not None:
        runs = as_error(runs)
    runs = replace(runs, cautions=(*runs.cautions, *doubt_counters(runs, values, columns), *doubt_stale(runs)))
    if selection.last_point:
        runs, more = last_points(runs)
        dropped += more
    if selection.best_of:
        runs, more = best_of(runs, [columns.roles.get(column, column) for column in selection.best_of])
        dropped += more
    told = (*runs.notes, *describe_dropped(dropped, name))
    return replace(runs, dropped=dropped, notes=told, read_as=read_as), columns


def _assemble(
    values: dict[str, Any],
    own: Mapping[str, Floats],
    table: Table,
    columns: Columns,
    settings: Settings,
    gathered: Gathered,
    notations: Sequence[str],
) -> Runs:
    notes = [*table.notes, *columns.notes, *notations, *settings.notes]
    name = gathered.name
    used = {*columns.roles.values(), columns.metric, columns.flops.name if columns.flops else None}
    cautions = [*table.cautions, *doubt_last_cells(table.short_cells, filter(None, used))]
    cost = settings.architecture if columns.dims else None
    shape = {dim: values[dim] for dim in columns.dims}
    lines = table.lines
    models = None
    if cost is not None:
        notes += notes_of_settings(own)
        models, doubts = row_models(cost, shape, own, lines, name)
        cautions += [*doubts, *doubt_settings(cost, own, shape, table, columns)]
    notes += _ignored(table, columns.ignored)
    examples, unit = examples_of(values, cost, models, notes, lines, name)
    if models is not None and "tokens" in values:
        others = {role: column for role, column in values.items() if role != "tokens"}
        counted, _ = examples_of(others, cost, models, [], lines, name)
        if counted is not None:
            cautions += check_tokens(values["tokens"], counted, models.examples_per_input, lines)
    measured = [role for role in ("tokens", "examples", "steps") if role in values]
    if examples is None and measured:
        notes.append(f"not used: {', '.join(measured)} (steps need batch_size)")
    elif measured[1:]:
        notes.append(f"training is measured in {measured[0]}; not used: {', '.join(measured[1:])}")
    compute = compute_of(values, columns, models, (examples, unit), settings.flops_convention, table, name)
    flops, convention, examples = compute.flops, compute.convention, compute.examples
    notes += compute.notes
    cautions += compute.cautions
    if models is None and "heads" in values and np.ptp(values["heads"]) > 0 and "heads" not in columns.dims:
        low, high = values["heads"].min(), values["heads"].max()
        notes.append(f"heads vary ({low:g} to {high:g}) but are no dimension of the law: they are ignored")
    params = values.get("params")
    if models is not None and params is None:
        params = models.params
        check_derived("params", params, lines, name)
    elif models is not None:
        cautions += models.doubt_params(values["params"], lines)
    if cost is None and examples is None and "params" in values:
        visited, of = visited_params(values)
        examples, unit = convert_flops(flops, convention, "training") / (6 * visited), "tokens"
        check_derived("tokens", examples, lines, name)
        message = f"no column of tokens was found: they are taken as training FLOPs / (6 {of})"
        hint = "name the column with `columns=tokens=NAME`, if there is one"
        cautions.append(Caution(codes.TOKENS_DERIVED, message, hint))
    run, run_names = runs_of(values, columns, table.files, notes)
    recipe, recipe_columns = recipe_of(values, columns, table, examples, unit)
    # Rows may be of another input than the first, which has the sizes of their models.
    several = len(set(table.files)) > 1 or (bool(table.files) and name != gathered.sources[0].name)
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
        own_settings=tuple(own),
        center=settings.center,
        cells=table.cells,
        factors=tuple(filter(may_be_factor, (*columns.ignored, *filter(None, [columns.roles.get("lr")])))),
        files=tuple(file or name for file in table.files) if several else (),
        recipe=recipe,
        recipe_columns=recipe_columns,
        sources=gathered.sources,
        notes=tuple(notes),
        cautions=tuple(cautions),
    )


def _ignored(table: Table, columns: Sequence[str]) -> list[str]:
    """Return a note that names the columns without a role; of many, those that vary."""
    named = [column for column in columns if not table.cells[column].is_constant()]
    rest = len(columns) - len(named)
    if len(columns) <= _FEW_COLUMNS or not rest:
        named, rest = list(columns), 0
    which = "columns" if len(columns) > 1 else "column"
    more = f"{'; and ' if named else ''}{rest} that are the same in every row" if rest else ""
    return [f"{which} without a role in the law: {', '.join(named)}{more}"] if columns else []

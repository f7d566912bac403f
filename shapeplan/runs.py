"""The frozen table of rows that everything reads: shapes, compute, and the metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from importlib import import_module
from typing import Any, Literal

import numpy as np

from shapeplan import codes
from shapeplan.architectures import Architecture
from shapeplan.cells import ABSENT, Cells, Names
from shapeplan.errors import ArgumentError, Caution, ErrorDetail, check_type
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index, Ints
from shapeplan.numerics.collinearity import LogProducts
from shapeplan.numerics.grouping import first_of_group, group_alike
from shapeplan.provenance import DroppedRow, ReadAs, Source
from shapeplan.quantities import Convention, convert_flops
from shapeplan.wording import place

MOST_RECIPES, FEWEST_OF_A_RECIPE = 12, 4
"""Values of a column that tells recipes, and rows that each has at least."""


def recipe_caution(differing: Sequence[str]) -> Caution:
    """Return the warning that rows of one shape and compute differ in these columns of the recipe."""
    message = f"runs of one shape and compute differ in {', '.join(differing)}: the law takes that for noise"
    hint = (
        f"`group={differing[0]}` gives each a level of its own; `best_of={','.join(differing)}` keeps the best of them"
    )
    return Caution(codes.RECIPE_VARIES, message, hint)


@frozen
class Runs:
    """Rows of training runs. Arrays have one entry a row, in the order of the input.

    Attributes
    ----------
    dims : tuple of str
        Dimensions of the shape.
    shape : ndarray, shape (rows, dims)
        Values of the dimensions.
    flops : ndarray, shape (rows,)
        Compute of the run so far, in `flops_convention`.
    flops_convention : {"forward", "training"}
        What `flops` counts.
    run : ndarray of int, shape (rows,)
        Index of the row's run in `run_names`.
    run_names : sequence of str
        One name a run.
    lines : ndarray of int, shape (rows,)
        Line of the input, counted from 1.
    loss : ndarray, shape (rows,), or None
        The metric, positive, to be minimized; None for a design or for rows to predict.
    metric : str
        Its name.
    examples : ndarray, shape (rows,), or None
        Examples seen so far.
    examples_unit : str
        ``tokens`` for language models, else ``examples``.
    params, heads : ndarray, shape (rows,), or None
        As logged or derived.
    architecture : Architecture or None
        Family and everything that is not shape.
    own_settings : tuple of str
        Settings of the architecture that rows say themselves: they are counted by these, plans by the architecture's.
    center : mapping of str to float, or None
        Centre of the star as the input states it.
    cells : mapping of str to Cells
        The columns of the input as they were read.
    factors : tuple of str
        Columns of the input without a role that are neither measured nor names: what they explain is tested.
    files : tuple of str
        The input of every row; empty where there is one.
    stretches : ndarray of int, shape (rows,), or None
        Rows of a run that a fit merges have one number; None where it is made to every row.
    level_errors : ndarray, shape (rows, levels), or None
        By how much a row would move, relative to its loss, if a level that was estimated for its recipe were off by a
        standard error; None where all rows are of one recipe.
    recipe : mapping of str to ndarray, shape (rows,)
        How the row's run was trained, where the input tells: its peak learning rate ``lr``, its ``batch`` in the unit
        of examples, and its warm-up as ``warmup_steps`` or ``warmup_share``.
    recipe_columns : tuple of str
        Other columns of the input that tell the recipe.
    differing : tuple of str
        Columns of the recipe in which rows of one shape and compute differ.
    tried : Runs or None
        All rows, where of runs that differ in their recipe only the best are kept.
    read_as : ReadAs
        What was said of how the input is read.
    dropped : tuple of DroppedRow
        Rows of the input that were left out.
    sources, notes, cautions : tuple
        Where the rows come from; what was understood silently unless said; what is doubtful about them.
    """

    dims: tuple[str, ...]
    shape: Floats
    flops: Floats
    flops_convention: Convention
    run: Ints
    run_names: Sequence[str]
    lines: Ints
    loss: Floats | None = None
    metric: str = "loss"
    examples: Floats | None = None
    examples_unit: str = "examples"
    params: Floats | None = None
    heads: Floats | None = None
    architecture: Architecture | None = None
    own_settings: tuple[str, ...] = ()
    center: Mapping[str, float] | None = None
    cells: Mapping[str, Cells] = field(default_factory=dict)
    factors: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    stretches: Ints | None = None
    level_errors: Floats | None = None
    recipe: Mapping[str, Floats] = field(default_factory=dict)
    recipe_columns: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    tried: Runs | None = None
    read_as: ReadAs = field(default_factory=ReadAs)
    dropped: tuple[DroppedRow, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = field(default=())
    cautions: tuple[Caution, ...] = field(default=())

    def __repr__(self) -> str:
        """Return what there is, not all of it."""
        rows, runs = len(self), len(self.run_names)
        return f"<Runs: {rows} rows of {runs} runs, dims={self.dims}, metric={self.metric!r}>"

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.flops)

    @property
    def name(self) -> str | None:
        """Name of the input."""
        return self.sources[0].name if self.sources else None

    def file_of(self, row: int) -> str:
        """Return the name of a row's input."""
        return self.files[row] if self.files else self.sources[0].name if self.sources else ""

    def own_file(self, row: int) -> str:
        """Return the name of a row's input where there are several, else nothing: a line then says where it is."""
        return self.files[row] if self.files else ""

    def place(self, row: int) -> str:
        """Return where a row stands, in words."""
        return place(int(self.lines[row]), self.own_file(row))

    def row(self, row: int) -> dict[str, object]:
        """Return the cells of a row by column, those that it has."""
        return {column: cell for column, cells in self.cells.items() if (cell := cells[row]) is not ABSENT}

    def to_frame(self, library: Literal["pandas", "polars"] = "pandas") -> Any:
        """Return what was understood of the rows as a DataFrame, which `read_runs` reads as the same rows.

        Parameters
        ----------
        library : {"pandas", "polars"}
            Whose DataFrame it is.

        Raises
        ------
        ArgumentError
            If that library is not installed.
        """
        columns: dict[str, Any] = {"run": [self.run_names[i] for i in self.run]}
        columns |= {dim: self.values(dim) for dim in self.dims}
        columns[f"{self.flops_convention}_flops"] = self.flops
        rest = {self.examples_unit: self.examples, "params": self.params, "heads": self.heads, self.metric: self.loss}
        columns |= {name: column for name, column in rest.items() if column is not None}
        try:
            return import_module(library).DataFrame(columns)
        except ImportError:
            message = f"needs {library}, which is not installed"
            raise ArgumentError(ErrorDetail("missing-extra", message, f"pip install {library}")) from None

    def values(self, dim: str) -> Floats:
        """Return the column of one dimension, shape (rows,)."""
        return self.shape[:, self.dims.index(dim)]

    def variables(self, dims: Sequence[str] | None = None) -> dict[str, Floats]:
        """Return dimensions, ``flops`` and, where known, ``examples`` and ``params`` by name: variables of a law."""
        columns = {dim: self.values(dim) for dim in (dims or self.dims)}
        columns["flops"] = self.flops
        if self.examples is not None:
            columns["examples"] = self.examples
        if self.params is not None:
            columns["params"] = self.params
        return columns

    @cached_property
    def log_products(self) -> LogProducts:
        """How the variables of a law follow from one another."""
        return LogProducts(self.variables())

    def observed(self) -> Floats:
        """Return the metric.

        Raises
        ------
        ValueError
            If the rows carry none.
        """
        if self.loss is None:
            raise ValueError("these rows carry no metric")
        return self.loss

    def take(self, rows: Index | Bools) -> Runs:
        """Return some of the rows, by index or mask, and the runs that have any."""
        kept, run = np.unique(self.run[rows], return_inverse=True)
        names = self.run_names
        names = names.take(kept) if isinstance(names, Names) else tuple(names[i] for i in kept)
        columns = ("shape", "flops", "lines", "loss", "examples", "params", "heads", "stretches", "level_errors")
        some = {name: value[rows] for name in columns if (value := getattr(self, name)) is not None}
        index = np.arange(len(self))[rows]
        cells = {column: found.take(index) for column, found in self.cells.items()}
        files = tuple(self.files[i] for i in index.tolist()) if self.files else ()
        recipe = {name: values[rows] for name, values in self.recipe.items()}
        return replace(self, cells=cells, files=files, recipe=recipe, run=run, run_names=names, **some)

    def canonical(self) -> Runs:
        """Return the rows by run, in the order of its name, and by progress: the same whatever their order in the log.

        Sums over rows, and what is drawn for them at random, then do not depend on that order either.
        """
        names = sorted(self.run_names)
        place = {name: i for i, name in enumerate(names)}
        run = np.array([place[name] for name in self.run_names])[self.run]
        progress = [self.flops, self.examples, self.loss, self.params, self.heads]
        keys = [run, *(column for column in progress if column is not None), *self.shape.T]
        return replace(self, run=run, run_names=tuple(names)).take(np.lexsort(keys[::-1]))

    def last_rows(self) -> Index:
        """Return the row of every run with the most compute, shape (runs,); of several the last."""
        order = np.lexsort((self.flops, self.run))
        return np.asarray(order[np.append(np.diff(self.run[order]) != 0, True)])

    def spent(self) -> Floats:
        """Return the compute of every run at its last row, shape (runs,)."""
        spent = np.zeros(len(self.run_names))
        np.maximum.at(spent, self.run, self.flops)
        return spent

    def distinct_shapes(self, dims: Sequence[str]) -> Floats:
        """Return the distinct shapes in `dims`, sorted, shape (shapes, dims)."""
        every = self._shapes
        return np.unique(every[:, [self.dims.index(dim) for dim in dims]], axis=0)

    def alike(self, *columns: Ints) -> Ints:
        """Return numbers of rows of one shape, one compute but for a percent, and equal `columns`, shape (rows,)."""
        return group_alike(*self.shape.T, np.round(np.log(self.flops), 2), *columns)

    @cached_property
    def shape_groups(self) -> Ints:
        """The shape of every row, numbered from 0, shape (rows,)."""
        return group_alike(*self.shape.T) if self.dims else np.zeros(len(self), dtype=int)

    @cached_property
    def _shapes(self) -> Floats:
        return np.unique(self.shape[np.unique(first_of_group(self.shape_groups))], axis=0)

    def forward_flops(self) -> Floats:
        """Return the compute in the convention ``forward``."""
        return convert_flops(self.flops, self.flops_convention, "forward")


def check_log(runs: Runs) -> None:
    """Raise `ArgumentError` unless it is a log with rows."""
    check_type("a log", runs, Runs, "write shapeplan.read_runs('runs.csv')")
    if not len(runs):
        raise ArgumentError(ErrorDetail("no-rows", "the log has no rows", "see what its rows were taken by", runs.name))

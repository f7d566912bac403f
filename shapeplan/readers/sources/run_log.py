"""A run as a training tool logged it, and the rows of a sweep log that it makes.

Of a run its last evaluation is read, since rates that decay make earlier ones points of no run that ended there; all
of them where that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import field

from shapeplan.frozen import frozen
from shapeplan.provenance import Source
from shapeplan.readers.metric_names import is_held_out, is_loss
from shapeplan.readers.names import claim_of
from shapeplan.readers.numbers import as_number
from shapeplan.readers.sources.ending import DIVERGED, PLANNED_DATA, WHOLE, share_done, state_of
from shapeplan.readers.sources.steps import step_of
from shapeplan.readers.states import may_tell
from shapeplan.readers.table import Record, flattened

_SPLITS = ("split", "mode", "phase", "stage", "subset", "type", "kind")
"""Names of what tells an evaluation from training."""
_OF_SWEEPS = ("width", "depth", "mlp_dim", "mlp_ratio", "run")
AMOUNTS = ("flops", "tokens", "examples")
"""Roles of what a run counts in total."""
_SAME_STEP = 0.98
"""Share of a later step from which on a step is the same."""
_SPEEDS = ("_runtime", "_per_second", "_jit_compilation_time")
"""How names end that say how fast an evaluation was."""


@frozen
class RunLog:
    """What one run logged.

    Attributes
    ----------
    name : str
        Of the run; empty where a column of the log tells.
    file : str
        Where it is from, for errors.
    config : mapping of str to object
        What holds for the whole run, in mappings or not.
    entries : sequence of mapping
        What was logged, as it was, a mapping a time; those of one ``step`` belong together.
    totals : mapping of str to float
        Compute and data at the end of the run that no entry tells: in proportion to the steps before.
    end : float
        The step of the end; 0 where it is not known.
    sources : sequence of Source
        The files that were read.
    notes : sequence of str
        What was understood.
    is_cut : bool
        Whether the log ends inside a line, as that of a run that was killed.
    """

    name: str
    file: str
    config: Mapping[str, object]
    entries: Sequence[Mapping[str, object]]
    totals: Mapping[str, float] = field(default_factory=dict)
    end: float = 0.0
    sources: Sequence[Source] = ()
    notes: Sequence[str] = ()
    is_cut: bool = False


def records_of(run: RunLog, *, all_points: bool, of_training: bool = False) -> tuple[list[Record], int]:
    """Return the evaluations of a run as rows, the last or all, and how many there are.

    Where nothing was measured on held-out data there is one row, the end; `of_training` makes one of every loss.

    Every row has the config, and of everything that was logged the last value until then; compute and data that are
    told at other steps, as by what is logged once at the end, are in proportion to the steps, and those that the config
    alone tells, to what a row has reached of what it plans. Its ``state`` is what the log tells of the end, where the
    run does not, or diverged.
    """
    config = {key: value for key, value in _scalars(run.config).items() if value is not None}
    if run.name:
        config = {"run": run.name, **config}
    entries = _by_step([_named(_scalars(entry)) for entry in run.entries])
    keys = {key for entry in entries for key in entry}
    held_out = any(is_held_out(key) and is_loss(key) for key in keys)
    evaluations = {key for key in keys if is_held_out(key) and not key.endswith(_SPEEDS)}
    if of_training and not evaluations:
        evaluations = set(filter(is_loss, keys))
    amounts = {key for key in keys if (claim := claim_of(key)) and claim.role in AMOUNTS}
    points: list[tuple[dict[str, object], dict[str, object]]] = []
    carried: dict[str, object] = {}
    told_at: dict[str, float | None] = {}
    first: dict[str, tuple[float | None, object]] = {}
    for entry in entries:
        told = {key: value for key, value in entry.items() if not key.endswith(_SPEEDS)}
        if held_out and "loss" in told:
            told["train_loss"] = told.pop("loss")
        carried |= told
        for key in amounts & told.keys():
            told_at[key] = step_of(entry)
            first.setdefault(key, (told_at[key], told[key]))
        if evaluations & entry.keys():
            points.append(({**_totals(run, carried), **carried, **_since(told_at, carried)}, dict(carried)))
    if not points:
        points = [({**_totals(run, carried), **carried}, carried)]
    rows = []
    for told, logged in points if all_points else points[-1:]:
        planned = _reached(config, amounts, logged, is_last=logged is points[-1][1])
        row = {**config, **told, **planned}
        rows.append({**_first_told_later(row, first), **row})
    state = state_of(config, entries, is_cut=run.is_cut)
    # A program that ends well may have trained a model that diverged.
    if state == DIVERGED or (state is not None and not any(map(may_tell, rows[-1]))):
        rows = [{**row, "state": state} for row in rows]
    return [Record(1, row, file=run.file) for row in rows], len(points)


def went_on(run: RunLog, last: Record) -> float:
    """Return the steps of a run over those of its last evaluation, 1 where either is not known."""
    evaluated = step_of(last.cells)
    steps = [run.end, *(step for entry in run.entries if (step := step_of(entry)) is not None)]
    return max(steps) / evaluated if evaluated else 1.0


def is_of_sweep(names: Iterable[str]) -> bool:
    """Return whether columns hold shapes or name runs: those of a sweep's log, not of the history of a run."""
    return any(claim.role in _OF_SWEEPS for name in names if (claim := claim_of(name)))


def _named(entry: dict[str, object]) -> dict[str, object]:
    """Return an entry whose losses are named for what they were measured on, where a word beside them tells."""
    split = next((str(entry[name]).lower() for name in _SPLITS if isinstance(entry.get(name), str)), "")
    if not (is_held_out(split) or split.startswith("train")):
        return entry
    prefix = "train" if split.startswith("train") else split
    plain = {name: value for name, value in entry.items() if name not in _SPLITS}
    return {(f"{prefix}_{name}" if is_loss(name) and not is_held_out(name) else name): v for name, v in plain.items()}


def _by_step(entries: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return the entries in the order of their steps, those of one step as one."""
    merged: dict[float, dict[str, object]] = {}
    for number, entry in enumerate(entries):
        step = step_of(entry)
        # What has no step stays between what was logged before and after it.
        place = step if step is not None else -1.0 - number
        merged[place] = {**merged.get(place, {}), **entry}
    return [merged[step] for step in (merged if min(merged, default=0.0) < 0 else sorted(merged))]


def _totals(run: RunLog, row: Mapping[str, object]) -> dict[str, object]:
    """Return compute and data of a row by the totals of its run."""
    step = step_of(row)
    share = step / run.end if step is not None and run.end > 0 else 1.0
    return {key: value if share == 1.0 else value * share for key, value in run.totals.items()}


def _reached(
    config: Mapping[str, object], amounts: Set[str], logged: Mapping[str, object], *, is_last: bool
) -> dict[str, float]:
    """Return compute and data that the config plans, and nothing logs, by the share of the plan that a row has reached.

    A run that has ended has reached its plan, though it was evaluated some steps before.
    """
    share = share_done(config, [logged])
    if share is None or share >= (WHOLE if is_last else 1.0):
        return {}
    planned = {key for key in config if key in PLANNED_DATA or ((claim := claim_of(key)) and claim.role == "flops")}
    return {key: share * value for key in planned - amounts if (value := as_number(config[key])) is not None}


def _since(told_at: Mapping[str, float | None], row: Mapping[str, object]) -> dict[str, object]:
    """Return compute and data of a row that were told at much earlier steps, in proportion to the steps since."""
    now = step_of(row)
    return {
        key: value * now / then
        for key, then in told_at.items()
        if now and then and 0 < then < _SAME_STEP * now and (value := as_number(row[key])) is not None
    }


def _first_told_later(row: Mapping[str, object], first: Mapping[str, tuple[float | None, object]]) -> dict[str, object]:
    """Return compute and data that no entry tells until a row, in proportion to the steps from when one first does."""
    step = step_of(row)
    found: dict[str, object] = {}
    for key in first.keys() - row.keys():
        later, value = first[key][0], as_number(first[key][1])
        if step is not None and later is not None and value is not None and 0 < step < later:
            # Some tools count a step every time that anything is logged.
            found[key] = value * (1.0 if step > _SAME_STEP * later else step / later)
    return found


def _scalars(cells: Mapping[str, object]) -> dict[str, object]:
    """Return the texts and numbers among cells, those inside mappings under dotted names."""
    flat = flattened(Record(1, cells)).cells
    return {key: value for key, value in flat.items() if isinstance(value, str | int | float)}

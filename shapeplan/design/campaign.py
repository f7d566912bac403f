"""A design under way: which of its runs are done, what has been spent, and whether what is there suffices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from shapeplan import codes
from shapeplan.design.matching import LONG_ENOUGH, matched
from shapeplan.design.next_run import LITTLE
from shapeplan.design.pool import PoolChoice, next_from_pool
from shapeplan.errors import Caution
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.quantities import convert_flops
from shapeplan.runs import Runs, check_log

State = Literal["done", "running", "pending", "crashed", "diverged"]
STATES: tuple[State, ...] = ("done", "running", "pending", "crashed", "diverged")
TOO_LONG = 1.05
"""Times its planned compute beyond which a run is of another length: steps are whole, and costs are rounded."""


@frozen
class Progress:
    """A row of a design, and what has become of it.

    Attributes
    ----------
    name : str
        Its name in the design.
    state : str
        ``done``, ``running``, ``pending``, ``crashed`` or ``diverged``.
    planned, spent : float
        Compute of the whole run, and so far, in the convention of the design.
    loss : float or None
        The last metric, where it is finite.
    run : str or None
        Name of the run that it is.
    early : bool
        Whether the run finished well before its planned compute.
    longer : bool
        Whether it took well more than that: the run is of another length than the design has.
    """

    name: str
    state: State
    planned: float
    spent: float = 0.0
    loss: float | None = None
    run: str | None = None
    early: bool = False
    longer: bool = False


@frozen
class Campaign:
    """What has become of a design.

    Attributes
    ----------
    design : Runs
        One row a run.
    log : Runs or None
        The runs so far; None where there is none.
    rows : tuple of Progress
        One a row of the design.
    unmatched : tuple of str
        Runs that are no row of the design.
    """

    design: Runs
    log: Runs | None
    rows: tuple[Progress, ...]
    unmatched: tuple[str, ...]

    def __repr__(self) -> str:
        """Return how many rows are in which state."""
        told = ", ".join(f"{count} {state}" for state, count in self.counts.items())
        return f"<Campaign of {len(self.rows)} runs: {told}; spent {self.share:.1%}>"

    @property
    def counts(self) -> dict[State, int]:
        """How many rows are in every state."""
        return {state: sum(row.state == state for row in self.rows) for state in STATES}

    @property
    def planned(self) -> float:
        """Compute of the whole design."""
        return sum(row.planned for row in self.rows)

    @property
    def spent(self) -> float:
        """Compute of its runs so far, those that failed among them."""
        return sum(row.spent for row in self.rows)

    @property
    def share(self) -> float:
        """What has been spent, as a share of the whole design."""
        return self.spent / self.planned

    def done(self) -> Runs | None:
        """Return the rows of the log whose runs are done, to be fitted; None where there is none."""
        names = {row.run for row in self.rows if row.state == "done"}
        if self.log is None or self.log.loss is None or not names:
            return None
        of_done = np.array([self.log.run_names[run] in names for run in self.log.run])
        return self.log.take(of_done & np.isfinite(self.log.loss))


@frozen
class Outlook:
    """Whether what a campaign has suffices for a plan.

    Attributes
    ----------
    target : float
        What is planned for, in the convention of the law, else of the design.
    regret_now, regret_after : float or None
        Expected relative regret of the plan from the runs that are done, and after the rest; None without a law.
    choice : PoolChoice or None
        The runs of the rest to do next; None where none is left.
    stop : bool
        Whether the rest is not worth its compute.
    why : str
        Why, in words.
    cautions : tuple of Caution
        What is doubtful about that.
    """

    target: float
    regret_now: float | None
    regret_after: float | None
    choice: PoolChoice | None
    stop: bool
    why: str
    cautions: tuple[Caution, ...] = ()


def campaign(design: Runs, log: Runs | None, ends: Sequence[str | None] = ()) -> Campaign:
    """Return what has become of every row of a design.

    Parameters
    ----------
    design : Runs
        One row a run; of one with several rows the last counts.
    log : Runs, optional
        The runs so far, NaN where a row has no finite metric.
    ends : sequence of str or None
        How every run of the log ended: ``finished``, ``running``, ``crashed``, ``diverged``, or None where it does not
        say. Such a run is done once it has its planned compute and a metric.

    Raises
    ------
    ArgumentError
        If the design has no rows.
    InputError
        If a run has the name of a row of the design and another shape.
    """
    check_log(design)
    if log is not None:
        check_log(log)
    design = replace(design.take(np.sort(design.last_rows())), loss=None)
    names = [design.run_names[run] for run in design.run]
    planned = [Progress(name, "pending", float(flops)) for name, flops in zip(names, design.flops, strict=True)]
    if log is None:
        return Campaign(design, None, tuple(planned), ())
    last = log.take(np.sort(log.last_rows()))
    flops = convert_flops(last.flops, log.flops_convention, design.flops_convention)
    own = [last.run_names[run] for run in last.run]
    lines = [(last.file_of(row), int(line)) for row, line in enumerate(last.lines.tolist())]
    counts = np.bincount(log.run, minlength=len(log.run_names))
    found = matched(design, own, {dim: last.values(dim) for dim in last.dims}, flops, lines)
    for i, row in enumerate(found.tolist()):
        if row >= 0:
            loss = None if last.loss is None or not np.isfinite(last.loss[i]) else float(last.loss[i])
            end = ends[last.run[i]] if ends else None
            alone = counts[last.run[i]] == 1
            planned[row] = _progress(planned[row], own[i], float(flops[i]), loss, end, alone=bool(alone))
    return Campaign(design, log, tuple(planned), tuple(own[i] for i in np.flatnonzero(found < 0).tolist()))


def outlook(
    of: Campaign, target: float, fit: Fit | None, *, candidates: int = 5, noise: float | None = None
) -> Outlook:
    """Return whether the runs that are done suffice for a plan, and which of the rest to do next.

    Parameters
    ----------
    of : Campaign
        What there is.
    target : float
        What is planned for, in the convention of the law, else of the design.
    fit : Fit, optional
        The law of the runs that are done.
    candidates : int
        How many of the rest are named.
    noise : float, optional
        Relative standard deviation of a run's metric; by default the misfit of the law.

    Raises
    ------
    ArgumentError
        If a number makes no sense.
    """
    if all(row.state == "done" for row in of.rows):
        return Outlook(target, None, None, None, False, "all runs are done")
    under_way = [row.name for row in of.rows if row.state == "running"]
    if all(row.state in ("done", "running") for row in of.rows):
        return Outlook(target, None, None, None, False, f"the last runs are under way: {', '.join(under_way)}")
    choice = next_from_pool(
        of.design, target, fit=fit, log=of.done(), under_way=under_way, candidates=candidates, noise=noise
    )
    if choice.why_first is not None:
        return Outlook(target, None, None, choice, False, choice.why_first)
    now, after = choice.chosen[0].regret_before, choice.regret_of_all
    assert now is not None
    assert after is not None
    regrets = f"the expected regret is {now:.2%}, and {after:.2%} after the rest"
    if fit is not None and fit.distrust is not None:
        stop, why = False, f"{regrets}; the law is not to be trusted"
    elif any(caution.code == codes.NO_INTERIOR_OPTIMUM for caution in choice.cautions):
        stop, why = False, f"{regrets}; a size at the search bound has no variance, so that says nothing"
    elif now < LITTLE:
        stop, why = True, f"{regrets}: less than {LITTLE:.2%} already"
    elif now - after < LITTLE:
        stop, why = True, f"{regrets}: it lowers it by less than {LITTLE:.2%}"
    else:
        stop, why = False, f"{regrets}"
    return Outlook(target, now, after, choice, stop, why, choice.cautions)


def _progress(
    row: Progress, run: str, spent: float, loss: float | None, end: str | None, *, alone: bool = False
) -> Progress:
    """Return what has become of a row of the design; `alone` tells that its run has one row."""
    long_enough = spent >= LONG_ENOUGH * row.planned
    if end is None and loss is None and long_enough and alone:
        # A row of the design itself, whose metric is not filled in yet.
        return row
    evaluated = loss is not None and (end == "finished" or long_enough)
    failed: dict[str | None, State] = {"crashed": "crashed", "diverged": "diverged"}
    if end == "finished" and loss is None:
        # What ended without a metric has to be run again.
        failed["finished"] = "crashed"
    state = failed.get(end, "done" if evaluated and end != "running" else "running")
    early, longer = state == "done" and not long_enough, spent > TOO_LONG * row.planned
    return replace(row, state=state, spent=spent, loss=loss, run=run, early=early, longer=longer)

"""The laws side by side, by what they predict on rows they did not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from shapeplan.errors import Caution, FitError, check_choice
from shapeplan.fitting.diagnostics.replicate_noise import measure_noise
from shapeplan.fitting.diagnostics.warnings import Misfit, fit_cautions
from shapeplan.fitting.many_runs import fewer_rows
from shapeplan.fitting.progress import Counter
from shapeplan.fitting.records import Score
from shapeplan.fitting.selection.candidate import Candidate, fit_candidates, power_notes
from shapeplan.fitting.selection.choice import choose
from shapeplan.fitting.selection.held_out import predict_unseen_shapes
from shapeplan.fitting.selection.identifiability import Support, survey
from shapeplan.fitting.selection.near_valleys import ChosenOn, near_valleys
from shapeplan.fitting.solver import OBJECTIVES
from shapeplan.fitting.valleys import find_isoflops, is_far
from shapeplan.frozen import frozen
from shapeplan.laws import FORMS
from shapeplan.provenance import Source
from shapeplan.runs import Runs, check_log
from shapeplan.sweeps.dimensions import hold_two_valued

_STEPS = 3
"""A law is fitted, rolled out, and asked for unseen shapes."""


@frozen
class Comparison:
    """The laws that a log can identify, scored.

    Attributes
    ----------
    metric : str
        What is minimized.
    objective : str
        What the fits minimize.
    rows, runs : int
        How many the log has.
    chosen : str
        The law that ``fit(law="auto")`` takes.
    scores : tuple of Score
        One a law.
    refused : tuple of Support
        The laws that the log cannot identify, and why.
    cautions : tuple of Caution
        What is doubtful about the log.
    sources : tuple of Source
        The inputs.
    notes : tuple of str
        What was understood on the way.
    """

    metric: str
    objective: str
    rows: int
    runs: int
    chosen: str
    scores: tuple[Score, ...]
    refused: tuple[Support, ...]
    cautions: tuple[Caution, ...]
    sources: tuple[Source, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return which law is chosen of which; their scores are in the fields."""
        laws = ", ".join(score.law for score in self.scores)
        return f"<Comparison on {self.rows} rows of {self.runs} runs: {self.chosen!r} of {laws}>"


def compare(
    runs: Runs,
    *,
    objective: str = "relative",
    center: Mapping[str, float] | None = None,
    every_row: bool = False,
    done: Callable[[int, int], None] = lambda done, total: None,
) -> Comparison:
    """Score every law that a log can identify: by backtest, on unseen shapes, on the top decade, and in sample.

    Parameters
    ----------
    runs : Runs
        The log.
    objective : {"relative", "log-huber"}
        What the fits minimize.
    center : mapping of str to float, optional
        Centre of the star; by default what the log says, else found.
    every_row : bool
        Whether to fit every row of every run, as in `fit`.
    done : callable
        Told how many steps are done, of how many.

    Returns
    -------
    Comparison
        The scores, and the law that they choose.

    Raises
    ------
    FitError
        If the log can identify no law.
    ArgumentError
        If there is no such objective, or the log has no rows.
    """
    check_log(runs)
    check_choice("objective", objective, tuple(OBJECTIVES))
    runs = runs.canonical()
    if not every_row:
        runs = fewer_rows(runs, OBJECTIVES[objective])
    runs = hold_two_valued(runs)
    far = is_far(runs)
    step = Counter(_STEPS * len(FORMS) * (2 if far.any() else 1), done)

    def candidates_on(rows: Runs) -> _Candidates:
        contents = survey(rows, center)
        candidates = list(fit_candidates(rows, contents, OBJECTIVES[objective], step).values())
        return _Candidates(rows, contents, choose(candidates, rows, step), candidates)

    try:
        found = candidates_on(runs)
    except FitError as error:
        raise FitError(*(detail.within(runs.name) for detail in error.details)) from None
    notes = _growth_by_parabolas(runs)
    found = near_valleys(found, far, candidates_on)
    runs, contents, candidates, choice = found.runs, found.contents, found.candidates, found.choice
    step.total = step.count + len(candidates)
    chosen = choice.chosen
    dims, problem = contents.dimensions.free, chosen.problem
    misfit = Misfit.of(runs.observed()[problem.all_rows], problem.residuals(chosen.found.best))
    whole = []
    for score, candidate in zip(choice.scores, candidates, strict=True):
        unseen, why = predict_unseen_shapes(candidate, runs, dims)
        reasons = {**score.reasons, **({"unseen_shapes": why} if why else {})}
        step()
        whole.append(replace(score, unseen_shapes=unseen, reasons=reasons))
    return Comparison(
        metric=runs.metric,
        objective=objective,
        rows=len(runs),
        runs=len(runs.run_names),
        chosen=chosen.name,
        scores=tuple(whole),
        refused=tuple(law for law in contents.laws if not law.supported),
        cautions=(*runs.cautions, *fit_cautions(misfit, measure_noise(runs)), *contents.cautions),
        sources=runs.sources,
        notes=(*runs.notes, *power_notes(contents.supported, candidates), *notes),
    )


@frozen
class _Candidates(ChosenOn):
    """The same with all laws that were fitted."""

    candidates: list[Candidate]


def _growth_by_parabolas(runs: Runs) -> tuple[str, ...]:
    """Return what the budgets of an isoFLOP sweep tell by themselves, whatever the law."""
    isoflops = find_isoflops(runs)
    if isoflops is None or isoflops.growth is None or isoflops.growth.ci is None:
        return ()
    low, high = isoflops.growth.ci
    return (
        f"by parabolas through {len(isoflops.inside)} budgets the best parameters grow as "
        f"compute^{isoflops.growth.value:.3f} ({low:.3f} to {high:.3f})",
    )

"""The laws side by side, by what they predict on rows they did not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shapeplan.errors import Caution, FitError, check_choice
from shapeplan.fitting.candidate import fit_candidates
from shapeplan.fitting.diagnostics import Misfit, fit_cautions
from shapeplan.fitting.engine import OBJECTIVES
from shapeplan.fitting.evidence import Score
from shapeplan.fitting.identify import Support, survey
from shapeplan.fitting.noise import measure_noise
from shapeplan.fitting.rollout import choose, predict_unseen_shapes
from shapeplan.runs import Runs, Source


@dataclass(frozen=True)
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
        The law that ``fit --law auto`` takes.
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


def compare(runs: Runs, *, objective: str = "relative", center: Mapping[str, float] | None = None) -> Comparison:
    """Score every law that a log can identify: by rollout, on unseen shapes, on the top decade, and in sample.

    Parameters
    ----------
    runs : Runs
        The log.
    objective : {"relative", "log-huber"}
        What the fits minimize.
    center : mapping of str to float, optional
        Centre of the star; by default what the log says, else found.

    Returns
    -------
    Comparison
        The scores, and the law that they choose.

    Raises
    ------
    FitError
        If the log can identify no law.
    ArgumentError
        If there is no such objective.
    """
    check_choice("objective", objective, tuple(OBJECTIVES))
    try:
        contents = survey(runs, center)
        candidates = list(fit_candidates(runs, contents, OBJECTIVES[objective]).values())
        choice = choose(candidates, runs)
    except FitError as error:
        raise FitError(*(complaint.within(runs.name) for complaint in error.complaints)) from None
    chosen = choice.chosen
    dims, problem = contents.dimensions.free, chosen.problem
    misfit = Misfit.of(runs.observed()[problem.all_rows], problem.residuals(chosen.found.best))
    whole = tuple(
        replace(score, unseen_shapes=predict_unseen_shapes(candidate, runs, dims))
        for score, candidate in zip(choice.scores, candidates, strict=True)
    )
    return Comparison(
        metric=runs.metric,
        objective=objective,
        rows=len(runs),
        runs=len(runs.run_names),
        chosen=chosen.name,
        scores=whole,
        refused=tuple(law for law in contents.laws if not law.supported),
        cautions=(*runs.cautions, *fit_cautions(misfit, measure_noise(runs)), *contents.cautions),
        sources=runs.sources,
        notes=runs.notes,
    )

"""The choice of a law: by its fit to the rows, and by the backtest."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from shapeplan.fitting.records import Score
from shapeplan.fitting.selection.backtest import EXACT, Backtest, backtest
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.selection.held_out import NO_ERRORS, predict_top_decade
from shapeplan.frozen import frozen
from shapeplan.runs import Runs
from shapeplan.workers.executor import HERE, Executor

PREFERRED = (
    "outer-power",
    "interaction",
    "product",
    "additive",
    "star",
    "separable",
    "kaplan",
    "chinchilla",
    "compute",
)
"""Which law is taken where nothing tells laws apart: that which public sweeps favour (tests/studies/laws.py)."""
AS_CLOSE = 1.2
"""Error on all rows, over that of another law, up to which a law fits them as well."""
BETTER = 1.25
"""Factor by which a law must do better in the backtest to be taken for that alone."""
AS_GOOD = 1.1
"""Factor up to which a law does as well in the backtest."""
STRONG = 6.0
"""Difference in BIC that is strong evidence (Kass and Raftery 1995): constants that it does not support are dropped."""
ROWS_A_CONSTANT = 1.5
"""Rows a constant below which a fold says more of noise than of the law."""
_TOO_FEW = "too few rows are left for folds"


@frozen
class Choice:
    """The law of choice, the table behind it, and the laws that might as well have been chosen.

    Attributes
    ----------
    backtest : Backtest
        That of the law of choice.
    scores : tuple of Score
        One a candidate, in order; None where a law could not be scored.
    rivals : tuple of Candidate
        Other laws that neither fit nor backtest tells against.
    """

    backtest: Backtest
    scores: tuple[Score, ...]
    rivals: tuple[Candidate, ...] = ()

    @property
    def chosen(self) -> Candidate:
        """The law of choice."""
        return self.backtest.candidate


def choose(
    candidates: Sequence[Candidate],
    runs: Runs,
    done: Callable[[], None] = lambda: None,
    executor: Executor = HERE,
) -> Choice:
    """Choose a law.

    The first of `PREFERRED` that the log identifies is challenged by the others. One of them takes its place

    1. if it fits the rows as well (`AS_CLOSE`) and is better in the backtest (`BETTER`), or fits them better and is no
       worse in the backtest;
    2. if it fits the rows as well, is as good in the backtest (`AS_GOOD`), and BIC holds strongly against the more
       constants of the other (`STRONG`).

    Folds have fewer rows than the log, so that laws of few constants do better there than they will: hence the two
    margins. Laws are compared on the folds of the one that is challenged, where errors below its scatter hardly count:
    the nearest folds have few rows. A law without shape takes the place of one with a shape by the first rule
    alone, and has to fit the rows no worse; not so on a ladder, where size is all the shape there is. Eq. 2 is out
    where the rows beside the star refute Eq. 3.

    Parameters
    ----------
    candidates : sequence of Candidate
        Laws fitted to the log, at least one.
    runs : Runs
        The log.
    done : callable
        Told of every candidate that is scored.
    executor : Executor
        Where the backtests run.
    """
    tests = {}
    with contextlib.closing(executor.map(_backtest, [(candidate, runs) for candidate in candidates])) as found:
        for candidate, test in zip(candidates, found, strict=True):
            # What comes from another process has a copy of the candidate.
            tests[candidate.name] = replace(test, candidate=candidate)
            done()
    bics = {candidate.name: candidate.bic(runs) for candidate in candidates}
    able = [candidate for candidate in candidates if not _is_refuted(candidate, runs)] or list(candidates)
    table = _Table({candidate.name: candidate for candidate in able}, tests, bics)
    chosen = table.simplest(table.best(table.preferred()))
    cuts = table.cuts(chosen)
    scores = tuple(_score(candidate, tests[candidate.name], cuts, runs, bics) for candidate in candidates)
    return Choice(tests[chosen], scores, tuple(table.candidates[name] for name in table.rivals(chosen)))


def _backtest(task: tuple[Candidate, Runs]) -> Backtest:
    return backtest(*task)


@frozen
class _Table:
    """What is known of the laws that may be chosen, by name."""

    candidates: dict[str, Candidate]
    tests: dict[str, Backtest]
    bics: dict[str, float]

    def preferred(self) -> str:
        """Return the law to start from."""
        ranks = {name: rank for rank, name in enumerate(PREFERRED)}
        return min(self.candidates, key=lambda name: (ranks.get(name, len(ranks)), self.bics[name]))

    def knows_shape(self, law: str) -> bool:
        """Return whether the loss under a law depends on all the shape that varies: on a ladder, size is all of it."""
        return self.is_ladder or self.candidates[law].problem.form.knows_shape

    @cached_property
    def is_ladder(self) -> bool:
        """Whether one dimension varies, with the others or without."""
        return max(len(candidate.problem.form.dims) for candidate in self.candidates.values()) == 1

    def cuts(self, law: str) -> list[int]:
        """Return the folds of a law that say something of it, by their number of rows."""
        least = ROWS_A_CONSTANT * self.candidates[law].problem.parameters
        return [rows for rows, fold in self.tests[law].by_cut.items() if fold.sound and rows >= least]

    def ratio(self, law: str, other: str) -> float:
        """Return the backtest error of a law over that of another on the other's folds; 1 where that has none."""
        cuts = self.cuts(other)
        if not set(cuts) <= self.tests[law].by_cut.keys():
            return np.inf
        scatter = self.candidates[other].relative_rmse
        return self.tests[law].error(cuts, scatter) / self.tests[other].error(cuts, scatter) if cuts else 1.0

    def as_close(self, law: str) -> list[str]:
        """Return the laws that fit all rows as well as one of them; those without shape no worse than one with."""
        own = max(self.candidates[law].relative_rmse, EXACT)
        limits = {
            name: own if self.knows_shape(name) < self.knows_shape(law) else AS_CLOSE * own for name in self.candidates
        }
        return [name for name, limit in limits.items() if self.candidates[name].relative_rmse <= limit]

    def best(self, law: str) -> str:
        """Return the law that beats one, the best of them in the backtest; itself where none does."""
        if not self.cuts(law):
            return law
        fit_better = self.candidates[law].relative_rmse / AS_CLOSE
        beats = [
            name
            for name in self.as_close(law)
            if self.ratio(name, law) <= (1.0 if self.candidates[name].relative_rmse < fit_better else 1 / BETTER)
        ]
        return min(beats, key=lambda name: self.ratio(name, law), default=law)

    def simplest(self, law: str) -> str:
        """Return the law of least BIC among those as good as one whose constants it does not support, or itself."""
        return min(self._simpler(law), key=self.bics.__getitem__, default=law)

    def _simpler(self, law: str) -> list[str]:
        """Return the laws as good as one whose constants BIC does not support."""
        return [
            name
            for name in self.as_close(law)
            if self.bics[name] <= self.bics[law] - STRONG
            and self.ratio(name, law) <= AS_GOOD
            and self.knows_shape(name) >= self.knows_shape(law)
        ]

    def rivals(self, law: str) -> list[str]:
        """Return the laws that might as well have been chosen: neither fit, backtest nor BIC tells against them."""
        if not self.cuts(law):
            return []
        close = [name for name in self.as_close(law) if name != law and self.ratio(name, law) <= BETTER]
        return [name for name in close if law not in self._simpler(name) and not self._is_plain_better(name)]

    def _is_plain_better(self, law: str) -> bool:
        """Return whether BIC prefers a law without its outer power."""
        plain = self.candidates[law].problem.form.plain
        return plain is not None and plain in self.bics and self.bics[plain] <= self.bics[law]


def _is_refuted(candidate: Candidate, runs: Runs) -> bool:
    """Return whether the rows beside a star, which Eq. 2 is not fitted to, tell against it."""
    error = candidate.error_beside_star(runs)
    return error is not None and error.refutes(candidate.relative_rmse)


def _score(candidate: Candidate, test: Backtest, cuts: list[int], runs: Runs, bics: dict[str, float]) -> Score:
    reasons = {}
    error = None
    if not cuts or not set(cuts) <= test.by_cut.keys():
        reasons["rollout_rmse"] = test.reason or _TOO_FEW
    else:
        error = test.error(cuts)
        if not np.isfinite(error):
            error, reasons["rollout_rmse"] = None, NO_ERRORS
    top_decade, why = predict_top_decade(candidate, runs)
    if why:
        reasons["top_decade"] = why
    return Score(
        law=candidate.name,
        rollout_rmse=error,
        relative_rmse=candidate.relative_rmse,
        parameters=candidate.problem.parameters,
        bic_excess=bics[candidate.name] - min(bics.values()),
        top_decade=top_decade,
        rollout=test.horizons(),
        reasons=reasons,
    )


def score_in_sample(candidate: Candidate) -> Score:
    """Return the score of a law that was asked for, not chosen."""
    return Score(candidate.name, None, candidate.relative_rmse, candidate.problem.parameters)

"""How a plan is trained: batch, steps, learning rate and warm-up, as far as the user or the log tells them."""

from __future__ import annotations

import math
from dataclasses import replace

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.fitting.tuning.power_law import PowerLaw, Tuned, Tuning
from shapeplan.frozen import frozen
from shapeplan.planning.plan import BudgetPlan, Plan
from shapeplan.quantities import format_count

MOST_UNSURE = 4.0
"""Factor from a value to the ends of its interval, above which the value is left to the user."""
_OTHER_BATCH = 1.5
"""Factor beyond the batches of the log from which its learning rates are those of another batch."""
_PARTS = 8
"""A fitted batch is a multiple of the largest power of two that is at most so large a part of it: devices divide it."""
_DIGITS = 3
_UNTOLD = Tuned(reason="the log of the law does not tell it")


@frozen
class Setting:
    """A setting of training.

    Attributes
    ----------
    value : float or None
        The value; None where it is the user's to set.
    why : str
        Where it is from, or why it is not known.
    """

    value: float | None
    why: str


@frozen
class Training:
    """How a plan is trained.

    Attributes
    ----------
    unit : str
        ``tokens`` or ``examples``.
    duration : int or None
        So many of them are the plan's; None where the law does not tell.
    length : int or None
        Tokens of a sequence, 1 for examples; None where the law does not tell.
    batch : Setting
        In the unit, a whole number of sequences where their length is known.
    lr : Setting
        The peak of the learning rate.
    warmup : Setting
        Steps in which it rises.
    dataset : float or None
        How many different examples there are, if the user said.
    """

    unit: str
    duration: int | None
    length: int | None
    batch: Setting
    lr: Setting
    warmup: Setting
    dataset: float | None = None

    @property
    def steps(self) -> int | None:
        """Whole batches in the duration."""
        return None if self.batch.value is None or self.duration is None else int(self.duration // self.batch.value)

    @property
    def inputs(self) -> int | None:
        """Sequences, or examples, of a batch."""
        return None if self.batch.value is None or self.length is None else round(self.batch.value / self.length)

    @property
    def epochs(self) -> float | None:
        """How often each example of the data set is seen."""
        return None if self.dataset is None or self.duration is None else self.duration / self.dataset

    @property
    def is_known(self) -> bool:
        """Whether anything is told."""
        return any(one.value is not None for one in (self.batch, self.lr, self.warmup))

    def remarks(self) -> tuple[str, ...]:
        """Return what is said of every setting: where it is from, or why it is the user's to set."""
        return (self._of_batch(), self._of("learning rate", self.lr), self._of("warm-up", self.warmup, " steps"))

    def _of_batch(self) -> str:
        plan = "" if self.duration is None else f"; the plan is {self.duration:,} {self.unit}"
        if self.batch.value is None:
            return f"batch and steps are yours to set: {self.batch.why}{plan}"
        size = f"{round(self.batch.value):,} {self.unit}"
        if self.length is not None and self.length > 1:
            size += f" ({self.inputs:,} sequences of {self.length:,})"
        if self.steps is None:
            return f"batch: {size}, {self.batch.why}; steps are yours to set: the law does not tell the {self.unit}"
        return f"batch: {size}, {self.batch.why}; {self.steps:,} steps of the plan's {self.duration:,} {self.unit}"

    @staticmethod
    def _of(name: str, setting: Setting, unit: str = "") -> str:
        if setting.value is None:
            return f"{name} is yours to set: {setting.why}"
        return f"{name}: {setting.value:g}{unit}, {setting.why}"


def training_of(plan: Plan, batch: float | None = None) -> Training:
    """Return how the first budget of a plan is trained.

    Parameters
    ----------
    plan : Plan
        The plan; its law keeps what its log tells of the recipe.
    batch : float, optional
        The batch, in the unit of the plan.

    Raises
    ------
    ArgumentError
        If the batch is less than one sequence, or more than the whole plan.
    """
    budget, log = plan.budgets[0], plan.fit.log
    tuning = log.tuning or Tuning(_UNTOLD, _UNTOLD)
    bare = Training(
        unit=log.examples_unit,
        duration=budget.examples,
        length=_length(plan),
        batch=Setting(None, ""),
        lr=Setting(None, ""),
        warmup=Setting(None, ""),
        dataset=plan.limits.get("max_examples"),
    )
    sized = replace(bare, batch=_batch(bare, tuning.batch, budget, batch))
    return replace(sized, lr=_rate(sized, tuning, budget, batch_given=batch is not None), warmup=_warmup(sized, tuning))


def _length(plan: Plan) -> int | None:
    """Return the tokens of a sequence, 1 where examples are counted; None where it is not known."""
    if plan.fit.log.examples_unit != "tokens":
        return 1
    seq = plan.fit.architecture.settings.get("seq") if plan.fit.architecture else None
    return int(seq) if isinstance(seq, int | float) else None


def _batch(training: Training, tuned: Tuned, budget: BudgetPlan, given: float | None) -> Setting:
    if given is not None:
        return Setting(_checked(training, given), "as given")
    found = Setting(tuned.constant, "that of every run of the log") if tuned.constant else _by_law(tuned, budget)
    if found.value is None:
        return found
    value = _divisible(training, found.value) if tuned.law else _whole_inputs(training, found.value)
    if training.duration is not None and value > training.duration:
        return Setting(None, f"that of the log, {value:,.0f}, is more than the whole plan")
    return Setting(value, found.why)


def _checked(training: Training, batch: float) -> float:
    """Return a batch that the user gives, in whole sequences of the plan."""
    if not (math.isfinite(batch) and batch >= (training.length or 1)):
        least = f"a sequence, {training.length} tokens" if (training.length or 1) > 1 else "1"
        raise ArgumentError(ErrorDetail("bad-batch", f"`batch` cannot be {batch:g}", f"give at least {least}"))
    if training.duration is not None and batch > training.duration:
        message = f"`batch` of {batch:,.0f} {training.unit} is more than the whole plan, {training.duration:,}"
        raise ArgumentError(ErrorDetail("bad-batch", message, "give a smaller one, or a larger budget"))
    value = _whole_inputs(training, batch)
    is_beyond = training.duration is not None and value > training.duration
    return value - (training.length or 1) if is_beyond else value


def _whole_inputs(training: Training, batch: float) -> float:
    """Return the nearest batch of whole sequences."""
    length = training.length or 1
    return float(length * max(1, round(batch / length)))


def _divisible(training: Training, batch: float) -> float:
    """Return the nearest batch whose sequences many devices divide."""
    length = training.length or 1
    part = 2 ** max(0, math.floor(math.log2(max(batch / length / _PARTS, 1.0))))
    return float(length * part * max(1, round(batch / length / part)))


def _rate(training: Training, tuning: Tuning, budget: BudgetPlan, *, batch_given: bool) -> Setting:
    """Return the best learning rate, if it is known at the batch: those of the log are of its own batches."""
    found = _by_law(tuning.lr, budget)
    if found.value is None:
        return found
    value, batches = float(f"{found.value:.{_DIGITS}g}"), _batches_of_rates(tuning, budget)
    if batches is None:
        return Setting(value, f"{found.why}; at the batch of the log, which it does not tell")
    low, high = batches
    alike = high <= low * (1 + 1e-9)
    span = f"a batch of {low:,.0f}" if alike else f"batches of {low:,.0f} to {high:,.0f}"
    batch = training.batch.value if batch_given else None
    if batch is not None and not low / _OTHER_BATCH <= batch <= high * _OTHER_BATCH:
        return Setting(None, f"the log's best, {value:g}, is that of {span} {training.unit}")
    return Setting(value, f"{found.why}; at {span} {training.unit}")


def _batches_of_rates(tuning: Tuning, budget: BudgetPlan) -> tuple[float, float] | None:
    """Return the batches that the best learning rates are of: the best batch there, else those of the log."""
    best = _by_law(tuning.batch, budget).value
    return (best, best) if best is not None else tuning.batches


def _by_law(tuned: Tuned, budget: BudgetPlan) -> Setting:
    """Return the best value at the compute, size and duration of a plan, if its interval is narrow enough."""
    law = tuned.law
    if law is None:
        return Setting(None, tuned.reason)
    flops = budget.trained_flops if budget.achieved_flops is None else budget.achieved_flops
    known = {"flops": flops, "params": budget.params, "examples": budget.examples}
    where = {name: float(value) for name, value in known.items() if value}
    if lacking := [name for name in law.variables if name not in where]:
        return Setting(None, f"its power law is of {' and '.join(lacking)}, which the plan does not have")
    found = law.at(where)
    low, high = found.ci or (found.value, found.value)
    interval = f"{law.level:.0%} interval {_rounded(low)} to {_rounded(high)}"
    if max(high / found.value, found.value / low) > MOST_UNSURE:
        return Setting(
            None, f"the log's best ones give {_rounded(found.value)}, {interval}, which is too wide ({law.said})"
        )
    return Setting(found.value, f"{interval} ({law.said}){_beyond(law, where)}")


def _rounded(value: float) -> str:
    return format_count(value) if value >= 1000 else f"{value:.{_DIGITS}g}"


def _beyond(law: PowerLaw, where: dict[str, float]) -> str:
    """Return by which factor a plan is beyond the groups of a power law."""
    factors = {name: max(where[name] / high, low / where[name]) for name, (low, high) in law.covered.items()}
    far = ", ".join(f"{name} by {factor:.3g}x" for name, factor in factors.items() if factor > 1 + 1e-9)
    return f", beyond the log in {far}" if far else ""


def _warmup(training: Training, tuning: Tuning) -> Setting:
    steps, share = tuning.warmup_steps, tuning.warmup_share
    if steps is None and share is None:
        return Setting(None, "the log of the law tells none that is the same in every run")
    if steps is None:
        if training.steps is None:
            return Setting(None, f"the log's is {share:.3g} of the steps, which are not known")
        rise = float(round((share or 0.0) * training.steps))
        return Setting(rise, f"{share:.3g} of the steps, as in every run of the log")
    if training.steps is not None and steps >= training.steps:
        return Setting(None, f"the log's {steps:,.0f} steps are not less than the plan's {training.steps:,}")
    return Setting(steps, "as in every run of the log")

"""Whether a plan has moved from one that was pinned: scaling laws as tested code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from shapeplan.errors import ArgumentError, ErrorDetail, PlanMoved
from shapeplan.frozen import frozen
from shapeplan.quantities import format_flops
from shapeplan.wording import compact, percent, span

LOSS_TOLERANCE, SIZE_TOLERANCE = 0.005, 0.1
"""Relative change of the loss, and of a size, that is none."""
_LARGEST = 1e6
_HINT = "see what changed in the log; if the new plan is right, pin it in place of this one"
_DIGITS = 5
_ROUNDING = 1e-9
"""Relative difference within which two budgets are the same."""


@frozen
class PinnedBudget:
    """What is compared of the plan for one budget.

    Attributes
    ----------
    flops, flops_ci : float, (float, float or None) or None
        The budget; where a loss was asked for, the compute it takes and its interval.
    shape, ci : mapping
        The best sizes before rounding, and their intervals where there are any.
    loss : float or None
        The loss that is expected.
    built : mapping of str to float or None
        The sizes that are built, and the heads.
    """

    flops: float
    flops_ci: tuple[float, float | None] | None
    shape: Mapping[str, float]
    ci: Mapping[str, tuple[float, float] | None]
    loss: float | None
    built: Mapping[str, float | None] = field(default_factory=dict)


@frozen
class PinnedPlan:
    """What is compared of a plan.

    Attributes
    ----------
    name : str
        The file, for messages.
    settings : mapping of str to object
        What was asked: plans that differ in it are answers to two questions.
    metric : str
        Name of the loss.
    budgets : tuple of PinnedBudget
        In the order they were asked for.
    """

    name: str
    settings: Mapping[str, object]
    metric: str
    budgets: tuple[PinnedBudget, ...]


def check_pinned(
    pinned: PinnedPlan,
    found: PinnedPlan,
    *,
    loss_tolerance: float | None = None,
    size_tolerance: float | None = None,
) -> int:
    """Return how many quantities of a plan were compared with those of a pinned one, none of which has moved.

    Parameters
    ----------
    pinned, found : PinnedPlan
        The plan of before, and that of now.
    loss_tolerance : float, optional
        Relative change of the loss that is none (0.005 if not given).
    size_tolerance : float, optional
        Relative change of a size, or of the compute that a loss takes, that is none. If not given, a size has moved
        where it changed by more than 0.1 and is outside the interval of the pinned plan, if it has one.

    Raises
    ------
    ArgumentError
        If a tolerance is no number from 0 on, or the plans answer two questions: other settings or budgets.
    PlanMoved
        If anything moved; a detail a quantity, with what it was, what it is, and what was allowed.
    """
    for name, value in (("loss_tolerance", loss_tolerance), ("size_tolerance", size_tolerance)):
        if value is not None and not 0 <= value <= _LARGEST:
            message = f"`{name}` cannot be {value:g}"
            raise ArgumentError(ErrorDetail("bad-tolerance", message, "give e.g. 0.005, or 0.5%"))
    _same_question(pinned, found)
    allowed = LOSS_TOLERANCE if loss_tolerance is None else loss_tolerance
    moved, count = [], 0
    for before, after in zip(pinned.budgets, found.budgets, strict=True):
        at = f"at {format_flops(before.flops)} FLOPs"
        for name, old, new, ends in _sizes(before, after):
            count += 1
            why = _moved(old, new, ends, size_tolerance)
            if why:
                moved.append(_detail(pinned.name, f"{name} {at}", old, new, why))
        if before.loss is not None or after.loss is not None:
            count += 1
            if _change(before.loss, after.loss) > allowed:
                moved.append(_detail(pinned.name, f"{pinned.metric} {at}", before.loss, after.loss, percent(allowed)))
    if moved:
        raise PlanMoved(*moved)
    return count


def _sizes(
    before: PinnedBudget, after: PinnedBudget
) -> Iterator[tuple[str, float | None, float | None, tuple[float, float | None] | None]]:
    yield "compute", before.flops, after.flops, before.flops_ci
    for dim in dict.fromkeys((*before.shape, *after.shape)):
        yield dim, before.shape.get(dim), after.shape.get(dim), before.ci.get(dim)


def _moved(
    old: float | None, new: float | None, ends: tuple[float, float | None] | None, tolerance: float | None
) -> str:
    """Return the tolerance that a size has left, in words; empty where it has not."""
    allowed = SIZE_TOLERANCE if tolerance is None else tolerance
    if _change(old, new) <= allowed:
        return ""
    if tolerance is not None or ends is None or new is None:
        return percent(allowed)
    low, high = ends
    if low <= new and (high is None or new <= high):
        return ""
    interval = f"from {compact(low)} on" if high is None else span((low, high))
    return f"{percent(allowed)}, and the pinned interval {interval}"


def _change(old: float | None, new: float | None) -> float:
    """Return the relative change; infinite where only one is there."""
    if old is None or new is None:
        return 0.0 if old is new else float("inf")
    return abs(new - old) / abs(old) if old else (0.0 if new == old else float("inf"))


def _detail(file: str, quantity: str, old: float | None, new: float | None, allowed: str) -> ErrorDetail:
    shown = format_flops if quantity.startswith("compute ") else _size
    was, now = ("none" if value is None else shown(value) for value in (old, new))
    by = f" ({percent(new / old - 1, signed=True)})" if old and new is not None else ""
    return ErrorDetail(
        "plan-moved", f"{quantity} moved from {was} to {now}{by}; tolerance {allowed}", _HINT, file, value=now
    )


def _size(value: float) -> str:
    return compact(value, _DIGITS)


def _same_question(pinned: PinnedPlan, found: PinnedPlan) -> None:
    """Raise `ArgumentError` for plans that answer two questions."""
    names = dict.fromkeys((*pinned.settings, *found.settings))
    differing = [
        f"{name} {_word(pinned.settings.get(name))}, now {_word(found.settings.get(name))}"
        for name in names
        if pinned.settings.get(name) != found.settings.get(name)
    ]
    if len(pinned.budgets) != len(found.budgets):
        differing.append(f"budgets {len(pinned.budgets)}, now {len(found.budgets)}")
    else:
        pairs = list(zip(pinned.budgets, found.budgets, strict=True))
        differing += [
            f"a budget of {format_flops(before.flops)} FLOPs, now {format_flops(after.flops)}"
            for before, after in pairs
            if not _same_budget(before, after)
        ]
        differing += [
            f"{_built(before)} built of the same sizes at {format_flops(before.flops)} FLOPs, now {_built(after)}"
            for before, after in pairs
            if _same_sizes(before, after) and before.built != after.built
        ]
    if differing:
        message = f"is the answer to another question: {'; '.join(differing)}"
        hint = "ask as then, or pin the new plan"
        raise ArgumentError(ErrorDetail("other-question", message, hint, pinned.name))


def _same_budget(before: PinnedBudget, after: PinnedBudget) -> bool:
    """Return whether the same was asked: a loss, whose compute may move, or the same compute.

    Without draws of the law, the compute for a loss has no interval: it is known by the loss that is the same.
    """
    of_loss = before.flops_ci or after.flops_ci or _change(before.loss, after.loss) <= LOSS_TOLERANCE
    return bool(of_loss) or _change(before.flops, after.flops) <= _ROUNDING


def _same_sizes(before: PinnedBudget, after: PinnedBudget) -> bool:
    """Return whether the best sizes have not moved at all: what is built of them then differs by how it was asked."""
    return before.shape.keys() == after.shape.keys() and all(
        _change(size, after.shape[dim]) <= _ROUNDING for dim, size in before.shape.items()
    )


def _built(budget: PinnedBudget) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in budget.built.items() if value is not None)


def _word(value: object) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

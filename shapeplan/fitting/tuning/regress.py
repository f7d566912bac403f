"""Best values to a power law: log-linear regression, the choice of its variables, and its backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import stdtrit

from shapeplan.fitting.tuning.power_law import PowerLaw
from shapeplan.numerics.arrays import Bools, Floats

FEWEST_GROUPS = 3
FARTHEST = 2.0
"""Factor by which a backtest may be off: the loss within it of the best learning rate is mostly flat."""
_VARIABLES = (("flops",), ("params",), ("examples",), ("params", "examples"))
"""What a hyperparameter may be a power of, the plainest first."""
_BETTER = 0.8
"""Error of left-out groups over that of a plainer form, below which a form is preferred."""
_LEAST_RANGE = np.log(1.5)
"""Range in the logarithm below which a variable is taken not to vary."""
_COLLINEAR = 1e-3
"""Least over largest eigenvalue of two variables below which they are one."""
_LARGEST = 0.99
"""Compute over the largest from which groups are held out together."""


def power_law(points: Mapping[str, Floats], values: Floats, level: float) -> PowerLaw | str:
    """Return best values as a power law, or why the groups do not tell one.

    The form is the plainest whose error on groups that are left out one at a time (PRESS) no other undercuts by a
    fifth. The interval is that of a new point under normal errors (Draper and Smith, Applied Regression Analysis, 1998,
    section 3.1), so it does not know the choice of the form.

    Parameters
    ----------
    points : mapping of str to ndarray, shape (groups,)
        ``flops``, and where they are known ``params`` and ``examples``.
    values : ndarray, shape (groups,)
        The best values.
    level : float
        Coverage of intervals.
    """
    count = len(values)
    if count < FEWEST_GROUPS:
        one = "group has" if count == 1 else "groups have"
        return f"{count or 'no'} {one} a best value inside those tried, and a power law needs {FEWEST_GROUPS}"
    logs = {name: np.log(column) for name, column in points.items()}
    target = np.log(values)
    forms = [form for form in _VARIABLES if _identified(logs, form, np.ones(count, dtype=bool), spare=len(form))]
    if not forms:
        return f"the {count} groups with a best value are of about the same compute, size and duration"
    chosen, least = forms[0], _left_out_error(logs, forms[0], target)
    for form in forms[1:]:
        error = _left_out_error(logs, form, target)
        if error < _BETTER * least:
            chosen, least = form, error
    off = _backtest(logs, chosen, target)
    if off is None:
        return "the groups below the largest are too few, or too alike, to predict it"
    if off > FARTHEST:
        return (
            f"the largest group is off by a factor of {off:.3g} from the power law of the smaller ones, "
            f"more than {FARTHEST:g}"
        )
    return _law(logs, chosen, target, off, level)


def _design(logs: Mapping[str, Floats], form: Sequence[str]) -> Floats:
    """Return the centred logarithms, shape (groups, variables)."""
    columns = np.column_stack([logs[name] for name in form])
    return np.asarray(columns - columns.mean(axis=0))


def _identified(logs: Mapping[str, Floats], form: Sequence[str], some: Bools, spare: int) -> bool:
    """Return whether some groups tell the powers of a form, with so many groups to spare beside them."""
    if not set(form) <= logs.keys() or some.sum() < len(form) + 1 + spare:
        return False
    if any(np.ptp(logs[name][some]) < _LEAST_RANGE for name in form):
        return False
    moments = np.linalg.eigvalsh(np.cov(np.column_stack([logs[name][some] for name in form]).T).reshape(len(form), -1))
    return bool(moments[0] > _COLLINEAR * moments[-1])


def _left_out_error(logs: Mapping[str, Floats], form: Sequence[str], target: Floats) -> float:
    """Return the root mean square error on groups, each left out alone, by the leverages of one fit."""
    design = np.column_stack([np.ones(len(target)), _design(logs, form)])
    hat = design @ np.linalg.pinv(design)
    left = (target - hat @ target) / np.maximum(1.0 - np.diag(hat), 1e-9)
    return float(np.sqrt(np.mean(left**2)))


def _backtest(logs: Mapping[str, Floats], form: Sequence[str], target: Floats) -> float | None:
    """Return by which factor, at most, the groups of most compute are off from the law of the others."""
    largest = logs["flops"] >= logs["flops"].max() + np.log(_LARGEST)
    if not _identified(logs, form, ~largest, spare=0):
        return None
    design = np.column_stack([np.ones(len(target)), _design(logs, form)])
    powers = np.linalg.lstsq(design[~largest], target[~largest], rcond=None)[0]
    return float(np.exp(np.abs(design[largest] @ powers - target[largest]).max()))


def _law(logs: Mapping[str, Floats], form: Sequence[str], target: Floats, off: float, level: float) -> PowerLaw:
    design = _design(logs, form)
    spread = np.linalg.inv(design.T @ design)
    powers = spread @ design.T @ (target - target.mean())
    freedom = len(target) - len(form) - 1
    residuals = target - target.mean() - design @ powers
    return PowerLaw(
        value=float(np.exp(target.mean())),
        center={name: float(np.exp(logs[name].mean())) for name in form},
        exponents={name: float(power) for name, power in zip(form, powers, strict=True)},
        covered={name: (float(np.exp(logs[name].min())), float(np.exp(logs[name].max()))) for name in form},
        scatter=float(np.sqrt(residuals @ residuals / freedom)),
        spread=tuple(tuple(row) for row in spread.tolist()),
        groups=len(target),
        quantile=float(stdtrit(freedom, (1 + level) / 2)),
        level=level,
        backtest=off,
    )

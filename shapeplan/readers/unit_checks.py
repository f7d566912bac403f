"""Units of a whole column: compute that cannot be that of the parameters and the tokens, in any row."""

from __future__ import annotations

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution, ErrorDetail
from shapeplan.numerics.arrays import Floats
from shapeplan.quantities import PF_DAY, convert_flops, format_flops
from shapeplan.readers.columns import Columns
from shapeplan.readers.cross_check import span
from shapeplan.readers.names import EXPERTS, word_of
from shapeplan.readers.shape_cost import approximate_params, tokens_derived
from shapeplan.runs import Runs

_LARGER = {
    3: "params or tokens in thousands",
    6: "params or tokens in millions",
    9: "params or tokens in billions",
    12: "tokens in trillions, or params and tokens in millions",
    15: "params in millions and tokens in billions",
    18: "params and tokens in billions",
}
"""What is in a larger unit, by the power of ten that compute is too large."""
_POWERS = range(3, 27, 3)
_OF_DEVICES = {"PF-days": PF_DAY, "TFLOP-hours": 3600e12, "PFLOP-hours": 3600e15}
_FEW = 8
_LEAST_TOKENS = 1e3
"""No run worth a row sees fewer tokens; compute that implies fewer is that of an example."""
_MOST_TOKENS = 1e6
"""No example of a model has more tokens."""
_SLACK, _ROUGH = 30.0, 300.0
"""How far compute may be from 6 params tokens: embeddings, attention, checkpointing and other conventions."""
_NEAR = 3.2
"""Factor from 6 params tokens, by the largest models, within which a unit fits: passes and MACs count otherwise."""
_MOST, _STEADY, _VARIED = 2.5, 1.3, 4.0
"""Compute over 6 params tokens that no convention explains, where it is the same, up to a factor, of models that differ
by the last one."""
_LARGEST_LOGARITHM = 40.0


def wrong_units(runs: Runs, columns: Columns) -> list[ErrorDetail]:
    """Return an error where compute, parameters and duration cannot belong together in any row.

    With an architecture the exact counts are compared, by `cross_check`.
    """
    if runs.architecture is not None:
        return []
    params, slack = _params(runs)
    if params is None:
        return []
    training = convert_flops(runs.flops, runs.flops_convention, "training")
    where = (runs.file_of(0), int(runs.lines[0]), "flops", format_flops(float(runs.flops[0])))
    tokens = _tokens(runs)
    if tokens is not None:
        ratio = training / (6 * params * tokens)
        if _is_logarithm(training, 6 * params * tokens, slack):
            message = f"the compute is {span(training, 3)}: it looks like its logarithm to base 10"
            return [ErrorDetail("units", message, "log the compute itself, 10 to that power", *where)]
        if _is_rate(training, params * tokens):
            low, high = format_flops(float(training.min())), format_flops(float(training.max()))
            message = f"the compute is {low if low == high else f'{low} to {high}'} whatever was trained: a rate"
            hint = (
                "FLOP/s are no compute: `columns=flops=6ND` or an architecture gives it, "
                "`columns=flops=NAME` another one"
            )
            return [ErrorDetail("rate", message, hint, *where)]
        if (ratio > slack).all() or (ratio < 1 / slack).all():
            message = f"the compute is {span(ratio, 2)} times 6 x params x tokens, in every row"
            hint = _unit_hint(_of_largest(ratio, params))
            scaled = [columns.roles[role] for role in ("tokens", "params") if columns.scales.get(role, 1.0) != 1.0]
            if scaled and (ratio < 1).all():
                hint = f"are the cells of {' and '.join(map(repr, scaled))} full numbers already? {hint}"
            return [ErrorDetail("units", message, hint, *where)]
        return []
    if (training / (6 * params) < _LEAST_TOKENS).all():
        message = f"the compute is that of {span(training / (6 * params), 2)} tokens: it looks like that of one example"
        hint = "give the compute of the whole run: FLOPs per example x examples seen"
        return [ErrorDetail("units", message, hint, *where)]
    per_example = None if tokens_derived(runs) or runs.examples is None else training / (6 * params * runs.examples)
    if per_example is not None and (per_example > _MOST_TOKENS).all():
        message = f"the compute is that of {span(per_example, 2)} tokens an example, in every row"
        return [ErrorDetail("units", message, "check the units of flops, params and examples", *where)]
    return []


def doubt_unit(runs: Runs, columns: Columns) -> list[Caution]:
    """Return a caution where compute is so many times 6 x params x tokens, whatever was trained.

    Embeddings and attention would be another share of models of other sizes, and experts a column tells.
    """
    params, tokens = _params(runs)[0], _tokens(runs)
    if runs.architecture is not None or params is None or tokens is None or params.max() < _VARIED * params.min():
        return []
    if any(EXPERTS.search(word_of(column)) for column in (*columns.ignored, *columns.roles.values())):
        return []
    ratio = convert_flops(runs.flops, runs.flops_convention, "training") / (6 * params * tokens)
    if ratio.min() < _MOST or ratio.max() > _STEADY * ratio.min():
        return []
    message = f"the compute is {span(ratio, 2)} times 6 x params x tokens, whatever was trained"
    return [Caution(codes.FLOPS_MISMATCH, message, "check the units of flops, params and tokens")]


def _params(runs: Runs) -> tuple[Floats | None, float]:
    """Return the parameters, about those of the blocks where none are logged, and how far compute may be from them."""
    return (runs.params, _SLACK) if runs.params is not None else (approximate_params(runs), _ROUGH)


def _tokens(runs: Runs) -> Floats | None:
    return None if tokens_derived(runs) or runs.examples_unit != "tokens" else runs.examples


def _is_logarithm(flops: Floats, expected: Floats, slack: float) -> bool:
    """Return whether compute is the logarithm to base 10 of what is expected, within a factor."""
    return bool(flops.max() < _LARGEST_LOGARITHM and np.abs(flops - np.log10(expected)).max() < np.log10(slack))


def _is_rate(flops: Floats, work: Floats) -> bool:
    """Return whether compute hardly varies while parameters times tokens do: that of a second, not of a run."""
    return bool(
        len(flops) >= _FEW and flops.max() < 3 * flops.min() and work.max() > 8 * work.min() and (flops < 1e17).all()
    )


def _of_largest(ratio: Floats, params: Floats) -> float:
    """Return the median ratio of the largest models, in which embeddings count least."""
    return float(np.median(ratio[params >= np.median(params)]))


def _unit_hint(ratio: float) -> str:
    """Return the unit that a wrong factor points to, and how to say it."""
    fitting = {10.0**power: f"it would fit {what}" for power, what in _LARGER.items()}
    said = "it would fit flops in units of {0}: say so in the header, as 'flops ({0})'"
    fitting |= {10.0**-power: said.format(f"1e{power}") for power in _POWERS}
    fitting |= {1 / spent: said.format(unit) for unit, spent in _OF_DEVICES.items()}
    nearest = min(fitting, key=lambda factor: abs(np.log(ratio / factor)))
    if abs(np.log(ratio / nearest)) > np.log(_NEAR):
        return "check the units of flops, params and tokens; say them in the headers, as 'params (M)', 'tokens (B)'"
    return fitting[nearest] + (": say units in the headers, as 'params (M)', 'tokens (B)'" if nearest > 1 else "")

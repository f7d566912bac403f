"""What a log says against what its architecture gives: where they differ, the convention that would explain it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from shapeplan import codes
from shapeplan.architectures import CONVENTIONS, Decoder, Transformer
from shapeplan.architectures.conventions import FORWARD_PER_MAC, non_embedding_params
from shapeplan.errors import ArgumentError, Caution, InputError
from shapeplan.numerics.arrays import Bools, Floats, Ints
from shapeplan.quantities import Convention
from shapeplan.runs import Runs

BROKEN = 2.0
"""Factor between rows from which on they break the arithmetic of the log, so that no plan should rest on them."""
_UNIT = 10.0
"""Factor by which all rows are off that no convention explains: of a unit."""
TOLERANCE = 1.1
"""Less apart than this factor, in every row, is no mismatch."""
_FEW = 5
"""So many lines are named."""
_ALIKE, _THE_SAME = 1.01, 1.002
"""Compute nearer to the exact count than the first is that; nearer to a convention than the second, it follows it."""
_SAME = 1e-9
_EXPLAINED = 1.03
"""An explanation fits if the median row is this near to it."""
_WORDS = {
    "forward": "forward FLOPs (2 x MACs)",
    "training": "training FLOPs (3 x forward)",
    "xla": "forward FLOPs as XLA counts them",
    "6nd": "6ND with all parameters",
    "6nd-nonembedding": "6ND without embeddings",
    "palm": "PaLM's 6N + 12LAT a token",
    "kaplan": "Kaplan's count: blocks alone, causal attention at half",
    "megatron": "Megatron-LM's count: causal attention at half, logits in",
    "torchtitan": "torchtitan's count: 6N without the input table, and attention",
    "hf-trainer": "total_flos of the Hugging Face Trainer: 6N without input embeddings, no attention",
    "nanogpt": "nanoGPT's count: 6N without learned positions, and attention",
}
_MENDS = {
    "forward": "say `flops_convention=forward`",
    "training": "say `flops_convention=training`",
}
_FLOPS_UNITS = {"gflops": 1e-9, "tflops": 1e-12, "pflops": 1e-15, "eflops": 1e-18}
_COUNT_UNITS = {"thousands": 1e-3, "millions": 1e-6, "billions": 1e-9}


class Explanation(NamedTuple):
    """Something that a column may hold instead: its values by row, what it is, and how to mend it."""

    values: Floats
    what: str
    mend: str


class Counts(NamedTuple):
    """What an architecture counts for rows, and how to count what a column may hold in place of that."""

    exact: Floats
    explanations: Callable[[], list[Explanation]]


def flops_counts(model: Transformer, examples: Floats, convention: Convention) -> Counts:
    """Return the compute of rows, and what may be logged in its place.

    Parameters
    ----------
    model : Transformer
        Of arrays of shapes, a row each.
    examples : ndarray, shape (rows,)
        Examples seen.
    convention : {"forward", "training"}
        What the compute is taken to count.
    """
    exact = _floats(model.flops(convention) / model.examples_per_input) * examples
    return Counts(exact, lambda: list(_flops_explanations(model, examples, exact, convention)))


def params_counts(model: Transformer, rows: int) -> Counts:
    """Return the parameters of so many rows, and what may be logged in their place."""
    exact = _like(model.params, rows)
    return Counts(exact, lambda: list(_params_explanations(model, exact)))


def counts_of_groups(groups: Sequence[tuple[Ints, Counts]]) -> Counts:
    """Return the counts of all rows from those of groups of them; explanations are those that all groups have."""
    rows = [index for index, _ in groups]

    def explanations() -> list[Explanation]:
        named = [{one.what: one for one in counts.explanations()} for _, counts in groups]
        common = [one for one in named[0].values() if all(one.what in others for others in named)]
        return [one._replace(values=scattered(rows, [by[one.what].values for by in named])) for one in common]

    return Counts(scattered(rows, [counts.exact for _, counts in groups]), explanations)


def scattered(rows: Sequence[Ints], parts: Sequence[ArrayLike]) -> Floats:
    """Return the values of all rows from those of groups of them, which are all rows together."""
    values = np.empty(sum(map(len, rows)))
    for index, part in zip(rows, parts, strict=True):
        values[index] = part
    return values


def check_flops(logged: Floats, counts: Counts, convention: Convention, lines: Ints) -> list[Caution]:
    """Compare logged compute, shape (rows,), with `flops_counts`: a caution if a row is more than 10% off."""
    said = f"{convention} FLOPs as the architecture gives them"
    return _compare(codes.FLOPS_MISMATCH, "flops", logged, counts, lines, said)


def other_convention(logged: Floats, model: Transformer, examples: Floats, convention: Convention) -> str | None:
    """Return the convention that logged compute follows in every row, in words, where it is another than said.

    None where it is near enough to the exact count to be that, rounded; and where no convention is as near.
    """
    inputs = examples / model.examples_per_input
    exact = _floats(model.flops(convention)) * inputs
    if np.median(np.abs(np.log(logged / exact))) <= np.log(_ALIKE):
        return None
    followed = []
    for name in CONVENTIONS:
        try:
            values = _floats(model.flops(name)) * inputs
        except InputError:
            continue
        if np.max(np.abs(np.log(logged / values))) <= np.log(_THE_SAME):
            followed.append(_words(name, model))
    return " or ".join(followed) or None


def check_params(logged: Floats, counts: Counts, lines: Ints) -> list[Caution]:
    """Compare logged parameters with `params_counts`; as `check_flops`."""
    said = "parameters as the architecture gives them"
    return _compare(codes.PARAMS_MISMATCH, "params", logged, counts, lines, said)


def check_tokens(logged: Floats, derived: Floats, per_sequence: Floats, lines: Ints) -> list[Caution]:
    """Compare logged tokens with sequences (or steps times batch) times the sequence length."""
    sequences = Explanation(derived / per_sequence, "sequences, or a batch counted in tokens", "check the column")
    said = f"sequences x {span(per_sequence, 6)}"
    return _compare(codes.TOKENS_MISMATCH, "tokens", logged, Counts(derived, lambda: [sequences]), lines, said)


def _flops_explanations(
    model: Transformer, examples: Floats, exact: Floats, convention: Convention
) -> Iterator[Explanation]:
    inputs = examples / model.examples_per_input
    as_logged = "the fit takes them as they are; remove the column to have them counted exactly"
    for name in CONVENTIONS:
        if name == convention:
            continue
        try:
            values = _floats(model.flops(name)) * inputs
        except (InputError, ArgumentError):
            continue
        yield Explanation(values, _words(name, model), _MENDS.get(name, as_logged))
    if _any_idle(model):
        yield Explanation(6 * _floats(model.params) * examples, "6ND with all parameters, idle experts too", as_logged)
    if isinstance(model, Decoder):
        halved = _floats(model.macs_in_full) - _floats(model.attention_macs) / 2
        yield Explanation(FORWARD_PER_MAC * halved * inputs, "forward FLOPs with causal attention at half", as_logged)
    for per_mac, counted in ((1, "forward"), (3, "training")):
        macs = _floats(model.macs) * per_mac * inputs
        yield Explanation(macs, f"multiply-accumulates of a {counted} pass", "double them: one is two FLOPs")
    for unit, scale in _FLOPS_UNITS.items():
        yield Explanation(exact * scale, f"{unit[0].upper()}FLOPs", f"name the column {unit}")


def _params_explanations(model: Transformer, exact: Floats) -> Iterator[Explanation]:
    rows, drop = len(exact), "remove the column to have them counted exactly"
    yield Explanation(_like(non_embedding_params(model), rows), "parameters without embeddings", drop)
    yield Explanation(_like(model.token_weights, rows), "the blocks' matrices alone", drop)
    for unit, scale in _COUNT_UNITS.items():
        yield Explanation(exact * scale, unit, "write them out")
    if _any_idle(model):
        yield Explanation(_like(model.active_params, rows), "active parameters", drop)
    if isinstance(model, Decoder):
        table = _floats(model.vocab * model.width)
        with_head = exact + table if model.tied else exact - table
        what, mend = "parameters of a model with untied embeddings", "set tied: false in the architecture"
        if not model.tied:
            what = "parameters without the input embedding (or of a model with tied embeddings)"
            mend = f"{drop}; or, if the model ties them, set tied: true in the architecture"
        yield Explanation(with_head, what, mend)


def _compare(code: str, what: str, logged: Floats, counts: Counts, lines: Ints, said: str) -> list[Caution]:
    """Return a caution if any row is more than 10% off, with the explanation that fits those rows, if one does.

    Where rows are off by other factors than the rest, or all compute by a unit, it is `BROKEN_ARITHMETIC`, not `code`.
    """
    exact = counts.exact
    far = np.flatnonzero(np.abs(np.log(logged / exact)) > np.log(TOLERANCE))
    if not far.size:
        return []
    ratios = (logged / exact)[far]
    rows = "every row" if len(far) == len(logged) else f"{len(far)} of {len(logged)} rows"
    place = f" (line{'s' if len(far) > 1 else ''} {', '.join(map(str, lines[far]))})" if len(far) <= _FEW else ""
    message = f"the logged {what} of {rows}{place} are {span(ratios)} times the {said}"
    found = [(_distance(logged[far], other.values[far]), other) for other in counts.explanations()]
    distance, best = min(found, key=lambda pair: pair[0])
    explained = distance <= np.log(_EXPLAINED)
    apart = np.log(logged / (best.values if explained and len(far) == len(logged) else exact))
    other_unit = code == codes.FLOPS_MISMATCH and abs(np.median(np.log(logged / exact))) >= np.log(_UNIT)
    if other_unit or np.ptp(apart) >= np.log(BROKEN):
        code = codes.BROKEN_ARITHMETIC
    if explained:
        # Conventions may be the same number for a model: PaLM's and nanoGPT's differ by learned positions alone.
        same = " or ".join(dict.fromkeys(other.what for far_off, other in found if far_off <= distance + _SAME))
        return [Caution(code, f"{message}: your {what} look like {same}", best.mend)]
    return [Caution(code, message, "check these rows, the architecture, and what the column counts")]


def _words(convention: str, model: Transformer) -> str:
    """Return what a convention counts, in words; 6ND of a mixture counts the parameters that a token meets."""
    if convention == "6nd" and _any_idle(model):
        return "6ND with active parameters"
    return _WORDS.get(convention, convention)


def _any_idle(model: Transformer) -> bool:
    return bool(np.any(_floats(model.idle_params) > 0))


def _distance(logged: Floats, values: Floats) -> float:
    return float(np.median(np.abs(np.log(logged / values))))


def span(values: Floats, digits: int = 3) -> str:
    """Return ``low to high``, or one number where both print the same."""
    low, high = f"{values.min():.{digits}g}", f"{values.max():.{digits}g}"
    return low if low == high else f"{low} to {high}"


def which_lines(runs: Runs, rows: Bools) -> str:
    """Return which rows in words: ``line 7``, or how many, and the first lines."""
    index = np.flatnonzero(rows)
    if index.size == 1:
        return runs.place(int(index[0]))
    if index.size == len(runs):
        return "every row"
    few = index[:_FEW].tolist()
    named = ", ".join(map(runs.place, few)) if runs.files else f"lines {', '.join(str(runs.lines[row]) for row in few)}"
    return f"{index.size} of {len(runs)} rows ({named}{', ...' if index.size > _FEW else ''})"


def _like(values: object, rows: int) -> Floats:
    return np.broadcast_to(_floats(values), (rows,))


def _floats(values: object) -> Floats:
    return np.asarray(values, dtype=float)

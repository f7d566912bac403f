"""Names of metrics: which are losses, on what they are measured, and what else is measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from shapeplan.readers.names import last_of_path, split_unit, unprefixed, word_of
from shapeplan.readers.spelling import normal

_NAMES = 4096
_LOSS = r"(?:loss|cross_?entropy|xent|ce|nll|bpb|bpc|bits_per_(?:byte|char)|ppl|perplexity)"
_WHICH = (
    r"(?:train|training|val|valid|validation|eval|evaluation|test|dev|heldout|held_out|holdout|final|lm|ce|c4|best|min|max|mean"
    r"|avg|average|reduced|ema|last|smoothed|raw|total|total_loss|batch|epoch)"
)
_LOSSES = re.compile(rf"(?:{_WHICH}_)*{_LOSS}(?:_(?:{_WHICH}|loss))*")
"""Words for a metric that is minimized."""
LOSS_WORD = re.compile(rf"(?:^|_){_LOSS}(?:_|$)")
_NO_LOSS = frozenset(
    {
        *("aux", "auxiliary", "z", "router", "balance", "balancing", "lb", "mtp", "kl", "distill", "distillation"),
        *("reg", "regularization", "std", "stderr", "sem", "var", "scale", "scaling", "delta", "diff", "slope", "grad"),
        *("norm", "weight", "coef", "ratio", "gap", "init", "initial", "start", "step", "steps", "time", "acc"),
        *(
            "accuracy",
            "predicted",
            "pred",
            "fitted",
            "residual",
            "count",
            "target",
            "irreducible",
            "type",
            "fn",
            "func",
        ),
        *("function", "name", "kind", "mask", "chunk", "chunks", "impl"),
    }
)
"""Words of what stands beside a loss and is none of a run, or only a part of one."""
_HELD_OUT = frozenset({"val", "valid", "validation", "eval", "evaluation", "test", "dev", "heldout", "holdout"})
SPLITS = _HELD_OUT | {"train", "training"}
"""Words for what a metric is measured on."""
ACCURACY = re.compile(
    r"(^|_)(acc|accuracy|top1|top5|top_1|top_5|f1|auc|score|mmlu|hellaswag|reward|precision|recall)(_|$)"
)
_MEASURED = re.compile(
    r"(^|_)(time|runtime|timestamp|created|updated|seconds|hours|minutes|days|duration|elapsed|throughput|mfu|speed"
    r"|per_second|tok_s|id|uuid|name|index|idx|url|path|dir|uri|error|perplexity|ppl|grad|grad_norm|norm|memory"
    r"|step|steps|line|row|hash)(_|$)"
)
"""Words for what is measured or only names a run."""


@lru_cache(maxsize=_NAMES)
def is_loss(column: str) -> bool:
    """Return whether a name is that of a metric that is minimized."""
    name = split_unit(column)[0]
    word = normal(name).strip("_")
    last = last_of_path(name)
    # `ce` alone, and `test_ce` of a path, may be anything.
    return name == "L" or any(
        tried != "ce" and _LOSSES.fullmatch(tried) for tried in (word, unprefixed(word), last) if tried
    )


def rivals_of(loss: str, columns: Sequence[str]) -> list[str]:
    """Return the columns that may be the loss as well as one whose words are better known: losses on other data."""
    own = normal(loss).split("_")
    rivals = []
    for column in columns:
        words = normal(column).split("_")
        other = not LOSS_WORD.search(normal(column)) or not _NO_LOSS.isdisjoint(words)
        if column == loss or other or is_held_out(column) != is_held_out(loss):
            continue
        differing = [i for i, pair in enumerate(zip(own, words, strict=False)) if pair[0] != pair[1]]
        alike = len(words) == len(own) and len(differing) == 1 and re.fullmatch(_LOSS, own[differing[0]]) is None
        if alike or re.search(rf"(^|_){_LOSS}$", normal(column)):
            rivals.append(column)
    return rivals


def may_be_factor(column: str) -> bool:
    """Return whether a column may say how a run was made: it is named neither as something measured nor as a name."""
    word = word_of(column)
    return not (is_loss(column) or ACCURACY.search(word) or _MEASURED.search(word))


@lru_cache(maxsize=_NAMES)
def is_held_out(name: str) -> bool:
    """Return whether a name is that of something measured on data that was held out."""
    return not _HELD_OUT.isdisjoint(normal(name).split("_"))

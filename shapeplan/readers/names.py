"""Names of columns, as exporters and people write them: the words for a role, the unit a header holds, the path before.

A new synonym of a role is added to `SYNONYMS`, or to `LATER` where a log may also use the word for something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from shapeplan.frozen import frozen
from shapeplan.quantities import Convention, device_time
from shapeplan.readers.spelling import normal, without_formulas
from shapeplan.readers.units import LETTERS, TOKENS, WORDS, Unit, unit_of

_LISTED = 40
"""Names that a message lists."""
_NAMES = 4096
"""Names that are remembered: rows and points of a log have the same ones."""
SHAPE = ("width", "depth", "mlp_dim")
SIZES = (*SHAPE, "heads", "params")
SYNONYMS: dict[str, tuple[str, ...]] = {
    "width": ("d_model", "hidden_size", "n_embd", "embed_dim", "model_dim", "hidden_dim"),
    "depth": ("n_layer", "n_layers", "num_layers", "num_hidden_layers", "layers"),
    "mlp_dim": ("d_ff", "intermediate_size", "ffn_dim", "ffn_size", "ffw_size", "n_inner", "mlp_width"),
    "heads": ("n_head", "n_heads", "num_heads", "num_attention_heads"),
    "examples": ("examples_seen", "samples", "samples_seen", "images", "images_seen", "sequences"),
    "tokens": ("tokens_seen", "n_tokens", "num_tokens", "total_tokens"),
    "steps": ("step", "train_steps", "iterations", "iter"),
    "batch_size": ("batch", "global_batch_size"),
    "batch_tokens": ("tokens_per_batch", "tokens_per_step", "batch_size_tokens", "batch_size_in_tokens"),
    "params": ("parameters", "n_params", "num_params"),
    "active_params": (
        *("active_parameters", "activated_params", "activated_parameters", "params_active", "params_activated"),
        *("n_active_params", "num_active_params", "num_activated_params", "n_params_active", "active_param_count"),
    ),
    "run": ("run_id",),
}
"""The field's words for every role, beside its own name."""
LATER: dict[str, tuple[str, ...]] = {
    "width": (
        *("hidden_dimension", "embedding_dimension", "model_dimension", "dim", "emb_dim", "embedding_dim"),
        *("embedding_size", "model_width", "residual_dim", "d_embed", "d_embd", "hidden_units", "model_d", "n_embed"),
        *("resid_dim", "residual_width", "hidden_width", "network_width", "dim_model", "d_resid", "d_hidden"),
        *("emb_size", "embed_size", "embedding_width", "embed_width"),
    ),
    "depth": (
        *("num_blocks", "n_blocks", "blocks", "num_layer", "number_of_layers", "no_of_layers", "layer_count"),
        *("nb_layers", "layers_count", "total_layers", "num_transformer_layers", "n_transformer_layers"),
        *("num_transformer_blocks", "n_transformer_blocks", "transformer_blocks", "stack_depth"),
    ),
    "mlp_dim": (
        *("intermediate_dim", "ffn_hidden_size", "ffn_hidden", "mlp_hidden", "ffn_width", "mlp_inner", "ff_size"),
        *("feed_forward_size", "feedforward_size", "ffn_embed_dim", "ffn_hidden_dimension", "ffn_dimension"),
        *("ffn_inner", "ff_hidden", "feedforward", "ff_inner", "ffn_intermediate_size", "mlp_intermediate_size"),
        *("dim_feedforward", "ffn", "d_ffn", "d_mlp", "mlp", "mlp_size"),
        *("mlp_hidden_dim", "mlp_hidden_size", "feedforward_dim", "feed_forward_dim", "ff_dim", "dim_ff", "ffn_units"),
        *("ffw", "ffwd", "ffw_dim", "ffwd_dim"),
        *("d_intermediate", "ff_inner_dim", "ffn_inner_dim", "mlp_units", "mlp_width", "inner_dim", "d_inner"),
        *("filter_size", "intermediate", "ff", "ff_width", "mlp_channels"),
    ),
    "mlp_ratio": (
        *("ffn_ratio", "ff_ratio", "mlp_expansion", "expansion_factor", "ffn_mult"),
        *("expansion_ratio", "ff_mult", "mlp_mult", "ffn_expansion", "ff_expansion", "mlp_expansion_factor"),
    ),
    "heads": ("attention_heads", "number_of_heads"),
    "examples": ("training_examples", "train_examples", "num_examples", "total_examples", "train_samples"),
    "tokens": (
        *("train_tokens", "training_tokens", "tokens_trained", "num_input_tokens_seen", "input_tokens_seen"),
        *("consumed_tokens", "tokens_processed", "num_train_tokens", "total_training_tokens", "data_tokens"),
        *("tok", "toks"),
    ),
    "steps": (
        *("global_step", "num_steps", "total_steps", "max_steps", "n_steps", "train_iters", "num_iters", "iters"),
        *("training_steps", "num_train_steps", "num_training_steps"),
    ),
    "batch_size": ("train_batch_size", "bs"),
    "params": (
        *("parameter_count", "param_count", "params_total", "total_params", "model_params", "model_size", "nparams"),
        *("num_parameters", "n_parameters", "number_of_parameters", "params_count", "total_parameters"),
    ),
    "tokens_per_param": (
        *("tok_param", "tok_params", "tokens_param", "tokens_params", "tokens_parameter", "tok_per_param"),
        *("tokens_per_params", "tokens_per_parameter", "token_param_ratio", "tokens_params_ratio", "tpp", "d_n"),
    ),
    "run": (
        *("run_name", "runname", "run_uuid", "name", "id", "uid", "model", "model_name", "experiment"),
        *("trial_id", "trial", "trial_name", "experiment_id", "experiment_name", "experiment_key", "exp", "exp_id"),
        *("exp_name", "job_id", "job_name", "run_key", "run_hash"),
    ),
}
"""Words that claim a role only where none of the others does."""
SYMBOLS = {"N": "params", "D": "tokens", "C": "flops", "L": "loss"}
"""Capital letters of the scaling laws' papers, which claim a role only where no word does."""
RECIPE = frozenset(
    {
        *("lr", "learning_rate", "max_lr", "peak_lr", "base_lr", "weight_decay", "wd", "warmup", "warmup_steps"),
        *("batch_size", "batch", "global_batch_size", "train_batch_size", "optimizer", "beta1", "beta2", "dropout"),
    }
)
"""What a recipe is tuned by: runs that differ in it at one shape and compute are not of one recipe."""

EXPERTS = re.compile(r"(^|_)(experts?|num_local_experts|n_routed)(_|$)")
"""Words for columns that count experts."""
_PREFIXES = ("params", "metrics", "config", "summary", "tags", "tags_mlflow", "user_attrs", "hparams")
_PARTS = (
    *("base_num_decoder", "num_decoder", "num_encoder", "decoder", "encoder", "base", "base_num"),
    *("transformer", "model", "gpt", "lm", "backbone"),
)
"""What may stand before a size of a model, for the part of it that has the size."""
_NOT_OF_MODELS = frozenset(
    {
        *("image", "images", "data", "dataset", "lora", "adapter", "rope", "tokenizer", "system"),
        *("teacher", "draft", "predictor", "discriminator", "vae", "classifier", "text_encoder"),
        *("projector", "projection_head", "router"),
        *("base_model", "base", "mup"),
    }
)
"""Words of a path after which width or depth are those of something else."""
_OF_MLP = frozenset({"mlp", "ffn", "ff", "ffw", "ffwd", "feed_forward", "feedforward", "ffn_block", "mlp_block"})
"""Words of a path after which a width is the MLP dim, and a depth none of the model's."""
SURE = 4
"""Rank of a claim up to which a name says a role by itself, also behind a path."""
_PART = 6
"""What is added to the rank of a word that is left of a longer one."""
_PREFIXED = re.compile(
    r"(?P<prefix>[kmgbt])[_ ]?(?P<counted>tok|toks|tokens|params|parameters)|(?P<counts>tokens|params)(?P<unit>[MBT])",
    re.IGNORECASE,
)
"""Millions and billions in one word with what they count, or before it: Mparams, tokensB, B tokens."""
_COUNTED = {
    "tok": "tokens",
    "toks": "tokens",
    "tokens": "tokens",
    "flops": "flops",
    "flop": "flops",
    "params": "params",
    "parameters": "params",
}
"""Roles of columns whose unit says what they count."""
_OF_A_PART = frozenset({"micro", "mini", "device", "gpu", "rank", "local"})
_OF_A_STEP = _OF_A_PART | {
    *("batch", "seq", "sequence", "context", "ctx", "vocab", "length", "len", "window", "block", "dataset"),
}
"""Words for what is counted in tokens beside a run: a step of training, a sequence, a vocabulary."""
_OF_MODELS = ("width", "depth", "mlp_dim", "mlp_ratio", "heads", "params", "run")
_FLOPS = re.compile(
    r"(?P<before>(?:(?:forward|fwd|training|train|total|compute|model|cumulative|num|n|number_of|estimated|est)_)*)"
    r"(?P<unit>[kmgtpezy]|kilo|mega|giga|tera|peta|exa|zetta)?_?(?:flops?|flos)"
    r"(?P<after>(?:_(?:forward|fwd|training|train|total|count|used|estimate))*)"
)
_AMOUNT = r"(?:n|num|number_of|total|train|training|trained|consumed|processed|seen|cumulative|count|input|data|so_far)"
_TOKENS = re.compile(rf"(?:{_AMOUNT}_)*tokens?(?:_{_AMOUNT})*")
_BIG = r"[KMBGT]|mio|mrd|mln|bn|thousands?|millions?|billions?|trillions?"
_UNIT_AT_END = re.compile(rf"(?P<name>.*[A-Za-z])[_ ](?P<unit>{_BIG})", re.IGNORECASE)
_AFTER_SIGN = re.compile(
    r"^(?P<name>.*?[A-Za-z])\s*"
    r"(?:(?:[/*\u00d7]|\bx(?![A-Za-z]))\s*(?P<unit>(?:(?:1e\+?|10\^|10\*\*)\d+|10[\u00b9\u00b2\u00b3\u2070-\u2079]+))"
    r"|[_ ](?P<power>1?e\d+))\s*$",
    re.I,
)
_AFTER_WORD = re.compile(rf"^(?P<name>.*[A-Za-z])[_ ]in[_ ](?P<unit>{_BIG})\s*$", re.I)
_AFTER_COMMA = re.compile(rf"^(?P<name>.*[A-Za-z])\s*,\s*(?P<unit>{_BIG})\s*$", re.I)
"""Units after a sign (FLOPs / 1e18, flops_1e18), ``in`` (tokens in billions), or a comma (Tokens, B)."""
_UNIT_AT_START = re.compile(
    r"(?P<unit>mio|mrd|mln|bn|thousands?|millions?|billions?|trillions?)[_ ](?:of[_ ])?(?P<name>[A-Za-z].*)", re.I
)
_OF_COUNTS = re.compile(r"(^|_)([a-z]*flops?|flos|tokens?|params?|parameters?|examples|samples|compute)(_|,|$)")
_BETWEEN = re.compile(r"[./:@]+|(?<=[^_])__(?=[^_])")
"""What separates the words of a path."""
_IN_BRACKETS = re.compile(r"^(?P<name>.*?)\s*[\(\[](?P<unit>[^()\[\]]*)[\)\]]\s*$")
_IN_THE_MIDDLE = re.compile(
    r"^(?P<name>[^()\[\]]*[A-Za-z])\s*[\(\[](?P<unit>[^()\[\]]*)[\)\]]\s*(?P<rest>[A-Za-z_ ]+)$"
)
_TRENDS = "\u2191\u2193\u25b2\u25bc"
"""Arrows that tell which values are better."""


def listed(columns: Sequence[str]) -> str:
    """Return the names of columns for a message; of very many the first."""
    more = f" and {len(columns) - _LISTED} more" if len(columns) > _LISTED else ""
    return ", ".join(columns[:_LISTED]) + more or "none"


@frozen
class Claim:
    """A column that may be the one of a role.

    Attributes
    ----------
    role : str
        ``width``, ``flops``, ``run`` and so on.
    column : str
        As it stands in the input.
    rank : int
        How sure its name is, the surest lowest: two columns of one rank cannot be told apart.
    scale : float
        What its cells are multiplied by.
    convention : {"forward", "training"} or None
        What a column of compute says that it counts.
    unread : bool
        Whether its header has a unit with words that are not understood.
    """

    role: str
    column: str
    rank: int
    scale: float = 1.0
    convention: Convention | None = None
    unread: bool = False


_TOGETHER = {
    word.replace("_", ""): role
    for table in (SYNONYMS, LATER)
    for role, words in table.items()
    for word in (role, *words)
    if "_" in word
}
"""The words without what is between their parts, as in ``dmodel``."""


def claim_of(column: str) -> Claim | None:
    """Return the role that a column's name claims, if it does: by the whole name, else by the last word of its path."""
    # W&B's own config files hold every value under a key `value`.
    name, unit = split_unit(re.sub(r"[./](?:value|final|last)$", "", column))
    said = Unit(1.0) if unit is None else unit_of(unit)
    scale = said.scale
    if scale is None or re.fullmatch(r"(log|ln|lg)(_?\d+)?", normal(name)):
        return None
    if name in SYMBOLS:
        role = SYMBOLS[name]
        return Claim(role, column, 9, scale, unread=said.unread(role)) if role != "loss" else None
    end, start = _UNIT_AT_END.fullmatch(name.strip()), _UNIT_AT_START.fullmatch(name.strip())
    if unit is None and (match := end or start):
        # Without brackets only what is counted in millions has a unit beside it: tokens_M, params B, billion tokens.
        counted = claim_of(match["name"])
        if counted is not None and counted.role in ("params", "tokens", "examples"):
            said_unit = match["unit"].lower()
            return Claim(counted.role, column, counted.rank, WORDS.get(said_unit) or LETTERS[said_unit])
    word = normal(name).strip("_")
    last = last_of_path(name)
    parts = [(_PART, rest) for one in (word, last) if one for rest in _without_part(one)]
    for penalty, tried in ((0, word), (3, unprefixed(word)), (3, last), *parts):
        found = _claim(tried, column, unit) if tried else None
        if found is not None and penalty == _PART and found.role not in _OF_MODELS:
            continue
        if found is not None and not (penalty and found.role in _OF_MODELS and _of_something_else(name)):
            convention = _convention_in(unit) if found.role == "flops" else None
            role = found.role
            if tried and role in ("width", "depth") and _is_of_mlp(name) and "model" not in tried:
                if role == "depth":
                    continue
                role = "mlp_dim"
            if role == "batch_size" and TOKENS.intersection(said.words):
                role = "batch_tokens"
            total, unread = found.scale * scale, said.unread(role)
            return Claim(role, column, found.rank + penalty, total, found.convention or convention, unread)
    if unit is None and (match := _PREFIXED.fullmatch(name.strip())):
        letter, counted_word = match["prefix"] or match["unit"], match["counted"] or match["counts"]
        return Claim(_COUNTED[normal(counted_word)], column, 8, LETTERS[letter.lower()])
    alone = said.words and TOKENS.issuperset(said.words) and "/" not in (unit or "")
    of_unit = _COUNTED.get(normal(unit or ""), "tokens" if alone else None)
    if of_unit == "tokens" and not _OF_A_STEP.isdisjoint(words := normal(name).split("_")):
        # What a step or a sequence has in tokens is not what a run has.
        of_unit = "batch_tokens" if "batch" in words and _OF_A_PART.isdisjoint(words) else None
    return Claim(of_unit, column, 8, scale) if of_unit else None


def run_column(columns: Sequence[str]) -> str | None:
    """Return the column that names runs by the surest word; None where none does, or two are as sure."""
    claims = [claim for column in columns if (claim := claim_of(column)) is not None and claim.role == "run"]
    ranks = sorted(claim.rank for claim in claims)
    if not ranks or ranks[:1] == ranks[1:2]:
        return None
    return min(claims, key=lambda claim: claim.rank).column


def _convention_in(unit: str | None) -> Convention | None:
    """Return what a unit says that compute counts, as in ``FLOPs (forward)``."""
    words = set(normal(unit or "").split("_"))
    if words & {"forward", "fwd"} and not words & {"backward", "bwd"}:
        return "forward"
    return "training" if words & {"training", "backward", "bwd"} else None


@lru_cache(maxsize=_NAMES)
def word_of(column: str) -> str:
    """Return the last word of a column's path, normal and without a unit."""
    name = split_unit(column)[0]
    return (last_of_path(name) or normal(name)).strip("_")


def path_of(column: str) -> str:
    """Return what stands before the last word of a column's path; empty where there is no path."""
    return re.sub(r"[./]?[^./]*$", "", column.strip())


def _claim(word: str, column: str, unit: str | None) -> Claim | None:
    if word in SYNONYMS:
        return Claim(word, column, 0)
    for rank, table in ((1, SYNONYMS), (2, LATER)):
        for role, words in table.items():
            if word in words or (rank == 2 and word == role):
                return Claim(role, column, rank)
    if word in _TOGETHER:
        return Claim(_TOGETHER[word], column, 2)
    if _TOKENS.fullmatch(word):
        return Claim("tokens", column, 2)
    if word in ("compute", "train_compute", "training_compute") and (unit is None or _is_compute(unit)):
        return Claim("flops", column, 1)
    if (spent := device_time(word)) is not None:
        return Claim("flops", column, 1, spent)
    if match := _FLOPS.fullmatch(word):
        return _flops_claim(column, match)
    return None


def _flops_claim(column: str, match: re.Match[str]) -> Claim:
    said = match["before"] + match["after"]
    convention: Convention | None = None
    if "forward" in said or "fwd" in said:
        convention = "forward"
    elif "train" in said:
        convention = "training"
    return Claim("flops", column, 1, LETTERS[match["unit"][0]] if match["unit"] else 1.0, convention)


def _without_part(word: str) -> list[str]:
    """Return what is left of a word without the part of a model, or ``num``, that stands before."""
    return [word.removeprefix(f"{part}_") for part in _PARTS if word.startswith(f"{part}_")]


def unprefixed(word: str) -> str | None:
    """Return a normal name without the exporter's prefixes, or None if it has none."""
    for prefix in sorted(_PREFIXES, key=len, reverse=True):
        if word.startswith(prefix + "_"):
            rest = word.removeprefix(prefix + "_")
            return unprefixed(rest) or rest
    return None


def last_of_path(name: str) -> str | None:
    """Return the last word of a path (``model.d_ff``, ``model/d_ff``, ``model__d_ff``), or None where there is none."""
    parts = [part for part in _BETWEEN.split(name.strip()) if part.strip()]
    return normal(parts[-1]).strip("_") if len(parts) > 1 else None


def _of_something_else(name: str) -> bool:
    """Return whether a path leads to what is not the model: the width of an image, the heads of an adapter."""
    return any(normal(part) in _NOT_OF_MODELS for part in _BETWEEN.split(name.strip())[:-1])


def _is_of_mlp(name: str) -> bool:
    """Return whether a path leads to a size of the MLP, as ``model.mlp.hidden_dim`` does."""
    before = [part for part in _BETWEEN.split(name.strip()) if part.strip()][-2:-1]
    return bool(before) and normal(before[0]).strip("_") in _OF_MLP


def split_unit(column: str) -> tuple[str, str | None]:
    """Return a header without the unit at its end, in brackets or after a word for it, and that unit."""
    # The harness of language model evaluations adds the name of a filter.
    text = without_formulas(column).strip().rstrip(_TRENDS).rstrip().removesuffix(",none")
    match = _IN_BRACKETS.match(text)
    if match and match["name"]:
        return match["name"], match["unit"].strip()
    match = _IN_THE_MIDDLE.match(text)
    if match and unit_of(match["unit"]).scale != 1.0:
        return f"{match['name']} {match['rest']}", match["unit"].strip()
    # Without brackets only what is counted has a unit behind it.
    for pattern in (_AFTER_SIGN, _AFTER_WORD, _AFTER_COMMA) if _OF_COUNTS.search(normal(text)) else ():
        match = pattern.match(text)
        if match:
            return match["name"], next(unit for name, unit in match.groupdict().items() if name != "name" and unit)
    return text, None


def _is_compute(unit: str) -> bool:
    word = normal(unit)
    return bool(_FLOPS.fullmatch(word) or device_time(word)) or unit_of(unit).scale is not None

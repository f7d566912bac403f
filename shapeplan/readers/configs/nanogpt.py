"""nanoGPT's settings, as a file of assignments, a JSON object, or the ``model_args`` of a checkpoint."""

from __future__ import annotations

import ast
from typing import Any

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.configs.config import Config, Configured

_DEFAULTS = {"n_layer": 12, "n_head": 12, "n_embd": 768, "block_size": 1024, "bias": True, "vocab_size": 50304}
"""Those of ``GPTConfig``; training from scratch sets `bias` to False, but a file that trains says so."""
_TRAINED = {"n_layer", "n_head", "n_embd", "block_size"}


def is_nanogpt(config: Config) -> bool:
    """Return whether a configuration is nanoGPT's."""
    return config.says("block_size") and bool(_TRAINED & config.values.keys() - {"block_size"})


def read_nanogpt(config: Config) -> Configured:
    """Return the GPT of nanoGPT's settings; without `bias` its LayerNorms have none either.

    Raises
    ------
    InputError
        If a setting is no number; ``column`` names it.
    """
    config.must_know(_DEFAULTS)
    known = Config(config.values, config.path, _DEFAULTS)
    width, bias, length = known.number("n_embd"), known.flag("bias"), known.number("block_size")
    settings: dict[str, Any] = {
        **{"width": width, "depth": known.number("n_layer"), "mlp_dim": 4 * width, "heads": known.number("n_head")},
        **{"vocab": known.number("vocab_size"), "seq": length, "positions": length, "tied": True},
        **dict.fromkeys(("qkv_bias", "out_bias", "mlp_bias"), bias),
        "norm": "layernorm" if bias else "layernorm_nobias",
    }
    taken = [f"{name} = {value}" for name, value in _DEFAULTS.items() if not config.says(name)]
    notes = (f"nanoGPT's own where the file says nothing: {', '.join(taken)}",) if taken else ()
    return Configured("gpt2", settings, "nanoGPT's GPT", notes)


def assignments(body: str, name: str) -> dict[str, Any]:
    """Return the plain values that a Python file assigns, such as nanoGPT's ``config/train_gpt2.py``; nothing is run.

    Raises
    ------
    InputError
        If it is no Python.
    """
    try:
        tree = ast.parse(body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise InputError(
            ErrorDetail("bad-python", "is no Python", "give a file of NAME = VALUE lines", name, line)
        ) from None
    found: dict[str, Any] = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.expr() as value):
                _assign(found, target, value, name)
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value):
                _assign(found, target, value, name)
    # What trains has other defaults than the model: no biases, and the vocabulary of its data.
    if found.keys() & _TRAINED:
        found.setdefault("bias", False)
        if found.get("dataset", "openwebtext") != "openwebtext" and "vocab_size" not in found:
            message = f"says no vocab_size, which is that of the dataset {found['dataset']}"
            raise InputError(
                ErrorDetail("missing-key", message, "add vocab_size = N to the file", name, 1, "vocab_size")
            )
    return found


def _assign(found: dict[str, Any], target: str, value: ast.expr, name: str) -> None:
    """Keep a plain value; raise `InputError` where one that counts is computed."""
    try:
        found[target] = ast.literal_eval(value)
    except ValueError:
        if target in _DEFAULTS:
            said = ErrorDetail("not-plain", "is computed", "write its value out", name, value.lineno, target)
            raise InputError(said) from None

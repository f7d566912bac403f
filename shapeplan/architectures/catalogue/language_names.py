"""Names of language models as people write them: owners, tags, quantizations and releases are cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_NAME = re.compile(
    r"(?:hf\.co/)?(?:[\w.-]{1,100}/)?(?P<stem>(?=.*[A-Za-z])[\w .:+-]{1,150}?)(?:@(?P<seq>[0-9]{1,9}))?", re.ASCII
)
_APART = r"[-_.: ]"
_FLOATS = r"bf16|fp16|fp32|f16|f32"
_FORMATS = r"gguf|ggml(?:v3)?|mlx|onnx|unsloth"
_INTEGERS = (
    rf"(?:ud{_APART})?i?q[1-8](?:_(?:[01k]|xx?s|s|m|nl))(?:_(?:xs|s|m|l|xl))?"
    rf"|awq|gptq|bnb|exl[23]|qat|quantized|i1|int[48]|fp[48]|nvfp4|mxfp[48]"
    rf"|[2-8]-?bits?|(?:32|64|128)g|w[48]a(?:4|8|16)|dynamic"
)
_QUANTIZATION = re.compile(rf"{_APART}(?:{_INTEGERS})$", re.IGNORECASE | re.ASCII)
_FORMAT = re.compile(rf"{_APART}(?:{_FLOATS}|{_FORMATS})$", re.IGNORECASE | re.ASCII)
_TUNING = re.compile(rf"{_APART}(?:instruct|chat|it|base|pt|hf|sft|dpo)(?=$|{_APART})", re.IGNORECASE | re.ASCII)
"""Words behind which the shape is the same; a model for which it is not has a record under its whole name."""
_RETAGGED = frozenset({"mistral:7b", "mixtral:8x22b", "command-r:35b"})
"""Tags of Ollama that have meant models of different shapes."""


def language_names(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what a name may mean if it is a language model's, the most literal first.

    Only known words are cut off: any other makes another model of a name, which its record must know.

    Parameters
    ----------
    name : str
        ``meta-llama/Llama-3.1-8B-Instruct``, ``qwen2.5:7b-instruct-q4_K_M``, ``Qwen3-8B-GGUF``, ``llama-3-8b@2048``.

    Yields
    ------
    (str, dict)
        A name for the catalogue, and the settings that were said with it: after ``@`` the sequence length.
    """
    parts = _NAME.fullmatch(name)
    if not parts:
        return
    settings = {"seq": int(parts["seq"])} if parts["seq"] else {}
    plain, _ = _unquantized(parts["stem"])
    tuned, _ = _unquantized(_TUNING.sub("", plain))
    # A record may be of a release itself, with one word more behind it.
    released = [plain[: word.start()] + plain[word.end() :] for word in _TUNING.finditer(plain)]
    for stem in dict.fromkeys((parts["stem"], plain, *released, tuned)):
        if stem.lower() not in _RETAGGED:
            yield stem.replace(":", "-").replace("+", "-plus"), settings


def is_quantized(name: str) -> bool:
    """Return whether a name says that the weights were rounded to few bits."""
    parts = _NAME.fullmatch(name)
    return parts is not None and _unquantized(parts["stem"])[1]


def _unquantized(stem: str) -> tuple[str, bool]:
    """Return a name without the formats of files and numbers at its end, and whether these were a quantization's."""
    quantized = False
    while True:
        cut = _QUANTIZATION.sub("", stem)
        quantized = quantized or cut != stem
        cut = _FORMAT.sub("", cut)
        if cut == stem:
            return stem, quantized
        stem = cut

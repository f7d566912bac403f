"""nanoGPT: a file of assignments, as in its ``config/``."""

from __future__ import annotations

from typing import Any

from shapeplan import codes
from shapeplan.architectures import Decoder
from shapeplan.documents.configs.library import Library, Shape
from shapeplan.documents.configs.python_text import assignments
from shapeplan.errors import Caution


def _nanogpt(shape: Shape) -> str:
    values: dict[str, Any] = {"n_layer": shape.depth, "n_head": shape.heads, "n_embd": shape.width}
    if decoder := shape.decoder:
        values |= {"block_size": decoder.seq}
    return f"# {shape.title}\n{assignments(values)}"


def _misses(shape: Shape) -> tuple[Caution, ...]:
    if shape.mlp_dim == 4 * shape.width:
        return ()
    message = f"nanoGPT's MLP is 4 times the width, {4 * shape.width}, where this shape has {shape.mlp_dim}"
    hint = "change MLP in its model.py, or tie mlp_dim in the sweep"
    return (Caution(codes.EXPORT_DIFFERS, message, hint),)


NANOGPT = Library(_nanogpt, Decoder, frozenset({"seq"}), {"vocab": 50304}, _misses)

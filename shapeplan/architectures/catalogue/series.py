"""Series of language models: what the sizes of one release share is written once, and a size is a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shapeplan.architectures.catalogue.record import NamedModel

_NOTHING: Mapping[str, Any] = {}


class Size(NamedTuple):
    """One model of a series.

    Attributes
    ----------
    name : str
        As people write it.
    width, depth, mlp_dim, heads : int
        Its shape; for a mixture without dense layers, the size of an expert stands for `mlp_dim`.
    kv_heads : int
        Key and value heads; 0 for as many as heads.
    aliases : str
        Other names, with blanks between them.
    own : mapping of str to value
        Settings that the series does not share.
    note : str
        What a reader of the count must know.
    """

    name: str
    width: int
    depth: int
    mlp_dim: int
    heads: int
    kv_heads: int = 0
    aliases: str = ""
    own: Mapping[str, Any] = _NOTHING
    note: str = ""


def series(family: str, source: str, shared: Mapping[str, Any], *sizes: Size) -> tuple[NamedModel, ...]:
    """Return the records of one release.

    Parameters
    ----------
    family : str
        A name of `FAMILIES`.
    source : str
        Where the configurations are published.
    shared : mapping of str to value
        Settings of all sizes; embeddings are two tables unless ``tied`` is among them.
    *sizes : Size
        The models.
    """
    return tuple(_record(family, source, shared, size) for size in sizes)


def _record(family: str, source: str, shared: Mapping[str, Any], size: Size) -> NamedModel:
    shape = {"width": size.width, "depth": size.depth, "mlp_dim": size.mlp_dim, "heads": size.heads}
    settings = {**shape, "tied": False, **shared, **size.own}
    # What follows from the rest is left out, so that a model may be changed in one thing and still be one.
    if size.kv_heads not in (0, size.heads):
        settings["kv_heads"] = size.kv_heads
    if settings.get("head_dim", 0) * size.heads == size.width:
        del settings["head_dim"]
    return NamedModel(size.name, family, settings, source, tuple(size.aliases.split()), size.note)

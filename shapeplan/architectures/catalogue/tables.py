"""Names of models that libraries build, in tables written by ``tests/studies``: read when a name is asked for.

A row has a name, its tags (what may stand behind a dot) or aliases, settings of the family ``vit`` that differ from its
defaults, and the counts of the built model. A name stands in several rows if its tags build several models; without a
tag, it is that of the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from shapeplan.architectures.architecture import FAMILIES
from shapeplan.architectures.catalogue.record import NamedModel
from shapeplan.architectures.settings import parse

_FAMILY = FAMILIES["vit"]
_HUB = re.compile(r"^(?:hf[-_]hub:|https://huggingface\.co/)")
_LONE_G = re.compile(r"(?<![A-Za-z])G(?![A-Za-z])")


@dataclass(frozen=True)
class Table:
    """Models of one library.

    Attributes
    ----------
    whose : str
        The library.
    file : str
        The table, beside this file.
    source : str
        What the models are, and by which version they were built.
    owner : str
        Who owns its names on the hub, if one owner does.
    """

    whose: str
    file: str
    source: str
    owner: str = ""


TABLES = (
    Table("timm", "timm.csv", "timm 1.0.31", "timm/"),
    Table("open_clip", "open_clip.csv", "open_clip 3.3.0, image tower with its projection", "timm/"),
    Table("torchvision", "torchvision.csv", "torchvision 0.29.1, models.vision_transformer"),
    Table("transformers", "transformers.csv", "transformers 5.24.0 by the model's config.json"),
)


def built_by_a_library(name: str) -> NamedModel | None:
    """Return the record of a name as a library or the hub writes it; only case does not matter."""
    return _records().get(_literal(name))


def library_records() -> Mapping[str, NamedModel]:
    """Return every record of the tables by its names, as they are looked up."""
    return MappingProxyType(_records())


@cache
def _records() -> dict[str, NamedModel]:
    records: dict[str, NamedModel] = {}
    for table in TABLES:
        for record in _read(table):
            for name in (record.name, *record.aliases):
                records.setdefault(_literal(name), record)
    return records


def _read(table: Table) -> Iterator[NamedModel]:
    header, *lines = Path(__file__).with_name(table.file).read_text(encoding="utf-8").splitlines()
    columns = header.split(",")
    seen: set[str] = set()
    for line in lines:
        cells = {column: cell for column, cell in zip(columns, line.split(","), strict=True) if cell}
        yield _record(table, cells, bare=cells["name"] not in seen)
        seen.add(cells["name"])


def _record(table: Table, cells: Mapping[str, str], *, bare: bool) -> NamedModel:
    """Return the record of a row; `bare` if the name without a tag is this row."""
    name = cells["name"]
    tags = [f"{name}.{tag}" for tag in cells.get("tags", "").split()]
    names = [*([name] if bare else []), *tags, *cells.get("aliases", "").split()]
    names += [table.owner + each for each in names if table.owner and "/" not in each]
    settings = {column: parse(setting, cells[column]) for column, setting in _FAMILY.fields.items() if column in cells}
    note = cells.get("note", "").replace(";", ",")
    return NamedModel(names[0], _FAMILY.name, settings, table.source, tuple(names[1:]), note, table.whose)


def _literal(name: str) -> str:
    """Return a name as it is compared: in lower case, but for a G of its own, and without the hub's prefix."""
    return _LONE_G.sub("G!", _HUB.sub("", name)).lower()

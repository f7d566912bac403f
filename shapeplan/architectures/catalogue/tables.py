"""Names of models that libraries build, in tables written by ``tests/studies``: read when a name is asked for.

A row has a name, its tags (what may stand behind a dot) or aliases, settings of the family ``vit`` that differ from its
defaults, and the counts of the built model. A name stands in several rows if its tags build several models; without a
tag, it is that of the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path

from shapeplan.architectures.catalogue.record import NamedModel
from shapeplan.architectures.families import FAMILIES
from shapeplan.architectures.settings import parse
from shapeplan.frozen import frozen

_FAMILY = FAMILIES["vit"]
_HUB = re.compile(r"^(?:hf[-_]hub:|https://huggingface\.co/)")
_LONE_G = re.compile(r"(?<![A-Za-z])G(?![A-Za-z])")


@frozen
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
    Table("open_clip", "open_clip.csv", "open_clip 3.3.0, image tower with its projection"),
    Table("torchvision", "torchvision.csv", "torchvision 0.29.1, models.vision_transformer"),
    Table("transformers", "transformers.csv", "transformers 5.24.0 by the model's config.json"),
)


@frozen
class _Row:
    """A row of a table as it stands there; settings are read when its record is asked for."""

    table: Table
    cells: Mapping[str, str]
    names: tuple[str, ...]

    @cached_property
    def record(self) -> NamedModel:
        settings = {
            column: parse(setting, self.cells[column])
            for column, setting in _FAMILY.fields.items()
            if column in self.cells
        }
        note = self.cells.get("note", "").replace(";", ",")
        name, *aliases = self.names
        return NamedModel(name, _FAMILY.name, settings, self.table.source, tuple(aliases), note, self.table.whose)


def built_by_a_library(name: str) -> NamedModel | None:
    """Return the record of a name as a library or the hub writes it; only case does not matter."""
    row = _rows().get(literal(name))
    return row.record if row else None


def library_names() -> list[str]:
    """Return the first name of every row."""
    return list(dict.fromkeys(row.names[0] for row in _rows().values()))


def library_records() -> list[NamedModel]:
    """Return the record of every row."""
    return [row.record for row in {id(row): row for row in _rows().values()}.values()]


@cache
def _rows() -> dict[str, _Row]:
    """Return every row by its names, as they are compared; the model's own name goes before another's alias."""
    rows: dict[str, _Row] = {}
    for table in TABLES:
        found = list(_read(table))
        for names in ([row.names[:1] for row in found], [row.names[1:] for row in found]):
            for row, some in zip(found, names, strict=True):
                for name in some:
                    rows.setdefault(literal(name), row)
    return rows


def _read(table: Table) -> Iterator[_Row]:
    header, *lines = Path(__file__).with_name(table.file).read_text(encoding="utf-8").splitlines()
    columns = header.split(",")
    before = ""
    for line in lines:
        cells = {column: cell for column, cell in zip(columns, line.split(","), strict=True) if cell}
        yield _Row(table, cells, tuple(_names(table, cells, bare=cells["name"] != before)))
        before = cells["name"]


def _names(table: Table, cells: Mapping[str, str], *, bare: bool) -> Iterator[str]:
    """Yield the names of a row: without a tag if it is the first of that name, with its tags, and with owners."""
    name = cells["name"]
    names = [*([name] if bare else []), *(f"{name}.{tag}" for tag in cells.get("tags", "").split())]
    names += cells.get("aliases", "").split()
    for each in names:
        yield each
        owner, slash, rest = each.partition("/")
        if slash:
            yield rest
        elif table.owner:
            yield table.owner + owner


def literal(name: str) -> str:
    """Return a name as it is compared: in lower case, but for a G of its own, and without the hub's prefix."""
    return _LONE_G.sub("G!", _HUB.sub("", name)).lower()

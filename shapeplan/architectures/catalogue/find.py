"""From a name as people write it to a record of the catalogue."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from shapeplan.architectures.catalogue.decoders import DECODERS
from shapeplan.architectures.catalogue.record import Counted, NamedModel
from shapeplan.architectures.catalogue.tables import built_by_a_library, library_names, library_records, literal
from shapeplan.architectures.catalogue.vits import VITS
from shapeplan.errors import ArgumentError, ErrorDetail

CATALOGUE: dict[str, NamedModel] = {record.name: record for record in (*VITS, *DECODERS)}
"""Models of papers and their repositories, by name; those that libraries build are in `tables`."""

_SIZE = re.compile(r"(?:@|[-_ ]r?)([0-9]{3,4})(?:px)?$")
_PATCH = re.compile(r"/(\d{1,2})(?=$|[-_ ])")
_NAME = re.compile(r"[\w ./@()+:-]{1,200}")
_OWNER = re.compile(r"^[\w.-]+/(?=[\w.-]*[A-Za-z]{2})")
_RELEASE = re.compile(r"[-_](?:hf|instruct|base|it|pt|chat|deduped)(?=$|[-_])", re.IGNORECASE)


def find_model(name: str) -> tuple[NamedModel, dict[str, Any]]:
    """Return the record behind a name, and the settings that the name itself changes.

    Parameters
    ----------
    name : str
        ``SoViT-400m/14``, ``ViT-L/16@384``, ``llama-3-8b``: case, ``-``, ``_`` and blanks do not matter, but for
        ``ViT-g`` (giant) and ``ViT-G`` (gigantic). Or as a library or the hub has it, where all but case matters:
        ``vit_so400m_patch14_siglip_224.webli``, ``ViT-B-16`` (open_clip), ``vit_b_16`` (torchvision),
        ``google/siglip-so400m-patch14-384``. After ``@`` stands the side of the image, or a decoder's sequence length.

    Raises
    ------
    ArgumentError
        If there is no such model; the hint names the nearest.
    """
    # Tables of libraries are read only for names that are not in the catalogue as they stand.
    as_it_stands = literal(name.partition("@")[0]) in _LITERAL
    found = (None if as_it_stands else _of_library(name)) or _of_paper(name)
    if found:
        return found
    raise ArgumentError(
        ErrorDetail("unknown-model", f"there is no model {name[:60]!r} in the catalogue", _near(name), value=name)
    )


def models_with(words: Sequence[str]) -> list[NamedModel]:
    """Return the records whose name or other names hold one of the words; without words, those of `CATALOGUE`.

    Raises
    ------
    ArgumentError
        If no name holds any.
    """

    def holds(record: NamedModel) -> bool:
        names = " ".join((record.name, *record.aliases)).lower()
        return any(word.lower() in names for word in words)

    if not words:
        return list(CATALOGUE.values())
    found = [record for record in (*CATALOGUE.values(), *library_records()) if holds(record)]
    if not found:
        message = f"no name of the catalogue holds {' or '.join(map(repr, words))}"
        raise ArgumentError(ErrorDetail("unknown-model", message, "`shapeplan flops --list` shows all names"))
    return found


def named(name: str, **changes: Any) -> Counted:
    """Return a model of the catalogue, with settings changed: ``named("SoViT-400m/14", image=518)``.

    Raises
    ------
    ArgumentError
        If there is no such model.
    InputError
        If a change cannot be.
    """
    record, said = find_model(name)
    # A name that says 384 is no name for 224.
    shown = record.name if said.keys() & changes.keys() else name
    model = record.model(**{**said, **changes})
    return Counted(shown, model, record.family, record.source, record.note, record.name, record.whose)


def _of_library(name: str) -> tuple[NamedModel, dict[str, Any]] | None:
    """Return the record of a name in the tables, and the image after an ``@``."""
    stem, at, size = name.partition("@")
    record = built_by_a_library(stem)
    if record is None:
        return None
    if not at:
        return record, {}
    sides = re.fullmatch(r"([0-9]{1,9})(?:x([0-9]{1,9}))?(?:px)?", size)
    if not sides:
        return None
    return record, {"image": (int(sides[1]), int(sides[2])) if sides[2] else int(sides[1])}


def _of_paper(name: str) -> tuple[NamedModel, dict[str, Any]] | None:
    """Return the record of a name in `CATALOGUE`, and what was cut off it."""
    for stem, changes in _readings(name) if _NAME.fullmatch(name) else ():
        record = _RECORDS.get(_key(stem))
        if record is None:
            continue
        if record.family != "vit" and changes.keys() <= {"seq"}:
            return record, changes
        # Others' models of vision, and their releases, may be built otherwise.
        if record.family == "vit" and changes.keys() <= {"image", "patch"} and stem in _stems(name):
            return record, changes
    return None


def _near(name: str) -> str:
    known = {_key(each): each for each in library_names()} | {key: record.name for key, record in _RECORDS.items()}
    close = difflib.get_close_matches(_key(name), known, n=3, cutoff=0.6)
    near = ", ".join(dict.fromkeys(known[key] for key in close))
    return (f"did you mean {near}? " if near else "") + "`shapeplan flops --list` shows all names"


def _stems(name: str) -> set[str]:
    """Return the readings of a name as it is, without an owner or a release cut off."""
    return {stem for stem, _ in _cut(name)}


def _readings(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what a name may mean, the most literal first: stems, and the settings that were cut off them."""
    for text in dict.fromkeys((name, _OWNER.sub("", name), _RELEASE.sub("", _OWNER.sub("", name)))):
        yield from _cut(text)


def _cut(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield text, {}
    stem, at, size = text.partition("@")
    if at and (sides := re.fullmatch(r"([0-9]{1,9})(?:x([0-9]{1,9}))?", size)):
        yield stem, {"image": (int(sides[1]), int(sides[2]))} if sides[2] else {"seq": int(size)}
    sized = _SIZE.search(text)
    image = {"image": int(sized[1])} if sized else {}
    stem = text[: sized.start()] if sized else text
    yield stem, image
    patched = _PATCH.search(stem)
    if patched:
        yield stem[: patched.start()] + stem[patched.end() :], {**image, "patch": int(patched[1])}


def _key(name: str) -> str:
    """Return a name without case and separators; but G is no g, 3-8b is no 38b, and @, + and / stay."""
    name = re.sub(r"[A-Za-z]+", lambda word: word[0] if word[0] == "G" else word[0].lower(), name)
    name = re.sub(r"(?<=\d)[\W_]+(?=\d)", "~", name)
    return re.sub(r"[^\w~@/+]|_", "", name)


_RECORDS: dict[str, NamedModel] = {}
for _record in CATALOGUE.values():
    for _name in (_record.name, *_record.aliases):
        _RECORDS.setdefault(_key(_name), _record)
_LITERAL = {literal(name) for record in CATALOGUE.values() for name in (record.name, *record.aliases)}

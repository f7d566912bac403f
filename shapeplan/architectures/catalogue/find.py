"""From a name as people write it to a record of the catalogue."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from shapeplan.architectures.catalogue.record import Counted, NamedModel
from shapeplan.architectures.catalogue.tables import built_by_a_library, library_names, library_records, literal
from shapeplan.errors import ArgumentError, ErrorDetail

_SIZE = re.compile(r"(?:@|[-_ ]r?)([0-9]{3,4})(?:px)?$")
_PATCH = re.compile(r"/(\d{1,2})(?=$|[-_ ])")
_NAME = re.compile(r"[\w ./@()+:-]{1,200}")
_SIDES = re.compile(r"([0-9]{1,9})(?:x([0-9]{1,9}))?(?:px)?")
_WORD = re.compile(r"[A-Za-z]+")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\W_]+(?=\d)")
_APART = re.compile(r"[^\w~@/+]|_")
_QUANTIZED = "parameters are counted as before quantization"

Found = tuple[NamedModel, dict[str, Any]]


def find_model(name: str) -> Found:
    """Return the record behind a name, and the settings that the name itself changes.

    Parameters
    ----------
    name : str
        ``SoViT-400m/14``, ``ViT-L/16@384``, ``llama-3-8b``, ``Qwen/Qwen3-8B-AWQ``, ``qwen2.5:7b-instruct-q4_K_M``:
        case, ``-``, ``_`` and blanks do not matter, but for ``ViT-g`` (giant) and ``ViT-G`` (gigantic). Or as a library
        of vision or its hub has it, where all but case matters: ``vit_so400m_patch14_siglip_224.webli``, ``ViT-B-16``
        (open_clip), ``vit_b_16`` (torchvision), ``google/siglip-so400m-patch14-384``. After ``@`` stands the side of
        the image, or a decoder's sequence length.

    Raises
    ------
    ArgumentError
        If there is no such model; the hint names the nearest.
    """
    # Each is tried only where those before know nothing of the name, so that little is loaded.
    if not isinstance(name, str):
        message = f"a model cannot be named by {type(name).__name__}"
        raise ArgumentError(ErrorDetail("wrong-type", message, "give e.g. 'SoViT-400m/14'"))
    found = _as_it_stands(name) or _of_language(name) or _of_library(name) or _of_paper(name)
    if found:
        return found
    raise ArgumentError(
        ErrorDetail("unknown-model", f"there is no model {name[:60]!r} in the catalogue", _near(name), value=name)
    )


def models_with(words: Sequence[str]) -> list[NamedModel]:
    """Return the records whose name or other names hold one of the words; without words, those of `catalogue`.

    Raises
    ------
    ArgumentError
        If no name holds any.
    """

    def holds(record: NamedModel) -> bool:
        names = " ".join((record.name, *record.aliases)).lower()
        return any(word.lower() in names for word in words)

    if not words:
        return list(catalogue().values())
    found = [record for record in (*catalogue().values(), *library_records()) if holds(record)]
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
    note = record.note
    if _is_quantized(name, record):
        note = f"{note}; {_QUANTIZED}" if note else _QUANTIZED
    model = record.model(**{**said, **changes})
    return Counted(shown, model, record.family, record.source, note, record.name, record.whose)


@cache
def catalogue() -> dict[str, NamedModel]:
    """Return the models of papers and their repositories, by name; those that libraries build are in `tables`."""
    return {record.name: record for record in (*_vision().values(), *_language().values())}


@cache
def _vision() -> dict[str, NamedModel]:
    """Return the records of image models by the keys of their names."""
    from shapeplan.architectures.catalogue.dits import DITS
    from shapeplan.architectures.catalogue.vits import VITS

    return _by_key((*VITS, *DITS))


@cache
def _language() -> dict[str, NamedModel]:
    """Return the records of language models by the keys of their names."""
    from shapeplan.architectures.catalogue.decoders import DECODERS
    from shapeplan.architectures.catalogue.encoders import ENCODER_DECODERS, ENCODERS
    from shapeplan.architectures.catalogue.mixtures import MIXTURES

    return _by_key((*DECODERS, *MIXTURES, *ENCODERS, *ENCODER_DECODERS))


def _by_key(records: Iterable[NamedModel]) -> dict[str, NamedModel]:
    found: dict[str, NamedModel] = {}
    for record in records:
        for name in (record.name, *record.aliases):
            found.setdefault(_key(name), record)
    return found


def _as_it_stands(name: str) -> Found | None:
    """Return the record of an image model's name in a paper, with the image after an ``@``."""
    stem, at, size = name.partition("@")
    return _with_image(_literally().get(literal(stem)), at, size)


@cache
def _literally() -> dict[str, NamedModel]:
    """Return the records of image models by their names as they are compared with those of libraries."""
    return {literal(name): record for record in _vision().values() for name in (record.name, *record.aliases)}


def _of_language(name: str) -> Found | None:
    """Return the record of a language model, whatever its owner, release and quantization."""
    # Its patterns take as long to compile as an image model to count.
    from shapeplan.architectures.catalogue.language_names import language_names

    for stem, changes in language_names(name):
        record = _language().get(_key(stem))
        if record:
            return record, changes
    return None


def _is_quantized(name: str, record: NamedModel) -> bool:
    """Return whether the name of a language model says that its weights were rounded."""
    if record.family == "vit":
        return False
    from shapeplan.architectures.catalogue.language_names import is_quantized

    return is_quantized(name)


def _of_library(name: str) -> Found | None:
    """Return the record of a name in the tables, with the image after an ``@``."""
    stem, at, size = name.partition("@")
    return _with_image(built_by_a_library(stem), at, size)


def _of_paper(name: str) -> Found | None:
    """Return the record of an image model's name in a paper, with the patch and the image that it may end in."""
    for stem, changes in _readings(name) if _NAME.fullmatch(name) else ():
        record = _vision().get(_key(stem))
        if record and (record.family == "vit" or not changes):
            return record, changes
    return None


def _with_image(record: NamedModel | None, at: str, size: str) -> Found | None:
    if record is None or not at:
        return (record, {}) if record else None
    sides = _SIDES.fullmatch(size)
    # What a diffusion transformer sees are latents, smaller than the image that a name says.
    if not sides or record.family != "vit":
        return None
    return record, {"image": (int(sides[1]), int(sides[2])) if sides[2] else int(sides[1])}


def _readings(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what an image model's name may mean: stems, and the settings that were cut off them."""
    sized = _SIZE.search(name)
    image = {"image": int(sized[1])} if sized else {}
    stem = name[: sized.start()] if sized else name
    yield stem, image
    patched = _PATCH.search(stem)
    if patched:
        yield stem[: patched.start()] + stem[patched.end() :], {**image, "patch": int(patched[1])}


def _near(name: str) -> str:
    """Return the hint for a name that is not known: the names that are nearest, and where all of them are."""
    from shapeplan.architectures.catalogue.language_names import language_names

    language = {key: record.name for key, record in _language().items()}
    images = {key: record.name for key, record in _vision().items()}
    known: Mapping[str, str] = {**{_key(each): each for each in library_names()}, **images, **language}
    # Without owner and release a language model's name is nearer to what it should be.
    stem = [name, *(stem for stem, _ in language_names(name))][-1]
    close = difflib.get_close_matches(_key(stem), language, n=3, cutoff=0.6) if stem != name else []
    close = [*difflib.get_close_matches(_key(name), known, n=3, cutoff=0.6), *close]
    near = ", ".join(dict.fromkeys(known[key] for key in close))
    more = "`shapeplan flops --list` shows names, with a word of it those of libraries too"
    return (f"did you mean {near}? " if near else "") + more


def _key(name: str) -> str:
    """Return a name without case and separators; but G is no g, 3-8b is no 38b, and @, + and / stay."""
    if not name.islower():
        name = _WORD.sub(lambda word: word[0] if word[0] == "G" else word[0].lower(), name)
    return _APART.sub("", _BETWEEN_DIGITS.sub("~", name))

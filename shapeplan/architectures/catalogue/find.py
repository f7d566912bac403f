"""From a name as people write it to a record of the catalogue."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from shapeplan.architectures.catalogue.decoders import DECODERS
from shapeplan.architectures.catalogue.language_names import is_quantized, language_names
from shapeplan.architectures.catalogue.mixtures import MIXTURES
from shapeplan.architectures.catalogue.record import Counted, NamedModel
from shapeplan.architectures.catalogue.vits import VITS
from shapeplan.errors import ArgumentError, ErrorDetail

CATALOGUE: dict[str, NamedModel] = {record.name: record for record in (*VITS, *DECODERS, *MIXTURES)}
"""Every named model, by its name."""
_LANGUAGE = frozenset(record.name for record in (*DECODERS, *MIXTURES))

_SIZE = re.compile(r"(?:@|[-_ ]r?)([0-9]{3,4})(?:px)?$")
_PATCH = re.compile(r"/(\d{1,2})(?=$|[-_ ])|[-_ ]?patch(\d{1,2})(?=$|[-_ ])|[-_](\d{1,2})(?=$|[-_ ])")
_TAG = re.compile(r"\.(?:\w*_in1k|webli|webli_i18n|v2_webli|lvd142m)$")
"""Tags of timm's weights behind which the model is the same; others change the classifier."""
_NAME = re.compile(r"[\w ./@()+-]{1,200}")
_OWNER = re.compile(r"^[\w.-]+/(?=[\w.-]*[A-Za-z]{2})")
_WORD = re.compile(r"[A-Za-z]+")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\W_]+(?=\d)")
_APART = re.compile(r"[^\w~@]|_")
_QUANTIZED = "parameters are counted as before quantization"


def find_model(name: str) -> tuple[NamedModel, dict[str, Any]]:
    """Return the record behind a name, and the settings that the name itself changes.

    Parameters
    ----------
    name : str
        ``SoViT-400m/14``, ``ViT-L/16@384``, ``vit_so400m_patch14_siglip_224``, ``llama-3-8b``,
        ``google/siglip-so400m-patch14-384``, ``qwen2.5:7b-instruct-q4_K_M``. Case, ``-``, ``_`` and blanks do not
        matter, but for ``ViT-g`` (giant) and ``ViT-G`` (gigantic). After ``@`` stands the side of the image, or a
        decoder's sequence length.

    Raises
    ------
    ArgumentError
        If there is no such model; the hint names the nearest.
    """
    for stem, changes in _readings(name) if _NAME.fullmatch(name) else ():
        record = _RECORDS.get(_key(stem))
        if record and record.name not in _LANGUAGE and changes.keys() <= {"image", "patch"}:
            return record, changes
    for stem, changes in language_names(name):
        record = _RECORDS.get(_key(stem))
        if record and record.name in _LANGUAGE:
            return record, changes
    near = ", ".join(_near(name))
    hint = (f"did you mean {near}? " if near else "") + "`shapeplan flops --list` shows all names"
    raise ArgumentError(
        ErrorDetail("unknown-model", f"there is no model {name[:60]!r} in the catalogue", hint, value=name)
    )


def _near(name: str) -> list[str]:
    """Return the names of the records whose names are nearest."""
    stem = [name, *(stem for stem, _ in language_names(name))][-1]
    close = difflib.get_close_matches(_key(stem), _RECORDS, n=3, cutoff=0.6)
    return list(dict.fromkeys(_RECORDS[key].name for key in close))


def models_with(words: Sequence[str]) -> list[NamedModel]:
    """Return the records whose name or other names hold one of the words, or all if there are none.

    Raises
    ------
    ArgumentError
        If no name holds any.
    """

    def holds(record: NamedModel) -> bool:
        names = " ".join((record.name, *record.aliases)).lower()
        return not words or any(word.lower() in names for word in words)

    found = [record for record in CATALOGUE.values() if holds(record)]
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
    if record.name in _LANGUAGE and is_quantized(name):
        note = f"{note}; {_QUANTIZED}" if note else _QUANTIZED
    return Counted(shown, record.model(**{**said, **changes}), record.family, record.source, note, record.name)


def _readings(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what a name may mean, the most literal first: stems, and the settings that were cut off them."""
    for text in dict.fromkeys((name, _TAG.sub("", name), _OWNER.sub("", name))):
        yield text, {}
        stem, at, size = text.partition("@")
        if at and (sides := re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})", size)):
            yield stem, {"image": (int(sides[1]), int(sides[2]))}
        sized = _SIZE.search(text)
        image = {"image": int(sized[1])} if sized else {}
        stem = text[: sized.start()] if sized else text
        yield stem, image
        patched = _PATCH.search(stem)
        if patched:
            patch = next(group for group in patched.groups() if group)
            yield stem[: patched.start()] + stem[patched.end() :], {**image, "patch": int(patch)}


def _key(name: str) -> str:
    """Return a name without case and separators; but G is no g, 3-8b is no 38b, and @ stays."""
    if not name.islower():
        name = _WORD.sub(lambda word: word[0] if word[0] == "G" else word[0].lower(), name)
    return _APART.sub("", _BETWEEN_DIGITS.sub("~", name))


_RECORDS: dict[str, NamedModel] = {}
for _record in CATALOGUE.values():
    for _name in (_record.name, *_record.aliases):
        _RECORDS.setdefault(_key(_name), _record)

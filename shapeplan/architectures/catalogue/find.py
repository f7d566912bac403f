"""From a name as people write it to a record of the catalogue."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from shapeplan.architectures.catalogue.decoders import DECODERS
from shapeplan.architectures.catalogue.dits import DITS
from shapeplan.architectures.catalogue.encoders import ENCODER_DECODERS, ENCODERS
from shapeplan.architectures.catalogue.record import Counted, NamedModel
from shapeplan.architectures.catalogue.vits import VITS
from shapeplan.errors import ArgumentError, ErrorDetail

CATALOGUE: dict[str, NamedModel] = {
    record.name: record for record in (*VITS, *DECODERS, *ENCODERS, *ENCODER_DECODERS, *DITS)
}
"""Every named model, by its name."""

_SIZE = re.compile(r"(?:@|[-_ ]r?)([0-9]{3,4})(?:px)?$")
_PATCH = re.compile(r"/(\d{1,2})(?=$|[-_ ])|[-_ ]?patch(\d{1,2})(?=$|[-_ ])|[-_](\d{1,2})(?=$|[-_ ])")
_TAG = re.compile(r"\.(?:\w*_in1k|webli|webli_i18n|v2_webli|lvd142m)$")
"""Tags of timm's weights behind which the model is the same; others change the classifier."""
_NAME = re.compile(r"[\w ./@()+-]{1,200}")
_OWNER = re.compile(r"^[\w.-]+/(?=[\w.-]*[A-Za-z]{2})")
_RELEASE = re.compile(r"[-_](?:hf|instruct|base|it|pt|chat|deduped)(?=$|[-_])", re.IGNORECASE)


def find_model(name: str) -> tuple[NamedModel, dict[str, Any]]:
    """Return the record behind a name, and the settings that the name itself changes.

    Parameters
    ----------
    name : str
        ``SoViT-400m/14``, ``ViT-L/16@384``, ``vit_so400m_patch14_siglip_224``, ``llama-3-8b``,
        ``google/siglip-so400m-patch14-384``. Case, ``-``, ``_`` and blanks do not matter, but for ``ViT-g`` (giant) and
        ``ViT-G`` (gigantic). After ``@`` stands the side of the image, or a decoder's sequence length.

    Raises
    ------
    ArgumentError
        If there is no such model; the hint names the nearest.
    """
    for stem, changes in _readings(name) if _NAME.fullmatch(name) else ():
        record = _RECORDS.get(_key(stem))
        if record and changes.keys() <= ({"image", "patch"} if record.family == "vit" else {"seq"}):
            return record, changes
    close = difflib.get_close_matches(_key(name), _RECORDS, n=3, cutoff=0.6)
    near = ", ".join(dict.fromkeys(_RECORDS[key].name for key in close))
    hint = (f"did you mean {near}? " if near else "") + "`shapeplan flops --list` shows all names"
    raise ArgumentError(
        ErrorDetail("unknown-model", f"there is no model {name[:60]!r} in the catalogue", hint, value=name)
    )


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
    return Counted(shown, record.model(**{**said, **changes}), record.family, record.source, record.note, record.name)


def _readings(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what a name may mean, the most literal first: stems, and the settings that were cut off them."""
    for text in dict.fromkeys((name, _TAG.sub("", name), _OWNER.sub("", name), _RELEASE.sub("", _OWNER.sub("", name)))):
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
            patch = next(group for group in patched.groups() if group)
            yield stem[: patched.start()] + stem[patched.end() :], {**image, "patch": int(patch)}


def _key(name: str) -> str:
    """Return a name without case and separators; but G is no g, 3-8b is no 38b, and @ stays."""
    name = re.sub(r"[A-Za-z]+", lambda word: word[0] if word[0] == "G" else word[0].lower(), name)
    name = re.sub(r"(?<=\d)[\W_]+(?=\d)", "~", name)
    return re.sub(r"[^\w~@]|_", "", name)


_RECORDS: dict[str, NamedModel] = {}
for _record in CATALOGUE.values():
    for _name in (_record.name, *_record.aliases):
        _RECORDS.setdefault(_key(_name), _record)

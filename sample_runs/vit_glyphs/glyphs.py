"""The classes, and a picture of each in every face: what images are made of."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from fonts import TRAINED, VALIDATION, Face, faces
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 40
"""Of the picture of a glyph, in pixels; its ink fills the middle, the longer side INK pixels."""
INK = 32
CLASSES, HELD_OUT = 1000, 200
"""Classes that are trained, and others that only the 10-shot error sees."""
ALIKE = 0.85
"""Two characters whose pictures correlate more are one: the later one is dropped."""
FACES_AT_MOST = 12
"""Of a class; more are thinned evenly, so that letters are not drawn in ten times more faces than ideographs."""
ALPHABETS = (
    *((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A), (0x391, 0x3A9), (0x3B1, 0x3C9), (0x410, 0x44F)),
    *((0x905, 0x939), (0x985, 0x9B9), (0xA05, 0xA39), (0xA85, 0xAB9), (0xB85, 0xBB9), (0xC05, 0xC39)),
    *((0xC85, 0xCB9), (0xD05, 0xD39), (0x3042, 0x3093), (0x30A2, 0x30F3)),
)
"""Digits, Latin, Greek, Cyrillic; Devanagari, Bengali, Gurmukhi, Gujarati, Tamil, Telugu, Kannada, Malayalam; kana."""
HANGUL = 150
"""Syllables, spread evenly over all. The other classes are ideographs that Chinese and Japanese standards share."""


@dataclass(frozen=True)
class Pool:
    """Pictures of the classes.

    Attributes
    ----------
    trained : int
        How many of the classes are trained; those after them are held out.
    characters : tuple of str
        A class each.
    pictures : ndarray of uint8, shape (glyphs, SIDE, SIDE)
        Ink.
    first, count : ndarray of int, shape (2, classes)
        Where the pictures of a class begin, and how many there are: in the faces trained on, and in those held out.
    """

    trained: int
    characters: tuple[str, ...]
    pictures: NDArray[np.uint8]
    first: NDArray[np.int64]
    count: NDArray[np.int64]


def read_pool(classes: int = CLASSES, held_out: int = HELD_OUT) -> Pool:
    """Draw the pool from the fonts of the packages.

    Raises
    ------
    fonts.FontsError
        If a package is not installed.
    ValueError
        If fewer characters than asked have two faces to train on and one to validate on.
    """
    return draw_pool(faces(TRAINED), faces(VALIDATION), candidates(), classes, held_out)


def draw_pool(
    trained: Sequence[Face], validation: Sequence[Face], characters: Iterable[str], classes: int, held_out: int
) -> Pool:
    """Draw the first characters that every kind of face has and that look like none before, in all faces.

    The classes held out are spread evenly over the characters.
    """
    kept = list(_distinct(trained, validation, characters, classes + held_out))
    if len(kept) < classes + held_out:
        raise ValueError(f"{len(kept)} characters have faces to train and to validate on, not {classes + held_out}")
    aside = set(np.linspace(0, len(kept) - 1, held_out).astype(int).tolist())
    order = [c for i, c in enumerate(kept) if i not in aside] + [kept[i] for i in sorted(aside)]
    pictures: list[NDArray[np.uint8]] = []
    first, count = np.zeros((2, len(order)), int), np.zeros((2, len(order)), int)
    for group, found in enumerate((trained, validation)):
        for i, character in enumerate(order):
            first[group, i] = len(pictures)
            pictures += _thinned(list(_pictures(found, character)))
            count[group, i] = len(pictures) - first[group, i]
    return Pool(classes, tuple(order), np.stack(pictures), first, count)


def candidates() -> Iterator[str]:
    """Yield characters: alphabets, Hangul, and ideographs of GB 2312 level 1, Big5 level 1 and JIS level 1 alike."""
    for low, high in ALPHABETS:
        letters = (chr(point) for point in range(low, high + 1))
        yield from (c for c in letters if unicodedata.category(c) in ("Lu", "Ll", "Lo", "Nd") and not _is_small_kana(c))
    yield from (chr(0xAC00 + int(i)) for i in np.linspace(0, 11171, HANGUL))
    shared = [c for c in map(chr, range(0x4E00, 0x9FA6)) if _is_common(c)]
    # A stride that shares no divisor with their number visits all of them, and radicals evenly.
    yield from (shared[i * 389 % len(shared)] for i in range(len(shared)))


def picture(face: Face, character: str) -> NDArray[np.uint8]:
    """Draw a character in the middle of SIDE x SIDE pixels, its longer side INK pixels."""
    size = INK
    box = (0, 0, 0, 0)
    for _ in range(2):
        font = ImageFont.truetype(str(face.path), size, index=face.index, layout_engine=ImageFont.Layout.BASIC)
        box = tuple(int(v) for v in font.getbbox(character))
        longer = max(box[2] - box[0], box[3] - box[1], 1)
        if longer in (INK, INK - 1):
            break
        size = max(4, round(size * INK / longer))
    image = Image.new("L", (SIDE, SIDE))
    corner = ((SIDE - box[0] - box[2]) / 2, (SIDE - box[1] - box[3]) / 2)
    ImageDraw.Draw(image).text(corner, character, fill=255, font=font)
    return np.asarray(image)


def _is_small_kana(character: str) -> bool:
    """Whether only its size tells a kana from another; pictures of glyphs have all one size."""
    return "LETTER SMALL" in unicodedata.name(character) and character > "\u3000"


def _is_common(character: str) -> bool:
    """Whether an ideograph is in the first level of the three standards: rows of frequent characters."""
    try:
        gb, big5 = character.encode("gb2312"), character.encode("big5")
        jis = character.encode("shift_jis")
    except UnicodeEncodeError:
        return False
    return 0xB0 <= gb[0] <= 0xD7 and 0xA4 <= big5[0] <= 0xC6 and 0x88 <= jis[0] <= 0x98


def _distinct(
    trained: Sequence[Face], validation: Sequence[Face], characters: Iterable[str], wanted: int
) -> Iterator[str]:
    """Yield characters of at least two faces to train and one to validate on, whose picture is new."""
    seen = np.zeros((0, SIDE * SIDE))
    for character in characters:
        have = list(islice(_pictures(trained, character), 2))
        if len(have) < 2 or next(_pictures(validation, character), None) is None:
            continue
        flat = have[0].reshape(-1) - have[0].mean()
        flat /= np.linalg.norm(flat)
        if len(seen) and float((seen @ flat).max()) > ALIKE:
            continue
        seen = np.vstack([seen, flat])
        yield character
        if len(seen) == wanted:
            return


def _pictures(found: Iterable[Face], character: str) -> Iterator[NDArray[np.uint8]]:
    """Yield a character in every face that has it; some claim characters that they draw as nothing."""
    for face in found:
        if ord(character) in face.codepoints and (drawn := picture(face, character)).any():
            yield drawn


def _thinned(found: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    if len(found) <= FACES_AT_MOST:
        return found
    return [found[i] for i in np.linspace(0, len(found) - 1, FACES_AT_MOST).astype(int)]

"""The fonts: those of a list of Debian packages as installed, face by face, with the digest of every file."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont

TRAINED = (
    *("fonts-dejavu-core", "fonts-liberation2", "fonts-freefont-ttf", "fonts-linuxlibertine", "fonts-paratype"),
    *("fonts-roboto-unhinted", "fonts-open-sans", "fonts-sil-charis", "fonts-noto-core", "fonts-noto-cjk"),
    *("fonts-wqy-zenhei", "fonts-arphic-uming", "fonts-ipafont-gothic", "fonts-unfonts-core", "fonts-baekmuk"),
    *("fonts-gargi", "fonts-samyak-gujr", "fonts-samyak-taml", "fonts-samyak-mlym", "fonts-gubbi"),
)
"""Packages whose faces are trained on."""
VALIDATION = (
    *("fonts-lato", "fonts-crosextra-carlito", "fonts-wqy-microhei", "fonts-vlgothic", "fonts-nanum"),
    *("fonts-lohit-deva", "fonts-lohit-beng-bengali", "fonts-lohit-guru", "fonts-lohit-gujr", "fonts-lohit-taml"),
    *("fonts-lohit-telu", "fonts-lohit-knda", "fonts-lohit-mlym"),
)
"""Packages whose faces only validate."""
_SUFFIXES = (".ttf", ".otf", ".ttc")
_ORNATE = ("UnDinaru", "hline", "LinBiolinum_K", "LinLibertine_I.", "LinLibertine_DR", "NotoColorEmoji", "Hairline")
"""Parts of the names of files that are left out: keyboard keys, initials, outlines, display faces."""


class FontsError(SystemExit):
    """The fonts of a package are not there; a script ends with this line, not with a traceback."""


@dataclass(frozen=True)
class Face:
    """A face of a font file.

    Attributes
    ----------
    path : Path
        The file.
    index : int
        Which face of a collection; 0 elsewhere.
    name : str
        Family and style, as the face calls itself.
    codepoints : frozenset of int
        Characters that it has.
    """

    path: Path
    index: int
    name: str
    codepoints: frozenset[int]


def faces(packages: tuple[str, ...]) -> list[Face]:
    """Return the faces of installed packages, in order of package, file and index.

    Raises
    ------
    FontsError
        If a package is not installed.
    """
    return [face for package in packages for path in font_files(package) for face in _faces_of(path)]


def font_files(package: str) -> list[Path]:
    """Return the font files of a Debian package, in order of their name.

    Raises
    ------
    FontsError
        If the package is not installed.
    """
    try:
        listed = _dpkg("--listfiles", package).splitlines()
    except (OSError, subprocess.CalledProcessError) as error:
        everything = " ".join(TRAINED + VALIDATION)
        raise FontsError(f"{package} is not installed: apt-get install {everything}") from error
    found = {path for path in map(Path, listed) if path.suffix in _SUFFIXES and not path.is_symlink()}
    return sorted(path for path in found if not any(word in path.name for word in _ORNATE))


def provenance() -> list[dict[str, str]]:
    """Return package, version, use and digest of all bytes of every package's font files, in order of their name."""
    rows = []
    for use, packages in (("training", TRAINED), ("validation", VALIDATION)):
        for package in packages:
            digest = hashlib.sha256(b"".join(path.read_bytes() for path in font_files(package)))
            version = _dpkg("--show", "--showformat=${Version}", package)
            rows.append({"package": package, "version": version, "use": use, "sha256": digest.hexdigest()})
    return rows


def _dpkg(*arguments: str) -> str:
    return subprocess.run(["dpkg-query", *arguments], check=True, capture_output=True, text=True).stdout


def _faces_of(path: Path) -> list[Face]:
    opened = TTCollection(path, lazy=True) if path.suffix == ".ttc" else TTFont(path, lazy=True)
    with opened:
        fonts = opened.fonts if isinstance(opened, TTCollection) else [opened]
        return [
            Face(path, index, font["name"].getBestFullName() or path.stem, frozenset(font.getBestCmap() or ()))
            for index, font in enumerate(fonts)
        ]

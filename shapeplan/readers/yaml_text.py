"""YAML to mappings and lists that know their lines: depth, and what aliases repeat, are bounded."""

from __future__ import annotations

import re
from typing import Any

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.numerals import as_float
from shapeplan.readers.tree import MOST_NESTED, MOST_REPEATED, LinedList, LinedMapping, bad_syntax, too_deep

_WHOLE = re.compile(r"[+-]?[0-9_]+")
_NULLS = ("", "~", "null", "Null", "NULL")
_NULL_TAG, _MERGE_TAG = "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"


def load_yaml(body: str, name: str) -> object:
    """Load YAML into mappings and lists that know their lines; scalars stay text, so that ``1e21`` is a number.

    Raises
    ------
    InputError
        If the text is no YAML, is nested too deeply, or its aliases repeat too many values.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(name)
    try:
        for event in yaml.parse(body, Loader=loader):
            builder.take(event, yaml)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise bad_syntax(
            "bad-yaml", error.problem or "it cannot be parsed", name, mark.line + 1 if mark else 1
        ) from None
    except yaml.YAMLError as error:
        raise bad_syntax("bad-yaml", str(error).split("\n")[0], name, 1) from None
    except RecursionError:
        raise too_deep(name, 1) from None
    return builder.root


def plain(value: object) -> Any:
    """Return settings as plain Python values, with YAML's text scalars read as numbers and truth values."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        lowered = value.strip().lower()
        if lowered in ("true", "false"):
            return lowered == "true"
        try:
            number = as_float(lowered)
        except ValueError:
            return value
        return int(lowered) if number.is_integer() and _WHOLE.fullmatch(lowered) else number
    return value


class _Open:
    """A list or a mapping whose end has not come."""

    __slots__ = ("anchor", "before", "height", "key", "line", "merged", "value")

    def __init__(self, value: LinedList | LinedMapping, anchor: str | None, line: int, before: int):
        self.value = value
        self.anchor = anchor
        self.line = line
        self.before = before
        self.height = 0
        self.key: tuple[str, int, bool] | None = None
        self.merged: list[dict[str, object]] = []


class _Anchored:
    """What an anchor names: a value, how many values are in it with all that its aliases repeat, and its levels."""

    __slots__ = ("count", "height", "value")

    def __init__(self, value: object, count: int, height: int):
        self.value, self.count, self.height = value, count, height


class _Builder:
    """What a parser's events make, one after the other.

    An alias gives the very value of its anchor; what reads the values afterwards meets them as often as they are
    repeated, so that is what is counted.
    """

    def __init__(self, name: str):
        self._root: object = None
        self._documents = LinedList([], [])
        self._name = name
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._count = 0
        self._repeated = 0

    @property
    def root(self) -> object:
        """The document; of several a list, as a log of a document a run is."""
        return self._documents if len(self._documents) > 1 else self._documents[0] if self._documents else None

    def take(self, event: Any, yaml: Any) -> None:
        """Take the next event."""
        line = event.start_mark.line + 1
        match event:
            case yaml.ScalarEvent():
                self._scalar(event, line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._check_tag(event.tag, line)
                value = LinedMapping(line) if isinstance(event, yaml.MappingStartEvent) else LinedList([], [])
                self._start(value, event.anchor, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end()
            case yaml.AliasEvent():
                self._alias(event.anchor, line)
            case yaml.DocumentStartEvent():
                self._root = None
                self._anchors.clear()
            case yaml.DocumentEndEvent():
                if self._root is not None:
                    self._documents.append(self._root)
                    self._documents.lines.append(getattr(self._root, "line", line))

    def _scalar(self, event: Any, line: int) -> None:
        self._check_tag(event.tag, line)
        tag = None if event.tag == "!" else event.tag
        unquoted = tag is None and event.implicit[0]
        is_null = tag == _NULL_TAG or (unquoted and event.value in _NULLS)
        self._count += 1
        value = None if is_null else event.value
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1, 0)
        if self._open and isinstance(self._open[-1].value, LinedMapping) and self._open[-1].key is None:
            merges = tag == _MERGE_TAG or (unquoted and event.value == "<<")
            self._open[-1].key = (event.value, line, merges)
        else:
            self._put(value, line)

    def _start(self, value: LinedList | LinedMapping, anchor: str | None, line: int) -> None:
        self._check_key(line)
        if len(self._open) >= MOST_NESTED:
            raise too_deep(self._name, line)
        if anchor is not None:
            self._anchors[anchor] = None
        self._open.append(_Open(value, anchor, line, self._count))
        self._count += 1

    def _end(self) -> None:
        ended = self._open.pop()
        if isinstance(ended.value, LinedMapping):
            for key, value in ((key, value) for base in ended.merged for key, value in base.items()):
                if key not in ended.value:
                    ended.value.add(key, value, ended.line)
        if ended.anchor is not None:
            self._anchors[ended.anchor] = _Anchored(ended.value, self._count - ended.before, ended.height + 1)
        if self._open:
            self._open[-1].height = max(self._open[-1].height, ended.height + 1)
        self._put(ended.value, ended.line)

    def _alias(self, anchor: str, line: int) -> None:
        if anchor not in self._anchors:
            raise bad_syntax("bad-yaml", f"found undefined alias {anchor!r}", self._name, line)
        meant = self._anchors[anchor]
        if meant is None:
            raise bad_syntax("bad-yaml", f"the anchor {anchor!r} refers to itself", self._name, line)
        self._count += meant.count
        self._repeated += meant.count
        if self._repeated > MOST_REPEATED:
            message = f"its aliases (*{anchor} ...) repeat more than {MOST_REPEATED:,} values"
            hint = "write the values out, and take out what is not read"
            raise InputError(ErrorDetail("too-many-aliases", message, hint, self._name, line))
        if len(self._open) + meant.height > MOST_NESTED:
            raise too_deep(self._name, line)
        inside = self._open[-1]
        inside.height = max(inside.height, meant.height)
        if isinstance(inside.value, LinedMapping) and inside.key is None and isinstance(meant.value, str):
            inside.key = (meant.value, line, False)
            return
        self._check_key(line)
        self._put(meant.value, line)

    def _put(self, value: object, line: int) -> None:
        """Put a value where it belongs: into what is open, or at the root."""
        if not self._open:
            self._root = value
            return
        inside = self._open[-1]
        if isinstance(inside.value, LinedList):
            inside.value.append(value)
            inside.value.lines.append(line)
            return
        assert inside.key is not None
        (key, place, merges), inside.key = inside.key, None
        if not merges:
            inside.value.add(key, value, place)
            return
        for base in value if isinstance(value, list) else [value]:
            if not isinstance(base, dict):
                raise bad_syntax("bad-yaml", "<< merges mappings, and here is something else", self._name, place)
            inside.merged.append(base)

    def _check_key(self, line: int) -> None:
        """Refuse a key that is no text."""
        if self._open and isinstance(self._open[-1].value, LinedMapping) and self._open[-1].key is None:
            raise bad_syntax("bad-yaml", "a key is not plain text", self._name, line)

    def _check_tag(self, tag: str | None, line: int) -> None:
        if tag is not None and tag != "!" and (tag.startswith("!") or "python/" in tag):
            raise bad_syntax("bad-yaml", f"it has the tag {tag!r}, which logs do not", self._name, line)

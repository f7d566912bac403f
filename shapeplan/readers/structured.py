"""YAML, JSON and JSON Lines to a table, keeping the line of every cell or record."""

from __future__ import annotations

import bisect
import json
import re
from dataclasses import replace
from functools import partial
from typing import Any

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.numerals import as_float
from shapeplan.readers.names import is_loss
from shapeplan.readers.table import Record, Table, flattened

RUNS = "runs"
_ROWS = ("data", "rows", "records", "results", "trials", "experiments")
"""Other words for ``runs`` in use."""
_BLANKS = re.compile(r"[ \t\n\r]*")
_WHOLE = re.compile(r"[+-]?[0-9_]+")
_WANTED = "write a list of runs, or a mapping with a list under 'runs:'"


class _List(list[Any]):
    """A list that knows the lines of its items."""

    def __init__(self, items: list[Any], lines: list[int]):
        super().__init__(items)
        self.lines = lines


class _Mapping(dict[str, Any]):
    """A mapping that knows its line, the lines of its values, and keys that came twice."""

    def __init__(self, line: int):
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        self.duplicates: list[tuple[str, int]] = []

    def add(self, key: str, value: object, line: int) -> None:
        if key in self:
            self.duplicates.append((key, line))
        self[key] = value
        self.lines[key] = line


def parse_yaml(body: str, name: str, *, lone_record: bool = False) -> Table:
    """Parse a YAML log: a list of runs, or settings and ``runs:``.

    Raises
    ------
    InputError
        If the text is no YAML, has the wrong shape, or a key twice.
    """
    return _table(load_yaml(body, name), name, lone_record)


def parse_json(body: str, name: str, *, lone_record: bool = False) -> Table:
    """Parse a JSON log: an array of runs, or an object with settings and ``runs``; errors as for YAML."""
    try:
        return _table(_positioned_json(body), name, lone_record)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and body.lstrip().startswith("{"):
            return parse_jsonl(body, name)
        message, line = _json_mistake(error)
        raise _bad_syntax("bad-json", message, name, line) from None
    except (ValueError, RecursionError) as error:
        raise _bad_syntax("bad-json", _why_not(error), name, 1) from None


def parse_jsonl(body: str, name: str) -> Table:
    """Parse JSON Lines: one object a line; errors as for YAML."""
    items = []
    for number, line in enumerate(body.split("\n"), 1):
        if line.strip():
            try:
                items.append(json.loads(line, object_pairs_hook=partial(_mapping_on, number)))
            except json.JSONDecodeError as error:
                raise _bad_syntax("bad-json", _json_mistake(error)[0], name, number) from None
            except (ValueError, RecursionError) as error:
                raise _bad_syntax("bad-json", _why_not(error), name, number) from None
    return _table(items, name)


def _mapping_on(line: int, pairs: list[tuple[str, object]]) -> _Mapping:
    """Return an object that stands on one line."""
    mapping = _Mapping(line)
    for key, value in pairs:
        mapping.add(key, value, line)
    return mapping


def _json_mistake(error: json.JSONDecodeError) -> tuple[str, int]:
    """Return what is wrong and the line; Python's versions differ in their words for a trailing comma."""
    before = error.doc[: error.pos + 1].rstrip("]} \t\r\n")
    after = error.doc[len(before) :].lstrip()
    if before.endswith(",") and after[:1] in ("]", "}"):
        return "a comma with nothing after it", before.count("\n") + 1
    return error.msg, error.lineno


def load_yaml(body: str, name: str) -> object:
    """Load YAML into mappings and lists that know their lines; scalars stay text, so that ``1e21`` is a number.

    Raises
    ------
    InputError
        If the text is no YAML.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(body, Loader=loader)
        return None if node is None else _from_node(node, name, yaml, {})
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _bad_syntax(
            "bad-yaml", error.problem or "it cannot be parsed", name, mark.line + 1 if mark else 1
        ) from None
    except yaml.YAMLError as error:
        raise _bad_syntax("bad-yaml", str(error).split("\n")[0], name, 1) from None
    except RecursionError:
        raise _bad_syntax("bad-yaml", "it is nested too deeply, or refers to itself", name, 1) from None


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


def _from_node(node: Any, name: str, yaml: Any, known: dict[int, object]) -> object:
    """Return a node's value; an alias gives the very value of its anchor, so that nested aliases cannot explode."""
    if id(node) not in known:
        known[id(node)] = _build(node, name, yaml, known)
    return known[id(node)]


def _build(node: Any, name: str, yaml: Any, known: dict[int, object]) -> object:
    line = node.start_mark.line + 1
    if node.tag.startswith("!") or "python/" in node.tag:
        raise _bad_syntax("bad-yaml", f"it has the tag {node.tag!r}, which logs do not", name, line)
    if isinstance(node, yaml.ScalarNode):
        return None if node.tag == "tag:yaml.org,2002:null" else node.value
    if isinstance(node, yaml.SequenceNode):
        lines = [item.start_mark.line + 1 for item in node.value]
        return _List([_from_node(item, name, yaml, known) for item in node.value], lines)
    mapping = _Mapping(line)
    merged: list[object] = []
    for key, value in node.value:
        place = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise _bad_syntax("bad-yaml", "a key is not plain text", name, place)
        found = _from_node(value, name, yaml, known)
        if key.tag == "tag:yaml.org,2002:merge":
            bases = found if isinstance(found, list) else [found]
            if not all(isinstance(base, dict) for base in bases):
                raise _bad_syntax("bad-yaml", "<< merges mappings, and here is something else", name, place)
            merged += bases
        else:
            mapping.add(key.value, found, place)
    for base in merged:
        for key, value in base.items() if isinstance(base, dict) else ():
            if key not in mapping:
                mapping.add(key, value, mapping.line)
    return mapping


def _positioned_json(body: str) -> object:
    """Decode JSON into mappings that know their lines and those of their values.

    Raises
    ------
    json.JSONDecodeError
        If the text is no JSON.
    """
    json.loads(body)
    breaks = [i for i, character in enumerate(body) if character == "\n"]
    decoder = json.JSONDecoder()

    def skip(place: int) -> int:
        found = _BLANKS.match(body, place)
        return found.end() if found else place

    def line_at(place: int) -> int:
        return 1 + bisect.bisect_left(breaks, place)

    def value_at(place: int) -> tuple[object, int]:
        """Return the value that begins at a place, and where it ends; the text is known to be sound."""
        if body[place] == "[":
            items = []
            place = skip(place + 1)
            while body[place] != "]":
                item, place = value_at(skip(place))
                items.append(item)
                place = skip(place)
                place = place + 1 if body[place] == "," else place
            return items, place + 1
        if body[place] == "{":
            mapping = _Mapping(line_at(place))
            place = skip(place + 1)
            while body[place] != "}":
                key, place = decoder.raw_decode(body, skip(place))
                start = skip(skip(place) + 1)
                value, place = value_at(start)
                mapping.add(key, value, line_at(start))
                place = skip(place)
                place = place + 1 if body[place] == "," else place
            return mapping, place + 1
        return decoder.raw_decode(body, place)

    return value_at(skip(0))[0]


def _table(data: object, name: str, lone_record: bool = False) -> Table:
    refuse_duplicates(data, name)
    settings: _Mapping | None = None
    runs = data
    if isinstance(data, _Mapping):
        settings = data
        if RUNS not in data and not lone_record and not _is_document(data):
            if _is_a_run(data):
                return _table(_List([data], [data.line]), name)
            if (rows := _rows_of(data)) is not None:
                return _table(rows, name)
            if (key := _key_of_rows(data)) is not None:
                data.add(RUNS, data.pop(key), data.lines[key])
        if lone_record and RUNS not in data:
            return Table.of_records([Record(data.line, data, data.lines)])
        if RUNS not in data:
            if _is_document(data):
                message = f"is a document of shapeplan ({data['kind']}), not a log"
                raise InputError(ErrorDetail("no-log", message, "give the log that it was made from", name, data.line))
            keys = ", ".join(list(data)[:8]) or "none"
            raise InputError(
                ErrorDetail("no-runs", f"the mapping has no 'runs' (its keys: {keys})", _WANTED, name, data.line)
            )
        runs = data[RUNS]
    if isinstance(runs, _Mapping) and runs and all(isinstance(value, _Mapping) for value in runs.values()):
        runs = _named(runs)
    if not isinstance(runs, list):
        line = settings.lines[RUNS] if settings else 1
        found = _kind(runs)
        raise InputError(
            ErrorDetail("wrong-type", f"the runs are {found}, not a list", _WANTED, name, line, value=found)
        )
    if not runs:
        raise InputError(ErrorDetail("no-rows", "has no runs", "add an entry a point of training", name))
    wrong = [(i, item) for i, item in enumerate(runs, 1) if not isinstance(item, _Mapping)]
    if wrong:
        raise InputError(
            *(
                ErrorDetail(
                    "wrong-type",
                    f"entry {i} of the runs is {_kind(item)}, not a mapping",
                    "write column: value pairs",
                    name,
                    runs.lines[i - 1] if isinstance(runs, _List) else None,
                    value=_kind(item),
                )
                for i, item in wrong
            )
        )
    records = tuple(flattened(Record(item.line, item, item.lines)) for item in runs)
    header = records[0].line
    table = Table.of_records(records, header_line=header)
    if settings is None:
        return table
    rest = {key: value for key, value in settings.items() if key != RUNS}
    return replace(table, settings=rest, settings_lines=settings.lines)


def _is_document(data: _Mapping) -> bool:
    return str(data.get("kind", "")).startswith("shapeplan.")


def _is_a_run(data: _Mapping) -> bool:
    """Return whether a mapping is one run: a loss is in it, or in one of the mappings in it, and no list of rows."""
    if any(isinstance(value, list) for value in data.values()):
        return False
    parts = [value for value in data.values() if isinstance(value, _Mapping)]
    scalars = any(is_loss(key) for key, value in data.items() if not isinstance(value, _Mapping))
    return scalars != (sum(_is_a_run(part) for part in parts) == 1)


def _rows_of(data: _Mapping) -> _List | None:
    """Return the rows in a mapping that is nothing else: rows by name of run, or lists or rows by column."""
    columns, rows = data.get("columns"), data.get("data")
    if isinstance(columns, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        cells = {str(column): [row[i] for row in rows] for i, column in enumerate(columns)}
        return _of_columns(cells, data) if all(len(row) == len(columns) for row in rows) else None
    values = list(data.values())
    if len(data) > 1 and all(isinstance(value, _Mapping) for value in values):
        by_row = len({tuple(value) for value in values}) == 1 and all(key.isdigit() for key in values[0])
        return _of_columns({key: list(value.values()) for key, value in data.items()}, data) if by_row else _named(data)
    if (
        len(data) > 1
        and all(isinstance(value, list) for value in values)
        and len({len(value) for value in values}) == 1
    ):
        return _of_columns(dict(data), data)
    return None


def _key_of_rows(data: _Mapping) -> str | None:
    """Return the key of the rows in a mapping without ``runs``: another word for it, or its one list of rows."""
    lists = [key for key, value in data.items() if isinstance(value, list) and value and isinstance(value[0], _Mapping)]
    return next((word for word in _ROWS if word in data), lists[0] if len(lists) == 1 else None)


def _of_columns(columns: dict[str, list[Any]], data: _Mapping) -> _List:
    rows = []
    for cells in zip(*columns.values(), strict=True):
        row = _Mapping(data.line)
        for column, cell in zip(columns, cells, strict=True):
            row.add(column, cell, data.lines.get(column, data.line))
        rows.append(row)
    return _List(rows, [data.line] * len(rows))


def _named(data: _Mapping) -> _List:
    """Return rows that stand under the names of their runs."""
    rows = []
    for name, cells in data.items():
        row = _Mapping(cells.line)
        if "run" not in cells:
            row.add("run", name, data.lines[name])
        for column, cell in cells.items():
            row.add(column, cell, cells.lines.get(column, cells.line))
        rows.append(row)
    return _List(rows, [row.line for row in rows])


def loads_once(body: str, name: str, **options: Any) -> Any:
    """Load JSON as `json.loads` does, with its options and errors; a key that comes twice is an `InputError`."""
    try:
        return json.loads(body, object_pairs_hook=_once, **options)
    except _TwiceError:
        refuse_duplicates(_positioned_json(body), name)
        raise


class _TwiceError(Exception):
    """A key comes twice in an object."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError
    return found


def refuse_duplicates(data: object, name: str) -> None:
    """Raise `InputError` that names every key that comes twice in a mapping, however deep it lies."""
    details, waiting = [], [data]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict | list) or id(part) in seen:
            continue
        # An anchor of YAML may be meant by many aliases.
        seen.add(id(part))
        waiting += list(part.values()) if isinstance(part, dict) else part
        if isinstance(part, _Mapping):
            details += [
                ErrorDetail("duplicate-key", "the entry has it twice", "keep one", name, line, key)
                for key, line in part.duplicates
            ]
    if details:
        raise InputError(*sorted(details, key=lambda one: (one.line or 0, one.column or "")))


def _why_not(error: ValueError | RecursionError) -> str:
    """Return why text that is grammatical cannot be loaded; Python limits the digits of an integer."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else "an integer has thousands of digits"


def _bad_syntax(code: str, why: str, name: str, line: int) -> InputError:
    kind = code.removeprefix("bad-").upper()
    return InputError(
        ErrorDetail(code, f"is not {kind}: {why[:1].lower()}{why[1:]}", "mend the syntax here", name, line)
    )


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "text" if isinstance(value, str) else "a number"

"""Text to a table of records, whatever the format."""

from __future__ import annotations

import re

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.delimited import parse_delimited
from shapeplan.readers.pairs import parse_pairs
from shapeplan.readers.source import Text
from shapeplan.readers.structured import parse_json, parse_jsonl, parse_yaml
from shapeplan.readers.table import Table, refuse_many_columns

_TOML = re.compile(r"\[\[?[A-Za-z][\w.-]*\]\]?\s*\n\s*[\w.-]+\s*=")


def parse_table(text: Text, *, lone_record: bool = False) -> Table:
    """Return the records of CSV, TSV, YAML, JSON, JSON Lines or lines of key=value, with their lines.

    Parameters
    ----------
    text : Text
        What was read.
    lone_record : bool
        Whether a mapping without ``runs`` is one record, not an error.

    Raises
    ------
    InputError
        If the text is not well-formed.
    """
    if text.body.lstrip().startswith("<"):
        hint = "save it as CSV: pandas.read_html(FILE)[0].to_csv(...)"
        raise InputError(ErrorDetail("not-a-table", "is HTML or XML, not a log", hint, text.name))
    if text.suffix == ".toml" or _TOML.match(text.body.lstrip()):
        hint = "save it as YAML or JSON: json.dump(tomllib.load(file), ...)"
        raise InputError(ErrorDetail("not-a-table", "is TOML, not a log", hint, text.name))
    table = _parsed(text, lone_record)
    refuse_many_columns(len(table.cells), text.name)
    return table


def _parsed(text: Text, lone_record: bool) -> Table:
    match text.format:
        case "csv" | "tsv":
            return parse_delimited(text.body, text.name, "\t" if text.format == "tsv" else ",")
        case "yaml":
            return parse_yaml(text.body, text.name, lone_record=lone_record)
        case "json":
            return parse_json(text.body, text.name, lone_record=lone_record)
        case "jsonl":
            return parse_jsonl(text.body, text.name)
        case "pairs":
            return parse_pairs(text.body, text.name)

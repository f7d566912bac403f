"""Formats of tables of text, and the suffixes of their files."""

from __future__ import annotations

from typing import Literal

Format = Literal["csv", "tsv", "yaml", "json", "jsonl", "pairs"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}

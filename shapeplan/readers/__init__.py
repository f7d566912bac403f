"""Readers: logs in five formats to one frozen table, with every complaint in its place."""

from __future__ import annotations

from shapeplan.readers.read import read_runs
from shapeplan.readers.settings import Settings, read_settings
from shapeplan.readers.source import read_text

__all__ = ["Settings", "read_runs", "read_settings", "read_text"]

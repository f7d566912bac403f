"""A recommended shape as libraries read it: one module a library, or a few that are alike.

A new one is a `Library` (a `Trainer`, where it has no shape) in a module of its own, and its name in `LIBRARIES` (or
`TRAINERS`) of `export.py`.
"""

from shapeplan.documents.configs.export import FORMATS, LIBRARIES, TRAINERS, export_config
from shapeplan.documents.configs.library import Export, Library

__all__ = ["FORMATS", "LIBRARIES", "TRAINERS", "Export", "Library", "export_config"]

"""A recommended shape as libraries read it: one module a library, or a few that are alike.

A new one is a `Library` in a module of its own, and its name in `LIBRARIES` of `export.py`.
"""

from shapeplan.documents.configs.export import LIBRARIES, export_config
from shapeplan.documents.configs.library import Export, Library

__all__ = ["LIBRARIES", "Export", "Library", "export_config"]

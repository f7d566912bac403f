"""Readers: logs in five formats to one frozen table, with every complaint in its place.

`readers.read.read_runs` is the way in. `readers.source` stands alone, for readers of documents.
"""

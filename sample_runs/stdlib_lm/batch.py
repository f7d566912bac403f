"""What a step of training sees."""

CONTEXT = 128
"""Bytes of a sequence."""
BATCH = 8
"""Sequences a step."""

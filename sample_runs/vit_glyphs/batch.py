"""What a step of training sees."""

BATCH = 16
"""Images a step."""

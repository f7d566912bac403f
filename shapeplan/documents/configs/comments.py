"""Comments, in languages where they begin with a number sign."""

from __future__ import annotations

from collections.abc import Iterable

from shapeplan.planning.training import Training


def comments(lines: Iterable[str], indent: str = "") -> str:
    """Return a comment a line."""
    return "".join(f"{indent}# {line}\n" for line in lines)


def of_training(training: Training) -> str:
    """Return what is said of every setting of training, as comments."""
    return comments(training.remarks())

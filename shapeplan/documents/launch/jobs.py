"""The runs of a design as jobs of a launcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shapeplan.documents.launch.template import Template, Value
from shapeplan.frozen import frozen


@frozen
class Jobs:
    """Runs to train, a job each.

    Attributes
    ----------
    title : str
        What the campaign is called: the name of the design's file, without its suffix.
    rows : sequence of mapping
        The design, a mapping from column to value a run.
    template : Template or None
        The command; None where the launcher needs none and none was given.
    """

    title: str
    rows: Sequence[Mapping[str, Value]]
    template: Template | None

    @property
    def names(self) -> list[str]:
        """The name of every run."""
        return [str(row["run"]) for row in self.rows]

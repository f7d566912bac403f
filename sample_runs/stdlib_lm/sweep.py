"""Train the star and the grid of this folder; with ``--tune``, test the rule for the learning rate instead."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from batch import BATCH, CONTEXT  # noqa: E402
from corpus import read_corpus  # noqa: E402
from harness.campaign import Campaign, main  # noqa: E402


def task(device: Any) -> Any:
    """Return the task, for which alone torch is needed."""
    from task import task

    return task(device)


def provenance() -> dict[str, Any]:
    """Return what must be known to get the same corpus."""
    return read_corpus().provenance()


CAMPAIGN = Campaign(
    folder=HERE,
    task=task,
    step_units=BATCH * CONTEXT,
    example_units=CONTEXT,
    tuning_duration=1_000_000,
    source="corpus.json",
    provenance=provenance,
)

if __name__ == "__main__":
    main(CAMPAIGN, __doc__ or "")

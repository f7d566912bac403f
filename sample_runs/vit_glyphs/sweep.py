"""Train the star and the grid of this folder; with ``--tune``, test the rule for the learning rate instead."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from batch import BATCH  # noqa: E402
from harness.campaign import Campaign, main  # noqa: E402


def task(device: Any) -> Any:
    """Return the task, for which alone torch is needed."""
    from task import task

    return task(device)


def provenance() -> Any:
    """Return the packages, versions and digests of the fonts, for which alone fontTools is needed."""
    from fonts import provenance

    return provenance()


CAMPAIGN = Campaign(
    folder=HERE,
    task=task,
    step_units=BATCH,
    example_units=1,
    tuning_duration=16_000,
    source="fonts.json",
    provenance=provenance,
    designs=("star.csv", "grid.csv", "long.csv"),
)

if __name__ == "__main__":
    main(CAMPAIGN, __doc__ or "")

"""Train the star and the grid of this folder; with ``--tune``, test the rule for the learning rate instead."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from fonts import provenance  # noqa: E402
from harness.campaign import Campaign, main  # noqa: E402
from task import task  # noqa: E402

CAMPAIGN = Campaign(
    folder=HERE,
    task=task,
    example_units=1,
    tuning_duration=16_000,
    source="fonts.json",
    provenance=provenance,
    designs=("star.csv", "grid.csv", "long.csv"),
)

if __name__ == "__main__":
    main(CAMPAIGN, __doc__ or "")

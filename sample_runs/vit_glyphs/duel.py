"""The plan of this folder's log against the shapes people use; without options, table and picture from the logs."""

from __future__ import annotations

import sweep
from harness.contenders import Duel
from harness.duel import main
from task import Glyphs

DUEL = Duel(
    campaign=sweep.CAMPAIGN,
    budget=7e13,
    metrics=("loss", "error", "ten_shot_error"),
    proportions={
        "ViT-Ti": {"width": 192, "depth": 12, "mlp_dim": 768},
        "ViT-S": {"width": 384, "depth": 12, "mlp_dim": 1536},
    },
    step_units=Glyphs.step_units,
)

if __name__ == "__main__":
    main(DUEL, __doc__ or "")

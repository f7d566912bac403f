"""The plan of this folder's log against the shapes people use; without options, table and picture from the logs."""

from __future__ import annotations

import sweep
from harness.contenders import Duel
from harness.duel import main

LEARNT = "loss<2.3"
"""Rows that are fitted: those below a third of the loss of chance, log 1000. Above it a run is still on the plateau
from which it begins, and how long that lasts is no law of shape and compute."""
DUEL = Duel(
    campaign=sweep.CAMPAIGN,
    budget=7e13,
    metrics=("loss", "error", "ten_shot_error"),
    proportions={
        "ViT-Ti": {"width": 192, "depth": 12, "mlp_dim": 768},
        "ViT-S": {"width": 384, "depth": 12, "mlp_dim": 1536},
    },
    where=(LEARNT,),
)

if __name__ == "__main__":
    main(DUEL, __doc__ or "")

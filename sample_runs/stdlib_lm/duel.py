"""The plan of this folder's log against the shapes people use; without options, table and picture from the logs."""

from __future__ import annotations

import json

import sweep
from harness.contenders import Duel
from harness.duel import main

DUEL = Duel(
    campaign=sweep.CAMPAIGN,
    budget=1.36e14,
    metrics=("loss",),
    proportions={"GPT-2": {"width": 768, "depth": 12, "mlp_dim": 3072}},
    units=json.loads((sweep.HERE / "corpus.json").read_text())["train_bytes"],
    depths=(18,),
    ahead={"interaction": 10.0},
)

if __name__ == "__main__":
    main(DUEL, __doc__ or "")

"""Units in headers: factors in any words, what is counted, and words that are not understood."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import shapeplan as sp
from shapeplan.readers.names import claim_of


@pytest.mark.parametrize(
    ("header", "role", "scale"),
    [
        ("tokens (in billions)", "tokens", 1e9),
        ("tokens (in thousands)", "tokens", 1e3),
        ("tokens (thousand millions)", "tokens", 1e9),
        ("tokens (Gtok)", "tokens", 1e9),
        ("tokens (ktok)", "tokens", 1e3),
        ("tokens (BT)", "tokens", 1e9),
        ("tokens (MM)", "tokens", 1e6),
        ("tokens (B, train)", "tokens", 1e9),
        ("tokens (billions, unique)", "tokens", 1e9),
        ('tokens ("B")', "tokens", 1e9),
        ("kTok", "tokens", 1e3),
        ("Btokens", "tokens", 1e9),
        ("Mparams", "params", 1e6),
        ("tok_b", "tokens", 1e9),
        ("Params (non-embedding, M)", "params", 1e6),
        ("examples (M images)", "examples", 1e6),
        ("FLOPs (in 1e18)", "flops", 1e18),
        ("flops (10^18, training)", "flops", 1e18),
        ("FLOPs (TFLOPs, total)", "flops", 1e12),
        ("flops (EF)", "flops", 1e18),
        ("flops (\u00d710\u00b9\u2078)", "flops", 1e18),
        ("compute (PF-days)", "flops", 8.64e19),
        ("Training compute (FLOP)", "flops", 1.0),
        ("params (N)", "params", 1.0),
        ("tokens (D)", "tokens", 1.0),
        ("width (d_model)", "width", 1.0),
    ],
)
def test_a_factor_is_read_in_any_words(header: str, role: str, scale: float) -> None:
    claim = claim_of(header)
    assert claim is not None
    assert (claim.role, claim.unread) == (role, False)
    assert claim.scale == pytest.approx(scale)


@pytest.mark.parametrize(
    "header",
    [
        "tokens (sequences)",
        "tokens (batches)",
        "tokens (% of 1T)",
        "flops (GMACs)",
        "FLOPs [inference]",
        "batch size (tokens)",
    ],
)
def test_what_is_not_understood_is_marked(header: str) -> None:
    claim = claim_of(header)
    assert claim is not None
    assert claim.unread


def rows(header: str) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    return [
        {"width": w, "depth": d, header: 20.0 * 12 * w**2 * d, "flops": 6 * 20.0 * (12.0 * w**2 * d) ** 2}
        | {"loss": 1.7 + 150 / w + 6 / d + 0.002 * rng.standard_normal()}
        for w in (256, 384, 512, 768)
        for d in (4, 8, 12)
    ]


def test_the_header_is_told() -> None:
    assert [c.message for c in sp.read_runs(rows("tokens (batches)")).cautions if c.code == "unread-unit"] == [
        "the unit in the header 'tokens (batches)' is not understood: its numbers are taken as they stand"
    ]
    assert "unread-unit" not in {caution.code for caution in sp.read_runs(rows("tokens (unique)")).cautions}

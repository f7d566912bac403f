"""Units in headers: factors in any words, what is counted, and words that are not understood."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import shapeplan as sp
from shapeplan.errors import InputError
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
        ("batch size (tokens)", "batch_tokens", 1.0),
        ("batch (k tokens)", "batch_tokens", 1e3),
        ("global batch (tokens)", "batch_tokens", 1.0),
        ("tokens (B) seen", "tokens", 1e9),
        ("params [M] total", "params", 1e6),
        ("billion tokens", "tokens", 1e9),
        ("Millions of parameters", "params", 1e6),
        ("tokens x1e9", "tokens", 1e9),
        ("tokens (1000s)", "tokens", 1e3),
        ("tokens ('000)", "tokens", 1e3),
        ("tokens (1,000,000)", "tokens", 1e6),
        ("metrics/tokens (last)", "tokens", 1.0),
        ("C [PFD]", "flops", 8.64e19),
        ("TFLOP-hours", "flops", 3.6e15),
        ("compute (PFLOP/s-hours)", "flops", 3.6e18),
    ],
)
def test_a_factor_is_read_in_any_words(header: str, role: str, scale: float) -> None:
    claim = claim_of(header)
    assert claim is not None
    assert (claim.role, claim.unread) == (role, False)
    assert claim.scale == pytest.approx(scale)


@pytest.mark.parametrize("header", ["micro batch (tokens)", "context (tokens)", "vocab (tokens)", "seq len (tokens)"])
def test_tokens_of_a_part_are_not_those_of_a_run(header: str) -> None:
    assert claim_of(header) is None


@pytest.mark.parametrize(
    "header",
    [
        "tokens (sequences)",
        "tokens (batches)",
        "tokens (% of 1T)",
        "flops (GMACs)",
        "FLOPs [inference]",
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


@pytest.mark.parametrize(
    ("unit", "hint"),
    [
        (1e18, "it would fit flops in units of 1e18"),
        (8.64e19, "it would fit flops in units of PF-days"),
        (3.6e15, "it would fit flops in units of TFLOP-hours"),
        (1.2e14, "check the units of flops, params and tokens"),
    ],
)
def test_a_unit_is_named_where_it_fits(unit: float, hint: str) -> None:
    with pytest.raises(InputError) as refused:
        sp.read_runs([{**row, "flops": row["flops"] / unit} for row in rows("tokens")])
    (found,) = refused.value.details
    assert found.hint.startswith(hint)
    if "in units of" in hint:
        header = found.hint.split("'")[1]
        named = [{**row, header: row["flops"] / unit} for row in rows("tokens")]
        read = sp.read_runs([{name: cell for name, cell in row.items() if name != "flops"} for row in named])
        np.testing.assert_allclose(read.flops, [row["flops"] for row in rows("tokens")])


def test_compute_that_is_so_many_times_the_arithmetic_is_doubted() -> None:
    def told(factor: float) -> list[str]:
        runs = sp.read_runs([{**row, "flops": factor * row["flops"]} for row in rows("tokens")])
        return [caution.message for caution in runs.cautions if caution.code == "flops-mismatch"]

    assert told(11.6) == ["the compute is 12 times 6 x params x tokens, whatever was trained"]
    assert told(1.0) == told(1.33) == []
    halved = [
        {**row, "params": 12.0 * row["width"] ** 2 * row["depth"], "flops": row["flops"] / 2} for row in rows("tokens")
    ]
    (said,) = [caution for caution in sp.read_runs(halved).cautions if caution.code == "flops-mismatch"]
    assert "3 x params x tokens in every row: MACs of all passes" in said.message
    assert "forward" not in said.hint


def test_a_logarithm_of_compute_is_told_from_a_rate() -> None:
    with pytest.raises(InputError, match="it looks like its logarithm to base 10"):
        sp.read_runs([{**row, "flops": np.log10(row["flops"])} for row in rows("tokens")])


def test_steps_times_a_batch_in_tokens_are_tokens() -> None:
    plain = sp.read_runs(rows("tokens"))
    counted = [{**row, "steps": round(row["tokens"] / 512) or 1, "batch (k tokens)": 0.512} for row in rows("tokens")]
    runs = sp.read_runs([{name: cell for name, cell in row.items() if name != "tokens"} for row in counted])
    assert runs.examples_unit == "tokens"
    np.testing.assert_allclose(runs.examples, plain.examples, rtol=1e-2)


def test_compute_is_6nd_of_steps_times_a_batch_in_tokens() -> None:
    table = [
        {
            "width": w,
            "depth": d,
            "params": 12 * w**2 * d,
            "steps": 100 * s,
            "batch_size": 2**19,
            "loss": 2 + 1 / d + 1 / s,
        }
        for w in (256, 512)
        for d in (4, 8)
        for s in (1, 2, 4)
    ]
    with pytest.raises(
        InputError, match="tokens are steps x batch x sequence length: log them, or the batch in tokens"
    ):
        sp.read_runs(table, columns={"flops": "6ND"})
    runs = sp.read_runs(table, columns={"flops": "6ND", "batch_tokens": "batch_size"})
    np.testing.assert_allclose(runs.flops, [6.0 * row["params"] * row["steps"] * 2**19 for row in table])

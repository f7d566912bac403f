"""Synthetic logs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import SAMPLES, fit_star, sweep

from shapeplan.design.simulate import simulate
from shapeplan.errors import FitError
from shapeplan.fitting.predict import predict
from shapeplan.fitting.result import Fit
from shapeplan.readers.read import read_runs


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit_star(read_runs(SAMPLES / "vit_sweep.yaml"), replicates=20)


def test_simulate_and_predict_agree_about_conventions(fitted: Fit) -> None:
    design = replace(sweep(), flops=3 * sweep().flops, flops_convention="training", loss=None)
    drawn = simulate(fitted.law, design, flops_convention=fitted.flops_convention)
    np.testing.assert_allclose(drawn.observed(), predict(fitted, design).predicted, rtol=1e-12)


def test_noise_that_makes_losses_negative_is_refused() -> None:
    with pytest.raises(FitError, match="which is no loss"):
        sweep(noise=0.9)

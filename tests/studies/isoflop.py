"""Simulated isoFLOP sweeps of a ladder, whose truth is known: ``python tests/studies/isoflop.py [--sweeps 8]``.

At each of eight budgets over three decades seven sizes are trained, so far apart that the worst loses 2%, 20% or 80% to
the best. Watched: whether the 90% intervals of the growth of the best parameters, by the law that `auto` takes and by
parabolas, hold the truth, and what the plan at 30 times the largest budget loses to the best of the ladder.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from worlds import in_parallel

import shapeplan as sp
from shapeplan.numerics.arrays import Floats
from shapeplan.runs import Runs

BUDGETS = np.geomspace(1e17, 1e20, 8)
TRUTHS = ("chinchilla", "kaplan", "separable", "interaction")
VALLEYS = (0.02, 0.2, 0.8)
SIZES, NOISE, BEYOND = 7, 0.003, 30.0


class Truth:
    """A law of a ladder of 64 channels a layer, with random constants; units are those of its middle."""

    def __init__(self, name: str, seed: int):
        rng = np.random.default_rng((TRUTHS.index(name), seed))
        self.name = name
        self.floor, self.size, self.data = rng.uniform(1.4, 2.0), rng.uniform(0.4, 1.0), rng.uniform(0.4, 1.0)
        self.a, self.c, self.b = rng.uniform(0.28, 0.45), rng.uniform(0.25, 0.4), rng.uniform(0.2, 0.6)
        self.kappa = rng.uniform(0.4, 2.0)

    def loss(self, depth: Floats, flops: Floats) -> Floats:
        width = 64.0 * depth
        params = 12 * width**2 * depth
        tokens = flops / 6 / params
        n, x = tokens / 1e9, width / 768
        if self.name == "chinchilla":
            return self.floor + self.size * (params / 1e8) ** -self.a + self.data * n**-self.c
        if self.name == "kaplan":
            inside = self.size * (params / 1e8) ** -(self.a / self.kappa) + self.data * n ** -(self.c / self.kappa)
            return self.floor + inside**self.kappa
        gain = self.floor + self.size * x ** -(3 * self.a)
        if self.name == "separable":
            return gain + self.data * n**-self.c
        return gain + (0.3 * self.data * x**self.b + 0.7 * self.data) * n**-self.c

    def best(self, flops: float) -> float:
        """Return the best depth at a budget, not rounded."""
        found = minimize_scalar(
            lambda log: float(self.loss(np.exp(log), np.asarray(flops))), bounds=(-3.0, 12.0), method="bounded"
        )
        return float(np.exp(found.x))

    def growth(self) -> float:
        """Return the mean growth of the best parameters over the budgets."""
        low, high = (3 * np.log(self.best(flops)) for flops in BUDGETS[[0, -1]])
        return float((high - low) / np.log(BUDGETS[-1] / BUDGETS[0]))

    def sweep(self, valley: float, seed: int) -> Runs:
        """Return a sweep whose worst sizes lose so much to the best."""
        rng = np.random.default_rng((seed, 7))
        rows = []
        for flops in BUDGETS:
            best = self.best(flops)
            least = float(self.loss(np.asarray(best), flops))

            def excess(log: float, sign: int, best: float = best, flops: float = flops, least: float = least) -> float:
                return float(self.loss(np.asarray(best * np.exp(sign * log)), flops)) / least - 1 - valley

            ends = [np.log(best) + sign * brentq(excess, 1e-6, 6.0, args=(sign,)) for sign in (-1, 1)]
            for depth in np.exp(np.linspace(*ends, SIZES)):
                loss = float(self.loss(np.asarray(depth), flops)) * np.exp(NOISE * rng.standard_normal())
                params = 12 * (64 * depth) ** 2 * depth
                rows.append((64 * depth, params, flops / 6 / params, flops, loss))
        width, params, tokens, flops_, loss_ = np.array(rows).T
        return Runs(
            dims=("width",),
            shape=width[:, None],
            flops=flops_,
            flops_convention="training",
            run=np.arange(len(rows)),
            run_names=tuple(f"r{i:03}" for i in range(len(rows))),
            lines=np.arange(2, len(rows) + 2),
            loss=loss_,
            examples=tokens,
            examples_unit="tokens",
            params=params,
        )


def one(name: str, valley: float, seed: int) -> dict[str, float]:
    """Return what came out of one sweep."""
    truth = Truth(name, seed)
    fit = sp.fit(truth.sweep(valley, seed), replicates=200, seed=seed)
    growth, of_law = truth.growth(), fit.growth_exponents.get("params")
    isoflops = fit.log.isoflops
    assert isoflops is not None
    by_parabolas = isoflops.growth
    flops = BEYOND * BUDGETS[-1]
    best, planned = truth.best(flops), fit.best_at(flops)["width"] / 64
    losses = [float(truth.loss(np.asarray(depth), flops)) for depth in (best, planned)]
    return {
        "law": float(of_law is not None and of_law.ci is not None and of_law.ci[0] <= growth <= of_law.ci[1]),
        "parabolas": float(
            by_parabolas is not None
            and by_parabolas.ci is not None
            and by_parabolas.ci[0] <= growth <= by_parabolas.ci[1]
        ),
        "regret": losses[1] / losses[0] - 1,
        "disagree": float("valleys-disagree" in {caution.code for caution in fit.cautions}),
    }


def main() -> None:
    """Print a row a truth and a width of the valleys."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sweeps", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    cells = [(name, valley) for name in TRUTHS for valley in VALLEYS]
    tasks = [(name, valley, asked.seed + i) for name, valley in cells for i in range(asked.sweeps)]
    found = in_parallel(one, tasks)
    print("| truth | valleys | law holds | parabolas hold | regret at 30x, median (largest) | valleys-disagree |")
    print("|---|---|---|---|---|---|")
    for k, (name, valley) in enumerate(cells):
        mine = found[k * asked.sweeps : (k + 1) * asked.sweeps]
        law, parabolas, disagree = (np.mean([row[key] for row in mine]) for key in ("law", "parabolas", "disagree"))
        regret = [row["regret"] for row in mine]
        told = f"{np.median(regret):.2%} ({max(regret):.2%})"
        print(f"| {name} | {valley:.0%} | {law:.0%} | {parabolas:.0%} | {told} | {disagree:.0%} |", flush=True)
    law, parabolas = (np.mean([row[key] for row in found]) for key in ("law", "parabolas"))
    print(
        f"\nall: law {law:.0%}, parabolas {parabolas:.0%}, median regret {np.median([r['regret'] for r in found]):.2%}"
    )


if __name__ == "__main__":
    main()

"""A rehearsal as tables."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import RenderableType

from shapeplan.design.power_curve import Power, Spread
from shapeplan.quantities import format_flops
from shapeplan.render.parts import facts, table, title
from shapeplan.wording import compact, percent

_MOST_WARNINGS = 8


def render_power(found: Power) -> list[RenderableType]:
    """Return what the design would buy, the curve over its runs, and what would be warned of."""
    own = found.prior.flops_convention
    noise = f"{found.noise:.2%} a row" + (f", {found.run_noise:.2%} a run" if found.run_noise else "")
    if found.tails is not None:
        noise += f", Student's with {found.tails:g} degrees of freedom"
    whole = found.stages[-1]
    exponents = list(whole.exponents)
    sizes = list(whole.sizes)
    rows = []
    for stage in found.stages:
        row = [f"{stage.runs}", format_flops(stage.flops)]
        row += [_ratio(stage.exponents, name) for name in exponents]
        row += [_ratio(stage.sizes, name) for name in sizes]
        row += [percent(stage.regret.median), percent(stage.regret.p90)] if stage.regret else ["-", "-"]
        rows.append([*row, f"{stage.refused:.0%}"])
    headers = ["runs", f"{own} FLOPs", *(f"s {name}" for name in exponents), *sizes]
    parts: list[RenderableType] = [
        title(f"What the sweep would buy, for a plan at {format_flops(found.target)} {own} FLOPs"),
        table([*headers, "regret", "90th pct", "no plan"], rows, left=0),
        facts(
            [
                ("s, sizes", "median width of the interval, upper end over lower, of s_k and of the best size"),
                ("regret", "what the plan loses to the best shape: the median, and the 90th percentile"),
                ("runs", "the cheapest of the design; the last row is all of it"),
                (
                    "rests on",
                    f"{found.sweeps} simulated sweeps a row under the law {found.prior.law.form.name}, seeds"
                    f" {found.seed} ...; noise {noise}",
                ),
            ]
        ),
    ]
    chosen = ", ".join(f"{name} {share:.0%}" for name, share in whole.laws.items())
    told = list(whole.warnings.items())[:_MOST_WARNINGS]
    warned = ", ".join(f"{code} {share:.0%}" for code, share in told) or "none"
    return [*parts, facts([("laws chosen", chosen), ("warnings", warned)])]


def _ratio(spreads: Mapping[str, Spread], name: str) -> str:
    return compact(spreads[name].median) + "x" if name in spreads else "-"

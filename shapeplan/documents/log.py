"""A sweep log as text, in the formats that the readers take."""

from __future__ import annotations

import csv
import io
import json

from shapeplan.runs import Runs


def log_csv(runs: Runs) -> str:
    """Return the rows as CSV."""
    rows = _rows(runs)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def log_yaml(runs: Runs) -> str:
    """Return the rows as YAML, with the settings that CSV has no place for."""
    lines = []
    if runs.architecture is not None:
        lines.append(f"architecture: {_flow(runs.architecture.describe())}")
    lines += [f"flops_convention: {runs.flops_convention}", f"metric: {runs.metric}", "runs:"]
    lines += [f"  - {_flow(row)}" for row in _rows(runs)]
    return "\n".join(lines) + "\n"


def _rows(runs: Runs) -> list[dict[str, str | int | float]]:
    """Return every row with its columns in the order in which people read them."""
    rows: list[dict[str, str | int | float]] = []
    for i in range(len(runs)):
        row: dict[str, str | int | float] = {"run": runs.run_names[runs.run[i]]}
        row.update({dim: _number(value) for dim, value in zip(runs.dims, runs.shape[i], strict=True)})
        for name, column in (("heads", runs.heads), ("params", runs.params), (runs.examples_unit, runs.examples)):
            if column is not None:
                row[name] = _number(column[i])
        row[f"{runs.flops_convention}_flops"] = _number(runs.flops[i])
        if runs.loss is not None:
            row[runs.metric] = float(runs.loss[i])
        rows.append(row)
    return rows


def _number(value: float) -> int | float:
    """Return whole numbers without a decimal point."""
    return int(value) if float(value).is_integer() else float(value)


def _flow(mapping: dict[str, str | int | float]) -> str:
    """Return a mapping in YAML's flow style; JSON's scalars are YAML's."""
    return "{" + ", ".join(f"{name}: {json.dumps(value)}" for name, value in mapping.items()) + "}"

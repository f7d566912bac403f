"""A sweep log as text, in the formats that the readers take."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from typing import Any

import yaml

from shapeplan.runs import Runs


def log_text(runs: Runs, form: str = "csv") -> str:
    """Return the rows in a format: ``csv``, ``tsv``, ``yaml``, ``json`` or ``jsonl``."""
    formats: dict[str, Callable[[Runs], str]] = {
        "csv": log_csv,
        "tsv": lambda rows: log_csv(rows, delimiter="\t"),
        "yaml": log_yaml,
        "json": log_json,
        "jsonl": log_json_lines,
    }
    return formats[form](runs)


def log_rows(runs: Runs) -> list[dict[str, str | int | float]]:
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


def log_csv(runs: Runs, delimiter: str = ",") -> str:
    """Return the rows as CSV."""
    rows = log_rows(runs)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def log_json(runs: Runs) -> str:
    """Return the rows as JSON, with the settings that CSV has no place for."""
    settings = "".join(f"  {json.dumps(name)}: {json.dumps(value)},\n" for name, value in _settings(runs).items())
    rows = ",\n".join(f"    {json.dumps(row)}" for row in log_rows(runs))
    return f'{{\n{settings}  "runs": [\n{rows}\n  ]\n}}\n'


def log_json_lines(runs: Runs) -> str:
    """Return the rows as JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in log_rows(runs))


def log_yaml(runs: Runs) -> str:
    """Return the rows as YAML, with the settings that CSV has no place for."""
    # A flow mapping a row keeps a log readable and one line a row, so that complaints name the line of the row.
    rows = "".join(f"  - {_dump(row, flow=True)}" for row in log_rows(runs))
    return _dump(_settings(runs), flow=False) + "runs:\n" + rows


def _settings(runs: Runs) -> dict[str, Any]:
    settings: dict[str, Any] = {"flops_convention": runs.flops_convention, "metric": runs.metric}
    return settings if runs.architecture is None else {"architecture": runs.architecture.describe(), **settings}


def _number(value: float) -> int | float:
    """Return whole numbers without a decimal point."""
    return int(value) if float(value).is_integer() else float(value)


def _dump(mapping: dict[str, Any], *, flow: bool) -> str:
    return str(yaml.safe_dump(mapping, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=math.inf))

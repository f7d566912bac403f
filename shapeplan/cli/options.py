"""The options that commands share, each defined once."""

import re
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.quantities import parse_assignments, parse_count, parse_flops, parse_fraction

START_HINT = "write e.g. width=608,depth=10,mlp_dim=928@3.5e18"


class ConventionName(StrEnum):
    """What a compute figure counts."""

    forward = "forward"
    training = "training"


class OutputFormat(StrEnum):
    """What errors and warnings look like."""

    text = "text"
    json = "json"
    github = "github"


Logs = Annotated[
    list[str],
    typer.Argument(metavar="LOG...", help="CSV and its kin, YAML, JSON, .gz, folders of runs; several; - for stdin."),
]
ColumnNames = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="ROLE=NAME", help="Column of a role, e.g. width=model.hidden_dim; repeatable."),
]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="CONDITION", help="Rows to read: 'State=finished', 'lr in 1e-3,3e-3'; repeatable."),
]
DropNonfinite = Annotated[bool, typer.Option("--drop-nonfinite", help="Leave out rows whose metric is empty or NaN.")]
LastPoint = Annotated[bool, typer.Option("--last-point", help="Read only the last row of every run.")]
EveryRow = Annotated[
    bool,
    typer.Option(
        "--every-row", help="Fit every row; else long runs are merged to 16 points, and 5000 runs drawn of more."
    ),
]
BestOf = Annotated[
    str | None,
    typer.Option("--best-of", metavar="A,B,...", help="Of runs of one shape and compute, the best over these."),
]
AllPoints = Annotated[
    bool, typer.Option("--all-points", help="Of runs of training tools, read every evaluation, not the last alone.")
]
LawFile = Annotated[str, typer.Argument(metavar="LAW", help="Law document that `fit -o` wrote; - for stdin.")]
Metric = Annotated[
    str | None, typer.Option("--metric", help="Column to be minimized. [default: the log's, else the only loss]")
]
Objective = Annotated[
    str, typer.Option("--objective", help="relative (least squares of pred/y - 1) or log-huber (outliers count less).")
]
HigherIsBetter = Annotated[
    bool, typer.Option("--higher-is-better", help="The metric is an accuracy: minimize one minus it.")
]
Dims = Annotated[
    str | None,
    typer.Option("--dims", metavar="A,B,...", help="Columns that are dimensions. [default: width,depth,mlp_dim]"),
]
LogConvention = Annotated[
    ConventionName | None,
    typer.Option("--flops-convention", help="What the log's flops count. [default: what its name says, else training]"),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="YAML", help="Settings: architecture, flops_convention, metric, star."),
]
Center = Annotated[
    str | None,
    typer.Option("--center", metavar="SHAPE", help="Centre of the star, e.g. width=1968,depth=40,mlp_dim=6144."),
]
StartPoint = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="SHAPE@FLOPS",
        help="x0 and t0 (as the law counts), e.g. width=608,depth=10,mlp_dim=928@3.5e18.",
    ),
]
PlanNoise = Annotated[
    str | None, typer.Option("--noise", help="Relative noise of a run. [default: the misfit of the law]")
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        min=0,
        help="Processes at once, for sweeps, metrics or the backtest; 0: one a core, of a backtest one.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Cluster in place of processes here: Dask, tcp://HOST:PORT, or Ray, ray://HOST:PORT.",
    ),
]
RunNoise = Annotated[str, typer.Option("--run-noise", help="Noise that all rows of a run share, as seeds have.")]
Tails = Annotated[
    float | None,
    typer.Option("--tails", help="Degrees of freedom of Student's noise; 3 is heavy. [default: normal]"),
]
Mfu = Annotated[str | None, typer.Option("--mfu", help="Share of the peak of --gpus. [default: 0.4]")]
LogOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="CSV, or .yaml, .json, .jsonl, .tsv. [default: stdout]"),
]
Format = Annotated[
    OutputFormat,
    typer.Option("--output-format", help="What errors and warnings look like: text, JSON, GitHub's annotations."),
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 where there are warnings.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the whole document as JSON.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file, atomically.")]
Interval = Annotated[
    str, typer.Option("--interval", help="Of the loss: run (what you will measure), or law (how sure the law is).")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Hide notes, never warnings, errors or results.")]


def output_format(arguments: Sequence[str]) -> OutputFormat:
    """Return how errors are shown, from arguments that may be refused before they are understood."""
    if "--json" in arguments:
        return OutputFormat.json
    joined = " ".join(arguments)
    return next(
        (one for one in OutputFormat if re.search(rf"--output-format[ =]{one.value}\b", joined)), OutputFormat.text
    )


def parse_dims(text: str | None) -> tuple[str, ...] | None:
    """Read ``width,depth,n_experts``."""
    if text is None:
        return None
    dims = tuple(part.strip() for part in text.split(","))
    if not all(dims) or len(set(dims)) < len(dims):
        raise ArgumentError(
            ErrorDetail(
                "bad-dims", f"--dims {text!r} has an empty or double name", "write e.g. width,depth", value=text
            )
        )
    return dims


def parse_names(option: str, text: str) -> tuple[str, ...]:
    """Read ``lr,batch_size``."""
    names = tuple(part.strip() for part in text.split(","))
    if not all(names):
        message = f"{option} {text!r} has an empty name"
        raise ArgumentError(ErrorDetail("bad-names", message, "write e.g. lr,batch_size", value=text))
    return names


def parse_columns(texts: list[str] | None) -> dict[str, str]:
    """Read ``width=model.hidden_dim``, given several times."""
    columns: dict[str, str] = {}
    for text in texts or ():
        role, equals, column = (part.strip() for part in text.partition("="))
        if not (role and equals and column) or role in columns:
            why = "is said twice" if role in columns else "is not ROLE=NAME"
            hint = "write e.g. --column width=model.hidden_dim"
            raise ArgumentError(ErrorDetail("bad-column", f"--column {text[:60]!r} {why}", hint, value=text))
        columns[role] = column
    return columns


def parse_center(text: str | None) -> dict[str, float] | None:
    """Read ``width=1968,depth=40,mlp_dim=6144``."""
    return None if text is None else parse_assignments(text, "write e.g. width=1968,depth=40,mlp_dim=6144")


def parse_start(text: str) -> tuple[dict[str, float], float]:
    """Read ``width=608,depth=10,mlp_dim=928@3.5e18`` into x0 and t0."""
    shape, at, flops = text.partition("@")
    if not at:
        raise ArgumentError(ErrorDetail("bad-start", f"{text!r} has no @ before the compute", START_HINT, value=text))
    return parse_assignments(shape, START_HINT), parse_flops(flops)


def parse_multiples(texts: list[str] | None) -> dict[str, int]:
    """Read ``width=128,mlp_dim=256``, given once or several times."""
    from shapeplan.planning.rounding import check_multiples

    multiples = parse_assignments(",".join(texts), "write e.g. width=128,mlp_dim=256") if texts else {}
    check_multiples(multiples, tuple(multiples))
    return {dim: int(value) for dim, value in multiples.items()}


def parse_durations(text: str | None) -> list[float] | None:
    """Read ``64M,128M,256M``."""
    return None if text is None else [parse_count(part) for part in text.split(",")]


def parse_values(texts: list[str] | None) -> dict[str, list[float]]:
    """Read ``width=608,768,928``, given several times."""
    values: dict[str, list[float]] = {}
    for text in texts or []:
        name, equals, numbers = (part.strip() for part in text.partition("="))
        if not (name and equals and numbers) or name in values:
            why = "is said twice" if name in values else "is not name=number,number"
            hint = "write e.g. width=608,768,928"
            raise ArgumentError(ErrorDetail("bad-values", f"--values {text[:60]!r} {why}", hint, value=text))
        values[name] = [parse_count(part) for part in numbers.split(",")]
    return values


def parse_number(option: str, text: str | None, hint: str) -> float | None:
    """Read a positive number; errors name the option."""
    if text is None:
        return None
    try:
        return parse_count(text)
    except ArgumentError as error:
        wrong = error.details[0]
        raise ArgumentError(replace(wrong, message=f"{option} {wrong.message}", hint=hint)) from None


def parse_mfu(text: str | None) -> float | None:
    """Read ``0.4`` or ``40%``."""
    return None if text is None else parse_fraction(text, most=1.0, hint="write e.g. 0.4 or 40%; 0.3 to 0.5 is usual")


def parse_settings(texts: list[str] | None, taken: set[str]) -> dict[str, str]:
    """Read ``gated=true``, given several times; what other options say (`taken`) must not be said again."""
    settings: dict[str, str] = {}
    for text in texts or []:
        name, equals, value = (piece.strip() for piece in text.partition("="))
        if not (name and equals and value):
            why = "is not name=value"
        elif name in settings or name in taken:
            why = "is said twice"
        else:
            settings[name] = value
            continue
        raise ArgumentError(
            ErrorDetail("bad-setting", f"--set {text[:60]!r} {why}", "write e.g. gated=true", value=text)
        )
    return settings

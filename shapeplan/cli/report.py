"""``shapeplan report``: the whole analysis as one page."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.output import open_console, output_target
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.quantities import parse_flops


def report(
    law: opt.LawFile,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The page: report.html.")],
    flops: Annotated[
        list[str] | None,
        typer.Option(
            "--flops", metavar="FLOPS", help="Budgets to plan for. Repeatable. [default: 1, 10 and 100 times the log]"
        ),
    ] = None,
    also: Annotated[
        str | None, typer.Option("--also", metavar="FILE", help="Another law document, to set at its side.")
    ] = None,
    quiet: opt.Quiet = False,
) -> None:
    """Write the report of a fit: the answer, a slider over budgets, pictures, the fit, where it comes from.

    One HTML file that opens from disk and asks the network for nothing. It needs the extra: pip install
    'shapeplan[plots]'.

    Example: shapeplan report law.json -o report.html
    """
    from shapeplan.documents.files import read_law
    from shapeplan.render.extra import check_plots

    check_plots()
    from shapeplan.render.report.report import report_page

    console = open_console(quiet=quiet)
    if output.suffix.lower() not in (".html", ".htm"):
        message = f"a report is a page, and {output.name!r} does not end in .html"
        raise ArgumentError(ErrorDetail("bad-format", message, "give -o report.html; pictures alone: shapeplan plot"))
    place = output_target(output, (law, also), ("html", "htm"))
    assert place is not None, "a report always goes to a file"
    budgets = [parse_flops(text) for text in flops or []]
    again = [
        "shapeplan",
        "report",
        law,
        *(word for text in flops or [] for word in ("--flops", text)),
        *(("--also", also) if also else ()),
        "-o",
        str(output),
    ]
    name = law if law != "-" else "law.json"
    fit = read_law(law)
    other = read_law(also) if also is not None else None
    for one in (fit, other):
        if one is not None and (distrust := one.distrust) is not None:
            console.warn((distrust,))
    place.write(console, report_page(fit, budgets, shlex.join(again), name, other))

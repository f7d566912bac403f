"""``shapeplan plot``: one picture of a fit."""

from pathlib import Path
from typing import Annotated

import typer

from shapeplan.cli import options as opt
from shapeplan.cli.output import open_console, output_target
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.quantities import parse_flops


def plot(
    laws: Annotated[
        list[str], typer.Argument(metavar="LAW...", help="Law document; exponents compares several. - for stdin.")
    ],
    figure: Annotated[
        str,
        typer.Option("--figure", help="frontier, isoflop, valley, fit, residuals, rollout or exponents."),
    ] = "frontier",
    flops: Annotated[
        str | None,
        typer.Option("--flops", metavar="FLOPS", help="Where frontier ends; what isoflop and valley are at."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers of the figure as a document.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The picture: .png, .svg, .pdf, .html, .json (Vega-Lite)."),
    ] = None,
    quiet: opt.Quiet = False,
) -> None:
    """Draw a picture of a fit: the best shape against compute, the loss against each dimension, residuals ...

    Pictures need the extra: pip install 'shapeplan[plots]'. --json needs nothing.

    Example: shapeplan plot law.json --figure frontier -o frontier.svg
    """
    from shapeplan.documents.figure import figure_document, figure_document_of_metrics
    from shapeplan.documents.files import read_law, read_law_or_metrics
    from shapeplan.documents.metrics import growths_of
    from shapeplan.figures.catalogue import check_compute
    from shapeplan.figures.catalogue import figure as figure_of
    from shapeplan.figures.exponents import exponents
    from shapeplan.fitting.result import Fit

    console = open_console(quiet=quiet, as_json=as_json)
    if output is None and not as_json:
        message = "a picture needs a file to go to"
        raise ArgumentError(ErrorDetail("no-output", message, "give -o figure.png (.svg, .pdf, .html), or --json"))
    if output is not None:
        from shapeplan.render.pictures import check_format, picture

        check_format(output.suffix)
    drawing = output_target(output, laws, ())
    place = check_compute(figure, None if flops is None else parse_flops(flops))
    first = read_law_or_metrics(laws[0]) if figure == "exponents" and len(laws) == 1 else read_law(laws[0])
    if isinstance(first, Fit):
        fits = (first, *(read_law(law) for law in laws[1:]))
        found = figure_of(figure, fits, place)
        document = figure_document(found, fits)
    else:
        found = exponents(growths_of(first[0]))
        document = figure_document_of_metrics(found, *first)
    console.warn(found.cautions)
    if drawing is not None:
        drawing.write(console, picture(found, drawing.path.suffix))
    if as_json:
        console.text(document.dumps())

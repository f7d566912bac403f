"""The command line: every command is registered here, and every error ends here."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from shapeplan import __version__
from shapeplan.__main__ import EXIT_INTERRUPTED, OUT_OF_MEMORY, lacks_memory
from shapeplan.cli import flags
from shapeplan.cli import options as opt
from shapeplan.cli.output import open_console
from shapeplan.cli.strict import StrictCommand, StrictGroup
from shapeplan.errors import ErrorDetail, ShapeplanError
from shapeplan.render.console import ClosedPipe, Console

EXIT_USAGE = 2

CITATION = """\
@inproceedings{{alabdulmohsin2023getting,
  title     = {{Getting ViT in Shape: Scaling Laws for Compute-Optimal Model Design}},
  author    = {{Alabdulmohsin, Ibrahim and Zhai, Xiaohua and Kolesnikov, Alexander and Beyer, Lucas}},
  booktitle = {{Advances in Neural Information Processing Systems}},
  volume    = {{36}},
  year      = {{2023}},
  note      = {{arXiv:2305.13035}}
}}
@software{{shapeplan,
  title   = {{shapeplan: compute-optimal model shapes from a sweep}},
  version = {{{version}}},
  note    = {{the method is that of the paper above; shapeplan is not by its authors}}
}}"""
"""The paper and the tool, in BibTeX."""

_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""Typer's own error for wrong usage; it carries Click inside and exports no base class."""

COMMANDS = (
    *("check", "fit", "compare", "recommend", "plot", "report"),
    *("flops", "predict", "simulate", "explain", "design", "status"),
)
"""Every command, in the order of the help: a function, or a group of them, in the module of its name."""


def _show_version(wanted: bool) -> None:
    if wanted:
        open_console().text(f"shapeplan {__version__}\n")
        raise typer.Exit


def _show_citation(wanted: bool) -> None:
    if wanted:
        open_console().text(CITATION.format(version=__version__) + "\n")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    cite: Annotated[
        bool, typer.Option("--cite", callback=_show_citation, is_eager=True, help="Show what to cite and exit.")
    ] = False,
) -> None:
    """Sweep logs in, a compute-optimal model shape out."""


def command_line(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line with some of its commands: Typer reads every option of all that it is given."""
    app = typer.Typer(
        name="shapeplan",
        cls=StrictGroup,
        help="Sweep logs in, a compute-optimal model shape out.\n\nExample: shapeplan recommend --flops 1e21\n\n"
        "Exit status: 0 answered, 1 data or fit refused, 2 wrong usage, 3 a pinned plan moved, 130 interrupted.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in names:
        place = name.replace("-", "_")
        command = getattr(import_module(f"shapeplan.cli.{place}"), place)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name, cls=StrictCommand)(command)
    return app


def main() -> int:
    """Run the command line and return its exit status; the one place where errors become messages and exit statuses."""
    if os.environ.get("SHAPEPLAN_DEBUG", "0") in ("", "0"):
        # What NumPy warns of ends in a complaint of ours, or in no number.
        warnings.simplefilter("ignore", RuntimeWarning)
    return run(sys.argv[1:])


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    shown = opt.output_format(arguments)
    console = open_console(as_json=shown is opt.OutputFormat.json, github=shown is opt.OutputFormat.github)
    try:
        return _invoke(arguments, console)
    except ShapeplanError as error:
        _traceback_if_asked()
        console.error(error)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except ClosedPipe:
        return 0
    except Exception as error:  # A bug of ours must not end in a traceback; with SHAPEPLAN_DEBUG=1 it still does.
        if _was_interrupted(error):
            return EXIT_INTERRUPTED
        _traceback_if_asked()
        if lacks_memory(error):
            why, _, hint = OUT_OF_MEMORY.partition("; ")
            console.error(ShapeplanError(ErrorDetail("out-of-memory", why, hint)))
            return 1
        message = f"something went wrong inside shapeplan ({type(error).__name__}: {error})"
        console.error(
            ShapeplanError(ErrorDetail("internal", message, "please report it; SHAPEPLAN_DEBUG=1 shows where"))
        )
        return 1
    finally:
        flags.runs(())


def _invoke(arguments: list[str], console: Console) -> int:
    """Run one command; usage that is wrong is told, all else is raised."""
    named = next((word for word in arguments if not word.startswith("-")), "")
    try:
        app = command_line([named] if named in COMMANDS else COMMANDS)
        with console.writing():
            status = app(arguments, prog_name="shapeplan", standalone_mode=False)
    except _UsageError as error:
        return _usage(error, console)
    return status if isinstance(status, int) else 0


def _was_interrupted(error: BaseException | None) -> bool:
    """Return whether Ctrl-C is behind an error: a library that it meets while being loaded may raise one of its own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _usage(error: Exception, console: Console) -> int:
    context = getattr(error, "ctx", None)
    message = getattr(error, "format_message", lambda: str(error))()
    if not message:
        # No command was given: Click has the whole help as the message.
        message = context.get_help() if context else ""
    hint = f"see {context.command_path if context else 'shapeplan'} --help"
    if type(error).__name__ == "NoArgsIsHelpError":
        console.text(message + "\n")
        return EXIT_USAGE
    refused = _refused(error)
    if refused is None:
        message, value = message[:1].lower() + message[1:].rstrip("."), None
    else:
        message, value = refused
    console.error(ShapeplanError(ErrorDetail("usage", message, hint, value=value)))
    return EXIT_USAGE


def _refused(error: Exception) -> tuple[str, str] | None:
    """Return what is wrong with the value of an option, and the value, where Typer asked pydantic and leaves it out."""
    details = getattr(error.__context__, "errors", None)
    options = getattr(getattr(error, "param", None), "opts", None)
    if details is None or not options:
        return None
    first = details()[0]
    value = str(first["input"])
    why = first["msg"].removeprefix("Value error, ").split(", unable")[0].rstrip(".")
    why = why if repr(value) in why else f"{value!r} {why.replace('Input should be', 'is not', 1)}"
    return f"{max(options, key=len)}: {why}", value


def _traceback_if_asked() -> None:
    if os.environ.get("SHAPEPLAN_DEBUG", "0") not in ("", "0"):
        import traceback

        traceback.print_exc()

"""Arguments in messages, as the command line writes them.

Below the command line a message names an argument as Python does, between backticks: `` `max_params` ``, or with a
value, `` `law=auto` ``. Here it becomes ``--max-params`` or ``--law auto``, with the command that has it
where the one that runs has not.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from contextvars import ContextVar

_ARGUMENT = re.compile(r"(?<![\w'\"])`([a-z][a-z0-9_]*)(?:=([^`]*))?`(?![\w'\"])")
_OWN_NAMES = {"columns": "column", "multiples": "multiple-of"}
"""Options that are not called as the argument is."""
_OWNERS = ("fit", "recommend")
"""Commands whose options the messages of others name: what is said of a log, and of a plan."""
_RUNNING: ContextVar[frozenset[str]] = ContextVar("options of the command that runs", default=frozenset())


def runs(options: Iterable[str]) -> None:
    """Say which options the command has that runs."""
    _RUNNING.set(frozenset(options))


def with_flags(text: str) -> str:
    """Return a message with options in place of the arguments it names; names in quotes are the user's and stay."""
    return _ARGUMENT.sub(_option, text)


def _option(argument: re.Match[str]) -> str:
    name, value = argument.groups()
    flag = "--" + _OWN_NAMES.get(name, name).replace("_", "-")
    written = flag if value is None else f"{flag} {_in_shell(value)}"
    if not _RUNNING.get() or flag in _RUNNING.get():
        return written
    return next((f"{written} (of shapeplan {owner})" for owner in _OWNERS if flag in _options_of(owner)), written)


def _in_shell(value: str) -> str:
    """Return a value that stands between apostrophes so that a shell takes those inside it as they are."""
    inside = value[1:-1]
    return shlex.quote(inside) if value[0] == value[-1] == "'" and "'" in inside else value


def _options_of(command: str) -> list[str]:
    # The commands are those of the application, which imports this.
    import typer

    from shapeplan.cli.app import command_line

    built = typer.main.get_command(command_line([command]))
    return [flag for parameter in getattr(built, "commands", {})[command].params for flag in parameter.opts]

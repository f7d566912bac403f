"""Rebuilds the shell command behind a result."""

import shlex
from enum import Enum

import typer

_OF_OUTPUT = (
    "output",
    "form",
    "as_json",
    "quiet",
    "verbose",
    "output_format",
    "expect",
    "loss_tolerance",
    "size_tolerance",
    "jobs",
    "scheduler",
)
"""What says where a result is made and goes, and not what it is."""


def command_of(context: typer.Context) -> str:
    """Return the command as a shell takes it: its arguments, and the options that are not as by default."""
    words = context.command_path.split()
    options: list[str] = []
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if parameter.name in _OF_OUTPUT or value is None or value == parameter.default:
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            text = str(one.value if isinstance(one, Enum) else one)
            if parameter.param_type_name == "argument":
                words.append(text)
            elif isinstance(one, bool):
                options.append(parameter.opts[0])
            else:
                options += [parameter.opts[0], text]
    return shlex.join([*words, *options])

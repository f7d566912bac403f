"""Arguments in messages, as the command line writes them.

Below the command line a message names an argument as Python does, between backticks: `` `max_params` ``, or with a
value, `` `law=auto` ``. Here it becomes ``--max-params`` or ``--law auto``.
"""

from __future__ import annotations

import re

_ARGUMENT = re.compile(r"(?<![\w'\"])`([a-z][a-z0-9_]*)(?:=([^`]*))?`(?![\w'\"])")
_OWN_NAMES = {"columns": "column", "multiples": "multiple-of"}
"""Options that are not called as the argument is."""


def with_flags(text: str) -> str:
    """Return a message with options in place of the arguments it names; names in quotes are the user's and stay."""
    return _ARGUMENT.sub(_option, text)


def _option(argument: re.Match[str]) -> str:
    name, value = argument.groups()
    flag = "--" + _OWN_NAMES.get(name, name).replace("_", "-")
    return flag if value is None else f"{flag} {value}"

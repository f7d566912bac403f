"""Arguments of a command, as arrays of Bash, in which a line may be a comment."""

from __future__ import annotations

import shlex
from collections.abc import Mapping


def array(name: str, arguments: Mapping[str, object]) -> str:
    """Return an argument a line: those that are True are switches."""
    lines = (
        f"    --{argument}" + ("" if value is True else f" {shlex.quote(str(value))}")
        for argument, value in arguments.items()
    )
    return f"{name}=(\n" + "".join(f"{line}\n" for line in lines) + ")\n"

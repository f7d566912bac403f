"""A command that takes no option twice where only one value counts."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from shapeplan.errors import ArgumentError, ErrorDetail


class StrictCommand(TyperCommand):
    """A command in which the last of two values does not silently win."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises
        ------
        ArgumentError
            If an option that takes one value is given twice.
        """
        given = [argument.partition("=")[0] for argument in args]
        for option in self.params:
            once = option.param_type_name == "option" and not getattr(option, "multiple", False)
            if once and sum(name in option.opts for name in given) > 1:
                name = max(option.opts, key=len)
                raise ArgumentError(ErrorDetail("option-twice", f"{name} is given twice", "give it once", value=name))
        return super().parse_args(ctx, args)

"""Commands that take no option twice where only one value counts, and whose help goes where results go."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

from shapeplan.cli import flags
from shapeplan.cli.output import open_console
from shapeplan.errors import ArgumentError, ErrorDetail


def _show_help(context: Any, option: Any, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        open_console().text(context.get_help() + "\n")
        context.exit()


class StrictGroup(TyperGroup):
    """A group of commands."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option that shows the help; Click's own knows neither closed pipes nor full disks."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _show_help
        return option


class StrictCommand(TyperCommand):
    """A command in which the last of two values does not silently win."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises
        ------
        ArgumentError
            If an option that takes one value is given twice.
        """
        flags.runs(flag for option in self.params for flag in option.opts)
        given = [argument.partition("=")[0] for argument in args]
        for option in self.params:
            once = option.param_type_name == "option" and not getattr(option, "multiple", False)
            if once and sum(name in option.opts for name in given) > 1:
                name = max(option.opts, key=len)
                raise ArgumentError(ErrorDetail("option-twice", f"{name} is given twice", "give it once", value=name))
        return super().parse_args(ctx, args)

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option that shows the help, as `StrictGroup` does."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _show_help
        return option

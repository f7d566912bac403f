"""What messages call arguments, and what the command line makes of it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import typer
from conftest import Program

from shapeplan.cli.app import command_line
from shapeplan.cli.flags import with_flags

PACKAGE = Path(__file__).parents[1] / "shapeplan"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("raise it, or look further with `trust`", "raise it, or look further with --trust"),
        ("`max_params` cannot be 0", "--max-params cannot be 0"),
        ("`where='State=finished'` keeps them", "--where 'State=finished' keeps them"),
        ("say which: `columns=width=d_model`", "say which: --column width=d_model"),
        ("there is no column '`loss`'", "there is no column '`loss`'"),
        ("run `shapeplan flops --list`", "run `shapeplan flops --list`"),
    ],
)
def test_arguments_are_options_on_the_command_line(message: str, shown: str) -> None:
    assert with_flags(message) == shown


def test_every_argument_that_a_message_names_is_an_option() -> None:
    options = {name for command in _commands() for name in _options(command)}
    named = set()
    for module in PACKAGE.rglob("*.py"):
        if "cli" not in module.parts:
            for text in re.findall(r"(?<![`\w'\"])`([a-z][a-z0-9_]*)(?:=[^`]*)?`", _texts(module.read_text())):
                named.add(text)
    assert named
    unknown = {name for name in named if with_flags(f"`{name}`") not in options}
    assert not unknown


def test_no_module_below_the_command_line_names_an_option() -> None:
    # Whole commands, to be typed as they are.
    shell = {"render/report/report.py", "render/report/budgets.py", "planning/answer.py"}
    shell |= {"architectures/catalogue/find.py"}
    # Commands of other programs.
    shell |= {f"documents/launch/{name}.py" for name in ("hydra", "slurm", "template", "wandb")}
    shell |= {"documents/configs/shell_text.py"}
    for module in PACKAGE.rglob("*.py"):
        place = module.relative_to(PACKAGE).as_posix()
        if not place.startswith("cli/") and place not in shell:
            assert not re.search(r"(?<![-\w`])--[a-z{]", module.read_text()), place


def test_an_error_names_the_option(program: Program) -> None:
    done = program("recommend", "--flops", "1e21", "--trust", "0.5")
    assert "--trust cannot be 0.5" in done.stderr


def _texts(source: str) -> str:
    """Return the texts of a module but for its docstrings, with what is formatted left out."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in prose]
    return "\n".join(text.value for text in texts if isinstance(text.value, str))


def _commands() -> list[typer.core.TyperCommand]:
    root = typer.main.get_command(command_line())
    found, left = [], [root]
    while left:
        command = left.pop()
        found.append(command)
        left += getattr(command, "commands", {}).values()
    return found


def _options(command: typer.core.TyperCommand) -> list[str]:
    return [option for parameter in command.params for option in parameter.opts]

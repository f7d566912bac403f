"""What messages call arguments, and what the command line makes of it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import typer
from conftest import SAMPLES, Program

from shapeplan.cli.app import command_line
from shapeplan.cli.flags import with_flags

PACKAGE = Path(__file__).parents[1] / "shapeplan"
_ONE_COMMAND = {"--figure", "--search"}
"""Options of `plot` and `explain`, which no other command speaks of."""


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
    named = _named()
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


def test_an_option_of_another_command_is_told_with_it(program: Program, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text((SAMPLES / "vit_sweep.csv").read_text())
    head, first, *rest = log.read_text().splitlines()
    log.write_text("\n".join([head, first.rsplit(",", 1)[0] + ",nan", *rest]) + "\n")
    hint = "remove the row, or --drop-nonfinite{}: a run that diverged cannot be fitted"
    for command, of in (("fit", ""), ("check", ""), ("recommend", " (of shapeplan fit)")):
        log_of = ["--log", log, "--flops", "1e21"] if command == "recommend" else [log]
        done = program(command, *log_of)
        assert done.returncode == 1
        assert hint.format(of) in " ".join(done.stderr.split()), command


def test_every_option_that_a_message_names_is_told_with_a_command() -> None:
    """Whichever command runs, what it lacks is said to be of `fit` or `recommend`, or is of its own family alone."""
    options = {command.name: set(_options(command)) for command in _commands()}
    designs = options["star"] | options["grid"] | options["isoflop"] | options["next"] | options["status"]
    for name in _named():
        flag = with_flags(f"`{name}`")
        assert flag in options["fit"] | options["recommend"] | options["flops"] | designs | _ONE_COMMAND, flag


def test_a_check_advises_in_options(program: Program, tmp_path: Path) -> None:
    rows = ["recipe,width,depth,tokens,flops,loss"]
    for recipe, factor in (("adam", 1.0), ("muon", 0.95)):
        for width in (64, 96, 128, 192):
            for depth in (2, 4, 6):
                for tokens in (1e8, 2e8, 4e8):
                    flops = 6 * 12 * width**2 * depth * tokens
                    loss = factor * (1 + 20 * width**-0.5 + 2 * depth**-0.5 + 4e3 * tokens**-0.45)
                    rows.append(f"{recipe},{width},{depth},{tokens:g},{flops:.6e},{loss:.6f}")
    (tmp_path / "log.csv").write_text("\n".join(rows) + "\n")
    shown = " ".join(program("check", tmp_path / "log.csv").stdout.split())
    assert "fitted with --group (of shapeplan fit); or one recipe, by --where" in shown


def _texts(source: str) -> str:
    """Return the texts of a module but for its docstrings, with what is formatted left out."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in prose]
    return "\n".join(text.value for text in texts if isinstance(text.value, str))


def _named() -> set[str]:
    """Return the arguments that messages below the command line name."""
    named = set()
    for module in PACKAGE.rglob("*.py"):
        if "cli" not in module.parts:
            named.update(re.findall(r"(?<![`\w'\"])`([a-z][a-z0-9_]*)(?:=[^`]*)?`", _texts(module.read_text())))
    return named


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

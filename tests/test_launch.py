"""Files that start the runs of a design: what they start, and that values are data wherever a command has them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import Program
from hypothesis import given, settings
from hypothesis import strategies as st

from shapeplan import architecture, design_star, launch_file, read_runs, save_design
from shapeplan.cli.launch import LauncherName
from shapeplan.documents.launch.launch import LAUNCHERS
from shapeplan.documents.launch.template import default_command, parse_template
from shapeplan.documents.log import log_rows
from shapeplan.documents.writing import write_files
from shapeplan.errors import ArgumentError, OutputError
from shapeplan.runs import Runs

COLUMNS = ("run", "width")
HOSTILE = (
    "a b",
    "it's",
    'say "x"',
    "$(touch owned)",
    "`touch owned`",
    "; touch owned #",
    "${HOME}",
    "${envvar:HOME}",
    "*",
    "\\",
    "a\\'b",
    "{x}",
    "line\nbreak\t",
    "--width=1",
    "=,:[]",
    "ünï",
    "esac",
)
"""Names that mean something to a shell, to YAML, to W&B or to Hydra."""


def design(names: tuple[str, ...] = ()) -> Runs:
    """Return a design, of which the first runs are called otherwise."""
    vit = architecture({"family": "vit", "patch": 14, "image": 224, "heads": 16})
    runs = design_star({"width": 1024, "depth": 24, "mlp_dim": 4096}, vit, [1e6, 2e6]).runs
    return replace(runs, run_names=(*names, *runs.run_names[len(names) :]))


def bash(script: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", script, "bash", *arguments], cwd=cwd, capture_output=True, env={**os.environ, **environment}
    )


TEMPLATES = (
    "printf '%s\\0' {run} {width}",
    "printf '%s\\0' '{run}' '{width}'",
    'printf "%s\\0" "{run}" "{width}"',
    "x=; printf '%s\\0' {run} \"${{x}}\"{width}",
    "printf '%s\\0' ${{HOME:0:0}}{run} $(printf %s {width})",
    "printf '%s\\0' it\\'s\"{run}\" {width} | sed -z s/^it.s//",
    "printf '%s\\0' {run} {width} > out.txt && cat out.txt",
)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_value_is_data_wherever_it_stands(template: str, tmp_path: Path) -> None:
    command = parse_template(template, COLUMNS)
    for name in HOSTILE:
        done = bash(command.fill({"run": name, "width": 64}), cwd=tmp_path)
        assert done.stdout == f"{name}\0{64}\0".encode() or done.stdout == f"{name}\0{64}".encode(), (name, done)
    assert not (tmp_path / "owned").exists()


@settings(max_examples=40)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12))
def test_any_text_comes_through_any_quotes(name: str) -> None:
    template = "printf '%s\\0' {run} '{run}' \"{run}\" \"a\"'{run}'\\ \"{run}\" '\"{run}' \"'{run}\" a{run}b"
    done = bash(parse_template(template, COLUMNS).fill({"run": name, "width": 1}), cwd=Path("/"))
    wanted = [name, name, name, f"a{name} {name}", f'"{name}', f"'{name}", f"a{name}b"]
    assert done.stdout.decode().split("\0")[:-1] == wanted


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (
            "x {widht}",
            "`command` has the placeholder {widht}, and the design no such column; the columns are run, width;",
        ),
        ("x {a} {b} {a}", "the placeholders {a}, {b}, and the design no such columns"),
        ("x ${HOME}", "the placeholder {HOME}"),
        ("x {}", "the placeholder {}"),
        ("x {0}", "the placeholder {0}"),
        ("x {run!r} {width:>8}", "the placeholders {run!r}, {width:>8}"),
        ("x {run.upper} {run[0]}", "the placeholders {run.upper}, {run[0]}"),
        ("x {run", "a brace that belongs to no placeholder; write {width} for a value, and {{ or }} for a brace"),
        ("x }", "a brace that belongs to no placeholder"),
        (" ", "`command` is empty; write e.g. 'python train.py --run {run}'"),
        ("x \0", "`command` holds a NUL"),
        ("x '{run}", "opens a quote, ', and does not close it"),
        (
            "x ${run}",
            "has ${...}, where a value cannot be quoted safely; leave it out, or put such a command into a script",
        ),
        ('x "${run}"', "has ${...}, where"),
        ("x \\{run}", "has \\{...}, where"),
        ("x {width}>log", "has {...}>, where"),
        ("x `echo {run}`", "has `, where"),
        ('x "$(echo {run})"', "has $(, where"),
        ('x "${{y:-{run}}}"', "has ${, where"),
        ("x $'it\\'s' {run}", "has $', where"),
        ("x $(({width} * 2))", "has ((, where"),
        ("cat <<E\n{run}\nE", "has <<, where"),
        ("x # it's\n {run}", "has #, where"),
        ("x \\", "has \\, where"),
        ("bash -c 'x {run}'", "a placeholder in a command for another shell, where"),
        ('srun sh -lc "x {run}"', "a placeholder in a command for another shell, where"),
        ("ssh host x {run}", "a placeholder in a command for another shell, where"),
        ("eval x {run}", "a placeholder in a command for another shell, where"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(template: str, said: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        parse_template(template, COLUMNS)
    assert said in str(refused.value)


def test_braces_and_shell_that_has_no_values_stay() -> None:
    row = {"run": "a", "width": 2.5}
    for template, command in (
        ("x '{{\"w\": {width}}}' {{a,b}}", "x '{\"w\": 2.5}' {a,b}"),
        ('x "${{HOME}}/{run}" $(date) <<< y', 'x "${HOME}/a" $(date) <<< y'),
        ("x --config-c '{run} y' a#b", "x --config-c 'a y' a#b"),
        ("x -c configs/{run}.yaml", "x -c configs/a.yaml"),
    ):
        assert parse_template(template, COLUMNS).fill(row) == command


def test_the_default_command_has_every_column() -> None:
    assert default_command(("run", "n experts")) == "python train.py --run {run} '--n experts' {n experts}"


def tasks(script: Path, cwd: Path, count: int) -> list[list[str]]:
    """Run every task of a script, and return the words that each printed."""
    every = [bash(f"bash {script}", cwd=cwd, SLURM_ARRAY_TASK_ID=str(task)) for task in range(1, count + 1)]
    assert not any(done.returncode for done in every), every
    return [done.stdout.decode().split("\0")[:-1] for done in every]


def test_a_task_of_slurm_is_a_row(tmp_path: Path) -> None:
    runs = design(HOSTILE)
    save_design(runs, tmp_path / "a b.csv", launch="slurm", command="printf '%s\\0' {run} \"{width}\" {examples}")
    script = tmp_path / "a b.slurm.sh"
    assert subprocess.run(["bash", "-n", script]).returncode == 0
    head = script.read_text().splitlines()[:3]
    assert head == ["#!/bin/bash", "#SBATCH --job-name=a-b", f"#SBATCH --array=1-{len(runs)}"]
    rows = log_rows(runs)
    wanted = [[str(row[column]) for column in ("run", "width", "examples")] for row in rows]
    assert tasks(Path(shlex.quote(str(script))), tmp_path, len(rows)) == wanted
    assert not (tmp_path / "owned").exists()


@pytest.mark.skipif(shutil.which("sbatch") is None, reason="no Slurm here: the script is run by bash instead")
def test_slurm_takes_the_script(tmp_path: Path) -> None:
    save_design(design(), tmp_path / "star.csv", launch="slurm")
    assert subprocess.run(["sbatch", "--test-only", "star.slurm.sh"], cwd=tmp_path).returncode == 0


def test_the_names_of_launchers_are_those_of_the_command_line() -> None:
    assert list(LauncherName) == list(LAUNCHERS)


def test_a_task_that_is_no_row_fails(tmp_path: Path) -> None:
    (tmp_path / "x.sh").write_text(launch_file(design(), "x.csv", "slurm").text)
    count = len(design())
    beyond = bash("bash x.sh", cwd=tmp_path, SLURM_ARRAY_TASK_ID=str(count + 1))
    assert (beyond.returncode, beyond.stderr) == (1, f"task {count + 1}: the design has {count} runs\n".encode())
    outside = bash("unset SLURM_ARRAY_TASK_ID; bash x.sh", cwd=tmp_path)
    assert outside.returncode
    assert b"is not set: submit this by sbatch" in outside.stderr


def test_a_name_of_a_file_is_no_directive() -> None:
    text = launch_file(design(), "a\ntouch owned #SBATCH --x.csv", "slurm").text
    assert text.splitlines()[1] == "#SBATCH --job-name=a-touch-owned-SBATCH---x"


def test_the_status_of_a_task_is_that_of_its_command(tmp_path: Path) -> None:
    (tmp_path / "x.sh").write_text(launch_file(design(), "x.csv", "slurm", "exit 7").text)
    assert bash("bash x.sh", cwd=tmp_path, SLURM_ARRAY_TASK_ID="1").returncode == 7


def agent(sweep: dict[str, object], run: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Do what W&B's agent does with the command of a sweep."""
    words: list[str] = []
    for word in sweep["command"]:
        replaced = re.sub(r"\$\{envvar\:([A-Z0-9_]*)\}", lambda match: os.environ.get(match[1], match[1]), word)
        words += [f"--run={run}"] if replaced == "${args}" else [replaced]
    return subprocess.run(words, cwd=cwd, capture_output=True, env={**os.environ, **environment})


def test_a_run_of_a_wandb_sweep_is_a_row(tmp_path: Path) -> None:
    runs = design(HOSTILE)
    text = launch_file(runs, "star.csv", "wandb", "printf '%s\\0' \"$WANDB_NAME\" {run} '{run}' {width}").text
    sweep = yaml.safe_load(text)
    assert (sweep["method"], list(sweep["parameters"])) == ("grid", ["run"])
    assert sweep["parameters"]["run"]["values"] == list(runs.run_names)
    for row in log_rows(runs):
        done = agent(sweep, str(row["run"]), tmp_path)
        assert done.stdout.decode().split("\0")[:-1] == [*[row["run"]] * 3, str(row["width"])], done
    assert not (tmp_path / "owned").exists()
    unknown = agent(sweep, "other", tmp_path)
    assert (unknown.returncode, unknown.stderr) == (1, b"no run --run=other\n")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # It leaves the file open.
def test_the_wandb_library_reads_the_sweep(tmp_path: Path) -> None:
    utils = pytest.importorskip("wandb.sdk.launch.sweeps.utils")
    save_design(design(HOSTILE), tmp_path / "star.csv", launch="wandb", command="python train.py --name {run}")
    sweep = utils.load_sweep_config(str(tmp_path / "star.wandb.yaml"))
    assert utils.create_sweep_command(list(sweep["command"])) == sweep["command"], "no macro but ${args}"
    arguments = utils.create_sweep_command_args({"args": {"run": {"value": sweep["parameters"]["run"]["values"][0]}}})
    assert arguments["args"] == ["--run=a b"]
    assert sweep["program"] == "train.py"


def test_the_sweep_follows_the_schema_of_wandb() -> None:
    schema = pytest.importorskip("sweeps.config", reason="pip install 'wandb[sweeps]'")
    sweep = yaml.safe_load(launch_file(design(HOSTILE), "star.csv", "wandb").text)
    assert list(schema.schema_violations_from_proposed_config(sweep)) == []
    assert list(schema.schema_violations_from_proposed_config({**sweep, "method": "all"}))


PRIMITIVE = r"(?:-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|'(?:[^'\\]|\\.)*')"
ROW = rf"\{{[A-Za-z_]\w*:{PRIMITIVE}(?:,[A-Za-z_]\w*:{PRIMITIVE})*\}}"


def test_hydra_sweeps_over_rows() -> None:
    command = "python train.py -m model.width={width} ++out='x/{run}' lr=0.1"
    made = launch_file(design(), "star.csv", "hydra", command)
    lines = made.text.splitlines()
    assert re.fullmatch(rf"\+design={ROW}(?:,{ROW})*", lines[0])
    assert lines[0].count("{") == len(design())
    folder, *own = lines[1:]
    assert folder == "hydra.sweep.subdir=${design.run}"
    assert own == ["model.width=${design.width}", "++out=x/${design.run}", "lr=0.1"]
    start = 'mapfile -t overrides < star.hydra.txt && python train.py --multirun "${overrides[@]}"'
    assert made.usage == start
    with pytest.raises(
        ArgumentError, match=r"has '--width=\{width\}', which is no override of Hydra; write e\.g\. model"
    ):
        launch_file(design(), "star.csv", "hydra", "python train.py --width={width}")


def test_hydra_reads_the_overrides() -> None:
    parser = pytest.importorskip("hydra.core.override_parser.overrides_parser").OverridesParser.create()
    omegaconf = pytest.importorskip("omegaconf").OmegaConf
    names = tuple(name for name in HOSTILE if name.isprintable())
    runs = design(names)
    sweep, *rest = parser.parse_overrides(launch_file(runs, "star.csv", "hydra", "x a={width}").text.splitlines())
    found = [parser.parse_override(f"+design={element}").value() for element in sweep.sweep_string_iterator()]
    rows = [omegaconf.to_container(omegaconf.create({"x": row}), resolve=True)["x"] for row in found]
    assert rows == log_rows(runs)
    assert not any(override.is_sweep_override() for override in rest)


def test_json_lines_are_the_rows_with_their_commands() -> None:
    runs = design(HOSTILE)
    assert [json.loads(line) for line in launch_file(runs, "x.csv", "jsonl").text.splitlines()] == log_rows(runs)
    made = [json.loads(line) for line in launch_file(runs, "x.csv", "jsonl", "train {run}").text.splitlines()]
    assert [shlex.split(row["command"]) for row in made] == [["train", name] for name in runs.run_names]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_what_no_launcher_can_start_is_refused(launcher: str) -> None:
    twice = design(("center-2M",))
    with pytest.raises(ArgumentError, match="the run 'center-2M' has 2 rows, and a job trains a run of one"):
        launch_file(twice, "x.csv", launcher)
    with pytest.raises(ArgumentError, match="there is no launcher 'slurn'; did you mean 'slurm'"):
        launch_file(design(), "x.csv", "slurn")


@pytest.mark.parametrize("launcher", ["wandb", "hydra"])
def test_more_runs_than_an_argument_holds_are_refused(launcher: str) -> None:
    runs = design()
    many = runs.take(np.zeros(3000, dtype=int))
    many = replace(many, run=np.arange(3000), run_names=tuple(map(str, range(3000))))
    said = rf"3000 runs make an argument of \d+ bytes for `launch={launcher}`, and Linux takes 131071"
    with pytest.raises(ArgumentError, match=said):
        launch_file(many, "x.csv", launcher)


STAR = ("design", "star", "--center", "width=1024,depth=24,mlp_dim=4096", "--durations", "1M,2M")


@pytest.fixture
def vit(tmp_path: Path) -> Path:
    file = tmp_path / "vit.yaml"
    file.write_text("architecture: {family: vit, patch: 14, image: 224, heads: 16}\n")
    return file


@pytest.mark.parametrize(
    "kind",
    [
        ("grid", "--around", "width=512,depth=8,mlp_dim=1536", "--durations", "1M,2M", "--points", "3"),
        ("isoflop", "--budgets", "1e17,3e17,1e18"),
    ],
    ids=lambda kind: kind[0],
)
def test_every_design_can_be_launched(program: Program, tmp_path: Path, vit: Path, kind: tuple[str, ...]) -> None:
    done = program("design", *kind, "--architecture", vit, "-o", "x.csv", "--launch", "jsonl", "--command", "t {run}")
    assert done.returncode == 0, done.stderr
    runs = read_runs(tmp_path / "x.csv", require_metric=False)
    started = [json.loads(line) for line in (tmp_path / "x.runs.jsonl").read_text().splitlines()]
    assert [row["command"] for row in started] == [f"t {name}" for name in runs.run_names]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_command_writes_both_files(program: Program, tmp_path: Path, vit: Path, launcher: str) -> None:
    done = program(*STAR, "--architecture", vit, "-o", "star.csv", "--launch", launcher)
    assert done.returncode == 0, done.stderr
    runs = read_runs(tmp_path / "star.csv", config=vit, require_metric=False)
    made = launch_file(runs, "star.csv", launcher)
    assert f"note: wrote star.csv and star{LAUNCHERS[launcher].SUFFIX}: {made.usage}\n" in done.stderr
    assert (tmp_path / made.path).read_text() == made.text
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--launch", "slurm"),
            "error: --launch writes a file beside that of -o, and there is none; give -o design.csv\n",
        ),
        (
            ("--launch", "slurm", "-o", "/dev/null"),
            "error: --launch writes a file beside that of -o, and there is none;",
        ),
        (
            ("--command", "x", "-o", "x.csv"),
            "error: --command is for the file of --launch, and there is none; give --launch",
        ),
        (("--launch", "pbs", "-o", "x.csv"), "error: invalid value for '--launch': 'pbs' is not one of"),
        (
            ("--launch", "slurm", "-o", "x.csv", "--command", "x {lr}"),
            "error: --command has the placeholder {lr}, and the design no such column; the columns are run,",
        ),
        (("--launch", "slurm", "-o", "no/x.csv"), "error: no/x.csv: cannot be written: no such file or directory"),
    ],
)
def test_a_refusal_writes_nothing(
    program: Program, tmp_path: Path, vit: Path, options: tuple[str, ...], said: str
) -> None:
    done = program(*STAR, "--architecture", vit, *options)
    last = done.stderr.splitlines(keepends=True)[-1]
    assert (done.returncode, done.stdout) == (1 if "no/" in said else 2, "")
    assert last.startswith(said), last
    assert [file.name for file in tmp_path.iterdir()] == ["vit.yaml"]


def test_an_input_is_not_overwritten_by_a_launcher(program: Program, tmp_path: Path) -> None:
    (tmp_path / "star.wandb.yaml").write_text("architecture: {family: vit, patch: 14, image: 224, heads: 16}\n")
    done = program(*STAR, "--architecture", "star.wandb.yaml", "-o", "star.csv", "--launch", "wandb")
    assert done.returncode == 1
    assert "star.wandb.yaml: is an input, and would be overwritten" in done.stderr
    assert not (tmp_path / "star.csv").exists()


def test_a_command_without_a_launcher_is_refused_in_python(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="`command` is for the file of a launcher, and there is none"):
        save_design(design(), tmp_path / "x.csv", command="x")
    assert save_design(design(), tmp_path / "x.csv", launch="jsonl") == (tmp_path / "x.csv", tmp_path / "x.runs.jsonl")


def test_files_are_written_all_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, third = tmp_path / "old", tmp_path / "new", tmp_path / "third"
    old.write_text("before")
    with pytest.raises(OutputError, match="is a directory"):
        write_files({old: "after", tmp_path: "x"})
    assert [file.name for file in tmp_path.iterdir()] == ["old"]
    renamed = Path.replace

    def fails(self: Path, target: Path) -> Path:
        if Path(target).name == "third":
            raise OSError(28, "No space left on device")
        return renamed(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OutputError, match="third: cannot be written: no space left on device"):
        write_files({old: "after", new: "x", third: "y"})
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("old", "before")]

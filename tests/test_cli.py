"""The command line as a process: streams, exit statuses, pipes, terminals, golden output."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import forked
import pytest
from conftest import SAMPLES, Program, on_terminal

from shapeplan.cli.app import COMMANDS
from shapeplan.documents.law import law_document
from shapeplan.documents.writing import write_file
from shapeplan.fitting.result import Fit

GOLDEN = Path(__file__).parent / "golden"
LOG = SAMPLES / "vit_sweep.yaml"
LEAST = 60
"""Columns of the narrowest terminal that tables fit."""
DESIGNS = ("star", "grid", "power", "next")


TRAINING = ["flops", "llama-3-8b", "qwen3-8b", "olmo-2-7b", "--gpus", "512xH100", "--mfu", "40%"]
MANY = ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "pythia-1b", "ViT-B/16"]


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Fit the sample; return where the law is, and what was printed."""
    path = tmp_path_factory.mktemp("law") / "law.json"
    done = forked.run(["fit", str(LOG), "-o", str(path)], path.parent)
    done.check_returncode()
    return path, done.stdout


@pytest.fixture(scope="session")
def law(fitted: tuple[Path, str]) -> Path:
    return fitted[0]


def compare(name: str, text: str) -> None:
    """Compare with a golden file; SHAPEPLAN_REGOLD=1 writes it anew, to be read before it is committed."""
    path = GOLDEN / name
    if os.environ.get("SHAPEPLAN_REGOLD"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("check.txt", ["check", LOG]),
        ("compare.txt", ["compare", LOG]),
        ("recommend.txt", ["recommend", "--law", "LAW", "--flops", "1e21"]),
        ("recommend_many.txt", ["recommend", "--law", "LAW", "--flops", "1e20", "--flops", "1e21", "--flops", "1e22"]),
        ("recommend_published.txt", ["recommend", "--flops", "9e21", "--flops", "1.85e20"]),
        ("predict.txt", ["predict", "LAW", LOG]),
        ("flops_one.txt", ["flops", "SoViT-400m/14", "--parts"]),
        ("flops_two.txt", ["flops", "ViT-g/14", "SoViT-400m/14", "--image", "518"]),
        ("flops_training.txt", [*TRAINING, "--budget", "1e23"]),
        ("flops_many.txt", ["flops", *MANY]),
        ("flops_list.txt", ["flops", "--list"]),
    ],
)
def test_golden_tables(program: Program, law: Path, name: str, arguments: list[str | Path]) -> None:
    done = program(*(law if word == "LAW" else word for word in arguments))
    assert done.returncode == 0
    compare(name, done.stdout.replace(str(law), "LAW"))


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_golden_answers_by_width(rivalled: Fit, columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan with a limit, a price, another shape and another law, as terminals of three widths show it."""
    write_file(tmp_path / "law.json", law_document(rivalled).dumps(), ())
    monkeypatch.chdir(tmp_path)
    limits = ["--max-params", "200M", "--gpus", "64xH100", "--price", "$2.5/gpu-hour", "--versus", "24x1024x4096"]
    arguments = ["recommend", "--law", "law.json", "--flops", "1e21", *limits]
    shown, status = on_terminal(columns, *arguments, results=True, NO_COLOR="1")
    assert status == 0
    compare(f"answer_{columns}.txt", shown)


def test_the_golden_table_of_a_fit(fitted: tuple[Path, str]) -> None:
    compare("fit.txt", fitted[1])


@pytest.mark.parametrize("columns", [LEAST, pytest.param(100, marks=pytest.mark.long), 200])
@pytest.mark.parametrize("command", ["check", "fit", "recommend", "flops one", "flops three", "flops many"])
def test_tables_fit_the_terminal(law: Path, command: str, columns: int) -> None:
    arguments = {
        "check": ["check", LOG],
        "fit": ["fit", LOG, "--replicates", "20", *(["--law", "additive"] if columns > LEAST else [])],
        "recommend": ["recommend", "--law", law, "--flops", "1e20", "--flops", "1e22"],
        "flops one": ["flops", "vit_so400m_patch14_siglip_gap_384", "--parts", "--examples", "1B", "--gpus", "8xA100"],
        "flops three": [*TRAINING, "--budget", "1e23"],
        "flops many": ["flops", *MANY, "--budget", "1e23", "--memory", "adafactor"],
    }[command]
    shown, status = on_terminal(columns, *arguments, results=True, NO_COLOR="1")
    assert status == 0
    assert "\x1b" not in shown
    assert max(len(line) for line in shown.split("\n")) <= columns
    assert "…" not in shown


def test_colour_is_for_terminals_only(program: Program) -> None:
    shown, _ = on_terminal(100, "recommend", "--flops", "1e21")
    assert "\x1b[" in shown
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b[" not in on_terminal(100, "recommend", "--flops", "1e21", **environment)[0]
    piped = program("recommend", "--flops", "1e21", FORCE_COLOR="1", GITHUB_ACTIONS="true", COLUMNS="40")
    assert "\x1b[" not in piped.stdout + piped.stderr


def test_a_pipe_is_neither_cut_nor_wrapped(program: Program, law: Path) -> None:
    plain = program("recommend", "--law", law, "--flops", "1e20", "--flops", "1e21")
    narrow = program("recommend", "--law", law, "--flops", "1e20", "--flops", "1e21", COLUMNS="30")
    assert plain.stdout == narrow.stdout
    assert not any(line.endswith(" ") for line in plain.stdout.split("\n"))


def test_results_on_stdout_and_the_rest_on_stderr(program: Program, law: Path) -> None:
    loud = program("recommend", "--law", law, "--flops", "1e21", "-v")
    quiet = program("recommend", "--law", law, "--flops", "1e21", "-v", "--quiet")
    brief = program("recommend", "--law", law, "--flops", "1e21")
    assert loud.stdout == quiet.stdout
    assert "note:" not in quiet.stderr
    assert [line for line in loud.stderr.split("\n") if not line.startswith("note:")] == quiet.stderr.split("\n")
    assert "warning: the budget is 4.66x" in loud.stderr
    assert " [extrapolation]\n" in loud.stderr
    assert "note: --flops is read as forward FLOPs" in loud.stderr
    # What the answer itself says is named by its code.
    assert "warning:" not in brief.stderr
    assert "note: warnings: extrapolation; -v prints them" in brief.stderr
    assert "warnings: extrapolation\n" in brief.stdout


@pytest.mark.long
def test_json_holds_every_number_of_the_table(program: Program, law: Path) -> None:
    """Every number that a table shows, rounded as it is shown, is a number of the document."""
    fit = ("fit", LOG, "--replicates", "20")
    for arguments in (fit, ("check", LOG), ("recommend", "--law", law, "--flops", "1e21")):
        table = re.sub(r"(\d)x\b", r"\1", program(*arguments, "-q").stdout)
        document = json.loads(program(*arguments, "-q", "--json").stdout)
        # What is drawn or drawn from is so much that any number is among it.
        told = {name: value for name, value in document.items() if name not in ("bootstrap", "rows", "rivals")}
        known = [*numbers_in(told), document.get("bootstrap", {}).get("replicates", 0)]
        for shown in re.findall(r"(?<![\w.:/^])(?<!\w-)[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?[%KMBT]?(?![\w/])", table):
            assert any(matches(shown, number) for number in known), (arguments[0], shown)


def numbers_in(value: object) -> list[float]:
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int | float):
        return [float(value)]
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers_in(item)]
    if isinstance(value, list):
        return [number for item in value for number in numbers_in(item)]
    return [float(found) for found in re.findall(r"\d+(?:\.\d+)?(?:e\d+)?", str(value))]


def matches(shown: str, number: float) -> bool:
    """Return whether a number is shown so: rounded to as many digits."""
    scale = {"%": 0.01, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(shown[-1], 1.0)
    digits, _, power = shown.rstrip("%KMBT").partition("e")
    last = 10.0 ** (int(power or 0) - len(digits.partition(".")[2])) * scale
    return abs(float(shown.rstrip("%KMBT")) * scale - number) <= 0.5001 * last


@pytest.mark.long
def test_two_runs_give_the_same_bytes(program: Program) -> None:
    first, second = (program("fit", LOG, "--json", "--replicates", "20").stdout for _ in range(2))
    assert first == second
    assert first


def test_a_pipeline_of_documents(program: Program) -> None:
    fitted = program("fit", "-", "--json", "--replicates", "20", stdin=LOG.read_text())
    assert fitted.returncode == 0
    plan = program("recommend", "--law", "-", "--flops", "1e20", "--json", stdin=fitted.stdout)
    rounded = json.loads(plan.stdout)["budgets"][0]["rounded"]
    assert set(rounded) == {"width", "depth", "mlp_dim", "heads"}
    assert json.loads(fitted.stdout)["inputs"][0]["name"] == "<stdin>"


def test_output_is_written_and_said(program: Program, law: Path, tmp_path: Path) -> None:
    done = program("recommend", "--law", law, "--flops", "1e21", "-o", "plan.json")
    assert "note: wrote plan.json" in done.stderr
    assert json.loads((tmp_path / "plan.json").read_text())["kind"] == "shapeplan.plan"
    done = program("predict", law, LOG, "-o", "rows.csv")
    assert done.stdout == ""
    assert (tmp_path / "rows.csv").read_text().startswith("run,width,depth,mlp_dim,heads,params,examples,forward_flops")
    again = program("predict", law, "rows.csv", "-o", "rows2.csv", "--config", "vit.yaml")
    assert again.returncode == 1
    again = program("predict", law, "rows.csv", "-o", "rows2.csv")
    assert "the predictions that the rows have already are replaced" in again.stderr
    assert (tmp_path / "rows2.csv").read_text() == (tmp_path / "rows.csv").read_text()
    over = program("predict", law, "rows.csv", "-o", "rows.csv")
    assert over.returncode == 1
    assert "rows.csv: is an input, and would be overwritten" in over.stderr


def test_sample_runs_are_made_by_simulate(program: Program, tmp_path: Path) -> None:
    """But for the last digits of the losses, which the CPU and NumPy round."""
    for name in ("vit_sweep.csv", "vit_sweep.yaml"):
        assert program("simulate", "--seed", "2305", "-o", name).returncode == 0
        made, kept = (re.split(r"[,\s{}]+", (folder / name).read_text()) for folder in (tmp_path, SAMPLES))
        assert len(made) == len(kept)
        for mine, its in zip(made, kept, strict=True):
            assert mine == its or float(mine) == pytest.approx(float(its), rel=1e-12)


def test_simulate_takes_a_law_and_a_design(program: Program, law: Path, tmp_path: Path) -> None:
    (tmp_path / "design.csv").write_text("width,depth,mlp_dim,forward_flops\n608,40,6144,1e20\n768,40,6144,1e20\n")
    done = program("simulate", law, "design.csv", "--noise", "0")
    assert done.returncode == 0
    predicted = program("predict", law, "-", "--json", stdin=done.stdout)
    assert [row["residual"] for row in json.loads(predicted.stdout)["rows"]] == pytest.approx([0, 0], abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["recommend", "--flops", "foo"], 2, "'foo' is not an amount of compute"),
        (["recommend", "--flops", "-5"], 2, "'-5' is not from 1e-6 to 1e40 FLOPs"),
        (["recommend", "--flops", "nan"], 2, "'nan' is not an amount of compute"),
        (["recommend"], 2, "nothing says what is to be spent; give one of --flops 1e21, --loss 0.15"),
        (["recommend", "--flops", "1e21", "--weights", "some"], 2, "'some' are no weights"),
        (["recommend", "--flops", "1e21", "--weights", "width=1"], 2, "the weights and the law differ in depth"),
        (["recommend", "--flops", "1e21", "--multiple-of", "width=0.5"], 2, "width cannot be a multiple of 0.5"),
        (["recommend", "--flops", "1e21", "--multiple-of", "wdith=64"], 2, "there is no dimension 'wdith'"),
        (["recommend", "--flops", "1e21", "--start", "width=608"], 2, "has no @ before the compute"),
        (["recommend", "--flops", "1e21", "--start", "width=608@1e18"], 2, "the start lacks depth, mlp_dim"),
        (["recommend", "--flops", "1e21", "--law", "nope.json"], 1, "nope.json: there is no such file"),
        (["recommend", "--flops", "1"], 1, "do not buy one"),
        (["recommend", "--flops", "1e21", "--flops-convention", "both"], 2, "both"),
        (["recomend", "--flops", "1e21"], 2, "recommend"),
        (["fit"], 2, "LOG"),
        (["fit", LOG, "--law", "stra"], 2, "did you mean 'star'"),
        (["fit", LOG, "--replicates", "-1"], 2, "replicates"),
        (["fit", LOG, "--level", "2"], 2, "'2' is not from 0% to 100%; write e.g. 0.9 or 95%"),
        (["fit", LOG, "--center", "width"], 2, "not name=number"),
        (["fit", LOG, "--dims", "width,,depth"], 2, "empty or double name"),
        (["fit", LOG, "--metric", "los"], 1, "did you mean 'loss'"),
        (["fit", LOG, "-o", "/nowhere/law.json"], 1, "cannot be written"),
        (["simulate", "--noise", "200%"], 2, "is not from 0% to less than 100%"),
        (["predict", "-", "-"], 1, "is empty"),
        (["--nonsense"], 2, "--nonsense"),
    ],
)
def test_errors_and_exit_statuses(program: Program, arguments: list[str | Path], status: int, message: str) -> None:
    done = program(*arguments)
    assert done.returncode == status
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    as_json = program(*arguments, "--json") if arguments[0] != "simulate" else None
    if as_json is not None:
        assert as_json.returncode == status
        assert set(json.loads(as_json.stderr.strip().split("\n")[-1])["error"]) >= {"code", "message", "hint"}


def test_an_option_that_takes_one_value_is_given_once(program: Program) -> None:
    done = program("check", LOG, "--metric", "a", "--metric", "loss")
    assert done.returncode == 2
    assert "error: --metric is given twice; give it once" in done.stderr
    held = program("recommend", "--flops", "1e21", "--fix", "depth=24", "--fix", "depth=12")
    assert "sets 'depth' twice" in held.stderr


@pytest.mark.parametrize(
    ("option", "value", "messages"),
    [
        ("--level", "high", ("'high' is not a number; write e.g. 0.9 or 95%",)),
        ("--replicates", "many", ("'many' is not a valid int",)),
        ("--flops-convention", "train", ("'train' is not one of 'forward', 'training'; see",)),
        ("--seed", "-1", ("'-1' is not greater than or equal to 0", "-1 is not in the range x>=0")),
    ],
)
def test_a_value_that_cannot_be_is_named(program: Program, option: str, value: str, messages: tuple[str, ...]) -> None:
    """The words for a wrong number are those of the version of Typer."""
    done = program("fit", LOG, option, value)
    assert done.returncode == 2
    assert option in done.stderr or option == "--level"
    assert value in done.stderr
    assert any(message in done.stderr for message in messages)


def test_outputs_are_what_their_names_say_or_refused(program: Program, law: Path, tmp_path: Path) -> None:
    both = program("recommend", "--law", law, "--flops", "1e21", "--json", "-o", "plan.CSV")
    assert json.loads(both.stdout)["kind"] == "shapeplan.plan"
    assert (tmp_path / "plan.CSV").read_text().startswith("forward_flops,")
    assert program("predict", law, LOG, "-o", "rows.JSON").returncode == 0
    assert json.loads((tmp_path / "rows.JSON").read_text())["kind"] == "shapeplan.predictions"
    assert program("simulate", law, LOG, "-o", "log.ndjson").returncode == 0
    assert program("check", "log.ndjson").returncode == 0
    for arguments in (("predict", law, LOG, "-o", "rows.yaml"), ("fit", LOG, "-o", "law.csv")):
        done = program(*arguments)
        assert done.returncode == 2
        assert "asks for" in done.stderr
        assert not (tmp_path / str(arguments[-1])).exists()
    odd = program("recommend", "--law", law, "--flops", "1e21", "--format", "csv", "-o", "plan.json")
    assert "the name 'plan.json' asks for json, and this is written as csv; give -o plan.csv" in odd.stderr


def test_help_and_version(program: Program) -> None:
    for word in ("--help", "-h"):
        done = program(word)
        assert done.returncode == 0
        assert all(command in done.stdout for command in COMMANDS)
    for command in (*([name] for name in COMMANDS if name != "design"), *(["design", name] for name in DESIGNS)):
        shown = program(*command, "--help")
        assert shown.returncode == 0
        assert "Example: shapeplan" in shown.stdout
    assert re.fullmatch(r"shapeplan \d+\.\d+\.\d+\n", program("--version").stdout)
    cited = program("--cite").stdout
    assert cited.count("@") == 2
    assert "arXiv:2305.13035" in cited
    assert cited.count("{") == cited.count("}")
    nothing = program()
    assert nothing.returncode == 2
    assert "Usage: shapeplan" in nothing.stdout


def test_a_closed_pipe_is_silent(tmp_path: Path, law: Path) -> None:
    command = f"{sys.executable} -m shapeplan predict {law} {LOG} -q | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert all(line.startswith("warning: ") for line in done.stderr.splitlines())
    assert done.stdout.split("\n")[1] == "0"
    command = f"{sys.executable} -m shapeplan fit {LOG} --law separable --json -q | true; echo ${{PIPESTATUS[0]}}"
    closed = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
    )
    assert closed.stdout == "0\n"
    assert all(line.startswith("warning: ") for line in closed.stderr.splitlines())


def test_ctrl_c_while_a_library_is_loaded_is_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from shapeplan.cli import app

    def interrupted(*arguments: object, **options: object) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise ImportError("a part could not be loaded") from None

    monkeypatch.setattr(app, "command_line", interrupted)
    assert app.run(["fit", "x.csv"]) == 130
    assert capsys.readouterr().err == ""


def test_stdin_that_is_a_terminal_is_refused() -> None:
    shown, status = on_terminal(100, "fit", "-")
    assert status == 2
    assert "stdin is a terminal" in shown


def test_user_text_is_shown_literally(program: Program, tmp_path: Path) -> None:
    log = (SAMPLES / "vit_sweep.csv").read_text().replace("loss", "[bold]lo:smile:ss[/bold]")
    (tmp_path / "[red]log.csv").write_text(log.replace("width-608-64M", "\x1b[31mrun[/red]"))
    done = program("fit", "[red]log.csv", "--metric", "[bold]lo:smile:ss[/bold]", "--replicates", "0")
    assert done.returncode == 0
    assert "Law separable for [bold]lo:smile:ss[/bold]" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_an_untrusted_fit_says_so_first(program: Program, tmp_path: Path) -> None:
    rows = (SAMPLES / "vit_sweep.csv").read_text().splitlines()
    spoiled = [rows[0]] + [
        row.rsplit(",", 1)[0] + f",{float(row.rsplit(',', 1)[1]) * (1 + 0.12 * math.sin(i * i)):g}"
        for i, row in enumerate(rows[1:])
    ]
    (tmp_path / "mixed.csv").write_text("\n".join(spoiled) + "\n")
    done = program("fit", "mixed.csv", "-o", "law.json", "--law", "separable", "--replicates", "20")
    assert done.returncode == 0
    assert done.stdout.startswith("the fit is NOT TO BE TRUSTED: the law misses its own rows by")
    assert "warning: the fit is not to be trusted: the law misses" in done.stderr


def test_a_plan_on_an_untrusted_fit_is_refused_unless_forced(program: Program, law: Path, tmp_path: Path) -> None:
    (tmp_path / "law.json").write_text(law.read_text().replace('"status": "ok"', '"status": "untrusted"'))
    refused = program("recommend", "--law", "law.json", "--flops", "1e21")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "the fit is not to be trusted" in refused.stderr
    forced = program("recommend", "--law", "law.json", "--flops", "1e21", "--force")
    assert forced.returncode == 0
    assert forced.stdout.startswith("FORCED: the fit behind this plan is not to be trusted")


def test_debug_shows_the_traceback(program: Program) -> None:
    assert "Traceback" in program("fit", "nope.csv", SHAPEPLAN_DEBUG="1").stderr


def test_ascii_streams_do_not_crash(program: Program) -> None:
    done = program("recommend", "--flops", "1e21", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert done.returncode == 0
    assert done.stdout.isascii()


def test_notes_come_after_a_json_result_is_sure(program: Program) -> None:
    """Under --json a failure is one document on stderr; notes before it would spoil that."""
    failed = program("flops", "ViT-L/16", "--budget", "1e21", "--flops-convention", "8nd", "--json")
    assert failed.returncode == 2
    assert json.loads(failed.stderr)["error"]
    fine = program("flops", "ViT-L/16", "--budget", "1e21", "--json")
    assert "--budget is counted as training FLOPs" in fine.stderr
    assert json.loads(fine.stdout)["kind"] == "shapeplan.flops"


def test_the_list_is_filtered_by_words(program: Program) -> None:
    done = program("flops", "--list", "gemma-2")
    assert "gemma-2-9b" in done.stdout
    assert "llama" not in done.stdout
    assert program("flops", "--list", "gemma", "--json").returncode == 2
    nothing = program("flops", "--list", "zzz")
    assert nothing.returncode == 2
    assert "no name of the catalogue holds 'zzz'" in nothing.stderr


def test_a_model_that_was_changed_is_not_called_by_its_name_alone(program: Program) -> None:
    done = program("flops", "ViT-g/14", "--width", "1024", "--depth", "12")
    assert "ViT-g/14 (width 1024, depth 12)" in done.stdout
    assert "arXiv:2106.04560, google-research/big_vision, models/vit.py; MAP head, changed" in done.stdout


@pytest.mark.long
def test_a_narrow_terminal_leaves_nothing_out(law: Path) -> None:
    for arguments in (
        ["predict", law, LOG, "-q"],
        ["flops", *MANY, "--budget", "1e23", "--memory", "adafactor", "--gpus", "512xTPUv5e"],
        ["compare", LOG, "-q"],
    ):
        wide, narrow = (on_terminal(columns, *arguments, results=True)[0] for columns in (400, 60))
        for heading in ("predicted", "mlp_dim", "tokens", "state in all", "backtest", "new shape"):
            assert (heading in wide) == (heading in narrow), heading


def test_what_simulate_replaces_is_said(program: Program, law: Path) -> None:
    done = program("simulate", law, LOG, "-o", "again.csv")
    assert f"note: the column 'loss' of {LOG} is replaced" in done.stderr


def test_a_document_is_no_log(program: Program, law: Path) -> None:
    done = program("fit", law)
    assert done.returncode == 1
    assert "is a document of shapeplan (shapeplan.law), not a log; give the log that it was made from" in done.stderr


def test_outputs_are_checked_before_the_work(program: Program, tmp_path: Path) -> None:
    """Otherwise the complaint would be that there is no such log."""
    for name, why in (("nowhere/law.json", "no such file or directory"), (".", "is a directory")):
        done = program("fit", "nope.csv", "-o", name)
        assert done.returncode == 1
        assert f"cannot be written: {why}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["flops", "ViT-L/16", "--width", "512", "--set", "width=640"], "width"),
        (["flops", "ViT-L/16", "--set", "gated=true", "--set", "gated=false"], "gated"),
        (["flops", "ViT-L/16", "--width", ""], "width"),
        (["flops", "ViT-L/16", "--examples", ""], "''"),
    ],
)
def test_options_that_say_twice_or_nothing_are_refused(program: Program, arguments: list[str], message: str) -> None:
    done = program(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_control_characters_of_names_are_shown_not_obeyed(program: Program) -> None:
    text = 'name,width,depth,mlp_dim,heads,vocab,seq\n"a\x1b[31mb",64,2,256,4,100,128\n'
    done = program("flops", "-", stdin=text)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout

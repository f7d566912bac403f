"""Logs in lines of text: ``key=value`` of loggers, settings in comments, formulas in the names of columns."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES

import shapeplan as sp
from shapeplan.errors import InputError, ShapeplanError

ROWS = list(csv.DictReader((SAMPLES / "vit_sweep.csv").read_text().splitlines()))[:40]


def expected() -> sp.Runs:
    return sp.read_runs(ROWS)


def same(read: sp.Runs, *, names: bool = True) -> None:
    plain = expected()
    assert read.dims == plain.dims
    np.testing.assert_array_equal(read.shape, plain.shape)
    np.testing.assert_allclose(read.flops, plain.flops, rtol=1e-12)
    np.testing.assert_array_equal(read.observed(), plain.observed())
    if names:
        assert list(read.run_names) == list(plain.run_names)


def logfmt(row: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in row.items())


def logger(row: dict[str, str]) -> str:
    return "[2026-03-01 12:00:01,123] INFO " + " | ".join(f"{key}={value}" for key, value in row.items())


def quoted(row: dict[str, str]) -> str:
    return 'level=info msg="run, done" ' + ", ".join(f"{key}={value}" for key, value in row.items())


def named_before(row: dict[str, str]) -> str:
    return f"{row['run']}: " + "; ".join(f"{key}={value}" for key, value in row.items() if key != "run")


def colons(row: dict[str, str]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in row.items())


def spaced(row: dict[str, str]) -> str:
    return f"12:30:01 - {row['run']} | " + " | ".join(f"{key} = {value}" for key, value in row.items())


@pytest.mark.parametrize("line", [logfmt, logger, quoted, named_before, colons, spaced])
@pytest.mark.parametrize("name", ["runs.log", "runs.txt", "runs"])
def test_lines_of_pairs_are_rows(line: Callable[[dict[str, str]], str], name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("\n".join(map(line, ROWS)) + "\n\nall done\n")
    read = sp.read_runs(path)
    same(read)
    assert any("lines of pairs such as width=256, a row each" in note for note in read.notes)
    assert any(note.startswith("1 line with fewer than 3 such pairs left out") for note in read.notes)
    assert list(read.lines) == list(range(1, len(ROWS) + 1))


def test_a_mistake_in_such_a_line_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "runs.log"
    lines = list(map(logfmt, ROWS))
    path.write_text("\n".join([*lines[:3], lines[3].replace("depth=", "depth=x"), *lines[4:]]))
    with pytest.raises(InputError, match=r"runs\.log:4: column 'depth': 'x\d+' is not a number"):
        sp.read_runs(path)
    path.write_text("\n".join([*lines[:3], lines[3] + " depth=4", *lines[4:]]))
    with pytest.raises(InputError, match=r"runs\.log:4: column 'depth': the line has it twice; rename or remove one"):
        sp.read_runs(path)


def printed_by_python(rows: list[dict[str, str]]) -> str:
    return "\n".join(repr({key: cell if key == "run" else float(cell) for key, cell in row.items()}) for row in rows)


def saved_by_numpy(rows: list[dict[str, str]]) -> str:
    header = "# " + " ".join(key for key in rows[0] if key != "run")
    lines = [" ".join(f"{float(cell):.18e}" for key, cell in row.items() if key != "run") for row in rows]
    return "\n".join([header, *lines, ""])


def written_by_r(rows: list[dict[str, str]]) -> str:
    header = " ".join(f'"{key}"' for key in rows[0])
    lines = [f'"{i}" "{row["run"]}" ' + " ".join(list(row.values())[1:]) for i, row in enumerate(rows, 1)]
    return "\n".join([header, *lines, ""])


def blocks(rows: list[dict[str, str]]) -> str:
    return "\n\n".join("\n".join(f"{key.upper()}: {cell}" for key, cell in row.items()) for row in rows)


@pytest.mark.parametrize("text", [printed_by_python, saved_by_numpy, written_by_r, blocks])
def test_what_programs_write_without_asking(text: Callable[[list[dict[str, str]]], str], tmp_path: Path) -> None:
    path = tmp_path / "runs.txt"
    path.write_text(text(ROWS))
    read = sp.read_runs(path)
    assert sorted(read.observed()) == sorted(expected().observed())
    np.testing.assert_array_equal(read.shape, expected().shape)
    np.testing.assert_allclose(read.flops, expected().flops, rtol=1e-12)


def test_blocks_say_where_a_mistake_is(tmp_path: Path) -> None:
    path = tmp_path / "runs.txt"
    lines = blocks(ROWS).split("\n")
    place = [i for i, line in enumerate(lines) if line.startswith("DEPTH")][2]
    lines[place] = "DEPTH: deep"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=rf"runs\.txt:{place + 1}: column 'DEPTH': 'deep' is not a number"):
        sp.read_runs(path)
    lines[place] = "DEPTH: 4\nDEPTH: 5"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match="column 'DEPTH': the block has it twice; rename or remove one"):
        sp.read_runs(path)


def test_toml_is_named(tmp_path: Path) -> None:
    for name in ("runs.toml", "runs.txt"):
        (tmp_path / name).write_text("".join(f"[[runs]]\nwidth = {row['width']}\n" for row in ROWS))
        with pytest.raises(InputError, match="is TOML, not a log; save it as YAML or JSON"):
            sp.read_runs(tmp_path / name)


def test_the_log_of_one_training_is_none_of_them(tmp_path: Path) -> None:
    path = tmp_path / "runs.log"
    path.write_text("".join(f"step={step} val_loss={3 - step / 1000} lr=0.001\n" for step in range(100, 600, 100)))
    with pytest.raises(ShapeplanError, match="there is no column of shape"):
        sp.read_runs(path)


@pytest.mark.parametrize("sign", [": ", " = ", "="])
def test_comments_above_a_table_hold_for_its_rows(sign: str, tmp_path: Path) -> None:
    for i, row in enumerate(ROWS):
        sizes = "".join(f"# {dim}{sign}{row[dim]}\n" for dim in ("width", "depth", "mlp_dim"))
        table = f"examples,forward_flops,loss\n{float(row['examples']) / 2},{float(row['forward_flops']) / 2},1.0\n"
        table += f"{row['examples']},{row['forward_flops']},{row['loss']}\n"
        (tmp_path / f"run_{i:02d}.csv").write_text(f"# seed{sign}3\n# made by hand\n{sizes}{table}")
    read = sp.read_runs(tmp_path)
    assert len(read.run_names) == len(ROWS), "every file is a run of its own"
    same(read.take(read.last_rows()), names=False)
    assert "comments above the table hold for all its rows: width, depth, mlp_dim" in " ".join(read.notes)


def test_a_column_is_above_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    head = "# d_model: 64\n# tokens in billions\n# lr: 0.1\n"
    path.write_text(head + (SAMPLES / "vit_sweep.csv").read_text())
    np.testing.assert_array_equal(sp.read_runs(path).shape, sp.read_runs(SAMPLES / "vit_sweep.csv").shape)


FORMULAS = {
    "width": [r"$d_{model}$", r"$d_\text{model}$", r"$d_{\mathrm{model}}$", "d<sub>model</sub>"],
    "depth": [r"$n_{layers}$", r"$n_\text{layers}$", r"$n_{\mathrm{layers}}$", "n<sub>layers</sub>"],
    "mlp_dim": [r"$d_{ff}$", r"$d_\text{ff}$", r"$d_{\mathrm{ff}}$", "d<sub>ff</sub>"],
    "loss": [r"$\mathcal{L}$", r"loss $\downarrow$", r"val. loss ($\downarrow$)", "val.<br>loss"],
}


@pytest.mark.parametrize("way", range(4))
def test_formulas_name_columns(way: int, tmp_path: Path) -> None:
    header = [FORMULAS[column][way] if column in FORMULAS else column for column in ROWS[0]]
    path = tmp_path / "runs.md"
    lines = [header, ["---"] * len(header)]
    lines += [[f"${float(cell):,.0f}$" if key == "width" else cell for key, cell in row.items()] for row in ROWS]
    path.write_text("".join("| " + " | ".join(line) + " |\n" for line in lines))
    same(sp.read_runs(path))


def test_formulas_are_numbers(tmp_path: Path) -> None:
    def written(number: str) -> str:
        digits, power = f"{float(number):.12e}".split("e")
        return rf"${digits} \times 10^{{{int(power)}}}$"

    path = tmp_path / "runs.md"
    lines = [list(ROWS[0]), ["---"] * len(ROWS[0])]
    lines += [[written(cell) if key == "forward_flops" else cell for key, cell in row.items()] for row in ROWS]
    path.write_text("".join("| " + " | ".join(line) + " |\n" for line in lines))
    same(sp.read_runs(path))


def test_tables_of_restructured_text(tmp_path: Path) -> None:
    rule = " ".join("=" * 24 for _ in ROWS[0])
    lines = [rule, " ".join(key.ljust(24) for key in ROWS[0]), rule]
    lines += [" ".join(cell.ljust(24) for cell in row.values()) for row in ROWS]
    path = tmp_path / "runs.rst"
    path.write_text("\n".join([*lines, rule, ""]))
    same(sp.read_runs(path))


@pytest.mark.parametrize("name", ["tok/param", "tokens per parameter", "TPP", "tokens_per_param"])
def test_tokens_per_parameter_are_tokens(name: str) -> None:
    table = [
        {"width": float(row["width"]), "depth": float(row["depth"]), "params": 1e6 * (i + 1), name: 20, "loss": 3.0}
        for i, row in enumerate(ROWS)
    ]
    read = sp.read_runs(table, columns={"flops": "6ND"})
    assert read.examples is not None
    assert read.params is not None
    np.testing.assert_allclose(read.examples, 20 * read.params)
    np.testing.assert_allclose(read.flops, 6 * read.params * read.examples)
    if name != "tokens_per_param":
        told = sp.read_runs([{**row, "tokens": 5e9} for row in table], columns={"flops": "6ND"})
        assert told.examples is not None
        assert set(told.examples) == {5e9}


def test_names_that_hold_sizes_are_named() -> None:
    table = [
        {
            "trial": f"gpt_d{row['depth']}_w{row['width']}_lr3e-4_bs512",
            "flops": row["forward_flops"],
            "loss": row["loss"],
        }
        for row in ROWS
    ]
    with pytest.raises(InputError, match="column 'trial' holds several sizes, such as gpt_d"):
        sp.read_runs(table)
    with pytest.raises(InputError) as raised:
        sp.read_runs([{**row, "trial": f"gpt_d8_seed{i}"} for i, row in enumerate(table)])
    assert "several sizes" not in str(raised.value)


def test_a_width_of_another_name_is_told_with_thousands_too() -> None:
    table = [{("units" if key == "width" else key): cell for key, cell in row.items()} for row in ROWS]
    told = [{**row, "units": f"{1000 * int(row['units']):,}"} for row in table]
    for log in (table, told):
        (caution,) = [one for one in sp.read_runs(log).cautions if one.code == "unread-column"]
        assert "the log has no width, and column 'units'" in caution.message

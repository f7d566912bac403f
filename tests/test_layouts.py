"""Logs as people keep them: drawn tables, decorated numbers, a file a run, rows in memory of every kind."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import shapeplan as sp
from shapeplan.errors import InputError, ShapeplanError

SWEEP = Path(__file__).parent.parent / "sample_runs" / "vit_sweep.csv"
HEADER, *ROWS = list(csv.reader(SWEEP.read_text().splitlines()))


def markdown() -> str:
    return "".join("| " + " | ".join(row) + " |\n" for row in [HEADER, ["---", ":-:"] + ["--:"] * 7, *ROWS])


def mysql() -> str:
    rule = "+" + "+".join("-" * 26 for _ in HEADER) + "+\n"
    rows = ["| " + " | ".join(cell.rjust(24) for cell in row) + " |\n" for row in [HEADER, *ROWS]]
    return rule + rows[0] + rule + "".join(rows[1:]) + rule + f"{len(ROWS)} rows in set (0.00 sec)\n"


def printed_by_polars() -> str:
    def line(cells: list[str]) -> str:
        return "\u2502 " + " \u2506 ".join(cell.ljust(24) for cell in cells) + " \u2502\n"

    wide = "\u2500" * 26
    rule = "\u250c" + "\u252c".join([wide] * len(HEADER)) + "\u2510\n"
    types = line(["---"] * len(HEADER)) + line(["str", *["i64"] * 7, "f64"])
    return (
        f"shape: ({len(ROWS)}, {len(HEADER)})\n" + rule + line(HEADER) + types + rule + "".join(map(line, ROWS)) + rule
    )


def printed_by_rich() -> str:
    import rich.table
    from rich.console import Console

    table = rich.table.Table(*HEADER)
    for row in ROWS:
        table.add_row(*row)
    text = io.StringIO()
    Console(file=text, width=400).print(table)
    return text.getvalue()


def psql() -> str:
    header, *rows = [" " + " | ".join(cell.center(24) for cell in row) + "\n" for row in [HEADER, *ROWS]]
    return header + "-+-".join("-" * 24 for _ in HEADER) + "\n" + "".join(rows) + f"({len(ROWS)} rows)\n"


def aligned(between: str = "  ") -> str:
    return "".join(between.join(cell.ljust(24) for cell in row) + "\n" for row in [HEADER, *ROWS])


def printed_by_pandas() -> str:
    frame: str = pytest.importorskip("pandas").read_csv(SWEEP, dtype=str).to_string()
    return frame


def separated_by_one_blank() -> str:
    return "".join(" ".join(row) + "\n" for row in [HEADER, *ROWS])


def markdown_with_emphasis() -> str:
    header, *rows = markdown().splitlines()
    bold = [
        row.replace(f" {ROWS[i - 1][-1]} ", f" **{ROWS[i - 1][-1]}** ") if i % 7 == 0 else row
        for i, row in enumerate(rows)
    ]
    return "\n".join([header.replace("loss", "val loss \u2193").replace("width", "`d_model`"), *bold])


def latex_with_maths() -> str:
    names = {"width": "$d_{model}$", "depth": r"\textbf{n\_layers}", "loss": r"$\text{loss}$"}

    def maths(column: str, cell: str) -> str:
        return rf"${float(cell) / 1e18!r} \times 10^{{18}}$" if column == "forward_flops" else cell

    header = " & ".join(names.get(column, column.replace("_", r"\_")) for column in HEADER)
    rows = [" & ".join(map(maths, HEADER, row)) + r" \\" for row in ROWS]
    return "\n".join([r"\begin{tabular}{lrrrrrrrr}", header + r" \\", r"\midrule", *rows, r"\end{tabular}", ""])


def latex() -> str:
    header, *rows = [" & ".join(cell.replace("_", r"\_") for cell in row) + r" \\" + "\n" for row in [HEADER, *ROWS]]
    return r"\begin{tabular}{lrrrrrrrr}" + "\n" + header + "\\hline\n" + "".join(rows) + r"\end{tabular}" + "\n"


def below_titles() -> str:
    lines = ["Scaling sweep" + "," * 8, "exported," + "by jane" + "," * 7, "," * 8]
    return "\n".join([*lines, *(",".join(row) for row in [HEADER, *ROWS])])


def ended_by_commas() -> str:
    return ",".join(HEADER) + "\n" + "".join(",".join(row) + ",\n" for row in ROWS)


def same(runs: sp.Runs, loss: float = 1e-15) -> bool:
    plain = sp.read_runs(SWEEP)
    return (
        np.array_equal(runs.shape, plain.shape)
        and np.allclose(runs.loss, plain.loss, rtol=loss, atol=0)
        and np.allclose(runs.flops, plain.flops, rtol=1e-12, atol=0)
    )


@pytest.mark.parametrize(
    "layout",
    [
        *(markdown, markdown_with_emphasis, mysql, psql, aligned, printed_by_pandas, separated_by_one_blank),
        *(latex, latex_with_maths, printed_by_polars, printed_by_rich, below_titles, ended_by_commas),
    ],
)
def test_a_drawn_table_is_read_as_the_table_it_shows(tmp_path: Path, layout: Callable[[], str]) -> None:
    path = tmp_path / "runs.txt"
    path.write_text(layout())
    runs = sp.read_runs(path)
    assert same(runs)
    assert any("is read as" in note or "left out" in note for note in runs.notes)


def test_the_line_of_a_mistake_in_a_drawn_table_is_that_of_the_file(tmp_path: Path) -> None:
    lines = markdown().splitlines()
    lines[7] = lines[7].replace(ROWS[5][-1], "lost")
    path = tmp_path / "runs.md"
    path.write_text("\n".join(lines))
    with pytest.raises(ShapeplanError, match=r"runs\.md:8: column 'loss': 'lost' is not a number"):
        sp.read_runs(path)


def decorated(tmp_path: Path, column: str, decoration: Callable[[str], str]) -> sp.Runs:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(HEADER)
    at = HEADER.index(column)
    table.writerows([*row[:at], decoration(row[at]), *row[at + 1 :]] for row in ROWS)
    path = tmp_path / "runs.csv"
    path.write_text(text.getvalue())
    return sp.read_runs(path)


@pytest.mark.parametrize(
    ("column", "decoration"),
    [
        ("forward_flops", lambda cell: f"{float(cell) / 1e15!r}P"),
        ("forward_flops", lambda cell: f"{float(cell) / 1e18!r} EFLOPs"),
        ("forward_flops", lambda cell: f"{float(cell) / 1e12!r} tflop"),
        ("forward_flops", lambda cell: f"{float(cell) / (1e15 * 86400)!r} PF-days"),
        ("forward_flops", lambda cell: f"{float(cell) / (1e15 * 86400)!r} petaflop/s-days"),
        ("forward_flops", lambda cell: f"{float(cell) / 1e18!r} x 10^18"),
        ("forward_flops", lambda cell: f"{float(cell) / 1e18!r}\u00d710**18"),
        ("forward_flops", lambda cell: f"{float(cell) / 1e18!r} \u00d7 10\u00b9\u2078"),
        ("examples", lambda cell: f"{float(cell) / 1e6!r}M images"),
        ("loss", lambda cell: f"{cell} nats"),
        ("loss", lambda cell: f"{cell} \u00b1 0.001"),
        ("loss", lambda cell: f"{cell} +/- 1e-3"),
    ],
)
def test_numbers_with_units_and_uncertainties(tmp_path: Path, column: str, decoration: Callable[[str], str]) -> None:
    runs = decorated(tmp_path, column, decoration)
    assert same(runs)
    assert any(note.startswith(f"cells of {column!r} are read with") for note in runs.notes)


def test_a_rate_in_cells_is_no_compute(tmp_path: Path) -> None:
    with pytest.raises(ShapeplanError, match="is not a number"):
        decorated(tmp_path, "forward_flops", lambda cell: "312 TFLOPS")


def one_run(row: list[str], *, nested: bool) -> dict[str, object]:
    cells: dict[str, object] = {name: json.loads(cell) for name, cell in zip(HEADER[1:], row[1:], strict=True)}
    if not nested:
        return {"run": row[0], **cells}
    loss = cells.pop("loss")
    return {"name": row[0], "config": {"model": cells}, "result": {"final": {"loss": loss}}}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_folder_with_a_file_a_run_is_one_log(tmp_path: Path, nested: bool, suffix: str) -> None:
    for i, row in enumerate(ROWS):
        # JSON is YAML.
        (tmp_path / f"run{i:03}.{suffix}").write_text(json.dumps(one_run(row, nested=nested), indent=2))
    assert same(sp.read_runs(tmp_path))


def test_a_folder_of_folders_with_a_file_each_is_one_log(tmp_path: Path) -> None:
    for i, row in enumerate(ROWS):
        (tmp_path / f"run{i:03}").mkdir()
        (tmp_path / f"run{i:03}" / "results.json").write_text(json.dumps(one_run(row, nested=False)))
    assert same(sp.read_runs(tmp_path))


def test_of_tables_of_one_name_in_folders_none_is_said_to_be_left(tmp_path: Path) -> None:
    for part, rows in (("a", ROWS[:60]), ("b", ROWS[60:])):
        (tmp_path / part).mkdir()
        (tmp_path / part / "results.csv").write_text("\n".join(",".join(row) for row in [HEADER, *rows]))
    runs = sp.read_runs(tmp_path)
    assert same(runs)
    assert not any("not read" in note for note in runs.notes)


def test_settings_without_runs_are_no_run(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model": {"width": 512, "depth": 8}, "lr": 1e-3}))
    with pytest.raises(ShapeplanError, match="the mapping has no 'runs'"):
        sp.read_runs(path)


def test_mappings_in_cells_may_hold_floats_that_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    with path.open("w") as file:
        table = csv.writer(file)
        table.writerow(["name", "config", "summary"])
        for row in ROWS:
            cells = one_run(row, nested=False)
            summary = {"loss": cells.pop("loss"), "grad_norm": float("nan"), "note": "a: nan, b"}
            table.writerow([cells.pop("run"), str(cells), str(summary)])
    assert same(sp.read_runs(path))


def test_the_metric_that_is_chosen_beside_another_loss_is_said(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(
        "\n".join(",".join([*row, row[-1]]) for row in [HEADER, *ROWS]).replace("loss,loss", "loss,train_loss")
    )
    assert "the metric is 'loss', not 'train_loss' (`metric` names another)" in sp.read_runs(path).notes
    assert not any("the metric is" in note for note in sp.read_runs(path, metric="loss").notes)


@pytest.mark.parametrize(
    "decoration",
    [
        "tensor({})",
        "tensor({}, device='cuda:0')",
        "np.float64({})",
        "[{}]",
        "**{}**",
        "~{}",
        "'{}",
        "{} (0.01)",
        "{} \u00b1 0.1",
    ],
)
def test_what_python_and_people_put_around_numbers(tmp_path: Path, decoration: str) -> None:
    assert same(decorated(tmp_path, "loss", decoration.format))


def test_row_names_of_r_and_repeated_headers_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    named = [",".join(HEADER), *(",".join([str(i), *row]) for i, row in enumerate(ROWS, 1))]
    path.write_text("\n".join(named))
    assert same(sp.read_runs(path))
    twice = [",".join(row) for row in [HEADER, *ROWS[:3], HEADER, *ROWS[3:]]]
    path.write_text("\n".join(twice))
    runs = sp.read_runs(path)
    assert same(runs)
    assert "the header is repeated in line 5: left out" in runs.notes


def test_columns_without_names_and_cells_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(",".join(["", "", *row, "", ""]) for row in [HEADER, *ROWS]))
    runs = sp.read_runs(path)
    assert same(runs)
    assert "4 columns have neither a name nor cells: left out" in runs.notes


@pytest.mark.parametrize(
    ("names", "dims"),
    [
        (("dModel", "nLayers", "dFF"), ("dmodel", "nlayers", "dff")),
        (("model__d_model", "model__n_layers", "model__d_ff"), ("model:d_model", "model@n_layers", "model:d_ff")),
        (("hidden_units", "no. of layers", "MLPDIM"), ("WIDTH", "layer_count", "d_intermediate")),
    ],
)
def test_names_behind_other_signs_and_without_any(
    tmp_path: Path, names: tuple[str, ...], dims: tuple[str, ...]
) -> None:
    path = tmp_path / "runs.csv"
    for header in (names, dims):
        path.write_text("\n".join(",".join(row) for row in [["run", *header, *HEADER[4:]], *ROWS]))
        assert same(sp.read_runs(path))


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"PK\x03\x04", "a zip archive"),
        (b"PAR1", "Parquet"),
        (b"SQLite format 3", "an SQLite database"),
        (b"\x80\x04", "a pickle"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook of old Excel"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"runs.csv".ljust(257, b"\0") + b"ustar", "a tar archive"),
        (gzip.compress(gzip.compress(b"a,b", mtime=0), mtime=0), "gz-compressed twice"),
    ],
)
def test_binary_files_are_named_for_what_they_are(tmp_path: Path, start: bytes, message: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(start + b"\0" * 9)
    with pytest.raises(ShapeplanError, match=f"runs.csv: is no text but {message}"):
        sp.read_runs(path)


def test_a_unit_in_the_header_and_in_the_cells_is_applied_once(tmp_path: Path) -> None:
    plain = sp.read_runs(SWEEP)
    rows = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    path = tmp_path / "runs.csv"
    for header, scale, unit in (("forward PFLOPs", 1e15, " PFLOPs"), ("forward_flops (1e18)", 1e18, " EFLOPs")):
        cells = [f"{float(row['forward_flops']) / scale!r}{unit}" for row in rows]
        text = [",".join([*HEADER[:7], header, "loss"])]
        text += [",".join([*row[:7], cell, row[8]]) for row, cell in zip(ROWS, cells, strict=True)]
        path.write_text("\n".join(text))
        runs = sp.read_runs(path)
        assert np.allclose(runs.flops, plain.flops, rtol=1e-12, atol=0)
        assert f"the units of {header!r} are those of the cells, not of the header too" in runs.notes
        path.write_text("\n".join([text[0], text[1].replace(unit, ""), *text[2:]]))
        with pytest.raises(
            ShapeplanError, match=r"runs\.csv:2: column .*: the header says a unit, and other cells theirs"
        ):
            sp.read_runs(path)


def small(tmp_path: Path, header: str, *rows: str, name: str = "runs.csv") -> sp.Runs:
    path = tmp_path / name
    path.write_text("\n".join([header, *rows]))
    return sp.read_runs(path)


def test_a_header_may_say_a_convention_or_a_unit_that_is_no_compute(tmp_path: Path) -> None:
    row = "192,3,98304000000000,4.4"
    assert small(tmp_path, "width,depth,FLOPs (forward),loss", row).flops_convention == "forward"
    assert small(tmp_path, "width,depth,compute (forward + backward FLOPs),loss", row).flops_convention == "training"
    assert small(tmp_path, "width,depth,Compute ($10^{18}$ FLOPs),loss", "192,3,0.0003,4.4").flops[0] == 3e14
    for header in ("compute (GPU hours)", "compute ($)", "log10(FLOPs)"):
        with pytest.raises(ShapeplanError, match="the rows say no compute"):
            small(tmp_path, f"width,depth,{header},loss", "192,3,14.5,4.4")


def test_sizes_of_other_models_do_not_compete(tmp_path: Path) -> None:
    rows = ["192,3,294912000000000,4.4,4096", "320,6,884736000000000,3.9,2048"]
    for name in ("teacher.width", "draft/d_model", "vae.hidden_dim"):
        assert small(tmp_path, f"width,depth,flops,loss,{name}", *rows).shape[:, 0].tolist() == [192, 320]
    same_everywhere = [row.replace("2048", "4096") for row in rows]
    assert small(tmp_path, "width,depth,flops,loss,hidden_size", *same_everywhere).shape[:, 0].tolist() == [192, 320]
    with pytest.raises(ShapeplanError, match="'width' and 'hidden_size' both mean width, and differ"):
        small(tmp_path, "width,depth,flops,loss,hidden_size", *rows)


def test_rows_of_two_conventions_are_told(tmp_path: Path) -> None:
    header, shapes = "width,depth,params,tokens,flops,loss", [(192, 3, 2457600), (320, 6, 7372800), (512, 12, 37748736)]
    rows = [
        f"{w},{d},{n},20000000,{k * n * 20000000},{4.4 - i}"
        for i, ((w, d, n), k) in enumerate(zip(shapes, (2, 6, 2), strict=True))
    ]
    cautions = small(tmp_path, header, *rows).cautions
    assert [caution.code for caution in cautions] == ["flops-mismatch"]
    assert "2 x params x tokens in 2 of 3 rows, and 6 times in the others: forward FLOPs" in cautions[0].message


def test_what_stands_around_a_drawn_table_is_left_out(tmp_path: Path) -> None:
    table = ["| width | depth | flops | loss |", "|---|---|---|---|", "| 192 | 3 | 294912000000000 | 4.4 |"]
    for around in (["# Results", "", *table, "", "a footnote"], ["```", *table, "```"]):
        runs = small(tmp_path, around[0], *around[1:], name="runs.md")
        assert runs.flops.tolist() == [294912000000000]
        assert any("a table drawn with bars (2 lines around it left out)" in note for note in runs.notes)


def test_a_frame_is_read_as_pandas_prints_it_with_its_index_and_its_size(tmp_path: Path) -> None:
    frame = pytest.importorskip("pandas").read_csv(SWEEP, dtype=str)
    path = tmp_path / "runs.txt"
    path.write_text(frame.set_index("run").to_string() + f"\n\n[{len(ROWS)} rows x 8 columns]\n")
    assert same(sp.read_runs(path))


def test_a_ratio_may_be_written_as_a_multiple(tmp_path: Path) -> None:
    rows = ["192,3,2x,294912000000000,4.4", "320,6,4\u00d7,884736000000000,3.9"]
    assert small(tmp_path, "width,depth,mlp_ratio,flops,loss", *rows).shape[:, 2].tolist() == [384, 1280]


@pytest.mark.parametrize("ratio", ["4", "2.5"])
def test_one_ratio_of_all_rows_is_an_mlp_dim_that_moves_with_the_width(tmp_path: Path, ratio: str) -> None:
    rows = [f"{64 * k},{2 + k % 3},{ratio},{k}e8,{4 - k / 10}" for k in range(1, 8)]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(["width,depth,mlp_ratio,tokens,loss", *rows]) + "\n")
    decoder = sp.architecture({"family": "llama", "vocab": 2048, "seq": 512, "head_dim": 32})
    runs = sp.read_runs(path, architecture=decoder)
    assert runs.values("mlp_dim").tolist() == [float(ratio) * 64 * k for k in range(1, 8)]
    with pytest.raises(InputError, match=r"runs\.csv:2: column 'mlp_dim': mlp_dim is .* here, and 192 in the arch"):
        sp.read_runs(path, architecture=sp.architecture({**decoder.describe(), "mlp_ratio": 3}))


def test_logs_that_name_their_columns_otherwise_are_one(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("\n".join(",".join(row) for row in [HEADER, *ROWS[:60]]))
    other = ["name", "d_model", "n_layers", "d_ff", "n_heads", "params_M", "train_examples", "forward_flops", "loss"]
    rows = [[*row[:5], repr(int(row[5]) / 1e6), *row[6:]] for row in ROWS[60:]]
    second.write_text("\n".join(",".join(row) for row in [other, *rows]))
    runs = sp.read_runs([first, second])
    assert same(runs)
    assert any(
        f"in {second}, 'name' is 'run', 'd_model' is 'width', 'n_layers' is 'depth'" in note for note in runs.notes
    )


@pytest.mark.parametrize("both", [False, True])
def test_rows_that_have_one_of_two_names_of_a_role_are_one_column(tmp_path: Path, both: bool) -> None:
    lines = ["run,d_model,hidden_size,depth,flops,loss"]
    for number, width in enumerate((64, 128, 256, 64, 128, 256)):
        first, second = (width, "") if number % 2 else ("", width)
        lines.append(f"r{number},{width if both else first},{second},{number + 2},{1e15 * 2**number},{4 - number / 10}")
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines))
    if both:
        with pytest.raises(InputError, match="'d_model' and 'hidden_size' both mean width"):
            sp.read_runs(path)
        return
    runs = sp.read_runs(path)
    assert runs.values("width").tolist() == [64, 128, 256, 64, 128, 256]
    assert "'hidden_size' is 'd_model' where a row has it in place of that" in runs.notes


def test_a_column_with_another_role_is_not_offered_for_the_loss(tmp_path: Path) -> None:
    with pytest.raises(ShapeplanError) as caught:
        small(tmp_path, "width,depth,flops,quality", "192,3,98304000000000,4.4")
    assert "column 'loss': there is no such column; the columns are: width, depth, flops, quality" in str(caught.value)
    with pytest.raises(ShapeplanError, match="did you mean 'looss'"):
        small(tmp_path, "width,depth,flops,looss", "192,3,98304000000000,4.4")


@pytest.mark.parametrize("name", ["num_flops", "FLOP count", "estimated_flops", "n_flops", "total_flops_used"])
def test_more_names_of_compute(tmp_path: Path, name: str) -> None:
    assert small(tmp_path, f"width,depth,{name},loss", "192,3,98304000000000,4.4").flops.tolist() == [98304000000000]


def test_a_page_of_html_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShapeplanError, match="is HTML or XML, not a log; save it as CSV"):
        small(tmp_path, "<table><tr><th>width</th></tr>", "<tr><td>1</td></tr></table>", name="runs.html")


def test_a_short_row_in_a_table_that_ends_with_commas_is_the_only_mistake(tmp_path: Path) -> None:
    with pytest.raises(ShapeplanError) as caught:
        small(tmp_path, "width,depth,flops,loss,", "192,3,98304000000000,4.4,", "320,6,294912000000000")
    assert "the row has 3 cells" in str(caught.value)
    assert "name the column" not in str(caught.value)


def test_a_unit_in_a_few_cells_is_said_as_a_number(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        decorated(
            tmp_path, "forward_flops", lambda cell: f"{float(cell) / 1e18:.6g} EFLOPs" if cell == ROWS[2][-2] else cell
        )
    assert {found.hint for found in refused.value.details} == {
        f"write {float(f'{float(ROWS[2][-2]) / 1e18:.6g}') * 1e18:.10g}"
    }


def test_merged_cells_are_to_be_filled_down(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    merged = [",".join(row if i % 3 == 0 else ["", "", "", "", "", "", *row[6:]]) for i, row in enumerate(ROWS)]
    path.write_text("\n".join([",".join(HEADER), *merged]))
    with pytest.raises(
        InputError, match="cells of the row are empty; cells that were merged are empty below the first"
    ):
        sp.read_runs(path)


@pytest.mark.parametrize("name", ["runs.html", "runs.csv", "runs.json"])
def test_html_is_no_log(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<table><tr><th>width</th></tr></table>")
    with pytest.raises(InputError, match="is HTML or XML, not a log"):
        sp.read_runs(tmp_path / name)


def test_a_print_that_was_cut_is_told(tmp_path: Path) -> None:
    path = tmp_path / "runs.txt"
    path.write_text(printed_by_polars().replace(f"shape: ({len(ROWS)}", "shape: (4_000"))
    assert any(f"shows {len(ROWS)} of 4_000 rows" in note for note in sp.read_runs(path).notes)

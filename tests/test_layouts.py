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


def test_rows_in_memory_may_come_one_after_another() -> None:
    records = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    assert same(sp.read_runs(record for record in records))  # type: ignore[arg-type]
    assert same(sp.read_runs({name: [record[name] for record in records] for name in HEADER}))


def test_an_index_that_is_a_column_too_is_read_once() -> None:
    frame = pytest.importorskip("pandas").read_csv(SWEEP)
    assert same(sp.read_runs(frame.set_index("run", drop=False)))
    assert same(sp.read_runs(frame.set_index(["run", "width"])))


def melted() -> list[dict[str, object]]:
    """Return a row a measurement of the sweep."""
    sizes = ("run", "width", "depth", "mlp_dim", "heads")
    return [
        {**{size: record[size] for size in sizes}, "metric": name, "value": float(cell)}
        for record in (dict(zip(HEADER, row, strict=True)) for row in ROWS)
        for name, cell in record.items()
        if name not in sizes
    ]


def test_measurements_and_runs_in_columns_are_read_from_memory() -> None:
    assert same(sp.read_runs(melted()))
    turned = [
        {"index": name, **{str(row[0]): row[i] for row in ROWS}} for i, name in enumerate(HEADER) if name != "run"
    ]
    assert same(sp.read_runs(turned))


def test_a_frame_whose_index_names_what_is_in_the_rows_is_turned() -> None:
    frame = pytest.importorskip("pandas").read_csv(SWEEP).set_index("run").T
    assert same(sp.read_runs(frame))


def test_measurements_are_read_from_workbooks_and_parquet(tmp_path: Path) -> None:
    openpyxl, pyarrow = pytest.importorskip("openpyxl"), pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = melted()
    book = openpyxl.Workbook()
    for row in ([*rows[0]], *(list(row.values()) for row in rows)):
        book.active.append(row)
    book.save(tmp_path / "runs.xlsx")
    numbered = [{**row, "__index_level_0__": 7 * i} for i, row in enumerate(rows)]
    parquet.write_table(pyarrow.Table.from_pylist(numbered), tmp_path / "runs.parquet")
    assert same(sp.read_runs(tmp_path / "runs.xlsx"))
    assert same(sp.read_runs(tmp_path / "runs.parquet"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "a log cannot be read from NoneType"),
        (3, "a log cannot be read from int"),
        (b"runs.csv", "a log cannot be read from bytes"),
        (io.StringIO("width,loss\n1,2\n"), "a log cannot be read from StringIO"),
        (np.ones((2, 3)), "a log cannot be read from ndarray"),
        ([[1, 2], [3, 4]], "a log cannot be read from list"),
        ({"width": [1, 2], "loss": [1]}, "column 'loss': has 1 values, the first column 2"),
        ({"width": 1}, "column 'width': is no list"),
        ({"width": "ab"}, "column 'width': is no list"),
    ],
)
def test_what_is_no_log_in_memory_is_named(given: object, message: str) -> None:
    with pytest.raises(ShapeplanError, match=message):
        sp.read_runs(given)  # type: ignore[arg-type]


def test_several_frames_are_to_be_one() -> None:
    frame = pytest.importorskip("pandas").read_csv(SWEEP)
    with pytest.raises(ShapeplanError, match=r"give one DataFrame \(`pandas.concat`\)"):
        sp.read_runs([frame, frame])


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


@pytest.mark.parametrize(
    "write", [json.dumps, str, lambda cells: f"[{', '.join(f'np.float64({cell!r})' for cell in cells)}]"]
)
def test_lists_in_cells_are_points_of_training(tmp_path: Path, write: Callable[[list[float]], str]) -> None:
    path = tmp_path / "runs.csv"
    shapes = [(w, d, 4 * w) for w in (64, 128, 256) for d in (2, 4)]
    tokens = [1e6, 2e6, 4e6]
    points = {
        shape: [(6.0 * shape[0] ** 2 * shape[1] * t, t, 2 + 1 / shape[1] + t**-0.1) for t in tokens] for shape in shapes
    }
    with path.open("w") as file:
        table = csv.writer(file)
        table.writerow(["width", "depth", "mlp_dim", "flops", "tokens", "val_loss"])
        table.writerows(
            [*shape, *(write(list(column)) for column in zip(*rows, strict=True))] for shape, rows in points.items()
        )
    runs = sp.read_runs(path)
    expected = [(*shape, *row) for shape, rows in points.items() for row in rows]
    np.testing.assert_array_equal(np.column_stack([runs.shape, runs.flops, runs.examples, runs.loss]), expected)
    assert len(runs.run_names) == len(shapes)
    assert "points of training listed in 'flops', 'tokens', 'val_loss' are rows" in runs.notes


def measurements(*, timed: bool) -> list[list[str]]:
    """Return a row a measurement: of everything, or of what is logged in the course of a run."""
    logged = ("examples", "forward_flops", "loss")
    of_run = [column for column in HEADER if column not in (*logged, "run")] if timed else []
    rows = [["run", *of_run, "key", "value", *(["timestamp"] if timed else [])]]
    for number, row in enumerate(ROWS):
        cells = dict(zip(HEADER, row, strict=True))
        for place, name in enumerate(column for column in HEADER if column not in (*of_run, "run")):
            time = [f"{number}.{place}"] if timed else []
            rows.append([cells["run"], *(cells[column] for column in of_run), name, cells[name], *time])
    return rows


@pytest.mark.parametrize("layout", ["melted", "melted with sizes", "turned"])
def test_tables_whose_rows_are_no_runs_are_reshaped(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "runs.csv"
    unique = [[f"{row[0]} {i}", *row[1:]] for i, row in enumerate(ROWS)]
    turned = [
        ["", *(row[0] for row in unique)],
        *(list(column) for column in list(zip(HEADER, *ROWS, strict=True))[1:]),
    ]
    table = turned if layout == "turned" else measurements(timed="sizes" in layout)
    with path.open("w") as file:
        csv.writer(file).writerows(table)
    assert same(sp.read_runs(path))


WIDE = [(width, depth) for width in (256, 384, 512, 768) for depth in (4, 8, 12)]


def by_duration(names: list[str], lost: str = "") -> str:
    """Return a table with a column for the loss at every duration, of which the last has no last run."""
    lines = [",".join(["d_model", "n_layers", "params", *names])]
    for width, depth in WIDE:
        losses = [f"{2 + 1 / depth + 9 / width + 1 / (1 + i):.4f}" for i in range(len(names))]
        if (width, depth) == WIDE[-1]:
            losses[-1] = lost
        lines.append(",".join([str(width), str(depth), str(12 * width**2 * depth), *losses]))
    return "\n".join(lines)


@pytest.mark.parametrize(
    "names",
    [
        ["loss@1B", "loss@2B", "loss@4B"],
        ["val_loss_1e9_tokens", "val_loss_2e9_tokens", "val_loss_4e9_tokens"],
        ["eval loss (1B tok)", "eval loss (2B tok)", "eval loss (4B tok)"],
        ["loss after 1000M tokens", "loss after 2000M tokens", "loss after 4000M tokens"],
        ["loss at 1.0B", "loss at 2.0B", "loss at 4.0B"],
    ],
)
def test_a_loss_a_duration_is_a_point_of_a_run(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(by_duration(names))
    runs = sp.read_runs(path, columns={"flops": "6ND"})
    shapes = [shape for shape in WIDE for _ in names][:-1]
    assert [tuple(row) for row in runs.shape] == shapes
    np.testing.assert_array_equal(runs.examples, np.tile([1e9, 2e9, 4e9], len(WIDE))[:-1])
    assert len(runs.run_names) == len(WIDE)
    assert "durations without a loss are left out: 1" in runs.notes
    assert any("are the losses of a run at so many" in note for note in runs.notes)


def test_a_loss_at_a_duration_may_be_asked_for_by_name_and_come_in_a_frame() -> None:
    frame = pytest.importorskip("pandas").read_csv(io.StringIO(by_duration(["loss@1B", "loss@2B"])))
    assert len(sp.read_runs(frame, columns={"flops": "6ND"})) == 2 * len(WIDE) - 1
    assert len(sp.read_runs(frame.assign(flops=frame["params"] * 6e9), metric="loss@1B")) == len(WIDE)


def test_a_wrong_loss_at_a_duration_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(by_duration(["loss@1B", "loss@2B"], lost="NaN%"))
    with pytest.raises(InputError, match=rf"runs\.csv:{len(WIDE) + 1}: column 'loss': 'NaN%'"):
        sp.read_runs(path, columns={"flops": "6ND"})


@pytest.mark.parametrize(
    "header",
    [
        "tokens,loss_100M,loss_300M",  # losses of two sizes
        "d_model,n_layers,params,loss_1,loss_2",  # losses of two seeds
        "d_model,n_layers,tokens,loss@1B,loss@2B",  # what the tokens are then is not said
        "d_model,n_layers,params,loss@1B tokens,loss@2k steps",
        "d_model,n_layers,params,loss@10k,loss@20k",  # tokens or steps
        "d_model,n_layers,params,loss@1B,loss_1B,loss_2B",  # two at one duration
        "d_model,n_layers,params,loss,loss@1B,loss@2B",  # the last is a column of its own
    ],
)
def test_losses_that_are_not_surely_of_durations_stay_columns(tmp_path: Path, header: str) -> None:
    path = tmp_path / "runs.csv"
    count = header.count(",") + 1
    path.write_text("\n".join([header, *(",".join(str(i + j + 2) for j in range(count)) for i in range(6))]))
    with pytest.raises(InputError, match=r"column '(loss|tokens)"):
        sp.read_runs(path, columns={"flops": "6ND"})


def test_a_mistake_in_a_measurement_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    table = measurements(timed=False)
    table[8][2] = "lost"
    path.write_text("\n".join(map(",".join, table)))
    with pytest.raises(InputError, match=r"runs\.csv:9: column 'loss': 'lost' is not a number"):
        sp.read_runs(path)


def test_a_measurement_that_comes_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    table = measurements(timed=False)
    path.write_text("\n".join(map(",".join, [*table, table[-1]])))
    last = len(table)
    with pytest.raises(InputError, match=rf"runs\.csv:{last + 1}: .* 'loss' is measured in line {last} already"):
        sp.read_runs(path)


def test_sizes_that_are_measured_once_a_run_are_those_of_its_points(tmp_path: Path) -> None:
    shapes = {f"r{w}-{d}": (w, d) for w in (64, 128, 256) for d in (2, 4)}
    lines = ["run,key,value,timestamp,step"]
    for run, (w, d) in shapes.items():
        lines += [f"{run},width,{w},1,0", f"{run},depth,{d},1,0"]
        for step in (100, 200):
            measured = {"tokens": step * 1e4, "flops": 72.0 * w**2 * d * step * 1e4, "val_loss": 2 + 1 / d + 1 / step}
            lines += [f"{run},{key},{value!r},{step},{step}" for key, value in measured.items()]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines))
    runs = sp.read_runs(path)
    assert [tuple(row) for row in runs.shape] == [shape for shape in shapes.values() for _ in range(2)]
    assert f"points at which no loss was measured are left out: {len(shapes)}" in runs.notes
    keys, *rows = [line.split(",") for line in lines]
    listed = [{**dict(zip(keys, row, strict=True)), "tags": ["sweep", row[0]]} for row in rows]
    (tmp_path / "runs.json").write_text(json.dumps(listed))
    np.testing.assert_array_equal(sp.read_runs(tmp_path / "runs.json").shape, runs.shape)
    twice = [*lines, "r64-2,width,96,1,50"]
    path.write_text("\n".join(twice))
    with pytest.raises(InputError, match=r"column 'width': (the cell is empty|the entry lacks it)"):
        sp.read_runs(path)


def test_a_print_that_was_cut_is_told(tmp_path: Path) -> None:
    path = tmp_path / "runs.txt"
    path.write_text(printed_by_polars().replace(f"shape: ({len(ROWS)}", "shape: (4_000"))
    assert any(f"shows {len(ROWS)} of 4_000 rows" in note for note in sp.read_runs(path).notes)


def test_what_listed_points_lack_is_told(tmp_path: Path) -> None:
    flops = [[72.0 * w**2 * d * t for t in (1e6, 2e6, 4e6)] for w in (64, 128) for d in (2, 4)]
    made = [
        {"width": w, "depth": d, "flops": flops.pop(0), "tokens": [1e6, None, 4e6], "val_loss": [3.5, 3.4, 3.3 - 1 / d]}
        for w in (64, 128)
        for d in (2, 4)
    ]
    made[0]["val_loss"][1] = None
    (tmp_path / "runs.json").write_text(json.dumps(made))
    notes = sp.read_runs(tmp_path / "runs.json").notes
    assert "listed points without a metric are left out: 1" in notes
    assert "listed points that lack 'tokens' take it from the point before" in notes


def test_points_by_step_are_rows(tmp_path: Path) -> None:
    steps = (100, 200, 400)

    def point(w: int, d: int, s: int) -> dict[str, float]:
        return {"tokens": s * 1e4, "flops": 72.0 * w**2 * d * s * 1e4, "loss": 2 + 1 / d + 1 / s}

    made = {
        f"run {w} {d}": {
            "config": {"width": w, "depth": d, "mlp_dim": 4 * w},
            "metrics": {
                str(s): {"tokens": s * 1e4, "flops": 72.0 * w**2 * d * s * 1e4, "loss": 2 + 1 / d + 1 / s}
                for s in steps
            },
        }
        for w in (64, 128)
        for d in (2, 4)
    }
    path = tmp_path / "runs.json"
    path.write_text(json.dumps(made))
    runs = sp.read_runs(path)
    assert list(runs.examples) == [s * 1e4 for s in steps] * 4
    assert runs.run_names == tuple(made)


def test_durations_without_the_name_of_a_loss_are_told(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("width,depth,params,1B tokens,5B tokens\n512,8,5e7,3.4,3.1\n768,12,1.2e8,3.3,2.95\n")
    with pytest.raises(
        InputError, match="if 1B tokens, 5B tokens are losses at so much training, call them 'loss@1B t"
    ):
        sp.read_runs(path)
    path.write_text(path.read_text().replace("1B", "loss@1B").replace("5B", "loss@5B"))
    assert sp.read_runs(path, columns={"flops": "6ND"}).observed().tolist() == [3.4, 3.1, 3.3, 2.95]

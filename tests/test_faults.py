from __future__ import annotations

from pathlib import Path

from conftest import Program, on_terminal

FOUR = """\
run,width,depth,mlp_dim,flops,loss
a,256,4,1024,1e18,3.1
b,abc,4,1024,2e18,3.0
c,512,4,,3e18,2.9
d,512,-6,2048,4e18,2.8
e,512,6,2048,1e18x,2.7
"""
TABLE = """\
error: 4 mistakes in four.csv
place        column    value   what is wrong             how to mend it
four.csv:3   width     abc     'abc' is not a number     write a plain number such as 0.51
four.csv:4   mlp_dim           the cell is empty         fill it in, or remove the row
four.csv:5   depth     -6      '-6' is not above zero    check the row
four.csv:6   flops     1e18x   '1e18x' is not a number   write 1e+18

     3 | b,abc,4,1024,2e18,3.0
       |   ^^^
     4 | c,512,4,,3e18,2.9
       |         ^
     5 | d,512,-6,2048,4e18,2.8
       |       ^^
"""


def test_mistakes_of_several_kinds_are_a_table_with_the_first_lines(program: Program, tmp_path: Path) -> None:
    (tmp_path / "four.csv").write_text(FOUR)
    done = program("check", "four.csv")
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert set(lines.pop(2)) == {"─"}, "the rule below the header"
    assert lines == TABLE.splitlines()


def test_a_narrow_terminal_shows_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "four.csv"
    path.write_text(FOUR)
    for width in (100, 140):
        shown, status = on_terminal(width, "check", str(path))
        assert status == 1
        assert all(f"four.csv:{line}" in shown for line in (3, 4, 5, 6))
        assert "write a plain number such as 0.51" in shown


def test_beyond_ten_mistakes_the_rest_are_counted(program: Program, tmp_path: Path) -> None:
    rows = [f"r{i},x{i},4,1024,1e18,3.1" for i in range(14)]
    (tmp_path / "many.csv").write_text("\n".join(["run,width,depth,mlp_dim,flops,loss", *rows]) + "\n")
    told = program("check", "many.csv").stderr
    assert told.startswith("error: 14 mistakes in many.csv\n")
    assert "\nand 4 more\n" in told
    assert "many.csv:11 " in told
    assert "many.csv:12 " not in told


def test_one_mistake_is_one_line_with_its_source(program: Program, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("\n".join(FOUR.splitlines()[:3]) + "\n")
    assert program("check", "one.csv").stderr == (
        "error: one.csv:3: column 'width': 'abc' is not a number; write a plain number such as 0.51\n"
        "     3 | b,abc,4,1024,2e18,3.0\n       |   ^^^\n"
    )

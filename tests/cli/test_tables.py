import io
import re

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from unmask.cli.tables import print_table


def printed(table, **options):
    file = io.StringIO()
    print_table(Console(file=file, **options), table)
    return file.getvalue().splitlines()


def table():
    made = Table(box=SIMPLE_HEAD, pad_edge=False, caption="two people")
    made.add_column("n", justify="right")
    made.add_column("note", overflow="fold", ratio=1)
    made.add_column("last", overflow="fold", ratio=1)
    made.add_row("7", "x" * 300, "left")
    made.add_row("128", "short", "also")
    return made


def test_a_row_in_a_pipe_is_one_line_and_its_columns_are_aligned():
    found = printed(table(), width=40)
    head, one, two = (next(line for line in found if word in line) for word in ("note", "xxx", "short"))
    assert one.index("xxx") == two.index("short") == head.index("note")
    assert one.index("left") == two.index("also") == head.index("last")
    assert one.index("7") == two.index("8") and "x" * 300 in one
    assert not any(line != line.rstrip() for line in found)
    assert "two people" in found and found[-1] == "" and found[0] == head


def test_on_a_terminal_it_is_as_wide_as_that():
    found = printed(table(), width=40, force_terminal=True)
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in found) == 40 and len(found) > 8

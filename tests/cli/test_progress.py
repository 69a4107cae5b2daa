import io
import re
import time

from rich.console import Console

from unmask.cli.progress import show_progress
from unmask.judge.footage import Look
from unmask.judge.verdict import Evidence

FILES = ("a.mp4", "b.mp4", "c.mp4")
WIDTH = 40


def look(start, end, *, until=100.0):
    return Look(False, start, end, 0.0, until, Evidence((), (), {}))


def show(files, *steps):
    """What a terminal shows after each step: the text before the bar, and how full that is, 0 to 1."""
    written, shown = io.StringIO(), []
    # Without colours only the part of the bar that is done is drawn.
    console = Console(file=written, force_terminal=True, color_system=None, width=120)
    with show_progress(files, console) as progress:
        for step in steps:
            step(progress)
            before = written.tell()
            until = time.monotonic() + 5
            while written.tell() == before and time.monotonic() < until:
                time.sleep(0.02)
            last = re.split(r"\r|\n|\x1b\[[0-9?;]*[A-Za-z]", written.getvalue().rstrip())[-1]
            bar = re.sub("[^━╸]", "", last)
            shown.append(
                (re.split("[━╸]| {3}", last)[0].strip(), (2 * bar.count("━") + bar.count("╸")) / 2 / WIDTH)
            )
    return shown


def goes_on(number, start, end):
    return lambda steps: steps.go_on(number, FILES[number % 3], look(start, end))


def ends(number):
    return lambda steps: steps.end(number)


def test_the_bar_never_runs_back_while_several_files_are_looked_at():
    shown = show(
        3,
        goes_on(0, 0, 80),
        goes_on(1, 0, 50),
        ends(2),  # a short one, of which no stretch is told
        goes_on(1, 50, 90),
        ends(0),
        ends(1),
    )
    shares = [share for _, share in shown]
    expected = [0.8, 1.3, 2.3, 2.7, 2.9, 3.0]
    assert all(abs(share - files / 3) < 0.03 for share, files in zip(shares, expected, strict=True)), shares
    assert [text for text, _ in shown] == [
        "0/3 a.mp4 1:20 of 1:40",
        "0/3 b.mp4 0:50 of 1:40",
        "1/3",
        "1/3 b.mp4 1:30 of 1:40",
        "2/3",
        "3/3",
    ]


def test_short_clips_count_when_they_end():
    shown = show(2, lambda steps: None, ends(1), ends(0))
    assert [text for text, _ in shown] == ["0/2", "1/2", "2/2"]
    assert [round(share, 1) for _, share in shown] == [0.0, 0.5, 1.0]


def test_a_file_that_is_given_twice_counts_twice():
    shown = show(2, goes_on(0, 0, 60), goes_on(3, 0, 60), ends(0), ends(3))
    assert [round(share, 1) for _, share in shown] == [0.3, 0.6, 0.8, 1.0]


def test_a_single_short_clip_shows_no_bar():
    written = io.StringIO()
    with show_progress(1, Console(file=written, force_terminal=True, color_system=None)) as steps:
        steps.end(0)
        time.sleep(0.3)
    assert "1" not in re.sub(r"\x1b\[[0-9?;]*[A-Za-z]", "", written.getvalue())

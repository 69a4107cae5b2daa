"""A log that tells what was changed in it."""

from __future__ import annotations

import json

import pytest

from unmask.errors import DataError
from unmask.report.ledger import Ledger, check_ledger, told


@pytest.fixture
def log(tmp_path):
    """Five lines."""
    file = tmp_path / "case.jsonl"
    ledger = Ledger(file, clock=lambda: "2026-05-01T12:00:00Z")
    ledger.add("opened", tool="unmask")
    for number in range(3):
        ledger.add("scanned", file=f"ä{number}.mp4", p_fake=0.5)
    ledger.add("closed", entries=5)
    assert check_ledger(file).head == ledger.head
    return file


def lines(log):
    return log.read_text(encoding="utf-8").splitlines(keepends=True)


def test_what_was_written_is_found_whole(log):
    found = check_ledger(log)
    assert not found.problems and [entry.number for entry in found.entries] == [1, 2, 3, 4, 5]
    assert [values["file"] for values in told(found.entries, "scanned")] == ["ä0.mp4", "ä1.mp4", "ä2.mp4"]


def test_every_changed_byte_is_named_with_its_line(log):
    whole = log.read_bytes()
    for place in range(0, len(whole), 7):
        if whole[place : place + 1] == b"\n":
            continue
        log.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        line = whole[:place].count(b"\n") + 1
        problems = check_ledger(log).problems
        assert any(f"line {line} was changed" in one for one in problems), (place, problems)


@pytest.mark.parametrize("removed", range(5))
def test_a_removed_line_is_named(log, removed):
    kept = lines(log)
    del kept[removed]
    log.write_text("".join(kept), encoding="utf-8")
    text = " ".join(check_ledger(log).problems)
    expected = "does not end with its last line" if removed == 4 else f"entry {removed + 1} was removed"
    assert expected in text


def test_lines_in_another_order_are_named(log):
    kept = lines(log)
    kept[1], kept[2] = kept[2], kept[1]
    log.write_text("".join(kept), encoding="utf-8")
    text = " ".join(check_ledger(log).problems)
    assert "line 2 is entry 3" in text and "line 3 is entry 2: lines were put into another order" in text


def test_a_line_that_was_hashed_anew_does_not_fit_the_next(log):
    other = Ledger(log.with_name("other.jsonl"), clock=lambda: "2026-05-01T12:00:00Z")
    other.add("opened", tool="another")
    log.write_text("".join([*lines(log.with_name("other.jsonl")), *lines(log)[1:]]), encoding="utf-8")
    assert check_ledger(log).problems == (
        "line 2 does not follow the line before it: that line was changed or replaced",
    )


@pytest.mark.parametrize("text", ["", "\n", "[]\n", "{}\n", "nothing", json.dumps({"number": 1}) + "\n"])
def test_what_is_no_log_has_problems_and_raises_nothing(tmp_path, text):
    file = tmp_path / "case.jsonl"
    file.write_text(text)
    assert check_ledger(file).problems


def test_a_log_that_is_not_there_is_told_of(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        check_ledger(tmp_path / "none.jsonl")

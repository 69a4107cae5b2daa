"""The folder of a case: what it holds, and that every change in it is named."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from html import unescape

import pytest

from command_line import run
from judged_files import judged_file
from unmask.errors import DataError, SettingsError
from unmask.holding import alone_in
from unmask.report.case import CaseDetails, open_case, read_details, settings_sha256
from unmask.report.case_folder import DRAFTS, REPORTS, begin_case, check_case, finish_case
from unmask.report.ledger import Ledger, check_ledger

DETAILS = CaseDetails(examiner="<Desk> 3", exhibit="E-7", request="Was it changed?", original="exhibit.mov")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A case, with the options it was made with."""
    place = tmp_path_factory.mktemp("cases")
    verdict, source, options = judged_file(place)
    (place / "exhibit.mov").write_bytes(source.read_bytes() + b"a byte more")
    case = open_case(DETAILS, source, options.settings, folder=place)
    options = replace(options, case=case, command="unmask report clip.mp4", heat_map=False)
    folder = place / "case"
    log = begin_case(case, folder, clock=iter(f"2026-05-01T12:00:0{n}Z" for n in range(9)).__next__)
    head = finish_case(log, verdict, source, folder, options=options)
    return folder, verdict, source, options, head


@pytest.fixture
def folder(written, tmp_path):
    """A copy of it, to be changed."""
    return shutil.copytree(written[0], tmp_path / "case")


def test_every_step_is_written_down_and_all_is_as_it_was_written(written):
    folder, verdict, _, options, head = written
    steps = check_ledger(folder / "case.jsonl").entries
    assert [one.step for one in steps] == ["opened", "received", "copied", "scanned", "reported", "closed"]
    assert len({one.time for one in steps}) == 6
    scanned = steps[3].values
    assert scanned["model"]["sha256"] == verdict.model.sha256 and scanned["p_fake"] == verdict.p_fake
    assert scanned["settings_sha256"] == settings_sha256(options.settings)
    assert steps[1].values["sha256"] != steps[2].values["sha256"] == verdict.sha256
    found = check_case(folder, head=head)
    assert (found.lines, found.files, found.problems) == (6, 4, ())


@pytest.mark.parametrize("name", ["verdict.json", "case.json", *REPORTS])
def test_a_changed_byte_and_a_missing_file_are_named(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    (problem,) = check_case(folder).problems
    assert problem.startswith(f"{name} was changed")
    (folder / name).unlink()
    (problem,) = check_case(folder).problems
    assert problem.startswith(f"{name} is missing")


def test_a_log_that_was_written_anew_shows_by_the_hash_that_was_noted(written, folder):
    log = begin_case(written[3].case, folder)
    finish_case(log, written[1], written[2], folder, options=written[3])
    assert not check_case(folder).problems
    (problem,) = check_case(folder, head=written[4]).problems
    assert "as it was noted" in problem


def test_an_earlier_case_stays_until_all_of_the_new_one_is_there(written, folder):
    _, verdict, source, options, head = written
    begin_case(options.case, folder)  # and comes to no end
    assert not check_case(folder, head=head).problems
    again = finish_case(begin_case(options.case, folder), verdict, source, folder, options=options)
    assert not check_case(folder, head=again).problems and again != head
    assert not (folder / DRAFTS).exists()


def test_a_page_refers_to_the_file_from_where_it_comes_to_lie(written, folder):
    _, verdict, source, options, _ = written
    options = replace(options, preview_mb=0)
    finish_case(begin_case(options.case, folder), verdict, source, folder, options=options)
    assert f'"{os.path.relpath(source, folder)}' in (folder / "report.html").read_text(encoding="utf-8")


def test_a_second_run_in_the_folder_of_a_case_is_refused(written, folder, capsys):
    _, _, source, options, head = written
    words = ("report", source, "-o", folder, "--model", options.settings.model)
    with alone_in(folder):
        assert run(*words) == 2
    assert "another run is working in it" in capsys.readouterr().err
    assert not check_case(folder, head=head).problems


def test_a_log_cannot_point_out_of_its_folder(tmp_path):
    log = Ledger(tmp_path / "case.jsonl")
    log.add("opened")
    log.add("scanned", files={"../secret": "0" * 64, "gone\0": "0" * 64})
    log.add("closed")
    outside, gone = check_case(tmp_path).problems
    assert "lies outside of the folder" in outside and "missing" in gone


def test_the_report_tells_the_case_the_hashes_the_domain_and_the_streams(written):
    folder, verdict, _, options, _ = written
    page = (folder / "report.html").read_text(encoding="utf-8")
    text = unescape(re.sub(r"<[^>]*>", " ", page))
    assert "&lt;Desk&gt; 3" in page and "Was it changed?" in text and "E-7" in text
    case = options.case
    for hashed in (case.original.sha256, verdict.sha256, case.tool_sha256, case.settings_sha256):
        assert hashed in text
    assert "The working copy differs from it" in text
    assert re.search(r"one shot of up to 15 s\s+[12]\.\d s, shots: 1\s+inside", text)
    assert re.search(r"0\s+video h264\s+A face in it looks manipulated", text)
    assert json.loads((folder / "case.json").read_text())["details"]["exhibit"] == "E-7"


def test_another_file_by_now_is_refused(written, tmp_path):
    _, verdict, source, options, _ = written
    changed = replace(verdict, sha256="0" * 64)
    with pytest.raises(DataError, match="another by now"):
        finish_case(begin_case(options.case, tmp_path), changed, source, tmp_path, options=options)


def test_details_are_read_and_what_is_none_is_refused(tmp_path):
    file = tmp_path / "case.toml"
    file.write_text('examiner = "a"\nexhibit = "b"\n')
    assert read_details(file) == CaseDetails(examiner="a", exhibit="b")
    for text, rule in (
        ("judge = 'x'", "unknown key 'judge'"),
        ("examiner = 3", "must be a text|examiner must be"),
        ("examiner = ", "no TOML"),
    ):
        file.write_text(text)
        with pytest.raises(SettingsError, match=rule):
            read_details(file)


@pytest.mark.parametrize("name", ["X.html", "x.PDF", "x.json"])
def test_a_folder_named_like_a_report_is_refused_before_any_work(tmp_path, capsys, name):
    """With rule, value and the way out; the file that is named need not even be there."""
    assert run("report", tmp_path / "my clip.mp4", "-o", tmp_path / name) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "--output must name a folder for a case file, got" in said and name in said
    assert "unmask scan" in said and f"--report {tmp_path / name}" in said and "my clip.mp4'" in said
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_place_of_the_folder_is_refused_and_a_folder_of_any_name_is_not(tmp_path, capsys):
    (tmp_path / "case").write_text("a file")
    assert run("report", tmp_path / "clip.mp4", "-o", tmp_path / "case") == 2
    assert "which is a file" in " ".join(capsys.readouterr().err.split())
    (tmp_path / "old.html").mkdir()
    assert run("report", tmp_path / "clip.mp4", "-o", tmp_path / "old.html") == 2
    assert "must name a folder" not in capsys.readouterr().err  # but that the clip is missing

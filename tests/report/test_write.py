import json
import os
from dataclasses import replace

import pytest

from command_line import run
from conftest import CHROMIUM
from judged_files import judged_file, load_death, load_fault, load_limit
from unmask.config import LimitSettings
from unmask.errors import SettingsError
from unmask.judge.stored import verdict_of
from unmask.report import render_report, write_report, write_reports
from unmask.report.overview import by_suspicion
from unmask.report.write import look_through
from unmask.verdicts import ModelName, Outcome, Verdict


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    return judged_file(tmp_path_factory.mktemp("judged"))


def test_a_report_for_machines_holds_the_verdict_as_it_was(judged, tmp_path):
    verdict, source, options = judged
    write_report(verdict, source, tmp_path / "out.json", options=options)
    found = json.loads((tmp_path / "out.json").read_text())
    assert verdict_of(found["verdict"]) == verdict
    assert found["file"]["codec"] == "h264" and found["model"]["name"] == "tiny"
    assert found["heat"] == [] and found["heat_trial"] is None and found["report"] == 1  # it was never tried
    assert found["made_at"] == options.made_at


def test_a_page_is_written_whole_or_not_at_all(judged, tmp_path):
    verdict, source, options = judged
    write_report(verdict, source, tmp_path / "out.html", options=options)
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and page.endswith("</html>\n") and "data:video/mp4" in page
    assert [path.name for path in tmp_path.iterdir()] == ["out.html"]
    with pytest.raises(SettingsError, match=r"\.html, \.json, \.pdf"):
        write_report(verdict, source, tmp_path / "out.txt", options=options)


def test_a_pdf_is_printed(judged, tmp_path):
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have {CHROMIUM}")
        pytest.skip(f"no browser at {CHROMIUM}")
    verdict, source, options = judged
    write_report(verdict, source, tmp_path / "out.pdf", options=replace(options, heat_map=False))
    data = (tmp_path / "out.pdf").read_bytes()
    assert data.startswith(b"%PDF-") and data.count(b"/Image") >= 3


def test_a_decoder_that_kills_its_process_costs_the_pictures_alone(judged, monkeypatch):
    import unmask.report.write as write

    verdict, source, options = judged
    monkeypatch.setattr(write, "load_looking", load_death)
    ((_, seen),) = list(look_through([(verdict, source)], options))
    assert seen.problem == "media_crashed" and "SIGKILL" in str(seen.detail)
    page = render_report(verdict, source, options=options)
    assert "reading the file again failed" in page and "A face in it looks manipulated" in page


def test_a_file_is_read_again_within_the_limits(judged, monkeypatch):
    import unmask.report.write as write

    verdict, source, options = judged
    monkeypatch.setattr(write, "load_looking", load_limit)
    limited = replace(options, limits=LimitSettings(memory_mb=777))
    ((_, seen),) = look_through([(verdict, source)], limited)
    assert seen == 777


def test_a_fault_of_our_own_is_not_told_as_one_of_the_file(judged, faults_folder, monkeypatch):
    import unmask.report.write as write

    verdict, source, options = judged
    monkeypatch.setattr(write, "load_looking", load_fault)
    ((_, seen),) = look_through([(verdict, source)], options)
    assert seen.problem == "media_failed" and "fault of unmask" in str(seen.detail)
    assert len(list(faults_folder.iterdir())) == 1


def verdict(outcome, p_fake=None, path="a.mp4"):
    return Verdict(path, None, outcome, p_fake, "so", False, (), ModelName("m", "1" * 64), "1")


def test_the_overview_begins_with_what_is_most_suspicious(judged, tmp_path):
    options = judged[2]
    names = ["gone.mp4", "real.mp4", "</a><script>.mp4", "fake.mp4", "sure.mp4"]
    found = [
        verdict(Outcome.NO_FACE),
        verdict(Outcome.REAL, 0.1),
        verdict(Outcome.UNSURE, 0.6),
        verdict(Outcome.FAKE, 0.8),
        verdict(Outcome.FAKE, 0.9),
    ]
    pairs = [(replace(v, path=name), tmp_path / name) for v, name in zip(found, names, strict=True)]
    assert by_suspicion(pairs) == [4, 3, 2, 1, 0]
    write_reports(pairs, tmp_path / "out", options=options, jobs=1)
    index = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<script" not in index
    assert [index.index(name) for name in ("sure.mp4", "fake.mp4", "real.mp4", "gone.mp4")] == sorted(
        index.index(name) for name in ("sure.mp4", "fake.mp4", "real.mp4", "gone.mp4")
    )
    pages = {path.name for path in (tmp_path / "out").iterdir()}
    assert pages == {
        "index.html", "001-gone-mp4.html", "002-real-mp4.html", "003-a-script-mp4.html", "004-fake-mp4.html",
        "005-sure-mp4.html",
    }  # fmt: skip
    assert all(f'href="{name}"' in index for name in pages - {"index.html"})


def test_the_command_line_writes_reports(judged, tmp_path, capsys):
    _, source, options = judged
    card = options.settings.model
    assert run("scan", source, "--model", card, "--report", tmp_path / "a.html", "--language", "de") == 0
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert '<html lang="de">' in page and "data:video/mp4" in page
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    assert run("scan", source, broken, "--model", card, "--report", tmp_path / "all") == 1
    pages = sorted(path.name for path in (tmp_path / "all").iterdir())
    assert pages == ["001-clip-mp4.html", "002-broken-mp4.html", "index.html"]
    assert "Nothing was judged" in (tmp_path / "all" / pages[1]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("out.html", "must name a folder for 2 files"),
        ("out.docx", ".html, .json, .pdf"),
        ("nowhere/out.html", "can be written to"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_before_the_scan(judged, tmp_path, capsys, report, said):
    source = judged[1]
    inputs = [source, source] if report == "out.html" else [source]
    assert run("scan", *inputs, "--report", tmp_path / report) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_an_unknown_language_is_refused(judged, tmp_path, capsys):
    assert run("scan", judged[1], "--report", tmp_path / "a.html", "--language", "xx") == 2
    assert "en, de" in capsys.readouterr().err

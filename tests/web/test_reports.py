import shutil
import threading

import pytest

from served import SWAPPED
from tiny_model import write_tiny_model
from unmask.config import LimitSettings, ScanSettings
from unmask.pipeline import load_scanner
from unmask.report.words import messages
from unmask.web import reports
from unmask.web.refusals import RefusedError
from unmask.web.reports import Reports
from unmask.web.settings import WorkSettings
from unmask.web.store import Row, Store
from unmask.work.sandbox import why_no_sandbox

WORK = WorkSettings()
ROW = Row("0" * 32, "named by its user.mp4", None, 1, None, 1000.0, "queued", None, None, "")


@pytest.fixture
def store(tmp_path):
    one = Store(tmp_path / "served folder")
    one.add(ROW)
    shutil.copy(SWAPPED, one.source_of(ROW))
    yield one
    one.close()


@pytest.fixture
def settings(tmp_path):
    return ScanSettings(model=str(write_tiny_model(tmp_path / "model")))


def code_of(made, row=ROW):
    with pytest.raises(RefusedError) as error:
        made.get(row, language="en", suffix="html")
    return error.value.code


def test_without_a_verdict_there_is_no_report(store, settings):
    assert code_of(Reports(store, settings, WORK)) == "not_ready"


def test_a_report_is_made_once_and_names_no_path_even_without_a_preview(store, settings, monkeypatch):
    monkeypatch.setattr(reports, "PREVIEW_MB", 0.0)
    store.finish(ROW.id, load_scanner(settings).scan(store.source_of(ROW)), state="done")
    made = Reports(store, settings, WORK)
    file = made.get(ROW, language="de", suffix="html")
    page = file.read_text(encoding="utf-8")
    assert ROW.name in page and "served folder" not in page and "served%20folder" not in page
    monkeypatch.setattr(reports, "render_report", lambda *_, **__: pytest.fail("it is there already"))
    assert made.get(ROW, language="de", suffix="html") == file


def test_only_some_may_wait_and_what_was_deleted_meanwhile_is_not_found(store, settings, monkeypatch):
    store.finish(ROW.id, load_scanner(settings).scan(store.source_of(ROW)), state="done")
    monkeypatch.setattr(reports, "MAX_WAITING", 1)
    made, begun, go_on, found = Reports(store, settings, WORK), threading.Event(), threading.Event(), []

    def render(*_, **__):
        begun.set()
        go_on.wait(60)
        store.delete(ROW.id)
        return "a report"

    monkeypatch.setattr(reports, "render_report", render)
    first = threading.Thread(target=lambda: found.append(code_of(made)))
    first.start()
    assert begun.wait(60)
    assert code_of(made) == "busy"
    go_on.set()
    first.join(60)
    assert found == ["not_found"]


def test_the_file_is_read_again_within_the_servers_own_limits_of_time_and_memory(
    store, settings, monkeypatch
):
    store.finish(ROW.id, load_scanner(settings).scan(store.source_of(ROW)), state="done")
    given = []
    monkeypatch.setattr(
        reports, "render_report", lambda *_, options, **__: given.append(options) or "<!doctype html>"
    )
    work = WorkSettings(time_limit_seconds=7.0, limits=LimitSettings(memory_mb=777))
    Reports(store, settings, work).get(ROW, language="en", suffix="html")
    (options,) = given
    assert (options.time_limit_seconds, options.limits) == (7.0, work.limits)


def test_a_report_is_made_under_the_limits(store, settings):
    store.finish(ROW.id, load_scanner(settings).scan(store.source_of(ROW)), state="done")
    work = WorkSettings(
        limits=LimitSettings(memory_mb=1024, sandbox="auto" if why_no_sandbox() else "require")
    )
    page = Reports(store, settings, work).get(ROW, language="en", suffix="html")
    text = page.read_text(encoding="utf-8")
    assert messages()["media_crashed"]["en"] not in text and "data:image/jpeg" in text
    assert "<dt>Name</dt>" in text and "<dt>Path</dt>" not in text  # it lies where its reader cannot look


def test_a_pdf_is_printed_from_the_page_and_each_step_is_told(store, settings, monkeypatch):
    store.finish(ROW.id, load_scanner(settings).scan(store.source_of(ROW)), state="done")
    made, told = Reports(store, settings, WORK), []
    note = Reports._note
    monkeypatch.setattr(Reports, "_note", lambda self, key, step: told.append(step) or note(self, key, step))

    def stand_in(page, target):
        told.append(made.progress(ROW))
        assert "data:image/jpeg" in page.read_text(encoding="utf-8")
        target.write_bytes(b"%PDF-")

    monkeypatch.setattr(reports, "print_page", stand_in)
    assert made.progress(ROW) is None
    assert made.get(ROW, language="en", suffix="pdf").read_bytes() == b"%PDF-"
    names = [step.name for step in told]
    assert names[0] == "pictures" and names[-1] == "printing" and "writing" in names
    shares = [step.share for step in told if step.name == "pictures"]
    assert max(shares) > 0.9 and made.progress(ROW) is None


def test_what_cannot_be_printed_is_refused_with_the_reason(store, settings, monkeypatch):
    store.finish(ROW.id, load_scanner(settings).scan(store.source_of(ROW)), state="done")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RefusedError, match="install Chromium"):
        Reports(store, settings, WORK).get(ROW, language="en", suffix="pdf")

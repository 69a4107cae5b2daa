from dataclasses import replace

import pytest

from served import SWAPPED
from tiny_model import write_tiny_model
from unmask.config import DecodeSettings, ScanSettings
from unmask.judge.card import read_card
from unmask.judge.footage import Look
from unmask.pipeline import load_scanner
from unmask.video import open_film
from unmask.video.container import check_source
from unmask.web.progress import Progress
from unmask.web.worker import GLANCE_SECONDS, Glance, Stage, glance, load_scans
from unmask.work.pool import Note, Part, Tell


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    card = write_tiny_model(tmp_path_factory.mktemp("model"))
    return ScanSettings(model=str(card), decode=DecodeSettings(frames=4))


def test_a_scan_tells_hash_stages_and_a_glance_before_its_verdict(settings):
    told = []
    verdict = load_scans(settings)(str(SWAPPED), Tell(told.append))
    assert verdict.path == str(SWAPPED) and verdict.outcome.has_number
    begun = told[: told.index(Part(Stage("detect")))]
    sha256, first = (message for message in begun if message != Part(Stage("decode")))
    assert sha256 == Note(verdict.sha256)  # before anything interprets the file, even for a glance
    assert isinstance(first.value, Glance) and first.value.faces == 1 and 0 < first.value.p_fake < 1
    stages = [part.value.name for part in told if isinstance(part, Part) and isinstance(part.value, Stage)]
    assert stages[-2:] == ["score", "decode"]


def test_a_glance_looks_at_the_beginning_and_says_nothing_of_what_cannot_be_decoded(settings, tmp_path):
    scanner = load_scanner(settings)
    found = glance(scanner, open_film(SWAPPED))
    assert 0 < found.end_seconds <= GLANCE_SECONDS + 0.1
    (tmp_path / "text").write_text("words")
    gone = replace(open_film(SWAPPED), at_hand=[], source=check_source(tmp_path / "text"))
    assert glance(scanner, gone) is None


def test_a_file_is_opened_once_for_glance_and_scan(settings, monkeypatch):
    from unmask.video import film

    surveyed, survey = [], film.survey_packets
    monkeypatch.setattr(
        film, "survey_packets", lambda reading, *more: surveyed.append(1) or survey(reading, *more)
    )
    load_scans(settings)(str(SWAPPED), Tell(lambda message: None))
    assert surveyed == [1]


def test_what_is_no_video_gets_no_glance(settings, tmp_path):
    told = []
    (tmp_path / "text").write_text("words")
    verdict = load_scans(settings)(str(tmp_path / "text"), Tell(told.append))
    assert verdict.outcome == "unreadable" and told == [Note(verdict.sha256), Part(Stage("decode"))]


def test_progress_only_goes_forward(settings):
    scanner = load_scanner(settings)
    (whole,) = scanner.watch(SWAPPED)
    length = whole.end_seconds
    looks = [
        Look(n == 0, n * length, (n + 1) * length, 0.0, 4 * length, whole.evidence) for n in range(3)
    ]  # as of a video that is four times as long
    progress, shares, partials = Progress(), [], []
    card = read_card(settings.model)
    for look in looks:
        for part in (Stage("decode"), Stage("detect"), Stage("detect"), Stage("score"), look):
            progress.hear(part, card, settings)
            shares.append(progress.share)
            partials.append(progress.partial)
    assert shares[:4] == [0, 1 / 3, 1 / 3, 2 / 3] and shares[4] == pytest.approx(1 / 4)
    assert shares[4:] == sorted(shares[4:]) and shares[-1] == pytest.approx(3 / 4)
    assert partials[-1]["faces"] == 1 and partials[-1]["end_seconds"] <= 3 * length

import io
import re
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from judged_files import judged_file, page_of, tried
from portraits import moving_views, write_clip, write_image
from tiny_model import write_clip_model
from unmask.config import ScanSettings
from unmask.files import fingerprint
from unmask.judge.heat_trials import HeatTrial
from unmask.report import ReportOptions
from unmask.report.looking import look_again, pick_frames
from unmask.report.people import heat_caption
from unmask.report.seen import Heat
from unmask.report.words import Words
from unmask.verdicts import Outcome, Person, PersonFrame
from unmask.video import open_film, read_clip
from unmask.video.playing import play_frames


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    return judged_file(tmp_path_factory.mktemp("judged"))


@pytest.fixture(scope="module")
def seen(judged):
    verdict, source, options = judged
    with tried(HeatTrial(0.9, 0.6, 0.98, 14)):
        return look_again(verdict, source, options)


def _decode(data):
    with av.open(io.BytesIO(data)) as container:
        return [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def test_the_preview_plays_at_the_files_own_times_with_boxes(judged, seen):
    frames = _decode(seen.preview)
    assert seen.preview_why_not == "" and len(frames) == 24  # ten a second, below the limit of 12.5
    assert [time for time, _ in frames] == pytest.approx([i / 10 for i in range(24)], abs=1e-3)
    plain = read_clip(judged[1]).frames[0].picture.rgb()
    changed = np.abs(frames[0][1].astype(int) - plain).max(axis=2) > 60
    left, top, right, _ = (round(edge) for edge in judged[0].people[0].frames[0].box)
    assert changed[top - 1 : top + 3, left + 10 : right - 10].mean() > 0.5


def test_strips_are_the_most_and_least_suspicious_frames_without_overlap(judged, seen):
    (person,) = seen.people
    most, least = ([one.p_fake for one in part] for part in (person.most, person.least))
    assert most == sorted(most, reverse=True) and least == sorted(least) and min(most) >= max(least)
    assert len(most) == len(least) == 4
    assert not {one.time_seconds for one in person.most} & {one.time_seconds for one in person.least}
    assert all(one.jpeg[:3] == b"\xff\xd8\xff" for one in (*person.most, *person.least))


def test_a_heat_map_tells_what_covering_did(seen):
    (heat,) = seen.people[0].heats
    assert heat.heat[:3] == heat.plain[:3] == b"\xff\xd8\xff"
    assert heat.odds_covered <= heat.odds_elsewhere + 1e-6


@pytest.mark.parametrize(
    ("trial", "why", "told"),
    [
        (None, "heat_not_tried", "never measured"),
        (
            HeatTrial(0.0, 0.0, 0.354, 7),
            "heat_no_better",
            "<p>There is no heat map: for these weights it marks no better than chance.</p><details>",
        ),
    ],
)
def test_a_map_that_is_not_known_to_bear_the_verdict_is_not_drawn(judged, trial, why, told):
    verdict, source, options = judged
    with tried(trial):
        found = look_again(verdict, source, options)
        assert found.heat_why_not == why and found.people[0].heats == ()
        page = page_of(verdict, source, options)
        assert told in page
        assert ("in 0\u00a0% (95 % interval 0\u00a0% to 35\u00a0%)" in page) == (trial is not None)


def test_what_a_map_is_worth_stands_beside_it(judged):
    with tried(HeatTrial(0.857, 0.487, 0.974, 7)):
        page = page_of(*judged)
    caption = page.partition('class="heats"')[2].partition("</figcaption>")[0]
    assert "on 7 clips" in caption and "86\u00a0% (95 % interval 49\u00a0% to 97\u00a0%" in caption
    assert "chance alone: 9\u00a0%" in caption


@pytest.mark.parametrize(
    ("covered", "elsewhere", "said", "german"),
    [
        (
            0.001,
            1.0,
            "clearly less manipulated. Covering another part of that size usually changes little",
            "deutlich weniger",
        ),
        (
            0.7,
            0.8,
            "a little less manipulated. Covering another part of that size usually does so too",
            "etwas weniger",
        ),
        (0.4, 2.4, "usually makes it look more manipulated", "meist stärker manipuliert"),
        (0.95, 1.0, "no single part decides", "keine entscheidet also allein"),
    ],
)
def test_the_caption_of_a_heat_map_is_in_plain_words(covered, elsewhere, said, german):
    heat = Heat(1.0, b"", b"", 0.99, covered, elsewhere)
    english, other = (heat_caption(heat, Words(language)) for language in ("en", "de"))
    assert english.startswith("1.0 s: score 99\u00a0%. Covering ") and said in english and german in other
    assert not re.search(r"odds|Chance|median|%.*%", english + other.partition("%")[2])


@pytest.mark.parametrize(
    ("language", "said"), [("en", "brightened here for the eye"), ("de", "für das Auge aufgehellt")]
)
def test_dark_pictures_are_brightened_for_the_eye_and_the_report_says_so(judged, tmp_path, language, said):
    verdict, source, options = judged
    views = [(0.15 * view).astype(np.uint8) for view in moving_views(24, brightness=60)]
    dark = write_clip(tmp_path / "clip.mp4", views)
    darker = replace(verdict, sha256=fingerprint(dark))  # the same faces at the same times
    for whole, file, is_dark in ((darker, dark, True), (verdict, source, False)):
        seen = look_again(whole, file, replace(options, heat_map=False))
        assert seen.brightened == is_dark and (seen.brightness < 50) == is_dark
        for jpeg in (seen.still, seen.along[0].jpeg, seen.people[0].most[0].jpeg):
            shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert shown.mean() > 70
        assert (said in page_of(whole, file, options, heat_map=False, language=language)) == is_dark


def test_facts_are_those_of_the_file(judged, seen):
    facts = seen.facts
    assert (facts.codec, facts.width, facts.height) == ("h264", 200, 160)
    assert facts.sha256 == judged[0].sha256 and facts.size_bytes == judged[1].stat().st_size
    assert facts.frames_per_second == 10 and facts.duration_seconds == pytest.approx(2.4)
    assert any(sign.startswith("encoder: Lavf") for sign in facts.reencoded)
    assert seen.brightness > 50


def test_a_preview_beyond_the_limit_is_given_up(judged):
    verdict, source, options = judged
    seen = look_again(verdict, source, replace(options, preview_mb=0.005, heat_map=False))
    assert seen.preview is None and seen.preview_why_not == "too_large" and seen.still
    served = look_again(verdict, source, replace(options, media_url="/media/1", heat_map=False))
    assert served.preview is None and served.preview_why_not == ""


def test_a_long_video_is_not_copied_and_has_its_other_pictures(judged, monkeypatch):
    import unmask.report.looking as looking

    monkeypatch.setattr(looking, "MAX_PREVIEW_SECONDS", 2.0)
    verdict, source, options = judged
    seen = look_again(verdict, source, replace(options, heat_map=False))
    assert seen.preview is None and seen.preview_why_not == "too_long"
    assert seen.still and len(seen.people[0].most) == 4


def test_a_video_in_which_nobody_was_found_can_be_watched(judged):
    verdict, source, options = judged
    nobody = replace(verdict, outcome=Outcome.NO_FACE, p_fake=None, people=(), segments=())
    seen = look_again(nobody, source, options)
    assert len(_decode(seen.preview)) == 24 and seen.still and not seen.people


def test_another_file_by_now_gives_no_pictures(judged, tmp_path):
    verdict, source, options = judged
    other = tmp_path / "clip.mp4"
    other.write_bytes(source.read_bytes() + b"\0")
    seen = look_again(verdict, other, options)
    assert seen.problem == "media_changed" and not seen.people and seen.preview is None


@pytest.mark.parametrize("name", ["gone.mp4", "", "a\0b"])
def test_a_file_that_is_gone_or_never_was_gives_a_reason(judged, tmp_path, name):
    seen = look_again(judged[0], tmp_path / name, judged[2])
    assert seen.problem == "media_unreadable" and seen.detail


def test_text_named_as_a_video_gives_a_reason(judged, tmp_path):
    (tmp_path / "a.mp4").write_text("not a video" * 99)
    assert look_again(judged[0], tmp_path / "a.mp4", judged[2]).problem == "media_unreadable"


def test_without_the_weights_that_judged_there_is_no_heat_map_and_no_claim(judged):
    verdict, source, _ = judged
    seen = look_again(verdict, source, ReportOptions())  # the shipped model, which did not judge
    assert seen.heat_why_not == "heat_no_model" and seen.people[0].heats == ()


def test_a_model_that_judges_clips_gets_no_heat_map(judged, tmp_path):
    from unmask.judge.card import read_card

    card = write_clip_model(tmp_path)
    verdict = replace(judged[0], model=read_card(card).model_name)
    seen = look_again(verdict, judged[1], ReportOptions(settings=ScanSettings(model=str(card))))
    assert seen.heat_why_not == "heat_clip_model"


def test_a_picture_has_no_preview_and_still_strips(tmp_path):
    import unmask
    from portraits import moving_views

    (tmp_path / "other").mkdir()
    options = judged_file(tmp_path / "other")[2]
    source = write_image(tmp_path / "face.png", moving_views(1, brightness=60)[0])
    verdict = unmask.scan(source, model=options.settings.model)
    seen = look_again(verdict, source, options)
    assert seen.preview is None and seen.still and len(seen.people[0].most) == 1 and not seen.people[0].least


def test_frames_are_picked_without_counting_unscored_ones():
    frames = [PersonFrame(float(i), (0, 0, 9, 9), (), 1.0, None if i % 2 else i / 10) for i in range(10)]
    most, least = pick_frames(Person(0, 0.5, True, None, tuple(frames)))
    assert [one.p_fake for one in most] == [0.8, 0.6, 0.4] and [one.p_fake for one in least] == [0.0, 0.2]


def test_playing_gives_the_pixels_that_a_scan_saw(judged):
    clip = read_clip(judged[1])
    wanted = [clip.frames[i].time_seconds for i in (3, 11, 12, 20)]
    played = list(play_frames(open_film(judged[1]), lambda times: wanted))
    assert [frame.time_seconds for frame in played] == wanted
    for frame in played:
        (seen,) = [one for one in clip.frames if one.time_seconds == frame.time_seconds]
        assert (frame.picture.rgb() == seen.picture.rgb()).all()

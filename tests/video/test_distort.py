from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from labelled_clips import write_labelled
from portraits import moving_views, write_clip
from tiny_model import write_tiny_model
from unmask.config import ScanSettings
from unmask.errors import SettingsError
from unmask.judge.card import read_card
from unmask.lab.evaluate.clips import read_clips
from unmask.lab.evaluate.contenders import Contender
from unmask.lab.evaluate.ladder import CLEAN, STEPS, climb, summarise_ladder
from unmask.pipeline import load_scanner
from unmask.verdicts import Outcome
from unmask.video import clip_from_arrays
from unmask.video.distort import DISTORTIONS, LEVELS, distort_clip

VIEWS = [view.repeat(2, 0).repeat(2, 1)[:241, :301] for view in moving_views(6, size=(151, 121))]
CLIP = clip_from_arrays(VIEWS, [0.0, 0.5, 0.7, 1.0, 2.0, 4.0], path="a.mp4")


def images(clip):
    return np.stack([frame.picture.rgb() for frame in clip.frames]).astype(float)


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_every_level_is_worse_than_the_one_before_and_keeps_times_and_sizes(kind):
    gaps = []
    for level in range(1, LEVELS + 1):
        worse = distort_clip(CLIP, kind, level=level)
        assert [f.time_seconds for f in worse.frames] == [f.time_seconds for f in CLIP.frames]
        assert (worse.frames[0].width, worse.frames[0].height) == (301, 241)
        gaps.append(np.abs(images(worse) - images(CLIP)).mean())
    assert gaps[0] > 0.2
    assert all(later > earlier for earlier, later in pairwise(gaps)), gaps


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_a_clip_is_distorted_alike_each_time_wherever_it_lies(kind):
    again = distort_clip(replace(CLIP, path=Path("/elsewhere/a.mp4")), kind, level=3)
    np.testing.assert_array_equal(images(distort_clip(CLIP, kind, level=3)), images(again))


def test_chance_differs_between_clips_and_frames():
    one = images(distort_clip(CLIP, "white noise", level=3)) - images(CLIP)
    other = images(distort_clip(replace(CLIP, path=Path("b.mp4")), "white noise", level=3)) - images(CLIP)
    assert np.abs(one - other).mean() > 5
    assert np.abs(one[0] - one[1]).mean() > 5


def test_each_kind_does_what_it_says():
    assert np.ptp(images(distort_clip(CLIP, "saturation", level=5)), axis=-1).max() <= 1
    dark = images(distort_clip(CLIP, "dark", level=2)).mean() / images(CLIP).mean()
    assert dark == pytest.approx(0.5, abs=0.01)
    contrast = images(distort_clip(CLIP, "contrast", level=3)).std() / images(CLIP).std()
    assert contrast == pytest.approx(0.55, abs=0.02)
    noise = images(
        distort_clip(clip_from_arrays([np.full((64, 64, 3), 128, np.uint8)]), "white noise", level=3)
    )
    assert noise.std() == pytest.approx(14, rel=0.05)


def test_frames_of_changing_size_pass_the_video_codec():
    mixed = clip_from_arrays([view for size in ((64, 48), (81, 33)) for view in moving_views(2, size=size)])
    worse = distort_clip(mixed, "h264", level=1)
    assert [(f.width, f.height) for f in worse.frames] == [(64, 48), (64, 48), (81, 33), (81, 33)]


def test_unknown_kinds_and_levels_are_refused():
    with pytest.raises(SettingsError, match="unknown distortion 'rain'; choose from: saturation"):
        distort_clip(CLIP, "rain", level=1)
    for level in (0, 6):
        with pytest.raises(SettingsError, match=f"level must be 1 to 5, got {level}"):
            distort_clip(CLIP, "dark", level=level)


def test_a_scan_tells_when_darkness_turns_the_verdict(tmp_path):
    card = write_tiny_model(tmp_path / "model", thresholds={"fake_at_least": 0.5, "real_at_most": 0.49})
    bright = write_clip(tmp_path / "bright.mp4", moving_views(8, brightness=40))
    plain = load_scanner(ScanSettings(model=str(card))).scan(bright)
    tried = load_scanner(ScanSettings(model=str(card), stability=True)).scan(bright)
    assert plain.stability is None and tried.p_fake == plain.p_fake
    assert tried.outcome is Outcome.FAKE and tried.stability is not None
    assert not tried.stability.stable
    assert tried.stability.outcomes["dark 0.5"] is Outcome.REAL
    assert tried.stability.outcomes["jpeg 30"] is Outcome.FAKE
    assert tried.reason == f"{plain.reason}; unstable: it turns real under dark 0.5"
    assert tried.to_dict()["stability"]["outcomes"]["dark 0.5"] == "real"
    dark = write_clip(tmp_path / "dark.mp4", moving_views(8, brightness=-60))
    held = load_scanner(ScanSettings(model=str(card), stability=True)).scan(dark)
    assert held.outcome is Outcome.REAL and held.stability is not None and held.stability.stable
    assert "unstable" not in held.reason


def test_the_ladder_shows_what_breaks_a_model(tmp_path, monkeypatch):
    card = write_tiny_model(tmp_path / "model")
    clips = read_clips([write_labelled(tmp_path / "clips", originals=2)])
    contender = Contender("tiny", str(card))
    from unmask.lab.evaluate.examine import Examiner
    from unmask.lab.evaluate.ladder import _climb_one

    # In this process, and few steps, to save time.
    monkeypatch.setattr("unmask.lab.evaluate.ladder.STEPS", (CLEAN, ("jpeg", 1), ("dark", 5)))
    examiner = Examiner(ScanSettings(), [contender])
    rungs = [_climb_one(examiner, clip.path, print) for clip in clips]
    found = summarise_ladder(clips, rungs, {"tiny": read_card(card)})
    assert found["clean"]["tiny"]["auc"] == 1
    assert (found["clean"]["tiny"]["judged"], found["clean"]["tiny"]["clips"]) == (4, 6)
    assert found["distortions"]["jpeg"][0]["models"]["tiny"]["auc"] == 1
    assert found["distortions"]["blur"][0]["models"]["tiny"]["auc"] is None  # not climbed
    dark = [rung[("dark", 5)]["tiny"] for rung in rungs if rung.get(("dark", 5), {}).get("tiny") is not None]
    assert all(p < 0.1 for p in dark)
    assert len(STEPS) == 46 and callable(climb)

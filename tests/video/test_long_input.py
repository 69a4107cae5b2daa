"""Long and odd videos: time and memory stay bounded, and there is a verdict or a sentence."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from media import truncated
from portraits import moving_views, write_clip
from tiny_model import write_tiny_model
from unmask.config import DecodeSettings, ScanSettings, TrackSettings
from unmask.pipeline import load_scanner
from unmask.verdicts import Outcome
from unmask.video import open_film, read_stretches

SIZE = (120, 160, 3)


@pytest.fixture(scope="module")
def scanner(tmp_path_factory):
    model = str(write_tiny_model(tmp_path_factory.mktemp("model")))
    return load_scanner(ScanSettings(model=model, embedder="none"))


def noise(seed):
    """A picture of large patches, unlike any of another seed."""
    patches = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.ascontiguousarray(np.kron(patches, np.ones((20, 20, 1), np.uint8)))


def film(path, pictures, times=None, *, codec="libx264"):
    """Frames at given ticks of a tenth of a second; the same one is written where they follow each other."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, 10)
        stream.options = {"preset": "ultrafast", "g": "100"}
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = times[number] if times else number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_an_hour_of_one_still_picture(scanner, tmp_path):
    face = moving_views(1)[0]
    verdict = scanner.scan(film(tmp_path / "still.mp4", [face] * 1200, [30 * n for n in range(1200)]))
    assert verdict.outcome.has_number and verdict.end_seconds == pytest.approx(3600, abs=4)
    assert len(verdict.shots) == 1
    assert verdict.shots[0].frames <= 360 * 6 + 30
    assert len(verdict.people) == 1


def test_an_hour_of_black(scanner, tmp_path):
    black = np.zeros(SIZE, np.uint8)
    verdict = scanner.scan(film(tmp_path / "black.mp4", [black] * 1200, [30 * n for n in range(1200)]))
    assert (verdict.outcome, len(verdict.shots)) == (Outcome.NO_FACE, 1)
    assert "dark" in verdict.reason


@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_strobe(scanner, tmp_path, every):
    verdict = scanner.scan(film(tmp_path / "strobe.mp4", [noise(n // every) for n in range(300)]))
    assert verdict.outcome is Outcome.NO_FACE and verdict.p_fake is None
    assert sum(shot.frames for shot in verdict.shots) <= 8 * len(verdict.shots) + 60
    ends = [shot.end_seconds for shot in verdict.shots]
    assert [shot.start_seconds for shot in verdict.shots] == [0, *ends[:-1]]


def test_times_that_run_back_or_stand_still(scanner, tmp_path):
    there = moving_views(20)
    way = [*there, *there[::-1]] * 6
    path = film(tmp_path / "sound.mkv", way)
    shuffled = tmp_path / "times.mkv"
    with av.open(str(path)) as source, av.open(str(shuffled), "w") as target:
        copy = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(source.streams.video[0])):
            if packet.pts is None:
                continue
            # Every seventh frame says that it is shown before, or with, one that has been.
            packet.pts += 600 - (300 if number % 14 == 7 else 100 if number % 14 == 0 else 0)
            packet.stream = copy
            target.mux_one(packet)
    verdict = scanner.scan(shuffled)
    assert verdict.outcome.has_number
    times = [frame.time_seconds for person in verdict.people for frame in person.frames]
    assert all(0 <= time <= 25 for time in times)
    for person in verdict.people:
        own = [frame.time_seconds for frame in person.frames]
        assert own == sorted(set(own))


def test_a_size_that_changes_is_a_new_shot_at_most(scanner, tmp_path):
    small, large = moving_views(120), [np.repeat(np.repeat(i, 2, 0), 2, 1) for i in moving_views(120)]
    one, two = film(tmp_path / "one.ts", small), film(tmp_path / "two.ts", large)
    joined = tmp_path / "both.ts"
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    verdict = scanner.scan(joined)
    assert verdict.outcome.has_number and len(verdict.shots) <= 3


@pytest.mark.parametrize("fraction", [0.3, 0.7])
def test_what_is_left_of_a_long_video_that_was_cut_off(scanner, tmp_path, fraction):
    there = moving_views(20)
    whole = write_clip(tmp_path / "whole.mkv", [*there, *there[::-1]] * 6)
    path = tmp_path / "cut.mkv"
    truncated(whole, path, fraction=fraction)
    verdict = scanner.scan(path)
    assert verdict.outcome.has_number
    assert 0 < verdict.end_seconds < 24


def test_a_stadium_is_not_judged_for_hours(tmp_path, scanner):
    settings = replace(scanner.settings, track=TrackSettings(policy="all"))  # its faces hardly move
    face = moving_views(1)[0][10:130, 40:160]
    crowd = np.tile(face, (9, 12, 1))
    wobbling = [np.roll(crowd, n % 5, axis=1) for n in range(24)]
    path = write_clip(tmp_path / "crowd.mp4", [image[: 9 * 120 // 2 * 2] for image in wobbling])
    verdict = replace(scanner, settings=settings).scan(path)
    kept = [person for person in verdict.people if person.kept]
    assert len(verdict.people) > 60 and len(kept) == 40
    reasons = {person.why_dropped for person in verdict.people if not person.kept}
    assert "the face is not among the 40 largest" in reasons


def test_memory_does_not_grow_with_the_frames_that_are_given(tmp_path):
    path = film(tmp_path / "many.mp4", [noise(n // 40) for n in range(1200)])
    most = 0
    for stretch in read_stretches(open_film(path, DecodeSettings(max_frames=100))):
        most = max(most, len(stretch.clip.frames))
    assert 0 < most <= 60


def test_times_that_begin_anew_are_told_of(scanner, tmp_path):
    there = moving_views(40)
    one, two = write_clip(tmp_path / "1.ts", there), write_clip(tmp_path / "2.ts", there[::-1])
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    verdict = scanner.scan(joined)
    assert verdict.damaged
    assert "times repeat: 40 of 80 frames" in verdict.reason

"""read_clip on sound files: the right frames, upright, and bit for bit those of full decoding."""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media import ENCODINGS, decode_all, numbered, read_number, write_growing, write_video
from unmask.config import DecodeSettings
from unmask.video import read_clip


@pytest.fixture(scope="session")
def encoded(tmp_path_factory):
    """Makes one clip for each encoding, once."""
    folder = tmp_path_factory.mktemp("encoded")

    def make(encoding: str) -> Path:
        path = folder / f"{encoding}.{ENCODINGS[encoding][0]}"
        return path if path.exists() else write_video(path, encoding=encoding, frames=60)

    return make


def numbers(clip) -> list[int]:
    return [read_number(frame.picture.rgb()) for frame in clip.frames]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_frames_are_those_of_full_decoding_bit_for_bit(encoded, encoding):
    path = encoded(encoding)
    every = decode_all(path)
    order = {read_number(image): image for _, image in every}
    times = {read_number(image): time for time, image in every}
    for count in (1, 7, 30, 100):
        clip = read_clip(path, DecodeSettings(frames=count))
        assert not clip.damaged, clip.damage
        assert len(clip.frames) == min(count, 60)
        assert sorted(set(numbers(clip))) == numbers(clip)
        for frame, number in zip(clip.frames, numbers(clip), strict=True):
            if encoding != "x264-mbaff":  # its half pictures are made whole, see test_fields.py
                assert np.array_equal(frame.picture.rgb(), order[number])
            if not encoding.endswith("avi"):  # AVI stores no presentation times to compare with.
                assert frame.time_seconds == pytest.approx(times[number], abs=1e-6)


@pytest.mark.parametrize(
    "encoding", ["x264-pyramid", "x264-open-gop", "x265-open-gop", "x264-short-gop-ts", "vp9"]
)
def test_leaving_packets_out_changes_nothing_for_any_number_of_frames(encoded, encoding):
    path = encoded(encoding)
    for count in range(1, 30, 4):
        quick = read_clip(path, DecodeSettings(frames=count))
        full = read_clip(path, DecodeSettings(frames=count, drop_unreferenced=False))
        assert [f.time_seconds for f in quick.frames] == [f.time_seconds for f in full.frames]
        for one, other in zip(quick.frames, full.frames, strict=True):
            assert np.array_equal(one.picture.rgb(), other.picture.rgb())


def test_packets_are_really_left_out(encoded, monkeypatch):
    from unmask.video import reading

    plans = []
    plan_packets = reading.plan_packets
    monkeypatch.setattr(reading, "plan_packets", lambda *a: plans.append(plan_packets(*a)) or plans[-1])
    for encoding in ("x264-many-b", "x264-short-gop", "x265-open-gop"):
        read_clip(encoded(encoding), DecodeSettings(frames=3))
    kept, jumps = [sum(plan.send) for plan in plans], [len(plan.restarts) for plan in plans]
    assert kept[0] < 15 and jumps[0] == 0
    assert kept[1] < 25 and jumps[1] == 3
    assert kept[2] < 40 and jumps[2] >= 1


def test_frames_come_from_the_middle_of_equal_parts(tmp_path):
    clip = read_clip(write_video(tmp_path / "a.mp4", frames=60), DecodeSettings(frames=6))
    assert numbers(clip) == [5, 15, 25, 35, 45, 55]
    assert [frame.time_seconds for frame in clip.frames] == pytest.approx([n / 30 for n in numbers(clip)])
    assert clip.duration_seconds == pytest.approx(2.0)


@pytest.mark.parametrize("encoding", ["x264", "x264-mkv", "x264-annexb"])
def test_variable_frame_rate_goes_by_time_not_by_index(tmp_path, encoding):
    # Twenty frames in the first second, four in the other nine.
    times = [n / 20 for n in range(20)] + [1.0, 3.0, 5.0, 8.0]
    path = write_video(tmp_path / "vfr", frames=24, times_seconds=times, encoding=encoding)
    clip = read_clip(path, DecodeSettings(frames=5))
    # The middles of five parts of 8 s: 0.8, 2.4, 4.0, 5.6 and 7.2 s. Frame 22 stands at the last two of
    # them, so one more comes from the others; by index it would be 2, 7, 12, 16 and 21.
    shown = numbers(clip)
    assert {16, 20, 21, 22} <= set(shown) and len(shown) == 5
    start = clip.frames[0].time_seconds - times[shown[0]]
    for frame, number in zip(clip.frames, shown, strict=True):
        assert frame.time_seconds == pytest.approx(start + times[number], abs=0.002)


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
def test_rotation_of_the_metadata_is_applied(tmp_path, rotation):
    path = write_video(tmp_path / "turned.mp4", frames=5, size=(192, 96), rotation=rotation)
    clip = read_clip(path)
    stored = decode_all(path)[3][1]
    upright = np.rot90(stored, rotation // 90)
    frame = clip.frames[3]
    assert (frame.height, frame.width) == upright.shape[:2]
    assert np.array_equal(frame.picture.rgb(), upright)
    small = frame.picture.rgb(width=frame.width // 2, height=frame.height // 2)
    assert np.abs(small.astype(int) - upright[::2, ::2]).mean() < 12


@pytest.mark.parametrize("size", [(161, 121), (1, 1), (2, 2), (17, 3), (640, 16)])
@pytest.mark.parametrize("encoding", ["libx264", "ffv1"])
def test_odd_and_tiny_sizes(tmp_path, size, encoding):
    path = write_video(tmp_path / "odd.mkv", size=size, frames=4, encoding=encoding)
    clip = read_clip(path)
    every = decode_all(path)
    assert [(f.width, f.height) for f in clip.frames] == [size] * 4
    for frame, (_, image) in zip(clip.frames, every, strict=True):
        assert np.array_equal(frame.picture.rgb(), image)


def test_one_frame_is_a_video_not_an_image(tmp_path):
    clip = read_clip(write_video(tmp_path / "one.mp4", frames=1))
    assert len(clip.frames) == 1
    assert clip.duration_seconds > 0 and not clip.is_image and not clip.damaged


def test_sound_beside_the_picture_does_not_matter(tmp_path):
    with_sound = read_clip(write_video(tmp_path / "a.mp4", audio=True))
    without = read_clip(write_video(tmp_path / "b.mp4"))
    assert numbers(with_sound) == numbers(without)


def test_long_files_are_read_twice_from_disk_with_the_same_result(tmp_path, monkeypatch):
    from unmask.video import survey

    path = write_video(tmp_path / "a.mp4", encoding="x264-short-gop", frames=90)
    kept = read_clip(path, DecodeSettings(frames=7))
    monkeypatch.setattr(survey, "_KEPT_PACKETS", 5)
    again = read_clip(path, DecodeSettings(frames=7))
    assert numbers(again) == numbers(kept)
    for one, other in zip(kept.frames, again.frames, strict=True):
        assert np.array_equal(one.picture.rgb(), other.picture.rgb())


def test_the_size_may_change_on_the_way(tmp_path):
    both = write_growing(tmp_path, (320, 240))
    clip = read_clip(both, DecodeSettings(frames=40))
    assert {(f.width, f.height) for f in clip.frames} == {(160, 120), (320, 240)}


def test_shrinking_averages_areas(tmp_path):
    path = write_video(tmp_path / "a.mkv", encoding="ffv1", frames=1, size=(160, 120))
    small = read_clip(path).frames[0].picture.rgb(width=40, height=30)
    blocks = numbered(0).reshape(30, 4, 40, 4, 3).mean(axis=(1, 3))
    assert small.shape == (30, 40, 3)
    assert np.abs(small - blocks).max() <= 4


def test_sizes_go_together(tmp_path):
    picture = read_clip(write_video(tmp_path / "a.mp4", frames=2)).frames[0].picture
    with pytest.raises(ValueError, match="both"):
        picture.rgb(width=10)
    with pytest.raises(ValueError, match="1 or more"):
        picture.rgb(width=10, height=0)


def test_pictures_can_be_read_from_several_threads(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    clip = read_clip(write_video(tmp_path / "a.mp4", frames=30))
    alone = [frame.picture.rgb(width=80, height=60) for frame in clip.frames]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda f: f.picture.rgb(width=80, height=60), clip.frames * 4))
    for number, image in enumerate(together):
        assert np.array_equal(image, alone[number % 30])


def test_frames_are_freed_without_the_garbage_collector(tmp_path):
    path = write_video(tmp_path / "a.mp4", size=(1280, 720), frames=40, options={"preset": "ultrafast"})
    read_clip(path)
    gc.disable()
    try:
        before = _resident_mb()
        for _ in range(8):
            read_clip(path)
        assert _resident_mb() - before < 60  # One clip holds 41 MB; eight that were kept would hold 330.
    finally:
        gc.enable()


def _resident_mb() -> float:
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("the resident size is read from /proc")
    return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20


def test_thirty_frames_at_1080p_stay_near_100_mb(tmp_path):
    path = write_video(
        tmp_path / "hd.mp4", size=(1920, 1080), frames=36, options={"preset": "ultrafast", "bf": "2"}
    )
    code = (
        "import resource, sys; from unmask.video import read_clip\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "before = peak(); clip = read_clip(sys.argv[1])\n"
        "for frame in clip.frames: frame.picture.rgb()\n"
        "print(len(clip.frames), peak() - before)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    ).stdout
    count, used = out.split()
    assert int(count) == 30
    assert float(used) < 160  # 94 MB of frames, the decoder's own and one RGB image; as RGB alone 187 MB.


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    structure=st.fixed_dictionaries(
        {
            "bframes": st.integers(0, 8),
            "b-pyramid": st.sampled_from(["none", "strict", "normal"]),
            "b-adapt": st.integers(0, 2),
            "ref": st.integers(1, 8),
            "keyint": st.integers(1, 40),
            "open-gop": st.integers(0, 1),
            "weightp": st.integers(0, 2),
            "intra-refresh": st.integers(0, 1),
            "slices": st.integers(1, 3),
        }
    ),
    count=st.integers(1, 20),
    encoding=st.sampled_from(["x264", "x264-annexb", "x264-mkv"]),
)
def test_any_x264_structure_gives_the_frames_of_full_decoding(tmp_path, structure, count, encoding):
    text = ":".join(f"{key}={value}" for key, value in structure.items())
    path = tmp_path / "any"
    write_video(path, encoding=encoding, frames=50, size=(64, 48), options={"x264-params": text})
    quick = read_clip(path, DecodeSettings(frames=count))
    full = {round(time, 5): image for time, image in decode_all(path)}
    assert len(quick.frames) == count and not quick.damaged
    for frame in quick.frames:
        assert np.array_equal(frame.picture.rgb(), full[round(frame.time_seconds, 5)])


def test_real_clips_match_full_decoding(shared_data):
    paths = sorted(shared_data.glob("real_videos/*.mp4"))[::12]
    assert len(paths) >= 5
    for path in paths:
        quick = read_clip(path, DecodeSettings(frames=10))
        full = read_clip(path, DecodeSettings(frames=10, drop_unreferenced=False))
        assert len(quick.frames) == 10 and not quick.damaged
        for one, other in zip(quick.frames, full.frames, strict=True):
            assert one.time_seconds == other.time_seconds
            assert np.array_equal(one.picture.rgb(), other.picture.rgb())


def test_logging_of_the_decoder_stays_off():
    assert av.logging.get_level() is None

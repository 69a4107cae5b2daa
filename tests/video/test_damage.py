"""read_clip on damaged files: a clip that says so, the same one every time, or one clear error."""

from __future__ import annotations

import sys
import time

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from media import bit_flipped, decode_all, read_number, truncated, write_video
from unmask.config import DecodeSettings
from unmask.errors import DamagedError, MediaError
from unmask.video import read_clip
from unmask.video.container import Reading, check_source, open_video, own_errors

KINDS = ("x264", "x264-annexb", "x264-mkv", "x265", "vp9", "mpeg4-avi", "gif", "flv", "wmv")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Sound files of several kinds, by name."""
    folder = tmp_path_factory.mktemp("sound")
    kinds = (
        "x264",
        "x264-annexb",
        "x264-mkv",
        "x264-short-gop",
        "x265",
        "vp9",
        "mpeg4-avi",
        "gif",
        "flv",
        "wmv",
    )
    return {kind: write_video(folder / kind, encoding=kind, frames=60) for kind in kinds}


def test_a_mp4_without_its_index_is_damaged(sound, tmp_path):
    with pytest.raises(DamagedError, match="cut short"):
        read_clip(truncated(sound["x264"], tmp_path / "a.mp4", fraction=0.6))


@pytest.mark.parametrize("fraction", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["x264-annexb", "x264-mkv", "x265", "mpeg4-avi", "flv"])
def test_what_is_left_of_a_truncated_file_is_read(tmp_path, sound, kind, fraction):
    path = truncated(sound[kind], tmp_path / "cut", fraction=fraction)
    try:
        clip = read_clip(path)
    except DamagedError:
        assert kind == "x265"  # In MP4, where the index is at the end.
        return
    shown = [read_number(frame.picture.rgb()) for frame in clip.frames]
    assert shown == sorted(shown) and 1 <= len(shown) <= 30


@pytest.mark.parametrize("fraction", [0.5, 0.8, 0.97])
def test_a_mp4_whose_data_is_cut_short_says_so(tmp_path, fraction):
    whole = _index_first(write_video(tmp_path / "whole.mp4", frames=90, options={"g": "10"}))
    clip = read_clip(truncated(whole, tmp_path / "cut.mp4", fraction=fraction))
    assert clip.damaged and clip.damage
    shown = [read_number(frame.picture.rgb()) for frame in clip.frames]
    assert shown == sorted(set(shown)) and len(shown) > 10
    assert not read_clip(whole).damaged


def _index_first(path):
    """Move the index of an MP4 to its front, as streaming sites do."""
    import av

    target = path.with_name("front.mp4")
    with (
        av.open(str(path)) as source,
        av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as sink,
    ):
        stream = sink.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                sink.mux(packet)
    return target


def test_flipped_bits_are_noticed_and_give_the_same_pixels_every_time(tmp_path, sound):
    flagged = 0
    for seed in range(12):
        path = bit_flipped(sound["x264"], tmp_path / f"{seed}.mp4", flips=20, seed=seed, skip_bytes=2000)
        runs = [_outcome(path) for _ in range(3)]
        assert runs[0] == runs[1] == runs[2]
        flagged += runs[0][0] != "clean"
    assert flagged >= 9


def _outcome(path):
    try:
        clip = read_clip(path)
    except MediaError as error:
        return "error", str(error)
    pixels = b"".join(frame.picture.rgb().tobytes() for frame in clip.frames)
    return ("damaged" if clip.damaged else "clean"), clip.damage, pixels


def test_frames_that_come_out_of_a_damaged_file_are_mostly_sound(tmp_path):
    source = write_video(tmp_path / "a.mp4", frames=60, options={"g": "6"})
    truth = {read_number(image): image for _, image in decode_all(source)}
    path = bit_flipped(source, tmp_path / "b.mp4", flips=3, seed=4, skip_bytes=3000)
    clip = read_clip(path)
    assert clip.damaged
    same = [np.array_equal(f.picture.rgb(), truth.get(read_number(f.picture.rgb()))) for f in clip.frames]
    assert sum(same) >= len(same) * 2 // 3


def test_damage_that_no_wanted_frame_depends_on_may_pass(tmp_path):
    """The drop trick looks at less, so that it also sees less: here the last group is never decoded."""
    source = write_video(tmp_path / "a.ts", encoding="x264-short-gop-ts", frames=80)
    data = bytearray(source.read_bytes())
    at = len(data) - 188 * 4 + 100
    data[at : at + 40] = bytes(40)
    (tmp_path / "b.ts").write_bytes(bytes(data))
    one = read_clip(tmp_path / "b.ts", DecodeSettings(frames=1))
    other = read_clip(source, DecodeSettings(frames=1))
    assert np.array_equal(one.frames[0].picture.rgb(), other.frames[0].picture.rgb())


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(
        ["x264", "x264-annexb", "x264-mkv", "x265", "vp9", "mpeg4-avi", "gif", "flv", "wmv"]
    ),
    flips=st.integers(0, 200),
    seed=st.integers(0, 10_000),
    keep=st.floats(0.01, 1.0),
)
@example(kind="x264-annexb", flips=75, seed=454, keep=1.0)  # The best stream was one that is not there.
@example(kind="x264", flips=0, seed=0, keep=0.01)
@example(kind="x264-mkv", flips=200, seed=1, keep=1.0)
def test_damage_of_any_kind_gives_a_clip_or_a_media_error(tmp_path, sound, kind, flips, seed, keep):
    path = truncated(sound[kind], tmp_path / "cut", fraction=keep)
    if flips and path.stat().st_size:
        bit_flipped(path, path, flips=flips, seed=seed)
    started = time.monotonic()
    try:
        clip = read_clip(path, DecodeSettings(frames=8, time_limit_seconds=20))
    except MediaError as error:
        assert "\n" not in str(error)
    else:
        assert 1 <= len(clip.frames) <= 8
        assert clip.damaged == bool(clip.damage)
        times = [frame.time_seconds for frame in clip.frames]
        assert times == sorted(set(times))
        assert clip.frames[0].picture.rgb().shape[2] == 3
    assert time.monotonic() - started < 25


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(min_size=1, max_size=400),
    head=st.sampled_from([b"", b"\0\0\0\x18ftypmp42", b"\x1aE\xdf\xa3"]),
)
def test_any_bytes_give_a_clip_or_a_media_error(tmp_path, data, head):
    path = tmp_path / "any.mp4"
    path.write_bytes(head + data)
    try:
        read_clip(path, DecodeSettings(time_limit_seconds=20))
    except MediaError as error:
        assert "any.mp4" in str(error)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_what_the_disk_fails_on_is_told_from_damage(tmp_path):
    """FFmpeg says the same of both; reading the file to its end tells which it is."""
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypisom" + b"no film" * 100)
    reading = Reading.start(check_source(tmp_path / "a.mp4"), DecodeSettings())
    with pytest.raises(DamagedError), open_video(reading):
        pass
    (tmp_path / "a.mp4").unlink()
    (tmp_path / "a.mp4").symlink_to("/proc/self/mem")  # whose beginning cannot be read
    with pytest.raises(MediaError, match="says nothing of the file") as caught, open_video(reading):
        pass
    assert caught.value.of_machine
    with pytest.raises(MediaError, match="says nothing of the file"), own_errors(reading):
        raise av.error.InvalidDataError(1, "damage")

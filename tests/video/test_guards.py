"""What read_clip refuses, and that it says so in one sentence and touches nothing else."""

from __future__ import annotations

import itertools
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import av
import pytest

from media import (
    write_audio,
    write_concat_script,
    write_gif_header,
    write_growing,
    write_playlist,
    write_png_header,
    write_video,
)
from unmask.config import DecodeSettings
from unmask.errors import DamagedError, MediaError
from unmask.video import decoding, read_clip
from unmask.video.container import Reading, check_source, open_video, read_packets, read_tags


def refused(path: str | Path, settings: DecodeSettings | None = None) -> str:
    started = time.monotonic()
    with pytest.raises(MediaError) as caught:
        read_clip(path, settings)
    message = str(caught.value)
    assert "\n" not in message and 10 < len(message) < 200
    assert time.monotonic() - started < 10
    return message


def test_no_such_file(tmp_path):
    assert refused(tmp_path / "gone.mp4") == "gone.mp4: no such file"


def test_empty_file(tmp_path):
    path = tmp_path / "empty.mp4"
    path.touch()
    assert refused(path) == "empty.mp4: the file is empty"


def test_text_named_mp4(tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("these are notes\n" * 100)
    assert "no video or image" in refused(path)


def test_sound_only(tmp_path):
    assert refused(write_audio(tmp_path / "song.mp4")) == "song.mp4: no video stream (audio only?)"


def test_no_frames(tmp_path):
    assert refused(write_video(tmp_path / "none.mp4", frames=0)) == "none.mp4: no video stream"
    message = refused(write_video(tmp_path / "none.avi", frames=0, encoding="mpeg4-avi"))
    assert message == "none.avi: the video stream has no frames"


def test_what_has_no_container_is_told_the_way_out(tmp_path):
    bare = tmp_path / "a.h264"
    with av.open(str(bare), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height = 64, 48
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
    assert "without a container" in refused(bare) and "ffmpeg -i IN -c copy OUT.mp4" in refused(bare)


def test_a_foreign_container_is_told_the_way_out(tmp_path):
    path = tmp_path / "a.dv"
    with av.open(str(path), "w", format="dv") as container:
        stream = container.add_stream("dvvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(720, 576, "yuv420p")))
        container.mux(stream.encode())
    message = refused(path)
    assert "ffmpeg -i IN -c copy OUT.mkv" in message and "Invalid argument" not in message
    icon = tmp_path / "a.ico"  # begins almost like a video stream
    icon.write_bytes(b"\0\0\1\0\1\0" + bytes(60))
    assert "OUT.mkv" in refused(icon)


def test_folder(tmp_path):
    assert "is a folder" in refused(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a POSIX thing")
def test_named_pipe_does_not_block(tmp_path):
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)
    assert "must be a regular file" in refused(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero")
def test_device():
    assert "must be a regular file" in refused("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_permission(tmp_path):
    path = write_video(tmp_path / "secret.mp4", frames=2)
    path.chmod(0)
    assert "not permitted" in refused(path)


def test_a_permission_error_is_told_in_words(tmp_path, monkeypatch):
    path = write_video(tmp_path / "secret.mp4", frames=2)

    def no(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", no)
    assert refused(path) == "secret.mp4: reading it is not permitted"


def test_tags_that_are_no_utf8_are_read_as_text_that_can_be_written(tmp_path):
    path = write_video(tmp_path / "foreign.mp4", frames=2)
    path.write_bytes(path.read_bytes().replace(b"Lavf", b"L\xe9vf"))
    with open_video(Reading.start(check_source(path), DecodeSettings())) as (container, _):
        assert read_tags(container)["encoder"].startswith("L\ufffdvf")
    assert len(read_clip(path).frames) == 2


def test_a_file_that_disappears(tmp_path, monkeypatch):
    path = write_video(tmp_path / "ghost.mp4", frames=2)
    opened = av.open

    def open_late(*args, **kwargs):
        path.unlink()
        return opened(*args, **kwargs)

    monkeypatch.setattr(av, "open", open_late)
    assert refused(path) == "ghost.mp4: the file disappeared"


def test_a_file_that_changes_between_the_passes_is_damaged_not_wrong(tmp_path, monkeypatch):
    from unmask.video import survey

    path = write_video(tmp_path / "a.mp4", frames=40)
    other = write_video(tmp_path / "b.mp4", frames=40, size=(64, 48)).read_bytes()
    monkeypatch.setattr(survey, "_KEPT_PACKETS", 1)
    opened, calls = av.open, []

    def open_and_change(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            path.write_bytes(other)
        return opened(*args, **kwargs)

    monkeypatch.setattr(av, "open", open_and_change)
    try:
        clip = read_clip(path)
    except DamagedError as error:
        assert "changed" in str(error)
    else:
        assert clip.damaged and clip.damage.code == "file_changed"


@pytest.mark.parametrize(
    "prefix", ["concat:", "subfile,,start,0,end,0,,:", "file:", "http://", "data:", "pipe:"]
)
def test_a_path_is_never_an_address(tmp_path, monkeypatch, prefix):
    write_video(tmp_path / "a.mp4", frames=2)
    monkeypatch.chdir(tmp_path)
    assert "no such file" in refused(f"{prefix}a.mp4") or "://" in prefix


@pytest.mark.parametrize(
    "name", ["f%d.mp4", "-y.mp4", "concat:a|b.mp4", "a b'c\"d.mp4", "ü\U0001f600.mp4", "a:b.mp4"]
)
def test_odd_names_are_just_names(tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(write_video(tmp_path / "plain.mp4", frames=3).read_bytes())
    monkeypatch.chdir(tmp_path)
    assert len(read_clip(name).frames) == 3


def test_a_name_that_is_no_text_works(tmp_path):
    raw = os.fsencode(tmp_path / "x") + b"\xff\xfe.mp4"
    try:
        Path(os.fsdecode(raw)).write_bytes(write_video(tmp_path / "plain.mp4", frames=3).read_bytes())
    except OSError:
        pytest.skip("this file system takes only text as names")
    assert len(read_clip(os.fsdecode(raw)).frames) == 3


def test_control_characters_stay_out_of_messages(tmp_path):
    assert refused(tmp_path / "a\n\x1b[31mb.mp4") == "a??[31mb.mp4: no such file"


def test_a_zero_byte_in_the_name():
    assert "null character" in refused("a\0b.mp4")


@pytest.fixture
def server():
    """A web server that counts what is asked of it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_):
            pass

    web = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{web.server_port}", asked
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.mark.parametrize("ending", ["mp4", "m3u8", "ffconcat", "mkv", "gif"])
def test_playlists_read_and_fetch_nothing(tmp_path, server, ending):
    address, asked = server
    target = write_video(tmp_path / "target.ts", encoding="x264-annexb", frames=10)
    for write in (write_playlist, write_concat_script):
        for aim in (target, "target.ts", f"{address}/a.ts"):
            path = write(tmp_path / f"list.{ending}", aim)
            assert "no video or image" in refused(path)
    assert "no such file" in refused(f"{address}/a.mp4")
    assert asked == []


def test_the_playlists_of_these_tests_would_work_without_the_guard(tmp_path):
    write_video(tmp_path / "target.ts", encoding="x264-annexb", frames=10)
    path = write_concat_script(tmp_path / "list.mp4", "target.ts")
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10


def test_pixel_limit_of_the_header(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=3)
    assert "160 x 120" in refused(path, DecodeSettings(max_pixels=160 * 120 - 1))
    assert len(read_clip(path, DecodeSettings(max_pixels=160 * 120)).frames) == 3


def test_pixel_limit_of_every_frame(tmp_path):
    both = write_growing(tmp_path, (320, 240))
    assert "320 x 240" in refused(both, DecodeSettings(max_pixels=160 * 120))
    assert len(read_clip(both, DecodeSettings(max_pixels=320 * 240)).frames) == 30


def test_huge_headers_are_refused_before_anything_is_decoded(tmp_path):
    refused(write_gif_header(tmp_path / "huge.gif", width=65535, height=65535))
    assert "60000 x 60000" in refused(write_png_header(tmp_path / "huge.png", width=60_000, height=60_000))


def test_8k_is_admitted(tmp_path):
    path = write_video(tmp_path / "8k.mp4", size=(7680, 4320), frames=1, options={"preset": "ultrafast"})
    frame = read_clip(path).frames[0]
    assert (frame.width, frame.height) == (7680, 4320)


def test_very_large_frames_are_taken_in_smaller_numbers(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", frames=60)
    monkeypatch.setattr(decoding, "MAX_KEPT_BYTES", 10 * 160 * 120 * 3 // 2)
    assert len(read_clip(path).frames) == 10
    monkeypatch.setattr(decoding, "MAX_KEPT_BYTES", 1)
    assert len(read_clip(path).frames) == 1


def test_frames_that_outgrow_their_header_are_refused(tmp_path, monkeypatch):
    both = write_growing(tmp_path, (640, 480))
    monkeypatch.setattr(decoding, "MAX_KEPT_BYTES", 30 * 160 * 120 * 3 // 2)
    assert "ask for fewer frames" in refused(both)


def test_time_limit(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=100)
    assert "time_limit_seconds" in refused(path, DecodeSettings(time_limit_seconds=1e-4))


def test_time_limit_between_frames(tmp_path, monkeypatch):
    from unmask.video import container

    path = write_video(tmp_path / "a.mp4", frames=100)
    now, calls = time.monotonic(), []

    def clock():
        calls.append(1)
        return now + 1000 * max(0, len(calls) - 150)

    monkeypatch.setattr(container.time, "monotonic", clock)
    with pytest.raises(MediaError, match="time_limit_seconds"):
        read_clip(path)


def pass_time(monkeypatch, *, seconds_a_packet, packets=read_packets):
    """A clock that goes on by so much with each packet that is listed, and else stands still."""
    from unmask.video import container, survey

    now = [time.monotonic()]

    def listed(opened, stream):
        for packet in packets(opened, stream):
            now[0] += seconds_a_packet
            yield packet

    monkeypatch.setattr(container.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(survey, "read_packets", listed)


def test_a_slow_disk_is_waited_for_as_long_as_packets_come(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", frames=100)
    pass_time(monkeypatch, seconds_a_packet=60)
    assert len(read_clip(path).frames) == 30  # listed in 100 minutes


def test_a_disk_that_stands_still_is_not_waited_for(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", frames=100)
    pass_time(monkeypatch, seconds_a_packet=121)
    with pytest.raises(MediaError, match="within 120 s"):
        read_clip(path)


def test_the_same_packets_again_and_again_are_nothing_new(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mp4", frames=100)

    def endless(container, stream):
        return itertools.cycle(list(read_packets(container, stream)))

    pass_time(monkeypatch, seconds_a_packet=60, packets=endless)
    with pytest.raises(MediaError, match="within 120 s"):
        read_clip(path)


def test_stream_limit(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=5, audio=True)
    assert len(read_clip(path, DecodeSettings(max_streams=2)).frames) == 5
    refused(path, DecodeSettings(max_streams=1))


def test_packet_limit(tmp_path, monkeypatch):
    from unmask.video import survey

    path = write_video(tmp_path / "a.mp4", frames=20)
    monkeypatch.setattr(survey, "MAX_PACKETS", 10)
    assert "10 packets" in refused(path)

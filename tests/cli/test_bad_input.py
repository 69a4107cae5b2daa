"""What hostile, broken or absent input does to the real command line: nothing but one line each.

All inputs go through one run, good ones between them; so each must also leave the others alone.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from media import (
    bit_flipped,
    truncated,
    write_audio,
    write_concat_script,
    write_gif_header,
    write_playlist,
    write_png_header,
    write_video,
)
from portraits import moving_views, write_clip, write_image
from tiny_model import write_tiny_model

UNMASK = [sys.executable, "-m", "unmask"]


def _make_all(folder: Path, port: int) -> dict[str, str]:
    """Every input by what it is; the value is what is given to the command line."""
    good = write_clip(folder / "good.mp4", moving_views(12))
    made = {"good": good, "missing": folder / "missing.mp4", "folder without videos": folder / "bare"}
    (folder / "bare").mkdir()
    (folder / "bare" / "notes.txt").write_text("no video")
    made["empty"] = folder / "empty.mp4"
    made["empty"].touch()
    made["text"] = folder / "text.mp4"
    made["text"].write_text("This is not a video.\n" * 100)
    made["noise"] = folder / "noise.mp4"
    made["noise"].write_bytes(np.random.default_rng(0).bytes(50_000))
    made["audio only"] = write_audio(folder / "audio.mp4")
    made["cut short"] = truncated(good, folder / "cut.mp4", fraction=0.6)
    stream = write_video(folder / "stream.ts", frames=60, encoding="x264-annexb")
    made["cut stream"] = truncated(stream, folder / "cut.ts", fraction=0.6)
    made["flipped bits"] = bit_flipped(good, folder / "flipped.mp4", flips=60, skip_bytes=2_000)
    made["header only"] = truncated(good, folder / "header.mp4", fraction=0.001)
    made["1 frame"] = write_clip(folder / "one.mp4", moving_views(1))
    made["1 pixel"] = write_image(folder / "pixel.png", np.full((1, 1, 3), 200, np.uint8))
    made["2 pixels wide"] = write_video(folder / "narrow.mp4", frames=3, size=(2, 2))
    made["8k"] = write_video(folder / "8k.mp4", frames=2, size=(7680, 4320), options={"preset": "ultrafast"})
    made["too large"] = write_png_header(folder / "large.png", width=60_000, height=60_000)
    made["too large gif"] = write_gif_header(folder / "large.gif", width=60_000, height=60_000)
    made["playlist"] = write_playlist(folder / "playlist.mp4", good)
    made["concat script"] = write_concat_script(folder / "script.mp4", good)
    made["remote playlist"] = folder / "remote.mp4"
    made["remote playlist"].write_text(
        f"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:{port}/x.ts\n#EXT-X-ENDLIST\n"
    )
    made["concat address"] = f"concat:{good}"
    made["web address"] = f"http://127.0.0.1:{port}/x.mp4"
    for number in (1, 2):
        shutil.copy(good, folder / f"f{number}.mp4")
    made["number pattern"] = folder / "f%d.mp4"
    made["name with colon"] = shutil.copy(good, folder / "concat:good.mp4")
    made["dangling link"] = folder / "dangling.mp4"
    made["dangling link"].symlink_to(folder / "nowhere.mp4")
    made["link to itself"] = folder / "loop.mp4"
    made["link to itself"].symlink_to(folder / "loop.mp4")
    made["named pipe"] = folder / "pipe.mp4"
    os.mkfifo(made["named pipe"])
    made["device"] = "/dev/zero"
    made["long name"] = folder / ("x" * 300 + ".mp4")
    made["no text"] = os.fsdecode(os.fsencode(folder) + b"/caf\xe9-\xff.mp4")
    shutil.copy(good, made["no text"])
    made["line break"] = shutil.copy(good, folder / "two\nlines.mp4")
    made["pattern without files"] = folder / "*.nothing"
    made["good again"] = good
    return {what: os.fspath(path) for what, path in made.items()}


@pytest.fixture(scope="module")
def server():
    """Counts who connects; nobody may."""
    listener = socket.create_server(("127.0.0.1", 0))
    visits = []

    def listen():
        while True:
            try:
                visitor, _ = listener.accept()
            except OSError:
                return
            visits.append(visitor.recv(1000))
            visitor.close()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield listener.getsockname()[1], visits
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return os.fspath(write_tiny_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def run(tmp_path_factory, card, server):
    """One scan of everything: the inputs, the process, and the verdicts by what they are of."""
    inputs = _make_all(tmp_path_factory.mktemp("bad"), server[0])
    found = _scan(card, "--jobs", "2", "--time-limit", "120", *inputs.values())
    verdicts = [json.loads(line) for line in found.stdout.splitlines()]
    assert len(verdicts) == len(inputs), found.stderr
    return inputs, found, dict(zip(inputs, verdicts, strict=True))


def _scan(card, *arguments, cwd=None):
    return subprocess.run(
        [*UNMASK, "scan", "--json", "--model", card, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=cwd,
        timeout=400,
        check=False,
    )


def test_every_input_has_its_line_in_order(run):
    inputs, found, verdicts = run
    assert [v["path"] for v in verdicts.values()] == list(inputs.values())
    assert found.returncode == 1  # some were unreadable


def test_nothing_is_said_beside(run):
    assert run[1].stderr == ""


def test_nothing_is_fetched(run, server):
    assert server[1] == []


UNREADABLE = {
    "missing": "no such file",
    "folder without videos": "the folder holds no video or image",
    "empty": "empty",
    "text": "no video",
    "noise": "no video",
    "audio only": "no video stream",
    "header only": "",
    "too large": "pixels",
    "too large gif": "",
    "playlist": "",
    "concat script": "",
    "remote playlist": "",
    "concat address": "no such file",
    "web address": "no such file",
    "number pattern": "no such file",
    "dangling link": "no such file",
    "link to itself": "",
    "named pipe": "regular file",
    "device": "regular file",
    "long name": "name too long",
    "pattern without files": "no file matches this pattern",
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_unreadable_is_a_sentence_without_a_number(run, what):
    verdict = run[2][what]
    assert (verdict["outcome"], verdict["p_fake"], verdict["people"]) == ("unreadable", None, [])
    assert UNREADABLE[what] in verdict["reason"].lower()
    assert 5 < len(verdict["reason"]) < 300
    assert "\n" not in verdict["reason"] and "unmask failed" not in verdict["reason"]
    assert "given up" not in verdict["reason"]


@pytest.mark.parametrize(
    "what", ["good", "good again", "name with colon", "no text", "line break", "1 frame"]
)
def test_odd_names_and_short_clips_are_judged(run, what):
    verdict = run[2][what]
    assert verdict["p_fake"] is not None and not verdict["damaged"]


@pytest.mark.parametrize("what", ["1 pixel", "2 pixels wide", "8k"])
def test_odd_sizes_have_no_face(run, what):
    assert (run[2][what]["outcome"], run[2][what]["p_fake"]) == ("no_face", None)


@pytest.mark.parametrize("what", ["cut short", "flipped bits", "header only"])
def test_damage_is_said(run, what):
    verdict = run[2][what]
    assert verdict["damaged"]
    assert verdict["sha256"]


def test_a_stream_that_ends_early_is_judged_by_what_is_there(run):
    assert run[2]["cut stream"]["outcome"] == "no_face"


def test_the_good_are_judged_alike_whatever_came_before(run):
    first, last = run[2]["good"], run[2]["good again"]
    assert first["people"] == last["people"]


def test_a_name_with_a_leading_dash_is_a_file(tmp_path, card):
    write_clip(tmp_path / "-x.mp4", moving_views(6))
    found = _scan(card, "-x.mp4", cwd=tmp_path)
    assert found.returncode == 0
    found = _scan(card, "--", "-x.mp4", cwd=tmp_path)
    assert json.loads(found.stdout)["p_fake"] is not None


def test_a_file_without_permission_is_a_sentence(tmp_path, card):
    closed = tmp_path / "closed.mp4"
    closed.write_bytes(b"x")
    closed.chmod(0)
    if os.access(closed, os.R_OK):
        pytest.skip("this user may read everything")
    verdict = json.loads(_scan(card, closed).stdout)
    assert (verdict["outcome"], verdict["reason"]) == ("unreadable", "reading it is not permitted")


def test_a_file_that_may_not_be_opened_is_a_sentence(tmp_path, card, monkeypatch):
    from unmask.config import ScanSettings
    from unmask.pipeline import load_scanner

    scanner = load_scanner(ScanSettings(model=card))

    def refuse(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "closed.mp4").touch()
    monkeypatch.setattr(os, "open", refuse)
    verdict = scanner.scan(tmp_path / "closed.mp4")
    assert (verdict.outcome, verdict.reason) == ("unreadable", "reading it is not permitted")


def test_a_file_that_disappears_after_it_was_listed_is_a_sentence(tmp_path, card):
    from unmask.cli.inputs import expand
    from unmask.config import ScanSettings
    from unmask.pipeline import load_scanner

    write_clip(tmp_path / "a.mp4", moving_views(2))
    (item,) = expand([str(tmp_path)])
    (tmp_path / "a.mp4").unlink()
    verdict = load_scanner(ScanSettings(model=card)).scan(item.path)
    assert (verdict.outcome, verdict.reason) == ("unreadable", "no such file")


def test_a_file_that_disappears_after_it_was_hashed_is_a_sentence(tmp_path, card):
    from unmask.config import ScanSettings
    from unmask.pipeline import load_scanner

    path = write_clip(tmp_path / "a.mp4", moving_views(2))
    verdict = load_scanner(ScanSettings(model=card)).scan(path, on_sha256=lambda _: path.unlink())
    assert (verdict.outcome, verdict.reason) == ("unreadable", "no such file")

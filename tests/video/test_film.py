import pickle
import sys
import textwrap
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from media import write_streams, write_video
from portraits import moving_views, write_clip, write_image
from tiny_model import write_tiny_model
from unmask.batch import scan_each
from unmask.config import BatchSettings, DecodeSettings, LimitSettings, ScanSettings
from unmask.errors import MediaError
from unmask.pipeline import load_scanner
from unmask.video import open_film, read_stretches
from unmask.video.container import Reading
from unmask.video.film import plan_pieces
from unmask.video.reading import read_evenly
from unmask.video.sampling import PacketFacts
from unmask.video.survey import Survey

FPS, SECONDS = 5, 100


def film(folder, *, suffix="mp4", gop=25):
    """A hundred seconds of small pictures in shots of seven, each in another light or mirrored."""
    there = moving_views(20)
    way = [*there, *there[::-1]]
    images = []
    for number in range(SECONDS * FPS):
        shot = number // (7 * FPS)
        image = way[number % len(way)]
        image = image[:, ::-1] if shot % 2 else image
        images.append(np.ascontiguousarray(image + np.uint8(10) if shot % 3 else image))
    return write_clip(folder / f"film.{suffix}", images, fps=FPS, g=str(gop), sc_threshold="0")


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    return film(tmp_path_factory.mktemp("film"))


def count_pieces(path, settings=None):
    return len(open_film(path, settings).pieces)


def test_pieces_cover_all_frames_and_begin_before_them(long_clip):
    survey = open_film(long_clip).survey
    pieces = plan_pieces(survey, survey.facts(), survey.times)
    assert len(pieces) == 2 == count_pieces(long_clip)
    first, second = pieces
    assert (first.first, second.last) == (survey.times[0], survey.times[-1])
    assert first.end == second.first and first.last < second.first
    assert (first.goes_on, second.goes_on) == (False, True)
    lead = survey.seconds(second.first - survey.ticks[second.begin])
    assert 0.5 <= lead < 1  # enough to see a cut at the seam, and not much to decode for nothing
    assert survey.seconds(first.end - first.first) == pytest.approx(SECONDS / 2, abs=5)


@pytest.mark.parametrize(("length", "count"), [(80, 1), (100, 2), (180, 4), (300, 6), (7200, 16)])
def test_their_number_is_even(long_clip, length, count):
    survey = open_film(long_clip).survey
    slow = replace(survey, time_base=survey.time_base * length / SECONDS)
    assert len(plan_pieces(slow, slow.facts(), slow.times)) == count


def test_without_a_place_to_begin_there_is_one_piece(tmp_path):
    path = film(tmp_path, gop=1000)
    assert count_pieces(path) == 1


def test_behind_a_last_frame_that_stands_for_minutes_no_piece_begins():
    facts = [PacketFacts(time=time, restart=True) for time in (0, 1000, 2000)]
    survey = Survey(Fraction(1, 1000), times=[0, 1000, 2000], frame_ticks=300_000)
    (piece,) = plan_pieces(survey, facts, survey.times)
    assert (piece.first, piece.last, piece.end) == (0, 2000, 302_000)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_a_file_is_opened_at_the_packet_that_is_said(tmp_path, suffix):
    found = open_film(film(tmp_path, suffix=suffix))
    reading, survey = Reading.start(found.source, found.settings), found.survey
    with found.packets(reading, begin=260) as (_, packets, number):
        assert number <= 260
        assert (number > 200) == (suffix != "ts")  # a container without an index is read from the beginning
        for packet in packets:
            assert (packet.pts, packet.size) == (survey.ticks[number], survey.sizes[number])
            number += 1
    assert number == len(survey.sizes)


def test_pieces_read_by_themselves_give_what_reading_all_gives(long_clip):
    def told(stretches):
        return [
            (one.opens_shot, one.start_seconds, one.end_seconds, [f.time_seconds for f in one.clip.frames])
            for one in stretches
        ]

    whole = told(read_stretches(open_film(long_clip)))
    parts = [told(read_stretches(open_film(long_clip), piece)) for piece in range(2)]
    assert parts[0] + parts[1] == whole
    assert sum(opens for opens, *_ in whole) == 15


def test_a_part_of_a_long_video_is_parted_too(long_clip):
    assert count_pieces(long_clip, DecodeSettings(start_seconds=5)) == 2
    assert count_pieces(long_clip, DecodeSettings(end_seconds=40)) == 1


def test_what_is_handed_on_of_a_film_is_small(long_clip):
    film = open_film(long_clip)
    told = pickle.dumps(film)
    assert len(told) < 7000 + 26 * len(film.survey.sizes)  # 2.8 MB an hour
    read = list(read_stretches(pickle.loads(told), 1))
    assert [s.start_seconds for s in read] == [s.start_seconds for s in read_stretches(film, 1)]


def test_what_is_short_or_a_picture_is_one_piece(tmp_path):
    short = open_film(write_clip(tmp_path / "short.mp4", moving_views(20)))
    assert (len(short.pieces), short.end_seconds) == (1, 2.0)
    picture = open_film(write_image(tmp_path / "a.png", moving_views(1)[0]), DecodeSettings(start_seconds=3))
    assert (picture.still, len(picture.pieces), picture.end_seconds) == ("png", 1, 0.0)
    (stretch,) = read_stretches(picture)
    assert stretch.is_whole and stretch.clip.is_image


def test_other_settings_need_no_other_listing(long_clip, monkeypatch):
    from unmask.video import film as module

    film = open_film(long_clip)
    monkeypatch.setattr(module, "survey_packets", None)
    part = DecodeSettings(start_seconds=10, end_seconds=13, frames=4)
    clip = read_evenly(film.under(part))
    assert [frame.time_seconds for frame in clip.frames] == [10.2, 11.0, 11.8, 12.6]
    assert film.under(film.settings) is film
    with pytest.raises(MediaError, match=r"no frame from 200 s on; the video lasts 100\.0 s"):
        film.under(DecodeSettings(start_seconds=200))


def test_packets_at_hand_are_those_of_the_file(tmp_path):
    film = open_film(write_clip(tmp_path / "short.mp4", moving_views(20)))
    assert film.at_hand
    first, again = read_evenly(film), read_evenly(film)  # the second from the file
    assert not film.at_hand
    assert all(
        np.array_equal(one.picture.rgb(), other.picture.rgb())
        for one, other in zip(first.frames, again.frames, strict=True)
    )
    assert not pickle.loads(pickle.dumps(open_film(tmp_path / "short.mp4"))).at_hand


WATCHED = """
    import os
    import time
    from pathlib import Path

    from unmask.pipeline import Scanner, load_scanner
    from unmask.video import film

    LOG = Path(__file__).with_name("log")

    def note(*words):
        with LOG.open("a") as file:
            file.write(" ".join(map(str, [os.getpid(), *words])) + "\\n")

    def noted():
        return [line.split() for line in LOG.read_text().splitlines()]

    class Watched:
        def __init__(self, scanner):
            self._scanner = scanner

        def list_file(self, path, **told):
            return self._scanner.list_file(path, **told)

        def scan(self, path, **told):
            note("scan", Path(path).name)
            return self._scanner.scan(path, **told)

        def scan_piece(self, film, piece, **told):
            note("piece", piece)
            found = self._scanner.scan_piece(film, piece, **told)
            end = time.monotonic() + 60
            while len({pid for pid, what, *_ in noted() if what == "piece"}) == 1 and time.monotonic() < end:
                time.sleep(0.05)  # until the other worker, which has other files first, helps
            return found

    def load(settings):
        scanner = load_scanner(settings)
        survey = film.survey_packets

        def surveyed(reading, *others):
            note("survey", reading.source.label)
            return survey(reading, *others)

        film.survey_packets = surveyed
        return Watched(scanner)
"""


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """A scanner that writes down who lists and scans what; in a module, since child processes import it."""
    (tmp_path / "watched_scanner.py").write_text(textwrap.dedent(WATCHED))
    monkeypatch.syspath_prepend(tmp_path)
    import watched_scanner

    yield watched_scanner
    del sys.modules["watched_scanner"]


def test_a_long_video_is_listed_once_and_shared_by_who_has_nothing_else_to_do(long_clip, watched, tmp_path):
    settings = ScanSettings(model=str(write_tiny_model(tmp_path)), embedder="none")
    alone = load_scanner(settings).scan(long_clip)
    short = write_clip(tmp_path / "short.mp4", moving_views(20))
    batch = BatchSettings(jobs=2, limits=LimitSettings(sandbox="off"))  # closed in, it could note nothing
    found = dict(scan_each([long_clip, short], settings, batch, load=watched.load))
    assert replace(found[0], seconds={}) == replace(alone, seconds={})
    log = watched.noted()
    assert sorted(name for _, what, name, *_ in log if what == "survey") == ["film.mp4", "short.mp4"]
    pieces = {int(piece): pid for pid, what, piece, *_ in log if what == "piece"}
    (other,) = (pid for pid, what, *_ in log if what == "scan")
    assert sorted(pieces) == [0, 1]  # each was looked at once, by one of the two
    assert pieces[0] != pieces[1] and other in pieces.values()  # which is first depends on the machine's load


def test_the_verdict_does_not_depend_on_the_number_of_processes(long_clip, tmp_path):
    settings = ScanSettings(model=str(write_tiny_model(tmp_path)))
    alone = load_scanner(settings).scan(long_clip)
    looks = []
    found = scan_each(
        [long_clip], settings, BatchSettings(jobs=2), on_look=lambda _, look: looks.append(look)
    )
    ((_, together),) = found
    assert replace(together, seconds={}) == replace(alone, seconds={})
    assert len({look.end_seconds for look in looks}) == len(looks) >= 15
    assert together.seconds["decode"] > 0 and together.sha256


def test_a_second_video_stream_is_noted(tmp_path):
    one, two = (write_video(tmp_path / f"{name}.mp4", frames=5) for name in "ab")
    assert open_film(one).notes == ()
    (note,) = open_film(write_streams(tmp_path / "c.mkv", one, two)).notes
    assert note.code == "other_streams" and note.values == {"streams": 1, "first": 1}
    (stretch,) = read_stretches(open_film(tmp_path / "c.mkv"))
    assert stretch.notes == (note,)


def test_a_video_of_one_frame_is_a_still_picture(tmp_path):
    (note,) = open_film(write_video(tmp_path / "one.mp4", frames=1)).notes
    assert note.code == "one_frame"
    few = DecodeSettings(frames=1)
    assert open_film(write_video(tmp_path / "two.mp4", frames=2), few).notes == ()

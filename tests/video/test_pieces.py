from dataclasses import replace

import numpy as np
import pytest

from portraits import moving_views, write_clip
from tiny_model import write_tiny_model
from unmask.batch import scan_each
from unmask.config import BatchSettings, DecodeSettings, ScanSettings
from unmask.pipeline import load_scanner
from unmask.video import list_film, read_stretches
from unmask.video.container import Job, check_source, open_video
from unmask.video.pieces import open_at, plan_pieces
from unmask.video.survey import survey_packets

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


def surveyed(path):
    job = Job.start(check_source(path), DecodeSettings())
    with open_video(job) as (container, stream):
        return job, survey_packets(job, container, stream)


def count_pieces(path, settings=None):
    found = list_film(path, settings)
    return 1 if found is None else len(found.pieces)


def test_pieces_cover_all_frames_and_begin_before_them(long_clip):
    _, survey = surveyed(long_clip)
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
    _, survey = surveyed(long_clip)
    slow = replace(survey, time_base=survey.time_base * length / SECONDS)
    assert len(plan_pieces(slow, slow.facts(), slow.times)) == count


def test_without_a_place_to_begin_there_is_one_piece(tmp_path):
    path = film(tmp_path, gop=1000)
    assert count_pieces(path) == 1


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_a_file_is_opened_at_the_packet_that_is_said(tmp_path, suffix):
    job, survey = surveyed(film(tmp_path, suffix=suffix))
    with open_at(job, survey, 260) as (_, packets, number):
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

    whole = told(read_stretches(long_clip))
    parts = [told(read_stretches(long_clip, pieces=range(n, n + 1))) for n in range(2)]
    assert parts[0] + parts[1] == whole
    assert sum(opens for opens, *_ in whole) == 15


def test_a_part_of_a_long_video_is_parted_too(long_clip):
    assert count_pieces(long_clip, DecodeSettings(start_seconds=5)) == 2
    assert count_pieces(long_clip, DecodeSettings(end_seconds=40)) == 1


def test_what_is_short_or_unreadable_is_one_piece(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    assert count_pieces(tmp_path / "broken.mp4") == 1
    assert count_pieces(tmp_path / "none.mp4") == 1


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

from dataclasses import fields

import numpy as np
import pytest

import unmask
from portraits import moving_views, write_clip
from tiny_model import write_tiny_model
from unmask.config import ScanSettings
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.footage import Look, judge_footage, judge_shots
from unmask.judge.verdict import Evidence
from unmask.pipeline import load_scanner
from unmask.reasons import because
from unmask.types import Face, Track

FPS = 12


def views(seconds, *, brightness=0, mirrored=False):
    there = moving_views(40, brightness=brightness)
    way = there + there[::-1]  # the camera goes and comes back, without a jump
    images = [way[i % len(way)] for i in range(round(seconds * FPS))]
    return [np.ascontiguousarray(image[:, ::-1]) for image in images] if mirrored else images


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    model = str(write_tiny_model(tmp_path_factory.mktemp("model")))
    return ScanSettings(model=model, embedder="none")


@pytest.fixture(scope="module")
def montage(tmp_path_factory):
    """Four shots: the third is bright, which the tiny model takes for a fake, the last too short."""
    images = views(3) + views(2, mirrored=True) + views(3, brightness=70) + views(0.25, mirrored=True)
    return write_clip(tmp_path_factory.mktemp("film") / "montage.mp4", images, fps=FPS)


@pytest.fixture(scope="module")
def verdict(settings, montage):
    return load_scanner(settings).scan(montage)


def test_each_shot_is_judged_by_itself(verdict):
    starts = [shot.start_seconds for shot in verdict.shots]
    assert starts == pytest.approx([0, 3, 5, 8], abs=0.01)
    assert [shot.people for shot in verdict.shots] == [1, 1, 1, 0]
    assert [shot.frames for shot in verdict.shots] == [9, 8, 8, 0]
    assert verdict.shots[-1].why_not == "too short to judge"
    assert [person.appearances[0].shot for person in verdict.people] == [0, 1, 2]
    assert (verdict.start_seconds, verdict.partial) == (0, False)
    assert verdict.end_seconds == pytest.approx(8.25, abs=0.01)


def test_the_swapped_shot_comes_first(verdict):
    first = verdict.segments[0]
    assert (first.person, first.shot) == (2, 2)
    assert (first.start_seconds, first.end_seconds) == pytest.approx((5, 8), abs=0.01)
    assert first.p_fake == verdict.people[2].p_fake > verdict.p_fake  # among three it counts less


def test_they_come_while_the_video_is_read(settings, montage, verdict):
    found = list(unmask.watch(montage, settings=settings))
    assert [one.person for one in found] == [person.id for person in verdict.people] == [0, 1, 2]
    for one, person in zip(found, verdict.people, strict=True):
        (there,) = person.appearances
        assert all(getattr(one, field.name) == getattr(there, field.name) for field in fields(there))
        assert one.seen == person.frames
        lowest, highest = ([end(frame.box[i] for frame in one.seen) for i in range(4)] for end in (min, max))
        assert (np.array(lowest) <= one.box).all() and (one.box <= np.array(highest)).all()


def test_who_comes_back_has_the_same_number_while_the_video_is_read():
    """With an embedder, and with somebody in between who is no person."""
    face = Face(np.array([0, 0, 90, 90], np.float32), np.zeros((5, 2), np.float32), 0.99)
    one, other = np.float32([1, 0]), np.float32([0, 1])

    def look(start, *vectors):
        tracks = [Track(i, (0,), (face,)) for i in range(len(vectors))]
        worn = Track(len(tracks), (0,), (face,), because("worn", person=0), picture=True)
        evidence = Evidence((start,), (*tracks, worn), {track.id: {0: 1.0} for track in tracks})
        known = dict(enumerate(vectors))
        return Look(True, start, start + 1, 0.0, 3.0, evidence, vectors=known, same_cosine=0.5)

    looks = [look(0.0, one), look(1.0, other), look(2.0, other, one, other)]
    settings = ScanSettings()
    found = judge_footage(looks, Calibration(), Thresholds(0.7, 0.3), settings)
    whole = {(a.shot, person.id) for person in found.people for a in person.appearances if person.kept}
    told = judge_shots(iter(looks), Calibration(), settings.track)
    assert {(sighting.shot, sighting.person) for sighting in told} == whole
    assert whole == {(0, 0), (1, 2), (2, 2), (2, 0), (2, 4)}


def test_a_face_is_followed_through_the_stretches_of_a_long_shot(settings, tmp_path):
    film = write_clip(tmp_path / "long.mp4", views(31), fps=FPS)
    scanner = load_scanner(settings)
    assert len(list(scanner.watch(film))) == 3
    verdict = scanner.scan(film)
    (shot,), (person,) = verdict.shots, verdict.people
    (appearance,) = person.appearances
    assert (shot.frames, appearance.frames) == (30 + 6 + 7, 43)
    assert appearance.end_seconds > 30


def test_a_part_is_looked_at_alone(settings, montage):
    from dataclasses import replace

    decode = replace(settings.decode, start_seconds=5.2, end_seconds=7.5)
    verdict = load_scanner(replace(settings, decode=decode)).scan(montage)
    (person,) = verdict.people
    times = [frame.time_seconds for frame in person.frames]
    assert 5.2 <= times[0] < 5.4 and 7.2 < times[-1] < 7.5
    gone = replace(settings, decode=replace(settings.decode, start_seconds=60.0))
    verdict = load_scanner(gone).scan(montage)
    assert (
        verdict.outcome == "unreadable" and "no frame from 60 s on; the video lasts 8.2 s" in verdict.reason
    )


def test_what_breaks_off_is_judged_by_what_was_seen(settings, montage, monkeypatch):
    import unmask.pipeline as pipeline
    from unmask.errors import MediaError

    whole = pipeline.read_stretches

    def broken(film, piece):
        for number, stretch in enumerate(whole(film, piece)):
            if number == 2:
                raise MediaError(because("gone"), "montage.mp4")
            yield stretch

    monkeypatch.setattr(pipeline, "read_stretches", broken)
    verdict = load_scanner(settings).scan(montage)
    assert verdict.partial and len(verdict.shots) == 2
    assert "only 5.0 of 8.2 s were looked at: the file disappeared" in verdict.reason


def test_a_reason_that_names_a_person_names_it_by_its_number_in_the_file():
    """Each stretch counts its own faces from 0; the file has one count."""
    face = Face(np.array([0, 0, 90, 90], np.float32), np.zeros((5, 2), np.float32), 0.99)
    dropped = because("worn", person=0)

    def look(start, *tracks):
        evidence = Evidence((start,), tracks, {0: {0: 0.0}})
        return Look(True, start, start + 1, 0.0, 2.0, evidence)

    first = look(0.0, Track(0, (0,), (face,)))
    second = look(1.0, Track(0, (0,), (face,)), Track(1, (0,), (face,), dropped, picture=True))
    found = judge_footage([first, second], Calibration(), Thresholds(0.7, 0.3), ScanSettings())
    assert [person.id for person in found.people] == [0, 1, 2]
    assert found.people[2].dropped == because("worn", person=1)
    assert "worn by person 2" in (found.people[2].why_dropped or "")


def talk(p_fakes, *, seconds=2.0, framing=lambda number: 0):
    """One face in shots of some seconds each; ``framing`` says which of two pictures it is part of."""
    pictures = np.random.default_rng(0).integers(0, 256, (2, 48, 48), np.uint8)
    box, points = np.array([0, 0, 90, 90], np.float32), np.zeros((5, 2), np.float32)
    looks = []
    for number, p_fake in enumerate(p_fakes):
        start = number * seconds
        times = tuple(start + 0.2 * step for step in range(6))
        face = Face(box, points, 0.99, look=pictures[framing(number)])
        logit = float(np.log(p_fake / (1 - p_fake)))
        evidence = Evidence(
            times, (Track(0, tuple(range(6)), (face,) * 6),), {0: dict.fromkeys(range(6), logit)}
        )
        looks.append(Look(True, start, start + seconds, 0.0, seconds * len(p_fakes), evidence))
    return judge_footage(looks, Calibration(), Thresholds(0.7, 0.3), ScanSettings())


def test_jump_cuts_of_one_speaker_are_one_look():
    p_fakes = [0.1, 0.75, 0.2, 0.1, 0.15]
    whole = talk(p_fakes)
    odds = np.mean([np.log(p / (1 - p)) for p in p_fakes])
    assert whole.ruling.p_fake == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-4)
    assert whole.ruling.outcome.value == "real" and len(whole.shots) == 5
    assert [(one.shot, one.outcome.value) for one in whole.segments] == [(1, "fake")]  # it is still shown


def test_another_framing_is_another_look_and_so_is_what_comes_after_ten_seconds():
    parted = talk([0.1, 0.75, 0.2, 0.1, 0.15], framing=lambda number: number % 2)
    assert parted.ruling.p_fake > 0.3
    long = talk([0.1] * 5 + [0.95] * 5)
    assert long.ruling.p_fake > 0.7  # ten seconds of a real and ten of a fake are no real of twenty


@pytest.mark.parametrize("code", ["too_short", "frame_limit", "only_dissolve", "no_frame"])
def test_a_shot_that_was_passed_over_says_why(code):
    nobody = Evidence((), (), {})
    looks = [
        Look(True, 0.0, 1.0, 0.0, 2.0, nobody),
        Look(True, 1.0, 2.0, 0.0, 2.0, nobody, why_skipped=because(code)),
    ]
    found = judge_footage(looks, Calibration(), Thresholds(0.7, 0.3), ScanSettings())
    assert [shot.unjudged for shot in found.shots] == [because("nobody"), because(code)]

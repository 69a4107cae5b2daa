from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from unmask.config import DecodeSettings
from unmask.video.sampler import TOO_SHORT_SECONDS, StretchSampler


def run(shots, *, fps=25, most_held=300, **settings):
    """Stretches of shots of so many seconds each, every frame of which is its own number."""
    total = sum(shots)
    sampler = StretchSampler(DecodeSettings(**settings), total, most_held)
    given_, number, starts = [], 0, []
    for seconds in shots:
        starts.append(number)
        number += max(1, round(seconds * fps))
    for frame in range(number):
        given_ += sampler.add(frame / fps, frame, opens=frame in starts)
    return given_ + sampler.finish(number / fps)


def test_short_shots_get_about_three_frames_a_second_and_no_fewer_than_eight():
    found = run([4, 1, 2, 6, 0.5])
    assert [len(taken.frames) for taken in found] == [12, 8, 8, 15, 8]
    assert all(taken.opens_shot and taken.why_skipped is None for taken in found)


def test_frames_are_spread_over_their_shot():
    for taken in run([4, 1, 2.5]):
        times = [time for time, _ in taken.frames]
        length = taken.end_seconds - taken.start_seconds
        gaps = [b - a for a, b in pairwise(times)]
        assert max(gaps) <= 2.5 * length / len(times)
        assert times[0] - taken.start_seconds < length / 4 and taken.end_seconds - times[-1] < length / 4


def test_very_short_shots_are_named_and_not_sampled():
    first, short, last = run([2, 0.2, 2])
    assert short.frames == () and short.why_skipped == "too short to judge"
    assert first.end_seconds == short.start_seconds and short.end_seconds == last.start_seconds


def test_a_long_shot_is_cut_every_ten_seconds_and_steady_parts_get_fewer_frames():
    found = run([63])
    assert [taken.opens_shot for taken in found] == [True] + [False] * (len(found) - 1)
    assert len(found[0].frames) == 30 and all(len(taken.frames) == 6 for taken in found[1:-1])
    # The last three seconds are too few to stand alone.
    assert round(found[-1].end_seconds - found[-1].start_seconds) == 13


def test_the_limit_of_frames_is_spread_over_all_shots():
    found = run([3] * 40, max_frames=80)
    assert sum(len(taken.frames) for taken in found) <= 80 + 40
    assert all(taken.frames for taken in found[:-4])


@given(
    st.lists(st.floats(0.04, 30), min_size=1, max_size=12),
    st.sampled_from([5, 12, 25]),
    st.integers(6, 300),
)
def test_stretches_cover_the_video_and_memory_is_bounded(shots, fps, most_held):
    found = run(shots, fps=fps, most_held=most_held)
    for before, after in pairwise(found):
        assert before.end_seconds == after.start_seconds
    for taken in found:
        assert len(taken.frames) <= 60
        times = [time for time, _ in taken.frames]
        assert times == sorted(set(times))
        assert all(taken.start_seconds <= time < taken.end_seconds for time in times)
        length = taken.end_seconds - taken.start_seconds
        assert taken.frames or length < TOO_SHORT_SECONDS


def test_a_shot_that_ends_in_a_dissolve_keeps_what_was_before_it():
    for seconds in (2.5, 3.0, 3.4, 5.0):
        sampler = StretchSampler(DecodeSettings(), 20.0, 300)
        for frame in range(round(seconds * 25)):
            sampler.add(frame / 25, frame, opens=not frame)
        (first,) = sampler.add(seconds, -1, opens=True, mixed_since=seconds - 1.0)
        assert first.frames and first.why_skipped is None
        assert max(time for time, _ in first.frames) < seconds - 1.0


def test_of_nothing_but_a_dissolve_no_frame_is_kept():
    sampler = StretchSampler(DecodeSettings(), 20.0, 300)
    for frame in range(25):
        sampler.add(frame / 25, frame, opens=not frame)
    (first,) = sampler.add(1.0, -1, opens=True, mixed_since=0.0)
    assert (first.frames, first.why_skipped) == ((), "only a dissolve")


def test_fast_cutting_leaves_something_for_the_end():
    for shots, limit in (([1] * 200, 800), ([1] * 200, 400), ([1.5] * 4000, 10_000)):
        without = [number for number, taken in enumerate(run(shots, max_frames=limit)) if not taken.frames]
        assert len(without) <= len(shots) // 100

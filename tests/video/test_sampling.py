"""Which frames are chosen, and which packets that takes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from unmask.config import DecodeSettings
from unmask.reasons import because
from unmask.video.sampling import (
    TOO_SHORT_SECONDS,
    PacketFacts,
    StretchSampler,
    pick_shown,
    pick_times,
    plan_packets,
)

rising = st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=200, unique=True).map(sorted)


@given(times=rising, count=st.integers(1, 250), rest=st.integers(1, 10**9))
def test_as_many_as_asked_or_all_never_twice(times, count, rest):
    picked = pick_times(times, count, end=times[-1] + rest)
    assert len(picked) == min(count, len(times))
    assert picked == sorted(set(picked)) and set(picked) <= set(times)


@given(length=st.integers(2, 500), count=st.integers(1, 60), start=st.integers(-1000, 1000))
def test_at_a_steady_rate_frames_are_evenly_spread(length, count, start):
    picked = pick_times([start + 10 * n for n in range(length)], count)
    if length <= count:
        return
    gaps = [later - earlier for earlier, later in pairwise(picked)]
    assert all(abs(gap - 10 * length / count) <= 10 for gap in gaps)
    first, last = picked[0] - start, start + 10 * length - picked[-1]
    assert abs(first - last) <= 20


def test_time_counts_not_index():
    # Ninety frames in the first second, nine in the rest of ten.
    times = [n * 11 for n in range(90)] + [1000 * n for n in range(1, 10)]
    picked = pick_times(times, 10, end=10_000)
    assert sum(time >= 1000 for time in picked) == 9


def test_the_frame_on_the_screen_is_chosen():
    assert pick_shown([(0, "a"), (9, "b"), (21, "c")], [5, 9, 20, 30]) == [(0, "a"), (9, "b"), (21, "c")]
    assert pick_shown([(7, "a"), (9, "b")], [5]) == [(7, "a")]
    assert pick_shown([], [5]) == []


def test_no_more_is_read_than_needed():
    frames = iter([(0, "a"), (1, "b"), (2, "c")])
    pick_shown(frames, [1])
    assert list(frames) == [(2, "c")]


def group(start: int, *, leading: bool = False) -> list[PacketFacts]:
    """A restart at ``start``, one frame shown before it, one after."""
    return [
        PacketFacts(start, restart=True),
        PacketFacts(start - 1, leading=leading),
        PacketFacts(start + 1),
    ]


def sent(packets, wanted):
    plan = plan_packets(packets, wanted)
    return [index for index, sends in enumerate(plan.send) if sends], sorted(plan.restarts)


def test_whole_groups_are_jumped_over():
    packets = group(0) + group(10) + group(20) + group(30)
    assert sent(packets, [21]) == ([6, 7, 8], [6])
    assert sent(packets, [1, 31]) == ([0, 1, 2, 9, 10, 11], [9])
    assert sent(packets, [1, 10, 20]) == ([0, 1, 2, 3, 4, 5, 6], [])


def test_leading_frames_after_a_jump_are_left_out_or_bring_the_group_before():
    packets = group(0) + group(10, leading=True) + group(20, leading=True)
    assert sent(packets, [21]) == ([6, 8], [6])
    # Frame 19 is shown before the restart at 20 and may refer to the group at 10, but not to its own 9.
    assert sent(packets, [19]) == ([3, 5, 6, 7], [3])


def test_a_group_of_leading_frames_only_brings_the_one_before_it():
    packets = [
        *group(0),
        PacketFacts(10, restart=True),
        PacketFacts(9, leading=True),
        *group(20, leading=True),
    ]
    assert sent(packets, [19]) == ([0, 1, 2, 3, 4, 5, 6], [])


def test_wanted_frames_are_sent_although_nothing_refers_to_them():
    packets = [
        PacketFacts(0, restart=True),
        PacketFacts(2),
        PacketFacts(1, unreferenced=True),
        PacketFacts(3),
    ]
    assert sent(packets, [1, 3]) == ([0, 1, 2, 3], [])
    assert sent(packets, [3]) == ([0, 1, 3], [])


def test_a_file_that_begins_in_the_middle_of_a_group_is_sent_from_its_start():
    packets = [PacketFacts(1), PacketFacts(2), *group(10)]
    assert sent(packets, [2])[0] == [0, 1]
    assert sent(packets, [10]) == ([2], [2])


@given(
    packets=st.lists(
        st.builds(
            PacketFacts,
            time=st.integers(0, 50),
            unreferenced=st.booleans(),
            restart=st.booleans(),
            leading=st.booleans(),
        ),
        max_size=60,
    ),
    wanted=st.lists(st.integers(0, 50), max_size=8),
)
def test_every_wanted_packet_is_sent(packets, wanted):
    plan = plan_packets(packets, wanted)
    assert len(plan.send) == len(packets)
    first = next((i for i, p in enumerate(packets) if p.restart), 0)
    for index, packet in enumerate(packets):
        if packet.time in wanted and index >= first:
            assert plan.send[index]


def stretches(shots, *, fps=25, most_held=300, **settings):
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
    found = stretches([4, 1, 2, 6, 0.5])
    assert [len(taken.frames) for taken in found] == [12, 8, 8, 15, 8]
    assert all(taken.opens_shot and taken.why_skipped is None for taken in found)


def test_frames_are_spread_over_their_shot():
    for taken in stretches([4, 1, 2.5]):
        times = [time for time, _ in taken.frames]
        length = taken.end_seconds - taken.start_seconds
        gaps = [b - a for a, b in pairwise(times)]
        assert max(gaps) <= 2.5 * length / len(times)
        assert times[0] - taken.start_seconds < length / 4 and taken.end_seconds - times[-1] < length / 4


def test_very_short_shots_are_named_and_not_sampled():
    first, short, last = stretches([2, 0.2, 2])
    assert short.frames == () and short.why_skipped == because("too_short")
    assert first.end_seconds == short.start_seconds and short.end_seconds == last.start_seconds


def test_a_long_shot_is_cut_every_ten_seconds_and_steady_parts_get_fewer_frames():
    found = stretches([63])
    assert [taken.opens_shot for taken in found] == [True] + [False] * (len(found) - 1)
    assert len(found[0].frames) == 30 and all(len(taken.frames) == 6 for taken in found[1:-1])
    # The last three seconds are too few to stand alone.
    assert round(found[-1].end_seconds - found[-1].start_seconds) == 13


def test_the_limit_of_frames_is_spread_over_all_shots():
    found = stretches([3] * 40, max_frames=80)
    assert sum(len(taken.frames) for taken in found) <= 80 + 40
    assert all(taken.frames for taken in found[:-4])


@given(
    st.lists(st.floats(0.04, 30), min_size=1, max_size=12),
    st.sampled_from([5, 12, 25]),
    st.integers(6, 300),
)
def test_stretches_cover_the_video_and_memory_is_bounded(shots, fps, most_held):
    found = stretches(shots, fps=fps, most_held=most_held)
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
    assert (first.frames, first.why_skipped) == ((), because("only_dissolve"))


def test_fast_cutting_leaves_something_for_the_end():
    for shots, limit in (([1] * 200, 800), ([1] * 200, 400), ([1.5] * 4000, 10_000)):
        without = [
            number for number, taken in enumerate(stretches(shots, max_frames=limit)) if not taken.frames
        ]
        assert len(without) <= len(shots) // 100

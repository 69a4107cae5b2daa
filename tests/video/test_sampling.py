"""Which frames are chosen, and which packets that takes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from unmask.video.sampling import PacketFacts, pick_shown, pick_times, plan_packets

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

"""What packet heads say, against what the encoder knows, and that no bytes upset the reader."""

from __future__ import annotations

import os

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import ENCODINGS, write_video
from unmask.video.packets import H264Reader, HevcReader, Traits, av1_traits, packet_reader, vp9_traits

readers = st.sampled_from(["h264", "hevc", "vp9", "libdav1d"])
extras = st.sampled_from(
    [
        b"",
        b"\x01",
        bytes.fromhex("0164001fffe1001967640034acd940"),
        b"\x01" + bytes(20) + b"\xff",
        b"\x00\x00\x01\x67\x42",
        b"\x01" * 40,
    ]
)


def traits_of(path) -> tuple[list[tuple[av.Packet, Traits]], object]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        reader = packet_reader(stream.codec_context.name, stream.codec_context.extradata or b"")
        return [(packet, reader(bytes(packet))) for packet in container.demux(stream) if packet.size], reader


@pytest.mark.parametrize("encoding", [name for name in ENCODINGS if name.startswith("x264")])
def test_unreferenced_h264_is_what_the_decoder_skips(tmp_path, encoding):
    """FFmpeg's own ``skip_frame=NONREF`` leaves out the same frames."""
    path = write_video(tmp_path / "a", encoding=encoding, frames=50)
    found, _ = traits_of(path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        stream.codec_context.skip_frame = "NONREF"
        kept = sum(1 for _ in container.decode(stream))
    assert sum(not traits.unreferenced for _, traits in found) == kept


@pytest.mark.parametrize(
    ("encoding", "restarts"), [("x264-short-gop", 10), ("x264-short-gop-ts", 10), ("x264-open-gop", 1)]
)
def test_only_instant_refreshes_of_h264_are_restarts(tmp_path, encoding, restarts):
    found, _ = traits_of(write_video(tmp_path / "a", encoding=encoding, frames=40))
    assert sum(traits.restart for _, traits in found) == restarts
    assert all(packet.is_keyframe for packet, traits in found if traits.restart)


def test_fields_are_told_from_frames(tmp_path):
    assert traits_of(write_video(tmp_path / "a", encoding="x264", frames=5))[1].progressive
    assert not traits_of(write_video(tmp_path / "b", encoding="x264-mbaff", frames=5))[1].progressive
    assert not H264Reader(b"").progressive  # Unknown counts as fields.


def test_highest_layer_of_hevc(tmp_path):
    found, _ = traits_of(write_video(tmp_path / "a", encoding="x265-layers", frames=40))
    assert len({traits.layer for _, traits in found}) > 1
    assert any(traits.unreferenced for _, traits in found)


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="this system has no such priorities")
def test_encoding_leaves_the_priority_of_the_tests_alone(tmp_path):
    before = os.sched_getscheduler(0)
    write_video(tmp_path / "clip", frames=3, encoding="av1")
    assert os.sched_getscheduler(0) == before


@pytest.mark.parametrize("encoding", ["vp9", "av1"])
def test_key_frames_of_vp9_and_av1(tmp_path, encoding):
    found, _ = traits_of(write_video(tmp_path / "a", encoding=encoding, frames=40))
    assert [traits.restart for _, traits in found] == [packet.is_keyframe for packet, _ in found]
    assert not any(traits.unreferenced for _, traits in found)


def test_new_parameter_sets_forbid_to_jump_over_them():
    idr, sps, other, pps = b"\x65\x88", b"\x67\x42\x00", b"\x67\x42\x01", b"\x68\xce"
    reader = H264Reader(b"")

    def packet(*units):
        return b"".join(b"\x00\x00\x00\x01" + unit + b"\x80" for unit in units)

    assert reader(packet(sps, pps, idr)).restart
    assert reader(packet(sps, pps, idr)).restart
    assert not reader(packet(idr)).restart
    assert reader(packet(other, sps, pps, idr)).restart
    assert not reader(packet(sps, pps, idr)).restart


@given(codec=readers, extradata=extras, packets=st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_read_without_error(codec, extradata, packets):
    reader = packet_reader(codec, extradata)
    for data in packets:
        assert isinstance(reader(data), Traits)


@given(data=st.binary(max_size=60))
def test_unreadable_packets_are_never_left_out(data):
    reader = H264Reader(bytes.fromhex("0164001fffe1001967640034acd940"))
    traits = reader(b"\x00\x00\xff\xff" + data)  # A length beyond the end.
    assert not traits.unreferenced and not traits.restart
    assert not reader(b"\x00\x00\x00\x02\x65\x88").restart  # It may have held a parameter set.


def test_a_flood_of_units_is_not_followed():
    flood = b"\x00\x00\x01\x01\x00" * 100_000
    assert not H264Reader(b"")(flood).unreferenced
    assert not HevcReader(b"")(flood).unreferenced


def test_short_and_reserved_heads():
    assert vp9_traits(b"") == vp9_traits(b"\xb0\x49\x83\x42") == av1_traits(b"") == Traits()
    assert av1_traits(b"\x0a\x80\x80\x80\x80\x80\x80") == Traits()

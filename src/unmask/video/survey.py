"""The first pass: read every packet's head, decode nothing."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from unmask.errors import MediaError
from unmask.reasons import Reason, because
from unmask.video.container import Reading, VideoPacket, as_fraction, read_packets, words_of
from unmask.video.packets import H264Reader, Traits, packet_reader
from unmask.video.sampling import PacketFacts

MAX_PACKETS = 2_000_000
"""Packets in a stream; nine hours at 60 frames a second."""

_KEPT_BYTES = 32 * 2**20
_KEPT_PACKETS = 20_000
_NO_TIME = -(2**63)
_MOST_REPEATED = 0.05  # share of frames with the time of another; sound files have next to none
_UNTIMED = {"avi"}  # Stores no presentation times; those that FFmpeg then makes up are out of order.
_NO_TRAITS = Traits()
_UNREFERENCED, _RESTART, _LEADING, _LAYER = 1, 2, 4, 8  # of a byte; the layer stands above the flags


@dataclass(slots=True)
class Survey:
    """What the packets of a stream say.

    Attributes:
        time_base: Seconds of one tick.
        ticks: Presentation time of each packet in order of the file; a sentinel where it has none.
        sizes: Bytes of each packet.
        traits: What the head of each packet says, a byte for each, as `_pack` makes it.
        count: Packets that show a frame.
        shown: Presentation times of the packets that show a frame.
        decoded: Decoding times of the same.
        frame_ticks: How long the last frame stands, in ticks.
        times: Presentation times of the shown frames, rising; decoding times where ``timed`` is False.
        top_layer: Highest temporal layer of the packets.
        timed: Whether every shown frame has a presentation time of its own.
        plannable: Whether packets may be left out.
        packets: The packets themselves while they are few, else None.
        problem: Damage seen so far, or None.
    """

    time_base: Fraction
    ticks: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    traits: bytearray = field(default_factory=bytearray)
    count: int = 0
    shown: dict[int, int] = field(default_factory=dict)
    decoded: set[int] = field(default_factory=set)
    times: Sequence[int] = field(default_factory=lambda: array("q"))
    frame_ticks: int = 1
    top_layer: int = 0
    timed: bool = True
    plannable: bool = True
    packets: list[VideoPacket] | None = field(default_factory=list)
    problem: Reason | None = None

    @classmethod
    def of_still(cls) -> Survey:
        """Of a still picture: one frame at 0 s, which stands for no time."""
        times = array("q", [0])
        return cls(Fraction(1), times=times, frame_ticks=0, plannable=False, packets=None)

    def seconds(self, ticks: int) -> float:
        """Ticks of the stream as container seconds."""
        return float(ticks * self.time_base)

    @property
    def duration_seconds(self) -> float:
        """From the first frame to the end of the last; above 0 in a video."""
        return self.seconds(self.times[-1] - self.times[0] + self.frame_ticks)

    def cut_out(self, start_seconds: float, end_seconds: float | None) -> Sequence[int]:
        """Presentation times of the frames between two times, which count from the first frame."""
        per_second = 1 / self.time_base
        first = self.times[0] + math.ceil(Fraction(start_seconds) * per_second)
        last = math.inf if end_seconds is None else self.times[0] + Fraction(end_seconds) * per_second
        return [time for time in self.times if first <= time < last]

    def fact(self, number: int) -> PacketFacts:
        """What planning needs to know of one packet."""
        traits = self.traits[number]
        return PacketFacts(
            time=self.ticks[number],
            unreferenced=bool(traits & _UNREFERENCED) and traits // _LAYER == self.top_layer,
            restart=bool(traits & _RESTART),
            leading=bool(traits & _LEADING),
        )

    def facts(self) -> list[PacketFacts]:
        """The same of all."""
        return [self.fact(number) for number in range(len(self.ticks))]

    def add(self, packet: VideoPacket, traits: Traits, *, hidden: bool) -> None:
        """Take note of one packet."""
        self.ticks.append(_NO_TIME if packet.pts is None else packet.pts)
        self.sizes.append(packet.size)
        self.traits.append(_pack(traits))
        self.top_layer = max(self.top_layer, traits.layer)
        if self.packets is not None:
            self.packets.append(packet)
        if packet.is_corrupt:
            self.problem = self.problem or because("incomplete_packet")
        if packet.has_sidedata("new_extradata"):
            self.plannable = False
        if packet.is_discard or hidden:
            return
        self.count += 1
        if packet.dts is not None:
            self.decoded.add(packet.dts)
        if packet.pts is None:
            self.timed = False
        else:
            self.shown[packet.pts] = packet.duration or 0


def survey_packets(reading: Reading, container: InputContainer, stream: VideoStream) -> Survey:
    """Read through a stream without decoding.

    A large file on a slow disk takes what it takes: the time limit counts from one packet to the next.
    Packets that hold more bytes than the file are the same bytes over and over, and bring nothing new.

    Raises:
        MediaError: More packets than ``MAX_PACKETS``, or the time limit.
    """
    survey = Survey(time_base=as_fraction(stream.time_base, unknown=Fraction(1, 25)))
    codec = stream.codec_context.name
    reader = packet_reader(codec, stream.codec_context.extradata or b"")
    read_bytes, file_bytes = 0, container.size or 0
    try:
        for packet in read_packets(container, stream):
            reading.check_time()
            if len(survey.ticks) >= MAX_PACKETS:
                raise MediaError(because("many_packets", most=MAX_PACKETS), reading.source.label)
            read_bytes += packet.size
            if read_bytes <= file_bytes:
                reading.renew()
            if read_bytes > _KEPT_BYTES or len(survey.sizes) >= _KEPT_PACKETS:
                survey.packets = None
            traits = reader(bytes(packet)) if reader is not None else _NO_TRAITS
            survey.add(packet, traits, hidden=_hidden(codec, packet))
    except av.FFmpegError as error:
        reading.check_time()
        reading.check_machine()
        survey.problem = because("broke_off", error=words_of(error))
    survey.timed = survey.timed and container.format.name not in _UNTIMED
    survey.times = array("q", sorted(survey.shown if survey.timed else survey.decoded))
    if reader is None or (isinstance(reader, H264Reader) and not reader.progressive) or not survey.timed:
        survey.plannable = False
    repeated = survey.count - len(survey.times) if survey.timed else 0
    if repeated > max(2, _MOST_REPEATED * survey.count):
        survey.problem = because("times_repeat", repeated=repeated, frames=survey.count)
    if survey.times:
        survey.frame_ticks = survey.shown.get(survey.times[-1], 0) or _usual_step(survey, stream)
        survey.problem = survey.problem or _shortfall(survey, container, stream)
    survey.shown.clear()
    survey.decoded.clear()
    reading.renew()  # for the decoding
    return survey


def _pack(traits: Traits) -> int:
    """The traits of a packet as a byte; a long film has more than a hundred thousand of them an hour."""
    flags = _UNREFERENCED * traits.unreferenced | _RESTART * traits.restart | _LEADING * traits.leading
    return flags | _LAYER * traits.layer


def _hidden(codec: str, packet: VideoPacket) -> bool:
    """Whether a VP8 packet shows nothing (RFC 6386, 9.1); other codecs pack such data with a frame."""
    return codec in ("vp8", "libvpx") and bytes(packet)[0] & 16 == 0


def _usual_step(survey: Survey, stream: VideoStream) -> int:
    """Ticks between frames: the median, or what the container says when there is only one frame."""
    if len(survey.times) > 1:
        steps = sorted(later - earlier for earlier, later in pairwise(survey.times))
        return max(steps[len(steps) // 2], 1)
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return max(round(1 / (rate * survey.time_base)), 1)


def _shortfall(survey: Survey, container: InputContainer, stream: VideoStream) -> Reason | None:
    """Whether packets are missing that the container announced: it was cut short."""
    found, announced = len(survey.ticks), len(stream.index_entries)
    if found < announced:
        return because("cut_short", seen=found, frames=announced)
    if not stream.duration or container.format.name == "mpegts":
        return None
    end = survey.times[-1] + survey.frame_ticks - (stream.start_time or 0)
    missing = survey.seconds(stream.duration - end)
    if missing > max(0.5, 0.05 * survey.seconds(stream.duration)):
        return because("end_missing", seconds=round(missing, 6))
    return None

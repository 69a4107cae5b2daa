"""What the head of a compressed packet says, without decoding it.

Two questions: does any other frame refer to this one, and can decoding start afresh here? A "no" is always
safe, so that anything unusual or damaged is answered with it. Sources: ITU-T H.264 (7.3.1, 7.4.1), ITU-T
H.265 (7.3.1, 7.4.2), the VP9 bitstream specification (6.2), the AV1 bitstream specification (5.3, 5.9).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

_MAX_UNITS = 2048
_MAX_PARAMETER_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Traits:
    """What one packet's head says.

    Attributes:
        unreferenced: No frame of the same or a lower temporal layer refers to it.
        restart: All later frames that are not leading decode the same from here.
        leading: Shown before the restart that it follows, and may refer to frames before that.
        layer: Temporal layer, 0 to 6.
    """

    unreferenced: bool = False
    restart: bool = False
    leading: bool = False
    layer: int = 0


_PLAIN = Traits()
PacketReader = Callable[[bytes], Traits]


def packet_reader(codec: str, extradata: bytes) -> PacketReader | None:
    """The reader for a codec, or None for one whose packets are all decoded.

    Args:
        codec: FFmpeg's name of the decoder or codec.
        extradata: Codec configuration from the container; empty where there is none.

    Example:
        >>> packet_reader("mjpeg", b"") is None
        True
    """
    if codec == "h264":
        return H264Reader(extradata)
    if codec == "hevc":
        return HevcReader(extradata)
    if codec in ("vp9", "libvpx-vp9"):
        return vp9_traits
    if codec in ("av1", "libdav1d", "libaom-av1"):
        return av1_traits
    return None


class NalReader:
    """What H.264 and H.265 share: packets made of NAL units, and parameter sets that may come at any time."""

    def __init__(self, extradata: bytes, *, length_offset: int) -> None:
        self._seen: set[bytes] = set()
        self._seen_bytes = 0
        self._lost_track = False
        configured = len(extradata) > length_offset and extradata[0] == 1
        self._length_size = (extradata[length_offset] & 3) + 1 if configured else 0

    def units(self, data: bytes) -> list[bytes] | None:
        """The NAL units of a packet, or None when it cannot be split cleanly."""
        split = _split_lengths(data, self._length_size) if self._length_size else _split_start_codes(data)
        units: list[bytes] = []
        for unit in split:
            if unit is None or len(units) >= _MAX_UNITS:
                self._lost_track = True  # What could not be read may have been a parameter set.
                return None
            units.append(unit)
        return units or None

    def knows_all(self, parameter_sets: list[bytes]) -> bool:
        """Whether these include every parameter set that the stream has carried up to here.

        Only then may a decoder that jumped over packets go on: it holds what the full decoder holds.
        """
        for unit in parameter_sets:
            if unit not in self._seen:
                self._seen_bytes += len(unit)
                if self._seen_bytes > _MAX_PARAMETER_BYTES:
                    self._lost_track = True
                    return False
                self._seen.add(unit)
        return not self._lost_track and self._seen <= set(parameter_sets)


class H264Reader(NalReader):
    """Reads H.264 packets, with length prefixes (MP4, Matroska) or start codes (MPEG-TS).

    Attributes:
        progressive: Every sequence so far holds whole frames only. In a stream of fields one frame may be
            spread over two packets, so that none may be left out.
    """

    def __init__(self, extradata: bytes) -> None:
        super().__init__(extradata, length_offset=4)
        self._frames_only: bool | None = None
        self._read_sequences(_avcc_sequences(extradata) if self._length_size else extradata)

    @property
    def progressive(self) -> bool:
        """Whether every sequence so far holds whole frames only."""
        return self._frames_only is True

    def _read_sequences(self, source: bytes | list[bytes]) -> None:
        units = _split_start_codes(source) if isinstance(source, bytes) else iter(source)
        for _, unit in zip(range(64), units, strict=False):
            if unit and unit[0] & 31 == 7:
                self._frames_only = self._frames_only is not False and _frames_only(unit)

    def __call__(self, data: bytes) -> Traits:
        """The traits of one packet."""
        units = self.units(data)
        if units is None:
            return _PLAIN
        kinds = {unit[0] & 31 for unit in units}
        slices = kinds & {1, 2, 3, 4, 5}
        parameters = [unit for unit in units if unit[0] & 31 in (7, 8, 13, 15)]
        self._read_sequences([unit for unit in parameters if unit[0] & 31 == 7])
        complete = self.knows_all(parameters)
        idle = all(unit[0] >> 5 & 3 == 0 for unit in units if unit[0] & 31 in slices)
        return Traits(
            unreferenced=bool(slices) and idle and not kinds - {1, 6, 9, 12},
            restart=slices == {5} and complete,
        )


class HevcReader(NalReader):
    """Reads H.265 packets, with length prefixes (MP4, Matroska) or start codes (MPEG-TS)."""

    progressive = True  # Fields are coded as pictures of their own: each packet is one frame to the decoder.

    def __init__(self, extradata: bytes) -> None:
        super().__init__(extradata, length_offset=21)

    def __call__(self, data: bytes) -> Traits:
        """The traits of one packet."""
        units = self.units(data)
        if units is None or any(len(unit) < 2 for unit in units):
            return _PLAIN
        kinds = {unit[0] >> 1 & 63 for unit in units}
        slices = {kind for kind in kinds if kind < 32}
        complete = self.knows_all([unit for unit in units if unit[0] >> 1 & 63 in (32, 33, 34)])
        one_layer = all((unit[0] & 1) == 0 and unit[1] >> 3 == 0 for unit in units)
        layers = {(unit[1] & 7) - 1 for unit in units if unit[0] >> 1 & 63 < 32}
        if not slices or not one_layer or len(layers) != 1:
            return _PLAIN
        return Traits(
            unreferenced=slices <= {0, 2, 4, 6, 8} and kinds - slices <= {35, 38, 39, 40},
            restart=slices <= {19, 20, 21} and len(slices) == 1 and complete,
            leading=slices <= {8, 9},
            layer=max(layers.pop(), 0),
        )


def vp9_traits(data: bytes) -> Traits:
    """Find the key frames of VP9: they replace every reference and every probability.

    Example:
        >>> vp9_traits(bytes.fromhex("824983420000")).restart
        True
    """
    if len(data) < 4 or data[0] >> 6 != 2 or data[0] & 0b0011_0000 == 0b0011_0000:
        return _PLAIN
    # Bits 3 to 1: show an existing frame, not a key frame, shown.
    return Traits(restart=data[0] & 0b1110 == 0b0010 and data[1:4] == b"\x49\x83\x42")


def av1_traits(data: bytes) -> Traits:
    """Find shown key frames of AV1 that come with their sequence header: they replace every reference."""
    position, sequence = 0, False
    for _ in range(64):
        if position >= len(data):
            break
        head = data[position]
        kind, extended, sized = head >> 3 & 15, head >> 2 & 1, head >> 1 & 1
        position += 1 + extended
        size, shift = 0, 0
        while sized and position < len(data) and shift < 35:
            byte = data[position]
            position += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        body = data[position : position + size] if sized else data[position:]
        if not body and kind != 2:
            break
        if kind == 1:
            sequence = body[0] & 0b1000 == 0  # Not the reduced header of a still picture.
        elif kind in (3, 6):
            # Show an existing frame: 0; type: 00 (key); shown: 1.
            return Traits(restart=sequence and body[0] >> 4 == 0b0001)
        position += len(body)
    return _PLAIN


def _split_lengths(data: bytes, length_size: int) -> Iterator[bytes | None]:
    position = 0
    while position < len(data):
        length = int.from_bytes(data[position : position + length_size], "big")
        position += length_size
        if length == 0 or position + length > len(data):
            yield None
            return
        yield data[position : position + length]
        position += length


def _split_start_codes(data: bytes) -> Iterator[bytes | None]:
    start = data.find(b"\x00\x00\x01")
    while start >= 0:
        end = data.find(b"\x00\x00\x01", start + 3)
        unit = data[start + 3 : end if end >= 0 else len(data)].rstrip(b"\x00")
        yield unit or None
        start = end


def _avcc_sequences(extradata: bytes) -> list[bytes]:
    """The sequence parameter sets in an MP4 configuration record (ISO/IEC 14496-15, 5.3.3)."""
    sequences, position = [], 6
    for _ in range(extradata[5] & 31 if len(extradata) > 5 else 0):
        length = int.from_bytes(extradata[position : position + 2], "big")
        sequences.append(extradata[position + 2 : position + 2 + length])
        position += 2 + length
    return sequences


class _Bits:
    """Reads a bit string from the left; reading past the end raises ValueError."""

    def __init__(self, data: bytes) -> None:
        self._left = len(data) * 8
        self._value = int.from_bytes(data, "big")

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("past the end")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        zeros = 0
        while self.take(1) == 0:
            zeros += 1
            if zeros > 32:
                raise ValueError("no such code")
        return (1 << zeros) - 1 + self.take(zeros)


def _frames_only(sequence: bytes) -> bool:
    """Whether an H.264 sequence parameter set rules fields out (frame_mbs_only_flag, 7.3.2.1.1)."""
    bits = _Bits(sequence[1:512].replace(b"\x00\x00\x03", b"\x00\x00"))
    try:
        profile = bits.take(8)
        bits.take(16)
        bits.golomb()
        if profile in (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135):
            if bits.golomb() == 3:
                bits.take(1)
            bits.golomb()
            bits.golomb()
            bits.take(1)
            if bits.take(1):
                return False  # Scaling matrices are too rare to be worth reading past.
        bits.golomb()
        order = bits.golomb()
        if order == 0:
            bits.golomb()
        elif order == 1:
            bits.take(1)
            bits.golomb()
            bits.golomb()
            for _ in range(min(bits.golomb(), 255)):
                bits.golomb()
        bits.golomb()
        bits.take(1)
        bits.golomb()
        bits.golomb()
        return bits.take(1) == 1
    except ValueError:
        return False

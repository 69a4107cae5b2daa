"""Opening a file as video, with the guards that a hostile file meets.

To FFmpeg a path is an address: ``concat:``, ``http:`` or ``f%d.png`` all mean something, and a playlist makes
it read other files. So: only regular files, only ``file:`` with an absolute path, only listed containers.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import av
from av.codec.context import ThreadType
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from unmask.config import DecodeSettings
from unmask.errors import DamagedError, MediaError, why_unreadable
from unmask.reasons import Reason, because
from unmask.video.boxes import outer_boxes

if TYPE_CHECKING:
    VideoPacket = Packet[VideoStream]
else:  # Only generic in its type stubs.
    VideoPacket = Packet

ANY_TAGS: dict[str, Any] = {"metadata_errors": "surrogateescape"} if av.__version__.startswith("18.") else {}
"""For ``av.open``: PyAV 18 refuses a file whose tags are no UTF-8 unless it is told how to read them. PyAV 19
always reads them in this way, and cannot be told."""

CONTAINERS = ("mov", "matroska", "avi", "mpegts", "mpeg", "flv", "ogg", "asf", "gif", "apng", "ivf")
"""FFmpeg's names of the containers that are opened: MP4/MOV/3GP, Matroska/WebM, AVI, MPEG-TS, MPEG-PS/VOB,
FLV, Ogg, WMV/ASF, GIF, animated PNG, IVF. None of them makes FFmpeg read a second file."""


_WATCHFUL = {"vp9": "libvpx-vp9"}
_CHUNK_BYTES = 1 << 20
_ERR_DETECT = "crccheck+bitstream+buffer+careful"
"""What FFmpeg's decoders look at; it stops none of them, but they tell more."""


class ReadableFile(Protocol):
    """What FFmpeg needs of an open file."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes."""

    def seek(self, offset: int, whence: int, /) -> int:
        """Go to a place; the new position."""

    def tell(self) -> int:
        """The position."""


@dataclass(frozen=True, slots=True)
class Source:
    """A regular file that may be opened.

    Attributes:
        path: As it was given.
        address: What FFmpeg gets: ``file:`` and an absolute path, or an open file without a name.
        label: The name for messages, on one line.
        head: The first bytes, up to 4096.
    """

    path: Path
    address: str | ReadableFile
    label: str
    head: bytes


@dataclass(slots=True)
class Reading:
    """One file being read under its settings.

    Attributes:
        source: The file.
        settings: How many frames, and the limits.
        end: When ``time.monotonic()`` says that time is up, unless something new comes before.
    """

    source: Source
    settings: DecodeSettings
    end: float

    @classmethod
    def start(cls, source: Source, settings: DecodeSettings) -> Reading:
        """Begin now."""
        return cls(source, settings, time.monotonic() + settings.time_limit_seconds)

    def renew(self) -> None:
        """Something new came: the time limit starts anew."""
        self.end = time.monotonic() + self.settings.time_limit_seconds

    @property
    def left_seconds(self) -> float:
        """Time left, at least a millisecond."""
        return max(self.end - time.monotonic(), 0.001)

    def check_time(self) -> None:
        """Stop when time is up.

        Raises:
            MediaError: The limit has passed.
        """
        if time.monotonic() > self.end:
            limit = because("no_progress", seconds=self.settings.time_limit_seconds)
            raise MediaError(limit, self.source.label)

    def check_machine(self) -> None:
        """Read the file to its end: of what the machine fails to read, FFmpeg says the same as of damage.

        When time is up first, as with a very large file, it is taken for damage.

        Raises:
            MediaError: It cannot be read just now, whatever is in it.
        """
        if not isinstance(self.source.address, str):
            return
        try:
            with self.source.path.open("rb") as file:
                while time.monotonic() < self.end and file.read(_CHUNK_BYTES):
                    pass
        except OSError as failure:
            raise MediaError(why_unreadable(failure), self.source.label) from failure


def check_source(path: str | Path) -> Source:
    """Look at a file before any decoder does.

    Raises:
        MediaError: It is absent, unreadable, empty or no regular file.
    """
    path = Path(path)
    label = "".join(char if char.isprintable() else "?" for char in path.name or str(path))
    try:
        absolute = path.absolute()
        # Opened without waiting, or a named pipe would hold us until someone writes to it.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(absolute, flags)
        try:
            mode = os.fstat(descriptor).st_mode
            head = os.read(descriptor, 4096) if stat.S_ISREG(mode) else b""
        finally:
            os.close(descriptor)
    except OSError as error:
        # Windows refuses to open a folder as if that were not permitted.
        folder = isinstance(error, PermissionError) and path.is_dir()
        raise MediaError(because("folder") if folder else why_unreadable(error), label) from error
    except ValueError as error:
        raise MediaError(because("null_character"), label) from error
    if stat.S_ISDIR(mode):
        raise MediaError(because("folder"), label)
    if not stat.S_ISREG(mode):
        raise MediaError(because("not_regular"), label)
    if not head:
        raise MediaError(because("empty"), label)
    return Source(path=path, address=f"file:{absolute}", label=label, head=head)


@contextmanager
def open_video(reading: Reading) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a container and choose its video stream.

    Yields:
        The container and its main video stream, whose decoder is not open yet.

    Raises:
        MediaError: No listed container, no video stream, or frames above the pixel limit.
        DamagedError: The container's index is missing.
    """
    source, settings = reading.source, reading.settings
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": ",".join(CONTAINERS),
        "max_streams": str(settings.max_streams),
        "max_pixels": _decoder_limit(settings.max_pixels),
    }
    reading.check_time()
    try:
        container = av.open(
            source.address,
            mode="r",
            # FFmpeg takes a PNG with a long note in front of its pictures for a still one.
            format="apng" if source.head.startswith(b"\x89PNG") else None,
            options=options,
            timeout=reading.left_seconds,
            **ANY_TAGS,
        )
    except FileNotFoundError:
        raise MediaError(because("gone"), source.label) from None
    except av.error.ExitError:
        reading.check_time()
        raise MediaError(because("slow_to_open"), source.label) from None
    except (av.FFmpegError, ValueError) as error:
        reading.check_machine()
        if source.head[4:8] == b"ftyp":
            raise _unread_index(source, settings.max_streams) from error
        raise MediaError(_way_out(source.head), source.label) from error
    with container:
        yield container, _choose_stream(reading, container)


@contextmanager
def own_errors(reading: Reading) -> Iterator[None]:
    """Turn what FFmpeg says into an error about the file."""
    try:
        yield
    except av.FFmpegError as error:
        reading.check_time()
        reading.check_machine()
        raise DamagedError(because("undecodable", error=words_of(error)), reading.source.label) from error


def unseen_streams(container: InputContainer, stream: VideoStream) -> list[int]:
    """Numbers of the streams that hold pictures, too, besides the one that is read; covers do not count."""
    return [one.index for one in _pictures(container) if one.index != stream.index]


def read_tags(holder: InputContainer | VideoStream) -> dict[str, str]:
    """What a file or a stream says of itself, as text that can be written; U+FFFD for what is no UTF-8."""
    return {_utf8(key): _utf8(value) for key, value in holder.metadata.items()}


def read_packets(container: InputContainer, stream: VideoStream) -> Iterator[VideoPacket]:
    """The packets of one stream, without the empty ones that mark its end."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except IndexError:
            # At the end PyAV looks up every stream, and fails on one that turned up on the way, as in an
            # MPEG-TS whose sound begins late or whose stream table is damaged. All packets have come by then.
            return
        if packet.size and packet.stream_index == stream.index:
            yield packet


def decoder_of(stream: VideoStream) -> VideoCodecContext:
    """A decoder for a stream that is not open yet: that one of several which notices damage.

    FFmpeg's own for VP9 hardly ever does, and libvpx's, which gives the same pixels, nearly always.
    """
    usual = stream.codec_context
    if usual.name not in _WATCHFUL:
        return usual
    try:
        watchful = cast(VideoCodecContext, VideoCodecContext.create(_WATCHFUL[usual.name], "r"))
    except ValueError:  # this build of FFmpeg has none
        return usual
    watchful.extradata = usual.extradata
    watchful.width, watchful.height = usual.width, usual.height
    for told in ("color_range", "color_primaries", "color_trc", "colorspace"):  # by the container
        setattr(watchful, told, getattr(usual, told))
    return watchful


def use_threads(context: VideoCodecContext, *, threads: int, max_pixels: int) -> None:
    """Set up a decoder that is not open yet: several threads, or one for the same pixels each time."""
    context.thread_count = min(threads, os.cpu_count() or 1)
    context.thread_type = ThreadType.AUTO if context.thread_count > 1 else ThreadType.NONE
    context.options = {"max_pixels": _decoder_limit(max_pixels), "err_detect": _ERR_DETECT}


def _decoder_limit(max_pixels: int) -> str:
    """The limit for the decoder itself, which counts its padding: a coarse stop before the exact check."""
    return str(2 * max_pixels + 2**16)


def check_pixels(reading: Reading, *, width: int, height: int) -> None:
    """Hold a frame against the pixel limit.

    Raises:
        MediaError: It is larger.
    """
    limit = reading.settings.max_pixels
    if width * height > limit:
        told = because("large_frame", most_pixels=limit, width=width, height=height)
        raise MediaError(told, reading.source.label)


def _choose_stream(reading: Reading, container: InputContainer) -> VideoStream:
    source = reading.source
    videos = _pictures(container)
    if not videos:
        sound = container.streams.audio
        raise MediaError(because("only_sound") if sound else because("no_video"), source.label)
    readable = [stream for stream in videos if stream.codec_context is not None]
    if not readable:
        raise MediaError(because("no_decoder"), source.label)
    stream = max(readable, key=_rank)  # The first of equals.
    width, height = stream.codec_context.width, stream.codec_context.height
    check_pixels(reading, width=width, height=height)
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    return stream


def _pictures(container: InputContainer) -> list[VideoStream]:
    return [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]


def _rank(stream: VideoStream) -> tuple[bool, int]:
    """The stream that the container marks as default, then the one with the most pixels."""
    default = bool(stream.disposition & Disposition.default)
    return default, stream.codec_context.width * stream.codec_context.height


def _unread_index(source: Source, max_streams: int) -> MediaError:
    """Why FFmpeg does not open an MP4 or its like: a part is missing, or all is there and only unknown."""
    boxes = list(outer_boxes(source.path))
    if any(kind == b"moov" for kind, *_ in boxes) and all(complete for *_, complete in boxes):
        return MediaError(because("unread_streams", most=max_streams), source.label)
    return DamagedError(because("no_index"), source.label)


def _way_out(head: bytes) -> Reason:
    """What to do about a file in none of the containers that are opened, by its first bytes."""
    if re.match(rb"\x00?\x00\x00\x01[^\x00]", head):  # the start code of MPEG-1 to -4, H.264 and H.265
        return because("no_container")
    return because("no_media")


def _utf8(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def words_of(error: BaseException) -> str:
    """What FFmpeg says went wrong, without the path that it puts into it."""
    return str(getattr(error, "strerror", None) or type(error).__name__)


def as_fraction(value: Any, *, unknown: Fraction) -> Fraction:
    """What PyAV tells as a fraction, for which version 19 has types of its own; else what stands for it."""
    return Fraction(value or unknown)

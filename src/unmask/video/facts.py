"""Facts of a file: container, codec, size, rate, tags, and what in them speaks of re-encoding."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import av
from av.stream import Stream

from unmask.config import DecodeSettings
from unmask.video.container import Reading, check_source, open_video, own_errors, read_tags
from unmask.video.still import picture_format, read_still

MAX_TAGS, MAX_TAG_LETTERS = 40, 200

# What programs, rather than cameras, write into a file: FFmpeg's muxer and encoders, common editors, and the
# handler names that YouTube and Apple's exporters leave.
_PROGRAMS = re.compile(
    r"Lav[fc]\d*|libx26[45]|\bx26[45]\b|HandBrake|Adobe|Premiere|After Effects|DaVinci|CapCut|Final Cut|"
    r"OBS|GPAC|mkvmerge|VirtualDub|Google Inc|Telegram|WhatsApp|Vegas|iMovie",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One stream of a file.

    Attributes:
        index: Its number in the file, from 0.
        kind: ``video``, ``audio``, ``subtitle``, ``data`` or the like, as FFmpeg calls it.
        codec: FFmpeg's name; empty where it knows none.
        looked_at: It is the one whose faces were looked for.
    """

    index: int
    kind: str
    codec: str
    looked_at: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What the file says of itself; its tags can be written by anybody.

    Attributes:
        sha256: Of its bytes.
        size_bytes: Of the file.
        container: FFmpeg's name, or that of an image format.
        codec: Of the picture.
        width: In pixels, upright.
        height: In pixels, upright.
        frames_per_second: Mean; 0 for an image or where the container says nothing.
        duration_seconds: As the container says; 0 for an image.
        first_seconds: Container time of the beginning.
        bits_per_pixel: Of the compressed picture; 0 where unknown.
        tags: Those of container and stream, shortened.
        reencoded: Signs that a program wrote the file rather than a camera; words of the tags.
        streams: All of a video, in the file's order; empty for an image.
    """

    sha256: str
    size_bytes: int
    container: str
    codec: str
    width: int
    height: int
    frames_per_second: float = 0.0
    duration_seconds: float = 0.0
    first_seconds: float = 0.0
    bits_per_pixel: float = 0.0
    tags: tuple[tuple[str, str], ...] = ()
    reencoded: tuple[str, ...] = ()
    streams: tuple[StreamFacts, ...] = ()


def read_facts(path: Path, sha256: str, settings: DecodeSettings) -> Facts:
    """Read what a file says of itself.

    Args:
        path: A video or an image.
        sha256: Of its bytes.
        settings: The limits that hostile files meet.

    Raises:
        MediaError: It cannot be read.
    """
    source = check_source(path)
    size = path.stat().st_size
    kind = picture_format(source)
    if kind is not None:
        frame = read_still(source, kind, settings).frames[0]
        return Facts(sha256, size, kind, kind, frame.width, frame.height)
    reading = Reading.start(source, settings)
    with own_errors(reading), open_video(reading) as (container, stream):
        context = stream.codec_context
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        duration = (container.duration or 0) / av.time_base
        if stream.duration and stream.time_base:
            duration = float(stream.duration * stream.time_base)
        start = float((stream.start_time or 0) * (stream.time_base or 0))
        bits = stream.bit_rate or container.bit_rate or 0
        pixels = context.width * context.height * rate
        tags = _tags(read_tags(container), read_tags(stream))
        return Facts(
            sha256,
            size,
            container.format.name,
            context.name,
            context.width,
            context.height,
            frames_per_second=rate,
            duration_seconds=duration,
            first_seconds=start,
            bits_per_pixel=bits / pixels if pixels else 0.0,
            tags=tags,
            reencoded=signs_of_encoding(tags),
            streams=tuple(
                StreamFacts(one.index, one.type or "unknown", _codec(one), one.index == stream.index)
                for one in container.streams
            ),
        )


def _codec(stream: Stream) -> str:
    context = getattr(stream, "codec_context", None)  # data streams have none
    return str(context.name) if context is not None else ""


def signs_of_encoding(tags: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Tags that name a program which writes videos, as ``name: value``; none says nothing of a camera.

    >>> signs_of_encoding((("encoder", "Lavf61.7.100"), ("title", "my dog")))
    ('encoder: Lavf61.7.100',)
    """
    return tuple(f"{name}: {value}" for name, value in tags if _PROGRAMS.search(value))


def _tags(*groups: dict[str, str]) -> tuple[tuple[str, str], ...]:
    found = {(key, value) for group in groups for key, value in group.items()}
    return tuple((key[:60], value[:MAX_TAG_LETTERS]) for key, value in sorted(found)[:MAX_TAGS])

"""What a video's container says, from opening it and decoding its first frame; many videos side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from unmask.archive.sources import Opener
from unmask.config import BatchSettings, DecodeSettings
from unmask.errors import DataError, MediaError, is_of_machine
from unmask.lab.datasets.layouts import Row
from unmask.reasons import because
from unmask.video.container import Reading, Source, open_video, read_packets, read_tags, use_threads
from unmask.work.each import Do, Failure, run_each

Facts = dict[str, Any]
Chunk = list[tuple[int, str]]

_CHUNK = 64
_REMOTE_THREADS = 8  # Waiting for a store's answers takes longer than working on them.
_LIMIT_SECONDS = 60.0
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """How videos are looked into.

    Attributes:
        container: Read what the container says and decode the first frame.
        sha256: Hash the whole file.
        jobs: Processes; with 1 it happens in this one, where a decoder that crashes takes us along.
    """

    container: bool = True
    sha256: bool = False
    jobs: int = 1


def probe_rows(
    rows: Sequence[Row], settings: ProbeSettings, *, on_probed: Callable[[int, int], None] | None = None
) -> dict[int, Facts]:
    """Look into every video that is there.

    Args:
        rows: As a layout gives them.
        settings: What to look for.
        on_probed: Told how many of how many are done.

    Returns:
        For each row by number its facts, with ``status`` and ``why`` where it is damaged or unmask failed on
        it; none for missing rows.
    """
    there = ((number, row) for number, row in enumerate(rows) if row.size_bytes is not None)
    paths = {number: row.path for number, row in there if row.status != "damaged"}
    return probe_paths(paths, settings, on_probed=on_probed)


def probe_paths(
    paths: Mapping[int, str], settings: ProbeSettings, *, on_probed: Callable[[int, int], None] | None = None
) -> dict[int, Facts]:
    """Look into videos by path, the facts under the same numbers.

    Chunks of them go to each process; a chunk that a crash took along is tried again video by video.
    """
    todo = list(paths.items())
    size = min(_CHUNK, max(1, -(-len(todo) // settings.jobs)))  # Few videos: a fair share for each.
    chunks = [todo[start : start + size] for start in range(0, len(todo), size)]
    facts: dict[int, Facts] = {}
    load, limit = partial(_load_prober, settings), size * _LIMIT_SECONDS
    while chunks:
        again: list[Chunk] = []
        batch = BatchSettings(jobs=settings.jobs, time_limit_seconds=limit)
        for place, answer in run_each(chunks, load, batch, at_home=True):
            chunk = chunks[place]
            if not isinstance(answer, Failure):
                facts.update(answer)
            elif len(chunk) > 1:
                again += [[task] for task in chunk]
            elif answer.ours:
                facts[chunk[0][0]] = {"status": "failed", "why": str(answer.reason)}
            else:
                facts[chunk[0][0]] = _damaged(answer.reason)
            if on_probed is not None:
                on_probed(len(facts), len(todo))
        chunks, limit = again, _LIMIT_SECONDS
    return facts


def probe_file(opener: Opener, path: str, settings: ProbeSettings) -> Facts:
    """Look into one video.

    Returns:
        What was asked for; ``readable``, ``status`` and ``why`` say when it is damaged.
    """
    facts: Facts = {}
    try:
        with opener.open(path) as file:
            if settings.sha256:
                facts["sha256"] = _hash(file)
                file.seek(0)
            if settings.container:
                _probe_container(path, file, facts)
    except MediaError as error:
        if error.of_machine:
            raise
        facts |= _damaged(error.reason)
    except (DataError, OSError, av.FFmpegError, ValueError) as error:
        if isinstance(error, OSError) and is_of_machine(error):
            raise
        facts |= _damaged(getattr(error, "strerror", None) or error)
    return facts


def _damaged(why: object) -> Facts:
    return {"readable": False, "status": "damaged", "why": str(why)}


def _hash(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while data := file.read(2**20):
        digest.update(data)
    return digest.hexdigest()


def _probe_container(path: str, file: IO[bytes], facts: Facts) -> None:
    head = file.read(_HEAD_BYTES)
    size = file.seek(0, 2)
    file.seek(0)
    name = path.partition("::")[0].rpartition("/")[2]
    if not head:
        raise MediaError(because("empty"))
    source = Source(path=Path(name), address=_Bare(file), label=name, head=head)
    reading = Reading.start(source, DecodeSettings(frames=1, time_limit_seconds=_LIMIT_SECONDS))
    with open_video(reading) as (container, stream):
        facts |= _facts(container, stream)
        end = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
        turned = _first_frame_rotation(container, stream, reading)
        if turned % 180:
            facts["width"], facts["height"] = facts["height"], facts["width"]
        facts |= {"rotation": -turned % 360, "readable": True}
        if end > size:
            facts |= {"status": "damaged", "why": f"cut short, {end - size} bytes are missing at the end"}


def _facts(container: InputContainer, stream: VideoStream) -> Facts:
    seconds = None
    if stream.duration is not None and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        seconds = container.duration / av.time_base
    rate = stream.average_rate or stream.guessed_rate
    context = stream.codec_context
    tags = [*read_tags(container).items(), *read_tags(stream).items()]
    encoders = dict.fromkeys(value for key, value in tags if "encoder" in key.lower())
    return {
        "duration_seconds": seconds,
        "fps": float(rate) if rate else None,
        "frames": stream.frames or len(stream.index_entries) or None,
        "width": context.width,
        "height": context.height,
        "codec": context.codec.canonical_name,
        "has_audio": bool(container.streams.audio),
        "encoder": "; ".join(encoders)[:200],
        "format": container.format.name.partition(",")[0],
    }


def _first_frame_rotation(container: InputContainer, stream: VideoStream, reading: Reading) -> int:
    """Degrees counterclockwise that a player turns the first frame by.

    Raises:
        MediaError: No frame can be decoded.
    """
    use_threads(stream.codec_context, threads=1, max_pixels=reading.settings.max_pixels)
    for packet in read_packets(container, stream):
        reading.check_time()
        for frame in stream.codec_context.decode(packet):
            return frame.rotation
    for frame in stream.codec_context.decode(None):
        return frame.rotation
    raise MediaError(because("no_frames"))


class _Bare:
    """Only what FFmpeg needs of a file: without a name it cannot be taken for a playlist."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def _load_prober(settings: ProbeSettings) -> Do[Chunk, dict[int, Facts]]:
    return lambda chunk, _: _probe_chunk(chunk, settings)


def _probe_chunk(chunk: Chunk, settings: ProbeSettings) -> dict[int, Facts]:
    remote = any("://" in path.removeprefix("zip://") for _, path in chunk)
    with Opener() as opener:
        if not remote:
            return {number: probe_file(opener, path, settings) for number, path in chunk}
        with ThreadPoolExecutor(_REMOTE_THREADS) as threads:
            found = threads.map(lambda task: probe_file(opener, task[1], settings), chunk)
            return {number: facts for (number, _), facts in zip(chunk, found, strict=True)}

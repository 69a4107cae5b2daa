"""Bodies that become files: streamed to disk in constant memory, up to a size, and not too slowly."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from unmask.web.refusals import RefusedError
from unmask.web.settings import MEGABYTE, UploadSettings

MAX_NAME_CHARACTERS = 255
_BLOCK_BYTES = 1 << 20
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in whole."""

    bytes: int
    sha256: str


def plain_name(name: str) -> str:
    r"""What a user calls a file, made fit to be shown in one line; it is never used as a path.

    >>> plain_name("../../etc/passwd"), plain_name("C:\\clips\\a.mp4"), plain_name("a\n\u202eb.mp4")
    ('passwd', 'a.mp4', 'ab.mp4')
    """
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(character for character in last if character.isprintable())
    return shown[:MAX_NAME_CHARACTERS] or "unnamed"


async def save_body(
    chunks: AsyncIterator[bytes], target: Path, settings: UploadSettings, *, declared: int | None
) -> Upload:
    """Write a body to a new file.

    Args:
        chunks: The body as it comes in.
        target: Must not exist.
        settings: Limits.
        declared: The length that the client told of, or None.

    Raises:
        RefusedError: It is too large, too slow or empty, or the disk is full.
    """
    rule = f"an upload must have at most {settings.max_mb} MB"
    if declared is not None and declared > settings.max_bytes:
        await _linger(chunks)
        raise RefusedError("too_large", f"{rule}, got {declared / MEGABYTE:.1f} MB")
    digest, size, block = hashlib.sha256(), 0, bytearray()
    try:
        with target.open("xb") as file:
            async for chunk in _in_time(chunks, settings):
                size += len(chunk)
                if size > settings.max_bytes:
                    await _linger(chunks)
                    raise RefusedError("too_large", f"{rule}, and more came")
                block += chunk
                if len(block) >= _BLOCK_BYTES:
                    await asyncio.to_thread(_write, file, digest, bytes(block))
                    block.clear()
            await asyncio.to_thread(_write, file, digest, bytes(block))
    except OSError as error:
        raise RefusedError("disk_full", f"the upload could not be stored: {error.strerror}") from error
    if not size:
        raise RefusedError("bad_request", "an upload must not be empty, got 0 bytes")
    return Upload(size, digest.hexdigest())


def _write(file: BinaryIO, digest: hashlib._Hash, block: bytes) -> None:
    file.write(block)
    digest.update(block)


async def _in_time(chunks: AsyncIterator[bytes], settings: UploadSettings) -> AsyncIterator[bytes]:
    """The chunks, as long as they come fast enough."""
    start, size = time.monotonic(), 0
    source = aiter(chunks)
    while True:
        try:
            async with asyncio.timeout(settings.idle_seconds):
                chunk = await anext(source)
        except StopAsyncIteration:
            return
        except TimeoutError:
            rule = f"something of an upload must come every {settings.idle_seconds:g} seconds"
            raise RefusedError("too_slow", f"{rule}, got nothing after {size} bytes") from None
        size += len(chunk)
        late = time.monotonic() - start - settings.grace_seconds
        if late > 0 and size < late * settings.min_bytes_per_second:
            rule = f"an upload must come with {settings.min_bytes_per_second} bytes a second"
            raise RefusedError(
                "too_slow", f"{rule}, got {size} in {late + settings.grace_seconds:.0f} seconds"
            )
        yield chunk


async def _linger(chunks: AsyncIterator[bytes]) -> None:
    """Take in and forget a little more, or many clients would see a broken line in place of the answer."""
    size = 0
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            async for chunk in chunks:
                size += len(chunk)
                if size > _LINGER_BYTES:
                    return
    except TimeoutError:
        return

"""Commands short of what they need: room on the disk, large files, a place for temporary files."""

from __future__ import annotations

from collections.abc import Iterator

from hostile.allotments import allotment
from hostile.disks import BLOCK_BYTES, disk
from hostile.harms import Tried, earlier_results
from hostile.mortal import SPARED, Ended, Harm

LEAST_FILE_BYTES = 2048
"""No tighter, or there would be no room for what a run says on its way to a test."""
_SHARE_STEP_BYTES, _MOST_SHARE_BYTES = 96 << 10, 8 << 20
_TOLD = Harm(kind="full")


def rooms(tried: Tried, most: int) -> Iterator[int]:
    """Sizes of disks, in bytes, on which a command runs out of room: at most so many, evenly spread."""
    out = tried.make_folder()
    with disk(out) as ample:
        assert tried.run(out).code == 0
        blocks = max(2, ample.used_bytes() // BLOCK_BYTES)  # one more is needed beside a draft
    step = max(1, -(-blocks // most))
    yield from range(BLOCK_BYTES, blocks * BLOCK_BYTES, step * BLOCK_BYTES)


def little_room(tried: Tried, size_bytes: int) -> str:
    """A run on a small disk, and one more when there is room; gives what is wrong, or nothing."""
    out = tried.make_folder()
    with disk(out, size_bytes) as small:
        ended = tried.run(out)
        problem = tried.wrong_left(ended, _TOLD, out) or blamed(ended)
        if not ended.code:
            problem = "there was room enough, so nothing was tried"
        small.open()
        return problem or tried.wrong_in_the_end(out, tried.run(out))


def small_shares(tried: Tried) -> Iterator[tuple[str, str]]:
    """Runs in rising shares of a disk, as far as they are too small, and each once more without a limit.

    Gives how large the share was, and what is wrong, or nothing.
    """
    for size in range(0, _MOST_SHARE_BYTES, _SHARE_STEP_BYTES):
        out = tried.make_folder()
        with allotment(out, size) as share:
            ended = tried.run(out)
            if ended.code == 0:
                return
            problem = tried.wrong_left(ended, _TOLD, out) or blamed(ended)
            share.open()
            yield f"{size} bytes", problem or tried.wrong_in_the_end(out, tried.run(out))


def room_for_one(tried: Tried) -> str:
    """Results on a disk that has no room for those of another run; gives what is wrong, or nothing."""
    out = tried.make_folder()
    with disk(out) as small:
        assert tried.run(out).code == 0
        small.resize(small.used_bytes())
        return earlier_results(tried, SPARED, out)


def closed_disk(tried: Tried) -> str:
    """A run where nothing can be written, and one more where it can; gives what is wrong, or nothing."""
    out = tried.make_folder()
    with disk(out) as closed:
        closed.seal()
        ended = tried.run(out)
        problem = tried.wrong_end(ended, _TOLD) or blamed(ended)
        if not ended.code:
            problem = "did not notice that nothing could be written"
        closed.open()
        return problem or tried.wrong_in_the_end(out, tried.run(out))


def file_sizes(tried: Tried) -> Iterator[int]:
    """For each file that a command leaves, the size that it just may not have, in bytes."""
    sizes = {len(data) - 1 for data in tried.whole.values()}
    yield from sorted(size for size in sizes if size >= LEAST_FILE_BYTES)


def small_files(tried: Tried, most_bytes: int) -> str:
    """A run that may write no larger files, and one that may; gives what is wrong, or nothing."""
    out = tried.make_folder()
    ended = tried.run(out, Harm(file_bytes=most_bytes))
    problem = tried.wrong_left(ended, _TOLD, out) or blamed(ended)
    return problem or tried.wrong_in_the_end(out, tried.run(out))


def no_scratch(tried: Tried) -> str:
    """A run whose folder for temporary files is full; it must not change what comes out."""
    out, scratch = tried.make_folder(), tried.make_folder()
    with disk(scratch, BLOCK_BYTES):
        (scratch / "all").write_bytes(bytes(BLOCK_BYTES))
        ended = tried.start(out, TMPDIR=str(scratch)).end()
    problem = tried.wrong_left(ended, _TOLD, out) or blamed(ended)
    return problem or tried.wrong_in_the_end(out, tried.run(out))


def blamed(ended: Ended) -> str:
    """Whether a clip is said to be at fault."""
    words = ("unreadable", "damaged", "no face")
    found = [word for word in words if word in ended.told]
    return f"blames a file ({found[0]}): {ended.told[-300:]}" if found else ""

"""The folder that an extraction fills: what is done is on disk, whatever happens to the run.

What comes of a video is at once a file of its own, a part, written under another name and then renamed. When
all parts of a shard are there they are joined into its tar, a commit file says so, and the parts go. At the
end the commit files become the index and the manifest. So a run that is killed anywhere loses the videos that
were in flight and nothing else, and what it leaves in the end does not depend on what happened on the way.

    crops/extract.json            what is extracted: settings, digest of the plan
    crops/crops-00000.tar         shards, each there as a whole or not at all
    crops/index.jsonl             every sample, for random access      } written last
    crops/sha256.txt              the SHA-256 of each of these files   }
    crops/manifest.jsonl          every video, with what came of it    }
    crops/.unfinished/parts       videos of shards that are not full yet
    crops/.unfinished/shards      commit files
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from unmask.errors import DataError
from unmask.files import fingerprint
from unmask.lab.crops.shards import INDEX_NAME, TAR_END
from unmask.lab.crops.sums import SUMS_NAME, list_sums
from unmask.lab.extract.manifest import MANIFEST_NAME
from unmask.lab.extract.plan import Plan
from unmask.lab.extract.worker import UNREADABLE, make_record
from unmask.reasons import because
from unmask.version import __version__

HEADER_NAME = "extract.json"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Store:
    """An extraction's folder, held by one run at a time; use it in a ``with`` block.

    Args:
        folder: Made if absent; one that holds another extraction is refused.
        plan: Of the extraction.

    Raises:
        DataError: The folder holds something else, another run works in it, or the disk is full.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self._state = folder / ".unfinished"
        self._parts, self._commits = self._state / "parts", self._state / "shards"
        self._members: list[list[int]] = [[] for _ in range(plan.shards[-1] + 1)]
        for number, shard in enumerate(plan.shards):
            self._members[shard].append(number)
        self.done: set[int] = set()
        self._lock: IO[str] | None = None

    def __enter__(self) -> Store:
        try:
            with _disk(self.folder):
                self._claim()
                if not self.complete:
                    self._load()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()

    @property
    def complete(self) -> bool:
        """Whether everything is done and the manifest is written."""
        return (self.folder / MANIFEST_NAME).is_file()

    def put(self, number: int, blob: bytes) -> None:
        """Keep what came of a video.

        Args:
            number: In the plan.
            blob: Of its `unmask.lab.extract.worker.Extracted`.

        Raises:
            DataError: The disk is full.
        """
        with _disk(self.folder):
            _write(self._part(number), blob)
            self.done.add(number)
            self._seal_if_full(self.plan.shards[number])

    def guide(self, number: int) -> dict[str, Any] | None:
        """The boxes of a video that is done and whose shard is not full yet; None where it has none."""
        with self._part(number).open("rb") as file:
            guide: dict[str, Any] | None = json.loads(file.readline())["guide"]
        return guide

    def finish(self) -> None:
        """Write index and manifest and remove what is no longer needed.

        Raises:
            DataError: Something is not done, or the disk is full.
        """
        if len(self.done) < len(self.plan):
            raise DataError(f"{len(self.plan) - len(self.done)} videos are not done")
        with _disk(self.folder):
            index, manifest = self.folder / INDEX_NAME, self.folder / MANIFEST_NAME
            sums = {HEADER_NAME: fingerprint(self.folder / HEADER_NAME)}
            with _replacing(manifest) as records:
                with _replacing(index) as samples:
                    for shard in range(len(self._members)):
                        with self._commit(shard).open("rb") as lines:
                            told = json.loads(next(lines))
                            samples.writelines(islice(lines, told["samples"]))
                            records.writelines(lines)
                        if told["bytes"]:
                            sums[_tar_name(shard)] = told["sha256"]
                records.flush()
                sums |= {INDEX_NAME: fingerprint(index), MANIFEST_NAME: fingerprint(records.name)}
                _write(self.folder / SUMS_NAME, list_sums(sums).encode())
            self.clean()

    def clean(self) -> None:
        """Remove what a finished extraction does not need."""
        shutil.rmtree(self._state, ignore_errors=True)

    def _claim(self) -> None:
        """Make the folder ours: no other extraction's, and no other run's."""
        header = self.folder / HEADER_NAME
        if not header.is_file() and self.folder.is_dir() and any(self._foreign()):
            raise DataError(f"{self.folder} holds other files; choose another folder or an empty one")
        self._parts.mkdir(parents=True, exist_ok=True)
        self._commits.mkdir(exist_ok=True)
        self._lock = (self._state / "lock").open("w")
        try:
            import fcntl
        except ImportError:  # Windows
            pass
        else:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise DataError(f"{self.folder}: another run is working in it") from error
        told = {
            "unmask": __version__,
            "digest": self.plan.digest,
            "videos": len(self.plan),
            "settings": asdict(self.plan.settings),
        }
        if header.is_file():
            try:
                found = json.loads(header.read_text(encoding="utf-8"))["digest"]
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{header} is not the file that unmask extract writes") from error
            if found != self.plan.digest:
                raise DataError(
                    f"{self.folder} holds an extraction of other videos, with other settings, or by another "
                    "version of unmask; choose another folder"
                )
        else:
            _write(header, json.dumps(told, indent=1).encode() + b"\n")

    def _foreign(self) -> Iterator[Path]:
        ours = {self._state.name, f"{HEADER_NAME}.tmp"}
        return (file for file in self.folder.iterdir() if file.name not in ours)

    def _load(self) -> None:
        """Find out what is done; throw away what is half done."""
        for file in [*self.folder.glob("*.tmp"), *self._parts.glob("*.tmp"), *self._commits.glob("*.tmp")]:
            file.unlink()
        for shard, members in enumerate(self._members):
            if self._is_sealed(shard):
                self.done.update(members)
                for number in members:
                    self._part(number).unlink(missing_ok=True)
        for file in self._parts.glob("*.part"):
            number = int(file.stem)
            if _is_whole(file):
                self.done.add(number)
            else:
                file.unlink()
        for number, video in enumerate(self.plan.videos):
            if video.problem:
                self.done.add(number)
        for shard in range(len(self._members)):
            self._seal_if_full(shard)

    def _is_sealed(self, shard: int) -> bool:
        commit = self._commit(shard)
        if not commit.is_file():
            return False
        with commit.open("rb") as lines:
            size = json.loads(next(lines))["bytes"]
        tar = self.folder / _tar_name(shard)
        if size and (not tar.is_file() or tar.stat().st_size != size):
            raise DataError(
                f"{tar} must have {size} bytes; it was changed or removed: begin in an empty folder"
            )
        return True

    def _seal_if_full(self, shard: int) -> None:
        members = self._members[shard]
        if self._commit(shard).is_file() or not self.done.issuperset(members):
            return
        name = _tar_name(shard)
        index: list[bytes] = []
        manifest: list[bytes] = []
        size = 0
        with _replacing(self.folder / name) as tar:
            for number in members:
                video = self.plan.videos[number]
                if video.problem:
                    record = make_record(video, UNREADABLE, because("unreadable", text=video.problem))
                else:
                    with self._part(number).open("rb") as part:
                        head = json.loads(part.readline())
                        shutil.copyfileobj(part, tar, 2**20)
                    record = head["record"]
                    for text, spans in head["samples"]:
                        there = json.dumps([[start + size, length] for start, length in spans])
                        index.append(f'{text},"shard":"{name}","spans":{there}}}\n'.encode())
                    size += head["bytes"]
                record |= {"shard": name if record["crops"] else ""}
                manifest.append(_line(record))
            tar.write(TAR_END)
        if not size:
            (self.folder / name).unlink()
        known = {"bytes": size and size + len(TAR_END), "samples": len(index)}
        told = _line(known | ({"sha256": fingerprint(self.folder / name)} if size else {}))
        _write(self._commit(shard), b"".join([told, *index, *manifest]), sync=True)
        for number in members:
            self._part(number).unlink(missing_ok=True)

    def _part(self, number: int) -> Path:
        return self._parts / f"{number:07d}.part"

    def _commit(self, shard: int) -> Path:
        return self._commits / f"{shard:05d}.json"


def _tar_name(shard: int) -> str:
    return f"crops-{shard:05d}.tar"


def _line(plain: dict[str, Any]) -> bytes:
    return json.dumps(plain, separators=(",", ":")).encode() + b"\n"


def _is_whole(part: Path) -> bool:
    """Whether a part is all there; after a power cut a renamed file may still be cut short."""
    try:
        with part.open("rb") as file:
            head = json.loads(file.readline())
            tar = file.read()
        return bool(len(tar) == head["bytes"] and zlib.crc32(tar) == head["crc32"])
    except (ValueError, KeyError, TypeError):
        return False


@contextmanager
def _replacing(path: Path, *, sync: bool = True) -> Iterator[IO[bytes]]:
    """Write a file under another name and rename it at the end: it is there as a whole or not at all."""
    draft = path.with_name(f"{path.name}.tmp")
    try:
        with draft.open("wb") as file:
            yield file
            if sync:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def _write(path: Path, data: bytes, *, sync: bool = False) -> None:
    with _replacing(path, sync=sync) as file:
        file.write(data)


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Say what to do when the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(
                f"{folder}: no space left to write to; free some, then give the same command again: it goes "
                "on where it stopped"
            ) from error
        raise DataError(f"{folder} cannot be written: {error.strerror or error}") from error


class DiskFullError(DataError):
    """There is no space left; nothing is lost, and the same command goes on later."""

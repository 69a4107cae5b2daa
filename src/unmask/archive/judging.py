"""What a worker does for a scan of an archive: one file in, its record out, or only its SHA-256."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmask.archive.record import record_of
from unmask.archive.sources import MAX_MEMBER_BYTES, Opener, SourceError, SourceFile, store_errors
from unmask.config import ScanSettings
from unmask.errors import DataError, UnmaskError
from unmask.files import fingerprint
from unmask.work.pool import Tell

if TYPE_CHECKING:
    from unmask.pipeline import Scanner

_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_BROKEN = (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError)


class UnreachableError(UnmaskError):
    """A file cannot be had just now, as from a store that throttles; nothing is known of it."""


@dataclass(frozen=True, slots=True)
class FileTask:
    """One file for a worker.

    Attributes:
        number: In the plan.
        file: Which.
        hash_only: Only its SHA-256 is wanted, since it may be the same as another.
    """

    number: int
    file: SourceFile
    hash_only: bool = False

    @property
    def name(self) -> str:
        """Of the file in the plan."""
        return self.file.inner


@dataclass(frozen=True, slots=True)
class Hashed:
    """The SHA-256 of a file."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one file.

    Attributes:
        record: As `unmask.archive.record.Record.to_dict` gives it.
        seconds: What it took: wall time by stage, to ``fetch`` a copy, and ``cpu`` of all threads. Empty
            where nothing was done.
    """

    record: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges files; holds what is loaded once."""

    scanner: Scanner
    opener: Opener
    settings: str
    copy_limit_bytes: int

    def __call__(self, task: FileTask, tell: Tell) -> Judged | Hashed:
        """Do one file.

        Args:
            task: Which.
            tell: Told the SHA-256, and with each stretch of a long video that something came.

        Raises:
            DataError: There is no such file, or it may not be read.
            UnreachableError: It cannot be had just now.
        """
        start, began = time.process_time(), time.perf_counter()
        with self._local(task.file) as path:
            fetch = time.perf_counter() - began
            if task.hash_only:
                with reaching():
                    return Hashed(fingerprint(path))
            listed = self.scanner.list_file(path, on_sha256=tell.note)
            if listed.sha256 is None and isinstance(listed.error, OSError):
                with reaching():
                    raise listed.error
            verdict = self.scanner.scan(path, listed=listed, on_look=lambda look: tell.part(None))
            if failed := next((why for why in verdict.reasons if why.holds("machine_failed")), None):
                raise UnreachableError(str(failed))
            size = path.stat().st_size if verdict.sha256 else max(task.file.size_bytes, 0)
        record = record_of(verdict, task.name, size_bytes=size, settings=self.settings)
        spent = {"fetch": round(fetch, 4), "cpu": round(time.process_time() - start, 4)}
        return Judged(record.to_dict(), verdict.seconds | spent)

    @contextmanager
    def _local(self, file: SourceFile) -> Iterator[Path]:
        with reaching(), self.opener.local(file.path, limit_bytes=self.copy_limit_bytes) as path:
            yield path


def load_judge(settings: ScanSettings, digest: str, *, copy_limit_bytes: int = MAX_MEMBER_BYTES) -> Judge:
    """Load the networks, once for a worker.

    Args:
        settings: Of every scan. One thread decodes, which gives the same pixels on every machine.
        digest: From `unmask.archive.record.digest_settings`.
        copy_limit_bytes: Largest object that is copied to be read.

    Raises:
        ModelError: Weights cannot be used.
    """
    import cv2  # heavy, and only the workers need it

    from unmask.pipeline import load_scanner

    cv2.setNumThreads(1)  # many workers side by side need no more
    return Judge(load_scanner(settings), Opener(), digest, copy_limit_bytes)


def one_thread(settings: ScanSettings) -> ScanSettings:
    """The same with one thread for decoding: the same pixels on every machine, damaged files too."""
    return replace(settings, decode=replace(settings.decode, threads=1))


@contextmanager
def reaching() -> Iterator[None]:
    """Tell a file that is not there, or broken, from one that cannot be had just now.

    Raises:
        DataError: It is not there, may not be read, or breaks a rule; the message does not say where it lies.
        UnreachableError: It cannot be had just now.
    """
    try:
        yield
    except store_errors(DataError) as error:
        cause = error.__cause__ if isinstance(error, DataError) else error
        if isinstance(cause, _FINAL):
            what = "no such file" if isinstance(cause, FileNotFoundError) else cause.strerror or str(cause)
            raise DataError(what) from error
        if cause is None or isinstance(cause, _BROKEN):  # a rule that it breaks; where it lies is no reason
            raise DataError(error.problem if isinstance(error, SourceError) else str(error)) from error
        raise UnreachableError(f"it cannot be had just now ({error})") from error

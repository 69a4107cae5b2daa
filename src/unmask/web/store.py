"""What is remembered of scans: a table in SQLite, and a folder for each."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from unmask.errors import DataError
from unmask.files import lock_file, whole_file
from unmask.verdicts import Verdict

PORTRAITS, FIRST, BRIGHTNESS = "portraits", "first.jpg", "brightness.txt"
UNFINISHED = ("uploading", "queued", "running")
FINISHED = ("done", "failed", "interrupted")
_TABLE = """
CREATE TABLE IF NOT EXISTS scans (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, path TEXT, bytes INTEGER NOT NULL DEFAULT 0, sha256 TEXT,
    created REAL NOT NULL, state TEXT NOT NULL, outcome TEXT, p_fake REAL, reason TEXT NOT NULL DEFAULT '',
    verdict TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS by_time ON scans (created DESC, id DESC);
"""
_BROKEN = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged list raises; its bytes may be in the message, where Python takes them for text."""
_COLUMNS = "id, name, path, bytes, sha256, created, state, outcome, p_fake, reason, examined"


@dataclass(frozen=True, slots=True)
class Row:
    """One scan as it is remembered.

    Attributes:
        id: 32 random hex digits.
        name: What the user calls the file; only ever shown.
        path: The file on this machine; None for an upload.
        bytes: Size of the file.
        sha256: Of its bytes, or None.
        created: Seconds since 1970.
        state: One of `UNFINISHED` or `FINISHED`.
        outcome: Of the verdict, or None.
        p_fake: Of the verdict, or None.
        reason: Of the verdict, or why there is none.
        examined: What stretch of which scan it is, as `unmask.web.examining.Examined` writes it; None for a
            whole file.
    """

    id: str
    name: str
    path: str | None
    bytes: int
    sha256: str | None
    created: float
    state: str
    outcome: str | None
    p_fake: float | None
    reason: str
    examined: str | None = None


class Store:
    """Scans on disk; safe to use from several threads. Each method raises OSError where the disk fails.

    Args:
        folder: Made where it is missing. Only one server at a time may use it.

    Raises:
        DataError: Another server uses it, or it holds something else.
        OSError: It cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.Lock()
        self._guard = _only_one(folder)
        try:
            self._base = sqlite3.connect(folder / "scans.sqlite3", check_same_thread=False)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.executescript(_TABLE)
            if "examined" not in {column[1] for column in self._base.execute("PRAGMA table_info(scans)")}:
                self._base.execute("ALTER TABLE scans ADD COLUMN examined TEXT")  # of an earlier version
        except _BROKEN as error:
            self._guard.close()
            rule = "the folder of a server must hold its own list of scans"
            raise DataError(f"{rule}, got {folder / 'scans.sqlite3'}: {error}") from error

    def close(self) -> None:
        """Let another server use the folder."""
        with self._lock:
            self._base.close()
        self._guard.close()

    def folder_of(self, key: str) -> Path:
        """Where what belongs to a scan lies."""
        return self.folder / "scans" / key

    def source_of(self, row: Row) -> Path:
        """The file that a scan is of."""
        return Path(row.path) if row.path is not None else self.folder_of(row.id) / "source"

    def keep_portraits(self, key: str, jpegs: Mapping[int, bytes], brightness: float | None = None) -> None:
        """Keep pictures of people, by `Person.id`, the most suspicious first; of a scan that is not gone.

        And how bright the frames are that they are from, 0 to 255.
        """
        folder = self.folder_of(key)
        if not jpegs or not folder.is_dir():
            return
        (folder / PORTRAITS).mkdir(mode=0o700, exist_ok=True)
        for person, jpeg in jpegs.items():
            _keep(folder / PORTRAITS / f"{person}.jpg", jpeg)
        _keep(folder / PORTRAITS / FIRST, next(iter(jpegs.values())))
        if brightness is not None:
            _keep(folder / PORTRAITS / BRIGHTNESS, f"{brightness:.2f}".encode())

    def brightness(self, key: str) -> float | None:
        """How bright the frames are in which people look most suspicious, 0 to 255; None where unknown."""
        try:
            return float((self.folder_of(key) / PORTRAITS / BRIGHTNESS).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def portraits(self, key: str) -> list[int]:
        """Of whom there is a picture, as `Person.id` in rising order."""
        names = (file.stem for file in (self.folder_of(key) / PORTRAITS).glob("*.jpg"))
        return sorted(int(name) for name in names if name.isdecimal())

    def portrait(self, key: str, person: int | None = None) -> Path:
        """Where the picture of a person lies, by default of the most suspicious; it may be absent."""
        return self.folder_of(key) / PORTRAITS / (FIRST if person is None else f"{person}.jpg")

    def add(self, row: Row) -> None:
        """Remember a scan, and make its folder."""
        self.folder_of(row.id).mkdir(parents=True, mode=0o700)
        marks = ", ".join("?" * 11)
        values = (row.id, row.name, row.path, row.bytes, row.sha256, row.created, row.state)
        with self._writing() as base:
            base.execute(
                f"INSERT INTO scans ({_COLUMNS}) VALUES ({marks})",
                (*values, row.outcome, row.p_fake, row.reason, row.examined),
            )

    def change(self, key: str, **values: Any) -> None:
        """Change columns of a scan; one that is gone stays gone."""
        told = ", ".join(f"{name} = ?" for name in values)
        with self._writing() as base:
            base.execute(f"UPDATE scans SET {told} WHERE id = ?", (*values.values(), key))

    def finish(self, key: str, verdict: Verdict, *, state: str) -> None:
        """Remember a verdict."""
        self.change(
            key,
            state=state,
            outcome=verdict.outcome.value,
            p_fake=verdict.p_fake,
            reason=_storable(verdict.reason),
            verdict=json.dumps(verdict.to_dict(), allow_nan=False),
            **({} if verdict.sha256 is None else {"sha256": verdict.sha256}),
        )

    def get(self, key: str) -> Row | None:
        """One scan, or None."""
        found = self._read(f"SELECT {_COLUMNS} FROM scans WHERE id = ?", (key,))
        return Row(*found[0]) if found else None

    def verdict(self, key: str) -> str | None:
        """The whole verdict as JSON, or None where there is none yet."""
        found = self._read("SELECT verdict FROM scans WHERE id = ?", (key,))
        return found[0][0] if found else None

    def find(
        self, *, search: str = "", outcome: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[Row]:
        """Scans, newest first.

        Args:
            search: A part of the name or the beginning of the SHA-256, in small or capital letters.
            outcome: Only those with this outcome.
            limit: How many at most.
            offset: How many to leave out.
        """
        escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted = "(name LIKE ? ESCAPE '\\' OR sha256 LIKE ? ESCAPE '\\')"
        values: list[Any] = [f"%{escaped}%", f"{escaped}%"]
        if outcome is not None:
            wanted, values = f"{wanted} AND outcome = ?", [*values, outcome]
        order = "ORDER BY created DESC, id DESC LIMIT ? OFFSET ?"
        found = self._read(f"SELECT {_COLUMNS} FROM scans WHERE {wanted} {order}", (*values, limit, offset))
        return [Row(*row) for row in found]

    def older_than(self, seconds: float) -> list[str]:
        """Ids of finished scans from before so many seconds."""
        marks = ", ".join("?" * len(FINISHED))
        query = f"SELECT id FROM scans WHERE created < ? AND state IN ({marks})"
        return [key for (key,) in self._read(query, (time.time() - seconds, *FINISHED))]

    def delete(self, key: str) -> None:
        """Forget a scan, with all that belongs to it."""
        with self._writing() as base:
            base.execute("DELETE FROM scans WHERE id = ?", (key,))
        shutil.rmtree(self.folder_of(key), ignore_errors=True)

    def recover(self) -> None:
        """After a server that ended in the middle: mark what it had not finished, drop what is half there."""
        marks = ", ".join("?" * len(UNFINISHED))
        with self._writing() as base:
            base.execute("DELETE FROM scans WHERE state = 'uploading'")
            base.execute(
                f"UPDATE scans SET state = 'interrupted', reason = 'the server ended before the scan did' "
                f"WHERE state IN ({marks})",
                UNFINISHED,
            )
        known = {key for (key,) in self._read("SELECT id FROM scans", ())}
        scans = self.folder / "scans"
        for orphan in scans.iterdir() if scans.is_dir() else ():
            if orphan.name not in known:
                shutil.rmtree(orphan, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _as_os_error(), self._base:
            yield self._base

    def _read(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        with self._lock, _as_os_error():
            return self._base.execute(query, values).fetchall()


def _keep(file: Path, data: bytes) -> None:
    with whole_file(file) as draft:
        draft.write_bytes(data)


@contextmanager
def _as_os_error() -> Iterator[None]:
    """A list that cannot be read or written is like any other file, such as on a full disk."""
    try:
        yield
    except _BROKEN as error:
        raise OSError(f"the list of scans: {error}") from error


def _storable(text: str) -> str:
    """Text that SQLite takes: bytes of a path that are no UTF-8 become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _only_one(folder: Path) -> IO[str]:
    """A lock on a folder."""
    try:
        return lock_file(folder / "lock")
    except BlockingIOError as error:
        rule = "only one server at a time may use a folder"
        raise DataError(f"{rule}, and another uses {folder}; take another --folder") from error

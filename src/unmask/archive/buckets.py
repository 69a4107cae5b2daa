"""A place in a store of objects, such as ``s3://bucket/run``, through fsspec.

There a file is written as a whole by itself, and nothing can be locked or renamed. A run keeps others out by
an object that it writes anew every few seconds; one that stays as it is was left by a run that was killed.
Clocks are not compared.
"""

from __future__ import annotations

import errno
import json
import secrets
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from unmask.archive.places import Held, Place
from unmask.archive.sources import open_address, store_errors
from unmask.errors import DataError

BEAT_SECONDS = 5.0
LEASE_SECONDS = 30.0
"""How long a lock must stay as it is until its run counts as gone; several beats."""


class Bucket(Place):
    """A place in a store of objects.

    Args:
        address: Such as ``s3://bucket/run``.

    Raises:
        DataError: There is no such protocol.
        MissingExtraError: What the protocol needs is not installed.
    """

    flush_seconds = 10.0

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._files = open_address(self._address, use_listings_cache=False)
        self._root = str(self._files._strip_protocol(self._address)).rstrip("/")

    def __str__(self) -> str:
        return self._address

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Bytes of each object that lies in a folder itself, by its own name."""
        return {name: size for name, size in self._list(folder) if size is not None}

    def holds_more(self, names: Collection[str]) -> bool:
        """Whether anything is there beside files and folders of these names."""
        return any(name not in names for name, _ in self._list(""))

    def has(self, name: str) -> bool:
        """Whether an object is there."""
        with _own_errors():
            return bool(self._files.exists(self._path(name)))

    def read(self, name: str) -> bytes:
        """A whole object."""
        with _own_errors():
            return bytes(self._files.cat_file(self._path(name)))

    def write(self, name: str, data: bytes, *, sync: bool = False) -> None:
        """Write an object, which is there as a whole or not at all."""
        with _own_errors():
            self._files.pipe_file(self._path(name), data)

    def create(self, name: str, data: bytes) -> bool:
        """Write an object that is not there yet, where the store can tell."""
        try:
            with _own_errors():
                self._files.pipe_file(self._path(name), data, mode="create")
        except FileExistsError:
            return False
        return True

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        with _own_errors(), suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def remove_folder(self, name: str) -> None:
        """Remove all objects of a folder, as far as that goes."""
        with suppress(OSError), _own_errors():
            self._files.rm(self._path(name), recursive=True)

    def hold(self, name: str) -> Held:
        """Keep other runs out; a lock that was left behind is taken after half a minute.

        Raises:
            DataError: Another run is working here.
        """
        lease = _Lease(self, name)
        if not lease.begin():
            before, end = self._peek(name), time.monotonic() + LEASE_SECONDS
            while time.monotonic() < end and before is not None:
                time.sleep(min(BEAT_SECONDS / 2, LEASE_SECONDS / 10))
                now = self._peek(name)
                if now is not None and now != before:
                    raise DataError(f"{self}: another run is working in it")
                before = now
            lease.take()
        lease.start()
        return lease

    def _peek(self, name: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return self.read(name)
        return None

    def _list(self, folder: str) -> Iterator[tuple[str, int | None]]:
        path = self._path(folder)
        try:
            with _own_errors():
                found: list[dict[str, Any]] = self._files.ls(path, detail=True)
        except FileNotFoundError:
            return
        for facts in found:
            name = str(facts["name"]).rstrip("/")
            if name != path:
                size = int(facts.get("size") or 0) if facts.get("type") == "file" else None
                yield name.rpartition("/")[2], size

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root


class _Lease(Held):
    """A lock in a store of objects: it is held as long as it changes."""

    def __init__(self, bucket: Bucket, name: str) -> None:
        self._bucket, self._name, self._run = bucket, name, secrets.token_hex(8)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._beats = 0

    def begin(self) -> bool:
        """Whether nobody has it."""
        return self._bucket.create(self._name, self._data())

    def take(self) -> None:
        """Take over what was left behind, unless another run does the same."""
        self._bucket.write(self._name, self._data())
        time.sleep(min(BEAT_SECONDS, LEASE_SECONDS / 4))
        if json.loads(self._bucket.read(self._name))["run"] != self._run:
            raise DataError(f"{self._bucket}: another run is working in it")

    def start(self) -> None:
        """Show from now on that it is held."""
        self._thread.start()

    def close(self) -> None:
        """Let others in."""
        self._over.set()
        self._thread.join()
        with suppress(OSError):
            self._bucket.remove(self._name)

    def _data(self) -> bytes:
        return json.dumps({"run": self._run, "beat": self._beats}).encode()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            self._beats += 1
            with suppress(OSError):  # a store that fails for a while is told of by who writes records
                self._bucket.write(self._name, self._data())


@contextmanager
def _own_errors() -> Iterator[None]:
    """Whatever a store's client raises as what `Place` promises."""
    try:
        yield
    except OSError:
        raise
    except store_errors() as error:
        raise OSError(errno.EIO, str(error)) from error

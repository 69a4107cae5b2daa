"""All files of a folder, a zip or an address: where each lies, and what is known to be wrong with it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from unmask.archive.sources import (
    MAX_MEMBER_BYTES,
    SourceError,
    SourceFile,
    open_address,
    open_plain,
    store_errors,
    words_of,
)
from unmask.errors import DataError

MAX_FILES = 5_000_000
MAX_RATIO = 100
"""How far a zip member of more than a megabyte may unpack; video hardly packs at all."""


def list_entries(root: str | os.PathLike[str], *, keep_broken: bool = False) -> list[SourceFile]:
    """All files of a folder with its subfolders, a zip, or an address, sorted; zips inside are looked into.

    Args:
        root: Folder, zip or address.
        keep_broken: A zip that cannot be read is one file with its problem, and refuses nothing.

    Raises:
        DataError: It is absent, or a zip that is broken, a bomb, or has names that lead out of it.
        MissingExtraError: An address needs a package that is not installed.
    """
    text = os.fspath(root)
    if "://" in text:
        found = _list_address(text)
    else:
        path = Path(text).absolute()
        if path.is_dir():
            found = _list_folder(path)
        elif path.is_file():
            found = [SourceFile(str(path), path.name, path.stat().st_size)]
        else:
            raise DataError(f"{text}: no such file or folder")
    entries: list[SourceFile] = []
    for entry in sorted(found, key=lambda entry: entry.inner):
        if entry.name.lower().endswith(".zip"):
            try:
                entries += _list_zip(entry)
            except SourceError as error:
                if not keep_broken:
                    raise
                entries.append(SourceFile(entry.path, entry.inner, entry.size_bytes, error.problem))
        else:
            entries.append(entry)
        if len(entries) > MAX_FILES:
            raise DataError(f"{text} may hold {MAX_FILES} files, found more")
    return entries


def _list_folder(root: Path) -> list[SourceFile]:
    entries = []
    seen: set[str] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # A link that leads back up.
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _hidden(name))
        inner = PurePosixPath(root.name or "root", *Path(folder).relative_to(root).parts)
        for name in sorted(files):
            if _hidden(name):
                continue
            path = os.path.join(folder, name)  # noqa: PTH118  a Path for each of 119,154 files takes seconds
            try:
                entries.append(SourceFile(path, f"{inner}/{name}", os.stat(path).st_size))  # noqa: PTH116
            except OSError as error:
                entries.append(SourceFile(path, f"{inner}/{name}", 0, words_of(error)))
    return entries


def _list_zip(archive: SourceFile) -> list[SourceFile]:
    stem = archive.inner[: -len(".zip")]
    try:
        with open_plain(archive.path) as file, zipfile.ZipFile(file) as zipped:
            members = [info for info in zipped.infolist() if not info.is_dir()]
    except store_errors(zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise SourceError(archive.path, f"it is no zip file that can be read ({words_of(error)})") from error
    if sum(info.compress_size for info in members) > archive.size_bytes:
        raise SourceError(archive.path, "its members overlap, as in a zip bomb")
    entries = []
    for info in members:
        place = info.filename.replace("\\", "/")  # as some programs for Windows write it
        parts = place.split("/")
        if any((_hidden(part) and part not in (".", "..")) or part == "__MACOSX" for part in parts):
            continue
        _check_member(archive.path, info)
        problem = "it is encrypted" if info.flag_bits & 1 else ""
        path = f"zip://{info.filename}::{archive.path}"
        entries.append(SourceFile(path, f"{stem}/{place}", info.file_size, problem))
    return sorted(entries, key=lambda entry: entry.inner)


def _check_member(archive: str, info: zipfile.ZipInfo) -> None:
    name = info.filename
    member = f"member {name[:200]!r}"
    parts = name.replace("\\", "/").split("/")
    if not name.isprintable() or ":" in name or not all(parts) or {".", ".."} & set(parts):
        raise SourceError(archive, f"{member}: a name must lead to a place inside the zip")
    if name.lower().endswith(".zip"):
        words = "a zip within a zip is not looked into; unpack the outer one into a folder"
        raise SourceError(archive, f"{member}: {words}")
    if info.file_size > MAX_MEMBER_BYTES:
        words = f"may unpack to {MAX_MEMBER_BYTES} bytes, says {info.file_size}"
        raise SourceError(archive, f"{member} {words}")
    if info.file_size > 2**20 and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        words = f"unpacks {info.compress_size} bytes to {info.file_size}"
        raise SourceError(archive, f"{member} {words}; more than {MAX_RATIO} times is a zip bomb")


def _list_address(address: str) -> list[SourceFile]:
    filesystem = open_address(address)
    try:
        found: dict[str, dict[str, Any]] = filesystem.find(address, detail=True)
    except store_errors(ValueError) as error:
        raise DataError(f"{address} cannot be listed ({words_of(error)})") from error
    if not found:
        raise DataError(f"{address}: nothing there")
    root = str(filesystem._strip_protocol(address)).rstrip("/")
    entries = []
    for key, facts in found.items():
        inner = (
            key.lstrip("/") if key == root else f"{root.rpartition('/')[2]}/{key[len(root) :].lstrip('/')}"
        )
        inner = inner.rpartition("/")[2] if key == root else inner
        parts = inner.split("/")
        if {".", ".."} & set(parts):
            raise DataError(f"{address}: object {key!r}: a name must lead to a place inside")
        if facts.get("type") == "file" and not any(_hidden(part) for part in parts[1:]):
            size = int(facts.get("size") or 0)
            entries.append(SourceFile(str(filesystem.unstrip_protocol(key)), inner, size))
    return entries


def _hidden(name: str) -> bool:
    return name.startswith(".")

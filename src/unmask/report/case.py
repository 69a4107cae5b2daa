"""What a case file holds: who asked what of which exhibit, and the hashes of all that took part."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import unmask
from unmask.config import ScanSettings
from unmask.errors import DataError, require
from unmask.files import fingerprint, read_toml
from unmask.tables import build_settings

MAX_LETTERS = 4000


@dataclass(frozen=True, slots=True)
class CaseDetails:
    """What a person says of a case; everything may be left out.

    Attributes:
        examiner: Who examines.
        exhibit: What the recording is called in the case, and where it comes from.
        request: What was asked.
        reviewer: Who read the report and agreed, or did not.
        notes: Anything else.
        original: Path of the file as it was received, where a copy is examined; it is only hashed.
    """

    examiner: str = ""
    exhibit: str = ""
    request: str = ""
    reviewer: str = ""
    notes: str = ""
    original: str = ""

    def __post_init__(self) -> None:
        for name, text in asdict(self).items():
            ok = isinstance(text, str) and len(text) <= MAX_LETTERS
            require(ok, f"{name} must be a text of at most {MAX_LETTERS} letters", repr(text)[:80])


TOLD = ("examiner", "exhibit", "request", "reviewer", "notes")
"""Fields that are shown."""


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file that took part.

    Attributes:
        name: Without its folders.
        size_bytes: Of the file.
        sha256: Of its bytes.
    """

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Case:
    """A case as a report tells of it.

    Attributes:
        details: What a person said.
        working_copy: The file that was examined.
        original: As it was received; None where nobody named one.
        tool_sha256: Of all files of this program.
        settings_sha256: Of the settings of the scan.
    """

    details: CaseDetails
    working_copy: HashedFile
    original: HashedFile | None
    tool_sha256: str
    settings_sha256: str


def read_details(file: Path) -> CaseDetails:
    """What a TOML file says of a case, such as ``examiner = "..."``; a relative path counts from the file.

    Raises:
        SettingsError: It cannot be read, or holds something else.
    """
    return build_settings(CaseDetails, read_toml(file), where=str(file))


def open_case(details: CaseDetails, source: Path, settings: ScanSettings, *, folder: Path) -> Case:
    """Hash all that takes part.

    Args:
        details: What a person said.
        source: The file that is examined.
        settings: Of the scan.
        folder: From where a relative path of the original counts.

    Raises:
        DataError: The original cannot be read.
        MediaError: The source is no regular file.
        OSError: It cannot be read.
    """
    original = None
    if details.original:
        path = folder / details.original
        try:
            original = _hashed(path)
        except (OSError, ValueError) as error:
            raise DataError(f"original: {path} cannot be read ({error})") from error
    return Case(details, _hashed(source), original, tool_sha256(), settings_sha256(settings))


def _hashed(path: Path) -> HashedFile:
    return HashedFile(path.name, path.stat().st_size, fingerprint(path))


def settings_sha256(settings: ScanSettings) -> str:
    """Of the settings as JSON with sorted keys; every setting counts, the usual ones too."""
    text = json.dumps(asdict(settings), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def tool_sha256() -> str:
    """Of this program: of every file of the package with its place, weights among them, in sorted order."""
    root = Path(unmask.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(f"{file.relative_to(root).as_posix()} {fingerprint(file)}\n".encode())
    return digest.hexdigest()

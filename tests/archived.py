"""A small archive to scan: clips of which two are the same, and what goes wrong in life."""

from __future__ import annotations

import shutil
from pathlib import Path

from footage import contents, write_footage
from tiny_model import write_tiny_model
from unmask.archive.bringing import Bringer
from unmask.archive.judging import load_judge
from unmask.archive.opening import ArchiveSettings, open_store
from unmask.archive.record import digest_settings
from unmask.archive.scanning import scan_files
from unmask.config import ScanSettings

NAMES = (
    "amy.mp4", "amy_1.mp4", "amy_2.mp4", "amy_again.mp4", "ben.mp4", "ben_late.mp4", "broken.mp4",
    "empty.mp4", "nobody.mp4", "orphan_1.mp4", "orphan_2.mp4",
)  # fmt: skip


def write_archive(folder: Path) -> Path:
    """Eleven files in ``archive``, and weights in ``model``."""
    archive = write_footage(folder / "archive")
    shutil.copy(archive / "amy.mp4", archive / "amy_again.mp4")
    (archive / "empty.mp4").touch()
    write_tiny_model(folder / "model")
    return archive


def settings_for(folder: Path, **changes) -> ArchiveSettings:
    """With the weights that lie there, and four records in a file."""
    scan = ScanSettings(model=str(folder / "model" / "tiny.json"))
    return ArchiveSettings(**({"scan": scan, "files_per_shard": 4} | changes))


def judge_for(settings: ArchiveSettings):
    """What a worker loads."""
    return load_judge(settings.scan, digest_settings(settings.scan))


class Here:
    """In place of the process that judges for whoever brings: the same in this one."""

    def __init__(self, judge):
        self.do = judge


def bringing(judge, **more) -> Bringer:
    """A judge for what lies in a store."""
    return Bringer(Here(judge), **more)


def scanned(sources, output, settings, crew, **more):
    """Scan, and give the files that the machine failed on, by name."""
    with open_store([str(source) for source in sources], str(output), settings, **more) as store:
        pending = scan_files(store, crew)
        return {store.plan.files[number].inner: str(reason) for number, reason in pending.items()}


def lasting(output: Path) -> dict[str, bytes]:
    """All that must be the same in the end: no times, and not where the files lay."""
    places = ("scan.json", "files.parquet")
    found = contents(output).items()
    return {name: data for name, data in found if not name.startswith("timings/") and name not in places}


def remembered(judge):
    """The same answers, so that the networks need not run in every test."""
    known = {}

    def do(task, tell):
        key = task.file.path, task.hash_only
        if key not in known:
            known[key] = judge(task, tell)
        return known[key]

    return do

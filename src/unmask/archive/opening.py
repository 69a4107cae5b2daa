"""Opens the output of a scan. The list of files is made once and kept there: all runs have the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

from unmask.archive.bringing import load_bringer
from unmask.archive.engines import CrewSettings, gather_crew
from unmask.archive.judging import load_judge, one_thread
from unmask.archive.listing import list_files
from unmask.archive.places import Folder, Place
from unmask.archive.plan import FILES_PER_SHARD, PLAN_NAME, Plan, make_plan, plan_bytes, plan_of
from unmask.archive.record import digest_settings
from unmask.archive.records import RecordStore, scan_header
from unmask.archive.shares import WHOLE, Share
from unmask.archive.sources import MAX_MEMBER_BYTES, SourceFile, lies_in_store
from unmask.archive.store import claim, is_claimed
from unmask.config import ScanSettings
from unmask.errors import require
from unmask.judge.card import card_path, read_card
from unmask.judge.limits import limits_for
from unmask.work.pool import Crew

GRACE_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """How an archive is scanned.

    Attributes:
        scan: Of every file; one thread decodes.
        files_per_shard: How many records share a file.
        copy_limit_bytes: Largest object that is copied to be read.
    """

    scan: ScanSettings = field(default_factory=ScanSettings)
    files_per_shard: int = FILES_PER_SHARD
    copy_limit_bytes: int = MAX_MEMBER_BYTES

    def __post_init__(self) -> None:
        ok = 1 <= self.files_per_shard <= 1_000_000
        require(ok, "files_per_shard must be 1 to 1000000", self.files_per_shard)
        require(self.copy_limit_bytes >= 1, "copy_limit_bytes must be 1 or more", self.copy_limit_bytes)
        object.__setattr__(self, "scan", one_thread(self.scan))


def open_place(output: str) -> Place:
    """A folder, or a place in a store of objects by its address."""
    if "://" in output:
        from unmask.archive.buckets import Bucket

        return Bucket(output)
    return Folder(Path(output))


def list_plan(sources: Sequence[str], settings: ArchiveSettings) -> Plan:
    """The plan of a scan that keeps nothing; raises as `list_files`."""
    return make_plan(list_files(sources), per_shard=settings.files_per_shard)


def open_store(
    sources: Sequence[str],
    output: str,
    settings: ArchiveSettings,
    *,
    share: Share = WHOLE,
    files: Sequence[SourceFile] | None = None,
) -> RecordStore:
    """The output of a scan, to be entered.

    Args:
        sources: See `list_files`. They are listed by the first run; later ones find the list in the output.
        output: A folder or an address.
        settings: Of the scan.
        share: Which shards this run does.
        files: What the first run scans instead of all files of the sources.

    Raises:
        DataError: The output holds something else, or there is nothing to scan.
        ModelError: A model's card cannot be read.
        MissingExtraError: pyarrow, or what an address needs, is not installed.
    """
    place = open_place(output)
    model = read_card(card_path(settings.scan.model)).model_name
    told = {
        "settings_sha256": digest_settings(settings.scan),
        "files_per_shard": settings.files_per_shard,
        "model": asdict(model),
        "settings": asdict(settings.scan),
    }
    header = scan_header(sources, told)
    with place.errors():
        if not (is_claimed(place, header) and place.has(PLAN_NAME)):
            # Kept as bytes alone: of a long list there is never more than one in memory.
            data = _new_plan(sources, settings, files)
            claim(place, header)
            place.create(PLAN_NAME, data)
        plan = plan_of(place.read(PLAN_NAME), per_shard=settings.files_per_shard, where=str(place))
    return RecordStore(place, header, plan, model=model, share=share, flush_seconds=place.flush_seconds)


def _new_plan(sources: Sequence[str], settings: ArchiveSettings, files: Sequence[SourceFile] | None) -> bytes:
    found = list_files(sources) if files is None else files
    return plan_bytes(make_plan(found, per_shard=settings.files_per_shard))


def judging_crew(settings: ArchiveSettings, crew: CrewSettings, *, files: Iterable[SourceFile]) -> Crew:
    """Workers that judge files, each within the limits of ``crew``.

    A worker that is closed in reaches no store, and an engine such as Ray does not limit what it starts.
    There each worker only brings what is judged by a process of its own, which has the limits.

    Args:
        settings: Of the scan.
        crew: Where workers run, and their limits.
        files: What they are to judge.

    Raises:
        MissingExtraError: The engine's package is not installed.
        SettingsError: Workers must be closed in, and the system cannot do that.
    """
    digest, limit = digest_settings(settings.scan), settings.copy_limit_bytes
    load = partial(load_judge, settings.scan, digest, copy_limit_bytes=limit)
    limits = limits_for(settings.scan, crew.limits)
    if crew.engine == "local" and not any(lies_in_store(file.path) for file in files):
        return gather_crew(load, replace(crew, limits=limits))
    bring = partial(load_bringer, load, crew.limit_seconds, limits, limit)
    # A little longer, so that it is the one that judges whose time is up.
    seconds = crew.limit_seconds + GRACE_SECONDS
    return gather_crew(bring, replace(crew, limit_seconds=seconds, delegates=True))

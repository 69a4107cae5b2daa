"""What is wrong with a data set: fakes that are none, duplicates, people on two sides, labels given away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from unmask.config import BatchSettings
from unmask.errors import require
from unmask.faces.embed import FaceEmbedder
from unmask.lab.datasets.audit_file import Audit, links_of
from unmask.lab.datasets.compare import Family, FamilyLook, load_looker
from unmask.lab.datasets.fingerprint import BITS, near_pairs
from unmask.lab.datasets.groups import group_by_person
from unmask.lab.datasets.leaks import find_leak
from unmask.lab.datasets.probe import ProbeSettings, probe_paths
from unmask.lab.datasets.video_index import clip_of, usable
from unmask.work.each import Failure, run_each

if TYPE_CHECKING:
    from pandas import DataFrame

_LIMIT_SECONDS = 1800.0
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """How closely a data set is looked at.

    Attributes:
        frames: Sampled from each clip.
        changed_px: A fake whose face changed in no more pixels than this, in every frame, counts as
            unchanged; 32 is what winners of the DFDC used.
        near_bits: Clips whose fingerprints differ in no more of their 256 bits are near duplicates.
        families: Originals that are decoded, with their fakes; None takes all. Chosen by hash.
        jobs: Processes.
    """

    frames: int = 8
    changed_px: int = 32
    near_bits: int = 20
    families: int | None = None
    jobs: int = 1

    def __post_init__(self) -> None:
        require(self.frames >= 1, "frames must be 1 or more", self.frames)
        require(self.changed_px >= 0, "changed_px must be 0 or more", self.changed_px)
        require(0 <= self.near_bits <= BITS, f"near_bits must be 0 to {BITS}", self.near_bits)
        require(self.families is None or self.families >= 0, "families must be 0 or more", self.families)
        require(self.jobs >= 1, "jobs must be 1 or more", self.jobs)


def audit_index(
    frame: DataFrame,
    settings: AuditSettings | None = None,
    *,
    embedder: Callable[[], FaceEmbedder] | None = None,
    on_done: Progress | None = None,
) -> Audit:
    """Look for what is wrong with a data set.

    Args:
        frame: Its index.
        settings: How closely.
        embedder: Makes a face embedder; with several jobs it must be picklable. None clusters originals.
        on_done: Told how many of how many families were looked at.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    settings = settings or AuditSettings()
    audit = Audit(videos=len(frame))
    rows = usable(frame)
    audit.leak = find_leak(frame)
    audit.status = _statuses(frame)
    audit.exact_duplicates = _same_bytes(rows, jobs=settings.jobs)
    looks = _look_at_all(rows, audit, settings, embedder=embedder, on_done=on_done)
    _judge_fakes(audit, settings)
    audit.near_duplicates = _near(looks, settings.near_bits)
    if embedder is not None:
        made = embedder()
        audit.people_by = type(made).__name__
        audit.same_people = _same_people(looks, made.same_cosine)
    _check_sides(rows, audit)
    _exclude(rows, audit)
    return audit


def _statuses(frame: DataFrame) -> dict[str, dict[str, str]]:
    statuses: dict[str, dict[str, str]] = {}
    wrong = frame[frame["status"] != "ok"]
    for name, status, why in zip(wrong.index, wrong["status"], wrong["why"].fillna(""), strict=True):
        statuses.setdefault(str(status), {})[str(name)] = str(why)
    return statuses


def _same_bytes(rows: DataFrame, *, jobs: int) -> list[list[str]]:
    """Names of files with equal hashes; where the index has none, files of equal size are hashed."""
    hashes = dict(zip(rows.index, rows["sha256"], strict=True))
    twins = rows[rows["size_bytes"].duplicated(keep=False) & rows["sha256"].isna()]
    todo = dict(enumerate(twins["path"]))
    found = probe_paths(todo, ProbeSettings(container=False, sha256=True, jobs=jobs))
    hashes |= {twins.index[number]: facts.get("sha256") for number, facts in found.items()}
    names: dict[str, list[str]] = {}
    for name, digest in hashes.items():
        if isinstance(digest, str):
            names.setdefault(digest, []).append(str(name))
    return sorted(sorted(some) for some in names.values() if len(some) > 1)


def _look_at_all(
    rows: DataFrame,
    audit: Audit,
    settings: AuditSettings,
    *,
    embedder: Callable[[], FaceEmbedder] | None,
    on_done: Progress | None,
) -> list[FamilyLook]:
    families = _families(rows)
    chosen = families[: settings.families]
    audit.families = len(chosen), len(families)
    looks = []
    load = partial(load_looker, settings.frames, embedder)
    batch = BatchSettings(jobs=settings.jobs, time_limit_seconds=_LIMIT_SECONDS)
    for place, look in run_each(chosen, load, batch, at_home=True):
        if isinstance(look, Failure):
            family = chosen[place]
            audit.not_compared |= {name: str(look.reason) for name, _ in family.fakes}
            looks.append(FamilyLook(family.clip))
        else:
            looks.append(look)
            audit.comparisons += look.comparisons
            audit.not_compared |= look.not_compared
        if on_done is not None:
            on_done(len(looks), len(chosen))
    audit.comparisons.sort(key=lambda comparison: comparison.name)
    return sorted(looks, key=lambda look: look.clip)


def _families(rows: DataFrame) -> list[Family]:
    """Each clip with its fakes, in the order of a hash, so that the first few are a fair sample."""
    from pandas.util import hash_array

    families: dict[str, tuple[list[str], list[tuple[str, str]]]] = {}
    for name, path, clip in zip(rows.index, rows["path"], clip_of(rows), strict=True):
        originals, fakes = families.setdefault(str(clip), ([], []))
        if name == clip:
            originals.append(str(path))
        else:
            fakes.append((str(name), str(path)))
    clips = sorted(families)
    order = (
        np.argsort(hash_array(np.array(clips, dtype=object)), kind="stable") if clips else np.zeros(0, int)
    )
    return [
        Family(clip, next(iter(families[clip][0]), None), tuple(sorted(families[clip][1])))
        for clip in (clips[number] for number in order)
    ]


def _judge_fakes(audit: Audit, settings: AuditSettings) -> None:
    for comparison in audit.comparisons:
        if comparison.changed_face_px <= settings.changed_px:
            audit.unchanged_fakes.append(comparison.name)
            if comparison.sound_differs:
                audit.audio_only_fakes.append(comparison.name)


def _near(looks: list[FamilyLook], max_bits: int) -> list[tuple[str, str, int]]:
    seen = [(look.clip, look.print) for look in looks if look.print is not None]
    if not seen:
        return []
    pairs = near_pairs(np.stack([bits for _, bits in seen]), max_bits=max_bits)
    return [(seen[first][0], seen[second][0], bits) for first, second, bits in pairs]


def _same_people(looks: list[FamilyLook], same_cosine: float) -> list[tuple[str, str]]:
    seen = [(look.clip, look.embedding) for look in looks if look.embedding is not None]
    if not seen:
        return []
    vectors = np.stack([vector for _, vector in seen])
    pairs = []
    for start in range(0, len(vectors), 1024):
        rows, columns = np.nonzero(vectors[start : start + 1024] @ vectors.T >= same_cosine)
        pairs += [(start + int(r), int(c)) for r, c in zip(rows, columns, strict=True) if start + r < c]
    return [(seen[first][0], seen[second][0]) for first, second in pairs]


def _check_sides(rows: DataFrame, audit: Audit) -> None:
    groups = group_by_person(rows, links_of(audit))
    audit.people = len(set(groups))
    sides: dict[str, dict[str, list[str]]] = {}
    for group, clip, side in zip(groups, clip_of(rows), rows["split"], strict=True):
        if isinstance(side, str):
            clips = sides.setdefault(group, {}).setdefault(side, [])
            if clip not in clips:
                clips.append(str(clip))
    audit.people_on_two_sides = [by_side for by_side in sides.values() if len(by_side) > 1]


def _exclude(rows: DataFrame, audit: Audit) -> None:
    labels = dict(zip(rows.index, rows["label"], strict=True))
    for names in audit.exact_duplicates:
        if len({str(labels[name]) for name in names}) > 1:
            audit.exclude |= dict.fromkeys(names, "the same bytes are labelled both real and fake")
        else:
            audit.exclude |= dict.fromkeys(names[1:], f"the same bytes as {names[0]}")
    audit.exclude |= dict.fromkeys(audit.unchanged_fakes, "the face did not change")
    audit.exclude |= dict.fromkeys(audit.audio_only_fakes, "only the sound changed")

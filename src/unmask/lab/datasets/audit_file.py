"""What an audit found, as it is stored, and an index without what training should leave out."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.errors import DataError, system_words
from unmask.files import write_whole
from unmask.lab.datasets.compare import Comparison
from unmask.lab.datasets.leaks import Leak
from unmask.lab.datasets.metadata import parse_json

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(slots=True)
class Audit:
    """What was found, as it is stored.

    Attributes:
        videos: Rows of the index.
        families: Clips that were decoded with their fakes, and how many there are.
        comparisons: Fakes that were held against their originals.
        not_compared: Others, and why.
        unchanged_fakes: Fakes whose face did not change.
        audio_only_fakes: Those of them whose sound did.
        exact_duplicates: Names of files with the same bytes.
        near_duplicates: Two clips that look the same, and how many bits of 256 tell them apart.
        people_by: What tells people apart: an embedder, or the originals.
        same_people: Pairs of clips of one person, by embeddings.
        people: How many clusters of people there are.
        people_on_two_sides: For each cluster on several sides of the index's split, its clips by side.
        leak: How well container fields alone tell the label.
        status: Videos of the index by what is wrong with them.
        exclude: Which videos training should leave out, and why.
    """

    videos: int = 0
    families: tuple[int, int] = (0, 0)
    comparisons: list[Comparison] = field(default_factory=list)
    not_compared: dict[str, str] = field(default_factory=dict)
    unchanged_fakes: list[str] = field(default_factory=list)
    audio_only_fakes: list[str] = field(default_factory=list)
    exact_duplicates: list[list[str]] = field(default_factory=list)
    near_duplicates: list[tuple[str, str, int]] = field(default_factory=list)
    people_by: str = "originals"
    same_people: list[tuple[str, str]] = field(default_factory=list)
    people: int = 0
    people_on_two_sides: list[dict[str, list[str]]] = field(default_factory=list)
    leak: Leak | None = None
    status: dict[str, dict[str, str]] = field(default_factory=dict)
    exclude: dict[str, str] = field(default_factory=dict)


def write_audit(audit: Audit, path: str | Path) -> None:
    """Store as JSON, whole or not at all.

    Raises:
        DataError: It cannot be written.
    """
    text = json.dumps(asdict(audit), indent=1, allow_nan=False)
    try:
        write_whole(path, text + "\n")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {system_words(error)}") from error


def read_audit(path: str | os.PathLike[str]) -> Audit:
    """Read what `write_audit` stored.

    Raises:
        DataError: It is absent or no audit.
    """
    file = Path(path)
    try:
        stored = parse_json(file.read_bytes(), where=str(file))
        stored["comparisons"] = [Comparison(**comparison) for comparison in stored["comparisons"]]
        stored["leak"] = None if stored["leak"] is None else Leak(**stored["leak"])
        stored["near_duplicates"] = [(str(a), str(b), int(bits)) for a, b, bits in stored["near_duplicates"]]
        stored["same_people"] = [(str(a), str(b)) for a, b in stored["same_people"]]
        stored["families"] = (int(stored["families"][0]), int(stored["families"][1]))
        return Audit(**stored)
    except OSError as error:
        raise DataError(
            f"{file}: {error.strerror}; make it with: unmask data audit INDEX -o {file}"
        ) from error
    except (TypeError, KeyError, ValueError, AttributeError, IndexError) as error:
        raise DataError(f"{file} is no audit: {error}") from error


def read_links(path: str | os.PathLike[str]) -> list[list[str]]:
    """Clips that an audit found to belong together: near duplicates, and one person by embeddings.

    Raises:
        DataError: As `read_audit`.
    """
    return links_of(read_audit(path))


def exclude(frame: DataFrame, audit: Audit) -> DataFrame:
    """A copy of the index in which videos have the status ``excluded`` and, in ``why``, the reason.

    Whatever reads an index uses only rows with status ``ok``.
    """
    cleaned = frame.copy()
    for name, why in audit.exclude.items():
        cleaned.loc[(cleaned.index == name) & (cleaned["status"] == "ok"), ["status", "why"]] = (
            "excluded",
            why,
        )
    return cleaned


def links_of(audit: Audit) -> list[list[str]]:
    """Clips that belong together: near duplicates, and one person by embeddings."""
    return [[a, b] for a, b, _ in audit.near_duplicates] + [[a, b] for a, b in audit.same_people]

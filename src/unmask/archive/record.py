"""What is kept of each file of an archive: a line of JSON and a row of a table, whatever came of it.

A record says what a verdict says, without the evidence frame by frame. It holds nothing that was measured
with a clock, so that the same file, weights and settings give the same bytes; times lie apart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from unmask.config import ScanSettings
from unmask.errors import DataError
from unmask.judge.card import card_path, read_card
from unmask.judge.stored import describe_kinds
from unmask.judge.strict import adapter
from unmask.quantities import Flag, Number, Seconds, Sha256, Share, Whole
from unmask.reasons import Reason
from unmask.verdicts import ModelName, Outcome, Segment, Verdict
from unmask.version import __version__

if TYPE_CHECKING:
    pass

RECORD_SCHEMA = "1.0"
"""Of a stored record; the numbers grow as those of `unmask.quantities.SCHEMA`."""


@dataclass(frozen=True, slots=True)
class SeenPerson:
    """One person of a file; faces that were not taken for a person are listed too.

    Attributes:
        id: Number of the person in the file, from 0.
        p_fake: Calibrated probability from all of the person's frames, or None.
        kept: Whether the face counts as a person.
        frames: How many sampled frames show it.
        start_seconds: When it is first seen.
        end_seconds: When it is last seen.
        dropped: Why it does not count, or None.
    """

    id: Whole
    p_fake: Share | None
    kept: Flag
    frames: Whole
    start_seconds: Seconds
    end_seconds: Seconds
    dropped: Reason | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What unmask says about one file of an archive; fields that a `Verdict` has mean the same.

    Attributes:
        schema: Version of the form, see `RECORD_SCHEMA`.
        name: Of the file, as the plan has it: its place within the source.
        size_bytes: Of the file.
        sha256: Of the file's bytes; None when it could not be read at all.
        duplicate_of: Name of the file with the same bytes that was judged in its place, or None.
        outcome: One of six; only three of them carry a number.
        p_fake: Calibrated probability that a face in it was manipulated, or None.
        log_odds: Ranks files, also those that share a bound of ``p_fake``.
        reason_code: What decides, as a code.
        reason: Why, as one sentence in English.
        reasons: What ``reason`` says, as data.
        damaged: The file showed damage; what could be decoded was judged.
        partial: It was not looked at to its end.
        start_seconds: Container time at which looking began.
        end_seconds: Container time up to which the file was looked at.
        shots: How many shots it has.
        people: Everyone found.
        segments: When somebody is not clearly real, most suspicious first.
        model: The weights that judged.
        settings: SHA-256 of all settings and weights that the verdict depends on, see `digest_settings`.
        unmask: Version of the package.
    """

    schema: str = field(default=RECORD_SCHEMA, init=False)
    name: str
    size_bytes: Whole
    sha256: Sha256 | None
    duplicate_of: str | None
    outcome: Outcome
    p_fake: Share | None
    log_odds: Number | None
    reason_code: str
    reason: str
    reasons: tuple[Reason, ...]
    damaged: Flag
    partial: Flag
    start_seconds: Seconds
    end_seconds: Seconds
    shots: Whole
    people: tuple[SeenPerson, ...]
    segments: tuple[Segment, ...]
    model: ModelName
    settings: Sha256
    unmask: str

    def __post_init__(self) -> None:
        if self.outcome.has_number != (self.p_fake is not None):
            raise ValueError(f"outcome {self.outcome} and p_fake {self.p_fake} do not go together")

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON types, keys in a fixed order."""
        return asdict(self, dict_factory=_plain)


def record_of(verdict: Verdict, name: str, *, size_bytes: int, settings: str) -> Record:
    """What is kept of a verdict.

    Args:
        verdict: On the file.
        name: Of the file in the plan.
        size_bytes: Of the file.
        settings: From `digest_settings`.
    """
    people = []
    for person in verdict.people:
        times = [frame.time_seconds for frame in person.frames] or [0.0]
        seen = (len(person.frames), times[0], times[-1])
        people.append(SeenPerson(person.id, person.p_fake, person.kept, *seen, person.dropped))
    return Record(
        name=name,
        size_bytes=size_bytes,
        sha256=verdict.sha256,
        duplicate_of=None,
        outcome=verdict.outcome,
        p_fake=verdict.p_fake,
        log_odds=verdict.log_odds,
        reason_code=verdict.reasons[0].code if verdict.reasons else "",
        reason=verdict.reason,
        reasons=verdict.reasons,
        damaged=verdict.damaged,
        partial=verdict.partial,
        start_seconds=verdict.start_seconds,
        end_seconds=verdict.end_seconds,
        shots=len(verdict.shots),
        people=tuple(people),
        segments=verdict.segments,
        model=verdict.model,
        settings=settings,
        unmask=verdict.unmask,
    )


def digest_settings(settings: ScanSettings) -> str:
    """SHA-256 of all that a verdict depends on besides the file: settings, weights, version of unmask.

    Where a model's card lies does not matter, what it says does.

    Raises:
        ModelError: A card cannot be read.
    """
    cards = [asdict(read_card(card_path(model))) for model in (settings.model, *settings.beside)]
    plain = asdict(replace(settings, model=None, beside=()))
    told = json.dumps([__version__, plain, cards], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()


def read_record(line: str | bytes) -> Record:
    """A record from a line of JSON.

    Raises:
        DataError: It is none.
    """
    from pydantic import ValidationError

    try:
        record: Record = adapter(Record).validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise DataError(f"not a record: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return record


def record_schema() -> dict[str, Any]:
    """The JSON Schema of a stored record, made from the types."""
    return describe_kinds(Record, "Record", Record, SeenPerson)


def _plain(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value.value if isinstance(value, Outcome) else value for key, value in pairs}

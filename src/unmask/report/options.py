"""What a report shows and how."""

from __future__ import annotations

from dataclasses import dataclass, field

from unmask.config import LimitSettings, ScanSettings
from unmask.errors import check_time_limit, require
from unmask.reasons import LANGUAGES
from unmask.report.case import Case
from unmask.report.ledger import utc_now

REPORT_SUFFIXES = (".html", ".json", ".pdf")
"""Endings of a file that a report can be written to."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How a report is made.

    Attributes:
        language: One of `LANGUAGES`.
        settings: Of the scan: the model's card explains the score, its weights make the heat map.
        command: What repeats the scan, as typed; shown as it is.
        heat_map: Whether it is tried out where on a face the score comes from; takes some seconds a person.
        preview_mb: Largest video that is put into the page; beyond it the page refers to the file.
        media_url: Where a server has the file; then no video is put into the page.
        script_url: Where a server has `SCRIPT`, for a policy that allows no script within pages.
        time_limit_seconds: Wall time for reading the file again, counted from one part of it to the next.
        limits: Of the child process that reads it.
        trust_list: Path of certificates (PEM) of those whose content credentials count; empty takes the list
            that ships.
        case: The case that the report belongs to, or None.
        made_at: When the report is made, as `utc_now` gives it.
        name_only: What the verdict has as path is a name, as of an upload; the report then calls it so.
    """

    language: str = "en"
    settings: ScanSettings = field(default_factory=ScanSettings)
    command: str = ""
    heat_map: bool = True
    preview_mb: float = 8.0
    media_url: str = ""
    script_url: str = ""
    time_limit_seconds: float = 600.0
    limits: LimitSettings = field(default_factory=LimitSettings)
    name_only: bool = False
    trust_list: str = ""
    case: Case | None = None
    made_at: str = field(default_factory=utc_now, compare=False)

    @property
    def closer(self) -> bool:
        """Whether it is of a stretch that was examined, and so shown larger and with more heat maps."""
        return self.settings.judge.chosen_among > 0

    def __post_init__(self) -> None:
        require(self.language in LANGUAGES, f"language must be one of {', '.join(LANGUAGES)}", self.language)
        require(0 <= self.preview_mb <= 1000, "preview_mb must be 0 to 1000", self.preview_mb)
        check_time_limit(self.time_limit_seconds)

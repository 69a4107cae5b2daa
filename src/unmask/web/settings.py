"""What a server may do, how much of it, and for whom."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from unmask.config import LimitSettings, ScanSettings
from unmask.errors import check_time_limit, require

MIN_TOKEN_LENGTH = 16
MEGABYTE = 1_000_000


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches that address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class UploadSettings:
    """How a body is taken in.

    Attributes:
        max_mb: Largest upload, in millions of bytes.
        idle_seconds: A body of which nothing came for so long is dropped.
        min_bytes_per_second: One that is slower than this is dropped, once ``grace_seconds`` are over.
        grace_seconds: For so long any speed will do.
        total_seconds: One that is not there whole by then is dropped. The slowest line that is taken brings
            118 MB in the default hour.
    """

    max_mb: int = 2048
    idle_seconds: float = 15.0
    min_bytes_per_second: int = 32_768
    grace_seconds: float = 60.0
    total_seconds: float = 3600.0

    def __post_init__(self) -> None:
        require(1 <= self.max_mb <= 1 << 20, "max_upload_mb must be 1 to 1048576", self.max_mb)
        require(self.idle_seconds > 0, "idle_seconds must be above 0", self.idle_seconds)
        require(self.grace_seconds >= 0, "grace_seconds must be 0 or more", self.grace_seconds)
        require(self.total_seconds > 0, "total_seconds must be above 0", self.total_seconds)
        ok = self.min_bytes_per_second >= 0
        require(ok, "min_bytes_per_second must be 0 or more", self.min_bytes_per_second)

    @property
    def max_bytes(self) -> int:
        """Largest upload."""
        return self.max_mb * MEGABYTE


@dataclass(frozen=True, slots=True)
class WorkSettings:
    """How scans are done.

    Attributes:
        jobs: Worker processes, each with one thread for its networks; they hold their networks all the time.
        queue: How many scans may wait, uploads that still come in among them.
        time_limit_seconds: A worker that tells nothing new for so long is killed.
        limits: Of each worker process.
    """

    jobs: int = 1
    queue: int = 20
    time_limit_seconds: float = 600.0
    limits: LimitSettings = field(default_factory=LimitSettings)

    def __post_init__(self) -> None:
        require(1 <= self.jobs <= 256, "jobs must be 1 to 256", self.jobs)
        require(1 <= self.queue <= 100_000, "queue must be 1 to 100000", self.queue)
        check_time_limit(self.time_limit_seconds)


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Everything a server can be told.

    Attributes:
        folder: Where uploads, reports and the list of scans lie.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        token: What a client must know; needed where others than this machine reach the address.
        hosts: Names by which browsers may call this server, besides addresses in digits and ``localhost``.
        retention_hours: Scans that are older are deleted, with upload and report.
        scan: As for one file.
        upload: Limits of uploads.
        work: Worker processes.
        trust_list: Of reports, as `unmask.report.ReportOptions` has it.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()
    retention_hours: float = 24.0
    scan: ScanSettings = field(default_factory=ScanSettings)
    upload: UploadSettings = field(default_factory=UploadSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    trust_list: str = ""

    def __post_init__(self) -> None:
        require(0 <= self.port <= 65535, "port must be 0 to 65535", self.port)
        require(self.retention_hours > 0, "retention_hours must be above 0", self.retention_hours)
        if self.token is not None:
            rule = f"token must be {MIN_TOKEN_LENGTH} or more printable ASCII characters without spaces"
            plain = self.token.isascii() and self.token.isprintable() and " " not in self.token
            require(plain and len(self.token) >= MIN_TOKEN_LENGTH, rule, f"{len(self.token)} characters")
        rule = "a token (--token or UNMASK_TOKEN) must be given where other machines reach the server"
        require(self.local or self.token is not None, rule, f"host {self.host} without one")

    @property
    def local(self) -> bool:
        """Whether nobody but this machine reaches the server."""
        return is_loopback(self.host)

"""The error tree.

```
UnmaskError
├── MediaError (ValueError)        a file that cannot be decoded, or may not be
│   └── DamagedError               decoding broke off; what came before is lost or suspect
├── SettingsError (ValueError)     a setting, recipe or card that breaks a rule
├── ModelError (ValueError)        weights that do not fit their card
├── DataError (ValueError)         an index, shard or checkpoint that breaks a rule
└── MissingExtraError (ImportError) an optional package is not installed
```

Every message says the rule, the value and, where there is one, the way out.
"""

from __future__ import annotations

import errno

from unmask.reasons import Reason, because

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What the system says where a disk is full, a quota used up, or a file may not grow further."""
_OF_MACHINE = NO_ROOM | {
    errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS, errno.ENODEV, errno.ENXIO, errno.ESTALE,
    errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH,
    errno.ENOTCONN, errno.ECONNRESET, errno.ECONNABORTED,
}  # fmt: skip
"""What the system says when a disk, a network or this process itself is in trouble, whatever the file."""


class UnmaskError(Exception):
    """Base of all errors that unmask raises on purpose."""


class MediaError(UnmaskError, ValueError):
    """A file cannot be read as video or image, or breaks a safety limit.

    Args:
        reason: Why, as data; ``str()`` of the error tells it in English.
        file: What messages call the file; empty where it has no name.

    >>> str(MediaError(because("empty"), "a.mp4"))
    'a.mp4: the file is empty'
    """

    def __init__(self, reason: Reason, file: str = "") -> None:
        super().__init__(reason, file)  # all of them, or it could not go from one process to another
        self.reason = reason
        self.file = file

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}" if self.file else str(self.reason)

    @property
    def of_machine(self) -> bool:
        """Whether the machine failed to read it, which says nothing of the file."""
        return self.reason.holds("machine_failed")


class DamagedError(MediaError):
    """Decoding met damage that leaves nothing to judge."""


class SettingsError(UnmaskError, ValueError):
    """A setting, recipe or card breaks a rule."""


class ModelError(UnmaskError, ValueError):
    """Weights are missing, altered, or do not fit their card."""


class DataError(UnmaskError, ValueError):
    """An index, a shard or a checkpoint breaks a rule."""


class MissingExtraError(UnmaskError, ImportError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, *, extra: str) -> None:
        # Not by its name: until there is a release, nothing called unmask on a package index is ours.
        super().__init__(
            f"{package} is not installed; in the folder of unmask's clone: pip install '.[{extra}]'"
        )


def why_unreadable(error: MediaError | OSError) -> Reason:
    """Why a file cannot be read, without its name."""
    if isinstance(error, MediaError):
        return error.reason
    if isinstance(error, FileNotFoundError):
        return because("absent")
    if isinstance(error, PermissionError):
        return because("not_permitted")
    text = error.strerror or str(error)
    if is_of_machine(error):
        return because("machine_failed", error=text)
    return because("unreadable", text=text[:1].lower() + text[1:])


def is_of_machine(error: OSError) -> bool:
    """Whether the machine failed, rather than that there is no such file, or none that may be read.

    Only of what Python's own calls raise: decoders have the same numbers for damage.

    >>> import errno
    >>> is_of_machine(OSError(errno.EIO, "Input/output error")), is_of_machine(FileNotFoundError(2, "none"))
    (True, False)
    """
    return type(error).__module__ == "builtins" and error.errno in _OF_MACHINE


def system_words(error: OSError) -> str:
    """What the system says, and the way out where there is one.

    >>> import errno
    >>> system_words(OSError(errno.ENOSPC, "No space left on device"))
    'No space left on device; free some, then give the same command again'
    >>> system_words(OSError(errno.EROFS, "Read-only file system"))
    'Read-only file system; name a place that can be written to'
    """
    told = error.strerror or str(error)
    if error.errno == errno.EFBIG:
        return f"{told}; allow larger files (ulimit -f), or name a place on another disk"
    if error.errno in NO_ROOM:
        return f"{told}; free some, then give the same command again"
    if error.errno == errno.EROFS:
        return f"{told}; name a place that can be written to"
    if error.errno == errno.EIO:
        return f"{told}; the disk fails, or a network that leads to it; name another place"
    if "temporary directory" in told:  # as Python's tempfile says it
        return f"{told}; set TMPDIR to a folder that can be written to"
    return told


MAX_TIME_SECONDS = 1e6
"""Largest time limit, eleven days; more cannot be waited for by one call."""


def require(ok: bool, rule: str, value: object) -> None:
    """Let settings check themselves.

    Raises:
        SettingsError: It is not ok; the message is the rule and the value that breaks it.
    """
    if not ok:
        raise SettingsError(f"{rule}, got {value!r}")


def check_time_limit(seconds: float) -> None:
    """Refuse a ``time_limit_seconds`` that cannot be waited for.

    Raises:
        SettingsError: It is not above 0, or too large.
    """
    ok = 0 < seconds <= MAX_TIME_SECONDS
    require(ok, f"time_limit_seconds must be above 0, to {MAX_TIME_SECONDS:g}", seconds)

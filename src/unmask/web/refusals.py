"""Answers to requests that cannot be done: a status, a code for programs and a sentence for people."""

from __future__ import annotations

from unmask.errors import UnmaskError

RETRY_SECONDS = 10

STATUS: dict[str, int] = {
    "bad_request": 400,
    "no_token": 401,
    "foreign_origin": 403,
    "no_paths": 403,
    "not_found": 404,
    "not_ready": 409,
    "deleted": 409,
    "too_slow": 408,
    "too_large": 413,
    "wrong_type": 415,
    "foreign_host": 421,
    "queue_full": 503,
    "busy": 503,
    "disk_full": 503,
}
"""HTTP status by code."""


class RefusedError(UnmaskError):
    """A request that is turned away.

    Args:
        code: Key of `STATUS`.
        detail: The rule, the value and the way out, one sentence.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code

    @property
    def status(self) -> int:
        """HTTP status."""
        return STATUS[self.code]

    @property
    def body(self) -> dict[str, str]:
        """What the client is told."""
        return {"code": self.code, "detail": str(self)}

    @property
    def headers(self) -> dict[str, str]:
        """What goes with it."""
        if self.status == 503:
            return {"Retry-After": str(RETRY_SECONDS)}
        if self.status == 401:
            return {"WWW-Authenticate": "Bearer"}
        # What is still coming of a body that was turned away is not read.
        return {"Connection": "close"} if self.status in (408, 413) or self.code == "deleted" else {}

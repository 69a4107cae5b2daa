"""How far the scans are that wait or run; held in memory only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from unmask.config import ScanSettings
from unmask.judge.card import Card
from unmask.judge.conclude import About, conclude
from unmask.judge.footage import Look
from unmask.reasons import because
from unmask.web.worker import Glance, Stage

STATES = {"decode": "decoding", "detect": "faces", "score": "scoring"}
"""What the page calls the stages of a worker; each stretch of a video goes through all three."""
_PARTIAL_EVERY_SECONDS = 1.0


@dataclass(slots=True)
class Progress:
    """How far one scan is.

    Attributes:
        state: One of the values of `STATES`, or ``queued``.
        share: How much of the file is done, 0 to 1, as far as that is known.
        partial: What was found up to now, or None; never a verdict.
        looks: What was found in each stretch that is done.
    """

    state: str = "queued"
    share: float = 0.0
    partial: dict[str, Any] | None = None
    looks: list[Look] = field(default_factory=list)
    _done: float = 0.0
    _decoded: int = -1
    _concluded: float = 0.0

    def hear(self, part: object, card: Card, settings: ScanSettings) -> None:
        """Take in what a worker told."""
        match part:
            case Stage(name="decode") if self._decoded == len(self.looks):
                pass  # nothing follows the last stretch, but that shows only when it is tried
            case Stage(name=name):
                self._decoded = len(self.looks) if name == "decode" else self._decoded
                self.state = STATES[name]
                # Within a stretch the stages count as thirds; how long the next one is, nobody knows yet.
                step = list(STATES).index(name) / len(STATES)
                length = self._done / len(self.looks) if self.looks else 1.0
                self.share = max(self.share, min(1.0, self._done + step * length))
            case Glance():
                self.partial = _partial(part.faces, part.p_fake, part.end_seconds)
            case Look():
                self._see(part, card, settings)

    def _see(self, look: Look, card: Card, settings: ScanSettings) -> None:
        self.looks.append(look)
        if self._done == 0:
            self.share = 0.0  # the first stretch was taken for the whole
        start, until = look.since_seconds, max(look.until_seconds, look.end_seconds)
        self._done = (look.end_seconds - start) / max(until - start, 1e-9)
        self.share = max(self.share, self._done)
        now = time.monotonic()
        if now - self._concluded >= _PARTIAL_EVERY_SECONDS:  # joining many stretches takes a moment
            self.partial = _so_far(self.looks, card, settings)
            self._concluded = now


def _so_far(looks: Sequence[Look], card: Card, settings: ScanSettings) -> dict[str, Any]:
    about = About("", None, stopped=because("goes_on"))
    found = conclude(looks, about, card, settings)
    judged = sum(person.p_fake is not None for person in found.people)
    return _partial(judged, found.p_fake, found.end_seconds)


def _partial(faces: int, p_fake: float | None, end_seconds: float) -> dict[str, Any]:
    return {"faces": faces, "p_fake": p_fake, "end_seconds": end_seconds}

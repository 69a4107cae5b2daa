"""Keeping a time budget: measure what videos cost, and look at fewer frames when late."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from unmask.errors import SettingsError

FEWEST_FRAMES = 3
RECENT = 60
"""Videos that the measured cost is taken from."""
SAFETY = 0.95
"""Share of the time left that is planned with."""
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def parse_budget(text: str) -> float:
    """A length of time in seconds.

    >>> parse_budget("9h"), parse_budget("1h30m"), parse_budget("45s"), parse_budget("0.5h")
    (32400.0, 5400.0, 45.0, 1800.0)

    Raises:
        SettingsError: It is no length of time.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise SettingsError(f"a budget must be a time such as 9h, 1h30m or 45s, got {text!r}")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds <= 0:
        raise SettingsError(f"a budget must be longer than nothing, got {text!r}")
    return seconds


@dataclass(slots=True)
class Pace:
    """How many frames there is time for.

    A video costs a part that the number of frames does not change much (reading and decoding) and a part for
    each frame (finding faces and scoring them). Both are measured as videos are done.

    Attributes:
        videos: How many are still to be begun.
        jobs: How many are worked on at a time.
        frames: The most frames of a video.
        ends: When everything must be done, on ``clock``.
        clock: Seconds, from any point on.
    """

    videos: int
    jobs: int
    frames: int
    ends: float
    clock: Callable[[], float] = time.monotonic
    _fixed: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    _per_frame: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    def begin(self) -> int:
        """How many frames the next video gets; from now on it counts as begun."""
        frames = self.affordable()
        self.videos -= 1
        return frames

    def record(self, *, frames: int, fixed_seconds: float, frame_seconds: float) -> None:
        """Take note of a video that is done.

        Args:
            frames: How many it was given.
            fixed_seconds: Wall time that does not depend on them.
            frame_seconds: Wall time for all of them.
        """
        self._fixed.append(max(0.0, fixed_seconds))
        self._per_frame.append(max(0.0, frame_seconds) / frames)

    def affordable(self) -> int:
        """Frames a video that fit into the time left, `FEWEST_FRAMES` to ``frames``."""
        if not self._fixed:
            return self.frames
        fixed = sum(self._fixed) / len(self._fixed)
        per_frame = sum(self._per_frame) / len(self._per_frame)
        # The next video may be as dear as the dearest, and nothing can be made up for after the last one.
        left = (self.ends - self.clock()) * SAFETY - (max(self._fixed) - fixed)
        # Each worker still has so many videos to do; the others are half through theirs on average.
        rounds = max(1.0, (self.videos + (self.jobs - 1) / 2) / self.jobs)
        room = left / rounds - fixed
        if room >= per_frame * self.frames:
            return self.frames
        return max(min(FEWEST_FRAMES, self.frames), int(room / per_frame) if room > 0 else 0)

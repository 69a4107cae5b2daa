"""All words that a reader of the report sees, in each language, out of one file: ``messages.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from unmask.files import size_words
from unmask.judge.calibration import bounded
from unmask.quantities import told_beside

_MESSAGES = Path(__file__).with_name("messages.json")


@dataclass(frozen=True, slots=True)
class Words:
    """Messages and numbers in one language.

    Attributes:
        language: One of `unmask.reasons.LANGUAGES`.

    >>> Words("de").number(3.14), Words("en").seconds(75.5)
    ('3,1', '1:15.5')
    """

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """A message as plain text, its gaps filled."""
        return messages()[key][self.language].format(**values)

    def has(self, key: str) -> bool:
        """Whether there is such a message."""
        return key in messages()

    def number(self, value: float, *, digits: int = 1) -> str:
        """A number with so many digits behind the point, or the comma."""
        return self._pointed(f"{value:.{digits}f}")

    def percent(self, p_fake: float, limits: Sequence[float] = ()) -> str:
        r"""A probability in whole per cent, never 0 or 100: no calibration is that sure.

        With a digit or two more where it would else be told as equal to a limit, or beyond one, that it is
        not at.

        >>> Words("en").percent(0.1923, [0.19, 0.81]), Words("de").percent(0.81, [0.19, 0.81])
        ('19.2\xa0%', '81\xa0%')
        """
        text = told_beside(100 * bounded(p_fake), (100 * limit for limit in limits), digits=0)
        return self._pointed(f"{text}\u00a0%")

    def whole(self, count: int) -> str:
        """A count, its thousands marked.

        >>> Words("en").whole(1833), Words("de").whole(1833)
        ('1,833', '1.833')
        """
        return f"{count:,}".replace(",", "." if self.language == "de" else ",")

    def size(self, count: int) -> str:
        """A count of bytes, as `size_words` tells it.

        >>> Words("en").size(3_482_099), Words("de").size(52_300), Words("en").size(2_048_000_000)
        ('3.48 MB', '52,3 kB', '2.05 GB')
        """
        return self._pointed(size_words(count))

    def limit(self, share: float) -> str:
        """A threshold as it was set."""
        return self._pointed(f"{100 * share:.4g}\u00a0%")

    def seconds(self, time: float) -> str:
        """A time in a video: ``3.1 s`` up to a minute, then ``m:ss.s`` or ``h:mm:ss``."""
        if round(time, 1) < 60:
            return f"{self.number(time)} s"
        minutes, seconds = divmod(round(time, 1), 60)
        if minutes < 60:
            return f"{minutes:.0f}:{self.number(seconds).zfill(4)}"
        return f"{minutes // 60:.0f}:{minutes % 60:02.0f}:{seconds:02.0f}"

    def span(self, start: float, end: float) -> str:
        """From one time to another."""
        first, last = self.seconds(start), self.seconds(end)
        if first == last:
            return first
        return f"{first.removesuffix(' s') if last.endswith(' s') else first} - {last}"

    def _pointed(self, number: str) -> str:
        return number.replace(".", ",") if self.language == "de" else number


def short_percent(p_fake: float) -> str:
    """As `Words.percent`, in ASCII for pictures.

    >>> short_percent(0.999), short_percent(0.5), short_percent(0.0)
    ('99 %', '50 %', '1 %')
    """
    return f"{100 * bounded(p_fake):.0f} %"


@cache
def messages() -> dict[str, dict[str, str]]:
    """Every message by its key, in every language."""
    found: dict[str, dict[str, str]] = json.loads(_MESSAGES.read_text(encoding="utf-8"))
    return found

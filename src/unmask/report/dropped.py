"""Why a face was left out, in the reader's language; what is not known here stays as it was said."""

from __future__ import annotations

import re

from unmask.report.words import Words

_REASONS = {
    "dropped_seldom": r"seen in (?P<seen>\d+) of (?P<all>\d+) frames, at least (?P<least>\d+) needed",
    "dropped_small": r"face is (?P<px>\d+) px wide at the median, at least (?P<least>\d+) px needed",
    "dropped_unsure": r"mean detection confidence (?P<got>[\d.]+), at least (?P<least>[\d.]+) needed",
    "dropped_odd": r"eyes, nose and mouth do not lie as in a face in (?P<odd>\d+) of (?P<all>\d+) frames",
    "dropped_worn": r"a picture of a face: it is worn by person (?P<id>\d+), .*",
    "dropped_picture": r"a picture of a face: it changes by .*",
    "dropped_lesser": r"the face is not among the (?P<count>\d+) largest",
    "dropped_unscored": r"none of its frames could be scored",
}


def why_dropped(reason: str, words: Words) -> str:
    """The reason of `Person.why_dropped`, translated.

    >>> why_dropped("seen in 1 of 30 frames, at least 4 needed", Words("de"))
    'in 1 von 30 Bildern zu sehen, mindestens 4 nötig'
    """
    for key, pattern in _REASONS.items():
        if found := re.fullmatch(pattern, reason):
            return words(key, **found.groupdict())
    return reason

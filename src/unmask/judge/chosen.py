"""A stretch that was chosen because it looked suspicious: judged as one of the looks it was chosen from.

Who looks at every face of a film and then closely at the most suspicious one has made all these looks,
however few frames are left to look at. So the share of real clips that look as suspicious counts once for
every look of the film (Bonferroni's rule). More frames of the same seconds show the same face once more:
they make that one look sharper, and are no further look.
"""

from __future__ import annotations

import math
from dataclasses import replace

from unmask.config import ScanSettings
from unmask.errors import DataError, SettingsError
from unmask.judge.calibration import Calibration, Thresholds, bounded
from unmask.judge.verdict import Ruling
from unmask.reasons import because
from unmask.verdicts import Outcome, Verdict

EXAMINED_FRAMES = 60
"""Frames of each ten seconds, or of a shorter stretch; a scan takes 30, and 6 of what goes on for longer."""

EXAMINED_CROPS = 24
"""Crops of a person that are scored in each stretch; the shipped weights take 6 of them in a scan."""

_TOLERANCE = 0.1  # of a stretch's length, as people do not give times to the frame


def as_chosen(ruling: Ruling, calibration: Calibration, thresholds: Thresholds, *, among: int) -> Ruling:
    """What is said of a stretch that was chosen, from what would be said if it were all there is.

    Args:
        ruling: On the stretch by itself.
        calibration: Of the model.
        thresholds: Where probabilities become words.
        among: Looks at a face in the whole film, 1 or more.

    Returns:
        Fake only where it stands out among so many; where it does not, unsure. What is not fake by itself
        keeps its outcome: chance makes nothing real.
    """
    if ruling.p_fake is None:
        return ruling
    looks = max(among, ruling.looks)
    lowest = min(ruling.p_fake, _lowest_unsure(thresholds))
    p_fake = max(lowest, calibration.chosen(ruling.p_fake, times=looks / max(1, ruling.looks)))
    by_itself = bounded(ruling.p_fake)
    reasons = ruling.reasons
    outcome = thresholds.outcome(p_fake) if ruling.outcome is Outcome.FAKE else ruling.outcome
    if outcome is not ruling.outcome and reasons and reasons[0].code == "manipulated":
        numbers = {"p_fake": by_itself, "p_fake_among_all": bounded(p_fake)}
        reasons = (because("by_chance", faces=looks, **reasons[0].values, **numbers), *reasons[1:])
    return Ruling(outcome, p_fake, (*reasons, because("chosen", looks=looks, p_fake=by_itself)), looks)


def _lowest_unsure(thresholds: Thresholds) -> float:
    just_above = thresholds.real_at_most + 1e-6
    return just_above if just_above < thresholds.fake_at_least else thresholds.real_at_most


def looks_of(film: Verdict, start_seconds: float, end_seconds: float) -> int:
    """From how many looks a stretch of a film was chosen.

    As many as the film's verdict counted; or as many stretches of this length as fit into the time in which
    faces were judged, where those are more: who goes through ten seconds second by second looks ten times.

    Args:
        film: The verdict on the whole file.
        start_seconds: Where the stretch begins.
        end_seconds: Where it ends.

    Raises:
        DataError: The verdict is on a part of the file, or of a version that did not count looks.
        SettingsError: The stretch has no length.
    """
    if not start_seconds < end_seconds:
        rule = "a stretch must end after it begins"
        raise SettingsError(f"{rule}, got {start_seconds:g} to {end_seconds:g} s")
    codes = {reason.code for reason in film.reasons}
    if film.partial or codes & {"part", "part_from"}:
        raise DataError("looks are counted on the whole file, and this verdict is on a part; scan all of it")
    told = (reason.values.get("faces", 0) for reason in film.reasons)  # before schema 1.1
    looks = film.looks or max((count for count in told if isinstance(count, int)), default=0)
    if not looks and film.p_fake is not None:
        raise DataError("this verdict does not say how many looks it took; scan the file again")
    if "chosen" in codes:
        return looks  # of another stretch of the same film
    seconds = sum(shot.people * (shot.end_seconds - shot.start_seconds) for shot in film.shots)
    return max(1, looks, math.ceil(seconds / (end_seconds - start_seconds) - _TOLERANCE))


def examining(
    settings: ScanSettings, start_seconds: float, end_seconds: float, *, among: int
) -> ScanSettings:
    """The settings with which a stretch is examined: more of its frames, and all worse versions.

    Args:
        settings: Of the scan.
        start_seconds: Where the stretch begins, counted from the first frame.
        end_seconds: Where it ends.
        among: From how many looks it was chosen; see `looks_of`.

    Raises:
        SettingsError: A value is out of range.

    Example:
        >>> examining(ScanSettings(), 48.4, 53.6, among=58).judge.chosen_among
        58
    """
    frames = max(EXAMINED_FRAMES, settings.decode.frames)
    return replace(
        settings,
        decode=replace(
            settings.decode,
            start_seconds=start_seconds,
            end_seconds=end_seconds,
            frames=frames,
            steady_frames=frames,
        ),
        score=replace(settings.score, frames_share=1.0, most_crops=EXAMINED_CROPS),
        judge=replace(settings.judge, chosen_among=max(1, among)),
        stability=True,
    )

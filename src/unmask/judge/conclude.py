"""The verdict on a file, from what was found in its stretches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from unmask.config import ScanSettings
from unmask.judge.calibration import Thresholds, bounded, log_odds
from unmask.judge.card import Card
from unmask.judge.footage import Footage, Look, judge_footage
from unmask.judge.strength import strength_of
from unmask.judge.together import join_rulings
from unmask.judge.verdict import STAGES, Ruling
from unmask.reasons import Reason, because, sentences
from unmask.verdicts import Outcome, Stability, Verdict
from unmask.version import __version__


@dataclass(frozen=True, slots=True)
class About:
    """What a verdict says of the file besides what was found in it.

    Attributes:
        path: As it was given.
        sha256: Of its bytes.
        seconds: Wall time by stage; zeros where it was not measured.
        stopped: Why it was not looked at to its end; None when it was.
        ours: It was stopped by a failure of unmask or the machine, which says nothing of the file.
    """

    path: str
    sha256: str | None
    seconds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    stopped: Reason | None = None
    ours: bool = False


def conclude(
    looks: Sequence[Look], about: About, card: Card, settings: ScanSettings, *, beside: Sequence[Card] = ()
) -> Verdict:
    """Say what was found.

    Args:
        looks: One or more, in any order; all of the file, or what was seen of it.
        about: The file.
        card: Of the model that judged.
        settings: Of the scan.
        beside: Of further models that looked at the same faces; people, shots and segments are those of the
            first.
    """
    looks = sorted(looks, key=lambda look: look.start_seconds)
    still = is_still(looks)
    thresholds = thresholds_of(card, settings, still=still)
    found = _judge(looks, card, thresholds, settings)
    said = {card.name: found.ruling}
    for other in beside:
        own = [
            replace(look, evidence=replace(look.evidence, logits=look.beside[other.name])) for look in looks
        ]
        said[other.name] = _judge(own, other, thresholds_of(other, settings, still=still), settings).ruling
    notes = tuple(dict.fromkeys(note for look in looks for note in look.notes))
    ruling = _not_all_seen(join_rulings(said), notes)
    stability = None
    if settings.stability and ruling.p_fake is not None:
        stability = _stability(looks, card, thresholds, settings, found.ruling)
    damage = next((look.damage for look in looks if look.damage), None)
    seen = sum(look.end_seconds - look.start_seconds for look in looks)
    reasons = list(dict.fromkeys((*ruling.reasons, *notes, *_part(settings))))
    if about.stopped:
        seen, whole = round(seen, 6), round(looks[0].until_seconds - looks[0].since_seconds, 6)
        reasons.append(because("partial", seen_seconds=seen, whole_seconds=whole, why=about.stopped))
    if damage is not None:
        reasons.append(because("damaged", damage=damage))
    if stability is not None and not stability.stable:
        reasons.append(_flips(stability, ruling))
    return Verdict(
        path=about.path,
        sha256=about.sha256,
        outcome=ruling.outcome,
        p_fake=_if_any(bounded, ruling.p_fake),
        reason=sentences(reasons),
        damaged=damage is not None,
        people=found.people,
        model=card.model_name,
        unmask=__version__,
        seconds=dict(about.seconds),
        stability=stability,
        start_seconds=looks[0].start_seconds,
        end_seconds=looks[-1].end_seconds,
        partial=bool(about.stopped),
        shots=found.shots,
        segments=found.segments,
        log_odds=_if_any(log_odds, ruling.p_fake),
        reasons=tuple(reasons),
        strength=None if ruling.p_fake is None else strength_of(ruling.p_fake, card.calibration),
        looks=ruling.looks,
    )


def is_still(looks: Sequence[Look]) -> bool:
    """Whether all that was looked at is a single picture."""
    return bool(looks) and looks[0].start_seconds == looks[-1].end_seconds


def thresholds_of(card: Card, settings: ScanSettings, *, still: bool) -> Thresholds:
    """The card's, of videos or of single pictures, with the one that the scan was told."""
    own = card.still_thresholds if still and card.still_thresholds is not None else card.thresholds
    return own if settings.threshold is None else own.with_fake_at_least(settings.threshold)


def _part(settings: ScanSettings) -> tuple[Reason, ...]:
    """That a part was looked at as if it were all there is; one that is examined counts all the same."""
    decode = settings.decode
    if settings.judge.chosen_among or not (decode.start_seconds or decode.end_seconds is not None):
        return ()
    if decode.end_seconds is None:
        return (because("part_from", start_seconds=decode.start_seconds),)
    return (because("part", start_seconds=decode.start_seconds, end_seconds=decode.end_seconds),)


def _not_all_seen(ruling: Ruling, notes: Sequence[Reason]) -> Ruling:
    """Nothing is real of which a part was not looked at."""
    unseen = tuple(note for note in notes if note.code == "other_streams")
    if not unseen or ruling.outcome is not Outcome.REAL:
        return ruling
    return replace(ruling, outcome=Outcome.UNSURE, reasons=(*unseen, *ruling.reasons))


def _judge(looks: Sequence[Look], card: Card, thresholds: Thresholds, settings: ScanSettings) -> Footage:
    return judge_footage(looks, card.calibration, thresholds, settings)


def _stability(
    looks: Sequence[Look], card: Card, thresholds: Thresholds, settings: ScanSettings, ruling: Ruling
) -> Stability:
    """Rulings on worse versions; where a stretch has none, as nobody is in it, it stays as it is."""
    names = list(dict.fromkeys(name for look in looks for name in look.worse))
    outcomes: dict[str, Outcome] = {}
    p_fake: dict[str, float | None] = {}
    for name in names:
        worse = [replace(look, evidence=look.worse.get(name, look.evidence)) for look in looks]
        again = _judge(worse, card, thresholds, settings).ruling
        outcomes[name], p_fake[name] = again.outcome, _if_any(bounded, again.p_fake)
    seen = {ruling.outcome, *outcomes.values()}
    return Stability(not {Outcome.FAKE, Outcome.REAL} <= seen, outcomes, p_fake)


def _if_any(change: Callable[[float], float], p_fake: float | None) -> float | None:
    return None if p_fake is None else round(change(p_fake), 6)


def _flips(stability: Stability, ruling: Ruling) -> Reason:
    others = {Outcome.FAKE, Outcome.REAL} - {ruling.outcome}
    turns = tuple(
        because(f"turns_{word}", distortion=name)
        for name, word in stability.outcomes.items()
        if word in others
    )
    return because("unstable", turns=turns)

"""What several models say of one file, as one ruling: fake or real only where all of them say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from unmask.judge.calibration import bounded
from unmask.judge.verdict import Ruling
from unmask.reasons import because
from unmask.verdicts import Outcome


def join_rulings(said: Mapping[str, Ruling]) -> Ruling:
    """Join the rulings of several models on the same faces.

    Args:
        said: By the models' names, the first of which lends number and reasons where all agree.

    Returns:
        The first one's ruling and who else said so; or ``unsure`` with the first one's number and what each
        said. A ruling without a number is the same for all, and stays.

    >>> from unmask.reasons import sentences
    >>> said = {"a": Ruling(Outcome.FAKE, 0.9, ()), "b": Ruling(Outcome.REAL, 0.2, ())}
    >>> sentences(join_rulings(said).reasons)
    'the models disagree: a says fake (p_fake 0.90), b says real (p_fake 0.20)'
    """
    first, *others = said.values()
    if not others or any(ruling.p_fake is None for ruling in said.values()):
        return first
    told = tuple(
        because(f"says_{ruling.outcome}", model=name, p_fake=bounded(ruling.p_fake or 0.0))
        for name, ruling in said.items()
    )
    if len({ruling.outcome for ruling in said.values()}) > 1:
        return Ruling(Outcome.UNSURE, first.p_fake, (because("disagree", said=told),), first.looks)
    return replace(first, reasons=(*first.reasons, because("agree", said=told[1:])))

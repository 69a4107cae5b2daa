"""Models on labelled clips, with a bar."""

from __future__ import annotations

from collections.abc import Sequence

from unmask.cli.running import progress
from unmask.config import BatchSettings, ScanSettings
from unmask.lab.evaluate.clips import LabelledClip
from unmask.lab.evaluate.contenders import Contender, contender_card
from unmask.lab.evaluate.examine import Findings, examine
from unmask.lab.evaluate.summary import Judged


def judge_clips(
    clips: Sequence[LabelledClip],
    contenders: Sequence[Contender],
    settings: ScanSettings,
    batch: BatchSettings,
) -> list[Judged]:
    """Let each model judge all clips; one entry a model."""
    cards = [contender_card(one) for one in contenders]
    findings = [Findings()] * len(clips)
    with progress("looking", len(clips)) as step:
        for place, found in examine(clips, contenders, settings, batch):
            findings[place] = found
            step()
    pairs = zip(contenders, cards, strict=True)
    return [Judged(one.name, card, clips, findings, settings.judge) for one, card in pairs]

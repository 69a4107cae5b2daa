"""Scores as a table for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from unmask.lab.evaluate.summary import Judged
from unmask.reasons import Reason, sentences

SCORE_COLUMNS = (
    "model", "name", "label", "original", "outcome", "p_fake", "logit", "people", "face_px", "brightness",
    "width", "height", "reason", "path", "reason_code",
)  # fmt: skip


def scores_csv(judged: Sequence[Judged]) -> str:
    """One row a model and clip; ``p_fake`` and ``logit`` are empty where there is no number."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(SCORE_COLUMNS)
    for one in judged:
        for clip, found, ruling, logit in zip(one.clips, one.findings, one.rulings, one.logits, strict=True):
            rows.writerow(
                [
                    one.model,
                    clip.name,
                    "FAKE" if clip.fake else "REAL",
                    clip.original,
                    ruling.outcome.value,
                    "" if ruling.p_fake is None else ruling.p_fake,
                    "" if logit is None else round(logit, 6),
                    found.people,
                    round(found.face_px, 1) if found.face_px else "",
                    round(found.brightness, 1) if found.people else "",
                    found.width or "",
                    found.height or "",
                    sentences(ruling.reasons),
                    clip.path,
                    _code(ruling.reasons[0]),
                ]
            )
    return text.getvalue()


def _code(reason: Reason) -> str:
    """What decides: where faces were found and dropped, why the longest was."""
    longest = reason.values.get("longest")
    return longest.code if isinstance(longest, Reason) else reason.code

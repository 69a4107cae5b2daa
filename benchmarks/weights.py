"""Which weights a figure was measured with, in words, so that a document says when others ship by now.

``docs/weights.json`` lists every set of weights that shipped, by SHA-256, oldest first. The table of README
is made here too: scores of the card that ships beside those of the weights before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

RELEASES = Path(__file__).resolve().parent.parent / "docs" / "weights.json"
ROWS = {
    "dfdc_faces_auc": "DFDC faces, one picture each, {half:,} originals held out: AUC",
    "dfdc_faces_pair_accuracy": "the same: fake ranked above its own original",
    "dfdc_faces_log_loss": "the same: log loss, calibrated on others (0.693 knows nothing)",
    "generated_held_out_auc": "generated and reenacted heads among real ones, {clips} clips in all: AUC",
    "dfdc_mini_part_1_auc": "live face swaps, {half} pairs: AUC",
    "dfdc_mini_part_1_pair_accuracy": "the same: fake ranked above its own original",
    "mixture_log_loss": "log loss on these clips, calibrated on others",
    "false_alarms_on_strangers_video": "real clips called fake, of {clips} from sources that took no part",
    "false_alarms_on_strangers_stills": "real pictures called fake, of {clips:,} from such sources",
    "false_alarms_on_strangers_video_everyday": "these clips after what people do to footage every day",
    "false_alarms_on_strangers_stills_everyday": "these pictures after the same",
    "strangers_live_swaps_auc": "live swaps of a source left out, {clips} clips in all: AUC",
    "strangers_other_swaps_auc": "swaps by other tools, the same: AUC",
    "strangers_lip_sync_auc": "lip-sync, the same: AUC",
    "strangers_talking_heads_auc": "talking heads, the same: AUC",
    "strangers_reenacted_auc": "reenacted faces, the same: AUC",
    "strangers_generated_video_auc": "generated video, the same: AUC",
    "other_DFDC_faces_auc": "DFDC faces, one picture each, judged with other faces of DFDC in training: AUC",
    "other_DFDC_faces_pairs": "the same: fake ranked above its own original",
    "strangers_DFDC_auc": "DFDC faces, with no fake of DFDC in training: AUC",
    "false_alarms_on_held_out_reals": "real clips called fake, of {clips} held out of some of the training",
    "false_alarms_on_reals_no_member_saw": "real clips called fake, of {clips} held out of all of it",
}
"""Scores of the card that README shows, and how it calls them; a card that lacks one has no such row."""
SHARES = ("pair_accuracy", "pairs", "false_alarms")


def releases() -> list[dict[str, Any]]:
    """Name, version, SHA-256 and scores of all weights that shipped, oldest first."""
    found: list[dict[str, Any]] = json.loads(RELEASES.read_text(encoding="utf-8"))
    return found


def shipped_sha256() -> str:
    """Of the weights that ship now, which is the hash on their card."""
    from unmask.judge.card import card_path, read_card  # late: what measures must stay small

    return read_card(card_path()).sha256


def title(sha256: str) -> str:
    """What weights are called."""
    for one in releases():
        if one["sha256"] == sha256:
            return f"{one['name']} {one['version']}"
    return f"weights {sha256[:12]}, which never shipped"


def are_shipped(*sha256: str) -> bool:
    """Whether figures of these weights tell of what ships now."""
    return set(sha256) <= {shipped_sha256()}


def whose(sha256: str) -> str:
    """The subject of a sentence on weights.

    >>> whose("0" * 64)
    'Older weights (weights 000000000000, which never shipped)'
    """
    return (
        f"The shipped weights ({title(sha256)})"
        if are_shipped(sha256)
        else f"Older weights ({title(sha256)})"
    )


def measured_with(sha256: str | Mapping[str, Iterable[str]]) -> str:
    """A sentence that says which weights were measured.

    Args:
        sha256: Of them; or for each of several, what it was measured on.
    """
    if isinstance(sha256, str):
        return f"Measured with {_known(sha256)}."
    if len(sha256) == 1:
        return measured_with(next(iter(sha256)))
    parts = [f"{'; '.join(what)}: {_known(one)}" for one, what in sha256.items()]
    return f"Measured with different weights. {'. '.join(part[0].upper() + part[1:] for part in parts)}."


def _known(sha256: str) -> str:
    if are_shipped(sha256):
        return f"the shipped weights, {title(sha256)}"
    return f"older weights than those that ship, {title(sha256)}"


def scores_table() -> str:
    """README's table: what the card says, beside the weights before."""
    from unmask.judge.card import card_path, read_card

    card = read_card(card_path())
    earlier = [one for one in releases() if one["sha256"] != card.sha256]
    before = earlier[-1]["scores"] if earlier else {}
    last = title(earlier[-1]["sha256"]) if earlier else "-"
    head = f"now: {card.name} {card.version} | 95 % interval | before: {last}"
    lines = [f"| measured on what was not trained on | {head} |", "|---|---:|---:|---:|"]
    for key, name in ROWS.items():
        if key not in card.scores:
            continue
        score, show = card.scores[key], _percent if any(part in key for part in SHARES) else _plain
        told = name.format(clips=score.clips, half=score.clips // 2)
        cells = [told, show(score.value), f"{show(score.low)} to {show(score.high)}"]
        lines.append(f"| {' | '.join([*cells, show(before[key]) if key in before else '-'])} |")
    return "\n".join(lines) + "\n"


def _plain(value: float) -> str:
    return f"{value:.2f}"


def _percent(value: float) -> str:
    return f"{value:.{1 if 0 < value < 0.01 else 0}%}".replace("%", " %")  # tenths below one percent


def add_release() -> None:
    """List the weights that ship, with the scores of their card, where the list lacks them."""
    from unmask.judge.card import card_path, read_card

    card, known = read_card(card_path()), releases()
    if card.sha256 in (one["sha256"] for one in known):
        return
    scores = {key: card.scores[key].value for key in ROWS if key in card.scores}
    known.append({"name": card.name, "version": card.version, "sha256": card.sha256, "scores": scores})
    RELEASES.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")

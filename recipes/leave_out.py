"""How a head on frozen features does on sources that it never saw: fitted without one, measured on it.

    python recipes/leave_out.py faces.csv=.data/features/clip_b16 --blocks 10 --kinds class mean spread

A source is a repository, a data set or a generator. Every clip is judged by a head that was fitted without
its source and, for a fake, without its family (with `--unseen source` without its source alone); the score of
a clip is the mean over its crops. The threshold that a source is held against is set on the other sources of
real video alone, so that 5 % of the clips of the mean source are called fake. Pseudo-fakes are fitted to and
never measured on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from features import FIRST_BLOCK, KINDS, PSEUDO
from sklearn.metrics import roc_auc_score
from torch import Tensor

FALSE_ALARMS = 0.05  # of the mean source of real video
VALIDATION = ("part1",)  # sources that nothing may be fitted to or chosen on
UNCHOSEN = ("generated stills", "live swaps, validation", PSEUDO)  # no part of the mean that chooses
FAMILIES = {
    "dfdc_faces": "DFDC", "part0": "live swaps", "part1": "live swaps, validation",
    "swap_": "other swaps", "lip_": "lip-sync", "reenact_": "reenacted",
    "talk_": "talking heads", "video_": "generated video", "synth_": "generated stills", PSEUDO: PSEUDO,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Faces:
    """Listed crops with their features.

    Attributes:
        table: One row a crop: label, source, family, clip, pair, ...
        features: By state, shape (N, D), float32.
    """

    table: pd.DataFrame
    features: dict[str, np.ndarray]


def read_faces(
    places: Sequence[tuple[Path, Path]], *, states: Sequence[str], blocks: Sequence[int], kinds: Sequence[str]
) -> Faces:
    """What the caches hold of their lists; crops that are not encoded yet in every state are left out."""
    read = [
        _read_list(listing, cache, states=states, blocks=blocks, kinds=kinds) for listing, cache in places
    ]
    return Faces(
        pd.concat([faces.table for faces in read]),
        {state: np.concatenate([faces.features[state] for faces in read]) for state in states},
    )


def _read_list(
    listing: Path, cache: Path, *, states: Sequence[str], blocks: Sequence[int], kinds: Sequence[str]
) -> Faces:
    table = pd.read_csv(listing, dtype=str, keep_default_na=False)
    chunks = {state: {int(f.stem): f for f in (cache / state).glob("*.npz")} for state in states}
    ready = sorted(set.intersection(*(set(found) for found in chunks.values())))
    features: dict[str, list[np.ndarray]] = {state: [] for state in states}
    keys: list[str] = []
    taken = np.ix_(
        [block - FIRST_BLOCK[cache.name] for block in blocks], [KINDS.index(kind) for kind in kinds]
    )
    for number in ready:
        for state in states:
            with np.load(chunks[state][number]) as held:
                part = held["blocks"][:, *taken]
                features[state].append(part.reshape(len(part), -1).astype(np.float32))
                if state == states[0]:
                    keys += held["keys"].tolist()
    table["still"] = table.groupby("clip")["number"].transform("size") == 1
    table.index = pd.Index(table["key"] + "/" + table["number"])
    return Faces(table.loc[keys], {state: np.concatenate(parts) for state, parts in features.items()})


def name_family(row: pd.Series) -> str:
    """The family of a fake, in words; that of a real is ``real``."""
    if row["label"] != "FAKE":
        return "real"
    return next((word for start, word in FAMILIES.items() if row["family"].startswith(start)), row["family"])


def fit_head(
    features: Tensor,
    fake: Tensor,
    weights: Tensor,
    pairs: Tensor,
    *,
    ridge: float,
    rank: float,
    scenes: Tensor | None = None,
    even: float = 0.0,
    steps: int = 60,
) -> tuple[Tensor, Tensor]:
    """A linear head by L-BFGS: weighted cross-entropy, plus a term that wants a fake above its own real.

    A source must not be told by its scene: differences between the mean logits of the sources' reals, which
    become false alarms on a source that nobody saw, cost as well.

    Args:
        features: Standardised, shape (N, D).
        fake: 1.0 or 0.0, shape (N,).
        weights: Of the crops, with a sum of 1.
        pairs: Rows of a fake and of its real, shape (P, 2).
        ridge: Weight of the squared weights.
        rank: Weight of the pairs.
        scenes: Mean features of the reals of each source, shape (S, D).
        even: Weight of the variance of their logits.
        steps: Of L-BFGS.

    Returns:
        Weights, shape (D,), and bias.
    """
    head = torch.zeros(features.shape[1] + 1, requires_grad=True)
    solver = torch.optim.LBFGS([head], max_iter=steps, history_size=10, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        solver.zero_grad()
        logits = features @ head[:-1] + head[-1]
        total = (
            weights * torch.nn.functional.binary_cross_entropy_with_logits(logits, fake, reduction="none")
        ).sum()
        if rank and len(pairs):
            gap = logits[pairs[:, 0]] - logits[pairs[:, 1]]
            total = total + rank * torch.nn.functional.softplus(-gap).mean()
        if even and scenes is not None:
            total = total + even * (scenes @ head[:-1]).var()
        total = total + ridge * head[:-1].square().sum()
        total.backward()
        return total

    solver.step(loss)
    return head[:-1].detach(), head[-1].detach()


def weigh_rows(table: pd.DataFrame, *, power: float) -> np.ndarray:
    """Half the weight to each class; there a source counts by its crops to a power, its clips alike."""
    weights = np.zeros(len(table))
    family = np.where(table["label"] == "FAKE", table["family"], table["source"])
    for label in ("FAKE", "REAL"):
        mine = (table["label"] == label).to_numpy()
        counts = pd.Series(family[mine]).value_counts() ** power
        clips = table["clip"][mine].value_counts()
        in_source = pd.Series(table["clip"][mine].to_numpy()).groupby(family[mine]).nunique()
        share = counts / counts.sum()
        weights[mine] = [
            share[f] / in_source[f] / clips[c] for f, c in zip(family[mine], table["clip"][mine], strict=True)
        ]
        weights[mine] /= 2 * weights[mine].sum()
    return weights


def judge_left_out(faces: Faces, options: argparse.Namespace) -> pd.DataFrame:
    """For every crop and state the logit of a head that saw neither its source nor its family."""
    table = faces.table
    fold = assign_folds(table, by_family=options.unseen == "family")
    scores = {state: np.full(len(table), np.nan) for state in faces.features}
    for name in sorted(set(fold)):
        held = (fold == name).to_numpy()
        hidden_sources = set(table["source"][held])
        fakes = held & (table["label"] == "FAKE") & (table["family"] != PSEUDO)
        hidden_families = set(table["family"][fakes]) if options.unseen == "family" else set()
        hidden_groups = set(table["group"][held])
        out = (
            table["source"].isin([*hidden_sources, *VALIDATION])
            | ((table["label"] == "FAKE") & table["family"].isin(hidden_families))
            | table["group"].isin(hidden_groups)
        )
        head = fit_on(faces, (~out).to_numpy(), options)
        for state, features in faces.features.items():
            scores[state][held] = head(features[held])
    return table.assign(**{f"logit_{state}": values for state, values in scores.items()})


def assign_folds(table: pd.DataFrame, *, by_family: bool) -> pd.Series:
    """Which rows are left out together: a large source or a family by itself, small ones in eight folds."""
    kind = table.apply(name_family, axis=1)
    clips = table.groupby("source")["clip"].nunique()
    small = clips[clips < 10].index
    codes = {source: f"small {number % 8}" for number, source in enumerate(sorted(small))}
    by_source = table["source"].map(lambda source: codes.get(source, source))
    by_source[table["source"].isin(["part0", "part1"])] = "live swaps"
    if not by_family:
        return by_source
    fakes_of_many = ~kind.isin(["real", PSEUDO]) & ~by_source.isin(["dfdc_faces", "live swaps"])
    return by_source.where(~fakes_of_many, "family " + kind)


def fit_on(faces: Faces, rows: np.ndarray, options: argparse.Namespace):  # noqa: ANN201
    """A function from features to logits, fitted to some rows in all of the states for training."""
    table = faces.table[rows]
    stacked = np.concatenate([faces.features[state][rows] for state in options.fit_states])
    mean, std = stacked.mean(0), stacked.std(0) + 1e-3
    weights = np.tile(weigh_rows(table, power=options.power), len(options.fit_states)) / len(
        options.fit_states
    )
    fake = np.tile((table["label"] == "FAKE").to_numpy(np.float32), len(options.fit_states))
    place = {key: number for number, key in enumerate(table["key"] + "/" + table["number"])}
    pairs = [
        (place[f"{row.key}/{row.number}"], place[f"{row.pair}/{row.number}"])
        for row in table.itertuples()
        if row.pair and f"{row.pair}/{row.number}" in place
    ]
    shifted = [
        (a + s * len(table), b + s * len(table)) for s in range(len(options.fit_states)) for a, b in pairs
    ]
    even = torch.from_numpy((stacked - mean) / std)
    reals = (table["label"] == "REAL").to_numpy()
    sources = pd.factorize(table["source"][reals])[0]
    scenes = torch.stack([even[: len(table)][reals][sources == number].mean(0) for number in set(sources)])
    weight, bias = fit_head(
        even, torch.from_numpy(fake), torch.from_numpy(weights).float(),
        torch.tensor(shifted or np.empty((0, 2)), dtype=torch.long), ridge=options.ridge, rank=options.rank,
        scenes=scenes, even=options.even,
    )  # fmt: skip
    weight, bias = weight.numpy(), float(bias)
    return lambda features: ((features - mean) / std) @ weight + bias


def summarise(judged: pd.DataFrame, state: str) -> dict[str, float]:
    """The figures of one state: false alarms by source, and for each family AUC, recall and pairs."""
    frame = judged.assign(kind=judged.apply(name_family, axis=1), logit=judged[f"logit_{state}"])
    clips = frame.groupby(["clip", "label", "source", "kind", "still"], as_index=False)["logit"].mean()
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
        figures[f"pairs {source}"] = pairs_right(frame[frame["source"] == source])
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


def pairs_right(frame: pd.DataFrame) -> float:
    """Share of fakes above their own real."""
    logits = frame.groupby("key")["logit"].mean()
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
    parser.add_argument("--blocks", type=int, nargs="+", required=True)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--fit-states", nargs="+", default=["clean"])
    parser.add_argument("--test-states", nargs="+", default=["clean"])
    parser.add_argument("--ridge", type=float, default=1e-3)
    parser.add_argument("--rank", type=float, default=0.5)
    parser.add_argument(
        "--power", type=float, default=0.5, help="how much a large source outweighs a small one"
    )
    parser.add_argument("--even", type=float, default=0.0, help="how alike the sources' reals must score")
    parser.add_argument("--unseen", choices=("family", "source"), default="family")
    parser.add_argument("--json", type=Path, help="add the figures to this file, a line each")
    options = parser.parse_args()
    places = [tuple(map(Path, place.split("="))) for place in options.places]
    states = list(dict.fromkeys([*options.fit_states, *options.test_states]))
    faces = read_faces(places, states=states, blocks=options.blocks, kinds=options.kinds)
    judged = judge_left_out(faces, options)
    for state in options.test_states:
        figures = summarise(judged, state)
        print(f"\n{places[0][1].name} blocks {options.blocks} {options.kinds}: {state}")
        print(pd.Series(figures).round(3).to_string())
        if options.json:
            settings = {k: (str(v) if isinstance(v, Path) else v) for k, v in vars(options).items()}
            with options.json.open("a") as file:
                file.write(
                    json.dumps({**settings, "state": state, "crops": len(faces.table), **figures}) + "\n"
                )


if __name__ == "__main__":
    main()

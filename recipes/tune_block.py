"""Whether tuning a block of a foundation network beats the head that is fitted in closed form on it.

    python recipes/tune_block.py faces.csv=.data/features/clip_b16 pseudo.csv=.data/features/pseudo/clip_b16 \
        --wheels .data/wheels --tuned all -o .data/tune

Everything up to the block before stays as it is, so its tokens are read from the cache (features.py) and a
step costs one block. Training starts from the closed-form head (heads.py), on the same loss, and a third of
the families of fakes and of the sources of reals are left out at a time; after every so many steps all that
was left out is judged. Step 0 is the closed-form head itself. Stopped, it goes on with the third it was at.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from features import PSEUDO, TOKEN_BLOCK, in_no_order
from heads import (
    VALIDATION,
    Head,
    HeadSettings,
    find_axes,
    fit_head,
    lay_out,
    name_family,
    read_faces,
    split_places,
    weigh_units,
)
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from unmask.files import whole_file
from unmask.lab.models.foundation_net import KINDS, describe_tokens
from unmask.lab.models.foundations import load_foundation
from unmask.lab.models.vit import VisionTransformer

FOLDS = (("live swaps", "lip-sync"), ("talking heads", "other swaps"), ("reenacted", "generated video"))
"""Families of fakes that are left out together."""
RATES = {"norms": 3e-4, "all": 2e-5}
"""What of the block is tuned, and how fast."""
HEAD_RATE = 1e-4
AVERAGE = 0.98  # of the weights over steps


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of listed crops, read into memory once.

    Attributes:
        chunks: By state the arrays of each file of the cache, float16, (64, T, width).
        place: Of each crop its chunk and its row therein, (N, 2).
        ready: By state whether a crop is there, (N,).
    """

    chunks: dict[str, list[NDArray[np.float16]]]
    place: dict[str, NDArray[np.int64]]
    ready: dict[str, NDArray[np.bool_]]

    def take(self, rows: Sequence[int], states: Sequence[str]) -> Tensor:
        """Shape (N, T, width), float32."""
        taken = [
            self.chunks[state][self.place[state][row, 0]][self.place[state][row, 1]]
            for row, state in zip(rows, states, strict=True)
        ]
        return torch.from_numpy(np.stack(taken)).float()


def read_tokens(places: Sequence[tuple[Path, Path]], table: pd.DataFrame, states: Sequence[str]) -> Tokens:
    """The tokens of the crops of a table of `read_faces`."""
    chunks: dict[str, list[NDArray[np.float16]]] = {state: [] for state in states}
    place = {state: np.full((len(table), 2), -1) for state in states}
    names = zip(table["family"] == PSEUDO, table["key"] + "/" + table["number"], strict=True)
    row_of = {name: row for row, name in enumerate(names)}
    for listing, cache in places:
        pseudo = bool((pd.read_csv(listing, nrows=1)["family"] == PSEUDO).all())  # has the keys of its reals
        for state in states:
            for file in sorted((cache / state).glob("*.npz")):
                with np.load(file) as held:
                    for inside, key in enumerate(held["keys"].tolist()):
                        if (pseudo, key) in row_of:
                            place[state][row_of[pseudo, key]] = len(chunks[state]), inside
                    chunks[state].append(held["tokens"])
    return Tokens(chunks, place, {state: place[state][:, 0] >= 0 for state in states})


class Tuned(nn.Module):
    """One block and a head on the tokens before it and behind it, in standardised features."""

    def __init__(
        self, tower: VisionTransformer, number: int, *, mean: Tensor, std: Tensor, head: Head
    ) -> None:
        super().__init__()
        self.block = tower.blocks[number]
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.judge = nn.Linear(len(mean), 1)
        weights = torch.from_numpy(head.weights)
        with torch.no_grad():
            self.judge.weight.copy_(weights * std)
            self.judge.bias.fill_(head.bias + float(weights @ mean))

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens, shape (N, T, width), to logits, (N,)."""
        none = tokens.new_zeros(0)
        behind = self.block(tokens, none, none)
        features = torch.cat([describe_tokens(tokens).flatten(1), describe_tokens(behind).flatten(1)], 1)
        logit: Tensor = self.judge((features - self.mean) / self.std).squeeze(1)
        return logit


def leave_out(table: pd.DataFrame, families: Sequence[str], fold: int) -> NDArray[np.bool_]:
    """Which rows take no part: the families, and a third of the sources of reals with their fakes."""
    kind = table.apply(name_family, axis=1)
    mine = table["source"].map(lambda name: int(in_no_order(name), 16) % len(FOLDS) == fold)
    live = table["source"].isin(["part0"]) & ("live swaps" in families)
    big = table["source"] == "dfdc_faces"  # stays, or there would be no training
    held: NDArray[np.bool_] = ((mine & ~big) | live | kind.isin(families)).to_numpy()
    return held


def draw_batches(
    table: pd.DataFrame, rows: NDArray[np.int64], weights: NDArray[np.float64], *, size: int, seed: int
) -> Iterator[tuple[list[int], list[tuple[int, int]]]]:
    """Rows of a batch, half fakes, and which places in it are a fake and its own real."""
    rng = np.random.default_rng(seed)
    label, family = table["label"].to_numpy(), table["family"].to_numpy()
    names = (table["key"] + "/" + table["number"]).to_numpy()
    paired = (table["pair"] + "/" + table["number"]).to_numpy()
    real_at = {names[row]: int(row) for row in rows if label[row] == "REAL"}
    fakes, reals = (rows[label[rows] == word] for word in ("FAKE", "REAL"))
    while True:
        drawn = [
            rng.choice(some, size // 2, p=weights[some] / weights[some].sum()) for some in (fakes, reals)
        ]
        batch, pairs = [int(row) for row in drawn[0]], []
        for place, row in enumerate(list(batch)):
            if family[row] != PSEUDO and paired[row] in real_at:
                pairs.append((place, len(batch)))
                batch.append(real_at[paired[row]])
        batch += [int(row) for row in drawn[1][: size - len(batch)]]
        yield batch, pairs


def loss_of(logits: Tensor, fake: Tensor, pairs: Sequence[tuple[int, int]], *, rank: float) -> Tensor:
    """What the closed form minimises: the distance from 1 and -1, and of each pair's difference from 2."""
    even = torch.where(fake, 0.5 / fake.sum(), 0.5 / (~fake).sum())
    loss = (even * (logits - torch.where(fake, 1.0, -1.0)) ** 2).sum()
    if pairs:
        first, second = torch.tensor(pairs).T
        loss = loss + rank * ((logits[first] - logits[second] - 2) ** 2).mean()
    return loss


def tell(table: pd.DataFrame, logits: NDArray[np.floating], families: Sequence[str]) -> dict[str, float]:
    """AUC of each family that was left out, against the real video that was, by clip."""
    frame = table.assign(kind=table.apply(name_family, axis=1), logit=logits)
    clips = frame.groupby(["clip", "label", "kind", "still"], as_index=False)["logit"].mean()
    reals = clips[(clips["label"] == "REAL") & ~clips["still"]]
    told = {}
    for family in families:
        fakes = clips[clips["kind"] == family]
        labels = np.r_[np.ones(len(fakes)), np.zeros(len(reals))]
        if len(fakes):
            told[family] = float(roc_auc_score(labels, np.r_[fakes["logit"], reals["logit"]]))
    return told


def main() -> None:
    options = read_options()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    places = split_places(options.places)
    name = places[0][1].name
    first = TOKEN_BLOCK[name]
    faces = read_faces(places, states=["clean"], blocks=(first, first + 1), kinds=KINDS)
    table = faces.table.reset_index(drop=True)
    tokens = read_tokens(places, table, options.states)
    settings = HeadSettings()
    axes = find_axes(faces.features["clean"], components=settings.components)
    bench = lay_out(faces, axes, fit_states=["clean"])
    options.output.mkdir(parents=True, exist_ok=True)
    for fold, families in enumerate(FOLDS):
        target = options.output / f"{options.tuned}-{fold}.json"
        if target.is_file():
            continue
        held = leave_out(table, families, fold) | table["source"].isin(VALIDATION).to_numpy()
        known = set(zip(*(table[~held][c] for c in ("label", "source")), strict=True))
        units = [
            unit
            for unit in bench.units
            if (("FAKE" if unit.fake else "REAL"), unit.source) in known
            and not (
                unit.fake and name_family(pd.Series({"label": "FAKE", "family": unit.family})) in families
            )
        ]
        head = axes.undo(fit_head(units, settings))
        tower = load_foundation(name, options.wheels)
        spread = torch.from_numpy(faces.features["clean"].std(0) + 1e-3)
        centre = torch.from_numpy(faces.features["clean"].mean(0))
        net = Tuned(tower, first, mean=centre, std=spread, head=head)
        lines = list(train(net, table, tokens, held, families, units=units, options=options))
        with whole_file(target) as draft:
            draft.write_text(json.dumps(lines))


def train(
    net: Tuned,
    table: pd.DataFrame,
    tokens: Tokens,
    held: NDArray[np.bool_],
    families: Sequence[str],
    *,
    units: Sequence,
    options: argparse.Namespace,
) -> Iterator[dict]:
    """Tune, and judge what was left out on the way."""
    kind = table.apply(name_family, axis=1).to_numpy()
    family = table["family"].where(table["label"] == "FAKE", table["source"])
    settings = HeadSettings()
    by_unit = {
        (unit.fake, unit.source, unit.family): weight
        for unit, weight in zip(units, weigh_units(units, power=settings.power), strict=True)
    }
    group = pd.Series(list(zip(table["label"] == "FAKE", table["source"], family, strict=True)))
    clips = table.groupby(["label", "source", family])["clip"].transform("nunique")
    crops = table.groupby("clip")["clip"].transform("size")
    weights = (group.map(by_unit).fillna(0.0) / clips / crops).to_numpy()
    rows = np.flatnonzero(~held & (weights > 0))
    video = (table["label"] == "REAL") & ~table["still"] & ~table["source"].isin(VALIDATION)
    test = np.flatnonzero(held & (video | np.isin(kind, families)).to_numpy())
    for parameter in net.block.parameters():
        parameter.requires_grad_(options.tuned == "all")
    for module in (net.block.norm1, net.block.norm2):
        module.requires_grad_(True)
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in net.block.parameters() if p.requires_grad], "lr": RATES[options.tuned]},
            {"params": net.judge.parameters(), "lr": HEAD_RATE},
        ],
        weight_decay=0.0,
    )
    mean_net = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGE)
    )
    rng = np.random.default_rng(1)
    fake = (table["label"] == "FAKE").to_numpy()
    began, losses = time.monotonic(), []
    batches = draw_batches(table, rows, weights, size=options.batch, seed=0)
    for step, (batch, pairs) in zip(range(options.steps + 1), batches, strict=False):
        if step % options.every == 0:
            line = {
                "step": step,
                "seconds": round(time.monotonic() - began),
                "loss": float(np.mean(losses or [0])),
            }
            for state in options.states:
                some = test[tokens.ready[state][test]]
                logits = judge(mean_net if step else net, tokens, some, state)
                line[state] = tell(table.iloc[some], logits, families)
            losses = []
            print(options.tuned, families, json.dumps(line), flush=True)
            yield line
        states = []
        for row in batch:
            there = [state for state in options.states if tokens.ready[state][row]]
            states.append(there[rng.integers(len(there))])
        for one, other in pairs:  # a fake and its own real are degraded alike
            if tokens.ready[states[one]][batch[other]]:
                states[other] = states[one]
        loss = loss_of(
            net(tokens.take(batch, states)), torch.from_numpy(fake[batch]), pairs, rank=settings.rank
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        mean_net.update_parameters(net)
        losses.append(float(loss))


def judge(net: nn.Module, tokens: Tokens, rows: NDArray[np.int64], state: str) -> NDArray[np.floating]:
    """Logits of some crops in one state, shape (N,)."""
    with torch.inference_mode():
        parts = [
            net(tokens.take(some, [state] * len(some)))
            for some in np.array_split(rows, max(1, len(rows) // 32))
        ]
    return torch.cat(parts).numpy()


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+", metavar="LIST=CACHE", help="as for leave_out.py")
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--tuned", choices=RATES, required=True)
    parser.add_argument("--states", nargs="+", default=["clean"])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()

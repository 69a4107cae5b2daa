"""Whether tuning a foundation network beats the closed-form head on it as it is.

    python recipes/tune.py faces.csv=.data/features/clip_b16 pseudo.csv=.data/features/pseudo/clip_b16 \
        --wheels .data/wheels --tuned norms --minutes 20 -o .data/tune

What is tuned is a row of the table `TUNED`; each has the same time. The head is the closed-form one
(heads.py), fitted to crops as they are and after everyday changes, and is held: it has thousands of weights,
so a rate that moves it at all moves every logit in a few steps. The loss is its own; crops are read anew for
every step, as they are or degraded. Half of the families of fakes and half of the sources of reals are left
out, and all that was left out is judged on the way; line 0 is the closed-form head itself. Stopped, it goes
on with the same command from its last judgement.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import torch
from features import PSEUDO, SIZE_PX, Store, fold_of
from heads import Head, HeadSettings, Unit, find_axes, fit_head, lay_out, weigh_units
from listed import VALIDATION, Faces, name_crops, name_family, read_faces, split_places
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from unmask.files import whole_file
from unmask.lab.models.foundation_net import KINDS, FoundationNet
from unmask.lab.models.foundations import FOUNDATIONS, load_foundation

NETWORK, BLOCKS = "clip_b16", (7, 8, 9)
HALVES = (("live swaps", "lip-sync", "reenacted"), ("talking heads", "other swaps", "generated video"))
"""Families of fakes that are left out together."""
STATES = {"clean": 0.5, "everyday": 0.3, "mild": 0.2}
"""How crops are degraded in training, and how often."""
JUDGED = ("clean", "everyday")
Batch = TypeVar("Batch")
CROPS = 2  # of a clip that was left out, at most
WARM_UP = 20  # steps, or the first ones of Adam are as long as any
AVERAGE = 0.98  # of the weights over steps


class Part(NamedTuple):
    """What of the tower is tuned: norms everywhere, all of its last blocks, and how fast."""

    last_blocks: int
    rate: float


TUNED = {"norms": Part(0, 1e-3), "norms and last four": Part(4, 3e-5), "all": Part(BLOCKS[-1], 2e-5)}


class Tuned(nn.Module):
    """A tower in bfloat16 below a head that is held in float32."""

    def __init__(self, net: FoundationNet, head: Head) -> None:
        super().__init__()
        self.net = net
        head.fill(net.judge)
        net.judge.requires_grad_(requires_grad=False)

    def forward(self, crops: Tensor) -> Tensor:
        """RGB, shape (N, 3, S, S), uint8, to logits, (N,)."""
        with torch.autocast("cpu", torch.bfloat16):
            described = self.net.describe(crops)
        logit: Tensor = self.net.judge(described.float()).squeeze(1)
        return logit


def main() -> None:
    options = read_options()
    torch.set_num_threads(options.threads)
    places = split_places(options.places)
    faces = read_faces(places, states=JUDGED, blocks=BLOCKS, kinds=KINDS)
    table = faces.table.reset_index(drop=True)
    run = Run(table, leave_out(table, options.half), HALVES[options.half], options)
    if not run.done:
        run.start(faces)


def leave_out(table: pd.DataFrame, half: int) -> NDArray[np.bool_]:
    """Which rows take no part: families, and half of the sources of reals with all that came from them."""
    kind = table.apply(name_family, axis=1)
    families = HALVES[half]
    mine = table["source"].map(lambda name: fold_of(name, len(HALVES)) == half)
    live = (table["source"] == "part0") & ("live swaps" in families)
    big = table["source"] == "dfdc_faces"  # stays, or there would be no pairs to learn from
    validation = table["source"].isin(VALIDATION)
    held: NDArray[np.bool_] = ((mine & ~big) | live | kind.isin(families) | validation).to_numpy()
    return held


def rows_to_judge(table: pd.DataFrame, held: NDArray[np.bool_], families: Sequence[str]) -> NDArray[np.int64]:
    """Rows of the real videos that were left out and of the fakes of some families, `CROPS` of a clip."""
    kind = table.apply(name_family, axis=1)
    video = (table["label"] == "REAL") & ~table["still"] & ~table["source"].isin(VALIDATION)
    first = table.groupby("clip").cumcount() < CROPS
    return np.flatnonzero(held & ((video | kind.isin(families)) & first).to_numpy())


class Run:
    """One way of tuning on one half: trains, judges, stores both."""

    def __init__(
        self,
        table: pd.DataFrame,
        held: NDArray[np.bool_],
        families: Sequence[str],
        options: argparse.Namespace,
    ) -> None:
        self.table, self.held, self.families, self.options = table, held, families, options
        self.fake = (table["label"] == "FAKE").to_numpy()
        self.rows: list[dict[str, str]] = table.drop(columns="still").to_dict("records")
        self.store = Store()
        rate = f"-{options.rate:g}" if options.rate else ""
        only = "".join(f"-{source.replace('/', '_')}" for source in options.only or [])
        name = f"{options.tuned.replace(' ', '_')}-{options.half}{rate}{only}"
        self.lines_file = options.output / f"{name}.json"
        self.kept_file = options.output / f"{name}.pt"
        self.lines: list[dict[str, Any]] = (
            json.loads(self.lines_file.read_text()) if self.lines_file.is_file() else []
        )

    @property
    def done(self) -> bool:
        """Whether the last judgement is there."""
        return len(self.lines) > self.options.judgements

    def start(self, faces: Faces) -> None:
        """Train from the closed form, or from where it was."""
        torch.manual_seed(0)
        net, weights = self.build(faces)
        mean_net = follow(net, AVERAGE)
        part = TUNED[self.options.tuned]
        tuned = list(choose_parameters(net.net, part))
        optimiser = torch.optim.AdamW(tuned, lr=self.options.rate or part.rate, weight_decay=0.0)
        ramp = torch.optim.lr_scheduler.LinearLR(optimiser, 1 / WARM_UP, total_iters=WARM_UP)
        step, spent = 0, 0.0
        if self.kept_file.is_file():
            kept = torch.load(self.kept_file, weights_only=True)
            net.load_state_dict(kept["net"])
            mean_net.load_state_dict(kept["mean_net"])
            optimiser.load_state_dict(kept["optimiser"])
            ramp.load_state_dict(kept["ramp"])
            step, spent = kept["step"], kept["seconds"]
        if not self.lines:
            self.judge(net, step, spent)
        losses: list[float] = []
        between = self.options.minutes * 60 / self.options.judgements
        began = time.monotonic() - spent
        for images, fake, pairs in self.draw(weights, first=step):
            loss = loss_of(net(images), fake, pairs, rank=HeadSettings().rank)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            ramp.step()
            mean_net.update_parameters(net)
            losses.append(float(loss.detach()))
            step += 1
            spent = time.monotonic() - began
            if spent >= between * len(self.lines):
                self.judge(mean_net, step, spent, loss=float(np.mean(losses)))
                held = {
                    "net": net.state_dict(), "mean_net": mean_net.state_dict(),
                    "optimiser": optimiser.state_dict(), "ramp": ramp.state_dict(),
                    "step": step, "seconds": spent,
                }  # fmt: skip
                with whole_file(self.kept_file) as draft:
                    torch.save(held, draft)
                losses, began = [], time.monotonic() - spent
                if self.done:
                    break

    def build(self, faces: Faces) -> tuple[Tuned, NDArray[np.float64]]:
        """The network that starts, and how often each row is drawn."""
        head, units = fit_to(faces.only(~self.held))
        tower = load_foundation(NETWORK, self.options.wheels).resized(SIZE_PX)
        foundation = FOUNDATIONS[NETWORK]
        net = FoundationNet(tower, mean=foundation.mean, std=foundation.std, blocks=BLOCKS)
        shares = {
            (unit.fake, unit.source, unit.family): weight
            for unit, weight in zip(units, weigh_units(units, power=HeadSettings().power), strict=True)
        }
        family = self.table["family"].where(self.fake, self.table["source"])
        unit = pd.Series(list(zip(self.fake, self.table["source"], family, strict=True)))
        clips = self.table.groupby(["label", "source", family])["clip"].transform("nunique")
        crops = self.table.groupby("clip")["clip"].transform("size")
        weights = (unit.map(shares).fillna(0.0) / clips / crops).to_numpy() * ~self.held
        if self.options.only:
            weights = weights * self.table["source"].isin(self.options.only).to_numpy()
        return Tuned(net, head), weights

    def draw(
        self, weights: NDArray[np.float64], *, first: int
    ) -> Iterator[tuple[Tensor, Tensor, list[tuple[int, int]]]]:
        """Batches of images, which are fakes, and which places are a fake and its own real."""
        batches = draw_batches(self.table, weights, size=self.options.batch, first=first)

        def read() -> tuple[Tensor, Tensor, list[tuple[int, int]]]:
            rows, states, pairs = next(batches)
            images = read_crops(self.store, [self.rows[row] for row in rows], states)
            return images, torch.from_numpy(self.fake[rows]), pairs

        return read_ahead(read)

    def judge(self, net: nn.Module, step: int, seconds: float, **more: float) -> None:
        """Add a line: AUC of each family that was left out, against the real video that was."""
        rows = rows_to_judge(self.table, self.held, self.families)
        line: dict[str, Any] = {"step": step, "seconds": round(seconds), **more}
        for state in JUDGED:
            logits = judge_crops(net, self.store, [self.rows[row] for row in rows], state)
            line[state] = tell(self.table.iloc[rows], logits, self.families)
        self.lines.append(line)
        with whole_file(self.lines_file) as draft:
            draft.write_text(json.dumps(self.lines, indent=1))
        print(self.options.tuned, json.dumps(line), flush=True)


def fit_to(faces: Faces) -> tuple[Head, Sequence[Unit]]:
    """The closed-form head on crops as they are and after everyday changes, and what it was fitted to."""
    settings = HeadSettings()
    axes = find_axes(np.concatenate(list(faces.features.values())), components=settings.components)
    units = lay_out(faces, axes, fit_states=JUDGED).units
    return axes.undo(fit_head(units, settings)), units


def follow(net: nn.Module, share: float) -> torch.optim.swa_utils.AveragedModel:
    """A network whose weights are a moving average of another's, of which a step keeps so much."""
    average = torch.optim.swa_utils.get_ema_multi_avg_fn(share)
    return torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=average)


def read_crops(store: Store, rows: Sequence[dict[str, str]], states: Sequence[str]) -> Tensor:
    """Crops, each in a state of its own, shape (N, 3, S, S), uint8."""
    images = np.stack([store.read(row, state) for row, state in zip(rows, states, strict=True)])
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def read_ahead(read: Callable[[], Batch]) -> Iterator[Batch]:
    """What a function gives, again and again, the next while the last is worked on."""
    with ThreadPoolExecutor(1) as pool:
        ready = pool.submit(read)
        while True:
            batch = ready.result()
            ready = pool.submit(read)
            yield batch


def judge_crops(
    judge: Callable[[Tensor], Tensor], store: Store, rows: Sequence[dict[str, str]], state: str
) -> NDArray[np.floating]:
    """Logits of crops in one state, shape (N,)."""
    with torch.inference_mode():
        parts = [
            judge(read_crops(store, rows[first : first + 32], [state] * len(rows[first : first + 32])))
            for first in range(0, len(rows), 32)
        ]
    return torch.cat(parts).numpy()


def choose_parameters(net: FoundationNet, part: Part) -> Iterator[nn.Parameter]:
    """What is tuned; all else of the tower is held."""
    net.tower.requires_grad_(False)
    blocks = list(net.tower.blocks)[: net.taken[-1]]
    for number, block in enumerate(blocks):
        for module in block.modules():
            if number >= len(blocks) - part.last_blocks or isinstance(module, nn.LayerNorm):
                module.requires_grad_(True)
        yield from (parameter for parameter in block.parameters() if parameter.requires_grad)


def draw_batches(
    table: pd.DataFrame, weights: NDArray[np.float64], *, size: int, first: int
) -> Iterator[tuple[list[int], list[str], list[tuple[int, int]]]]:
    """Rows of a batch, half fakes, their states, and which places in it are a fake and its own real."""
    label, family = table["label"].to_numpy(), table["family"].to_numpy()
    names, paired = (name_crops(table, column).to_numpy() for column in ("key", "pair"))
    usable = np.flatnonzero(weights > 0)
    real_at = {names[row]: int(row) for row in usable if label[row] == "REAL"}
    kinds = {word: usable[label[usable] == word] for word in ("FAKE", "REAL")}
    step = first
    while True:
        rng = np.random.default_rng(step)
        fakes, reals = (
            rng.choice(some, size // 2, p=weights[some] / weights[some].sum()) for some in kinds.values()
        )
        rows, pairs = [int(row) for row in fakes], []
        states = list(rng.choice(list(STATES), size, p=list(STATES.values())))
        for place, row in enumerate(list(rows)):
            if family[row] != PSEUDO and paired[row] in real_at:
                pairs.append((place, len(rows)))
                states[len(rows)] = states[place]  # a fake and its own real are degraded alike
                rows.append(real_at[paired[row]])
        rows += [int(row) for row in reals[: size - len(rows)]]
        yield rows, states, pairs
        step += 1


def loss_of(logits: Tensor, fake: Tensor, pairs: Sequence[tuple[int, int]], *, rank: float) -> Tensor:
    """What the closed form minimises: the distance from 1 and -1, and of each pair's difference from 2."""
    even = torch.where(fake, 0.5 / fake.sum(), 0.5 / (~fake).sum())
    loss = (even * (logits - torch.where(fake, 1.0, -1.0)) ** 2).sum()
    if pairs:
        first, second = torch.tensor(pairs).T
        loss = loss + rank * ((logits[first] - logits[second] - 2) ** 2).mean()
    return loss


def tell(table: pd.DataFrame, logits: NDArray[np.floating], families: Sequence[str]) -> Mapping[str, float]:
    """AUC of each family that was left out, against the real video that was, by clip."""
    frame = table.assign(kind=table.apply(name_family, axis=1), logit=logits)
    clips = frame.groupby(["clip", "label", "kind"], as_index=False)["logit"].mean()
    reals = clips[clips["label"] == "REAL"]
    told = {}
    for family in families:
        fakes = clips[clips["kind"] == family]
        labels = np.r_[np.ones(len(fakes)), np.zeros(len(reals))]
        if len(fakes):
            told[family] = round(float(roc_auc_score(labels, np.r_[fakes["logit"], reals["logit"]])), 3)
    return told


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+", metavar="LIST=CACHE", help="as for leave_out.py")
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--tuned", choices=TUNED, required=True)
    parser.add_argument("--half", type=int, choices=range(len(HALVES)), default=0, help="which is left out")
    parser.add_argument("--minutes", type=float, default=20, help="of training")
    parser.add_argument("--only", nargs="*", metavar="SOURCE", help="learn from these alone")
    parser.add_argument("--judgements", type=int, default=2, help="on the way, the last at the end")
    parser.add_argument("--rate", type=float, help="of learning, instead of the one in the table")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    main()

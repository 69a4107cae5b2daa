"""Whether a small network can say of a face what the head on a foundation network says.

    python recipes/distil.py faces.csv=.data/features/clip_b16 stills.csv=.data/features/stills/clip_b16 \
        --minutes 30 -o .data/distilled

The teacher is the closed-form head (heads.py); its logits of all crops, as they are and after everyday
changes, come out of the cache. The student, an EfficientNet-Lite0 with ImageNet's weights, learns them from
the crops. As in tune.py half of the families and sources are left out, of teacher and student alike, and both
are judged on them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from features import Store
from listed import Faces, read_faces, split_places
from torch import Tensor, nn
from tune import (
    BLOCKS,
    HALVES,
    JUDGED,
    fit_to,
    follow,
    judge_crops,
    leave_out,
    read_ahead,
    read_crops,
    rows_to_judge,
    tell,
)

from unmask.files import whole_file
from unmask.lab.models.foundation_net import KINDS
from unmask.lab.models.frame_net import FrameNet

RATE = 3e-4
BATCH = 32
AVERAGE = 0.99  # of the weights over steps


def main() -> None:
    options = read_options()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    faces = read_faces(split_places(options.places), states=JUDGED, blocks=BLOCKS, kinds=KINDS)
    table = faces.table.reset_index(drop=True)
    held = leave_out(table, options.half)
    teacher = teach(faces, held)
    net = FrameNet("lite0")
    net.fold_norms()
    net.train()
    mean_net = follow(net, AVERAGE)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-4)
    rows = table.drop(columns="still").to_dict("records")
    began, losses = time.monotonic(), []
    for images, wanted in draw(rows, teacher, np.flatnonzero(~held)):
        left = 1 - (time.monotonic() - began) / (options.minutes * 60)
        if left <= 0:
            break
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, 4 * left)  # cools down in the last quarter
        loss = nn.functional.mse_loss(net(images).logit, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        mean_net.update_parameters(net)
        losses.append(float(loss.detach()))
    told = {"steps": len(losses), "loss": float(np.mean(losses[-50:]))}
    judged = rows_to_judge(table, held, HALVES[options.half])
    mean_net.eval()
    store = Store()
    for state in JUDGED:
        chosen = [rows[row] for row in judged]
        student = judge_crops(lambda crops: mean_net(crops).logit, store, chosen, state)
        told[state] = {
            "student": tell(table.iloc[judged], student, HALVES[options.half]),
            "teacher": tell(table.iloc[judged], teacher[state][judged], HALVES[options.half]),
            "correlation": round(float(np.corrcoef(student, teacher[state][judged])[0, 1]), 3),
        }
    print(json.dumps(told, indent=1))
    options.output.mkdir(parents=True, exist_ok=True)
    with whole_file(options.output / f"{options.half}.json") as draft:
        draft.write_text(json.dumps(told, indent=1))
    with whole_file(options.output / f"{options.half}.pt") as draft:
        torch.save(mean_net.module.state_dict(), draft)


def teach(faces: Faces, held: np.ndarray) -> dict[str, np.ndarray]:
    """What a head that was fitted without some crops says of all, by state, standardised."""
    head, _ = fit_to(faces.only(~held))
    said = {state: head(features) for state, features in faces.features.items()}
    seen = np.concatenate([logits[~held] for logits in said.values()])
    return {s: ((logits - seen.mean()) / seen.std()).astype(np.float32) for s, logits in said.items()}


def draw(
    rows: list[dict[str, str]], teacher: dict[str, np.ndarray], ours: np.ndarray
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of crops in either state, half of them mirrored, and what the teacher says of them."""
    store, rng = Store(), np.random.default_rng(0)

    def read() -> tuple[Tensor, Tensor]:
        some, states = rng.choice(ours, BATCH), rng.choice(JUDGED, BATCH)
        images = read_crops(store, [rows[row] for row in some], states)
        mirrored = torch.from_numpy(rng.random(BATCH) < 0.5)
        images[mirrored] = images[mirrored].flip(-1)
        wanted = np.array([teacher[state][row] for row, state in zip(some, states, strict=True)])
        return images, torch.from_numpy(wanted)

    return read_ahead(read)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+", metavar="LIST=CACHE", help="as for leave_out.py")
    parser.add_argument("--half", type=int, choices=range(len(HALVES)), default=0, help="which is left out")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()

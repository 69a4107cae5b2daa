"""Features of frozen foundation networks for every labelled face, kept for heads that are fitted in seconds.

    python recipes/features.py choose faces.csv .data/dfdc_faces .data/real_videos=real_videos.csv ...
    python recipes/features.py forge faces.csv pseudo.csv
    python recipes/features.py draw faces.csv drawn.csv
    python recipes/features.py encode faces.csv clip_b16 --wheels .data/wheels -o .data/features

`choose` lists crops of the largest person of each clip, spread over it, from folders of `unmask extract`; the
index that a folder was extracted from (recipes/index_sources.py) says family and attributes. Where a fake has
its own original in the list, it is its pair. `encode` writes, for every crop as it is and in degraded states,
the class token and mean and spread of the patches behind each block, and all tokens behind one block, from
which training can go on. It may be stopped at any moment and goes on with the same command. The list is
shuffled, so what is encoded so far speaks for all of it. How to ask the features: recipes/leave_out.py.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from unmask.faces.crop import scale_square
from unmask.files import whole_file
from unmask.lab.crops.samples import Sample
from unmask.lab.crops.shards import CropReader, read_index
from unmask.lab.forge.augment import (
    Operation,
    apply_chain,
    draw_codec,
    draw_degradation,
    draw_everyday,
    draw_harsh_degradation,
)
from unmask.lab.forge.blend import blend_self
from unmask.lab.forge.draw import draw_face
from unmask.lab.models.foundation_net import describe_tokens
from unmask.lab.models.foundations import FOUNDATIONS, load_foundation
from unmask.lab.models.vit import VisionTransformer
from unmask.types import Floats, Image

COLUMNS = (
    "key", "folder", "number", "label", "source", "family", "group", "original", "clip", "pair", "attributes",
)  # fmt: skip
STATES = ("clean", "mild", "harsh", "everyday")
SIZE_PX = 224
CHUNK = 64  # crops in one file of the cache
FIRST_BLOCK = {"dinov2_s": 5, "clip_b16": 6}
LAST_BLOCK = {"dinov2_s": 10, "clip_b16": 9}  # what lies behind the ninth does worse (docs/lab/strangers.md)
TOKEN_BLOCK = {"dinov2_s": 0, "clip_b16": 8}  # 0 keeps none
PSEUDO = "pseudo"  # family of pseudo-fakes
DRAWN = "drawn"  # family of crops that are made to look drawn


def choose(options: argparse.Namespace) -> None:
    """Write the list of crops."""
    rows: list[dict[str, str]] = []
    for place in options.folders:
        folder, _, index = place.partition("=")
        rows += list(list_crops(Path(folder), Path(index) if index else None, crops=options.crops))
    if options.most_pairs:
        rows = thin_pairs(rows, options.most_pairs)
    if options.most:
        rows = cap_sources(rows, options.most)
    write_list(rows, options.list)


def forge(options: argparse.Namespace) -> None:
    """Write the list of pseudo-fakes of a list's reals: some crops a clip, at most so many a source."""
    store = Store()
    rows = [row for row in read_list(options.list) if row["label"] == "REAL" and store.has_points(row)]
    by_clip: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: in_no_order(row["key"], row["number"])):
        by_clip[row["clip"]].append(row)
    made = [
        row | {"label": "FAKE", "family": PSEUDO, "pair": row["key"], "clip": f"{row['clip']} {PSEUDO}"}
        for clip in by_clip.values()
        for row in clip[: options.crops]
    ]
    write_list(cap_sources(made, options.most), options.pseudo)


def draw(options: argparse.Namespace) -> None:
    """Write the list of drawn versions of a list's crops, at most so many a source."""
    rows = [row for row in read_list(options.list) if row["source"] not in options.without]
    seen: Counter[str] = Counter()
    kept = []
    for row in sorted(rows, key=lambda row: in_no_order(row["key"], row["number"], DRAWN)):
        seen[row["source"]] += 1
        if seen[row["source"]] <= options.each:
            kept.append(
                row | {"label": "FAKE", "family": DRAWN, "pair": "", "clip": f"{row['clip']} {DRAWN}"}
            )
    write_list(kept[: options.most], options.drawn)


def in_no_order(*words: str) -> str:
    """What to sort by so that any part of a list speaks for the whole, the same each time."""
    return hashlib.sha256("/".join(words).encode()).hexdigest()


def fold_of(name: str, folds: int) -> int:
    """Which of so many folds a name belongs to, the same each time."""
    return int(in_no_order(name), 16) % folds


def read_list(file: Path) -> list[dict[str, str]]:
    """The rows that `write_list` wrote."""
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def write_list(rows: Sequence[dict[str, str]], target: Path) -> None:
    """Write a list of crops, shuffled; those of one original stay together, so that pairs do."""
    ordered = sorted(rows, key=lambda row: (in_no_order(row["original"], row["number"]), row["key"]))
    with whole_file(target) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(ordered)
    frame = pd.DataFrame(ordered)
    print(frame.groupby(["label", "source"])["clip"].agg(["nunique", "size"]).to_string())
    print(f"{len(frame)} crops of {frame['clip'].nunique()} clips from {frame['source'].nunique()} sources")


def list_crops(folder: Path, index: Path | None, *, crops: int) -> Iterator[dict[str, str]]:
    """Rows for the largest person of each clip of a folder, ``crops`` of them spread over the clip."""
    known = {} if index is None else pd.read_csv(index, dtype=str, keep_default_na=False).set_index("name")
    largest: dict[str, Sample] = {}
    for sample in read_index(folder):
        clip = sample.video or sample.key
        if clip not in largest or _size(sample) > _size(largest[clip]):
            largest[clip] = sample
    keys = {sample.key for sample in largest.values()}
    for clip, sample in largest.items():
        row = known.loc[clip] if len(known) and clip in known.index else {}
        paired = sample.original != sample.key and sample.original in keys
        spread = np.linspace(0, len(sample) - 1, min(crops, len(sample)))
        for number in np.unique(spread.round().astype(int)):
            yield {
                "key": sample.key, "folder": str(folder), "number": str(number),
                "label": sample.label or "REAL",
                "source": sample.source, "family": row.get("family", sample.source),
                "group": f"{sample.source}/{sample.identity}", "original": sample.original, "clip": clip,
                "pair": sample.original if paired else "", "attributes": row.get("attributes", ""),
            }  # fmt: skip


def _size(sample: Sample) -> float:
    return float(len(sample) * np.sqrt(np.median(np.prod(sample.boxes[:, 2:] - sample.boxes[:, :2], 1))))


def thin_pairs(rows: Sequence[dict[str, str]], most: int) -> list[dict[str, str]]:
    """At most so many originals of a folder of paired pictures, each with one of its fakes."""
    fakes: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        if row["pair"] and row["number"] == "0":
            fakes[row["pair"]].append(row)
    crowded = {folder for folder, count in Counter(r["folder"] for r in rows).items() if count > 10 * most}
    kept = [row for row in rows if row["folder"] not in crowded]
    for folder in crowded:
        reals = [row for row in rows if row["folder"] == folder and row["key"] in fakes]
        for real in sorted(reals, key=lambda row: in_no_order(row["key"]))[:most]:
            kept += [real, min(fakes[real["key"]], key=lambda row: in_no_order(row["key"]))]
    return kept


def cap_sources(rows: Sequence[dict[str, str]], most: int) -> list[dict[str, str]]:
    """At most so many crops of a source that has no pairs, drawn by hash."""
    ordered = sorted(rows, key=lambda row: in_no_order(row["key"], row["number"]))
    paired = {row["source"] for row in rows if row["pair"] and row["family"] != PSEUDO}
    seen: dict[str, int] = defaultdict(int)
    kept = []
    for row in ordered:
        seen[row["source"]] += 1
        if row["source"] in paired or seen[row["source"]] <= most:
            kept.append(row)
    return kept


def encode(options: argparse.Namespace) -> None:
    """Fill the cache, chunk by chunk, each in all states, so that states can be compared early."""
    rows = read_list(options.list)
    name = options.network
    net = load_foundation(name, options.wheels).resized(SIZE_PX)
    torch.set_float32_matmul_precision("medium")  # bfloat16: features move by 0.1 % of their spread
    store = Store()
    digest = hashlib.sha256(options.list.read_bytes()).hexdigest()
    left = [
        (first, state, target)
        for first in range(0, len(rows), CHUNK)
        for state in options.states
        if not (target := options.output / name / state / f"{first // CHUNK:05d}.npz").is_file()
    ]
    began, done = time.monotonic(), 0
    for number, (first, state, target) in enumerate(left, start=1):
        part = rows[first : first + CHUNK]
        arrays = encode_rows(part, net, name, state=state, store=store)
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(target) as draft, draft.open("wb") as file:
            keys = [f"{row['key']}/{row['number']}" for row in part]
            np.savez(file, list=digest, size_px=SIZE_PX, keys=keys, **arrays)
        done += len(part)
        rate = done / (time.monotonic() - began)
        at = f"{name} {state}: {first + len(part)} of {len(rows)}"
        print(
            f"{at}, {rate:.2f} a second, {(len(left) - number) * CHUNK / rate / 60:.0f} min left", flush=True
        )


def encode_rows(
    rows: Sequence[dict[str, str]], net: VisionTransformer, name: str, *, state: str, store: Store
) -> dict[str, np.ndarray]:
    """Features of some crops as float16: ``blocks`` (N, blocks, 3 kinds, width), ``tokens`` (N, T, width)."""
    foundation = FOUNDATIONS[name]
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (foundation.mean, foundation.std))
    images = np.stack([store.read(row, state) for row in rows])
    blocks, tokens = [], []
    with torch.inference_mode():
        for batch in torch.from_numpy(images).split(8):
            pixels = (batch.permute(0, 3, 1, 2).float() / 255 - mean) / std
            found = []
            for number, behind in enumerate(net.tokens(pixels, blocks=LAST_BLOCK[name]), start=1):
                if number >= FIRST_BLOCK[name]:
                    found.append(describe_tokens(behind))
                if number == TOKEN_BLOCK[name]:
                    tokens.append(behind.half().numpy())
            blocks.append(torch.stack(found, 1).half().numpy())
    arrays = {"blocks": np.concatenate(blocks)}
    return {**arrays, "tokens": np.concatenate(tokens)} if tokens else arrays


class Store:
    """Reads listed crops out of several folders of shards."""

    def __init__(self) -> None:
        self._folders: dict[str, tuple[CropReader, dict[str, Sample]]] = {}

    def has_points(self, row: dict[str, str]) -> bool:
        """Whether the key points of a crop are known, without which nothing can be blended."""
        _, sample = self._find(row)
        return sample.has_points

    def read(self, row: dict[str, str], state: str) -> Image:
        """A crop as a scan with a margin of 0 cuts it, (S, S, 3), S `SIZE_PX`; pairs are degraded alike."""
        reader, sample = self._find(row)
        stored, points = reader.read(sample, int(row["number"]))
        if row["family"] == PSEUDO:
            stored = make_pseudo_fake(
                stored, points, seed=zlib.crc32(f"{row['key']}/{row['number']}".encode())
            )
        if row["family"] == DRAWN:
            seed = zlib.crc32(f"{row['key']}{row['number']}".encode())
            own = self.read(row | {"family": ""}, state)
            return draw_face(own, np.random.default_rng(seed))
        crop = cut_centre(stored, margin=sample.margin_fraction)
        seed = zlib.crc32(f"{row['original']}/{row['number']}/{state}".encode())
        crop = apply_chain(crop, degrade(np.random.default_rng(seed), state, size_px=len(crop)))
        return scale_square(crop, size_px=SIZE_PX)

    def _find(self, row: dict[str, str]) -> tuple[CropReader, Sample]:
        name = row["folder"]
        if name not in self._folders:
            samples = {sample.key: sample for sample in read_index(Path(name))}
            self._folders[name] = CropReader(Path(name)), samples
        reader, samples = self._folders[name]
        return reader, samples[row["key"]]


def cut_centre(stored: Image, *, margin: float) -> Image:
    """The face of a crop with a margin, pixel by pixel: scaled by as little as one, it would be blurred.

    Its side is even, as codecs want it, and within a pixel of the box.
    """
    side = 2 * round(len(stored) / (1 + margin) / 2)
    start = (len(stored) - side) // 2
    return stored[start : start + side, start : start + side]


def make_pseudo_fake(image: Image, points: Floats, *, seed: int) -> Image:
    """A crop with a copy of its own face, altered and blended back."""
    return blend_self(image, points, np.random.default_rng(seed), copy=image).fake


def degrade(rng: np.random.Generator, state: str, *, size_px: int) -> list[Operation]:
    """What happens to a crop, at its own size, before it is scaled."""
    if state == "clean":
        return []
    if state == "mild":
        return [*draw_degradation(rng, size_px=size_px, rescaled_share=0.4), *draw_codec(rng)]
    if state == "everyday":
        return draw_everyday(rng)
    return [*draw_harsh_degradation(rng, size_px=size_px), *draw_codec(rng)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    first = commands.add_parser("choose", help="list the crops")
    first.add_argument("list", type=Path, help="the list to write, .csv")
    first.add_argument("folders", nargs="+", metavar="FOLDER[=INDEX]", help="folders of unmask extract")
    first.add_argument("--crops", type=int, default=6, help="of each clip")
    first.add_argument("--most-pairs", type=int, default=0, help="of a large folder of paired pictures")
    first.add_argument("--most", type=int, default=0, help="crops of a source without pairs")
    first.set_defaults(run=choose)
    between = commands.add_parser("forge", help="list pseudo-fakes of a list's reals")
    between.add_argument("list", type=Path)
    between.add_argument("pseudo", type=Path, help="the list to write, .csv")
    between.add_argument("--crops", type=int, default=3, help="of each clip")
    between.add_argument("--most", type=int, default=300, help="crops of a source")
    between.set_defaults(run=forge)
    drawing = commands.add_parser("draw", help="list drawn versions of a list's crops")
    drawing.add_argument("list", type=Path)
    drawing.add_argument("drawn", type=Path, help="the list to write, .csv")
    drawing.add_argument("--each", type=int, default=28, help="crops of a source")
    drawing.add_argument("--most", type=int, default=720, help="crops in all")
    drawing.add_argument("--without", nargs="*", default=["part1"], help="sources that are passed over")
    drawing.set_defaults(run=draw)
    second = commands.add_parser("encode", help="fill the cache")
    second.add_argument("list", type=Path)
    second.add_argument("network", choices=sorted(FOUNDATIONS))
    second.add_argument("--wheels", type=Path, required=True, help="where the wheels lie")
    second.add_argument("-o", "--output", type=Path, required=True)
    second.add_argument("--states", nargs="+", choices=STATES, default=list(STATES))
    second.set_defaults(run=encode)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()

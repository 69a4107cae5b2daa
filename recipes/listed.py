"""Listed faces with their features, as recipes/features.py cached them, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from features import FIRST_BLOCK, PSEUDO, SIZE_PX
from numpy.typing import NDArray

from unmask.errors import DataError
from unmask.lab.models.foundation_net import KINDS

VALIDATION = ("part1",)  # sources that nothing may be fitted to or chosen on
UNCHOSEN = ("generated stills", "live swaps, validation")  # families outside of the mean that chooses
FAMILIES = {
    "dfdc_faces": "DFDC", "part0": "live swaps", "part1": "live swaps, validation",
    "swap_": "other swaps", "lip_": "lip-sync", "reenact_": "reenacted",
    "talk_": "talking heads", "video_": "generated video", "synth_": "generated stills", PSEUDO: PSEUDO,
}  # fmt: skip

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Faces:
    """Listed crops with their features.

    Attributes:
        table: One row a crop: key, number, label, source, family, clip, pair, ..., and ``still`` where it is
            all there is of its clip.
        features: By state, shape (N, D), float32.
    """

    table: pd.DataFrame
    features: Mapping[str, Floats]

    def only(self, kept: NDArray[np.bool_]) -> Faces:
        """Some of them, numbered anew."""
        features = {state: values[kept] for state, values in self.features.items()}
        return Faces(self.table[kept].reset_index(drop=True), features)


def split_places(words: Sequence[str]) -> list[tuple[Path, Path]]:
    """Lists and their caches, as they are given to a script: LIST=CACHE.

    >>> split_places(["faces.csv=clip_b16"])
    [(PosixPath('faces.csv'), PosixPath('clip_b16'))]
    """
    return [(Path(listing), Path(cache)) for listing, cache in (word.split("=") for word in words)]


def read_faces(
    places: Sequence[tuple[Path, Path]], *, states: Sequence[str], blocks: Sequence[int], kinds: Sequence[str]
) -> Faces:
    """What the caches hold of their lists; crops that are not encoded yet in every state are left out.

    Args:
        places: Lists and their caches, of features.py; the last part of a cache's path names the network.
        states: Such as ``clean``.
        blocks: Whose features are taken, side by side.
        kinds: Such as ``class``.

    Raises:
        DataError: Somebody belongs to two sources, or features are of crops of another size.
    """
    read = [
        _read_list(listing, cache, states=states, blocks=blocks, kinds=kinds) for listing, cache in places
    ]
    table = pd.concat([faces.table for faces in read], ignore_index=True)
    check_sources(table)
    return Faces(
        table, {state: np.concatenate([faces.features[state] for faces in read]) for state in states}
    )


def check_sources(table: pd.DataFrame) -> None:
    """See to it that whoever is left out with a source is left out altogether.

    Raises:
        DataError: Somebody belongs to two sources.
    """
    sources = table.groupby("group")["source"].unique()
    for group, names in sources[sources.map(len) > 1].items():
        raise DataError(
            f"a source is left out with all its people, but {group} is in {' and in '.join(sorted(names))}; "
            "list them under one source"
        )


def _read_list(
    listing: Path, cache: Path, *, states: Sequence[str], blocks: Sequence[int], kinds: Sequence[str]
) -> Faces:
    table = pd.read_csv(listing, dtype=str, keep_default_na=False)
    table["still"] = table.groupby("clip")["number"].transform("size") == 1
    table.index = pd.Index(name_crops(table))
    chunks = {state: {int(f.stem): f for f in (cache / state).glob("*.npz")} for state in states}
    ready = sorted(set.intersection(*(set(found) for found in chunks.values())))
    features: dict[str, list[Floats]] = {state: [] for state in states}
    keys: list[str] = []
    taken = np.ix_([b - FIRST_BLOCK[cache.name] for b in blocks], [KINDS.index(kind) for kind in kinds])
    for number in ready:
        for state in states:
            with np.load(chunks[state][number]) as held:
                check_size(chunks[state][number], held)
                part = held["blocks"][:, *taken]
                features[state].append(part.reshape(len(part), -1).astype(np.float32))
                if state == states[0]:
                    keys += held["keys"].tolist()
    return Faces(table.loc[keys], {state: np.concatenate(parts) for state, parts in features.items()})


def name_crops(table: pd.DataFrame, column: str = "key") -> pd.Series:
    """What caches call each crop; by the column ``pair`` what they call that of its other side."""
    return table[column] + "/" + table["number"]


def check_size(file: Path, held: Mapping[str, NDArray[Any]]) -> None:
    """See to it that features are of crops as large as the model that is made of them will see.

    Raises:
        DataError: They are of another size, or say none.
    """
    size_px = int(held["size_px"]) if "size_px" in held else None
    if size_px != SIZE_PX:
        told = "an unknown size" if size_px is None else f"{size_px} px"
        raise DataError(
            f"{file}: features must be of crops of {SIZE_PX} px, these are of {told}; "
            "remove its folder and encode the list again with recipes/features.py"
        )


def name_family(row: pd.Series) -> str:
    """The family of a fake, in words; that of a real is ``real``."""
    if row["label"] != "FAKE":
        return "real"
    return next((word for start, word in FAMILIES.items() if row["family"].startswith(start)), row["family"])


def by_clip(judged: pd.DataFrame, state: str, *, more: Sequence[str] = ()) -> pd.DataFrame:
    """One row a clip with its mean logit and the kind of its fake.

    Args:
        judged: Of `judge_left_out`.
        state: Whose logits.
        more: Columns that are kept besides.
    """
    frame = judged.assign(kind=judged.apply(name_family, axis=1), logit=judged[f"logit_{state}"])
    columns = ["clip", "label", "source", "kind", "still", *more]
    return frame.groupby(columns, as_index=False)["logit"].mean()

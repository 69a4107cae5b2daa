"""How faces of DFDC are judged by heads that learned from other faces of it, not of the same originals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from features import PSEUDO, fold_of
from heads import Axes, Bench, HeadSettings, fit_head, gather_units
from listed import VALIDATION, Faces
from numpy.typing import NDArray
from promise import auc, over_sources

from unmask.judge.card import Score

SOURCE = "dfdc_faces"
HALVES = 2  # of its originals; a fake is on the side of its own


def measure_other_pairs(
    bench: Bench, pairs: Faces | None, axes: Axes, settings: HeadSettings
) -> dict[str, Score]:
    """AUC and share of pairs in the right order, each picture judged by a head that saw the other half alone.

    Args:
        bench: What is fitted to and judged.
        pairs: More pairs, for the head of paired sources alone; they are not judged.
        axes: Of the features.
        settings: Of the heads.
    """
    state = next(iter(bench.turned))
    used = [(bench.table, list(bench.turned.values()), False)]
    if pairs is not None:
        used.append((pairs.table, [axes.of(pairs.features[state])], True))
    sides = [side_of(table) for table, *_ in used]
    others = [unit for unit in bench.units if unit.source not in {SOURCE, *VALIDATION}]
    judged = []
    for half in range(HALVES):
        units = list(others)
        for (table, states, beside), side in zip(used, sides, strict=True):
            seen = (side >= 0) & (side != half)
            units += gather_units(table[seen], [features[seen] for features in states], beside=beside)
        mine = sides[0] == half
        logit = fit_head(units, settings)(bench.turned[state][mine])
        judged.append(bench.table[mine].assign(logit=logit))
    found = pd.concat(judged)
    if found["label"].nunique() < 2:
        return {}
    logits = found.groupby("key")["logit"].mean()
    fakes = found[(found["label"] == "FAKE") & found["pair"].isin(logits.index)].drop_duplicates("key")
    above = fakes.assign(above=logits[fakes["key"]].to_numpy() > logits[fakes["pair"]].to_numpy())
    return {
        "other_DFDC_faces_auc": over_sources(found, auc),
        "other_DFDC_faces_pairs": over_sources(above, lambda drawn: float(drawn["above"].mean())),
    }


def side_of(table: pd.DataFrame) -> NDArray[np.int64]:
    """Of each row the half that its original belongs to, -1 where it is none of the source."""
    ours = table["source"].eq(SOURCE) & table["family"].ne(PSEUDO)
    half = table["original"].map(lambda original: fold_of(original, HALVES))
    return half.where(ours, -1).to_numpy(np.int64)

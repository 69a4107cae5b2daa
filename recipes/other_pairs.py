"""How faces of DFDC are judged by heads that learned from other faces of it, not of the same originals."""

from __future__ import annotations

import pandas as pd
from features import PSEUDO, in_no_order
from heads import VALIDATION, Axes, Bench, Faces, HeadSettings, fit_head, gather_units
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
    turned = [(bench.table, [bench.turned[name] for name in bench.turned], False)]
    if pairs is not None:
        turned.append((pairs.table, [axes.of(pairs.features[state])], True))
    others = [unit for unit in bench.units if unit.source not in {SOURCE, *VALIDATION}]
    judged = []
    for half in range(HALVES):
        units = list(others)
        for table, states, beside in turned:
            ours = table["source"].eq(SOURCE) & table["family"].ne(PSEUDO)
            seen = (ours & table["original"].map(side_of).ne(half)).to_numpy()
            units += gather_units(table[seen], [features[seen] for features in states], beside=beside)
        table, states, _ = turned[0]
        ours = table["source"].eq(SOURCE) & table["family"].ne(PSEUDO)
        mine = (ours & table["original"].map(side_of).eq(half)).to_numpy()
        judged.append(table[mine].assign(logit=fit_head(units, settings)(states[0][mine])))
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


def side_of(original: str) -> int:
    """Which half an original belongs to."""
    return int(in_no_order(original), 16) % HALVES

"""A head that tells faces that look drawn, on the features of recipes/heads.py."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from features import PSEUDO, fold_of
from heads import Head, find_axes, solve, with_one
from listed import VALIDATION, Faces, Floats
from promise import over_sources

from unmask.judge.card import Score

RIDGE = 0.3
FOLDS, COMPONENTS = 5, 512  # of sources and of features


class Drawn(NamedTuple):
    """What tells faces that look drawn, from where on, and how well."""

    head: Head
    at_least: float
    scores: dict[str, Score]


def tell_drawn(faces: Faces, made: Faces) -> Drawn:
    """Fit to all crops, and choose from where on a face is called drawn by sources left out.

    That is the lowest tenth that no photographed clip reaches, real or fake, in any state: a smoothed face is
    not drawn. The axes are those of photographed and drawn faces together: on those of photographed ones
    alone the two lie nearer to each other.
    """
    first = next(iter(faces.features))
    kept = ~faces.table["family"].eq(PSEUDO) & ~faces.table["source"].isin(VALIDATION)
    table = pd.concat([faces.table[kept].assign(state=state) for state in faces.features])
    features = np.concatenate([faces.features[state][kept.to_numpy()] for state in faces.features])
    both = np.concatenate([features, made.features[first]])
    axes = find_axes(both, components=COMPONENTS, most=len(both))
    features, drawn = axes.of(features), axes.of(made.features[first])
    sources, names = pd.factorize(table["source"])
    home = {name: fold_of(name, FOLDS) for name in names}
    photo_fold, drawn_fold = (some["source"].map(home).to_numpy() for some in (table, made.table))
    photo, sketch = np.empty(len(features)), np.empty(len(drawn))
    for fold in range(FOLDS):
        head = fit_drawn(features[photo_fold != fold], sources[photo_fold != fold], drawn[drawn_fold != fold])
        photo[photo_fold == fold] = head(features[photo_fold == fold])
        sketch[drawn_fold == fold] = head(drawn[drawn_fold == fold])
    columns = ["clip", "label", "source", "state"]
    clips = table.assign(called=photo).groupby(columns, as_index=False)["called"].mean()
    at_least = float(np.floor(clips["called"].max() * 10 + 1) / 10)
    scores = {
        "photographs_called_drawn": over_sources(
            clips, lambda some: float((some["called"] >= at_least).mean())
        ),
        "made_drawings_found": over_sources(
            made.table.assign(called=sketch), lambda some: float((some["called"] >= at_least).mean())
        ),
    }
    return Drawn(axes.undo(fit_drawn(features, sources, drawn)), at_least, scores)


def fit_drawn(features: Floats, sources: Floats, drawn: Floats, *, ridge: float = RIDGE) -> Head:
    """A head that tells faces that look drawn from photographed ones, real or fake, by least squares.

    Args:
        features: Of photographed crops, shape (N, D).
        sources: Of each crop the number of its source, shape (N,); a source counts by the root of its crops.
        drawn: Features of drawn ones, shape (M, D).
        ridge: As in `HeadSettings`.
    """
    share = 1 / np.sqrt(np.bincount(sources)[sources])
    weights = np.r_[0.5 * share / share.sum(), np.full(len(drawn), 0.5 / len(drawn))]
    rows = with_one(np.concatenate([features, drawn]), 1.0)
    square = (rows * weights[:, None]).T @ rows
    wanted = (rows * weights[:, None]).T @ np.repeat([-1.0, 1.0], [len(features), len(drawn)])
    return solve(square, wanted, ridge=ridge)

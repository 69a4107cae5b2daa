"""Does the container give the label away? How well a small tree does that sees container fields only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unmask.errors import MissingExtraError
from unmask.lab.datasets.video_index import clip_of, usable

if TYPE_CHECKING:
    from pandas import DataFrame

FIELDS = (
    "size_bytes", "bytes_per_second", "duration_seconds", "fps", "frames", "width", "height", "rotation",
    "codec", "has_audio", "encoder", "format",
)  # fmt: skip
_FOLDS = 5
_DRAWS = 500
_KNOWN_TAGS = 20
_MOST_VIDEOS = 40_000  # More narrow the interval little, and the trees take minutes.


@dataclass(frozen=True, slots=True)
class Leak:
    """How well container fields alone tell the label.

    Attributes:
        videos: How many were looked at: labelled and usable ones, of a large set a sample by family.
        auc: Of a tree on all fields, on clips it did not see; 0.5 is chance. None when it cannot be measured.
        low, high: 95 % of the resamples of whole families lie between.
        fields: The same AUC for each field alone, highest first.
        rule: The tree that was grown on everything, as text.
        why_not: Why there is no number; empty when there is.
    """

    videos: int
    auc: float | None
    low: float | None
    high: float | None
    fields: dict[str, float]
    rule: str
    why_not: str = ""

    @property
    def alarming(self) -> bool:
        """Whether chance hardly explains it."""
        return self.low is not None and self.low > 0.5


def find_leak(frame: DataFrame, *, seed: int = 0) -> Leak:
    """Grow a decision tree on container fields, cross-validated by family, and report its AUC.

    Args:
        frame: An index that was made with containers opened.
        seed: Of folds and resamples.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.tree import export_text
    except ModuleNotFoundError as error:
        raise MissingExtraError("scikit-learn", extra="data") from error
    rows = usable(frame)
    rows = rows[rows["label"].notna()]
    if len(rows) > _MOST_VIDEOS:  # Whole families, so that fakes stay with their originals.
        clips = clip_of(rows)
        known = np.random.default_rng(seed).permutation(clips.unique())
        rows = rows[clips.isin(known[: max(1, len(known) * _MOST_VIDEOS // len(rows))])]
    fake = (rows["label"] == "FAKE").to_numpy(bool)
    families = np.unique(clip_of(rows).to_numpy(str), return_inverse=True)[1]
    why = ""
    if min(fake.sum(), (~fake).sum()) < 2 * _FOLDS or len(np.unique(families)) < 2 * _FOLDS:
        why = f"too few videos: {int(fake.sum())} fake and {int((~fake).sum())} real"
    elif rows["codec"].isna().all():
        why = "the index was made without opening the videos"
    if why:
        return Leak(len(rows), None, None, None, {}, "", why)
    table, names = _numbers(rows)
    scores = _unseen(table, fake, families, seed=seed)
    low, high = _interval(scores, fake, families, seed=seed)
    alone = {}
    for field in FIELDS:
        columns = [number for number, name in enumerate(names) if name.partition(" = ")[0] == field]
        if columns and np.ptp(table[:, columns], axis=0).any():
            alone[field] = round(auc(_unseen(table[:, columns], fake, families, seed=seed), fake), 4)
    rule = export_text(_tree(len(table)).fit(table, fake), feature_names=names, decimals=1)
    ranked = dict(sorted(alone.items(), key=lambda item: -item[1]))
    return Leak(len(rows), round(auc(scores, fake), 4), round(low, 4), round(high, 4), ranked, rule)


def auc(scores: NDArray[np.float64], fake: NDArray[np.bool_]) -> float:
    """How often a random fake scores above a random real; a tie counts half.

    Example:
        >>> auc(np.array([0.1, 0.9, 0.9]), np.array([False, True, False]))
        0.75
    """
    order, places = np.unique(scores, return_inverse=True)
    reals = np.bincount(places[~fake], minlength=len(order))
    fakes = np.bincount(places[fake], minlength=len(order))
    below = np.cumsum(reals) - reals / 2
    return float((fakes * below).sum() / max(1, int(fakes.sum() * reals.sum())))


def _numbers(rows: DataFrame) -> tuple[NDArray[np.float32], list[str]]:
    rows = rows.assign(bytes_per_second=rows["size_bytes"].astype("float64") / rows["duration_seconds"])
    columns, names = [], []
    for field in FIELDS:
        values = rows[field]
        if str(values.dtype) == "str":
            for tag in values.value_counts().index[:_KNOWN_TAGS]:
                columns.append((values == tag).to_numpy("float32", na_value=0))
                names.append(f"{field} = {tag}")
        else:
            columns.append(values.astype("Float64").to_numpy("float32", na_value=-1))
            names.append(field)
    return np.nan_to_num(np.stack(columns, axis=1), nan=-1), names


def _tree(rows: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    # Shallow, and no leaf of a handful: it shall find rules that hold, not learn files by heart.
    least = max(3, rows // 100)
    return DecisionTreeClassifier(
        max_depth=4, min_samples_leaf=least, class_weight="balanced", random_state=0
    )


def _unseen(
    table: NDArray[np.float32], fake: NDArray[np.bool_], families: NDArray[np.int64], *, seed: int
) -> NDArray[np.float64]:
    """The tree's probability for each row, grown on other families."""
    from sklearn.model_selection import StratifiedGroupKFold

    scores = np.zeros(len(fake))
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    for seen, unseen in folds.split(table, fake, families):
        grown = _tree(len(seen)).fit(table[seen], fake[seen])
        scores[unseen] = grown.predict_proba(table[unseen])[:, -1] if fake[seen].any() else 0.5
    return scores


def _interval(
    scores: NDArray[np.float64], fake: NDArray[np.bool_], families: NDArray[np.int64], *, seed: int
) -> tuple[float, float]:
    """Resample whole families: a fake and its original are not two independent clips."""
    rng = np.random.default_rng(seed)
    order = np.argsort(families, kind="stable")
    starts = np.searchsorted(families[order], np.arange(families.max() + 2))
    drawn = []
    for _ in range(_DRAWS if len(fake) < 20_000 else 100):
        picked = rng.integers(len(starts) - 1, size=len(starts) - 1)
        rows = np.concatenate([order[starts[family] : starts[family + 1]] for family in picked])
        if 0 < fake[rows].sum() < len(rows):
            drawn.append(auc(scores[rows], fake[rows]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)

"""From an entry to a model in the user's cache: download, build, convert, compare, write, all or nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.config import ScoreSettings
from unmask.errors import DataError, MissingExtraError, ModelError
from unmask.files import write_whole
from unmask.folders import cache_folder
from unmask.holding import alone_in
from unmask.judge.cache import cached_card, model_folder
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.card import Card, read_card, write_card
from unmask.judge.score import load_model
from unmask.lab.zoo.entry import Entry, Hub
from unmask.lab.zoo.hub import ask_hub
from unmask.lab.zoo.remote import OnBytes, Remote, ask_web, download
from unmask.version import __version__

LARGEST_DIFFERENCE = 1e-3
CHECK_NAME = "check.json"
"""What torch said of the fixed crops when the model was converted."""


@dataclass(frozen=True, slots=True)
class Got:
    """A model that is in the cache now.

    Attributes:
        card: Path of its card.
        version: Commit or hash of what was published.
        difference: Largest difference of a logit between ONNX and torch on the fixed crops; None where it was
            there already.
    """

    card: Path
    version: str
    difference: float | None


def get_model(
    entry: Entry,
    *,
    revision: str | None = None,
    again: bool = False,
    tell: OnBytes = lambda done, total: None,
) -> Got:
    """Bring a published detector into the cache.

    Args:
        entry: Of the table.
        revision: Of its repository on the hub, in place of the entry's.
        again: Also when it is there; a repository that has moved on is refused unless ``revision`` names it.
        tell: Is told how many bytes of a file are there.

    Raises:
        ModelError: A download, a file or a comparison breaks a rule; the cache is as it was.
        DataError: Another run is getting the same model.
        MissingExtraError: A package is not installed.
        OSError: The cache cannot be written to.
    """
    path = cached_card(entry.name)
    before = read_card(path).version if path.is_file() else None
    downloads = cache_folder() / "downloads" / entry.name
    if before is not None and not again:
        if downloads.exists():
            with suppress(DataError), alone_in(downloads):
                _clear(entry.name)
        return Got(path, before, None)
    version, files = _ask(entry, revision)
    if before is not None and revision is None and before != version:
        moved = f"{entry.name}: has moved on from {before} to {version} since it was downloaded"
        raise ModelError(f"{moved}; --revision {version} takes the new one")
    downloads.mkdir(parents=True, exist_ok=True)
    with alone_in(downloads):
        most = int(entry.megabytes * 1.5e6) + (1 << 20)
        found = {file.name: download(file, downloads, most_bytes=most, tell=tell) for file in files}
        difference = _convert(entry, found, version)
        _clear(entry.name)
    return Got(path, version, difference)


def check_model(name: str, settings: ScoreSettings | None = None) -> float:
    """Run a model of the cache on the fixed crops and hold it against what torch said of them.

    Args:
        name: Of the model.
        settings: Threads and device.

    Returns:
        The largest difference of a probability, before calibration.

    Raises:
        ModelError: It is not there, was altered, cannot be run, nothing was kept to compare with, or the
            difference is above 0.001.
    """
    model = load_model(name, settings)
    file = model_folder(name) / CHECK_NAME
    try:
        expected = np.array(json.loads(file.read_text(encoding="utf-8"))["logits"], np.float64)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{file}: nothing to compare with ({error}); get the model again") from error
    crops = fixed_crops(model.card.size_px)
    found = np.concatenate([model.logits(crop[None]) for crop in crops])
    if expected.shape != found.shape or not np.isfinite(expected).all():
        raise ModelError(f"{file}: must hold {len(found)} finite logits; get the model again")
    difference = float(np.abs(np.tanh(found / 2) - np.tanh(expected / 2)).max() / 2)
    if not difference <= LARGEST_DIFFERENCE:
        rule = f"{name}: probabilities must be within {LARGEST_DIFFERENCE} of torch's"
        raise ModelError(f"{rule}, got {difference:.2g} on {model.device.name}")
    return difference


def fixed_crops(size_px: int) -> NDArray[np.uint8]:
    """Four pictures that are the same everywhere: a ramp, waves, coarse and fine noise; (4, 3, S, S)."""
    place = np.arange(size_px) / size_px
    ramp = np.broadcast_to(place, (3, size_px, size_px))
    phases = np.arange(1, 4)[:, None, None]
    waves = 0.5 + 0.25 * (np.sin(9 * phases * place) + np.cos(7 * phases * place[:, None]))
    chance = np.random.default_rng(0)
    tiles = chance.random((3, 8, 8)).repeat(-(-size_px // 8), 1).repeat(-(-size_px // 8), 2)
    noise = chance.random((3, size_px, size_px))
    pictures = np.stack([ramp, waves, tiles[:, :size_px, :size_px], noise])
    return np.round(255 * pictures).astype(np.uint8)


def _ask(entry: Entry, revision: str | None) -> tuple[str, list[Remote]]:
    if isinstance(entry.source, Hub):
        return ask_hub(entry.source, revision=revision)
    if revision is not None:
        raise ModelError(
            f"{entry.name}: is one file behind an address, which has no revisions, got {revision}"
        )
    remote = ask_web(entry.source.url, sha256=entry.source.sha256)
    return entry.source.sha256 or remote.tag.strip('"'), [remote]


def _convert(entry: Entry, files: dict[str, Path], version: str) -> float:
    """Build, export, compare and put into the cache; what was there stays until all is done."""
    try:
        from unmask.lab.zoo.convert import write_onnx
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "torch", extra="zoo") from error
    target = model_folder(entry.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{entry.name}.", dir=target.parent) as place:
        draft = Path(place) / entry.name
        draft.mkdir()
        weights = draft / f"{entry.name}.onnx"
        logits, difference = write_onnx(entry, files, weights, crops=fixed_crops(entry.size_px))
        write_whole(draft / CHECK_NAME, json.dumps({"logits": logits}) + "\n")
        write_card(draft_card(entry, weights, version), draft / f"{entry.name}.json")
        load_model(draft / f"{entry.name}.json")  # what a scan will do, before anything is there
        if target.exists():
            target.replace(Path(place) / "before")
        draft.replace(target)
    return difference


def _clear(name: str) -> None:
    """Remove what is no longer needed of a model that is there, and what runs left that were killed.

    What was downloaded goes last: by that it is seen that there is something to clear.
    """
    for left in model_folder(name).parent.glob(f".{name}.*"):
        shutil.rmtree(left, ignore_errors=True)
    shutil.rmtree(cache_folder() / "downloads" / name, ignore_errors=True)


def draft_card(entry: Entry, weights: Path, version: str) -> Card:
    """The card of a converted model that nobody has calibrated yet."""
    return Card(
        name=entry.name,
        version=version,
        file=weights.name,
        sha256=_sha256(weights),
        size_px=entry.size_px,
        margin_fraction=entry.margin_fraction,
        detector="mtcnn",
        mean=entry.mean,
        std=entry.std,
        person_rule="mean",
        calibration=Calibration(),
        thresholds=Thresholds(0.7, 0.3),
        licence=entry.licence,
        training_data=entry.trained_on,
        terms=f"{entry.terms}; cite: {entry.cite}",
        recipe=f"unmask model get {entry.name}",
        commit=f"unmask {__version__}",
        scores={},
        limits=(
            "Neither calibrated nor measured: its numbers are no probabilities yet (unmask calibrate).",
            f"What was tried here: {entry.tried}.",
            f"What its authors measured: {entry.measured}.",
            *entry.limits,
        ),
        crop=entry.crop,
        template=entry.template,
    )


def _sha256(file: Path) -> str:
    digest = sha256()
    with file.open("rb") as raw:
        while chunk := raw.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()

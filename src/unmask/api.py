"""The functions behind ``import unmask``: a file in, a verdict or its intermediate nouns out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unmask.config import CropSettings, DecodeSettings, ScanSettings
from unmask.faces import crop as _crop
from unmask.faces.detect import detect_faces, load_detector
from unmask.faces.track import link_faces
from unmask.judge.card import card_path, read_card
from unmask.pipeline import load_scanner
from unmask.types import Clip, Crops, Track
from unmask.verdicts import Verdict
from unmask.video import read_clip


def scan(
    path: str | Path,
    *,
    frames: int = 30,
    threshold: float | None = None,
    model: str | Path | None = None,
) -> Verdict:
    """Judge one file, in this process.

    Loads the networks each time; for many files keep a `load_scanner`. To survive files that crash or
    hang a decoder use `scan_many`, which works in child processes.

    Args:
        path: A video or an image.
        frames: How many frames to look at, evenly spread.
        threshold: ``p_fake`` from which it is called fake, 0 to 1; None takes the card's.
        model: Path of a model's card; None takes the shipped model.

    Returns:
        The verdict. A file that cannot be read gives the outcome ``unreadable``, not an exception.

    Raises:
        SettingsError: ``frames`` or ``threshold`` is out of range.
        ModelError: The model cannot be used.
    """
    card = None if model is None else str(model)
    settings = ScanSettings(model=card, threshold=threshold, decode=DecodeSettings(frames=frames))
    return load_scanner(settings).scan(path)


def find_faces(clip: str | Path | Clip, *, settings: ScanSettings | None = None) -> tuple[Track, ...]:
    """Find the people in a file or a clip.

    Args:
        clip: A file, or what `read_clip` made of it.
        settings: Decoding, detection and tracking; the default is that of `scan`.

    Returns:
        All tracks in order of appearance; a dropped one says why in ``why_dropped``.

    Raises:
        MediaError: The file cannot be read.
    """
    settings = settings or ScanSettings()
    clip = _as_clip(clip, settings)
    faces = detect_faces(clip, load_detector(settings.detect), settings.detect)
    return link_faces(clip, faces, settings.track)


def cut_crops(
    clip: str | Path | Clip,
    tracks: Sequence[Track] | None = None,
    *,
    crop: CropSettings | None = None,
    settings: ScanSettings | None = None,
) -> list[Crops]:
    """Cut out the faces of the people in a file or a clip.

    Args:
        clip: A file, or what `read_clip` made of it.
        tracks: Of the clip; None finds them first.
        crop: Size and margin; the default is that on the model's card.
        settings: Decoding, detection, tracking, and which model.

    Returns:
        One tensor for each kept person.

    Raises:
        MediaError: The file cannot be read.
        ModelError: ``crop`` is None and the model's card cannot be read.
    """
    settings = settings or ScanSettings()
    clip = _as_clip(clip, settings)
    if tracks is None:
        tracks = find_faces(clip, settings=settings)
    crop = crop or read_card(card_path(settings.model)).crop_settings
    return _crop.cut_crops(clip, tuple(tracks), crop)


def _as_clip(clip: str | Path | Clip, settings: ScanSettings) -> Clip:
    return clip if isinstance(clip, Clip) else read_clip(clip, settings.decode)

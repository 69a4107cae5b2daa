"""The functions behind ``import unmask``: a file in, a verdict or its intermediate nouns out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from unmask.config import CropSettings, DecodeSettings, ScanSettings
from unmask.errors import MediaError
from unmask.faces import crop as _crop
from unmask.faces.detect import load_detector
from unmask.faces.find import find_people
from unmask.judge.card import card_path, read_card
from unmask.judge.footage import judge_shots
from unmask.pipeline import load_scanner
from unmask.reasons import because
from unmask.types import Clip, Crops, Track
from unmask.verdicts import Sighting, Verdict
from unmask.video import open_film, read_stretches
from unmask.video.reading import read_evenly
from unmask.video.stretches import SHORT_SECONDS


def scan(
    path: str | Path,
    *,
    frames: int | None = None,
    threshold: float | None = None,
    model: str | Path | None = None,
    device: str | None = None,
    settings: ScanSettings | None = None,
) -> Verdict:
    """Judge one file, in this process.

    Loads the networks each time; for many files keep a `load_scanner`. To survive files that crash or
    hang a decoder use `scan_many`, which works in child processes.

    Args:
        path: A video or an image.
        frames: How many frames to look at, in all of a clip or in each ten seconds of a longer video. None
            takes what the settings say, as with the next three.
        threshold: ``p_fake`` from which it is called fake, 0 to 1.
        model: Path of a model's card, or name of a downloaded one.
        device: What the network runs on, one of ``auto cpu cuda coreml openvino directml``.
        settings: Everything else; None takes the defaults, which are 30 frames, the card's threshold, the
            shipped model, and the fastest device that is there.

    Returns:
        The verdict. A file that cannot be read gives the outcome ``unreadable``, not an exception. A fault of
        unmask's own rises as the exception that it is; only `scan_many` makes it the outcome ``error``.

    Raises:
        SettingsError: ``frames`` or ``threshold`` is out of range, or there is no such device.
        ModelError: The model cannot be used.
    """
    settings = settings or ScanSettings()
    if frames is not None:
        settings = replace(settings, decode=replace(settings.decode, frames=frames))
    if threshold is not None:
        settings = replace(settings, threshold=threshold)
    if model is not None:
        settings = replace(settings, model=str(model))
    if device is not None:
        settings = replace(settings, score=replace(settings.score, device=device))
    return load_scanner(settings).scan(path)


def watch(path: str | Path, *, settings: ScanSettings | None = None) -> Iterator[Sighting]:
    """Judge a video while it is read: every face of a shot as soon as the shot is over, in this process.

    What the video as a whole is called depends on how many faces were looked at; `scan` says that.

    Args:
        path: A video or an image.
        settings: As for a scan.

    Yields:
        One sighting for each face that was judged, each by itself, in order of shots: who, as numbered in the
        verdict of `scan`, from when to when, and its box in each sampled frame.

    Raises:
        MediaError: The file cannot be read, or not further.
        ModelError: The model cannot be used.
    """
    scanner = load_scanner(settings)
    yield from judge_shots(scanner.watch(path), scanner.model.card.calibration, scanner.settings.track)


def read_clip(path: str | Path, settings: DecodeSettings | None = None) -> Clip:
    """Read evenly spread frames of a short video, or a still picture as a clip of one frame.

    These are the frames that `scan` looks at, where the video has no cut.

    Args:
        path: A video of up to 15 s, or an image.
        settings: How many frames, which part of a longer video, and the limits.

    Returns:
        The frames in order of time.

    Raises:
        MediaError: The file cannot be read, or lasts longer. In so few frames of a long video nobody could be
            followed; `read_clips` goes through it.
    """
    film = open_film(path, settings)
    seconds = film.end_seconds - film.start_seconds
    if seconds > SHORT_SECONDS:
        reason = because("long_clip", most_seconds=SHORT_SECONDS, seconds=round(seconds, 6))
        raise MediaError(reason, film.source.label)
    return read_evenly(film)


def read_clips(path: str | Path, settings: DecodeSettings | None = None) -> Iterator[Clip]:
    """Go through a video of any length as `scan` does: shot after shot, of long ones ten seconds at a time.

    Args:
        path: A video or an image.
        settings: How many frames, which part, and the limits.

    Yields:
        One clip without a cut in it at a time, for `find_faces` and `cut_crops`. Shots too short to judge are
        left out. Pixels are there as long as the clip is kept; do not keep those of an hour.

    Raises:
        MediaError: The file cannot be read, or not further.
    """
    for stretch in read_stretches(open_film(path, settings)):
        if stretch.clip.frames:
            yield stretch.clip


def find_faces(clip: str | Path | Clip, *, settings: ScanSettings | None = None) -> tuple[Track, ...]:
    """Find the people in a file or a clip.

    Args:
        clip: A file of up to 15 s, or what `read_clip` or `read_clips` made of one.
        settings: Decoding, detection and tracking; the default is that of `scan`.

    Returns:
        All tracks in order of appearance; a dropped one says why in ``why_dropped``.

    Raises:
        MediaError: The file cannot be read, or is too long for one clip.
    """
    settings = settings or ScanSettings()
    clip = _as_clip(clip, settings)
    return find_people(clip, load_detector(settings.detect), settings.detect, settings.track)


def cut_crops(
    clip: str | Path | Clip,
    tracks: Sequence[Track] | None = None,
    *,
    crop: CropSettings | None = None,
    settings: ScanSettings | None = None,
) -> list[Crops]:
    """Cut out the faces of the people in a file or a clip.

    Args:
        clip: A file of up to 15 s, or what `read_clip` or `read_clips` made of one.
        tracks: Of the clip; None finds them first.
        crop: Size and margin; the default is that on the model's card.
        settings: Decoding, detection, tracking, and which model.

    Returns:
        One tensor for each kept person.

    Raises:
        MediaError: The file cannot be read, or is too long for one clip.
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

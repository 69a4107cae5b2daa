"""Pictures of what was found: boxes, key points, person numbers, and why a track was dropped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from unmask.errors import SettingsError
from unmask.files import whole_file
from unmask.reasons import in_short, shown_number
from unmask.report.labels import Area, Colour, write_label
from unmask.types import Clip, Crops, Face, Image, Track
from unmask.video.encoding import write_video

ANIMATIONS = (".mp4", ".gif")
"""Endings of the files that `write_animation` makes."""

_COLOURS: tuple[Colour, ...] = (
    (66, 133, 244), (52, 168, 83), (251, 188, 5), (234, 67, 53),
    (171, 71, 188), (0, 172, 193), (255, 112, 67),
)  # fmt: skip  # RGB, by person
_GREY = (150, 150, 150)
_GIF_SIDE_PX = 640


def draw_faces(image: Image, tracks: Sequence[Track], frame_index: int, *, zoom: float = 1.0) -> Image:
    """Draw the faces of one frame.

    A kept face has a box in its person's colour, five key points, and ``person N 0.98`` (the detector's
    confidence), with ``lightened`` where the frame had to be. A dropped one is grey and says why.

    Args:
        image: RGB, (H, W, 3), uint8; the frame, at any size.
        tracks: Of the clip.
        frame_index: Which of the clip's sampled frames this is.
        zoom: Pixels of ``image`` for one pixel of the frame.

    Returns:
        A copy, drawn on.
    """
    drawn = np.ascontiguousarray(image).copy()
    seen = [
        (track, track.faces[track.frame_indices.index(frame_index)])
        for track in sorted(tracks, key=lambda track: track.kept)  # people over what was dropped
        if frame_index in track.frame_indices
    ]
    boxes = [Area(*(round(float(edge) * zoom) for edge in face.box)) for _, face in seen]
    taken = list[Area]()
    for place, (track, face) in enumerate(seen):
        others, colour = boxes[:place] + boxes[place + 1 :], _colour(track)
        words = _words(track, face)
        taken.append(write_label(drawn, words, beside=boxes[place], colour=colour, taken=taken, faces=others))
    for (track, face), box in zip(seen, boxes, strict=True):  # over all words, which may lie on a face
        cv2.rectangle(drawn, (box.left, box.top), (box.right, box.bottom), _colour(track), 2)
        for x, y in np.rint(face.points * zoom).astype(int).tolist():
            cv2.circle(drawn, (x, y), 2, (255, 255, 255), -1, cv2.LINE_AA)
            cv2.circle(drawn, (x, y), 3, _colour(track), 1, cv2.LINE_AA)
    return drawn


def _colour(track: Track) -> Colour:
    return _COLOURS[track.id % len(_COLOURS)] if track.kept else _GREY


def face_grid(
    clip: Clip, tracks: Sequence[Track], *, rows: int = 3, columns: int = 3, tile_px: int = 480
) -> Image:
    """A sheet of frames, evenly spread over the clip, with the faces drawn.

    Args:
        clip: The sampled frames; with fewer than ``rows * columns`` of them the sheet is smaller.
        tracks: Of the clip.
        rows: Of the sheet.
        columns: Of the sheet.
        tile_px: Longer side of one frame in the sheet.

    Returns:
        RGB.

    Raises:
        SettingsError: ``rows`` or ``columns`` is below 1.
    """
    if rows < 1 or columns < 1:
        raise SettingsError(f"a grid needs 1 row and 1 column or more, got {rows} x {columns}")
    columns = min(columns, len(clip.frames))
    rows = min(rows, math.ceil(len(clip.frames) / columns))
    count = min(rows * columns, len(clip.frames))
    picked = np.linspace(0, len(clip.frames) - 1, count).round().astype(int)
    tiles = [_drawn_frame(clip, tracks, int(index), side_px=tile_px) for index in picked]
    height, width = (max(tile.shape[axis] for tile in tiles) for axis in (0, 1))
    sheet = np.full((rows * (height + 4) - 4, columns * (width + 4) - 4, 3), 24, np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // columns * (height + 4), place % columns * (width + 4)
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return sheet


def write_grid(path: Path, sheet: Image) -> None:
    """Write a sheet as an image, as a whole or not at all.

    Raises:
        SettingsError: The ending of the path is none of an image.
        OSError: It cannot be written.
    """
    if not cv2.haveImageWriter(str(path)):
        raise SettingsError(f"a grid is written as .png, .jpg or .webp, got {path}")
    with whole_file(path) as draft:
        cv2.imwrite(str(draft), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


def write_animation(clip: Clip, tracks: Sequence[Track], path: Path, *, side_px: int = 960) -> None:
    """Play the sampled frames with the faces drawn, at the speed of the clip.

    Args:
        clip: The sampled frames.
        tracks: Of the clip; dropped ones are drawn in grey, with the reason.
        path: Ends in one of `ANIMATIONS`.
        side_px: Longest side; frames are shrunk to it, never enlarged. A GIF is at most 640 px.

    Raises:
        SettingsError: The ending of the path is another one.
        OSError: It cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in ANIMATIONS:
        raise SettingsError(f"an animation is written as {' or '.join(ANIMATIONS)}, got {path}")
    if suffix == ".gif":
        side_px = min(side_px, _GIF_SIDE_PX)
    images = (_drawn_frame(clip, tracks, index, side_px=side_px) for index in range(len(clip.frames)))
    seconds = max(clip.duration_seconds, 0.04)
    rate = Fraction(len(clip.frames) / seconds).limit_denominator(1000)
    with whole_file(path) as draft:
        write_video(draft, images, rate=rate, kind=suffix)


def write_crops(crops: Sequence[Crops], folder: Path) -> int:
    """Write the faces as PNG files, ``person1_frame003_1.25s.png``, and count them.

    Raises:
        OSError: The folder cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for person in crops:
        for index, time, image in zip(person.frame_indices, person.times_seconds, person.images, strict=True):
            name = f"person{shown_number(person.track_id)}_frame{index:03d}_{time:.2f}s.png"
            with whole_file(folder / name) as draft:
                cv2.imwrite(str(draft), np.ascontiguousarray(image.transpose(1, 2, 0)[..., ::-1]))
            written += 1
    return written


def _drawn_frame(clip: Clip, tracks: Sequence[Track], index: int, *, side_px: int) -> Image:
    frame = clip.frames[index]
    zoom = min(1.0, side_px / max(frame.width, frame.height))
    width, height = max(2, round(frame.width * zoom)), max(2, round(frame.height * zoom))
    drawn = draw_faces(frame.picture.rgb(width=width, height=height), tracks, index, zoom=zoom)
    corner = Area(0, drawn.shape[0], 0, drawn.shape[0])
    write_label(drawn, [f"{frame.time_seconds:.2f} s"], beside=corner, colour=(40, 40, 40))
    return drawn


def _words(track: Track, face: Face) -> list[str]:
    number = shown_number(track.id)
    title = f"person {number}" if track.kept else f"no. {number} dropped"
    words = [f"{title}  {face.confidence:.2f}" + ("  lightened" if face.lightened else "")]
    return words if track.dropped is None else words + _lines(in_short(track.dropped))


def _lines(text: str, *, letters: int = 34) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > letters:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines

"""Cut faces out of full-resolution frames: upright squares or aligned faces, one tensor a person.

Coordinates are those of boxes: 0 is the left edge of the first pixel, the width the right edge of the last.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from unmask.config import CropSettings
from unmask.faces.boxes import square_boxes
from unmask.faces.detail import measure_detail
from unmask.faces.points import fit_similarity
from unmask.types import Clip, Crops, Face, Floats, Image, Track

_MAX_ALIGNED_PX = 4096  # side of what an aligned face is warped to before it is shrunk


def cut_square(image: Image, box: Floats, *, size_px: int, through_px: int = 0) -> tuple[Image, Floats]:
    """Cut a square out of an image and scale it.

    The square is the longer side of the box about its centre, moved to whole pixels, so that the picture
    is resampled once and keeps its fine detail; the mapping says exactly what was cut. What lies outside
    the image repeats its edge: mirroring would show parts of a face twice.

    Args:
        image: RGB, (H, W, 3), uint8.
        box: ``x0 y0 x1 y1`` in pixels of the image, shape (4,); any fraction, also outside the image.
        size_px: Side of the result.
        through_px: Side that it is scaled to on the way; 0 for none.

    Returns:
        The crop, (size_px, size_px, 3), uint8, its own memory; and the affine map from image to crop
        pixels, shape (2, 3), for `map_points`.

    Raises:
        ValueError: The box is not finite.

    >>> image = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    >>> crop, mapping = cut_square(image, np.array([2, 3, 6, 7], np.float32), size_px=8)
    >>> crop.shape, map_points(np.array([[2, 3], [6, 7]], np.float32), mapping).tolist()
    ((8, 8, 3), [[0.0, 0.0], [8.0, 8.0]])
    """
    part, left, top = _take_square(image, box)
    scale = size_px / len(part)
    mapping = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]], np.float32)
    return scale_square(_through(part, through_px), size_px=size_px), mapping


def _take_square(image: Image, box: Floats) -> tuple[Image, int, int]:
    """The square at its own size, its left and its top; raises as `cut_square`."""
    if not np.isfinite(box).all():
        raise ValueError(f"box must be finite, got {box.tolist()}")
    x0, y0, x1, _ = (float(edge) for edge in square_boxes(box[None])[0])
    side = max(1, round(x1 - x0))
    left, top = round((x0 + x1 - side) / 2), round(y0 + (x1 - x0 - side) / 2)
    height, width = image.shape[:2]
    if left >= 0 and top >= 0 and left + side <= width and top + side <= height:
        return image[top : top + side, left : left + side], left, top
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    return image[rows[:, None], columns[None]], left, top


def place_template(settings: CropSettings) -> Floats:
    """Where the five points of an aligned face come to lie, in pixels of the crop, shape (5, 2).

    The margin is added around the template, and the whole scaled to the size of the crop.

    >>> square = ((0, 0), (1, 0), (0.5, 0.5), (0, 1), (1, 1))
    >>> place_template(CropSettings(150, 0.5, "aligned", square)).tolist()[:2]
    [[25.0, 25.0], [125.0, 25.0]]
    """
    template = np.array(settings.template, np.float32)
    margin = settings.margin_fraction
    placed: Floats = (template + margin / 2) / (1 + margin) * settings.size_px
    return placed


def align_square(image: Image, points: Floats, settings: CropSettings) -> tuple[Image, Floats] | None:
    """Turn, move and scale a face so that its points come to lie on a template.

    The face is warped at its own size first and then scaled as in `cut_square`, so that fine detail is kept
    and does not alias. What lies outside the image is black, as in the pipelines that models which take
    aligned faces come from.

    Args:
        image: RGB, (H, W, 3), uint8.
        points: Left eye, right eye, nose, left and right mouth corner in its pixels, shape (5, 2).
        settings: Size, margin and template.

    Returns:
        As `cut_square`; None where the points say nothing, as when they are all in one place.
    """
    size_px = settings.size_px
    mapping = fit_similarity(points, place_template(settings))
    scale = 0.0 if mapping is None else float(np.hypot(mapping[0, 0], mapping[1, 0]))
    if mapping is None or not 1e-3 < scale < 1e3:
        return None
    side = int(np.clip(round(size_px / scale), 8, _MAX_ALIGNED_PX))
    warp = mapping.astype(np.float64) * (side / size_px)
    warp[:, 2] += 0.5 * (warp[:, 0] + warp[:, 1]) - 0.5  # OpenCV counts from the middle of the first pixel
    native = cv2.warpAffine(image, warp, (side, side), flags=cv2.INTER_LINEAR)
    return scale_square(np.asarray(native, np.uint8), size_px=size_px), mapping


def cut_face(
    image: Image, face: Face, settings: CropSettings, *, through_px: int = 0
) -> tuple[Image, Floats]:
    """Cut one face as the settings say; a face without usable points is cut by its box.

    A crop by the box is upright: a face whose eyes lie below its mouth is given by half a turn.

    Args:
        image: RGB, (H, W, 3), uint8.
        face: In it.
        settings: Size, margin and way.
        through_px: Side that all faces of the person have in common; 0 knows of this face alone.

    Returns:
        As `cut_square`.
    """
    aligned = align_square(image, face.points, settings) if settings.crop == "aligned" else None
    if aligned is not None:
        return aligned
    square = square_boxes(face.box[None], scale=1 + settings.margin_fraction)[0]
    through = through_px or common_side([face], settings)
    crop, mapping = cut_square(image, square, size_px=settings.size_px, through_px=through)
    if not _on_its_head(face):
        return crop, mapping
    turn: Floats = np.array([[0, 0, settings.size_px]] * 2, np.float32) - mapping
    return np.ascontiguousarray(crop[::-1, ::-1]), turn


def _on_its_head(face: Face) -> bool:
    across, down = face.points[3:].mean(axis=0) - face.points[:2].mean(axis=0)
    return bool(down < -abs(across))


def median_side(faces: Sequence[Face]) -> float:
    """Median of the longer sides of some faces' boxes, in pixels."""
    return float(np.median([(face.box[2:] - face.box[:2]).max() for face in faces]))


def common_side(faces: Sequence[Face], settings: CropSettings) -> int:
    """The side that all cuts of a person are brought to on the way; 0 for none (`CropSettings.common_px`)."""
    side = median_side(faces) * (1 + settings.margin_fraction) if settings.common_px else 0
    return min(settings.common_px, max(1, round(side)))


def _through(image: Image, side_px: int) -> Image:
    return image if side_px in (0, len(image)) else scale_square(image, size_px=side_px)


def scale_square(image: Image, *, size_px: int) -> Image:
    """Scale a square image, (S, S, 3), uint8, to (size_px, size_px, 3) in its own memory."""
    # Means over areas when shrinking, or thin lines flicker; they would give blocks when enlarging.
    way = cv2.INTER_AREA if len(image) > size_px else cv2.INTER_LINEAR
    scaled = np.empty((size_px, size_px, 3), np.uint8)
    cv2.resize(image, (size_px, size_px), dst=scaled, interpolation=way)
    return scaled


def map_points(points: Floats, mapping: Floats) -> Floats:
    """Move points through an affine map.

    Args:
        points: ``x y``, shape (N, 2).
        mapping: Shape (2, 3), from `cut_square`.

    Returns:
        Shape (N, 2).
    """
    moved: Floats = points @ mapping[:, :2].T + mapping[:, 2]
    return moved


def _detail(image: Image, box: Floats) -> float:
    """Detail of a face in pixels of its shorter side, by the square about its longer one."""
    sides = box[2:] - box[:2]
    return measure_detail(_take_square(image, box)[0]) * float(sides.min() / np.maximum(sides.max(), 1e-6))


def cut_crops(
    clip: Clip,
    tracks: Sequence[Track],
    settings: CropSettings | Sequence[CropSettings],
    *,
    with_detail: bool = False,
) -> list[Crops]:
    """Cut the face of every person out of every frame that shows it.

    Args:
        clip: The sampled frames; each one that shows somebody is turned into RGB once.
        tracks: Of this clip; dropped ones are passed over.
        settings: Size, margin and way, from the model's card; or one for each kept track.
        with_detail: Whether the detail of each face is measured, which takes some milliseconds.

    Returns:
        One tensor a kept track, in the order of ``tracks``.
    """
    kept = [track for track in tracks if track.kept]
    each = [settings] * len(kept) if isinstance(settings, CropSettings) else settings
    images = [
        np.empty((len(track.faces), 3, own.size_px, own.size_px), np.uint8)
        for track, own in zip(kept, each, strict=True)
    ]
    points = [np.empty((len(track.faces), 5, 2), np.float32) for track in kept]
    details = [np.empty(len(track.faces), np.float32) for track in kept]
    places: dict[int, list[tuple[int, int]]] = {}
    for person, track in enumerate(kept):
        for row, index in enumerate(track.frame_indices):
            places.setdefault(index, []).append((person, row))
    through = [common_side(track.faces, own) for track, own in zip(kept, each, strict=True)]
    for index in sorted(places):
        rgb = clip.frames[index].picture.rgb()
        for person, row in places[index]:
            face = kept[person].faces[row]
            crop, mapping = cut_face(rgb, face, each[person], through_px=through[person])
            images[person][row] = crop.transpose(2, 0, 1)
            points[person][row] = map_points(face.points, mapping)
            if with_detail:
                details[person][row] = _detail(rgb, face.box)
        del rgb  # or two frames would be held while the next one is made
    return [
        Crops(
            track_id=track.id,
            frame_indices=np.array(track.frame_indices, np.int64),
            times_seconds=np.array([clip.frames[i].time_seconds for i in track.frame_indices], np.float64),
            images=images[person],
            boxes=np.array([face.box for face in track.faces], np.float32).reshape(-1, 4),
            points=points[person],
            detail_px=details[person] if with_detail else None,
        )
        for person, track in enumerate(kept)
    ]

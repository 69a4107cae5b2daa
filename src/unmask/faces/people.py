"""People and pictures of people: a face that never changes is a poster, a print or a painting.

A living face changes within itself: it turns, talks, blinks. A picture of a face only moves as a whole. So
the face of one frame is laid over that of another by the map of a turned plane, and what is left over, in
relation to the contrast of the face, is its change. One frame that differs is proof of life; a picture has to
look the same in all of them. Cloth bends, so a face on a shirt is known by where it is: below somebody's
face, with which it moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.config import TrackSettings
from unmask.faces.boxes import centres, sides
from unmask.faces.scenes import resemblance
from unmask.reasons import because
from unmask.types import Face, Floats, Image, Track

LOOK_PX = 64
"""Side of `Face.look`."""
LOOK_SCALE = 2.0
"""What `Face.look` shows, in longer sides of the face box."""

_LOOKS = 8  # frames of a track that are compared with its middle one
# Of a face worn on the chest, in sides of the wearer's face: it moves along when the wearer does.
_WORN_ASIDE, _WORN_BELOW = 1.0, (0.9, 4.0)
_WORN_MOVES, _WORN_DRIFTS = 0.1, 0.4
_FEWEST_TOGETHER = 5  # frames in which both are seen
_FEWEST = 3  # comparisons without which nothing is called a picture
_STEPS = 25  # of the alignment; it has then converged or the faces differ
_CLEARLY = 0.25  # a change that no turn of the picture explains
_NOISE_LEVEL = 2.0  # of 255; keeps a face without contrast from dividing by nothing


# Where the key points of 2,935 real faces lay, with room to spare: distances in sides of the box.
_EYES_APART = (0.1, 0.6)  # 0.16 to 0.47 were found
_EYES_TO_MOUTH = (0.25, 0.75)  # 0.33 to 0.58
_MOUTH_WIDE = (0.08, 0.6)  # 0.13 to 0.46
_NOSE_DOWN = (0.0, 1.0)  # share of the way from eyes to mouth: 0.14 to 0.81
_UPRIGHT = 0.85  # cosine between the line of the eyes and the mouth, and square to the way down: 0.96


def is_plausible(face: Face) -> bool:
    """Whether eyes, nose and mouth lie as in a face: in order, and at fitting distances, at any turn.

    >>> points = np.float32([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]])
    >>> box = np.float32([0, 0, 100, 110])
    >>> is_plausible(Face(box, points, 0.9)), is_plausible(Face(box, points[[1, 0, 2, 3, 4]], 0.9))
    (True, False)
    """
    side = float(np.sqrt(np.maximum(sides(face.box[None])[0], 1e-3).prod()))
    eyes, mouth = face.points[1] - face.points[0], face.points[4] - face.points[3]
    top = face.points[:2].mean(axis=0)
    down = face.points[3:].mean(axis=0) - top
    lengths = [float(np.hypot(*way)) for way in (eyes, mouth, down)]
    for length, (low, high) in zip(lengths, (_EYES_APART, _MOUTH_WIDE, _EYES_TO_MOUTH), strict=True):
        if not low <= length / side <= high:
            return False
    across = np.array([down[1], -down[0]]) / lengths[2]
    nose = float((face.points[2] - top) @ down) / lengths[2] ** 2
    level = min(float(eyes @ across) / lengths[0], float(mouth @ across) / lengths[1])
    return level >= _UPRIGHT and _NOSE_DOWN[0] <= nose <= _NOSE_DOWN[1]


def apply_policy(
    tracks: Sequence[Track], times_seconds: Sequence[float], settings: TrackSettings
) -> tuple[Track, ...]:
    """Drop the tracks whose face does not count, with the reason.

    Args:
        tracks: Of one clip; those dropped already stay as they are.
        times_seconds: Of the clip's frames.
        settings: The policy.

    Returns:
        The same tracks in the same order.
    """
    judged = list(tracks) if settings.policy == "all" else _who_lives(tracks, times_seconds, settings)
    most = settings.largest if settings.policy == "largest" else settings.max_people
    kept = sorted((track for track in judged if track.kept), key=_size, reverse=True)
    smaller = {track.id for track in kept[most:]}
    lesser = because("lesser", count=most)
    return tuple(replace(track, dropped=lesser) if track.id in smaller else track for track in judged)


def _who_lives(
    tracks: Sequence[Track], times_seconds: Sequence[float], settings: TrackSettings
) -> list[Track]:
    """Drop pictures of faces; with ``living_first`` only where somebody is left."""
    judged = [_without_picture(track, times_seconds, settings) for track in tracks]
    kept = [track for track in judged if track.kept]
    for number, track in enumerate(judged):
        wearer = next((other for other in kept if other is not track and _is_worn(track, other)), None)
        if track.kept and wearer is not None:
            judged[number] = replace(track, dropped=because("worn", person=wearer.id), picture=True)
    if settings.policy == "living_first" and not any(track.kept for track in judged):
        return [replace(track, picture=now.picture) for track, now in zip(tracks, judged, strict=True)]
    return judged


def _without_picture(track: Track, times_seconds: Sequence[float], settings: TrackSettings) -> Track:
    seconds = times_seconds[track.frame_indices[-1]] - times_seconds[track.frame_indices[0]]
    if not track.kept or seconds < settings.still_seconds:
        return track
    life = measure_life(track.faces, enough=settings.still_change)
    if life is None or life.frames < _FEWEST or life.change >= settings.still_change:
        return track
    dropped = because("picture", change=round(life.change, 6), least=settings.still_change)
    return replace(track, dropped=dropped, picture=True)


def _is_worn(track: Track, wearer: Track) -> bool:
    """Whether a face hangs below another one and moves along with it, more closely than two people would."""
    rows = {index: row for row, index in enumerate(wearer.frame_indices)}
    shared = [(row, rows[index]) for row, index in enumerate(track.frame_indices) if index in rows]
    if len(shared) < max(_FEWEST_TOGETHER, len(track.faces) / 2):
        return False
    lower = np.stack([track.faces[row].box for row, _ in shared])
    upper = np.stack([wearer.faces[row].box for _, row in shared])
    side = float(np.median(sides(upper).mean(axis=1)))
    there, here = centres(lower) / side, centres(upper) / side
    apart = np.median(there - here, axis=0)
    if not (abs(apart[0]) <= _WORN_ASIDE and _WORN_BELOW[0] <= apart[1] <= _WORN_BELOW[1]):
        return False
    moved = float(np.hypot(*here.std(axis=0)))
    drifted = float(np.hypot(*(there - here).std(axis=0)))
    return moved >= _WORN_MOVES and drifted <= _WORN_DRIFTS * moved


def _size(track: Track) -> float:
    return float(np.median([sides(face.box[None]).min() for face in track.faces]))


@dataclass(frozen=True, slots=True)
class Life:
    """How alive a track looks.

    Attributes:
        change: Of the inner face, in shares of its contrast; the largest over the compared frames.
        frames: How many frames were compared.
    """

    change: float
    frames: int


def likeness(first: Face, second: Face) -> float | None:
    """Correlation of two looks, -1 to 1, without aligning them; None when one has no look.

    Of 2,700 steps from one sampled frame to the next in real clips the two below 0.05 were cuts; one person
    in quick movement fell to 0.07. Half of two people's looks correlate by less than 0.14.
    """
    if first.look is None or second.look is None:
        return None
    return resemblance(first.look, second.look)


def measure_life(faces: Sequence[Face], *, enough: float = np.inf) -> Life | None:
    """Compare a track's faces with the one in the middle of it.

    Args:
        faces: Of one track, in order of time.
        enough: Change at which the rest need not be looked at.

    Returns:
        What was found; None when fewer than two faces have a look.
    """
    looks = [face.look for face in faces if face.look is not None]
    if len(looks) < 2:
        return None
    middle = len(looks) // 2
    picked = np.unique(np.linspace(0, len(looks) - 1, min(_LOOKS, len(looks))).round().astype(int))
    # The farthest in time first: they differ most, and one that differs is enough.
    order = sorted((int(i) for i in picked if i != middle), key=lambda i: -abs(i - middle))
    reference = _softened(looks[middle])
    change = 0.0
    for count, index in enumerate(order, start=1):
        change = max(change, _change(reference, _softened(looks[index])))
        if change >= enough:
            return Life(change, count)
    return Life(change, len(order))


def _softened(look: Image) -> Floats:
    soft: Floats = cv2.GaussianBlur(look, (0, 0), 1.0).astype(np.float32)
    return soft


def _change(reference: Floats, other: Floats) -> float:
    """What neither the map of a turned plane nor light or sharpness explains, in shares of the contrast."""
    way, change = None, 1.0
    for _ in range(2):  # the second map is dearer, and cannot save a face that clearly changed
        found = _aligned(reference, other, way)
        if found is None:
            return change
        aligned, way = found
        change = min(change, _rest(reference, aligned))
        if change >= _CLEARLY:
            break
    return change


def _rest(reference: Floats, aligned: Floats) -> float:
    """What is left when the aligned look's light, contrast and sharpness are brought to the reference's."""
    here = reference[_INNER] - reference[_INNER].mean()
    # A picture that came nearer is sharper; the second derivative makes up for that, as in unsharp masking.
    looks = [look[_INNER] for look in (aligned, cv2.Laplacian(aligned, cv2.CV_32F))]
    causes = np.asarray(np.stack(looks, axis=1), np.float32)
    causes -= causes.mean(axis=0)
    shares, *_ = np.linalg.lstsq(causes, here, rcond=None)
    return float(np.abs(here - causes @ shares).mean()) / (float(here.std()) + _NOISE_LEVEL)


def _aligned(reference: Floats, other: Floats, way: Floats | None) -> tuple[Floats, Floats] | None:
    """Lay one look over another: by an affine map, or refine a given one to that of a turned plane."""
    ends = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, 1e-3)
    start: Floats = np.eye(2, 3, dtype=np.float32) if way is None else np.eye(3, dtype=np.float32)
    if way is not None:
        start[:2] = way
    kind = cv2.MOTION_AFFINE if way is None else cv2.MOTION_HOMOGRAPHY
    try:
        _, found = cv2.findTransformECC(reference, other, start, kind, ends, None, 3)  # type: ignore[call-overload]
    except cv2.error:  # no map brings them together, so they differ
        return None
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (reference.shape[1], reference.shape[0])
    warp = cv2.warpAffine if way is None else cv2.warpPerspective
    laid: Floats = warp(other, found, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return laid, np.asarray(found, np.float32)


def _ellipse() -> NDArray[np.bool_]:
    """The face within its look: brows to chin, without hair and background."""
    across = (np.arange(LOOK_PX) + 0.5 - LOOK_PX / 2) / LOOK_PX
    inside: NDArray[np.bool_] = (across[None] / 0.22) ** 2 + (across[:, None] / 0.27) ** 2 < 1
    return inside


_INNER = _ellipse()

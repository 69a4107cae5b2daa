"""Draws the clips of the face bench: portraits brought to life before a wall, under known conditions.

A portrait becomes a person by moving within itself: it blinks, talks and turns its head. A poster or a
printed shirt shows the same portrait without that. All of it is seeded and small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.types import Floats, Image

PATCH_PX, FACE_PX = 320, 160
"""Side of a portrait's patch, and of the face in its middle."""
_WIDTH, _HEIGHT, _MARGIN_PX = 480, 270, 40  # of the picture, and of the wall beyond it
_VISIBLE = 0.6  # share of a face that must be within the picture for it to count


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A face, upright, in the middle of a square patch.

    Attributes:
        name: Of the file it was taken from.
        patch: RGB, (PATCH_PX, PATCH_PX, 3), uint8.
        box: Of the face, in pixels of the patch.
        points: Five key points in pixels of the patch, shape (5, 2).
    """

    name: str
    patch: Image
    box: Floats
    points: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """What clips are made of; without photos, hands and paintings are drawn.

    Attributes:
        portraits: One or more.
        hands: Photos of hands without a face.
        paintings: Photos of painted faces.
    """

    portraits: Sequence[Portrait]
    hands: Sequence[Image] = ()
    paintings: Sequence[Image] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """What to draw.

    Attributes:
        condition: What makes it hard.
        level: How hard.
        seed: Of all chance.
        people: How many; several enter and leave.
        face_px: Side of the faces.
        brightness: Factor on every pixel, 0 to 1; noise of the sensor comes on top.
        turn_degrees: In-plane turn of heads.
        cover: Share of the face, from the chin up, that a mask covers.
        blur_px: Length of the motion blur.
        crf: Constant rate factor of H.264.
        posters: Portraits on the wall.
        shirt: Whether a face is printed on the first person's chest.
        hands: How many hands pass.
        paintings: How many hang on the wall.
        frames: How many.
        frames_per_second: How many a second.
    """

    condition: str
    level: float
    seed: int
    people: int = 1
    face_px: float = 70.0
    brightness: float = 1.0
    turn_degrees: float = 0.0
    cover: float = 0.0
    blur_px: float = 0.0
    crf: int = 23
    posters: int = 0
    shirt: bool = False
    hands: int = 0
    paintings: int = 0
    frames: int = 12
    frames_per_second: int = 4


@dataclass(frozen=True, slots=True)
class DrawnFace:
    """Where a face was drawn; see `unmask.facebench.bench.TrueFace`."""

    who: int
    kind: str
    box: tuple[float, float, float, float]
    ignore: bool


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Pictures and what is true of them."""

    images: list[Image]
    truth: list[list[DrawnFace]]
    frames_per_second: int


@dataclass(slots=True)
class _Actor:
    portrait: Portrait
    x: float
    y: float
    phase: float
    cloth: Floats
    gone: tuple[float, float]  # share of the clip before entering and after leaving
    print: Portrait | None = None


def draw_scene(scene: Scene, cast: Cast) -> Drawing:
    """Draw a clip; the same scene and cast always give the same pictures."""
    chance = np.random.default_rng([scene.seed, 7])
    wall = _wall(chance)
    order = chance.permutation(len(cast.portraits))
    portraits = [cast.portraits[int(order[i % len(order)])] for i in range(scene.people + scene.posters + 1)]
    hung = _hang(wall, scene, portraits[scene.people :], cast, chance)
    actors = [_actor(scene, number, portraits[number], chance) for number in range(scene.people)]
    if scene.shirt and actors:
        actors[0].print = portraits[-1]
    waving = [_hand_photo(cast, chance) for _ in range(scene.hands)]
    images, truth = [], []
    for index in range(scene.frames):
        share, seconds = index / max(scene.frames - 1, 1), index / scene.frames_per_second
        shift = _MARGIN_PX + 14 * np.array([np.sin(seconds * 1.3 + 1), np.cos(seconds * 0.9)])
        camera = np.array([[1, 0, -shift[0]], [0, 1, -shift[1]]], np.float32)
        picture = cv2.warpAffine(wall, camera, (_WIDTH, _HEIGHT)).astype(np.float32)
        faces = [_fact(100 + n, "picture", _mapped(box, camera)) for n, box in enumerate(hung)]
        for number, actor in enumerate(actors):
            if actor.gone[0] <= share <= actor.gone[1]:
                faces += _draw_actor(picture, actor, number, scene, seconds)
        for number, photo in enumerate(waving):
            _draw_hand(picture, photo, number, seconds)
        images.append(_exposed(picture, scene, chance))
        truth.append([face for face in faces if face is not None])
    return Drawing(images, truth, scene.frames_per_second)


def _wall(chance: np.random.Generator) -> Image:
    """A wall with shelves and things on them, and grain."""
    height, width = _HEIGHT + 2 * _MARGIN_PX, _WIDTH + 2 * _MARGIN_PX
    base = chance.uniform(90, 190, 3)
    slope = chance.uniform(-40, 40) * (np.arange(width) / width - 0.5)
    wall = np.broadcast_to(base + slope[:, None], (height, width, 3)).copy()
    for _ in range(40):
        x, y = int(chance.integers(width)), int(chance.integers(height))
        w, h = int(chance.integers(6, 90)), int(chance.integers(4, 60))
        colour = tuple(float(c) for c in np.clip(base + chance.normal(0, 45, 3), 10, 245))
        if chance.random() < 0.75:
            cv2.rectangle(wall, (x, y), (x + w, y + h), colour, -1)
        else:
            cv2.circle(wall, (x, y), h // 2 + 2, colour, -1)
    grain = cv2.GaussianBlur(chance.normal(0, 9, (height, width, 1)), (0, 0), 0.8)[..., None]
    grainy: Image = np.clip(wall + grain, 0, 255).astype(np.uint8)
    return grainy


def _hang(
    wall: Image, scene: Scene, portraits: Sequence[Portrait], cast: Cast, chance: np.random.Generator
) -> list[Floats]:
    """Hang posters and paintings on the wall, in place; gives the boxes of posters' faces."""
    boxes = []
    for number in range(scene.posters):
        side = float(np.clip(scene.face_px * chance.uniform(0.6, 1.1), 36, 100))
        left = _MARGIN_PX + (8 if number % 2 == 0 else _WIDTH - 2 * side - 8)
        top = _MARGIN_PX + chance.uniform(0, max(_HEIGHT - 2 * side - 20, 1))
        portrait = portraits[number]
        boxes.append(_pin(wall, portrait.patch, (float(left), top, 2 * side), portrait.box, chance))
    for number in range(scene.paintings):
        painting = _painting(cast, portraits[-1], chance)
        height, width = painting.shape[:2]
        scale = min(220 / height, 200 / width)
        left = _MARGIN_PX + 20 + number * 220.0
        whole = np.array([0, 0, width, height], np.float32)
        _pin(wall, painting, (left, _MARGIN_PX + 20, scale * width), whole, chance)
    return boxes


def _pin(
    wall: Image,
    picture: Image,
    place: tuple[float, float, float],
    box: Floats,
    chance: np.random.Generator,
) -> Floats:
    """Put a framed picture on the wall at ``left top width``, a little skewed; gives where ``box`` went."""
    left, top, side = place
    height, width = picture.shape[:2]
    framed = cv2.copyMakeBorder(picture, 6, 6, 6, 6, cv2.BORDER_CONSTANT, value=(235, 232, 225))
    scale = side / width
    corners = np.array([[-6, -6], [width + 6, -6], [width + 6, height + 6], [-6, height + 6]], np.float32)
    placed = corners * scale + np.array([left, top], np.float32)
    skewed = (placed + chance.uniform(-0.02, 0.02, (4, 2)) * side).astype(np.float32)
    source = (corners + 6).astype(np.float32)
    move = cv2.getPerspectiveTransform(source, skewed)
    size = (wall.shape[1], wall.shape[0])
    small = cv2.GaussianBlur(framed, (0, 0), max(0.4 / scale - 0.3, 0.05))
    drawn = cv2.warpPerspective(small, move, size, flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full(framed.shape[:2], 255, np.uint8), move, size)[..., None] / 255.0
    wall[:] = (wall * (1 - mask) + drawn * mask).astype(np.uint8)
    ends = cv2.perspectiveTransform((box.reshape(1, 2, 2) + 6).astype(np.float32), move)
    return np.asarray(ends, np.float32).reshape(4)


def _painting(cast: Cast, portrait: Portrait, chance: np.random.Generator) -> Image:
    if cast.paintings:
        return cast.paintings[int(chance.integers(len(cast.paintings)))]
    painted = cv2.stylization(portrait.patch, sigma_s=30, sigma_r=0.35)
    return np.asarray(painted, np.uint8)


def _hand_photo(cast: Cast, chance: np.random.Generator) -> Image:
    if cast.hands:
        return cast.hands[int(chance.integers(len(cast.hands)))]
    hand = np.full((160, 160, 3), (205, 200, 190), np.uint8)
    skin = tuple(float(c) for c in np.array([200, 150, 120]) + chance.uniform(-30, 30))
    cv2.ellipse(hand, (80, 110), (34, 38), 0, 0, 360, skin, -1)
    for finger in range(5):
        angle = np.radians(-150 + 30 * finger + chance.uniform(-6, 6))
        end = (int(80 + 75 * np.cos(angle)), int(105 + 75 * np.sin(angle)))
        cv2.line(hand, (80, 105), end, skin, 15, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(hand, (0, 0), 1.2), np.uint8)


def _actor(scene: Scene, number: int, portrait: Portrait, chance: np.random.Generator) -> _Actor:
    x = _WIDTH * (number + 0.5 + chance.uniform(-0.1, 0.1)) / max(scene.people, 1)
    y = _HEIGHT * (0.34 if scene.shirt else float(chance.uniform(0.42, 0.52)))
    gone = (0.0, 1.0)
    if scene.people > 1 and number > 0:  # the others come or go
        gone = (0.0, float(chance.uniform(0.6, 1))) if number % 2 else (float(chance.uniform(0, 0.4)), 1.0)
    cloth = chance.uniform(30, 200, 3).astype(np.float32)
    return _Actor(portrait, x, y, float(chance.uniform(0, 6)), cloth, gone)


def _draw_actor(
    picture: Floats, actor: _Actor, number: int, scene: Scene, seconds: float
) -> list[DrawnFace | None]:
    """Draw body and head; gives where the faces are."""
    t, scale = seconds + actor.phase, scene.face_px / FACE_PX
    sway = scene.face_px * np.array([0.35 * np.sin(1.1 * t), 0.12 * np.sin(1.7 * t)])
    body = np.array([actor.x, actor.y]) + sway
    faces: list[DrawnFace | None] = []
    _draw_torso(picture, body, scene.face_px, actor.cloth)
    if actor.print is not None:
        side = 0.62 * scene.face_px / FACE_PX
        move = _placing(body + np.array([0, 1.75 * scene.face_px]), side, 2 * np.sin(t))
        cloth = _bent(actor.print.patch, t)
        _paste(picture, cloth, _oval(0.36, 0.42), move)
        faces.append(_fact(100 + number, "picture", _mapped(actor.print.box, move)))
    nod = scene.face_px * np.array([0.03 * np.sin(2.3 * t), 0.03 * np.cos(1.9 * t)])
    turn = scene.turn_degrees + 4 * np.sin(0.9 * t)
    move = _placing(body + nod, scale * (1 + 0.03 * np.sin(0.8 * t)), turn)
    _paste(picture, _alive(actor.portrait, t, cover=scene.cover), _oval(0.40, 0.46), move)
    faces.append(_fact(number, "person", _mapped(actor.portrait.box, move)))
    return faces


def _draw_torso(picture: Floats, neck: NDArray[np.float64], face_px: float, cloth: Floats) -> None:
    x, y = neck
    half, top = 1.25 * face_px, y + 0.55 * face_px
    outline = np.array(
        [
            (x - 0.3 * face_px, top),
            (x + 0.3 * face_px, top),
            (x + half, top + 0.5 * face_px),
            (x + half, _HEIGHT + 9),
            (x - half, _HEIGHT + 9),
            (x - half, top + 0.5 * face_px),
        ]
    )
    cv2.fillPoly(picture, [np.rint(outline).astype(np.int32)], tuple(float(c) for c in cloth), cv2.LINE_AA)


def _alive(portrait: Portrait, t: float, *, cover: float) -> Image:
    """The portrait at a moment: blinking, talking, turned a little."""
    y, x = np.mgrid[0:PATCH_PX, 0:PATCH_PX].astype(np.float32)
    eyes, mouth = portrait.points[:2], portrait.points[3:].mean(axis=0)
    shut = 2.5 * max(0.0, float(np.sin(2.1 * t)) - 0.9) / 0.1  # now and then
    source_y = y.copy()
    for eye in eyes:
        near = np.exp(-((x - eye[0]) ** 2) / 500 - (y - eye[1]) ** 2 / 120)
        source_y += (y - eye[1]) * near * shut
    talk = 9 * max(0.0, float(np.sin(5.3 * t) + 0.6 * np.sin(8.9 * t)))
    below = np.exp(-((x - mouth[0]) ** 2) / 2500 - ((y - mouth[1] - 15) ** 2) / 1500)
    source_y -= talk * below / (1 + np.exp((mouth[1] - y) / 3))
    aside = np.clip((x - PATCH_PX / 2) / (0.62 * FACE_PX), -1, 1)
    source_x = x + 13 * np.sin(0.7 * t) * np.cos(aside * np.pi / 2)
    image = _remapped(portrait.patch, source_x, source_y)
    if cover > 0:
        edge = int(portrait.box[3] - cover * (portrait.box[3] - portrait.box[1]))
        image[edge : int(portrait.box[3]) + 12] = (150, 180, 200)
    return image


def _remapped(patch: Image, x: Floats, y: Floats) -> Image:
    maps = (np.asarray(x, np.float32), np.asarray(y, np.float32))
    moved = cv2.remap(patch, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _bent(patch: Image, t: float) -> Image:
    """A print on cloth that hangs in folds, which move a little."""
    y, x = np.mgrid[0:PATCH_PX, 0:PATCH_PX].astype(np.float32)
    moved = _remapped(patch, x + 4 * np.sin(y / 40 + t), y + 4 * np.sin(x / 50 + 0.7 * t))
    folds = 1 + 0.08 * np.sin(x / 30 + 0.5 * t)
    cloth: Image = np.clip(moved * folds[..., None], 0, 255).astype(np.uint8)
    return cloth


def _oval(across: float, down: float) -> Floats:
    """How much of a patch is shown: an oval with a soft edge, 0 to 1."""
    spot = (np.arange(PATCH_PX, dtype=np.float32) + 0.5) / PATCH_PX - 0.5
    radius = np.hypot(spot[None] / across, spot[:, None] / down)
    mask: Floats = np.clip((1.0 - radius) / 0.08, 0, 1).astype(np.float32)
    return mask


def _placing(centre: NDArray[np.float64], scale: float, degrees: float) -> Floats:
    middle = (PATCH_PX / 2, PATCH_PX / 2)
    move = cv2.getRotationMatrix2D(middle, degrees, scale)
    move[:, 2] += centre - np.array(middle)
    return np.asarray(move, np.float32)


def _paste(picture: Floats, patch: Image, mask: Floats, move: Floats) -> None:
    scale = float(np.hypot(move[0, 0], move[0, 1]))
    # What shrinks is blurred first, or it would alias.
    soft = cv2.GaussianBlur(patch, (0, 0), max(0.4 / scale - 0.3, 0.05))
    size = (picture.shape[1], picture.shape[0])
    drawn = cv2.warpAffine(soft, move, size, flags=cv2.INTER_LINEAR)
    shown = cv2.warpAffine(mask, move, size, flags=cv2.INTER_LINEAR)[..., None]
    picture[:] = picture * (1 - shown) + drawn * shown


def _draw_hand(picture: Floats, photo: Image, number: int, seconds: float) -> None:
    side = 130
    height, width = photo.shape[:2]
    scale = side / max(height, width)
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    move = cv2.getRotationMatrix2D((side / 2, side / 2), 20 * np.sin(1.4 * seconds + number), 1.0)
    move[:, 2] += [40 + 150 * number + 45 * np.sin(1.1 * seconds + number), 60 + 30 * np.cos(0.8 * seconds)]
    size = (picture.shape[1], picture.shape[0])
    shown = cv2.warpAffine(np.ones(small.shape[:2], np.float32), move, size)[..., None]
    picture[:] = picture * (1 - shown) + cv2.warpAffine(small, move, size) * shown


def _exposed(picture: Floats, scene: Scene, chance: np.random.Generator) -> Image:
    """Motion blur, light, and the noise of a sensor: of reading, and more where there is more light."""
    if scene.blur_px >= 1:
        length = int(scene.blur_px)
        kernel = np.full((1, length), 1 / length, np.float32)
        picture = cv2.filter2D(picture, -1, kernel).astype(np.float32)
    dim = picture * scene.brightness
    noise = chance.normal(0, 1, dim.shape).astype(np.float32) * np.sqrt(1.2 + 0.12 * np.maximum(dim, 0))
    seen: Image = np.clip(np.rint(dim + noise), 0, 255).astype(np.uint8)
    return seen


def _mapped(box: Floats, move: Floats) -> Floats:
    """The upright box around a box that was moved: its centre and mean scale, whatever the turn."""
    scale = float(np.hypot(move[0, 0], move[0, 1]))
    centre = move[:, :2] @ ((box[:2] + box[2:]) / 2) + move[:, 2]
    half = (box[2:] - box[:2]) / 2 * scale
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def _fact(who: int, kind: str, box: Floats) -> DrawnFace | None:
    """The truth on a face, cut off at the border; None when nothing of it is in the picture."""
    limit = np.array([_WIDTH, _HEIGHT] * 2, np.float32)
    cut = np.clip(box, 0, limit)
    seen, whole = (max(float((b[2] - b[0]) * (b[3] - b[1])), 0.0) for b in (cut, box))
    if seen < 1 or (cut[2:] - cut[:2]).min() < 1:
        return None
    x0, y0, x1, y1 = (round(float(edge), 2) for edge in cut)
    return DrawnFace(who, kind, (x0, y0, x1, y1), seen < _VISIBLE * whole)

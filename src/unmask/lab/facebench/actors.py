"""People made of a portrait, which move within themselves, and hands that pass."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.lab.facebench.scene import (
    FACE_PX,
    HEIGHT,
    PATCH_PX,
    WIDTH,
    Cast,
    DrawnFace,
    Portrait,
    Scene,
    map_box,
    true_face,
)
from unmask.types import Floats, Image


@dataclass(slots=True)
class Actor:
    """A person of a clip, where they stand, and which portrait is printed on their chest, if any."""

    portrait: Portrait
    x: float
    y: float
    phase: float
    cloth: Floats
    gone: tuple[float, float]  # share of the clip before entering and after leaving
    print: Portrait | None = None


def cast_actor(scene: Scene, number: int, portrait: Portrait, chance: np.random.Generator) -> Actor:
    """Give a person a place, a rhythm, clothes, and a time to come and go."""
    x = WIDTH * (number + 0.5 + chance.uniform(-0.1, 0.1)) / max(scene.people, 1)
    y = HEIGHT * (0.34 if scene.shirt else float(chance.uniform(0.42, 0.52)))
    gone = (0.0, 1.0)
    if scene.people > 1 and number > 0:  # the others come or go
        gone = (0.0, float(chance.uniform(0.6, 1))) if number % 2 else (float(chance.uniform(0, 0.4)), 1.0)
    cloth = chance.uniform(30, 200, 3).astype(np.float32)
    return Actor(portrait, x, y, float(chance.uniform(0, 6)), cloth, gone)


def draw_actor(
    picture: Floats, actor: Actor, number: int, scene: Scene, seconds: float
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
        faces.append(true_face(100 + number, "picture", map_box(actor.print.box, move)))
    nod = scene.face_px * np.array([0.03 * np.sin(2.3 * t), 0.03 * np.cos(1.9 * t)])
    turn = scene.turn_degrees + 4 * np.sin(0.9 * t)
    move = _placing(body + nod, scale * (1 + 0.03 * np.sin(0.8 * t)), turn)
    _paste(picture, _alive(actor.portrait, t, cover=scene.cover), _oval(0.40, 0.46), move)
    faces.append(true_face(number, "person", map_box(actor.portrait.box, move)))
    return faces


def _draw_torso(picture: Floats, neck: NDArray[np.float64], face_px: float, cloth: Floats) -> None:
    x, y = neck
    half, top = 1.25 * face_px, y + 0.55 * face_px
    outline = np.array(
        [
            (x - 0.3 * face_px, top),
            (x + 0.3 * face_px, top),
            (x + half, top + 0.5 * face_px),
            (x + half, HEIGHT + 9),
            (x - half, HEIGHT + 9),
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


def choose_hand(cast: Cast, chance: np.random.Generator) -> Image:
    """A photo of a hand, or a drawn one where there are none."""
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


def draw_hand(picture: Floats, photo: Image, number: int, seconds: float) -> None:
    """Draw a hand that waves, in place."""
    side = 130
    height, width = photo.shape[:2]
    scale = side / max(height, width)
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    move = cv2.getRotationMatrix2D((side / 2, side / 2), 20 * np.sin(1.4 * seconds + number), 1.0)
    move[:, 2] += [40 + 150 * number + 45 * np.sin(1.1 * seconds + number), 60 + 30 * np.cos(0.8 * seconds)]
    size = (picture.shape[1], picture.shape[0])
    shown = cv2.warpAffine(np.ones(small.shape[:2], np.float32), move, size)[..., None]
    picture[:] = picture * (1 - shown) + cv2.warpAffine(small, move, size) * shown

"""The wall that people stand before, with what hangs on it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from unmask.lab.facebench.scene import HEIGHT, MARGIN_PX, WIDTH, Cast, Portrait, Scene
from unmask.types import Floats, Image


def draw_wall(chance: np.random.Generator) -> Image:
    """A wall with shelves and things on them, and grain."""
    height, width = HEIGHT + 2 * MARGIN_PX, WIDTH + 2 * MARGIN_PX
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


def hang_pictures(
    wall: Image, scene: Scene, portraits: Sequence[Portrait], cast: Cast, chance: np.random.Generator
) -> list[Floats]:
    """Hang posters and paintings on the wall, in place; gives the boxes of posters' faces."""
    boxes = []
    for number in range(scene.posters):
        side = float(np.clip(scene.face_px * chance.uniform(0.6, 1.1), 36, 100))
        left = MARGIN_PX + (8 if number % 2 == 0 else WIDTH - 2 * side - 8)
        top = MARGIN_PX + chance.uniform(0, max(HEIGHT - 2 * side - 20, 1))
        portrait = portraits[number]
        boxes.append(_pin(wall, portrait.patch, (float(left), top, 2 * side), portrait.box, chance))
    for number in range(scene.paintings):
        painting = _painting(cast, portraits[-1], chance)
        height, width = painting.shape[:2]
        scale = min(220 / height, 200 / width)
        left = MARGIN_PX + 20 + number * 220.0
        whole = np.array([0, 0, width, height], np.float32)
        _pin(wall, painting, (left, MARGIN_PX + 20, scale * width), whole, chance)
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

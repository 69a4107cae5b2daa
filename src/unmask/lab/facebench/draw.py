"""Draws the clips of the face bench: portraits brought to life before a wall, under known conditions.

A portrait becomes a person by moving within itself: it blinks, talks and turns its head. A poster or a
printed shirt shows the same portrait without that. All of it is seeded and small.
"""

from __future__ import annotations

import cv2
import numpy as np

from unmask.lab.facebench.actors import cast_actor, choose_hand, draw_actor, draw_hand
from unmask.lab.facebench.scene import HEIGHT, MARGIN_PX, WIDTH, Cast, Drawing, Scene, map_box, true_face
from unmask.lab.facebench.wall import draw_wall, hang_pictures
from unmask.types import Floats, Image


def draw_scene(scene: Scene, cast: Cast) -> Drawing:
    """Draw a clip; the same scene and cast always give the same pictures."""
    chance = np.random.default_rng([scene.seed, 7])
    wall = draw_wall(chance)
    order = chance.permutation(len(cast.portraits))
    portraits = [cast.portraits[int(order[i % len(order)])] for i in range(scene.people + scene.posters + 1)]
    hung = hang_pictures(wall, scene, portraits[scene.people :], cast, chance)
    actors = [cast_actor(scene, number, portraits[number], chance) for number in range(scene.people)]
    if scene.shirt and actors:
        actors[0].print = portraits[-1]
    waving = [choose_hand(cast, chance) for _ in range(scene.hands)]
    images, truth = [], []
    for index in range(scene.frames):
        share, seconds = index / max(scene.frames - 1, 1), index / scene.frames_per_second
        shift = MARGIN_PX + 14 * np.array([np.sin(seconds * 1.3 + 1), np.cos(seconds * 0.9)])
        camera = np.array([[1, 0, -shift[0]], [0, 1, -shift[1]]], np.float32)
        picture = cv2.warpAffine(wall, camera, (WIDTH, HEIGHT)).astype(np.float32)
        faces = [true_face(100 + n, "picture", map_box(box, camera)) for n, box in enumerate(hung)]
        for number, actor in enumerate(actors):
            if actor.gone[0] <= share <= actor.gone[1]:
                faces += draw_actor(picture, actor, number, scene, seconds)
        for number, photo in enumerate(waving):
            draw_hand(picture, photo, number, seconds)
        images.append(_exposed(picture, scene, chance))
        truth.append([face for face in faces if face is not None])
    return Drawing(images, truth, scene.frames_per_second)


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

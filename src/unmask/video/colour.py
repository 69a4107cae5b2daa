"""High dynamic range to standard: what was made for a bright screen, as an ordinary one shows it.

Sources: ITU-R BT.2100 (PQ and HLG), BT.2408 (203 cd/m² is the white of ordinary video), BT.2087 (primaries).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorTrc
from numpy.typing import NDArray

from unmask.types import Floats, Image

_WHITE = 203.0  # cd/m² of what an ordinary video shows as white
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2
_KNEE = 0.85  # of that white: below it light stays as it is, above it is compressed, and never clipped
_SCREEN_GAMMA = 2.4
_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)  # of BT.2020
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
_STRIP_ROWS = 64  # converted at a time, as numbers with a fraction take eight times the memory


def is_high_range(frame: VideoFrame) -> bool:
    """Whether a decoded frame is made for a screen of high dynamic range (PQ or HLG)."""
    return frame.color_trc in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)


def tone_map(image: NDArray[np.uint16], frame: VideoFrame) -> Image:
    """Bring a picture of high dynamic range to standard.

    Args:
        image: RGB in the frame's own transfer and primaries, (H, W, 3), of 65535.
        frame: Says which these are; primaries that it does not name are those of BT.2020.

    Returns:
        RGB, (H, W, 3), uint8, its own memory.
    """
    hlg = frame.color_trc == ColorTrc.ARIB_STD_B67
    wide = frame.color_primaries in (ColorPrimaries.BT2020, ColorPrimaries.UNSPECIFIED)
    mapped = np.empty(image.shape, np.uint8)
    for top in range(0, len(image), _STRIP_ROWS):
        strip = slice(top, top + _STRIP_ROWS)
        light = _light(hlg)[image[strip]]
        if hlg:  # the light of the scene becomes that of the screen (BT.2100, table 5)
            light *= np.maximum(light @ _LUMA, 1e-6)[..., None] ** (_HLG_GAMMA - 1) * (_HLG_PEAK / _WHITE)
        if wide:
            light = np.maximum(light @ _TO_709.T, 0)
        brightest = np.maximum(light.max(axis=2, keepdims=True), 1e-6)
        light *= _compress(brightest) / brightest  # all three alike, so that colours stay
        mapped[strip] = np.rint(255 * light ** (1 / _SCREEN_GAMMA))
    return mapped


def _compress(light: Floats) -> Floats:
    room = 1 - _KNEE
    above: Floats = 1 - room * np.exp(np.minimum(_KNEE - light, 0) / room)
    return np.where(light <= _KNEE, light, above)


@cache
def _light(hlg: bool) -> Floats:
    """For each value of 65536 its light: of the scene, 0 to 1, or in shares of the ordinary white."""
    signal = np.linspace(0, 1, 65_536)
    if hlg:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        bright = (np.exp((signal - c) / a) + b) / 12
        scene: Floats = np.where(signal <= 0.5, signal**2 / 3, bright).astype(np.float32)
        return scene
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = signal ** (1 / m2)
    screen: Floats = ((np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1) * (10_000 / _WHITE)).astype(
        np.float32
    )
    return screen

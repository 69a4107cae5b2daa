"""High dynamic range: judged as an ordinary screen would show it."""

from __future__ import annotations

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorTrc

from media import numbered, read_number
from unmask.types import Image
from unmask.video import read_clip
from unmask.video.colour import is_high_range, tone_map

KINDS = {"smpte2084": ColorTrc.SMPTE2084, "arib-std-b67": ColorTrc.ARIB_STD_B67}


def coded(light, kind):
    """The signal, 0 to 1, of grey light in shares of the ordinary white (BT.2100, tables 4 and 5)."""
    light = np.asarray(light, np.float64) * 203
    if kind == "smpte2084":
        power = (light / 10_000) ** (2610 / 16384)
        return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    scene = (light / 1000) ** (1 / 1.2)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def tagged(kind):
    frame = av.VideoFrame(16, 16, "rgb48le")
    frame.color_trc, frame.color_primaries = KINDS[kind], ColorPrimaries.BT2020
    return frame


def mapped(light, kind) -> Image:
    signal = np.rint(coded(light, kind) * 65_535).astype(np.uint16)
    return tone_map(np.repeat(signal[:, None, None], 3, axis=2), tagged(kind))[:, 0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_what_ordinary_video_shows_stays_as_it_is(kind):
    levels = np.arange(20, 236)
    assert np.abs(mapped((levels / 255) ** 2.4, kind).astype(int) - levels).max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_brighter_is_compressed_in_order(kind):
    found = mapped(np.linspace(0, 4.9, 400), kind).astype(int)
    assert (np.diff(found) >= 0).all() and found[0] == 0 and found[-1] == 255
    assert 235 < mapped(np.array([1.0]), kind)[0] < 255


@pytest.mark.parametrize("kind", KINDS)
def test_a_film_of_high_range_looks_as_it_was_made(tmp_path, kind):
    made = numbered(1234)
    signal = coded((made / 255.0) ** 2.4, kind)
    params = f"log-level=none:transfer={kind}:colorprim=bt2020:colormatrix=bt2020nc:crf=8"
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx265", rate=25, options={"x265-params": params})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p10le"
        frame = av.VideoFrame.from_ndarray(np.rint(signal * 65_535).astype(np.uint16), "rgb48le")
        for number in range(3):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert is_high_range(next(container.decode(video=0)))
    rgb = read_clip(tmp_path / "a.mp4").frames[1].picture.rgb()
    grey, wanted = rgb.mean(axis=2), made.mean(axis=2)
    assert read_number(rgb) == 1234 and np.abs(grey - wanted).mean() < 6

"""Settings, one frozen dataclass per stage, units in the field names.

Each class checks itself: a value outside its range raises `SettingsError` with rule and value.
"""

from __future__ import annotations

from dataclasses import dataclass

from unmask.errors import SettingsError


def _require(ok: bool, rule: str, value: object) -> None:
    if not ok:
        raise SettingsError(f"{rule}, got {value!r}")


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """How frames are sampled from a file, and the limits that hostile files meet.

    Attributes:
        frames: How many frames, evenly spread over the clip.
        max_pixels: Largest frame, in pixels, that is decoded; the default admits 8K.
        time_limit_seconds: Wall time after which decoding stops.
        max_streams: Streams a container may declare.
        drop_unreferenced: Skip packets that no other frame needs (same pixels, less work).
    """

    frames: int = 30
    max_pixels: int = 8192 * 8192
    time_limit_seconds: float = 120.0
    max_streams: int = 64
    drop_unreferenced: bool = True

    def __post_init__(self) -> None:
        _require(1 <= self.frames <= 10_000, "frames must be 1 to 10000", self.frames)
        _require(self.max_pixels >= 1, "max_pixels must be 1 or more", self.max_pixels)
        _require(self.time_limit_seconds > 0, "time_limit_seconds must be above 0", self.time_limit_seconds)
        _require(self.max_streams >= 1, "max_streams must be 1 or more", self.max_streams)


@dataclass(frozen=True, slots=True)
class CropSettings:
    """How a face is cut; the values of a model are on its card, so crop and model cannot drift apart.

    Attributes:
        size_px: Side of the square crop, in pixels.
        margin_fraction: Added to the longer side of the box; 0.3 turns 100 px into 130 px.
    """

    size_px: int = 224
    margin_fraction: float = 0.3

    def __post_init__(self) -> None:
        _require(8 <= self.size_px <= 2048, "size_px must be 8 to 2048", self.size_px)
        _require(0 <= self.margin_fraction <= 3, "margin_fraction must be 0 to 3", self.margin_fraction)

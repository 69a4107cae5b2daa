"""What the table of published detectors says of each: where it lies, what it needs, who measured what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

Build = Callable[[dict[str, Path]], "nn.Module"]
"""From the published files, by name, to a network in torch: normalised crops (N, 3, S, S) to log odds of a
fake (N,). Raises `ModelError` when a file holds something else than the published layout."""

LAYOUT_ONLY = (
    "layout verified, scores not: the published weights could not be downloaded where this was written"
)


@dataclass(frozen=True, slots=True)
class Hub:
    """Files of a repository on a model hub that speaks the protocol of Hugging Face.

    Attributes:
        repository: ``owner/name``.
        files: What is taken of it.
        revision: Branch, tag or commit. A commit is the better choice wherever one is known.
        sha256: Of files whose hash is known; the others are held against what the hub says of them.
    """

    repository: str
    files: tuple[str, ...]
    revision: str = "main"
    sha256: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Web:
    """One file behind an address that does not change.

    Attributes:
        url: Its address, https.
        sha256: Of the file; empty where nobody has told it, which the entry must say.
    """

    url: str
    sha256: str = ""

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Entry:
    """One published detector.

    Attributes:
        name: What the commands call it.
        title: What it is, in a few words.
        source: Where its weights lie.
        megabytes: About how much is downloaded; much more is refused.
        licence: Of the weights, and of what they were made from where that differs.
        terms: What they may be used for.
        cite: What to cite.
        trained_on: One entry a source.
        measured: What its authors measured, with its source.
        tried: What was tried with it here.
        size_px: Side of the crops.
        margin_fraction: As in `CropSettings`.
        mean: Of the normalisation, RGB, in levels of 0 to 255.
        std: The same.
        build: Makes the network.
        crop: As in `CropSettings`.
        template: As in `CropSettings`.
        limits: What else a user must know, one sentence each.
    """

    name: str
    title: str
    source: Hub | Web
    megabytes: float
    licence: str
    terms: str
    cite: str
    trained_on: tuple[str, ...]
    measured: str
    tried: str
    size_px: int
    margin_fraction: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    build: Build
    crop: str = "box"
    template: tuple[tuple[float, float], ...] = ()
    limits: tuple[str, ...] = ()


def scale_levels(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """From shares of white, as papers give them, to levels of 0 to 255.

    >>> scale_levels(0.5, 0, 1)
    (127.5, 0.0, 255.0)
    """
    return red * 255.0, green * 255.0, blue * 255.0

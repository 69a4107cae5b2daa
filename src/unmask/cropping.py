"""Settings of cutting faces; part of `unmask.config`, from where they are imported."""

from __future__ import annotations

from dataclasses import dataclass

from unmask.errors import require

CROPS = ("box", "aligned")
"""Ways to cut a face; see `CropSettings`."""


@dataclass(frozen=True, slots=True)
class CropSettings:
    """How a face is cut; the values of a model are on its card, so crop and model cannot drift apart.

    Attributes:
        size_px: Side of the square crop, in pixels.
        margin_fraction: Added to the longer side of box or template; 0.3 turns 100 px into 130 px,
            -0.3 into 70 px.
        crop: ``box`` cuts an upright square around the box; ``aligned`` turns, moves and scales the face so
            that its five points come to lie on the template.
        template: Where an aligned crop without margin shows left eye, right eye, nose, left and right mouth
            corner: five ``(x, y)`` in shares of its side. Empty for ``box``.
    """

    size_px: int = 224
    margin_fraction: float = 0.3
    crop: str = CROPS[0]
    template: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        require(8 <= self.size_px <= 2048, "size_px must be 8 to 2048", self.size_px)
        require(-0.5 <= self.margin_fraction <= 3, "margin_fraction must be -0.5 to 3", self.margin_fraction)
        require(self.crop in CROPS, f"crop must be one of {', '.join(CROPS)}", self.crop)
        count = 5 if self.crop == "aligned" else 0
        values = [value for point in self.template for value in point]
        ok = len(self.template) == count and len(values) == 2 * count and len(set(self.template)) != 1
        rule = (
            f"template must be {count} points (x, y) within -1 to 2, not all the same, for crop {self.crop}"
        )
        require(ok and all(-1 <= value <= 2 for value in values), rule, self.template)

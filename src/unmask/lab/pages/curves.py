"""Precision-recall curves of face detection, by condition, as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from unmask.errors import MissingExtraError
from unmask.files import whole_file

Curve = Sequence[tuple[float, float, float]]
"""Threshold, precision and recall at each point."""


def write_curves(curves: Mapping[str, Sequence[tuple[str, Curve]]], file: Path) -> None:
    """Draw one panel a condition.

    Args:
        curves: By condition: name and curve of each detector or setting.
        file: Where to; the ending says which kind of picture.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OSError: It cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingExtraError("matplotlib", extra="tune") from error
    columns = min(4, max(len(curves), 1))
    rows = math.ceil(len(curves) / columns) or 1
    figure = Figure(figsize=(3.3 * columns, 3.1 * rows))
    FigureCanvasAgg(figure)
    for number, (condition, lines) in enumerate(curves.items(), start=1):
        panel = figure.add_subplot(rows, columns, number)
        for name, curve in lines:
            panel.plot([r for _, _, r in curve], [p for _, p, _ in curve], label=name, linewidth=1.6)
        panel.set(title=condition, xlim=(0, 1.02), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
        panel.grid(alpha=0.3)
        if number == 1:
            panel.legend(fontsize=8, loc="lower left")
    figure.tight_layout()
    with whole_file(file) as draft:
        figure.savefig(draft, dpi=110, format=file.suffix.lstrip(".") or "png")

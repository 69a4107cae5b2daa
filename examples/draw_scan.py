"""Draw what a scan found: sampled frames with boxes and key points, and p_fake over time.

python examples/draw_scan.py examples/*.mp4 -o docs/images/scan.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

import unmask
from unmask.types import Clip
from unmask.verdicts import Person, Verdict

COLOURS = {"fake": "#d1495b", "real": "#2a9d6f", "unsure": "#e09f3e"}
FRAMES = 3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--model", type=Path, help="card of the model (default: the shipped one)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    figure, rows = pyplot.subplots(
        len(options.videos),
        FRAMES + 1,
        figsize=(13, 2.9 * len(options.videos)),
        width_ratios=[1] * FRAMES + [1.25],
        squeeze=False,
        layout="constrained",
    )
    for row, video in zip(rows, options.videos, strict=True):
        draw_row(list(row), video, unmask.scan(video, model=options.model))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.output, dpi=100)


def draw_row(axes: list[Axes], video: Path, verdict: Verdict) -> None:
    """One clip: some frames, then the curve."""
    clip = unmask.read_clip(video)
    colour = COLOURS.get(verdict.outcome, "#777777")
    step = len(clip.frames) // FRAMES
    for axis, index in zip(axes, range(step // 2, len(clip.frames), step), strict=False):
        draw_frame(axis, clip, index, [person for person in verdict.people if person.kept], colour)
    number = "" if verdict.p_fake is None else f", p_fake {verdict.p_fake:.2f}"
    axes[0].set_title(
        f"{video.name}: {verdict.outcome.value}{number}", loc="left", color=colour, weight="bold"
    )
    draw_curve(axes[-1], verdict, colour)


def draw_frame(axis: Axes, clip: Clip, index: int, people: list[Person], colour: str) -> None:
    """A frame with boxes and key points."""
    frame = clip.frames[index]
    axis.imshow(frame.picture.rgb())
    axis.set_axis_off()
    for person in people:
        for seen in person.frames:
            if seen.time_seconds == frame.time_seconds:
                x0, y0, x1, y1 = seen.box
                axis.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color=colour, linewidth=2))
                axis.scatter(*zip(*seen.points, strict=True), s=8, color=colour)
    place = {"transform": axis.transAxes, "va": "bottom", "color": "white", "fontsize": 9}
    axis.text(
        0.02, 0.03, f"{frame.time_seconds:.1f} s", bbox={"facecolor": colour, "lw": 0, "pad": 2}, **place
    )


def draw_curve(axis: Axes, verdict: Verdict, colour: str) -> None:
    """Probability over time for everyone kept."""
    for person in verdict.people:
        if person.kept:
            scored = [frame for frame in person.frames if frame.p_fake is not None]
            axis.plot([f.time_seconds for f in scored], [f.p_fake for f in scored], color=colour)
            axis.axhline(person.p_fake, color=colour, linestyle=":", linewidth=1)
    axis.set(ylim=(0, 1), xlabel="seconds", ylabel="p_fake of a frame")
    axis.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()

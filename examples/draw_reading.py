"""Draw the pictures of docs/reading.md: a scan that ends in fake, real, unsure and no_face.

python examples/draw_reading.py -o docs/images

The clips are the shipped examples, the original of the swap, and a drawn wall with nobody before it.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

import unmask
from draw_scan import FRAMES, draw_row
from make_examples import make_original
from unmask.config import DetectSettings
from unmask.faces.detect import load_detector
from unmask.lab.facebench.bench import encode
from unmask.lab.facebench.draw import draw_scene
from unmask.lab.facebench.plan import gather_cast
from unmask.lab.facebench.scene import Scene

EXAMPLES = Path(__file__).resolve().parent


def make_clips(folder: Path) -> dict[str, Path]:
    """A clip for each outcome."""
    make_original(folder / "original.mp4")
    cast = gather_cast(load_detector(DetectSettings()), half="tune")
    wall = Scene(condition="nobody", level=0, seed=4, people=0, frames=30, frames_per_second=10)
    encode(folder / "nobody.mp4", draw_scene(wall, cast), crf=23)
    return {
        "fake": EXAMPLES / "portrait_swapped.mp4",
        "real": EXAMPLES / "portrait_real.mp4",
        "unsure": folder / "original.mp4",
        "no_face": folder / "nobody.mp4",
    }


def draw(clip: Path, expected: str, picture: Path, scanner: unmask.Scanner) -> None:
    """Frames with boxes, and the probability over time with both thresholds."""
    verdict = scanner.scan(clip)
    if verdict.outcome != expected:
        raise SystemExit(f"{clip.name} must be {expected} for this picture, got {verdict.outcome.value}")
    figure, axes = pyplot.subplots(
        1, FRAMES + 1, figsize=(13, 3), width_ratios=[1] * FRAMES + [1.25], layout="constrained"
    )
    draw_row(list(axes), clip, verdict)
    limits = scanner.model.card.thresholds
    for height, word in (
        (limits.fake_at_least, "fake from here on"),
        (limits.real_at_most, "real down from here"),
    ):
        axes[-1].axhline(height, color="#777777", linestyle=":", linewidth=1)
        axes[-1].text(
            0.02, height + 0.01, word, transform=axes[-1].get_yaxis_transform(), fontsize=8, color="#555555"
        )
    figure.savefig(picture, dpi=90, pil_kwargs={"quality": 85})
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder")
    output: Path = parser.parse_args().output
    scanner = unmask.load_scanner()
    with tempfile.TemporaryDirectory() as name:
        for outcome, clip in make_clips(Path(name)).items():
            draw(clip, outcome, output / f"reading_{outcome}.jpg", scanner)


if __name__ == "__main__":
    main()

"""Draw the figures of docs/how: what each stage of a scan makes of one film; and Simes' rule for long videos.

python examples/draw_stages.py -o docs/images

The film is the shipped swap between two halves of its original: three shots, 9.6 s.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

import unmask
from draw_report import cut_together
from make_examples import make_original
from unmask.config import DetectSettings, ScanSettings
from unmask.faces.detect import load_detector
from unmask.judge.calibration import Calibration
from unmask.judge.card import card_path, read_card
from unmask.lab.facebench.bench import encode
from unmask.lab.facebench.draw import draw_scene
from unmask.lab.facebench.plan import HALVES, gather_cast
from unmask.lab.facebench.scene import Cast, Scene
from unmask.types import Clip, Track
from unmask.verdicts import Verdict

EXAMPLES = Path(__file__).resolve().parent
KEPT, DROPPED, FAKE = "#2a9d6f", "#888888", "#d1495b"


def draw_frames(film: Path, verdict: Verdict, picture: Path) -> None:
    """The film as a line of time: shots as bands, a tick for each sampled frame."""
    figure, (pictures, line) = pyplot.subplots(
        2, 1, figsize=(11, 3.4), height_ratios=[2, 1], layout="constrained"
    )
    parts = list(unmask.read_clips(film))
    shown = [part.frames[len(part.frames) // 2] for part in parts]
    for number, (frame, shot) in enumerate(zip(shown, verdict.shots, strict=False)):
        left, right = shot.start_seconds, shot.end_seconds
        pictures.imshow(frame.picture.rgb(), extent=(left + 0.1, right - 0.1, 0, 1), aspect="auto")
        line.axvspan(left, right, color="#dddddd" if number % 2 else "#f2f2f2")
        line.text((left + right) / 2, 0.72, f"shot {number + 1}", ha="center")
    times = [frame.time_seconds for part in parts for frame in part.frames]
    line.vlines(times, 0.1, 0.5, color="black", linewidth=1)
    for axis in (pictures, line):
        axis.set(xlim=(0, verdict.shots[-1].end_seconds), ylim=(0, 1), yticks=[])
    pictures.set_axis_off()
    line.set_xlabel(f"seconds; {len(times)} frames are looked at, of 240")
    save(figure, picture)


def draw_faces(clip: Clip, picture: Path) -> None:
    """What the detector gives for one frame: a box and five points for each face, also a poster's."""
    frame = clip.frames[len(clip.frames) // 2].picture.rgb()
    (faces,) = load_detector(DetectSettings()).detect([frame])
    figure, axis = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axis.imshow(frame)
    for face in faces:
        outline(axis, face.box, "#e0b020", f"{face.confidence:.3f}")
        axis.scatter(*face.points.T, s=12, color="#e0b020")
    axis.set_axis_off()
    save(figure, picture)


def draw_people(clip: Clip, picture: Path) -> None:
    """The same faces, followed: who counts, and who is a picture."""
    tracks = unmask.find_faces(clip)
    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(11, 3.4), width_ratios=[1.3, 1], layout="constrained"
    )
    index = len(clip.frames) // 2
    left.imshow(clip.frames[index].picture.rgb())
    left.set_axis_off()
    for row, track in enumerate(tracks):
        colour = KEPT if track.kept else DROPPED
        if index in track.frame_indices:
            word = f"person {track.id + 1}" if track.kept else "dropped"
            outline(left, track.faces[track.frame_indices.index(index)].box, colour, word)
        times = [clip.frames[i].time_seconds for i in track.frame_indices]
        right.scatter(times, [row] * len(times), color=colour, s=14)
        right.text(0, row + 0.18, short_reason(track), fontsize=8)
    right.set(ylim=(-0.5, len(tracks)), yticks=[], xlabel="seconds")
    right.spines[["top", "right", "left"]].set_visible(False)
    save(figure, picture)


def short_reason(track: Track) -> str:
    """Who it is, or why it is nobody."""
    return f"person {track.id + 1}" if track.kept else str(track.why_dropped).partition(":")[0]


def draw_crops(clip: Clip, picture: Path) -> None:
    """What the network sees of a person, nine of the frames."""
    crops = max(unmask.cut_crops(clip), key=len)
    figure, axes = pyplot.subplots(1, 9, figsize=(11, 1.7), layout="constrained")
    chosen = np.linspace(0, len(crops) - 1, 9).round().astype(int)
    for axis, index in zip(axes, chosen, strict=True):
        axis.imshow(crops.images[index].transpose(1, 2, 0))
        axis.set_title(f"{crops.times_seconds[index]:.1f} s", fontsize=9)
        axis.set_axis_off()
    side = crops.images.shape[-1]
    figure.suptitle(
        f"{len(crops)} crops of {side} x {side} pixels: a tensor of {len(crops)} x 3 x {side} x {side}"
    )
    save(figure, picture)


def draw_scores(verdicts: dict[str, Verdict], picture: Path) -> None:
    """One number for each scored crop, and the person's mean."""
    figure, axis = pyplot.subplots(figsize=(7, 3.2), layout="constrained")
    for (name, verdict), colour in zip(verdicts.items(), (FAKE, KEPT), strict=True):
        (person,) = [one for one in verdict.people if one.kept]
        scored = [frame for frame in person.frames if frame.p_fake is not None]
        axis.plot(
            [f.time_seconds for f in scored], [f.p_fake for f in scored], "o-", color=colour, label=name
        )
        axis.axhline(person.p_fake, color=colour, linestyle=":", linewidth=1)
    axis.set(ylim=(0, 1), xlabel="seconds", ylabel="p_fake of a frame")
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    save(figure, picture)


def draw_verdict(picture: Path) -> None:
    """The shipped card's curve from the network's number to a probability, and where the words begin."""
    card = read_card(card_path())
    logits = np.linspace(-2.5, 2.5, 201)
    figure, axis = pyplot.subplots(figsize=(7, 3.2), layout="constrained")
    axis.plot(logits, [card.calibration.probability(float(x)) for x in logits], color="black")
    low, high = card.thresholds.real_at_most, card.thresholds.fake_at_least
    for bottom, top, colour, word in (
        (0, low, KEPT, "real"),
        (low, high, "#e09f3e", "unsure"),
        (high, 1, FAKE, "fake"),
    ):
        axis.axhspan(bottom, top, color=colour, alpha=0.15, linewidth=0)
        axis.text(-2.4, (bottom + top) / 2, f"{word}, {bottom:g} to {top:g}", va="center")
    axis.set(
        xlabel="the network's number for a person (logit)", ylabel="p_fake", ylim=(0, 1), xlim=(-2.5, 2.5)
    )
    save(figure, picture)


def draw_simes(calibration: Calibration, picture: Path) -> None:
    """What one suspicious face counts among more and more faces that look real."""
    figure, axis = pyplot.subplots(figsize=(7, 3.2), layout="constrained")
    counts = np.unique(np.geomspace(1, 200, 40).round().astype(int))
    for alone, colour in ((0.9, "#f2a65a"), (0.97, "#d1495b"), (0.99, "#7a1f2b")):
        joined = [calibration.among_many([alone, *[0.1] * (int(n) - 1)]) for n in counts]
        axis.plot(counts, joined, color=colour, label=f"{alone:g} by itself")
    axis.axhline(read_card(card_path()).thresholds.fake_at_least, color="#777777", linestyle=":", linewidth=1)
    axis.text(1, read_card(card_path()).thresholds.fake_at_least + 0.01, "fake from here on", fontsize=8)
    axis.set(
        xscale="log",
        xlabel="faces in the file; all others have 0.1",
        ylabel="p_fake of the file",
        ylim=(0, 1),
    )
    axis.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
    axis.legend(frameon=False, loc="lower left")
    axis.spines[["top", "right"]].set_visible(False)
    save(figure, picture)


def outline(axis: Axes, box: np.ndarray, colour: str, word: str) -> None:
    """A box with a word above it."""
    x0, y0, x1, y1 = box
    axis.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color=colour, linewidth=2))
    axis.text(x0, y0 - 4, word, color="white", fontsize=9, bbox={"facecolor": colour, "lw": 0, "pad": 1.5})


def save(figure: pyplot.Figure, picture: Path) -> None:
    """Write and forget a figure."""
    figure.savefig(
        picture, dpi=90, pil_kwargs={"quality": 85} if picture.suffix == ".jpg" else {"optimize": True}
    )
    pyplot.close(figure)


def poster_clip(path: Path) -> Path:
    """Somebody talks before a wall with a poster of somebody else."""
    detector = load_detector(DetectSettings())
    both = Cast([gather_cast(detector, half=half).portraits[0] for half in HALVES])
    scene = Scene(
        condition="poster", level=1, seed=17, posters=1, face_px=90, frames=60, frames_per_second=15
    )
    encode(path, draw_scene(scene, both), crf=20)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder")
    output: Path = parser.parse_args().output
    swapped = EXAMPLES / "portrait_swapped.mp4"
    with tempfile.TemporaryDirectory() as name:
        original = Path(name) / "original.mp4"
        make_original(original)
        film = cut_together([original, swapped, original], Path(name) / "film.mp4")
        scanner = unmask.load_scanner(ScanSettings(embedder="none"))
        draw_frames(film, scanner.scan(film), output / "how_frames.jpg")
        posters = unmask.read_clip(poster_clip(Path(name) / "poster.mp4"))
        draw_faces(posters, output / "how_faces.jpg")
        draw_people(posters, output / "how_people.jpg")
        draw_crops(unmask.read_clip(swapped), output / "how_crops.jpg")
        real = EXAMPLES / "portrait_real.mp4"
        draw_scores({file.name: scanner.scan(file) for file in (swapped, real)}, output / "how_scores.png")
    draw_verdict(output / "how_verdict.png")
    draw_simes(read_card(card_path()).calibration, output / "simes.png")


if __name__ == "__main__":
    main()

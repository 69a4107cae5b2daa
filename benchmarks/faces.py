"""How well faces are found, beside facenet-pytorch's MTCNN: the table and the plot of docs/lab/faces.md.

    pip install -e ".[test,tune]"
    pip download --no-deps facenet-pytorch==2.6.0
    python benchmarks/faces.py BENCH --wheel facenet_pytorch-2.6.0-py3-none-any.whl --into docs/lab/faces.md

BENCH is the half ``report`` of a face bench (``unmask data facebench --half report``). Every way runs on one
thread in this process. ``--json FILE`` keeps the counts, ``--read FILE`` shows such a file again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from marks import OPENING, paragraph, put_into
from unmask.config import DetectSettings, ScanSettings, TrackSettings
from unmask.lab.facebench.bench import Bench, read_bench
from unmask.lab.facebench.count import (
    FaceCounts,
    count_faces,
    count_item,
    load_clips,
    mean_score,
    overall,
    precision_recall,
)
from unmask.types import Clip, Face

Counts = dict[tuple[str, float], FaceCounts]
BEFORE = ScanSettings(
    detect=DetectSettings(dark_below=0.0, min_face_px=32),
    track=TrackSettings(policy="all", min_likeness=-1.0, min_face_px=32.0),
)
"""What unmask did before faces under bad conditions were looked into."""
NOT_PEOPLE = ("poster", "poster alone", "shirt", "painting", "hands", "nobody")


_LINES = {"unmask": 7.0, "unmask, centerface": 5.0, "facenet-pytorch": 3.0, "unmask, before": 1.2}
"""What the plot shows; the wider lines lie below, where all are the same."""


def ours(settings: ScanSettings) -> Callable[[Bench, dict[str, Clip]], Counts]:
    """Unmask's own detection, tracking and choice of people."""
    return lambda bench, clips: count_faces(bench, clips, settings)


def facenet(thresholds: tuple[float, ...], given: argparse.Namespace) -> Callable[..., Counts]:
    """facenet-pytorch's MTCNN on every frame; each face that it returns counts as kept."""

    def run(bench: Bench, clips: dict[str, Clip]) -> Counts:
        mtcnn = _mtcnn(given.wheel, given.cache / "facenet")
        mtcnn.thresholds = list(thresholds)
        found: Counts = defaultdict(FaceCounts)
        for item in bench.items:
            images = [frame.picture.rgb() for frame in clips[item.file].frames]
            start = time.process_time()
            answers = [mtcnn.detect(image) for image in images]
            spent = time.process_time() - start
            faces = [
                [
                    Face(np.float32(box), np.zeros((5, 2), np.float32), float(sure))
                    for box, sure in zip(boxes, chances, strict=True)
                ]
                if boxes is not None
                else []
                for boxes, chances in answers
            ]
            counts = count_item(item, faces, None)
            counts.cpu_seconds = spent
            found[item.condition, item.level].add(counts)
        return dict(found)

    return run


@cache  # torch's threads can be set only once
def _mtcnn(wheel: Path, folder: Path) -> Any:
    from facenet import load_mtcnn

    return load_mtcnn(wheel, folder)


def ways(given: argparse.Namespace) -> dict[str, Callable[[Bench, dict[str, Clip]], Counts]]:
    """All that are compared, by the name in the table."""
    return {
        "unmask": ours(ScanSettings(track=TrackSettings(policy="moving"))),
        "unmask, before": ours(BEFORE),
        "unmask, centerface": ours(
            ScanSettings(detect=DetectSettings(detector="centerface"), track=TrackSettings(policy="moving"))
        ),
        "facenet-pytorch": facenet((0.6, 0.7, 0.7), given),
        "facenet-pytorch .7 .8 .8": facenet((0.7, 0.8, 0.8), given),
        "facenet-pytorch .85 .95 .95": facenet((0.85, 0.95, 0.95), given),
    }


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _false(counts: Counts) -> int:
    return overall(one for (condition, _), one in counts.items() if condition in NOT_PEOPLE).false_faces


def show(found: dict[str, Counts]) -> str:
    """The tables as Markdown."""
    names = list(found)
    people = [key for key, one in found[names[0]].items() if one.people]
    recall = [
        [f"{condition} {level:g}", str(found[names[0]][condition, level].people)]
        + [f"{found[name][condition, level].recall:.3f}" for name in names]
        for condition, level in people
    ]
    false = [
        [f"{condition} {level:g}", str(one.frames)]
        + [str(found[name][condition, level].false_faces) for name in names]
        for (condition, level), one in found[names[0]].items()
        if condition in NOT_PEOPLE
    ]
    whole = {name: overall(counts.values()) for name, counts in found.items()}
    total = [
        ["recall, all people", *(f"{whole[n].recall:.3f}" for n in names)],
        ["found by the detector", *(f"{whole[n].detected / whole[n].people:.3f}" for n in names)],
        ["false faces, all frames", *(str(whole[n].false_faces) for n in names)],
        ["of these hands, pictures, nobody", *(str(_false(found[n])) for n in names)],
        ["track purity", *(_tracked(n, whole[n].purity) for n in names)],
        ["track completeness", *(_tracked(n, whole[n].completeness) for n in names)],
        ["mean score", *(f"{mean_score(found[n]):.3f}" for n in names)],
        ["CPU ms a frame", *(f"{1000 * whole[n].cpu_seconds / whole[n].frames:.1f}" for n in names)],
    ]
    return "\n\n".join(
        [
            "### Together",
            _table(["", *names], total),
            "### Recall: share of people's faces that are kept",
            _table(["condition", "faces", *names], recall),
            "### False faces: kept, and of no person",
            _table(["condition", "frames", *names], false),
            "### Targets",
            _targets(found),
        ]
    )


def _tracked(name: str, share: float) -> str:
    return "-" if name.startswith("facenet") else f"{share:.3f}"


def _targets(found: dict[str, Counts]) -> str:
    mine, theirs = found["unmask"], [c for name, c in found.items() if name.startswith("facenet")]
    whole = overall(mine.values())
    dark, dark_theirs = mine["dark", 0.1].recall, max(c["dark", 0.1].recall for c in theirs)
    easy = overall(one for (condition, _), one in mine.items() if condition == "easy").recall
    false = [_false(c) for c in theirs]
    recalls = ", ".join(f"{overall(c.values()).recall:.3f}" for c in theirs)
    rows = [
        ["recall at brightness 0.1", "≥ 0.95, or twice theirs", f"{dark:.3f} (theirs {dark_theirs:.3f})",
         dark >= 0.95 or dark >= 2 * dark_theirs],
        ["false faces on hands, pictures, shirts", f"≤ a tenth of theirs ({', '.join(map(str, false))})",
         str(_false(mine)), 10 * _false(mine) <= min(false)],
        ["... at no lower recall on people", f"theirs {recalls}", f"{whole.recall:.3f}",
         whole.recall >= max(overall(c.values()).recall for c in theirs)],
        ["recall on easy faces", "≥ 0.995", f"{easy:.3f}", easy >= 0.995],
        ["track purity", "≥ 0.98", f"{whole.purity:.3f}", whole.purity >= 0.98],
        ["track completeness", "≥ 0.98", f"{whole.completeness:.3f}", whole.completeness >= 0.98],
    ]  # fmt: skip
    told = [[*map(str, row[:3]), "yes" if row[3] else "**no**"] for row in rows]
    return _table(["target", "wanted", "measured", "met"], told)


def opening(tables: str) -> str:
    """What the document begins with, read off its own tables."""

    def cell(row: str, column: str) -> float:
        lines = [[part.strip() for part in line.split("|")] for line in tables.splitlines()]
        head = next(line for line in lines if column in line)
        return float(next(line for line in lines if row in line)[head.index(column)])

    recall, false = ("recall, all people", "false faces, all frames")
    spent, theirs = "CPU ms a frame", "facenet-pytorch"
    dark = next(line.split("|") for line in tables.splitlines() if line.startswith("| dark 0.1 "))
    percent = {name: f"{cell(recall, name):.1%}".replace("%", " %") for name in ("unmask", theirs)}
    seen, seen_by_theirs = (f"{float(dark[column]):.0%}".replace("%", " %") for column in (3, 6))
    return paragraph(
        f"On our bench of hard cases unmask keeps {percent['unmask']} of people's faces,",
        f"facenet-pytorch's MTCNN {percent[theirs]}. unmask keeps {cell(false, 'unmask'):.0f} false faces,",
        f"facenet-pytorch {cell(false, theirs):.0f}, since unmask drops posters, paintings and printed",
        f"shirts; and it needs {cell(spent, 'unmask'):.1f} ms of CPU a frame instead of",
        f"{cell(spent, theirs):.1f}. At a tenth of the brightness it finds {seen} of the faces,",
        f"facenet-pytorch {seen_by_theirs}.",
    )


def plot(found: dict[str, Counts], file: Path) -> None:
    """Precision and recall of the detectors as their confidence falls, for conditions with people."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    groups = ["dark", "small", "turned", "covered", "blurred", "compressed", "several", "photos"]
    figure, panels = plt.subplots(2, 4, figsize=(13, 6.2), sharex=True, sharey=True)
    for panel, condition in zip(panels.flat, groups, strict=True):
        for name, width in _LINES.items():
            counts = overall(one for (group, _), one in found[name].items() if group == condition)
            curve = precision_recall(counts)
            panel.plot([r for _, _, r in curve], [p for _, p, _ in curve], label=name, lw=width)
        panel.set(title=condition, xlim=(0, 1.02), ylim=(0.9, 1.01))
        panel.grid(alpha=0.3)
    for panel in panels[1]:
        panel.set_xlabel("recall")
    for panel in panels[:, 0]:
        panel.set_ylabel("precision")
    panels[0, 0].legend(fontsize=8, loc="lower left")
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None, dpi=110)
    plt.close(figure)


def _plain(found: dict[str, Counts]) -> dict[str, Any]:
    return {
        name: [[condition, level, asdict(one)] for (condition, level), one in counts.items()]
        for name, counts in found.items()
    }


def _read(plain: dict[str, Any]) -> dict[str, Counts]:
    def counts(table: dict[str, Any]) -> FaceCounts:
        marks = [(confidence, hit) for confidence, hit in table["marks"]]
        pairs = {key: tuple(table[key]) for key in ("in_tracks", "complete")}
        return FaceCounts(**(table | pairs | {"marks": marks}))

    return {name: {(c, lv): counts(t) for c, lv, t in rows} for name, rows in plain.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure face detection.")
    parser.add_argument("bench", type=Path, nargs="?")
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--cache", type=Path, default=Path(".data/benchmarks"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--read", type=Path)
    parser.add_argument("--into", type=Path)
    parser.add_argument("--only", nargs="+", help="measure these ways again, keep what --json has of others")
    given = parser.parse_args()
    if given.read:
        found = _read(json.loads(given.read.read_text()))
    else:
        found = _read(json.loads(given.json.read_text())) if given.only and given.json.exists() else {}
        bench = read_bench(given.bench)
        clips = load_clips(bench)
        for name, way in ways(given).items():
            if not given.only or name in given.only:
                found[name] = way(bench, clips)
                print(f"{name}: mean score {mean_score(found[name]):.3f}", flush=True)
            if given.json:
                given.json.write_text(json.dumps(_plain(found)) + "\n")
    found = {name: found[name] for name in ways(given) if name in found}
    text = show(found)
    if given.only:
        return
    if given.into:
        put_into(given.into, text)
        put_into(given.into, opening(text), OPENING)
        plot(found, given.into.parent / "images" / "faces_curves.png")
    else:
        print(text)


if __name__ == "__main__":
    main()

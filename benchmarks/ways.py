"""One way from a clip to face crops, in a process of its own: it measures itself and prints one line of JSON.

    python benchmarks/ways.py WAY CLIP [--card CARD] [--device DEVICE] [--wheel WHEEL] [--cache FOLDER]

Imports, loading of networks and a warm-up on a tiny picture come first and are not counted. What follows is
counted in CPU seconds of all threads, user and system, of this process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

FRAMES, CROP_PX, MARGIN_FRACTION = 30, 224, 0.3
Work = Callable[[], dict[str, int | str]]
"""Does the work once and says what came out."""


def ours(given: argparse.Namespace) -> Work:
    """Decode, detect, track and cut crops by unmask's own functions."""
    import numpy as np

    from unmask.config import CropSettings, ScanSettings
    from unmask.faces.crop import cut_crops
    from unmask.faces.detect import detect_faces, load_detector
    from unmask.faces.track import link_faces
    from unmask.video import read_clip

    settings = ScanSettings()
    detector = load_detector(settings.detect)
    detector.detect([np.zeros((64, 64, 3), np.uint8)])

    def work() -> dict[str, int | str]:
        clip = read_clip(given.clip, settings.decode)
        faces = detect_faces(clip, detector, settings.detect)
        tracks = link_faces(clip, faces, settings.track)
        crops = cut_crops(clip, tracks, CropSettings(size_px=CROP_PX, margin_fraction=MARGIN_FRACTION))
        return {"faces": sum(map(len, faces)), "people": len(crops), "crops": sum(map(len, crops))}

    return work


def scan(given: argparse.Namespace) -> Work:
    """The whole of `unmask scan`, with scoring."""
    from unmask.config import ScanSettings, ScoreSettings
    from unmask.pipeline import load_scanner

    score = ScoreSettings(device=given.device)
    settings = ScanSettings(model=given.card, score=score, embedder="none")
    scanner = load_scanner(settings)  # tries detector and model once

    def work() -> dict[str, int | str]:
        verdict = scanner.scan(given.clip)
        kept = [person for person in verdict.people if person.kept]
        scored = sum(frame.p_fake is not None for person in kept for frame in person.frames)
        device = getattr(scanner.model, "device").name  # noqa: B009  a protocol does not promise it
        return {"people": len(kept), "crops": scored, "outcome": verdict.outcome.value, "device": device}

    return work


def shots(given: argparse.Namespace) -> Work:
    """As `ours`, shot by shot, through a video of any length."""
    import numpy as np

    from unmask.config import CropSettings, ScanSettings
    from unmask.faces.crop import cut_crops
    from unmask.faces.detect import load_detector
    from unmask.faces.find import find_people
    from unmask.video import open_film, read_stretches

    settings = ScanSettings()
    detector = load_detector(settings.detect)
    detector.detect([np.zeros((64, 64, 3), np.uint8)])

    def work() -> dict[str, int | str]:
        found = {"stretches": 0, "frames": 0, "crops": 0}
        for stretch in read_stretches(open_film(given.clip, settings.decode)):
            tracks = find_people(stretch.clip, detector, settings.detect, settings.track)
            cut = CropSettings(size_px=CROP_PX, margin_fraction=MARGIN_FRACTION)
            found["stretches"] += 1
            found["frames"] += len(stretch.clip.frames)
            found["crops"] += sum(map(len, cut_crops(stretch.clip, tracks, cut)))
        return dict(found)

    return work


def cuts(given: argparse.Namespace) -> Work:
    """Decoding of a video of any length and finding its cuts, nothing else."""
    from unmask.video import open_film, read_stretches

    def work() -> dict[str, int | str]:
        return {"shots": sum(stretch.opens_shot for stretch in read_stretches(open_film(given.clip)))}

    return work


def decode(given: argparse.Namespace) -> Work:
    """The floor: unmask's decoding alone, with the 30 frames as RGB."""
    from unmask.video import read_clip

    def work() -> dict[str, int | str]:
        clip = read_clip(given.clip)
        sizes = {frame.picture.rgb().shape for frame in clip.frames}
        return {"frames": len(clip.frames), "sizes": len(sizes)}

    return work


def _notebook(given: argparse.Namespace, *, shrink: int) -> Work:
    import cv2
    import numpy as np

    from facenet import load_mtcnn

    cv2.setNumThreads(1)
    mtcnn = load_mtcnn(given.wheel, given.cache / "facenet")
    mtcnn.detect(np.zeros((64, 64, 3), np.uint8))

    def frames() -> list[np.ndarray]:
        video = cv2.VideoCapture(str(given.clip))
        count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        wanted = set(np.linspace(0, count - 1, FRAMES).round().astype(int).tolist())
        found = []
        for index in range(count):
            image = video.read()[1]
            if index in wanted:
                found.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        video.release()
        return found

    def work() -> dict[str, int | str]:
        faces, crops = 0, []
        for frame in frames():
            height, width = frame.shape[:2]
            small = frame if shrink == 1 else cv2.resize(frame, (width // shrink, height // shrink))
            boxes, _ = mtcnn.detect(small)
            for box in [] if boxes is None else boxes * shrink:
                faces += 1
                middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max() * (1 + MARGIN_FRACTION) / 2
                x0, y0 = np.maximum(middle - half, 0).astype(int)
                x1, y1 = np.minimum(middle + half, (width, height)).astype(int)
                crops.append(
                    cv2.resize(frame[y0:y1, x0:x1], (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA)
                )
        return {"faces": faces, "crops": len(crops)}

    return work


def notebook(given: argparse.Namespace) -> Work:
    """The usual notebook: OpenCV reads every frame, facenet-pytorch's MTCNN looks at 30 full ones."""
    return _notebook(given, shrink=1)


def notebook_half(given: argparse.Namespace) -> Work:
    """The same, with the frames at half their width and height for MTCNN."""
    return _notebook(given, shrink=2)


WAYS: dict[str, Callable[[argparse.Namespace], Work]] = {
    "ours": ours,
    "notebook": notebook,
    "notebook_half": notebook_half,
    "decode": decode,
    "cuts": cuts,
    "shots": shots,
    "scan": scan,
}


def _cpu_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system


def _peak_mb() -> float:
    """Most memory that was resident, in MB of 10^6 bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage tells includes the parent's memory before this program began
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="Run one way and measure it.")
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--card")
    parser.add_argument("--device", default="cpu", help="of the whole scan's network")
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    work = WAYS[given.way](given)
    loading = _cpu_seconds()
    start = time.perf_counter()
    found = work()
    wall, cpu = time.perf_counter() - start, _cpu_seconds() - loading
    measured = {
        "cpu_seconds": cpu,
        "loading_cpu_seconds": loading,
        "wall_seconds": wall,
        "peak_mb": _peak_mb(),
    }
    print(json.dumps({name: round(value, 3) for name, value in measured.items()} | {"found": found}))


if __name__ == "__main__":
    main()

"""Flip one bit of a video, many times for every codec and container, and see whether anything is said of it.

    python benchmarks/silent.py -o docs/reliability/silent.json

What counts is a file whose pictures come out otherwise: is it called damaged, refused, or passed in silence?
The same files are read a second time as FFmpeg reads them by itself.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
KINDS = {
    "x264": "H.264 in MP4", "x264-annexb": "H.264 in MPEG-TS", "x264-mkv": "H.264 in Matroska",
    "x264-avi": "H.264 in AVI", "flv": "H.264 in FLV", "x265": "H.265 in MP4", "x265-ts": "H.265 in MPEG-TS",
    "x265-closed": "H.265 in Matroska", "vp8": "VP8 in WebM", "vp9": "VP9 in WebM", "av1": "AV1 in MP4",
    "mpeg4-avi": "MPEG-4 part 2 in AVI", "mpeg2": "MPEG-2 in a program stream", "wmv": "WMV 2 in ASF",
    "mjpeg": "Motion JPEG in MOV", "gif": "GIF",
}  # fmt: skip
FRAMES, READ = 40, 8
Pictures = list[tuple[float, bytes]]


def main() -> None:
    """Damage, read, count, write."""
    from media import ENCODINGS, write_video

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--files", type=int, default=150, help="of each kind")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", default=Path("silent.json"))
    options = parser.parse_args()
    found: dict[str, Any] = {"files": options.files, "kinds": {}}
    with tempfile.TemporaryDirectory() as place:
        for kind, title in KINDS.items():
            file = write_video(Path(place) / f"{kind}.{ENCODINGS[kind][0]}", encoding=kind, frames=FRAMES)
            found["kinds"][title] = counts = _count(file, options.files)
            print(title, counts, flush=True)
            options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _count(file: Path, files: int) -> dict[str, Any]:
    data, sound = file.read_bytes(), _read(file)
    copy = file.with_name(f"damaged-{file.name}")
    ours: Counter[str] = Counter()
    plain: Counter[str] = Counter()
    for seed in range(files):
        chance, damaged = random.Random(seed), bytearray(data)
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        copy.write_bytes(damaged)
        ours[_outcome(copy, sound)] += 1
        with _by_itself():
            plain[_outcome(copy, sound)] += 1
    return {"ours": dict(ours), "plain": dict(plain), "bytes": len(data)}


def _outcome(file: Path, sound: tuple[Pictures, bool]) -> str:
    from unmask.errors import MediaError

    try:
        pictures, damaged = _read(file)
    except MediaError:
        return "refused"
    if damaged:
        return "called damaged"
    return "as before" if pictures == sound[0] else "silent"


def _read(file: Path) -> tuple[Pictures, bool]:
    from unmask.config import DecodeSettings
    from unmask.video import read_clip

    clip = read_clip(file, DecodeSettings(frames=READ, threads=1))
    return [(frame.time_seconds, frame.picture.rgb().tobytes()) for frame in clip.frames], clip.damaged


@contextmanager
def _by_itself() -> Iterator[None]:
    """FFmpeg's own decoders, which look at what they look at unasked."""
    from unittest import mock

    from unmask.video import container

    with mock.patch.object(container, "_WATCHFUL", {}), mock.patch.object(container, "_ERR_DETECT", "0"):
        yield


if __name__ == "__main__":
    main()

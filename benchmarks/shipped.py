"""The binaries that the package ships, as the cards beside them tell of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marks import marks, paragraph

SOURCE = Path(__file__).resolve().parent.parent / "src" / "unmask"
EXAMPLES = SOURCE.parents[1] / "examples"
FOLDERS = ("judge/weights", "faces/detectors/weights")
SHIPPED, SIZE = marks("shipped"), marks("size")


@dataclass(frozen=True, slots=True)
class Binary:
    """One file.

    Attributes:
        path: In the package.
        bytes: Its size.
        sha256: As the card says.
        licence: Of the weights, as an SPDX expression.
        licence_words: The same as the card says it.
        origin: Where it is from.
    """

    path: str
    bytes: int
    sha256: str
    licence: str
    licence_words: str
    origin: str


def binaries() -> list[Binary]:
    """All of them, by path.

    Raises:
        LookupError: A file has no card beside it that names it.
    """
    told = {one.path: one for folder in FOLDERS for one in _told(SOURCE / folder)}
    there = {str(path.relative_to(SOURCE).as_posix()) for path in SOURCE.rglob("*.onnx")}
    if there != set(told):
        raise LookupError(f"every binary must be on a card, and these are not: {sorted(there ^ set(told))}")
    return [told[path] for path in sorted(told)]


def _told(folder: Path) -> list[Binary]:
    found = []
    for file in sorted(folder.glob("*.json")):
        card = json.loads(file.read_text(encoding="utf-8"))
        hashes = {card["file"]: card} if "file" in card else card["files"]
        for name, known in hashes.items():
            path = folder / name
            where = path.relative_to(SOURCE).as_posix()
            found.append(Binary(where, path.stat().st_size, known["sha256"], *_whence(card)))
    return found


def _whence(card: dict[str, Any]) -> tuple[str, str, str]:
    source = card.get("source")
    if source is None:
        origin = f"made here: {card['recipe']}, commit {card['commit']}"
        return card["licence"], card["licence"], origin
    wheel = card.get("wheel_sha256") or source["wheel_sha256"]
    origin = f"{source['package']}, wheel {wheel}; {source['origin']}"
    return source["licence"].partition(",")[0], source["licence"], origin


def table() -> str:
    """What docs/supply-chain.md says of them."""
    rows = [
        f"| `{one.path}` | {one.bytes / 1e6:.1f} | `{one.sha256}` | {one.licence_words} | {one.origin} |"
        for one in binaries()
    ]
    return "\n".join(["| file | MB | SHA-256 | licence | where from |", "|---|---:|---|---|---|", *rows, ""])


def sizes() -> str:
    """What docs/platforms.md says of the package's size, by part, as it lies on the disk.

    In whole MB where it is code, so that not every change of a line changes the document.
    """
    known = binaries()
    code = sum(file.stat().st_size for file in SOURCE.rglob("*.py"))
    pages = sum(file.stat().st_size for file in (SOURCE / "web" / "static").iterdir())
    clips = sum(file.stat().st_size for file in EXAMPLES.glob("*.mp4"))
    total = sum(one.bytes for one in known) + code + pages + clips
    told = paragraph(
        f"The package takes {total / 1e6:.0f} MB, nearly all of it weights, which hardly shrink in a wheel.",
        "What it needs comes to several times that: OpenCV, onnxruntime, PyAV and numpy.",
    )
    rows = [f"| `{one.path}` | {one.bytes / 1e6:.1f} |" for one in sorted(known, key=lambda one: -one.bytes)]
    rows += [f"| code, that of the laboratory too | {code / 1e6:.0f} |", f"| the page | {pages / 1e6:.1f} |"]
    rows += [f"| the two example clips | {clips / 1e6:.1f} |"]
    return "\n".join([told, "| part | MB |", "|---|---:|", *rows, ""])

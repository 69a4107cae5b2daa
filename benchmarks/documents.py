"""Writes every figure of the documents again from what was measured, and says where one stood otherwise.

    python benchmarks/documents.py            after new weights, or a new measurement
    python benchmarks/documents.py --check    write nothing; exit code 1 where a document would change

What a document says between comments that say ``begin`` and ``end`` comes from the files named here. Nothing
is measured. Where figures are those of older weights than those that ship, the text says so.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import archive
import attack
import evaluation
import everyday
import extract
import faces
import heatmap
import long
import manual
import models
import montages
import reliability
import shipped
import strangers
import tables
import verdicts
import weights
from marks import MARKS, OPENING, Marks, between, marks, put_into

ROOT = Path(__file__).resolve().parent.parent
ALONE, BEFORE, COST, MONTAGES, REASONS, SCANNED, SCORES = (
    marks(name) for name in ("alone", "before", "cost", "montages", "reasons", "scanned", "scores")
)
Make = Callable[[Any], str]


def blocks(root: Path) -> list[tuple[str, Marks, str]]:
    """Document, marks and text of every block."""

    def measured(name: str) -> Any:
        return json.loads((root / "docs" / f"{name}.json").read_text(encoding="utf-8"))

    def all_of(document: str, report: Any, made: dict[Marks, Make]) -> list[tuple[str, Marks, str]]:
        return [(document, around, make(report)) for around, make in made.items()]

    speed, drawn = measured("performance"), between(root / "docs" / "lab" / "faces.md", MARKS)
    return [
        ("README.md", SCORES, weights.scores_table()),
        ("README.md", COST, tables.cost(speed)),
        ("docs/long-videos.md", ALONE, montages.alone()),
        ("docs/long-videos.md", MONTAGES, montages.table(measured("montages"))),
        ("docs/faces.md", OPENING, faces.opening(drawn)),
        *all_of(
            "docs/lab/strangers.md",
            measured("lab/left_out"),
            {OPENING: strangers.left_out_opening, MARKS: strangers.left_out_tables},
        ),
        *all_of(
            "docs/lab/strangers.md",
            measured("lab/strangers"),
            {BEFORE: strangers.opening, SCANNED: strangers.markdown},
        ),
        *all_of(
            "docs/lab/evaluation.md",
            measured("lab/evaluation"),
            {OPENING: evaluation.opening, MARKS: evaluation.markdown},
        ),
        ("docs/reliability.md", attack.ATTACKED, attack.markdown(measured("attack"))),
        ("docs/supply-chain.md", shipped.SHIPPED, shipped.table()),
        ("docs/platforms.md", shipped.SIZE, shipped.sizes()),
        ("docs/archives.md", archive.MEASURED, archive.markdown(measured("archive"))),
        ("docs/lab/evaluation.md", everyday.MARKS, everyday.document(measured("lab/everyday"))),
        ("docs/report.md", heatmap.MARKS, heatmap.document(measured("lab/heatmap"))),
        ("docs/verdicts.md", REASONS, verdicts.reasons_table()),
        *(
            ("docs/reliability.md", around, make(measured(f"reliability/{name}")))
            for name, around, make in reliability.BLOCKS
        ),
        *all_of("docs/performance.md", speed, {OPENING: tables.opening, MARKS: tables.markdown}),
        *all_of(
            "docs/performance.md",
            measured("lab/extract"),
            {extract.STORING: extract.opening, extract.MARKS: extract.markdown},
        ),
        *all_of("docs/performance.md", measured("long")["runs"], {long.MARKS: long.document}),
        *all_of(
            "docs/models.md",
            measured("models"),
            {OPENING: models.opening, models.COSTS: models.costs, models.MODELS: lambda _: models.models()},
        ),
    ]


def write(root: Path) -> list[str]:
    """Write all blocks, and give the documents that changed."""
    made = blocks(root)
    before = {name: (root / name).read_bytes() for name in (str(manual.MANUAL), *(n for n, _, _ in made))}
    (root / manual.MANUAL).write_text(manual.page(), encoding="utf-8")
    for name, around, text in made:
        put_into(root / name, text, around)
    return [name for name, old in before.items() if (root / name).read_bytes() != old]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the figures of the documents again.")
    parser.add_argument("--check", action="store_true", help="write nothing, and say what would change")
    if not parser.parse_args().check:
        weights.add_release()
        verdicts.write_schema()
        print("\n".join(write(ROOT)))
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "docs", Path(folder) / "docs")
        shutil.copy(ROOT / "README.md", folder)
        if changed := write(Path(folder)):
            print(f"not what was measured: {', '.join(changed)}; run python benchmarks/documents.py")
            sys.exit(1)


if __name__ == "__main__":
    main()

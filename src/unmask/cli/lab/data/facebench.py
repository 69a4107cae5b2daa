"""``unmask data facebench``: clips with known faces, to measure and tune detection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.running import counting, stopping_on_errors


def facebench(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the bench.")],
    half: Annotated[str, typer.Option(help="Of the photos: tune on one, report on the other.")] = "tune",
    portraits: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Photos with one face (default: a public-domain one).")
    ] = None,
    hands: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Photos of hands (default: drawn).")
    ] = None,
    paintings: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Photos of paintings (default: painted over portraits)."),
    ] = None,
    boxed: Annotated[
        Path | None, typer.Option(metavar="XML", help="An imglab file with boxed faces, photos beside it.")
    ] = None,
    clips: Annotated[int, typer.Option(metavar="N", help="Clips for each condition and level.")] = 2,
    seed: Annotated[int, typer.Option(help="Another number gives other clips.")] = 0,
) -> None:
    """Draw clips in which it is known who is where: dark, small, turned, covered, blurred, posters, hands."""
    with stopping_on_errors("the bench is incomplete"):
        from unmask.config import DetectSettings
        from unmask.errors import DataError
        from unmask.faces.detect import load_detector
        from unmask.lab.facebench.bench import write_bench
        from unmask.lab.facebench.plan import gather_cast, plan_scenes

        if clips < 1:
            raise DataError(f"clips must be 1 or more, got {clips}")
        detector = load_detector(DetectSettings())
        cast = gather_cast(detector, half=half, portraits=portraits, hands=hands, paintings=paintings)
        with counting("clips") as tell:
            made = write_bench(
                output, plan_scenes(seed=seed, clips_per_level=clips), cast, photos=boxed, on_done=tell
            )
        faces = sum(len(frame) for item in made.items for frame in item.frames)
        typer.echo(f"{output}: {len(made.items)} items, {faces} faces, {len(cast.portraits)} portraits")

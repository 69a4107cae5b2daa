"""``unmask data montage``: edited footage with a known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def montage(
    sources: Annotated[
        list[Path], typer.Argument(metavar="CLIPS...", help="An index, a table, or folders in DFDC's layout.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The video; its truth lies beside it.")],
    shots: Annotated[int, typer.Option(help="Shots, one after the other.")] = 14,
    seconds: Annotated[float, typer.Option(help="Length of a shot.")] = 4.0,
    people: Annotated[int, typer.Option(help="Clips shown at once.")] = 1,
    layout: Annotated[
        str,
        typer.Option(help="Of these: grid, as in a video call, or inset, small in the corners of the first."),
    ] = "grid",
    dissolve: Annotated[
        float, typer.Option(metavar="SECONDS", help="Fade each shot over into the next; 0 cuts hard.")
    ] = 0.0,
    fakes: Annotated[int, typer.Option(help="Shots that hold a fake.")] = 1,
    size: Annotated[str, typer.Option(help="Of the picture.")] = "1280x720",
    seed: Annotated[int, typer.Option(help="Another number gives another montage.")] = 0,
) -> None:
    """Compose a video of many shots from labelled clips, to measure scans of edited footage."""
    from unmask.cli.running import stopping_on_errors
    from unmask.errors import SettingsError
    from unmask.lab.evaluate.clips import read_clips
    from unmask.lab.evaluate.montage import MontageSettings, make_montage

    with stopping_on_errors("nothing was written"):
        width, _, height = size.partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            raise SettingsError(f"--size must be WIDTHxHEIGHT, got {size!r}")
        if output.suffix.lower() != ".mp4":
            raise SettingsError(f"--output must end in .mp4, got {str(output)!r}")
        settings = MontageSettings(
            shots, seconds, people, fakes, layout, dissolve, width=int(width), height=int(height), seed=seed
        )
        made = make_montage(read_clips(sources), output, settings)
    typer.echo(f"{output}: {len(made)} shots, {made[-1].end_seconds:.1f} s; the truth is in its .json")

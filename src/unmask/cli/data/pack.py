"""``unmask data pack``: videos and photos in, crops out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def pack(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=FOLDER...", help="Collections of videos or photos; a metadata.json labels."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for shards and index.")],
    frames: Annotated[int, typer.Option(help="Frames sampled from each video.", min=1)] = 48,
) -> None:
    """Find the faces in labelled videos and photos and pack their crops for training."""
    from rich.console import Console
    from rich.progress import track

    from unmask.cli.terminal import printable
    from unmask.data.pack import list_sources, pack_faces
    from unmask.errors import UnmaskError

    console = Console(stderr=True)
    try:
        named = [source.partition("=") for source in sources]
        for name, equals, folder in named:
            if not (name and equals and folder):
                raise typer.BadParameter(f"sources must be NAME=FOLDER, got {name + equals + folder!r}")
        files = [s for name, _, folder in named for s in list_sources(Path(folder), collection=name)]
        people, empty, failed = 0, 0, 0
        done = pack_faces(files, output, frames=frames)
        for source, result in track(done, total=len(files), description="packing", console=console):
            if isinstance(result, int):
                people, empty = people + result, empty + (result == 0)
            else:
                failed += 1
                console.print(printable(f"{source.path}: {result}"), markup=False)
    except UnmaskError as error:
        typer.echo(f"error: {printable(str(error))}", err=True)
        raise typer.Exit(2) from error
    typer.echo(
        f"{people} people of {len(files)} files in {output}; {empty} without a face, {failed} unreadable"
    )

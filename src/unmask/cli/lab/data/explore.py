"""``unmask data explore``: a page that shows what is in a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def explore(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="As unmask data index wrote it.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="HTML", help="The page.")],
    show: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Originals to play beside their fakes (default: --clips)."),
    ] = None,
    clips: Annotated[int, typer.Option(min=0, help="So many originals with most fakes are played.")] = 1,
    audit: Annotated[
        Path | None, typer.Option(metavar="JSON", help="Also show what unmask data audit found.")
    ] = None,
    crops: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Of unmask extract: faces and people from there.")
    ] = None,
    sample: Annotated[int, typer.Option(min=0, help="Videos that are decoded for brightness.")] = 200,
    faces: Annotated[int, typer.Option(min=0, help="Faces on the wall.")] = 40,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes (default: cores, at most 4).")] = None,
) -> None:
    """Show a data set on one HTML page that needs no network: counts, classes, videos, faces.

    A real clip plays beside all of its fakes, in step, with pictures of where they differ.
    """
    from unmask.cli.running import counting, stopping_on_errors
    from unmask.cli.terminal import printable
    from unmask.files import size_words, write_whole
    from unmask.lab.datasets.audit_file import read_audit
    from unmask.lab.datasets.explore import count_people, explore_index, faces_of_crops, look_at_sample
    from unmask.lab.datasets.video_index import read_index_file
    from unmask.lab.pages.exploration import exploration_page
    from unmask.lab.pages.mosaic import choose_originals, make_mosaics
    from unmask.work.processes import default_jobs

    with stopping_on_errors("nothing was written"):
        frame = read_index_file(index)
        findings = read_audit(audit) if audit is not None else None
        found = explore_index(frame)
        wanted = 0 if crops is not None else faces
        with counting("looking") as on_done:
            found.looks = look_at_sample(
                frame, videos=sample, faces=wanted, jobs=jobs or default_jobs(), on_done=on_done
            )
        if crops is not None:
            found.looks += faces_of_crops(crops, faces=faces)
            found.people = count_people(frame, crops)
        mosaics = make_mosaics(frame, show or choose_originals(frame, clips))
        title = f"Data set {index.stem}"
        page = exploration_page(frame, found, title=title, mosaics=mosaics, audit=findings)
        write_whole(output, page)
    typer.echo(printable(f"{output}: {size_words(len(page))}, open it in a browser"))

"""``unmask present``: the closing deck of a team, from what the other commands wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SUFFIXES = (".html", ".pdf")


def present(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="INDEX [EXTRACTION] [EVALUATION] [RUN]... [SUBMISSION]",
            help="What unmask data, extract, evaluate, train and submit wrote; any of them, in any order.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The deck, .html or .pdf.")
    ] = Path("slides.html"),
    title: Annotated[
        str, typer.Option(metavar="TEXT", help="Of the first slide.")
    ] = "Which of these faces are real?",
    videos: Annotated[
        bool, typer.Option("--videos/--no-videos", help="Open videos to show them and the faces in them.")
    ] = True,
) -> None:
    """Make slides of a project: its data, faces, training, scores, submission and limits.

    One file that needs no network. Arrow keys move, n shows notes, o all slides.
    A slide is left out where nothing was given for it. A .pdf is printed by Chromium.

    [bold]Examples[/bold]

    unmask present split.parquet crops report runs/mixture submission.csv submission.json -o slides.html

    unmask present split.parquet report -o slides.pdf
    """
    from unmask.cli.running import progress, stopping_on_errors
    from unmask.cli.terminal import printable
    from unmask.errors import SettingsError
    from unmask.files import size_words, write_whole
    from unmask.lab.pages.deck.build import list_slides
    from unmask.lab.pages.deck.material import read_material, wanted_views
    from unmask.lab.pages.deck.page import deck_page
    from unmask.lab.pages.deck.sources import tell_apart
    from unmask.lab.pages.deck.views import make_views
    from unmask.report.pdf import find_browser, print_text

    with stopping_on_errors("nothing was written"):
        suffix = output.suffix.lower()
        if suffix not in SUFFIXES:
            raise SettingsError(f"--output must end in {' or '.join(SUFFIXES)}, got {output}")
        if suffix == ".pdf":
            find_browser()  # rather now than after minutes of work
        material = read_material(tell_apart(sources))
        if videos:
            wanted = wanted_views(material)
            with progress("looking", len(wanted)) as step:
                material.views = make_views(wanted, on_done=step)
        slides = list_slides(material, title=title)
        page = deck_page(title, slides)
        if suffix == ".pdf":
            print_text(page, output)
        else:
            write_whole(output, page)
        missing = {f"{name}: {view}" for (_, name), view in material.views.items() if isinstance(view, str)}
    for line in sorted(missing):
        typer.echo(printable(f"not shown: {line}"), err=True)
    typer.echo(printable(f"{output}: {len(slides)} slides, {size_words(output.stat().st_size)}"))

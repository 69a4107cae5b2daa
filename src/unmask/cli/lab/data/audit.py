"""``unmask data audit``: what is wrong with a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from unmask.lab.datasets.audit_file import Audit


def audit(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="As unmask data index wrote it.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="JSON", help="The findings, for explore and split."),
    ] = None,
    clean: Annotated[
        Path | None,
        typer.Option(metavar="INDEX", help="The index again, with exclusions marked."),
    ] = None,
    frames: Annotated[int, typer.Option(help="Frames sampled from each clip.")] = 8,
    families: Annotated[
        int | None, typer.Option(metavar="N", help="Decode only N originals with their fakes, by hash.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes (default: cores, at most 4).")] = None,
    embedder: Annotated[
        str | None,
        typer.Option(metavar="MODULE:NAME", help="Makes a face embedder, to tell people apart."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="What was found, as JSON.")] = False,
) -> None:
    """Find fakes whose face did not change, duplicates, people on both sides, labels that metadata give away.

    Whatever comes later uses only videos with status ok, so give it the index that --clean writes.
    """
    from unmask.cli.running import counting, stopping_on_errors
    from unmask.lab.datasets.audit import AuditSettings, audit_index
    from unmask.lab.datasets.audit_file import exclude, write_audit
    from unmask.lab.datasets.video_index import check_index_path, read_index_file, write_index_file
    from unmask.work.processes import default_jobs

    with stopping_on_errors("nothing was written"):
        settings = AuditSettings(frames=frames, families=families, jobs=jobs or default_jobs())
        if clean is not None:
            check_index_path(clean)
        frame = read_index_file(index)
        with counting("comparing") as on_done:
            found = audit_index(frame, settings, embedder=_load(embedder), on_done=on_done)
        if output is not None:
            write_audit(found, output)
        if clean is not None:
            write_index_file(exclude(frame, found), clean)
    if json:
        from dataclasses import asdict
        from json import dumps

        typer.echo(dumps(asdict(found)))
        return
    from unmask.cli.terminal import printable

    for block in _lines(found):
        for line in block.split("\n"):
            typer.echo(printable(line))


def _load(embedder: str | None) -> Callable[[], Any] | None:
    from importlib import import_module

    from unmask.errors import SettingsError

    if embedder is None:
        return None
    module, colon, name = embedder.partition(":")
    try:
        made: Callable[[], Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError(f"--embedder must be MODULE:NAME, got {embedder!r} ({error})") from error
    if not colon or not callable(made):
        raise SettingsError(f"--embedder must be MODULE:NAME of something to call, got {embedder!r}")
    return made


def _lines(found: Audit) -> Iterator[str]:
    seen, known = found.families
    yield f"{found.videos} videos; {seen} of {known} originals decoded with their fakes"
    yield _list(
        f"fakes whose face did not change, of {len(found.comparisons)} compared", found.unchanged_fakes
    )
    yield _list("  of these, probably only the sound is fake", found.audio_only_fakes)
    if found.not_compared:
        yield _list(
            "fakes that could not be compared", [f"{n} ({why})" for n, why in found.not_compared.items()]
        )
    yield _list("files with the same bytes", [" = ".join(names) for names in found.exact_duplicates])
    yield _list("clips that look the same", [f"{a} ~ {b}" for a, b, _ in found.near_duplicates])
    sides = [
        " | ".join(f"{side}: {clips[0]}" for side, clips in by.items()) for by in found.people_on_two_sides
    ]
    yield _list(f"people on two sides of the split, of {found.people} told apart by {found.people_by}", sides)
    for kind, names in found.status.items():
        yield _list(kind, [f"{name} ({why})" if why else name for name, why in names.items()])
    leak = found.leak
    if leak is None or leak.auc is None:
        yield f"label from container fields alone: not measured ({leak.why_not if leak else 'no labels'})"
    else:
        best = ", ".join(f"{name} {auc:.2f}" for name, auc in list(leak.fields.items())[:3])
        alarm = "; the label is given away" if leak.alarming else ""
        number = f"AUC {leak.auc:.2f} ({leak.low:.2f} to {leak.high:.2f}){alarm}"
        yield f"label from container fields alone: {number}; {best}"
    yield _list("to leave out of training", [f"{name} ({why})" for name, why in found.exclude.items()])


def _list(title: str, items: list[str]) -> str:
    shown = "".join(f"\n    {item}" for item in items[:5]) + ("\n    ..." if len(items) > 5 else "")
    return f"{title}: {len(items)}{shown}"

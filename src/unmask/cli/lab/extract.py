"""``unmask extract``: videos in, tar shards of face crops out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unmask.cli.running import GROWTH, duration_words

if TYPE_CHECKING:
    from unmask.lab.extract.estimate import Estimate
    from unmask.lab.extract.plan import Video
    from unmask.lab.extract.worker import Extracted

_TELL_EVERY_SECONDS = 30.0
_NAMED = re.compile(r"([\w.-]+)=(.+)")


def extract(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="An index (.parquet, .csv), a folder, a zip, s3://...; or NAME=FOLDER for a collection of "
            "videos and photos that are real unless its metadata.json says otherwise.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for shards, index and manifest.")],
    frames: Annotated[int, typer.Option(metavar="N", help="Frames sampled from each video.")] = 30,
    max_side: Annotated[
        int, typer.Option(metavar="PX", help="Largest crop; smaller faces keep their size.")
    ] = 360,
    quality: Annotated[int, typer.Option(metavar="Q", help="Of JPEG, 1 to 100.")] = 96,
    png: Annotated[bool, typer.Option("--png", help="Store PNG, which loses nothing.")] = False,
    reuse_boxes: Annotated[
        bool, typer.Option(help="Let an original's boxes serve its fakes where they fit.")
    ] = True,
    shard_videos: Annotated[int, typer.Option(metavar="N", help="Videos in a shard.")] = 128,
    settings_file: Annotated[
        Path | None,
        typer.Option("--settings", metavar="TOML", help="Settings of the detector, as unmask tune writes."),
    ] = None,
    engine: Annotated[str, typer.Option(help="local (processes) or ray (a cluster).")] = "local",
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Default: the cores, at most 4; with ray all there are.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Of a Ray cluster; without it one is started here.")
    ] = None,
    time_limit: Annotated[
        float, typer.Option(metavar="SECONDS", help="Kill a worker that takes longer for one video.")
    ] = 600.0,
    cropped: Annotated[
        bool,
        typer.Option(
            "--cropped",
            help="The source is one table (name, label, original, kind, width) or folder (real/, fake/) of "
            "faces that were cut out already; they are stored as they are.",
        ),
    ] = False,
    margin: Annotated[
        float,
        typer.Option(metavar="F", help="With --cropped: surroundings that the pictures show; 0 is tight."),
    ] = 0.0,
    min_width: Annotated[
        int, typer.Option(metavar="PX", help="With --cropped: faces known to be narrower are left out.")
    ] = 0,
    plan: Annotated[
        bool, typer.Option("--plan", help="Do a small sample and say what all will cost.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Find the people in videos and store their faces, 30 crops a video, as tar shards for training.

    A stopped or killed run goes on where it was when the same command is given again; videos that are done
    are not done twice. Every video gets a line in manifest.jsonl: done, no_face, unreadable or
    error (unmask itself failed on it) and why.

    Exit code: 0 every video has its line, 2 wrong usage or it could not go on, 130 stopped.

    [bold]Examples[/bold]

    unmask extract dfdc.parquet -o crops

    unmask extract dfdc.parquet -o crops --plan

    unmask extract dfdc.parquet -o crops --engine ray --address 10.0.0.1:6379

    unmask extract talks=videos/talks portraits=photos --frames 48 -o crops

    unmask extract --cropped dfdc_faces=faces/faces.tsv -o crops
    """
    from unmask.cli.running import stopping_on_errors

    if cropped:
        with stopping_on_errors("nothing is kept of it"):
            _pack(sources, output, margin=margin, min_width=min_width, as_json=json)
        return
    with stopping_on_errors("the same command goes on from here"):
        from functools import partial

        from unmask.archive.engines import CrewSettings, gather_crew
        from unmask.faces.settings_file import read_detector_file
        from unmask.lab.extract.plan import ExtractSettings, make_plan
        from unmask.lab.extract.worker import load_extractor

        detect, track = read_detector_file(settings_file)
        settings = ExtractSettings(
            frames=frames,
            max_side_px=max_side,
            quality=None if png else quality,
            reuse_boxes=reuse_boxes,
            videos_per_shard=shard_videos,
            detect=detect,
            track=track,
        )
        crew_settings = CrewSettings(
            engine=engine, workers=workers, limit_seconds=time_limit, address=address
        )
        made = make_plan(_list_videos(sources), settings)
        crew = gather_crew(partial(load_extractor, settings), crew_settings)
        if plan:
            from unmask.lab.extract.estimate import estimate

            _tell_estimate(estimate(made, crew), as_json=json)
            return
        _run(made, crew, output, as_json=json)


def _pack(sources: Sequence[str], output: Path, *, margin: float, min_width: int, as_json: bool) -> None:
    from rich.console import Console
    from rich.progress import track

    from unmask.errors import SettingsError
    from unmask.lab.extract.cropped import pack_faces
    from unmask.lab.extract.face_table import list_faces

    if len(sources) != 1:
        raise SettingsError(f"--cropped takes one table or folder, got {len(sources)}; run it for each")
    if not -0.5 <= margin <= 3:
        raise SettingsError(f"--margin must be -0.5 to 3, got {margin}")
    named = _NAMED.fullmatch(sources[0])
    name, place = (named[1], Path(named[2])) if named else (Path(sources[0]).stem, Path(sources[0]))
    faces = list_faces(place)
    console = Console(stderr=True)
    shown = track(faces, console=console, description="faces", disable=not console.is_terminal)
    counts = pack_faces(
        faces, output, source=name, margin_fraction=margin, min_width_px=min_width, show=shown
    )
    one = {face.label for face in faces}
    if as_json:
        from json import dumps

        typer.echo(dumps({"faces": len(faces), "labels": sorted(one), "status": dict(counts)}))
        return
    left = f", {counts['left_out']} left out (manifest.jsonl says why)" if counts["left_out"] else ""
    typer.echo(f"{len(faces)} faces: {counts['done']} stored in {output}{left}")
    if len(one) == 1:
        typer.echo(f"all are labelled {one.pop()}: they can be learned from only beside the other class")


def _run(made: Any, crew: Any, output: Path, *, as_json: bool) -> None:
    from unmask.lab.crops.shards import check_shards, read_index
    from unmask.lab.crops.sums import check_sums
    from unmask.lab.extract.manifest import count_manifest
    from unmask.lab.extract.run import extract as run_extract
    from unmask.lab.extract.store import CropStore

    with CropStore(output, made) as store:
        was_complete = store.complete
        with _progress(len(made), len(store.done)) as on_done:
            run_extract(store, crew, on_done=on_done)
        if was_complete:
            check_shards(output, read_index(output))
            check_sums(output)
    counts = count_manifest(output)
    if as_json:
        from json import dumps

        typer.echo(dumps(counts))
        return
    status = counts["status"]
    outcomes = ", ".join(f"{status.get(name, 0)} {name}" for name in ("done", "no_face", "unreadable"))
    if status.get("error"):
        outcomes += f", {status['error']} error (unmask failed on them; manifest.jsonl says why)"
    people = f"{counts['people']} people, {counts['crops']} crops"
    typer.echo(f"{counts['videos']} videos: {outcomes}; {people} in {output}")


def _list_videos(sources: Sequence[str]) -> list[Video]:
    from unmask.lab.datasets.collection import list_sources
    from unmask.lab.datasets.video_index import index
    from unmask.lab.extract.plan import videos_of_collection, videos_of_index

    videos: list[Video] = []
    for text in sources:
        named = _NAMED.fullmatch(text)
        name, place = (named[1], named[2]) if named and not Path(text).exists() else (None, text)
        if name is not None and Path(place).is_dir():
            videos += videos_of_collection(list_sources(Path(place), collection=name))
        else:
            videos += videos_of_index(index(place, probe=False), source=name)
    return videos


@contextmanager
def _progress(total: int, done: int) -> Iterator[Callable[[Extracted], None]]:
    """Rate, time left and failures: a bar on a terminal, elsewhere a line now and then."""
    import time

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    counts: Counter[str] = Counter()
    start = told = time.monotonic()

    def words() -> str:
        rate = counts.total() / max(time.monotonic() - start, 1e-9)
        failed = f"{counts['no_face']} without a face, {counts['unreadable']} unreadable"
        if counts["error"]:
            failed += f", {counts['error']} on which unmask failed"
        return f"{rate * 60:.0f} videos a minute, {failed}"

    if console.is_terminal:
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=total, completed=done)

            def advance(part: Extracted) -> None:
                counts[part.record["status"]] += 1
                bar.update(task, advance=1, description=words())

            yield advance
        return

    def tell(part: Extracted) -> None:
        nonlocal told
        counts[part.record["status"]] += 1
        now = time.monotonic()
        if now - told >= _TELL_EVERY_SECONDS:
            told = now
            here = done + counts.total()
            left = (total - here) * (now - start) / counts.total()
            text = f"{here} of {total}, {words()}, about {duration_words(left / 3600)} left"
            console.print(text, markup=False, soft_wrap=True)

    yield tell


def _tell_estimate(found: Estimate, *, as_json: bool) -> None:
    hours = {str(workers): round(found.hours(workers), 3) for workers in GROWTH}
    if as_json:
        from dataclasses import asdict
        from json import dumps

        typer.echo(dumps(asdict(found) | {"hours_on_workers": hours}))
        return
    from unmask.files import size_words

    cpu, error = found.cpu_seconds / 3600, found.cpu_error_seconds / 3600
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(found.status.items()))
    wall = "   ".join(f"{workers}: {duration_words(float(h))}" for workers, h in hours.items())
    typer.echo(
        f"videos       {found.videos}, of which {found.followers} may take another's boxes, "
        f"{found.skipped} cannot be read\n"
        f"CPU hours    {cpu:.3g}, give or take {error:.2g}\n"
        f"disk         {size_words(found.bytes)}\n"
        f"on workers   {wall}\n"
        f"from         {found.sampled} videos that were done for this ({outcomes})"
    )

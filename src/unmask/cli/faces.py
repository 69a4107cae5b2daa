"""``unmask faces``: look at what the detector finds, and at what it drops."""

from __future__ import annotations

import json as jsonlib
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unmask.cli.running import stopping_on_errors

if TYPE_CHECKING:
    from unmask.config import ScanSettings
    from unmask.faces.gather import Gathered


def faces(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="A video or an image.")],
    grid: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw a sheet of frames with what was found.")
    ] = None,
    shape: Annotated[str, typer.Option(metavar="ROWSxCOLUMNS", help="Of the sheet.")] = "3x3",
    animate: Annotated[
        Path | None,
        typer.Option(metavar="MP4|GIF", help="Play the frames, dropped tracks in grey with the reason."),
    ] = None,
    crops: Annotated[Path | None, typer.Option(metavar="DIR", help="Write the faces of people.")] = None,
    frames: Annotated[
        int, typer.Option(metavar="N", help="Frames to look at in each ten seconds, or in a shorter clip.")
    ] = 30,
    people: Annotated[
        str | None,
        typer.Option(
            metavar="POLICY",
            help="Whose face counts: all, living_first, moving (no pictures of faces), or 'largest 2'.",
        ),
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(metavar="TOML", help="Settings of the detector, as unmask tune writes.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Tracks, boxes and key points as JSON.")] = False,
) -> None:
    """Show which faces are found in a video, who they belong to, and what is dropped and why.

    [bold]Examples[/bold]

    unmask faces clip.mp4 --grid faces.png

    unmask faces clip.mp4 --animate faces.gif --crops faces/

    unmask faces clip.mp4 --people 'largest 1' --json
    """
    with stopping_on_errors():
        told = _settings(settings, people, frames)
        rows, columns = _shape(shape)
        found, written = _gather(video, told, crops)
        clip, tracks = found.shown()
        if grid is not None:
            from unmask.report.faces import face_grid, write_grid

            write_grid(grid, face_grid(clip, tracks, rows=rows, columns=columns))
            _say(f"{grid}: a sheet of {rows} x {columns} frames")
        if animate is not None:
            from unmask.report.faces import write_animation

            write_animation(clip, tracks, animate)
            _say(f"{animate}: the frames with what was found, to be played")
        if crops is not None:
            _say(f"{crops}: {written} faces of people")
        if json:
            typer.echo(jsonlib.dumps(_plain(found), allow_nan=False))
        else:
            _print_tracks(found)


def _say(text: str) -> None:
    """Say what was written; on stderr, as stdout has the result."""
    from unmask.cli.terminal import printable

    typer.echo(printable(text), err=True)


def _gather(video: Path, told: ScanSettings, crops: Path | None) -> tuple[Gathered, int]:
    """Look through the video, and write the faces of people as they are found; how many were written."""
    from unmask.api import cut_crops
    from unmask.faces.detect import load_detector
    from unmask.faces.find import find_people
    from unmask.faces.gather import Gathered
    from unmask.report.faces import write_crops
    from unmask.video import open_film, read_stretches

    detector, found, written = load_detector(told.detect), Gathered(video), 0
    for stretch in read_stretches(open_film(video, told.decode)):
        first = len(found.times_seconds)
        tracks = found.add(stretch, find_people(stretch.clip, detector, told.detect, told.track))
        if crops is not None:
            cut = cut_crops(stretch.clip, tracks, settings=told)
            shifted = [replace(one, frame_indices=one.frame_indices + first) for one in cut]
            written += write_crops(shifted, crops)
    return found, written


def _settings(file: Path | None, people: str | None, frames: int) -> ScanSettings:
    from unmask.config import DecodeSettings, ScanSettings
    from unmask.errors import SettingsError
    from unmask.faces.settings_file import read_detector_file

    detect, track = read_detector_file(file)
    if people is not None:
        found = re.fullmatch(r"(all|living_first|moving|largest)(?:[ =](\d{1,4}))?", people.strip())
        if found is None or (found[2] and found[1] != "largest"):
            raise SettingsError(f"--people must be all, living_first, moving or 'largest N', got {people!r}")
        track = replace(track, policy=found[1], largest=int(found[2] or 1))
    return ScanSettings(decode=DecodeSettings(frames=frames), detect=detect, track=track)


def _shape(text: str) -> tuple[int, int]:
    from unmask.errors import SettingsError

    found = re.fullmatch(r"(\d{1,2})\s*[x×]\s*(\d{1,2})", text.strip())  # noqa: RUF001  people type either
    if found is None or not int(found[1]) or not int(found[2]):
        raise SettingsError(f"--shape must be ROWSxCOLUMNS, 1x1 to 99x99, got {text!r}")
    return int(found[1]), int(found[2])


def _plain(found: Gathered) -> dict[str, Any]:
    return {
        "path": str(found.path),
        "times_seconds": [round(seconds, 6) for seconds in found.times_seconds],
        "tracks": [
            {
                "id": track.id,
                "shot": shot,
                "kept": track.kept,
                "picture": track.picture,
                "why_dropped": track.why_dropped,
                "dropped": track.dropped and asdict(track.dropped),
                "faces": [
                    {
                        "frame": index,
                        "box": [round(float(edge), 2) for edge in face.box],
                        "points": [[round(float(x), 2), round(float(y), 2)] for x, y in face.points],
                        "confidence": round(float(face.confidence), 4),
                        "lightened": face.lightened,
                    }
                    for index, face in zip(track.frame_indices, track.faces, strict=True)
                ],
            }
            for track, shot in zip(found.tracks, found.shots, strict=True)
        ],
    }


def _print_tracks(found: Gathered) -> None:
    import numpy as np
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from unmask.cli.tables import print_table
    from unmask.cli.terminal import plain
    from unmask.reasons import shown_number

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("person", "frames", "seen", "side px", "confidence", "lightened"):
        table.add_column(name, justify="left" if name == "seen" else "right")
    table.add_column("", overflow="fold", ratio=1)
    for track in found.tracks:
        times = [found.times_seconds[index] for index in track.frame_indices]
        side = np.median([(face.box[2:] - face.box[:2]).min() for face in track.faces])
        table.add_row(
            str(shown_number(track.id)),
            str(len(track.faces)),
            f"{times[0]:.1f}-{times[-1]:.1f} s",
            f"{side:.0f}",
            f"{np.mean([face.confidence for face in track.faces]):.2f}",
            str(sum(face.lightened for face in track.faces) or ""),
            plain(f"dropped: {track.why_dropped}" if track.why_dropped else ""),
            style="" if track.kept else "dim",
        )
    if found.tracks:
        print_table(Console(), table)
    kept = sum(track.kept for track in found.tracks)
    people = "1 person" if kept == 1 else f"{kept} people"
    typer.echo(f"{people}, {len(found.tracks) - kept} dropped, in {len(found.times_seconds)} frames")

"""``unmask scan``: files in, verdicts out."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Never

import typer

from unmask.cli.archive_options import (
    ARCHIVE,
    AddressOption,
    EngineOption,
    PlanOption,
    PriceOption,
    RetryOption,
    ShardFilesOption,
    ShardOption,
    TopOption,
    WatchOption,
)
from unmask.cli.device import DeviceOption, ModelsOption, score_settings
from unmask.cli.examining import Examine, ExamineOption, LooksOption, ScannedOption, settings_for
from unmask.cli.limits import MemoryOption, SandboxOption
from unmask.cli.running import EXIT_INTERRUPTED, EXIT_USAGE
from unmask.cli.stopping import Stopper
from unmask.cli.trust import TrustListOption, checked

if TYPE_CHECKING:
    from unmask.cli.inputs import Input
    from unmask.cli.saving import Saving
    from unmask.config import BatchSettings, ScanSettings
    from unmask.errors import UnmaskError
    from unmask.judge.footage import Look
    from unmask.verdicts import Verdict

EXIT_FAILED, EXIT_READER_LEFT = 1, 141


def scan(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Files, folders (searched with subfolders), patterns."),
    ],
    json: Annotated[
        bool, typer.Option("--json", help="One JSON line for each input, in input order.")
    ] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write a table to FILE, as a whole.")
    ] = None,
    csv_rows: Annotated[
        str,
        typer.Option(metavar="ROWS", help="A row of that table is one of these: file, person, segment."),
    ] = "file",
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Also write a report with pictures: .html, .pdf or .json of one file, or a folder.",
        ),
    ] = None,
    language: Annotated[str, typer.Option(help="Of the report: en or de.")] = "en",
    trust_list: TrustListOption = None,
    frames: Annotated[
        int, typer.Option(metavar="N", help="Frames to look at in each ten seconds, or in a shorter clip.")
    ] = 30,
    max_frames: Annotated[
        int,
        typer.Option(metavar="N", help="Frames of a long video to look at in all, over all shots."),
    ] = 10_000,
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Begin here: seconds, m:ss or h:mm:ss.")
    ] = "0",
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="End here: seconds, m:ss or h:mm:ss.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Processes (default: the cores, at most 4); a long video keeps several busy."
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="T",
            help="Call it fake from this p_fake on, 0 to 1 (default: the model's). Real stays real up to the "
            "model's own limit, or up to T where T is lower; in between it is unsure.",
        ),
    ] = None,
    model: ModelsOption = None,
    settings_file: Annotated[
        Path | None,
        typer.Option("--settings", metavar="TOML", help="Settings of the detector, as unmask tune writes."),
    ] = None,
    device: DeviceOption = "auto",
    embedder: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What tells who is in several shots: auto (what is installed), none, dlib (extra people).",
        ),
    ] = "auto",
    stability: Annotated[
        bool,
        typer.Option("--stability", help="Judge worse versions of each file too and tell when it flips."),
    ] = False,
    examine: ExamineOption = None,
    scanned: ScannedOption = None,
    looks: LooksOption = None,
    time_limit: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Give a file up after this time without anything new."),
    ] = 600.0,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="A whole archive: a record for each file, in a folder or s3://...; the same command goes on "
            "after a stop. PATH may be a folder, zip, s3://..., list (.txt), or index (.parquet, .csv).",
            rich_help_panel=ARCHIVE,
        ),
    ] = None,
    engine: EngineOption = "local",
    address: AddressOption = None,
    shard: ShardOption = None,
    shard_files: ShardFilesOption = 1000,
    retry_failed: RetryOption = False,
    report_top: TopOption = 20,
    plan: PlanOption = False,
    price: PriceOption = None,
    watch: WatchOption = False,
    memory_mb: MemoryOption = None,
    sandbox: SandboxOption = "auto",
) -> None:
    """Say of each file whether a face in it was manipulated.

    Outcomes: fake, real, unsure, no_face (nobody to judge), unreadable,
    error (unmask itself failed, which says nothing of the file). Only the first three
    carry a number, p_fake.

    Exit code: 0 every input got a verdict, 1 at least one was unreadable or error,
    2 wrong usage, or it could not begin, 130 stopped. With -o: 0 every file has its
    record, 1 the machine failed on some, which the same command does again.

    [bold]Examples[/bold]

    unmask scan clip.mp4

    unmask scan --jobs 4 --csv verdicts.csv videos/

    unmask scan clip.mp4 --report clip.html

    unmask scan --from 41:30 --to 43:00 film.mkv

    unmask scan --examine 48.4-53.6 film.mkv --report closer.html

    unmask scan --json 'videos/**/*.mp4' > verdicts.jsonl

    unmask scan s3://bucket/2026 -o s3://bucket/run --engine ray
    """
    from unmask.cli.archive import Wanted, Way, refuse_alone, refuse_beside, scan_archive
    from unmask.cli.inputs import expand, read_time
    from unmask.cli.saving import Saving
    from unmask.config import BatchSettings, DecodeSettings, LimitSettings, ScanSettings
    from unmask.errors import UnmaskError
    from unmask.faces.settings_file import read_detector_file

    try:
        decode = DecodeSettings(
            frames=frames,
            max_frames=max_frames,
            start_seconds=read_time(start, option="--from"),
            end_seconds=None if end is None else read_time(end, option="--to"),
        )
        detect, track = read_detector_file(settings_file)
        settings = ScanSettings(
            model=model[0] if model else None,
            beside=tuple((model or [])[1:]),
            threshold=threshold,
            decode=decode,
            detect=detect,
            track=track,
            stability=stability,
            score=score_settings(device),
            embedder=embedder,
        )
        limits = LimitSettings(memory_mb=memory_mb, sandbox=sandbox)
        batch = BatchSettings(jobs=jobs, time_limit_seconds=time_limit, limits=limits)
        command = shlex.join(["unmask", *sys.argv[1:]])
        way = Way(engine, address, shard, shard_files, retry_failed, report_top, plan, price, watch)
        if output is not None or plan or watch:
            refuse_beside({"--csv": csv, "--report": report, "--examine": examine})
            scan_archive(Wanted(paths, output, settings, batch, way, json, language, command))
            return
        refuse_alone(way)
        inputs = expand(paths)
        saving = Saving(csv, report, language, command, csv_rows, checked(trust_list))
        saving.check(len(inputs))
        closer = Examine(examine, scanned, looks)
        if closer.wanted:
            settings = settings_for(closer, inputs, settings, batch)
        _run(inputs, settings, batch, as_json=json, saving=saving)
    except UnmaskError as error:
        _fail(str(error))
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(EXIT_READER_LEFT) from None


def _run(
    inputs: list[Input], settings: ScanSettings, batch: BatchSettings, *, as_json: bool, saving: Saving
) -> None:
    from unmask.errors import UnmaskError

    found = _Found(inputs)
    ended: KeyboardInterrupt | UnmaskError | None = None
    with Stopper() as stopper:
        try:
            _scan(found, settings, batch, stopper, as_json=as_json)
        except (KeyboardInterrupt, UnmaskError) as error:
            ended = error
        try:
            with stopper.held():  # or a second Ctrl-C would lose what the first one left
                found.judge_seen(settings)
                verdicts = [found.done[index] for index in sorted(found.done)]
                try:
                    if verdicts:
                        _show(found, verdicts, settings, as_json=as_json)
                finally:
                    saving.save_table(verdicts)
            if ended is not None and saving.report is not None and verdicts:
                typer.echo(
                    "stopped; the report of what was seen is being written, Ctrl-C leaves it out", err=True
                )
            saving.save_report(verdicts, settings, batch)
        except KeyboardInterrupt as error:
            ended = ended or error
    if isinstance(ended, UnmaskError):
        _fail(str(ended))
    if ended is not None:
        typer.echo(f"stopped: {len(found.done)} of {len(inputs)} inputs got a verdict", err=True)
        raise typer.Exit(EXIT_INTERRUPTED)
    if any(verdict.outcome.has_failed for verdict in verdicts):
        raise typer.Exit(EXIT_FAILED)


@dataclass(slots=True)
class _Found:
    """What is known so far; all by the place of the input.

    Attributes:
        inputs: What was asked for.
        done: Verdicts.
        seen: What was found in stretches of long videos that have no verdict yet.
        sha256: Of files that were begun.
        printed: How many of the inputs, from the first on, have their JSON line.
    """

    inputs: list[Input]
    done: dict[int, Verdict] = field(default_factory=dict)
    seen: dict[int, list[Look]] = field(default_factory=dict)
    sha256: dict[int, str] = field(default_factory=dict)
    printed: int = 0

    def print_lines(self) -> None:
        """The JSON lines that come next."""
        while self.printed in self.done:
            _print_json(self.done[self.printed])
            self.printed += 1

    def judge_seen(self, settings: ScanSettings) -> None:
        """Verdicts on files that were stopped in the middle, by what had been seen of them."""
        if not self.seen:
            return
        from unmask.batch import judge_seen
        from unmask.judge.conclude import About
        from unmask.reasons import because

        for index, looks in self.seen.items():
            about = About(self.inputs[index].path, self.sha256.get(index), stopped=because("stopped"))
            self.done[index] = judge_seen(looks, about, settings)


def _scan(
    found: _Found, settings: ScanSettings, batch: BatchSettings, stopper: Stopper, *, as_json: bool
) -> None:
    from unmask.cli.progress import show_progress

    with show_progress(len(found.inputs)) as step:

        def note(index: int, look: Look) -> None:
            found.seen.setdefault(index, []).append(look)
            step.go_on(index, found.inputs[index].path, look)

        for index, verdict in _verdicts(found, settings, batch, note):
            with stopper.held():  # or a stop could print a line twice, or half of it
                found.done[index] = verdict
                found.seen.pop(index, None)
                step.end(index)
                if as_json:
                    found.print_lines()


def _show(found: _Found, verdicts: list[Verdict], settings: ScanSettings, *, as_json: bool) -> None:
    if as_json:
        for index in sorted(index for index in found.done if index >= found.printed):
            _print_json(found.done[index])
        return
    from rich.console import Console

    from unmask.cli.output import print_verdicts

    print_verdicts(Console(), verdicts, settings)


def _verdicts(
    found: _Found,
    settings: ScanSettings,
    batch: BatchSettings,
    on_look: Callable[[int, Look], None],
) -> Iterator[tuple[int, Verdict]]:
    from unmask.batch import scan_each
    from unmask.judge.card import card_path, read_card
    from unmask.judge.verdict import unreadable

    model = read_card(card_path(settings.model)).model_name
    for index, item in enumerate(found.inputs):
        if item.problem:
            yield index, unreadable(item.path, item.problem, model)
    numbers = [index for index, item in enumerate(found.inputs) if not item.problem]
    verdicts = scan_each(
        [found.inputs[index].path for index in numbers],
        settings,
        batch,
        on_sha256=lambda place, sha256: found.sha256.update({numbers[place]: sha256}),
        on_look=lambda place, look: on_look(numbers[place], look),
    )
    with contextlib.closing(verdicts):
        for place, verdict in verdicts:
            yield numbers[place], verdict


def _print_json(verdict: Verdict) -> None:
    from unmask.cli.output import json_line

    sys.stdout.write(json_line(verdict) + "\n")
    sys.stdout.flush()


def _fail(message: str) -> Never:
    from unmask.cli.terminal import printable

    typer.echo(f"error: {printable(message)}", err=True)
    raise typer.Exit(EXIT_USAGE)

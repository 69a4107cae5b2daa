"""``unmask submit``: a complete submission to the DeepFake Detection Challenge, in time and offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli.device import DeviceOption, models_here, score_settings

if TYPE_CHECKING:
    from unmask.lab.submit.run import Submission


def submit(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[TEST_DIR]", help="Folder with the videos.", show_default=False)
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The submission.")] = Path(
        "submission.csv"
    ),
    sample: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Names the rows (default: sample_submission.csv in TEST_DIR or beside it, else all videos).",
        ),
    ] = None,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Time for everything, such as 9h, 1h30m or 45s.")
    ] = "9h",
    frames: Annotated[int, typer.Option(metavar="N", help="Frames of a video, while there is time.")] = 30,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Videos at a time (default: the cores, at most 4).")
    ] = None,
    fallback: Annotated[
        float, typer.Option(metavar="P", help="Label of a video without a face or that cannot be read.")
    ] = 0.5,
    clip: Annotated[
        float | None, typer.Option(metavar="C", help="Keep labels within C and 1 - C (default: the card's).")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="CARD", help="A model's card (default: the shipped one).", autocompletion=models_here
        ),
    ] = None,
    device: DeviceOption = "auto",
    allow_absent: Annotated[
        bool, typer.Option("--allow-absent", help="Give rows of the sample without a file the fallback.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Forget what a stopped run had found out.")
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="DIR", help="Instead pack wheels, weights and a notebook into DIR."),
    ] = None,
    python: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Of the bundle, such as 3.12 (default: this one).")
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(metavar="TAG", help="Of the bundle, such as manylinux_2_28_x86_64 (default: this one)."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Write filename,label with P(FAKE) for every video of a test set, complete or not at all.

    Looks at fewer frames when it runs late, and finishes with the fallback where time is up.
    A stopped run goes on where it stood with the same command.

    [bold]Examples[/bold]

    unmask submit test_videos -o submission.csv

    unmask submit test_videos --sample sample_submission.csv --budget 8h30m

    unmask submit --bundle kaggle_dataset
    """
    import json as json_module
    from dataclasses import asdict

    from unmask.cli.output import check_csv
    from unmask.cli.running import progress, stopping_on_errors
    from unmask.config import BatchSettings, DecodeSettings, ScanSettings
    from unmask.errors import SettingsError
    from unmask.files import size_words
    from unmask.lab.submit.bundle import write_bundle
    from unmask.lab.submit.journal import Journal
    from unmask.lab.submit.pace import parse_budget
    from unmask.lab.submit.run import SubmitSettings, journal_path, make_submission
    from unmask.lab.submit.wanted import find_sample, list_wanted

    with stopping_on_errors("the same command goes on where it stood"):
        if bundle is not None:
            size = write_bundle(bundle, model=model, python=python, platform=platform)
            typer.echo(f"{bundle}: {size_words(size)}, installs without a network")
            return
        if folder is None:
            raise SettingsError("TEST_DIR, the folder with the videos, must be given")
        settings = SubmitSettings(parse_budget(budget), fallback, clip)
        decode = DecodeSettings(frames=frames)
        scan = ScanSettings(model=model, decode=decode, score=score_settings(device))
        check_csv(output, option="--output")
        names = sample or find_sample(folder)
        wanted = list_wanted(folder, names, allow_absent=allow_absent)
        if restart:
            with Journal(journal_path(output), {}) as journal:
                journal.forget()
        with progress("submission", len(wanted)) as step:
            batch = BatchSettings(jobs=jobs)
            found = make_submission(wanted, output, scan, settings, batch=batch, on_done=step)
    if json:
        typer.echo(json_module.dumps(asdict(found) | {"output": str(output)}))
    else:
        _show(found, output, names)


def _show(found: Submission, output: Path, names: Path | None) -> None:
    from unmask.cli.terminal import printable

    outcomes = ", ".join(f"{count} {name}" for name, count in found.outcomes.items())
    frames = ", ".join(f"{count} with {number}" for number, count in found.frames.items())
    lines = [
        f"{output}: {found.rows} rows as in {names or 'the folder'}, in {found.seconds:.0f} s",
        f"outcomes: {outcomes}",
        f"frames: {frames}" + (f"; {found.reused} answers of an earlier run" if found.reused else ""),
        f"labels within {found.clip:g} and {1 - found.clip:g}; {found.fallback:g} where there is no number",
    ]
    if found.errors:
        name, reason = next(iter(found.errors.items()))
        lines.append(f"unmask itself failed on {len(found.errors)} of these, such as {name}: {reason}")
    for line in lines:
        typer.echo(printable(line))

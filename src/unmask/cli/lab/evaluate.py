"""``unmask evaluate``: how good a model is on labelled clips."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from unmask.cli.device import DeviceOption, models_here, score_settings
from unmask.cli.inputs import LabelledSources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from unmask.config import BatchSettings, ScanSettings
    from unmask.lab.evaluate.contenders import Contender
    from unmask.lab.evaluate.summary import Judged


K = TypeVar("K")
V = TypeVar("V")


def evaluate(
    sources: LabelledSources,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the report.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CARD",
            help="A model's card; several are put side by side (default: shipped).",
            autocompletion=models_here,
        ),
    ] = None,
    peer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=WEIGHTS", help="A detector from elsewhere, such as meso4=Meso4_DF.h5."),
    ] = None,
    ladder: Annotated[
        bool, typer.Option("--ladder", help="Also measure under each distortion at five levels (slow).")
    ] = False,
    everyday: Annotated[
        bool,
        typer.Option("--everyday", help="Also judge what people do to clips every day (slow)."),
    ] = False,
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Also tell apart by a column or attribute, such as age."),
    ] = None,
    device: DeviceOption = "auto",
    frames: Annotated[int, typer.Option(metavar="N", help="Frames of each clip.")] = 30,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Clips at a time (default: the cores, at most 4).")
    ] = None,
    fallback: Annotated[
        float, typer.Option(metavar="P", help="p_fake for clips without a number, in log loss over all.")
    ] = 0.5,
    json: Annotated[bool, typer.Option("--json", help="Also print the content of metrics.json.")] = False,
) -> None:
    """Measure models on labelled clips and write scores.csv, metrics.json and index.html.

    Metrics are per video, per person and per frame, with 95 % intervals over originals.
    Clips without a face or that cannot be read are counted, not scored.

    [bold]Examples[/bold]

    unmask evaluate dfdc_mini -o report

    unmask evaluate index.parquet --model mine.json --peer meso4=Meso4_DF.h5 -o report

    unmask evaluate labels.csv --ladder --everyday -o report

    unmask evaluate labels.csv --by age --by sex -o report
    """
    from unmask.cli.lab.judging import judge_clips
    from unmask.cli.output import make_folder
    from unmask.cli.running import stopping_on_errors
    from unmask.config import BatchSettings, DecodeSettings, ScanSettings
    from unmask.errors import SettingsError
    from unmask.holding import alone_in
    from unmask.lab.evaluate.clips import read_clips
    from unmask.lab.evaluate.contenders import list_contenders
    from unmask.lab.evaluate.summary import summarise

    with stopping_on_errors():
        if not 0 < fallback < 1:
            raise SettingsError(f"--fallback must be between 0 and 1, got {fallback}")
        score = score_settings(device)
        settings = ScanSettings(decode=DecodeSettings(frames=frames), score=score)
        batch = BatchSettings(jobs=jobs)
        contenders = list_contenders(model or [], peer or [])
        clips = read_clips(sources, by=by or [])
        make_folder(output)
        with alone_in(output):
            judged = judge_clips(clips, contenders, settings, batch)
            name = ", ".join(source.name for source in sources)
            summary = summarise(judged, name=name, fallback=fallback)
            if ladder:
                summary["ladder"] = _climb(judged, contenders, ScanSettings(score=score), batch)
            if everyday:
                summary["everyday"] = _try_changes(judged, contenders, ScanSettings(score=score), batch)
            _write(output, summary, judged)
        _show(summary, output)
        if json:
            typer.echo(json_module.dumps(summary, indent=1))


def _climb(
    judged: list[Judged], contenders: Sequence[Contender], settings: ScanSettings, batch: BatchSettings
) -> dict[str, Any]:
    from unmask.lab.evaluate.ladder import climb, summarise_ladder

    clips = judged[0].clips
    rungs = _gather("ladder", len(clips), climb(clips, contenders, settings, batch=batch))
    return summarise_ladder(clips, rungs, {one.model: one.card for one in judged})


def _try_changes(
    judged: list[Judged], contenders: Sequence[Contender], settings: ScanSettings, batch: BatchSettings
) -> dict[str, Any]:
    from unmask.lab.evaluate.everyday import summarise_everyday, try_changes

    clips = judged[0].clips
    variants = _gather("everyday", len(clips), try_changes(clips, contenders, settings, batch=batch))
    return summarise_everyday(clips, variants, {one.model: one.card for one in judged})


def _gather(title: str, clips: int, answers: Iterable[tuple[int, dict[K, V]]]) -> list[dict[K, V]]:
    """Answers in the order of the clips, with a bar; nothing for a clip without one."""
    from unmask.cli.running import progress

    found: list[dict[K, V]] = [{} for _ in range(clips)]
    with progress(title, clips) as step:
        for place, answer in answers:
            found[place] = answer
            step()
    return found


def _write(folder: Path, summary: dict[str, Any], judged: list[Judged]) -> None:
    from unmask.files import write_together
    from unmask.lab.evaluate.tables import scores_csv
    from unmask.lab.pages.evaluation import evaluation_page

    told = {
        "scores.csv": scores_csv(judged),
        "metrics.json": json_module.dumps(summary, indent=1, allow_nan=False) + "\n",
        "index.html": evaluation_page(summary, judged),
    }
    write_together(folder, told, last="index.html")


def _show(summary: dict[str, Any], folder: Path) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from unmask.cli.tables import print_table
    from unmask.cli.terminal import plain, printable
    from unmask.lab.pages.evaluation import HEADLINE

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("per video")
    for name in summary["models"]:
        table.add_column(plain(name), justify="right")
    for key, title in HEADLINE.items():
        cells = [one.get("video", {}).get(key) for one in summary["models"].values()]
        table.add_row(
            title,
            *(
                "-"
                if cell is None or cell["value"] is None
                else f"{cell['value']:.3f} ({cell['low']:.2f} to {cell['high']:.2f})"
                for cell in cells
            ),
        )
    print_table(Console(stderr=True), table)
    for name, one in summary["models"].items():
        missing = sum(row["clips"] - row["judged"] for row in one["coverage"].values())
        judged = f"{summary['clips'] - missing} of {summary['clips']} clips got a number"
        typer.echo(printable(f"{name}: {judged}"), err=True)
        if failed := sum(row["error"] for row in one["coverage"].values()):
            why = "unmask itself failed on them, see reason in scores.csv"
            typer.echo(
                printable(f"{name}: {failed} of the others are no fault of the clips: {why}"), err=True
            )
        if "problem" in one:
            typer.echo(printable(f"{name}: {one['problem']}"), err=True)
    typer.echo(printable(f"written: {folder / 'index.html'}, metrics.json, scores.csv"), err=True)

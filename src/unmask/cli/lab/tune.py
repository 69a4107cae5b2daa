"""``unmask tune``: a detector's settings by trial on a face bench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.running import counting, stopping_on_errors


def tune(
    bench: Annotated[
        Path, typer.Argument(metavar="BENCH", help="A face bench, as unmask data facebench makes it.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="TOML", help="The settings to write.")],
    trials: Annotated[int, typer.Option(metavar="N", help="How many settings to try, in all.")] = 60,
    study: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where trials are kept (default: beside the output, .sqlite3)."),
    ] = None,
    detector: Annotated[str, typer.Option(help="Which detector.")] = "mtcnn",
) -> None:
    """Try settings of the face detector, and keep the best that cost no more than the shipped ones.

    Writes the settings for scan, extract and faces, the Pareto front (.pareto.csv) and precision-recall
    curves by condition (.curves.csv, .curves.png). The same command goes on where a stopped one stood.

    [bold]Example[/bold]

    unmask data facebench -o bench

    unmask tune bench -o detector.toml --trials 100

    unmask faces clip.mp4 --settings detector.toml
    """
    file = study or output.with_suffix(".sqlite3")
    with stopping_on_errors(f"the same command goes on with the trials in {file}"):
        from unmask.lab.facebench.bench import read_bench
        from unmask.lab.facebench.tune import open_study, tune_faces, write_tuned
        from unmask.lab.pages.curves import write_curves

        known = read_bench(bench)
        with counting("trials") as tell:
            found = tune_faces(known, file, trials=trials, detector=detector, on_trial=tell)
        curves = write_tuned(found, known, open_study(file, known, detector), output)
        write_curves(curves, output.with_suffix(".curves.png"))
        typer.echo(
            f"{output}: score {found.score:.4f} at {found.cost_ms:.1f} CPU ms a frame; the shipped settings: "
            f"{found.before[0]:.4f} at {found.before[1]:.1f}; {found.trials} trials"
        )

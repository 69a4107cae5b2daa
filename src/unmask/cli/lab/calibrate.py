"""``unmask calibrate``: fit a model's card to one's own labelled clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli.device import DeviceOption, models_here, score_settings
from unmask.cli.inputs import LabelledSources

if TYPE_CHECKING:
    from unmask.judge.card import Card
    from unmask.lab.evaluate.recalibrate import Recalibrated

SHOWN = {
    "log_loss": "log loss (0.693 knows nothing)",
    "rms_calibration_error": "calibration error",
    "brier": "Brier score",
    "auc": "AUC",
    "false_alarms": "reals called fake",
    "recall": "fakes called fake",
}


def calibrate(
    sources: LabelledSources,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="CARD", help="The new card; weights go beside it.")
    ],
    model: Annotated[
        str | None,
        typer.Option(
            metavar="CARD",
            help="A card or a name of unmask model list (default: the shipped one).",
            autocompletion=models_here,
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="temperature (from a few dozen clips on) or isotonic (from hundreds on).")
    ] = "temperature",
    false_alarms: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of reals that may be called fake, 0 to 1.")
    ] = 0.05,
    device: DeviceOption = "auto",
    frames: Annotated[int, typer.Option(metavar="N", help="Frames of each clip.")] = 30,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Clips at a time (default: the cores, at most 4).")
    ] = None,
) -> None:
    """Fit calibration and threshold to labelled clips of your own and write a card with them.

    What to expect is measured on clips whose original the fit has not seen.

    [bold]Examples[/bold]

    unmask calibrate my_clips.csv -o mine/card.json

    unmask calibrate my_clips.csv --false-alarms 0.01 -o mine/card.json

    unmask scan --model mine/card.json new.mp4
    """
    from unmask.cli.lab.judging import judge_clips
    from unmask.cli.output import make_folder
    from unmask.cli.running import stopping_on_errors
    from unmask.config import BatchSettings, DecodeSettings, ScanSettings
    from unmask.errors import SettingsError
    from unmask.lab.evaluate.calibrate import METHODS
    from unmask.lab.evaluate.clips import read_clips
    from unmask.lab.evaluate.contenders import list_contenders
    from unmask.lab.evaluate.recalibrate import recalibrate

    with stopping_on_errors("nothing was written"):
        if method not in METHODS:
            raise SettingsError(f"unknown method {method!r}; choose from: {', '.join(METHODS)}")
        if not 0 <= false_alarms < 1:
            raise SettingsError(f"--false-alarms must be 0 to below 1, got {false_alarms}")
        if output.suffix != ".json":
            raise SettingsError(f"--output must name a card, a .json file, got {output}")
        make_folder(output.parent)
        contenders = list_contenders([model] if model else [], [])
        clips = read_clips(sources)
        settings = ScanSettings(decode=DecodeSettings(frames=frames), score=score_settings(device))
        (judged,) = judge_clips(clips, contenders, settings, BatchSettings(jobs=jobs))
        name = sources[0].stem or "own"
        found = recalibrate(judged, name=name, method=method, false_alarm_rate=false_alarms)
        _write(found.card, output, model)
        _show(found, output)


def _write(card: Card, output: Path, model: str | None) -> None:
    """The card, and its weights beside it unless they are there."""
    from unmask.errors import ModelError
    from unmask.files import whole_file
    from unmask.judge.card import card_path, read_weights, write_card

    data = read_weights(card, card_path(model).parent)
    weights = output.parent / card.file
    if weights.exists() and weights.read_bytes() != data:
        raise ModelError(f"{weights} holds other weights; choose another folder for {output.name}")
    if not weights.exists():
        with whole_file(weights) as draft:
            draft.write_bytes(data)
    with whole_file(output) as draft:
        write_card(card, draft)


def _show(found: Recalibrated, output: Path) -> None:
    from unmask.cli.terminal import printable

    card = found.card
    calibration = card.calibration
    how = (
        f"a curve of {len(calibration.isotonic)} points"
        if calibration.isotonic
        else f"temperature {calibration.temperature:.3g}, bias {calibration.bias:.3g}"
    )
    limits = card.thresholds
    lines = [
        f"{output}: fitted on {found.clips} clips: {how}",
        f"labels of a submission are kept within {calibration.clip:g} and {1 - calibration.clip:g}",
        f"fake from {limits.fake_at_least:.2f} on, real up to {limits.real_at_most:.2f}",
        f"log loss before: {found.before:.3f}; to be expected on other clips like these:",
    ]
    for key, title in SHOWN.items():
        figure = found.figures[key]
        lines.append(f"  {title}: {figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})")
    for line in lines:
        typer.echo(printable(line))

"""``--model`` and ``--device``: which networks judge, and what they run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unmask.config import ScoreSettings

DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="What the network runs on: auto, cpu, cuda, coreml, openvino or directml.",
    ),
]
"""What commands that run a network take."""


ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="CARD",
        help="A card or a name of unmask model list (default: shipped); of several all must agree.",
    ),
]
"""What commands take that judge with one model or several."""


def score_settings(device: str) -> ScoreSettings:
    """Settings with a device; a device that was named and does not work is told of on stderr.

    Raises:
        SettingsError: There is no such device.
    """
    from unmask.cli.terminal import printable
    from unmask.config import ScoreSettings

    settings = ScoreSettings(device=device)
    if device not in ("auto", "cpu"):
        from unmask.judge.score import load_model

        if note := load_model(None, settings).device.note:  # the shipped network is small enough to try
            typer.echo(f"note: {printable(note)}", err=True)
    return settings

"""``--model`` and ``--device``: which networks judge, and what they run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unmask.config import ScoreSettings


def known_models() -> list[str]:
    """Names that the shell proposes for a model: those that ship, and those that can be got."""
    from unmask.judge.cache import PUBLISHED
    from unmask.judge.card import SHIPPED

    return [*SHIPPED, *PUBLISHED]


def models_here() -> list[str]:
    """Names that the shell proposes where a model must be here; for any other word it proposes files."""
    from unmask.judge.cache import cached_card
    from unmask.judge.card import SHIPPED

    return [name for name in known_models() if name in SHIPPED or cached_card(name).is_file()]


def _devices() -> list[str]:
    from unmask.judge.devices import DEVICES

    return ["auto", *DEVICES]


DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="What the network runs on: auto, cpu, cuda, coreml, openvino or directml.",
        autocompletion=_devices,
    ),
]
"""What commands that run a network take."""


ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="CARD",
        help="A card or a name of unmask model list (default: shipped); of several all must agree.",
        autocompletion=models_here,
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

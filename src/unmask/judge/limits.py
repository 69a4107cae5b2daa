"""How much memory a worker may hold by default: enough for its networks and for what files need."""

from __future__ import annotations

from dataclasses import replace

from unmask.config import LimitSettings, ScanSettings
from unmask.errors import ModelError
from unmask.judge.card import card_path, read_card
from unmask.work.limits import memory_of

COPIES = 4
"""A network of 1.2 GB takes 3.9 GB (docs/models.md): the file, its tensors, and these laid out anew."""


def limits_for(settings: ScanSettings, limits: LimitSettings) -> LimitSettings:
    """The limits of a worker, with its memory by the size of the models where nobody said.

    Args:
        settings: Of the scan.
        limits: As given.
    """
    memory_mb = memory_of(limits)
    if limits.memory_mb is None and memory_mb:
        memory_mb += sum(COPIES * _megabytes(model) for model in (settings.model, *settings.beside))
    return replace(limits, memory_mb=memory_mb)


def _megabytes(model: str | None) -> int:
    """Size of a model's weights; 0 where they are not there, as whoever loads them will say."""
    try:
        path = card_path(model)
        return ((path.parent / read_card(path).file).stat().st_size >> 20) + 1
    except (ModelError, OSError):
        return 0

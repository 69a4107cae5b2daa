"""Checkpoints: written whole or not at all, and only continued by the recipe that made them."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from unmask.errors import DataError
from unmask.files import whole_file

FILE_NAME = "checkpoint.pt"


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Replace the folder's checkpoint in one step; a kill leaves the old one or the new one.

    Raises:
        OSError: It cannot be written; the old one is still there.
    """
    with whole_file(folder / FILE_NAME) as draft:
        write_tensors(state, draft)


def write_tensors(state: dict[str, Any], file: Path) -> None:
    """Write what `torch.load` reads.

    Raises:
        OSError: It cannot be written. torch's own writer may raise a RuntimeError about positions instead.
    """
    packed = io.BytesIO()
    torch.save(state, packed)
    file.write_bytes(packed.getbuffer())


def load_checkpoint(folder: Path, *, digest: str | None = None) -> dict[str, Any] | None:
    """The folder's checkpoint, or None when there is none; of any recipe unless a digest is given.

    Raises:
        DataError: It is damaged, or another recipe made it.
    """
    file = folder / FILE_NAME
    if not file.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
        raise DataError(f"{file} is no checkpoint, or a damaged one; remove it to start anew") from error
    if digest is not None and state.get("digest") != digest:
        raise DataError(f"{file} was made by another recipe; choose another output folder or remove it")
    return state

"""Tensors of published files, checked before a network takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unmask.errors import MissingExtraError, ModelError, SettingsError
from unmask.judge.strict import read_json
from unmask.lab.models.tensors import as_float

MAX_HEADER_BYTES = 100 << 20  # the limit of safetensors itself


def read_safetensors(file: Path) -> dict[str, Tensor]:
    """All tensors of a ``.safetensors`` file as float32.

    Raises:
        ModelError: The file is damaged, names a tensor twice, or a tensor is not finite or no float.
        MissingExtraError: safetensors is not installed.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise MissingExtraError("safetensors", extra="zoo") from error
    try:
        with file.open("rb") as raw:
            length = int.from_bytes(raw.read(8), "little")
            if length > MAX_HEADER_BYTES:
                raise ModelError(f"{file}: its header must be at most {MAX_HEADER_BYTES} bytes")
            read_json(raw.read(length))  # safetensors itself lets repeats pass
        tensors = load_file(file)
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        if isinstance(error, ModelError):
            raise
        if isinstance(error, SettingsError):
            raise ModelError(f"{file}: {error}") from error
        raise ModelError(f"{file}: no readable safetensors file ({error})") from error
    return {name: as_float(tensor, name, file) for name, tensor in tensors.items()}


def read_pickled(file: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint that ``torch.save`` wrote, without running code that it may bring.

    Raises:
        ModelError: It is no such file, brings code, or a tensor is not finite.
    """
    try:
        # Checkpoints of the time hold the epoch and a score as numpy numbers beside the weights.
        with torch.serialization.safe_globals(_numbers()):
            raw: Any = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(f"{file}: no checkpoint of tensors alone ({str(error).strip()[:200]})") from error
    state = raw.get("state_dict", raw) if isinstance(raw, dict) else None
    if not isinstance(state, dict):
        raise ModelError(f"{file}: must hold tensors by name, got {type(raw).__name__}")
    found = {}
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise ModelError(f"{file}: must hold tensors by name, got {type(tensor).__name__} as {name!r}")
        if not name.endswith("num_batches_tracked"):
            found[name] = as_float(tensor, name, file)
    return found


def _numbers() -> list[Any]:
    import numpy as np
    from numpy._core.multiarray import scalar

    return [scalar, np.dtype, np.dtypes.Float64DType, np.dtypes.Float32DType]

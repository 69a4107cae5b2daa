"""The weights that lie beside the detectors, each compared with its card before it is used."""

from __future__ import annotations

import hashlib
import json
from importlib import resources

import onnxruntime

from unmask.errors import ModelError
from unmask.seals import take_seal


def load_session(name: str, *, threads: int, card: str = "card.json") -> onnxruntime.InferenceSession:
    """One of the shipped networks, after its bytes are compared with the card.

    Args:
        name: Of the ONNX file, without its ending.
        threads: Of one run.
        card: File that holds the SHA-256.

    Raises:
        ModelError: A file is missing or altered.
    """
    folder = resources.files("unmask.faces.detectors") / "weights"
    try:
        text = (folder / card).read_bytes().decode()
        weights = (folder / f"{name}.onnx").read_bytes()
    except OSError as error:
        raise ModelError(f"the detector's weights are incomplete ({error}); install unmask again") from error
    try:
        values = json.loads(text)
        take_seal(values, text)
        expected = values["files"][f"{name}.onnx"]["sha256"]
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{card}: the card was changed ({error}); install unmask again") from error
    found = hashlib.sha256(weights).hexdigest()
    if found != expected:
        raise ModelError(f"{name}.onnx: SHA-256 must be {expected}, got {found}; install unmask again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # keeps what the largest picture once needed, and is not faster
    options.enable_mem_pattern = False
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])

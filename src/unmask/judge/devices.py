"""What a network runs on: the processor, or an accelerator where onnxruntime has a provider for it.

Which providers there are is decided by which build of onnxruntime is installed (extras ``gpu`` and
``openvino``). What is asked for and not there falls back to the processor, with a sentence that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import onnxruntime as ort

from unmask.config import ScoreSettings

CPU = "CPUExecutionProvider"


@dataclass(frozen=True, slots=True)
class Device:
    """One kind of hardware.

    Attributes:
        provider: What onnxruntime calls it.
        batch_crops: Crops in one call that keep it busy.
        install: How to come by the provider.
    """

    provider: str
    batch_crops: int
    install: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What a network will run on.

    Attributes:
        name: Key of `DEVICES`.
        note: Why it is not what was asked for, one sentence; empty where it is.
    """

    name: str
    note: str = ""


ON_CPU = Choice("cpu")

DEVICES: dict[str, Device] = {
    "cuda": Device("CUDAExecutionProvider", 32, "onnxruntime-gpu (extra gpu) and an NVIDIA driver"),
    "directml": Device("DmlExecutionProvider", 16, "onnxruntime-directml, on Windows"),
    "coreml": Device("CoreMLExecutionProvider", 8, "onnxruntime on a Mac"),
    "openvino": Device("OpenVINOExecutionProvider", 2, "onnxruntime-openvino (extra openvino)"),
    "cpu": Device(CPU, 2, "onnxruntime"),
}
"""By the name that ``--device`` takes; ``auto`` takes the first that is there."""


def choose_device(asked: str, available: Sequence[str] | None = None) -> Choice:
    """Find a device that is there.

    Args:
        asked: ``auto`` or a key of `DEVICES`.
        available: Providers of this onnxruntime; None asks it.

    >>> choose_device("auto", ["CUDAExecutionProvider", "CPUExecutionProvider"]).name
    'cuda'
    >>> choose_device("cuda", ["CPUExecutionProvider"])
    Choice(name='cpu', note='device cuda is not there (it needs onnxruntime-gpu (extra gpu) and an NVIDIA \
driver); running on cpu')
    """
    there = ort.get_available_providers() if available is None else available
    if asked == "auto":
        return Choice(next((name for name, device in DEVICES.items() if device.provider in there), "cpu"))
    if DEVICES[asked].provider in there:
        return Choice(asked)
    return Choice("cpu", f"device {asked} is not there (it needs {DEVICES[asked].install}); running on cpu")


def providers(name: str, settings: ScoreSettings) -> list[str | tuple[str, dict[str, str]]]:
    """What onnxruntime is told, in order of preference; the processor takes what a device cannot do."""
    if name == "cpu":
        return [CPU]
    options = {
        # Whole precision, so that a verdict does not depend on the device.
        "cuda": {"use_tf32": "0"},
        "openvino": {"device_type": "CPU", "precision": "FP32", "num_of_threads": str(settings.threads)},
    }
    return [(DEVICES[name].provider, options.get(name, {})), CPU]


def batch_crops(name: str, settings: ScoreSettings) -> int:
    """Crops in one call: what was set, or what suits the device."""
    return settings.batch_crops or DEVICES[name].batch_crops

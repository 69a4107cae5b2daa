"""What a network runs on: the processor, or an accelerator where onnxruntime has a provider for it.

Which providers there are is decided by which build of onnxruntime is installed (extra ``gpu``), and by
packages that plug one into it (extra ``openvino``). What is asked for and not there falls back to the
processor, with a sentence that says so.
"""

from __future__ import annotations

import contextlib
import importlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from unmask.config import ScoreSettings

CPU = "CPUExecutionProvider"


@dataclass(frozen=True, slots=True)
class Device:
    """One kind of hardware.

    Attributes:
        provider: What onnxruntime calls it.
        batch_crops: Crops in one call that keep it busy.
        install: How to come by the provider.
        plug: The module of a package that plugs it into a plain onnxruntime; empty where there is none.
    """

    provider: str
    batch_crops: int
    install: str
    plug: str = ""


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
    "openvino": Device(
        "OpenVINOExecutionProvider",
        2,
        "onnxruntime-ep-openvino (extra openvino) and a processor by Intel",
        plug="onnxruntime_ep_openvino",
    ),
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
    there = available_providers() if available is None else available
    if asked == "auto":
        return Choice(next((name for name, device in DEVICES.items() if device.provider in there), "cpu"))
    if DEVICES[asked].provider in there:
        return Choice(asked)
    return Choice("cpu", f"device {asked} is not there (it needs {DEVICES[asked].install}); running on cpu")


def available_providers() -> list[str]:
    """What onnxruntime calls those of `DEVICES` that are here, built in or plugged in by a package."""
    built_in = ort.get_available_providers()
    return [
        device.provider
        for name, device in DEVICES.items()
        if device.provider in built_in or (device.plug and plugged(name))
    ]


def plugged(name: str) -> list[Any]:
    """The processor, as a package beside onnxruntime runs networks on it; empty where none can.

    Args:
        name: Key of `DEVICES`.
    """
    device = DEVICES[name]
    # Older onnxruntime takes no plug-ins. Registering twice is an error, and all is as it should be then.
    with contextlib.suppress(ImportError, AttributeError, OSError, ort_errors.Fail):
        package = importlib.import_module(device.plug)
        ort.register_execution_provider_library(device.provider, package.get_library_path())
    if not hasattr(ort, "get_ep_devices"):
        return []
    processor = ort.OrtHardwareDeviceType.CPU
    found = ort.get_ep_devices()
    return [one for one in found if one.ep_name == device.provider and one.device.type == processor]


def plug_options(settings: ScoreSettings) -> dict[str, str]:
    """What OpenVINO's plug-in is told: whole precision, and as many threads as onnxruntime gets."""
    told = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": str(settings.threads)}
    return {"load_config": json.dumps({"CPU": told})}


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

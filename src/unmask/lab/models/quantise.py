"""Weights and activations in 8 bits: a quarter of the size, and quicker on a CPU.

Convolutions and what stands between them are quantised statically (Q and DQ nodes), with ranges of
activations seen on real crops. Normalisation of the input, the judging layer and heads over time stay in
float: they cost little, and their outputs are what is compared.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

Batch = NDArray[np.uint8]
# With the limits of ReLU6 among them, ranges are those after the limit: without, logits of the shipped
# network correlated by only 0.51 with those in float, with them by 0.98.
QUANTISED = ("Conv", "Clip", "Relu", "Add", "Pad")


class _CropBatches(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no hints
    def __init__(self, batches: Sequence[Batch]) -> None:
        self._batches: Iterator[Batch] = iter(batches)

    def get_next(self) -> dict[str, Batch] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"crops": batch}


def quantise_onnx(file: Path, target: Path, batches: Sequence[Batch]) -> None:
    """Write the 8-bit form of an exported network.

    Args:
        file: Made by `unmask.lab.models.export.export_onnx`.
        target: Where to.
        batches: Crops to see ranges on, each as the network takes them: (N, 3, S, S) or (N, T, 3, S, S).
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(file), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(target),
            _CropBatches(batches),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            # Without VNNI, products of full 8-bit weights overflow 16 bits in the processor; the shipped
            # network's logits then correlated by 0.94 with those in float, with 7 bits by 0.98.
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    onnx.checker.check_model(onnx.load(target))


def compare_onnx(file: Path, other: Path, batches: Sequence[Batch]) -> dict[str, float]:
    """How far the logits of two networks lie apart, and how much quicker the other is on one thread.

    Args:
        file: The one that is trusted.
        other: The one that is held against it.
        batches: Crops that calibration did not see.

    Returns:
        ``largest_difference`` and ``mean_difference`` of the logits, their ``correlation``, ``speedup``
        in wall time, the best of three passes each, and the other's size in ``bytes``.
    """
    one, two = (_session(path) for path in (file, other))
    logits, seconds = [], []
    for session in (one, two):
        times = []
        for _ in range(3):
            start = time.perf_counter()
            found = [np.ravel(session.run(None, {"crops": batch})[0]) for batch in batches]
            times.append(time.perf_counter() - start)
        logits.append(np.concatenate(found).astype(np.float64))
        seconds.append(min(times))
    gap = np.abs(logits[0] - logits[1])
    return {
        "largest_difference": float(gap.max()),
        "mean_difference": float(gap.mean()),
        "correlation": float(np.corrcoef(logits[0], logits[1])[0, 1]),
        "speedup": seconds[0] / seconds[1],
        "bytes": other.stat().st_size,
    }


def _session(file: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])

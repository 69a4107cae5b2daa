"""Weights kept in 8 and 16 bits in the file and widened as it is loaded: a third of the size at full speed.

Unlike `unmask.lab.models.quantise` nothing is computed in 8 bits, so next to nothing is lost and no ranges of
activations need to be seen. onnxruntime folds the widening into constants once, when it opens the file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

_EIGHT_BITS_FROM = 35_000
"""Values from which a tensor is kept in 8 bits. Logits of Lite0 then correlate by 0.9999 with those of 32
bits; with every tensor in 8 bits by 0.992, since the small early ones bear it badly."""
_COLOURS = 3


def narrow_weights(file: Path, target: Path) -> None:
    """Write a network with its large matrices and kernels as int8, other weights as float16.

    Each output channel has a step of its own; it comes first in a kernel, and last in a matrix that tokens
    are multiplied by. Kernels on the picture itself, and what is only added, bear 8 bits badly.

    Args:
        file: ONNX with float32 weights.
        target: Where to.
    """
    model = onnx.load(file)
    used = {
        op: {node.input[1] for node in model.graph.node if node.op_type == op} for op in ("MatMul", "Conv")
    }
    kept: list[TensorProto] = []
    nodes: list[NodeProto] = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 2:  # biases are small and decide much
            kept.append(tensor)
            continue
        name, narrow = tensor.name, values.astype(np.float16)
        wide = name
        on_features = name in used["MatMul"] or (name in used["Conv"] and values.shape[1] > _COLOURS)
        if on_features and values.size >= _EIGHT_BITS_FROM:
            others = tuple(range(values.ndim - 1) if name in used["MatMul"] else range(1, values.ndim))
            step = np.abs(values).max(axis=others, keepdims=True) / np.float32(127)
            step = np.maximum(step, np.float32(1e-12))
            narrow, wide = np.round(values / step).astype(np.int8), f"{name}.wide"
            kept.append(numpy_helper.from_array(step, f"{name}.step"))
        kept.append(numpy_helper.from_array(narrow, f"{name}.narrow"))
        nodes.append(helper.make_node("Cast", [f"{name}.narrow"], [wide], to=TensorProto.FLOAT))
        if wide != name:
            nodes.append(helper.make_node("Mul", [wide, f"{name}.step"], [name]))
    nodes += model.graph.node
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, target)

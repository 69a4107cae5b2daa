"""A model of one weight, for tests: the brighter a face, the more fake.

The logit is the mean of all pixels, less 127, over 16; so mid-grey gives 0 and white gives 8.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SIZE_PX = 32


def tiny_graph(size_px=SIZE_PX, *, output="logit", scale=1 / 16, squeeze=True):
    """The graph as an ONNX model."""
    nodes = [
        helper.make_node("Cast", ["crops"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["mean"], axes=[1, 2, 3], keepdims=int(not squeeze)),
        helper.make_node("Sub", ["mean", "grey"], ["centred"]),
        helper.make_node("Mul", ["centred", "scale"], [output]),
    ]
    shape = ["n"] if squeeze else ["n", 1, 1, 1]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["n", 3, size_px, size_px])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        [
            numpy_helper.from_array(np.float32(127), "grey"),
            numpy_helper.from_array(np.float32(scale), "scale"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def card_values(**changes):
    """What its card says, as plain JSON types."""
    values = {
        "name": "tiny",
        "version": "1",
        "file": "tiny.onnx",
        "sha256": "0" * 64,
        "size_px": SIZE_PX,
        "margin_fraction": 0.2,
        "detector": "mtcnn",
        "mean": [127.0, 127.0, 127.0],
        "std": [16.0, 16.0, 16.0],
        "person_rule": "mean",
        "calibration": {"temperature": 1.0, "bias": 0.0},
        "thresholds": {"fake_at_least": 0.7, "real_at_most": 0.3},
        "licence": "Apache-2.0",
        "training_data": ["none"],
        "terms": "tests only",
        "recipe": "tests/tiny_model.py",
        "commit": "none",
        "scores": {"nothing": {"value": 0.5, "low": 0.4, "high": 0.6, "clips": 0}},
        "limits": ["It only knows bright from dark."],
    }
    return values | changes


def write_tiny_model(folder: Path, model=None, **changes) -> Path:
    """Write weights and card; gives the card's path. ``changes`` are fields of the card."""
    data = (model or tiny_graph()).SerializeToString()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.onnx").write_bytes(data)
    changes = {"sha256": hashlib.sha256(data).hexdigest()} | changes
    card = folder / "tiny.json"
    card.write_text(json.dumps(card_values(**changes)))
    return card


def write_clip_model(folder: Path) -> Path:
    """A clip model whose logit for a frame is its brightness against the whole clip's."""
    nodes = [
        helper.make_node("Cast", ["crops"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["frame"], axes=[2, 3, 4], keepdims=0),
        helper.make_node("ReduceMean", ["floats"], ["clip"], axes=[1, 2, 3, 4], keepdims=0),
        helper.make_node("Unsqueeze", ["clip", "one"], ["beside"]),
        helper.make_node("Sub", ["frame", "beside"], ["logit"]),
    ]
    crops_shape = ["n", "t", 3, SIZE_PX, SIZE_PX]
    graph = helper.make_graph(
        nodes,
        "clip",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, crops_shape)],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["n", "t"])],
        [numpy_helper.from_array(np.array([1], np.int64), "one")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return write_tiny_model(folder, model, kind="clip")

"""check_onnx: what a network may not ask for is named, and our own networks pass."""

from __future__ import annotations

import struct
import time
from importlib import resources

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from tiny_model import tiny_graph, write_clip_model, write_tiny_model
from unmask.errors import ModelError
from unmask.judge.onnx_file import MAX_ELEMENTS, check_onnx
from unmask.judge.score import load_model
from unmask.lab.models.export import export_judge

PACKAGES = ("unmask.judge", "unmask.faces.detectors")


def shipped():
    folders = [resources.files(package) / "weights" for package in PACKAGES]
    return [file for folder in folders for file in folder.iterdir() if file.name.endswith(".onnx")]


@pytest.mark.parametrize("file", shipped(), ids=lambda file: file.name)
def test_what_is_shipped_passes(file):
    check_onnx(file.read_bytes())


def test_what_the_exporter_writes_passes_in_float_and_in_8_bits(tmp_path):
    from unmask.lab.models.quantise import quantise_onnx

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.look, self.say = nn.Conv2d(3, 8, 3), nn.Linear(8, 1)

        def forward(self, crops):
            return self.say(torch.relu(self.look(crops.float() / 255)).mean((2, 3))).squeeze(1)

    crops = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), np.uint8)
    export_judge(Small(), tmp_path / "a.onnx", crops=crops)
    quantise_onnx(tmp_path / "a.onnx", tmp_path / "b.onnx", [crops])
    for name in ("a.onnx", "b.onnx"):
        check_onnx((tmp_path / name).read_bytes())
    check_onnx((write_clip_model(tmp_path / "clip").parent / "tiny.onnx").read_bytes())


@pytest.mark.parametrize("kind", [kind for kind in range(1, 24) if kind != 8])
def test_numbers_of_every_kind_may_be_stored_in_every_way(kind):
    model = tiny_graph()
    elements = 3
    model.graph.initializer.append(helper.make_tensor("typed", kind, [elements], [1, 0, 1]))
    raw = model.graph.initializer.add(name="raw", data_type=kind, dims=[elements])
    raw.raw_data = bytes(-(-elements * _bits(kind) // 8))
    check_onnx(model.SerializeToString())


def _bits(kind):
    small = (TensorProto.UINT4, TensorProto.INT4, TensorProto.FLOAT4E2M1)
    return 4 if kind in small else helper.tensor_dtype_to_np_dtype(kind).itemsize * 8


def with_node(*nodes, tensors=(), **changes):
    model = tiny_graph()
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(tensors)
    for name, value in changes.items():
        getattr(model, name).extend(value)
    return model


def of_shape(numbers, kind=np.int64):
    return numpy_helper.from_array(np.array(numbers, kind), "shape")


def inside():
    """A graph for an operator that has one."""
    return helper.make_graph([helper.make_node("Identity", ["grey"], ["y"])], "inside", [], [])


def outside(model, name="grey", **how):
    (tensor,) = (t for t in model.graph.initializer if t.name == name)
    if how.get("marked", True):
        onnx.external_data_helper.set_external_data(tensor, location="secret")
        tensor.ClearField("raw_data")
    else:
        tensor.data_location = TensorProto.EXTERNAL
    return model


def of_large(shape, **stored):
    tensor = TensorProto(name="large", data_type=TensorProto.FLOAT, dims=shape, **stored)
    return with_node(tensors=[tensor])


def sparse():
    model = tiny_graph()
    values, places = helper.make_tensor("v", 1, [1], [1.0]), helper.make_tensor("p", 7, [1], [0])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [10**12]))
    return model


def with_input(shape):
    model = tiny_graph()
    model.graph.input.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, shape))
    return model


def with_sequence():
    model = tiny_graph()
    tensors = helper.make_tensor_type_proto(TensorProto.FLOAT, [1])
    model.graph.input.append(helper.make_value_info("second", helper.make_sequence_type_proto(tensors)))
    return model


HUGE = 1 << 40
CONSTANT = helper.make_node("Constant", [], ["shape"], value=helper.make_tensor("", 7, [2], [HUGE, 3]))
FUNCTION = helper.make_function(
    "own", "f", ["a"], ["b"], [helper.make_node("Identity", ["a"], ["b"])], [helper.make_opsetid("", 13)]
)
NODE = helper.make_node
REFUSED = {
    "weights in another file": (outside(tiny_graph()), "refers to another file"),
    "weights that are marked as elsewhere": (outside(tiny_graph(), marked=False), "refers to another file"),
    "an operator of another domain": (
        with_node(NODE("EPContext", ["grey"], ["z"], domain="com.microsoft")),
        "operators must be those of ONNX, got domain 'com.microsoft'",
    ),
    "an operator of one's own": (with_node(NODE("Run", [], ["z"], domain="evil")), "domain 'evil'"),
    "If": (
        with_node(NODE("If", ["c"], ["z"], then_branch=inside(), else_branch=inside())),
        "control flow, got operator If",
    ),
    "Loop": (with_node(NODE("Loop", ["m", "c"], ["z"], body=inside())), "control flow, got operator Loop"),
    "Scan": (
        with_node(NODE("Scan", ["m"], ["z"], body=inside(), num_scan_inputs=1)),
        "control flow, got operator Scan",
    ),
    "SequenceMap": (with_node(NODE("SequenceMap", ["m"], ["z"], body=inside())), "got operator SequenceMap"),
    "a graph inside": (with_node(NODE("Other", ["m"], ["z"], body=inside())), "a graph inside an operator"),
    "functions": (with_node(functions=[FUNCTION]), "functions of its own"),
    "a training": (with_node(training_info=[onnx.TrainingInfoProto()]), "steps of a training"),
    "sparse weights": (sparse(), "sparse weights"),
    "more weights than are stored": (of_large([1000, 1000], raw_data=b"1234"), "'large' must hold 1000000"),
    "weights that are not stored": (of_large([1000]), "'large' must hold 1000 numbers of 32 bits"),
    "enormous weights": (of_large([HUGE], raw_data=b"1234"), rf"at most, got shape \[{HUGE}\]"),
    "weights of a product that overflows": (of_large([1 << 32, 1 << 32]), "numbers at most"),
    "weights of negative size": (of_large([-1]), r"got shape \[-1\]"),
    "an enormous input": (with_input([HUGE]), rf"'second' must have {MAX_ELEMENTS} numbers at most"),
    "an input that is no tensor": (with_sequence(), "'second' must be a tensor"),
    "texts": (with_node(tensors=[helper.make_tensor("t", 8, [1], [b"a"])]), "'t' must hold numbers"),
    "an enormous constant": (
        with_node(NODE("ConstantOfShape", ["shape"], ["z"]), tensors=[of_shape([HUGE])]),
        "ConstantOfShape must make",
    ),
    "an enormous shape from a node": (
        with_node(CONSTANT, NODE("Expand", ["grey", "shape"], ["z"])), "Expand must make"
    ),
    "many tiles": (
        with_node(NODE("Tile", ["grey", "shape"], ["z"]), tensors=[of_shape([1 << 20, 1 << 20])]), "Tile must"
    ),
    "a wide rim": (
        with_node(NODE("Pad", ["grey", "shape"], ["z"]), tensors=[of_shape([0, HUGE])]), "Pad must make"
    ),
    "an enormous picture": (
        with_node(NODE("Resize", ["a", "", "", "shape"], ["z"]), tensors=[of_shape([1, 1 << 20, 1 << 20])]),
        "Resize must make",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("model", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_network_may_not_ask_for_is_named_before_it_is_loaded(tmp_path, monkeypatch, model, message):
    from unmask.judge import score

    card = write_tiny_model(tmp_path, model)
    monkeypatch.setattr(score.ort, "InferenceSession", lambda *_, **__: pytest.fail("was loaded"))
    with pytest.raises(ModelError, match=message) as caught:
        load_model(card)
    assert "tiny.onnx: " in str(caught.value)


def _varint(number):
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*data, number])


RUBBISH = {
    "nothing": b"",
    "text": b"not a network",
    "a number without end": b"\x08" + b"\xff" * 20,
    "a field that is longer than the file": b"\x3a\xff\xff\xff\xff\x0f\x00",
    "half a number": b"\x3d\x00",
    "a group": b"\x3b\x3c",
    "field 0": b"\x02\x00",
    "onnxruntime's own format": struct.pack("<I", 8) + b"ORTM" + bytes(100),
    "a graph without nodes": b"\x3a\x00",
    "too many nodes": b"\x3a" + _varint(2 * 100_001) + b"\x0a\x00" * 100_001,
}


@pytest.mark.parametrize("data", RUBBISH.values(), ids=RUBBISH)
def test_what_is_no_network_is_refused(data):
    started = time.monotonic()
    with pytest.raises(ModelError):
        check_onnx(data)
    assert time.monotonic() - started < 5


def test_a_reference_to_another_file_is_seen_however_its_lengths_are_padded():
    model = outside(tiny_graph()).SerializeToString()
    at = model.index(b"\x0a\x08location")
    padded = model[: at + 1] + b"\x88\x80\x00" + model[at + 2 :]
    for data in (model, padded):  # padded, the lengths around it are wrong as well
        with pytest.raises(ModelError):
            check_onnx(data)


@pytest.mark.parametrize("seed", range(3))
def test_changed_bytes_are_refused_by_their_hash_and_without_it_give_an_error_or_a_network(seed):
    data = tiny_graph().SerializeToString()
    rng = np.random.default_rng(seed)
    for _ in range(300):
        changed = bytearray(data)
        for at in rng.integers(0, len(data), 3):
            changed[at] ^= int(rng.integers(1, 256))
        try:
            check_onnx(bytes(changed))
        except ModelError as error:
            assert len(str(error)) < 300

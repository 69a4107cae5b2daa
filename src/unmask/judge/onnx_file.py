"""What an ONNX file asks of a runtime, found out before the runtime sees it.

onnxruntime follows a file wherever it leads: to other files, to loops, to tensors of any size. A network
that judges faces needs none of that, so it is refused by name. The numbers of fields are those of
``onnx.proto3``. What shapes come to while a network runs is not known here; the limit on a worker's memory
holds there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from unmask.errors import ModelError
from unmask.judge.protobuf import Value, count_numbers, read_fields, read_numbers

MAX_NODES = 100_000
MAX_ELEMENTS = 1 << 28
"""Numbers in one tensor, 1 GiB in float32; the largest of the published networks known here have a tenth."""
DOMAINS = ("", "ai.onnx")
_FLOW = ("If", "Loop", "Scan", "SequenceMap")
_ORT_FORMAT = b"ORTM"  # at byte 4: onnxruntime's own format, which it would recognise by itself

# Of a model, and of a graph: what a network that judges faces does not need.
_NOT_IN_MODEL = {20: "steps of a training", 25: "functions of its own"}
_MODEL_GRAPH, _GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_SPARSE = 7, 1, 5, 15
_GRAPH_SHAPES = (11, 12, 13)  # inputs, outputs, what lies between
_NODE_INPUT, _NODE_OUTPUT, _NODE_KIND, _NODE_ATTRIBUTE, _NODE_DOMAIN = 1, 2, 4, 5, 7
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_TENSOR_NAME, _TENSOR_RAW = 8, 9
_ELSEWHERE = "weights must be inside the file, but it refers to another file"
_NOT_IN_TENSOR = {3: "weights must be whole, got a segment", 13: _ELSEWHERE, 14: _ELSEWHERE}

_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128}
_BITS |= {16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4}
"""Size of a number by ``data_type``; texts have none."""
_INT64, _COMPLEX = 7, (14, 15)
_NUMBER_BYTES = {4: 4, 5: None, 7: None, 10: 8, 11: None}
"""Fields of a tensor that hold numbers by their kind, and what each takes."""

_MAKING_SHAPES = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1, "Resize": 3}
"""Operators whose input of this number is the shape, or how many times, of what they make."""
_MAKING_LENGTHS = {"Pad": 1, "Range": 1}
"""The same, where it is a length for each axis, or the length."""
_MOST_SHAPE = 16


@dataclass(slots=True)
class _Node:
    kind: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Graph:
    """What is kept of a graph: its nodes, and short lists of whole numbers that may be shapes, by name."""

    nodes: list[_Node] = field(default_factory=list)
    shapes: dict[str, list[int]] = field(default_factory=dict)


def check_onnx(data: bytes) -> None:
    """Refuse a network that asks for more than its own numbers and plain operators.

    Args:
        data: An ONNX file.

    Raises:
        ModelError: It is none, or has data in other files, operators of other domains, control flow,
            functions, or a tensor that is larger than `MAX_ELEMENTS` or than what is stored of it; the
            message names it.
    """
    if data[4:8] == _ORT_FORMAT:
        raise ModelError("weights must be an ONNX file, got onnxruntime's own format")
    graph = _Graph()
    found = False
    for number, value in read_fields(memoryview(data)):
        if number in _NOT_IN_MODEL:
            raise ModelError(f"a network must not bring {_NOT_IN_MODEL[number]}")
        if number == _MODEL_GRAPH and isinstance(value, memoryview):
            found = True
            _read_graph(value, graph)
    if not found or not graph.nodes:
        raise ModelError("weights must be an ONNX file with a graph, got none")
    for node in graph.nodes:
        _check_made(node, graph.shapes)


def _read_graph(message: memoryview, graph: _Graph) -> None:
    for number, value in _inside(message):
        if number == _GRAPH_NODE:
            graph.nodes.append(_read_node(value, graph.shapes))
            if len(graph.nodes) > MAX_NODES:
                raise ModelError(f"a network must have at most {MAX_NODES} nodes")
        elif number == _GRAPH_TENSOR:
            name, numbers = _read_tensor(value)
            graph.shapes[name] = numbers
        elif number == _GRAPH_SPARSE:
            raise ModelError("a network must not have sparse weights")
        elif number in _GRAPH_SHAPES:
            _check_shape(value)


def _read_node(message: memoryview, shapes: dict[str, list[int]]) -> _Node:
    node, made = _Node(), None
    for number, value in _inside(message):
        if number == _NODE_INPUT:
            node.inputs.append(_text(value))
        elif number == _NODE_OUTPUT:
            node.outputs.append(_text(value))
        elif number == _NODE_KIND:
            node.kind = _text(value)
            if node.kind in _FLOW:
                raise ModelError(f"a network must not have control flow, got operator {node.kind}")
        elif number == _NODE_DOMAIN and _text(value) not in DOMAINS:
            raise ModelError(f"operators must be those of ONNX, got domain {_text(value)!r:.80}")
        elif number == _NODE_ATTRIBUTE:
            made = _read_attribute(value) or made
    if node.kind == "Constant" and made:
        shapes.update(dict.fromkeys(node.outputs, made))
    return node


def _read_attribute(message: memoryview) -> list[int]:
    """Whole numbers of a tensor in it, where there is one with few of them."""
    kept: list[int] = []
    for number, value in _inside(message):
        if number in _ATTRIBUTE_GRAPHS:
            raise ModelError("a network must not have control flow, got a graph inside an operator")
        if number in _ATTRIBUTE_SPARSE:
            raise ModelError("a network must not have sparse weights")
        if number in _ATTRIBUTE_TENSORS:
            kept = _read_tensor(value)[1]
    return kept


def _read_tensor(message: memoryview) -> tuple[str, list[int]]:
    """Name of a tensor, and its numbers where they are whole and few; it must hold what its shape says."""
    name, kind, shape, stored, raw = "", 0, [], 0, None
    numbers: list[int] = []
    for number, value in read_fields(message):
        if number == 1:
            shape += read_numbers(value)
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number in _NOT_IN_TENSOR and value != 0:
            raise ModelError(_NOT_IN_TENSOR[number])
        elif number == _TENSOR_NAME and isinstance(value, memoryview):
            name = _text(value)
        elif number == _TENSOR_RAW and isinstance(value, memoryview):
            raw = value
        elif number in _NUMBER_BYTES:
            stored += count_numbers(value, size_bytes=_NUMBER_BYTES[number])
            if number == _INT64 and stored <= _MOST_SHAPE:
                numbers += read_numbers(value)
    elements = _elements(shape, name)
    bits = _BITS.get(kind)
    if bits is None:
        raise ModelError(f"tensor {name!r:.80} must hold numbers, got data type {kind}")
    whole = stored == _places(elements, kind) if raw is None else len(raw) == -(-elements * bits // 8)
    if not whole:
        raise ModelError(f"tensor {name!r:.80} must hold {elements} numbers of {bits} bits, got other data")
    if raw is not None and kind == _INT64 and elements <= _MOST_SHAPE:
        numbers = [int.from_bytes(raw[at : at + 8], "little", signed=True) for at in range(0, len(raw), 8)]
    return name, numbers


def _places(elements: int, kind: int) -> int:
    """How many numbers of a field so many of a kind take: two each, half of one, or one."""
    return 2 * elements if kind in _COMPLEX else -(-elements // 2) if _BITS[kind] < 8 else elements


def _check_shape(message: memoryview) -> None:
    """Of an input, an output or what lies between; the free lengths count as 1."""
    name, shape = "", []
    for number, value in _inside(message):
        if number == 1:
            name = _text(value)
            continue
        for kind, tensor in _inside(value) if number == 2 else ():
            if kind not in (1, 6):  # a tensor, and what its type denotes
                raise ModelError(f"{name!r:.80} must be a tensor")
            for part, dims in _inside(tensor) if kind == 1 else ():
                for _, dim in _inside(dims) if part == 2 else ():
                    shape += [n for at, v in read_fields(dim) if at == 1 for n in read_numbers(v)]
    _elements([length for length in shape if length != 0], name)


def _check_made(node: _Node, shapes: dict[str, list[int]]) -> None:
    """Refuse what makes an enormous tensor out of a few numbers in the file."""
    for table, size in ((_MAKING_SHAPES, math.prod), (_MAKING_LENGTHS, max)):
        place = table.get(node.kind)
        given = shapes.get(node.inputs[place]) if place is not None and place < len(node.inputs) else None
        lengths = [abs(length) for length in given or () if length]
        if lengths and size(lengths) > MAX_ELEMENTS:
            raise ModelError(f"operator {node.kind} must make {MAX_ELEMENTS} numbers at most, got {given}")


def _elements(shape: Sequence[int], name: str) -> int:
    elements = math.prod(shape)
    if any(length < 0 for length in shape) or elements > MAX_ELEMENTS:
        rule = f"tensor {name!r:.80} must have {MAX_ELEMENTS} numbers at most"
        raise ModelError(f"{rule}, got shape {str(list(shape))[:80]}")
    return elements


def _inside(message: memoryview) -> list[tuple[int, memoryview]]:
    """Fields of a message that are texts or messages."""
    return [(number, value) for number, value in read_fields(message) if isinstance(value, memoryview)]


def _text(value: Value) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, memoryview) else ""

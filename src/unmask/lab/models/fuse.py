"""Finished ONNX networks that see a face in different framings, fused into one file.

`unmask.lab.models.ensemble` joins networks of one framing before they are exported. Those that learned from
different data want different framings: each gets its own part of one wider crop. A fake is seldom known to
all of them, so the mean is taken of the odds, not of the logits: one network that is sure outweighs others
that see nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, compose, helper, numpy_helper, version_converter

from unmask.config import CropSettings
from unmask.errors import ModelError
from unmask.lab.models.export import OPSET

SHARPNESS = 2.0
"""Log-odds that a standard deviation of real faces is worth in a family that a network knows; 1.2 to 2.2 were
measured for the networks that ship (docs/lab/training_notes.md)."""
EDGE_FRACTION, EDGE_LEVELS, EDGES = 0.06, 0.75, 3
"""A crop whose line at the edge and line at this share of its side differ by fewer grey levels, on so many of
four sides, reaches beyond its picture there: what lies outside repeats the picture's edge."""
_SILENT = -1e4  # log of no weight; the exponential of it is 0


@dataclass(frozen=True, slots=True)
class Member:
    """One network.

    Attributes:
        file: ONNX, input ``crops`` uint8 (N, 3, S, S), output ``logit`` (N,).
        view: How its crops are cut.
        centre: Its mean logit on real faces, which becomes 0.
        spread: Standard deviation of the same, above 0, which becomes 1.
        needs_surroundings: Whether it has no say where the fused crop reaches beyond the picture, as it does
            for pictures that show little but the face; such a network takes what is made up for a trace.
    """

    file: Path
    view: CropSettings
    centre: float
    spread: float
    needs_surroundings: bool = False


def widest_view(members: Sequence[Member]) -> CropSettings:
    """A crop as wide as the widest of them needs, and so large that none is enlarged.

    Example:
        >>> tight, wide = CropSettings(224, 0.0), CropSettings(256, 0.35)
        >>> widest_view([Member(Path(), tight, 0, 1), Member(Path(), wide, 0, 1)])
        CropSettings(size_px=302, margin_fraction=0.35, crop='box', template=(), common_px=0)
    """
    margin = max(member.view.margin_fraction for member in members)
    size = max(member.view.size_px * (1 + margin) / (1 + member.view.margin_fraction) for member in members)
    return CropSettings(size_px=2 * round(size / 2), margin_fraction=margin)


def fuse_models(members: Sequence[Member], target: Path) -> CropSettings:
    """Write one network that cuts each member's part out of a wider crop, and takes the mean of their odds.

    Args:
        members: Two or more.
        target: Where to.

    Returns:
        How crops are cut for it.

    Raises:
        ModelError: There are fewer than two, a spread is not above 0, all need surroundings, or one has
            faces brought to a size first, which a crop for all cannot be.
    """
    if len(members) < 2 or min(member.spread for member in members) <= 0:
        raise ModelError(f"fusing needs two members or more, each with a spread above 0, got {members}")
    if all(member.needs_surroundings for member in members):
        raise ModelError(f"fusing needs a member that has a say without surroundings, got {members}")
    if any(member.view.common_px for member in members):
        raise ModelError(f"fusing needs members that see faces at their own size, got {members}")
    view = widest_view(members)
    parts = [compose.add_prefix(_load(member.file), f"m{number}/") for number, member in enumerate(members)]
    nodes, constants = _see_surroundings(view)
    for number, (member, part) in enumerate(zip(members, parts, strict=True)):
        own, known = _cut(member.view, view, prefix=f"m{number}/")
        nodes += [*own, *part.graph.node]
        constants += [*known, *part.graph.initializer]
        constants += _floats(f"m{number}/", centre=member.centre, spread=member.spread)
        nodes.append(helper.make_node("Sub", [f"m{number}/logit", f"m{number}/centre"], [f"m{number}/off"]))
        nodes.append(helper.make_node("Div", [f"m{number}/off", f"m{number}/spread"], [f"m{number}/even"]))
    logits = [f"m{number}/even" for number in range(len(members))]
    silent = np.array([[_SILENT if member.needs_surroundings else 0.0] for member in members], np.float32)
    constants += [
        numpy_helper.from_array(silent, "silent"),
        numpy_helper.from_array(np.array([len(members), -1]), "apart"),
        numpy_helper.from_array(np.array([0]), "over"),
        *_floats("", sharpness=SHARPNESS),
    ]
    nodes += [
        helper.make_node("Concat", logits, ["all"], axis=0),
        helper.make_node("Mul", ["all", "sharpness"], ["sharp"]),
        helper.make_node("Reshape", ["sharp", "apart"], ["each"]),
        helper.make_node("Mul", ["silent", "beyond"], ["weights"]),
        helper.make_node("Add", ["each", "weights"], ["heard"]),
        helper.make_node("ReduceLogSumExp", ["heard", "over"], ["sum"], keepdims=0),
        helper.make_node("ReduceLogSumExp", ["weights", "over"], ["count"], keepdims=0),
        helper.make_node("Sub", ["sum", "count"], ["mean"]),
        helper.make_node("Div", ["mean", "sharpness"], ["logit"]),
    ]
    graph = helper.make_graph(
        nodes,
        "fused",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["n", 3, view.size_px, view.size_px])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["n"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, target)
    return view


def _see_surroundings(view: CropSettings) -> tuple[list[NodeProto], list[TensorProto]]:
    """Whether each crop reaches beyond its picture: ``beyond``, 1 or 0, shape (N,)."""
    last, depth = view.size_px - 1, max(1, round(EDGE_FRACTION * view.size_px))
    constants = [numpy_helper.from_array(np.array([1, 2]), "line"), *_floats("", levels=EDGE_LEVELS)]
    nodes: list[NodeProto] = []
    for axis in (2, 3):
        for outer, inner in ((0, depth), (last, last - depth)):
            name = f"edge{axis}/{outer}"
            for number, place in enumerate((outer, inner)):
                constants.append(numpy_helper.from_array(np.array(place), f"{name}/at{number}"))
                picked, line = f"{name}/line{number}", f"{name}/{number}"
                nodes.append(helper.make_node("Gather", ["crops", f"{name}/at{number}"], [picked], axis=axis))
                nodes.append(helper.make_node("Cast", [picked], [line], to=TensorProto.FLOAT))
            nodes += [
                helper.make_node("Sub", [f"{name}/0", f"{name}/1"], [f"{name}/off"]),
                helper.make_node("Abs", [f"{name}/off"], [f"{name}/apart"]),
                helper.make_node("ReduceMean", [f"{name}/apart", "line"], [f"{name}/mean"], keepdims=0),
                helper.make_node("Less", [f"{name}/mean", "levels"], [f"{name}/same"]),
                helper.make_node("Cast", [f"{name}/same"], [name], to=TensorProto.FLOAT),
            ]
    edges = [f"edge{axis}/{outer}" for axis in (2, 3) for outer in (0, last)]
    constants += _floats("", edges=EDGES - 0.5)
    nodes += [
        helper.make_node("Sum", edges, ["sides"]),
        helper.make_node("Greater", ["sides", "edges"], ["outside"]),
        helper.make_node("Cast", ["outside"], ["beyond"], to=TensorProto.FLOAT),
    ]
    return nodes, constants


def _load(file: Path) -> onnx.ModelProto:
    model = onnx.load(file)
    same = all(one.version == OPSET for one in model.opset_import if not one.domain)
    return model if same else version_converter.convert_version(model, OPSET)


def _cut(own: CropSettings, whole: CropSettings, *, prefix: str) -> tuple[list[NodeProto], list[TensorProto]]:
    """The middle of the wider crop, scaled to what the member takes."""
    share = (1 + own.margin_fraction) / (1 + whole.margin_fraction)
    side = 2 * round(share * whole.size_px / 2)
    start = (whole.size_px - side) // 2
    sliced = f"{prefix}part" if side != own.size_px else f"{prefix}crops"
    constants = [
        numpy_helper.from_array(np.array([start, start]), f"{prefix}from"),
        numpy_helper.from_array(np.array([start + side, start + side]), f"{prefix}to"),
        numpy_helper.from_array(np.array([2, 3]), f"{prefix}axes"),
    ]
    nodes = [helper.make_node("Slice", ["crops", f"{prefix}from", f"{prefix}to", f"{prefix}axes"], [sliced])]
    if side != own.size_px:
        constants.append(numpy_helper.from_array(np.array([own.size_px] * 2, np.int64), f"{prefix}size"))
        nodes += [
            helper.make_node("Cast", [sliced], [f"{prefix}float"], to=TensorProto.FLOAT),
            helper.make_node(
                "Resize",
                [f"{prefix}float", "", "", f"{prefix}size"],
                [f"{prefix}scaled"],
                mode="linear",
                antialias=1,
                axes=[2, 3],
            ),
            helper.make_node("Round", [f"{prefix}scaled"], [f"{prefix}whole"]),
            helper.make_node("Cast", [f"{prefix}whole"], [f"{prefix}crops"], to=TensorProto.UINT8),
        ]
    return nodes, constants


def _floats(prefix: str, **values: float) -> list[TensorProto]:
    return [
        numpy_helper.from_array(np.array(value, np.float32), f"{prefix}{name}")
        for name, value in values.items()
    ]

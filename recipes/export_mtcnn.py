"""Makes the shipped MTCNN weights again from the published facenet-pytorch wheel.

    pip download --no-deps facenet-pytorch==2.6.0
    python recipes/export_mtcnn.py facenet_pytorch-2.6.0-py3-none-any.whl src/unmask/detectors/weights

Hardware: any CPU. Time: a few seconds. Needs the extra ``train`` (torch, onnx).
Expected: three ONNX files and ``card.json``; the script checks every file against the plain torch
network and fails when an output differs by more than 1e-4.

The networks are those of Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks" (2016), with the layer sizes of the published weights. Three rewrites keep the
outputs and save time:

- the pixel normalisation ``(x - 127.5) / 128`` is folded into the first convolution, so the input is
  plain RGB 0 to 255;
- the dense layer reads the feature map in memory order, its columns are permuted to fit;
- the softmax over (no face, face) becomes one logit: their difference.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

SOURCE = {
    "package": "facenet-pytorch 2.6.0 (PyPI)",
    "url": "https://github.com/timesler/facenet-pytorch",
    "licence": "MIT, Copyright (c) 2019 Timothy Esler",
    "origin": "converted there from github.com/davidsandberg/facenet (MIT), after Zhang et al. 2016",
    "paper": "https://arxiv.org/abs/1604.02878",
    "training_data": "WIDER FACE and CelebA, by the paper",
}
WHEEL_SHA256 = "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca"


def _conv(cin: int, cout: int, side: int) -> list[nn.Module]:
    return [nn.Conv2d(cin, cout, side), nn.PReLU(cout)]


def _pool(side: int) -> nn.Module:
    return nn.MaxPool2d(side, 2, ceil_mode=True)


class Cascade(nn.Module):
    """One of the three networks: a trunk and parallel heads that share its last features.

    Args:
        trunk: Layers up to the shared features.
        heads: Layers that read them; the first gives (no face, face).
        columns: For the dense networks, ``(channels, side)`` of the map that the first dense layer reads.
    """

    def __init__(
        self, trunk: list[nn.Module], heads: list[nn.Module], columns: tuple[int, int] | None
    ) -> None:
        super().__init__()
        self.trunk, self.heads, self.columns = nn.Sequential(*trunk), nn.ModuleList(heads), columns

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Head outputs for RGB 0 to 255, shape (N, 3, H, W); the first is the logit of "face"."""
        features = self.trunk(x)
        outputs = [head(features) for head in self.heads]
        return (outputs[0][:, 1:] - outputs[0][:, :1], *outputs[1:])


def _pnet() -> Cascade:
    trunk = [*_conv(3, 10, 3), _pool(2), *_conv(10, 16, 3), *_conv(16, 32, 3)]
    return Cascade(trunk, [nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)], None)


def _rnet() -> Cascade:
    convs = [*_conv(3, 28, 3), _pool(3), *_conv(28, 48, 3), _pool(3), *_conv(48, 64, 2)]
    trunk = [*convs, nn.Flatten(), nn.Linear(576, 128), nn.PReLU(128)]
    return Cascade(trunk, [nn.Linear(128, 2), nn.Linear(128, 4)], (64, 3))


def _onet() -> Cascade:
    first = [*_conv(3, 32, 3), _pool(3), *_conv(32, 64, 3), _pool(3)]
    convs = [*first, *_conv(64, 64, 3), _pool(2), *_conv(64, 128, 2)]
    trunk = [*convs, nn.Flatten(), nn.Linear(1152, 256), nn.PReLU(256)]
    return Cascade(trunk, [nn.Linear(256, 2), nn.Linear(256, 4), nn.Linear(256, 10)], (128, 3))


NETWORKS = {"pnet": (_pnet, None), "rnet": (_rnet, 24), "onet": (_onet, 48)}
OUTPUTS = ("logit", "shift", "points")


def fill(network: Cascade, published: Mapping[str, Tensor]) -> None:
    """Put the published weights, which come in the same order of layers, into a network."""
    own = [tensor for tensor in network.state_dict().values()]
    if [t.shape for t in own] != [t.shape for t in published.values()]:
        raise ValueError("the published weights do not have the layers of this network")
    for tensor, value in zip(own, published.values(), strict=True):
        tensor.copy_(value)
    first = network.trunk[0]
    assert isinstance(first, nn.Conv2d) and first.bias is not None
    first.bias.data -= 127.5 / 128 * first.weight.data.sum(dim=(1, 2, 3))
    first.weight.data /= 128
    if network.columns is not None:
        channels, side = network.columns
        dense = next(layer for layer in network.trunk if isinstance(layer, nn.Linear))
        by_x_y_channel = dense.weight.data.reshape(-1, side, side, channels)
        dense.weight.data.copy_(by_x_y_channel.permute(0, 3, 2, 1).reshape(dense.weight.shape))


def export(network: Cascade, side: int | None, path: Path) -> None:
    """Write a network as ONNX with a free batch size, and free height and width where ``side`` is None."""
    names = list(OUTPUTS[: len(network.heads)])
    axes = {name: {0: "n"} for name in ["image", *names]}
    if side is None:
        axes["image"] |= {2: "height", 3: "width"}
        for name in names:
            axes[name] |= {2: "rows", 3: "columns"}
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, side or 24, side or 24),),
        str(path),
        input_names=["image"],
        output_names=names,
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    onnx.checker.check_model(onnx.load(path))


def check(network: Cascade, side: int | None, path: Path) -> None:
    """Compare the written file with the torch network on noise of several sizes."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for height, width in [(side, side)] if side else [(12, 12), (13, 17), (40, 31), (64, 95)]:
        image = np.random.default_rng(0).uniform(0, 255, (3, 3, height, width)).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(image))
        for ours, theirs in zip(session.run(None, {"image": image}), expected, strict=True):
            np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4, rtol=1e-4)


def main() -> None:
    """Export the three networks and write their card."""
    parser = argparse.ArgumentParser(description="Export MTCNN from the facenet-pytorch wheel to ONNX.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    found = hashlib.sha256(arguments.wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise SystemExit(f"{arguments.wheel}: SHA-256 must be {WHEEL_SHA256}, got {found}")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, (build, side) in NETWORKS.items():
        with zipfile.ZipFile(arguments.wheel) as wheel:
            published = io.BytesIO(wheel.read(f"facenet_pytorch/data/{name}.pt"))
        network = build().eval()
        with torch.no_grad():
            fill(network, torch.load(published, weights_only=True))
        path = arguments.folder / f"{name}.onnx"
        export(network, side, path)
        check(network, side, path)
        files[path.name] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    card = {"name": "mtcnn", "source": SOURCE, "wheel_sha256": WHEEL_SHA256}
    card |= {"input": "RGB, 0 to 255, float32, (N, 3, H, W)", "files": files}
    (arguments.folder / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

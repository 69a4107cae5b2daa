"""Makes the shipped MTCNN weights again from the published facenet-pytorch wheel.

    pip download --no-deps facenet-pytorch==2.6.0
    python recipes/export_mtcnn.py facenet_pytorch-2.6.0-py3-none-any.whl src/unmask/faces/detectors/weights

Hardware: any CPU. Time: a few seconds. Needs the extra ``train`` (torch, onnx).
Expected: three ONNX files, their licence and ``card.json``; every file is compared with the
published network in torch, and the script fails when an output differs by more than 0.001.

The networks are those of Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks" (2016), with the layer sizes of the published weights. `rewrite` keeps what they
compute and halves the time that onnxruntime takes:

- The normalisation ``(x - 127.5) / 128`` is folded into the first convolution; input is RGB 0 to 255.
- The softmax over (no face, face) becomes one logit, their difference, and all heads become one layer.
- The dense layer reads the feature map in memory order; its columns are permuted to fit.
- PReLU becomes the maximum of ``x`` and ``slope * x``, which is the same for slopes up to 1.
- The first PReLU moves behind its max pooling, where a quarter of the pixels is left: see `_Bends`.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from unmask.seals import add_seal

SOURCE = {
    "package": "facenet-pytorch 2.6.0 (PyPI)",
    "url": "https://github.com/timesler/facenet-pytorch",
    "licence": "MIT, Copyright (c) 2019 Timothy Esler",
    "origin": "converted there from github.com/davidsandberg/facenet (MIT)",
    "paper": "Zhang et al. 2016, https://arxiv.org/abs/1604.02878",
}
WHEEL_SHA256 = "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca"

# Convolutions as (input channels, output channels, side), pooling as its side, "dense" as (inputs, outputs).
LAYERS: dict[str, tuple[Sequence[tuple[int, int, int] | int | tuple[int, int]], int | None]] = {
    "pnet": ([(3, 10, 3), 2, (10, 16, 3), (16, 32, 3)], None),
    "rnet": ([(3, 28, 3), 3, (28, 48, 3), 3, (48, 64, 2), (576, 128)], 24),
    "onet": ([(3, 32, 3), 3, (32, 64, 3), 3, (64, 64, 3), 2, (64, 128, 2), (1152, 256)], 48),
}


class Published(nn.Module):
    """One of the three networks as published; layers in the order of the published weights."""

    def __init__(self, name: str) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for layer in LAYERS[name][0]:
            if isinstance(layer, int):
                layers.append(nn.MaxPool2d(layer, 2, ceil_mode=True))
            elif len(layer) == 3:
                layers += [nn.Conv2d(*layer), nn.PReLU(layer[1])]
            else:
                layers += [nn.Flatten(), nn.Linear(*layer), nn.PReLU(layer[1])]
        self.trunk = nn.Sequential(*layers)
        width = layers[-1].num_parameters
        counts = (2, 4, 10) if name == "onet" else (2, 4)
        heads = [nn.Conv2d(width, n, 1) if name == "pnet" else nn.Linear(width, n) for n in counts]
        self.heads = nn.ModuleList(heads)

    def forward(self, x: Tensor) -> Tensor:
        """Logit of "face", then the other heads, for RGB 0 to 255, shape (N, 3, H, W)."""
        x = (x - 127.5) / 128
        for layer in self.trunk:
            # The published dense weights count x before y before channels.
            x = layer(x.permute(0, 3, 2, 1) if isinstance(layer, nn.Flatten) else x)
        chance, *others = (head(x) for head in self.heads)
        return torch.cat([chance[:, 1:] - chance[:, :1], *others], dim=1)


class _Bend(nn.Module):
    """PReLU for slopes up to 1."""

    def __init__(self, slope: Tensor) -> None:
        super().__init__()
        self.slope = nn.Parameter(slope)

    def forward(self, x: Tensor) -> Tensor:
        shape = (-1, 1, 1) if x.ndim == 4 else (-1,)
        return torch.maximum(x, x * self.slope.reshape(shape))


class _Bends(nn.Module):
    """Max pooling, then PReLU, giving what PReLU, then max pooling gives.

    A channel of slope 0 or more is rising, so the order of the two does not matter. One of negative slope is
    the maximum of ``x`` and ``slope * x``, and the maximum of a window is the maximum over both; the
    convolution before delivers both. A slope above 1 makes a minimum of it: such a channel is negated
    here and its weights in the convolution behind. Channels: rising, falling, falling times slope.
    """

    def __init__(self, pool: nn.Module, rising_slope: Tensor, falling: int) -> None:
        super().__init__()
        sign = torch.where(rising_slope > 1, -1.0, 1.0)
        self.pool, self.first = pool, nn.Parameter(sign.reshape(-1, 1, 1))
        self.second = nn.Parameter((sign * rising_slope).reshape(-1, 1, 1))
        self.sizes = (len(rising_slope), falling, falling)

    def forward(self, x: Tensor) -> Tensor:
        up, low, high = self.pool(x).split(self.sizes, dim=1)
        return torch.cat([torch.maximum(up * self.first, up * self.second), torch.maximum(low, high)], dim=1)


def rewrite(network: Published, side: int | None) -> nn.Sequential:
    """The same function in fewer and faster operations; see the head of this file."""
    conv, prelu, pool, second = network.trunk[:4]
    slope = prelu.weight.data
    rising, falling = (slope >= 0).nonzero()[:, 0], (slope < 0).nonzero()[:, 0]
    weight, bias = conv.weight.data / 128, conv.bias.data - 127.5 / 128 * conv.weight.data.sum(dim=(1, 2, 3))
    steep = slope[falling]
    first = nn.Conv2d(3, len(slope) + len(falling), 3)
    first.weight.data = torch.cat(
        [weight[rising], weight[falling], weight[falling] * steep[:, None, None, None]]
    )
    first.bias.data = torch.cat([bias[rising], bias[falling], bias[falling] * steep])
    sign = torch.where(slope > 1, -1.0, 1.0)[:, None, None]
    second.weight.data = (second.weight.data * sign)[:, torch.cat([rising, falling])]
    layers: list[nn.Module] = [first, _Bends(pool, slope[rising], len(falling))]
    for layer in network.trunk[3:]:
        if isinstance(layer, nn.PReLU):
            assert layer.weight.max() <= 1
            layer = _Bend(layer.weight.data)
        elif isinstance(layer, nn.Linear):
            columns = layer.weight.data.reshape(len(layer.weight), 3, 3, -1)
            layer.weight.data = columns.permute(0, 3, 2, 1).flatten(1)
        layers.append(layer)
    chance, *others = network.heads
    head = (
        nn.Conv2d(32, 5, 1)
        if side is None
        else nn.Linear(chance.in_features, 1 + sum(len(h.bias) for h in others))
    )
    head.weight.data = torch.cat([chance.weight[1:] - chance.weight[:1], *(h.weight for h in others)])
    head.bias.data = torch.cat([chance.bias[1:] - chance.bias[:1], *(h.bias for h in others)])
    return nn.Sequential(*layers, head).eval()


def export(network: nn.Module, side: int | None, path: Path) -> None:
    """Write a network as ONNX with a free batch size, and free height and width where ``side`` is None."""
    free = {0: "n"} if side else {0: "n", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        # The older exporter writes the plainer graph, and the same bytes each time.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, side or 24, side or 24),),
            str(path),
            input_names=["image"],
            output_names=["answer"],
            dynamic_axes={"image": free, "answer": {0: "n"} if side else {0: "n", 2: "rows", 3: "columns"}},
            opset_version=17,
            dynamo=False,
        )
    onnx.checker.check_model(onnx.load(path))


def check(network: nn.Module, side: int | None, path: Path) -> float:
    """Largest difference of a written file from a network, on noise of several sizes."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for height, width in [(side, side)] if side else [(12, 12), (13, 17), (40, 31), (64, 95)]:
        image = np.random.default_rng(0).uniform(0, 255, (7, 3, height, width)).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(image)).numpy()
        (found,) = session.run(None, {"image": image})
        if found.shape != expected.shape:
            raise SystemExit(f"{path}: shape must be {expected.shape}, got {found.shape}")
        worst = max(worst, float(np.abs(found - expected).max()))
    if worst > 1e-3:
        raise SystemExit(f"{path}: differs from the published network by {worst:.2g}, at most 0.001 allowed")
    return worst


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
    with zipfile.ZipFile(arguments.wheel) as wheel:
        licence = wheel.read("facenet_pytorch-2.6.0.dist-info/LICENSE.md")
    (arguments.folder / "LICENSE-facenet-pytorch.md").write_bytes(licence)
    files = {}
    for name, (_, side) in LAYERS.items():
        with zipfile.ZipFile(arguments.wheel) as wheel:
            weights = torch.load(io.BytesIO(wheel.read(f"facenet_pytorch/data/{name}.pt")), weights_only=True)
        published, copy = Published(name).eval(), Published(name).eval()
        for network in (published, copy):
            network.load_state_dict(dict(zip(network.state_dict(), weights.values(), strict=True)))
        path = arguments.folder / f"{name}.onnx"
        with torch.no_grad():
            export(rewrite(copy, side), side, path)
        difference = check(published, side, path)
        files[path.name] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        print(f"{path}: differs from the published network by at most {difference:.2g}")
    card = {
        "name": "mtcnn",
        "source": SOURCE,
        "wheel_sha256": WHEEL_SHA256,
        "made_by": "recipes/export_mtcnn.py",
    }
    card |= {
        "input": "RGB, 0 to 255, float32, (N, 3, H, W)",
        "output": "logit of face; box shift; points of onet",
    }
    (arguments.folder / "card.json").write_text(
        add_seal(json.dumps(card | {"files": files}, indent=2)), encoding="utf-8"
    )


if __name__ == "__main__":
    main()

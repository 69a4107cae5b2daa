"""MesoNet weights in the layout of Keras, random, for tests."""

from __future__ import annotations

import h5py
import torch
from torch import nn

from unmask.lab.zoo.mesonet import MesoNet


def write_keras(path, network, *, nested=False, first=1, shuffled=True, drop=0):
    """Weights in the layout of Keras 2's ``save_weights``, from a network of ours."""
    layers = {"conv2d": network.convolutions(), "batch_normalization": network.norms, "dense": network.dense}
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if nested else file
        rows = [(f"{kind}_{n}", m) for kind, ms in layers.items() for n, m in enumerate(ms, start=first)]
        rows = rows[: len(rows) - drop]
        for name, module in reversed(rows) if shuffled else rows:
            arrays = {"kernel:0": module.weight, "bias:0": module.bias}
            if isinstance(module, nn.BatchNorm2d):
                arrays = dict(
                    zip(
                        ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"),
                        (module.weight, module.bias, module.running_mean, module.running_var),
                        strict=True,
                    )
                )
            group = root.create_group(name)
            for key, tensor in arrays.items():
                array = tensor.detach().numpy()
                array = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
                group.create_dataset(f"{name}/{key}", data=array)
            group.attrs["weight_names"] = [f"{name}/{key}".encode() for key in arrays]
        root.create_group("max_pooling2d_1").attrs["weight_names"] = []
    return path


def random_network(kind, seed=0):
    torch.manual_seed(seed)
    network = MesoNet(kind).eval()
    for norm in network.norms:
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    return network

"""What timm itself computes, on weights that a formula gives; makes ``timm_networks.json`` again.

timm cannot be a requirement of the tests, since it needs torchvision. In an environment that has both:

    python tests/references/timm_networks.py > tests/references/timm_networks.json

The file that is here was made with timm 1.0.31 and torch 2.13 (CPU).
"""

from __future__ import annotations

import json

import torch


def describe(net, size_px, **features):
    """Names and shapes of a small network, and what it says of two images."""
    from formula import images, weights  # lies beside this script; the tests never run it

    state = {n: v for n, v in net.state_dict().items() if not n.endswith("num_batches_tracked")}
    net.load_state_dict({n: weights(n, v.shape) for n, v in state.items()}, strict=False)
    with torch.inference_mode():
        found = features.get("of", net)(images(size_px))
    shapes = {name: list(value.shape) for name, value in state.items()}
    return {"shapes": shapes, "size_px": size_px, "features": [row[:16] for row in found.tolist()]}


def main():
    """Print the references."""
    import timm

    sizes = {"depth": 2, "embed_dim": 128, "num_heads": 2, "attn_pool_num_heads": 8}
    name = "vit_pe_core_large_patch14_336"
    pe = timm.create_model(name, pretrained=False, dynamic_img_size=True, **sizes)
    pe.head = torch.nn.Identity()
    full = timm.create_model(name, pretrained=False, dynamic_img_size=True)
    full.head = torch.nn.Identity()
    small = timm.create_model("tf_efficientnet_b0", pretrained=False, num_classes=0).eval()
    b7 = timm.create_model("tf_efficientnet_b7.ns_jft_in1k", pretrained=False)
    found = {
        "pe": describe(pe.eval(), 224),
        "efficientnet_b0": describe(small, 95, of=lambda x: small.forward_features(x).mean((2, 3))),
        "pe_full": {name: list(value.shape) for name, value in full.state_dict().items()},
        "efficientnet_b7": {
            name: list(value.shape)
            for name, value in b7.state_dict().items()
            if not name.endswith("num_batches_tracked")
        },
    }
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()

"""The DFDC winner's checkpoint to a network: an EfficientNet-B7 and one linear layer."""

from __future__ import annotations

import re
from pathlib import Path

from torch import Tensor, nn

from unmask.lab.models.tensors import fill
from unmask.lab.zoo.efficientnet import EfficientNet, Scale
from unmask.lab.zoo.tensors import read_pickled

B7 = Scale(2.0, 3.1)


class DeepFakeClassifier(nn.Module):
    """An encoder and its last layer.

    Args:
        encoder: Images to features.
    """

    def __init__(self, encoder: EfficientNet) -> None:
        super().__init__()
        self.encoder = encoder
        self.fc = nn.Linear(encoder.features, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images, shape (N, 3, S, S), to log odds of a fake, shape (N,)."""
        logit: Tensor = self.fc(self.encoder(images))
        return logit.squeeze(1)


def load_dfdc(file: Path, scale: Scale = B7) -> DeepFakeClassifier:
    """Build the network from its checkpoint, which several GPUs wrote and which keeps ImageNet's classifier.

    Args:
        file: What ``torch.save`` wrote.
        scale: Of the encoder.

    Raises:
        ModelError: The file is damaged or holds another network.
    """
    named = {re.sub(r"^module\.", "", name): tensor for name, tensor in read_pickled(file).items()}
    tensors = {name: value for name, value in named.items() if not name.startswith("encoder.classifier.")}
    net = DeepFakeClassifier(EfficientNet(scale))
    fill(net, tensors, file)
    return net.eval()

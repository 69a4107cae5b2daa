"""A vision transformer in plain torch, with what CLIP, DINO and the Perception Encoder do of their own.

One network instead of three libraries: it exports to ONNX without their control flow, and their names of
layers may change without harm. Architecture after Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR
2021; Radford et al. (CLIP), ICML 2021; Simeoni et al., "DINOv3", 2025; Bolya et al., "Perception Encoder",
2025; rotary embeddings after Su et al., "RoFormer", 2021.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unmask.errors import ModelError

HEAD_WIDTH = 64
"""Width of an attention head in all of these networks."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What tells one vision transformer from another.

    Attributes:
        width: Of a token.
        layers: Blocks.
        hidden: Width inside the blocks' perceptrons.
        patch_px: Side of a patch.
        image_px: Side of the input; a multiple of ``patch_px``.
        registers: Tokens beside the class token that stand for no patch.
        norm_eps: Of all layer norms.
        rotary: How places turn queries and keys: ``none``, ``dinov3`` or ``pe``.
        learned_places: Whether places are also added to the tokens.
        patch_bias: Whether patches get a bias.
        key_bias: Whether keys get a bias.
        norm_first: Whether tokens are normalised before the first block.
        layer_scale: Whether each branch of a block is scaled by channel.
        quick_gelu: ``x * sigmoid(1.702 x)`` in place of GELU.
        pool: ``class`` takes the class token, ``attention`` asks all tokens.
    """

    width: int
    layers: int
    hidden: int
    patch_px: int
    image_px: int
    registers: int = 0
    norm_eps: float = 1e-5
    rotary: str = "none"
    learned_places: bool = True
    patch_bias: bool = False
    key_bias: bool = True
    norm_first: bool = True
    layer_scale: bool = False
    quick_gelu: bool = False
    pool: str = "class"

    @property
    def side(self) -> int:
        """Patches along a side."""
        return self.image_px // self.patch_px


class VisionTransformer(nn.Module):
    """Images to features.

    Args:
        shape: Its sizes and kinds.

    Example:
        >>> net = VisionTransformer(Shape(64, 1, 128, patch_px=14, image_px=28))
        >>> tuple(net(torch.zeros(2, 3, 28, 28)).shape)
        (2, 64)
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.patches = nn.Conv2d(3, width, shape.patch_px, shape.patch_px, bias=shape.patch_bias)
        self.prefix = nn.Parameter(torch.zeros(1, 1 + shape.registers, width))
        if shape.learned_places:
            self.places = nn.Parameter(torch.zeros(1, 1 + shape.registers + shape.side**2, width))
        self.norm_first = nn.LayerNorm(width, shape.norm_eps) if shape.norm_first else nn.Identity()
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm_last = nn.LayerNorm(width, shape.norm_eps)
        self.pool = AttentionPool(shape) if shape.pool == "attention" else None
        cos, sin = ANGLES[shape.rotary](shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images, shape (N, 3, S, S), to features, shape (N, width)."""
        *_, tokens = self.tokens(images)
        tokens = self.norm_last(tokens)
        features: Tensor = tokens[:, 0] if self.pool is None else self.pool(tokens)
        return features

    def tokens(self, images: Tensor, *, blocks: int | None = None) -> Iterator[Tensor]:
        """The tokens behind each block, class token first, shape (N, 1 + registers + patches, width).

        Args:
            images: Normalised, shape (N, 3, S, S). Without rotary places S may be another multiple of a patch
                than the shape's; learned places are then stretched.
            blocks: How many; all by default. What lies behind is not computed.
        """
        patches = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.prefix.expand(images.shape[0], -1, -1), patches], 1)
        if self.shape.learned_places:
            tokens = tokens + self._places_at(int(images.shape[-1]))
        tokens = self.norm_first(tokens)
        for block in self.blocks[:blocks]:
            tokens = block(tokens, self.cos, self.sin)
            yield tokens

    def _places_at(self, image_px: int) -> Tensor:
        own, wanted = self.shape.side, image_px // self.shape.patch_px
        return self.places if wanted == own else _stretch(self.places, own=own, wanted=wanted)

    def resized(self, image_px: int) -> VisionTransformer:
        """The same weights for images of another side; learned places are stretched bicubically.

        Args:
            image_px: A multiple of the patches' side.

        Raises:
            ModelError: It is none.
        """
        if image_px <= 0 or image_px % self.shape.patch_px:
            raise ModelError(f"image_px must be a multiple of {self.shape.patch_px}, got {image_px}")
        net = VisionTransformer(replace(self.shape, image_px=image_px))
        state = dict(self.state_dict())
        if self.shape.learned_places:
            state["places"] = self._places_at(image_px)
        net.load_state_dict(state)
        return net.train(self.training)


class Block(nn.Module):
    """Attention, then a perceptron, each added to what came in."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(shape.width, shape.norm_eps)
        self.attention = Attention(shape)
        self.norm2 = nn.LayerNorm(shape.width, shape.norm_eps)
        self.perceptron = Perceptron(shape.width, shape.hidden, quick_gelu=shape.quick_gelu)
        if shape.layer_scale:
            self.scale1 = nn.Parameter(torch.ones(shape.width))
            self.scale2 = nn.Parameter(torch.ones(shape.width))
        self.scaled = shape.layer_scale

    def forward(self, tokens: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Shape (N, T, width) to the same."""
        branch = self.attention(self.norm1(tokens), cos, sin)
        tokens = tokens + (branch * self.scale1 if self.scaled else branch)
        branch = self.perceptron(self.norm2(tokens))
        joined: Tensor = tokens + (branch * self.scale2 if self.scaled else branch)
        return joined


class Attention(nn.Module):
    """Every token asks all others."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = width // HEAD_WIDTH
        self.queries = nn.Linear(width, width)
        self.keys = nn.Linear(width, width, bias=shape.key_bias)
        self.values = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.turn = TURNS[shape.rotary]

    def forward(self, tokens: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Shape (N, T, width) to the same; ``cos`` and ``sin`` are those of the last tokens' places."""
        q, k = (_by_head(layer(tokens), self.heads) for layer in (self.queries, self.keys))
        if len(cos):
            q, k = (self._turned(x, cos, sin) for x in (q, k))
        found = F.scaled_dot_product_attention(q, k, _by_head(self.values(tokens), self.heads))
        out: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return out

    def _turned(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Only patches have a place; the tokens in front of them stay as they are."""
        before = x.shape[2] - cos.shape[0]
        patches = x[:, :, before:]
        return torch.cat([x[:, :, :before], patches * cos + self.turn(patches) * sin], 2)


class AttentionPool(nn.Module):
    """One learned question to all tokens, then a perceptron, as timm's ``AttentionPoolLatent``."""

    HEADS = 8  # of every Perception Encoder

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.question = nn.Parameter(torch.zeros(1, 1, width))
        self.queries, self.keys, self.values, self.out = (nn.Linear(width, width) for _ in range(4))
        self.norm = nn.LayerNorm(width, shape.norm_eps)
        self.perceptron = Perceptron(width, 4 * width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Shape (N, T, width) to (N, width)."""
        question = self.question.expand(tokens.shape[0], -1, -1)
        q = _by_head(self.queries(question), self.HEADS)
        k, v = (_by_head(layer(tokens), self.HEADS) for layer in (self.keys, self.values))
        found = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        answer: Tensor = self.out(found)
        pooled: Tensor = (answer + self.perceptron(self.norm(answer)))[:, 0]
        return pooled


class Perceptron(nn.Module):
    """Wider, bent, narrow again."""

    def __init__(self, width: int, hidden: int, *, quick_gelu: bool = False) -> None:
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.quick_gelu = quick_gelu

    def forward(self, tokens: Tensor) -> Tensor:
        """Shape (N, T, width) to the same."""
        x = self.up(tokens)
        x = x * torch.sigmoid(1.702 * x) if self.quick_gelu else F.gelu(x)
        found: Tensor = self.down(x)
        return found


def _by_head(tokens: Tensor, heads: int) -> Tensor:
    """Shape (N, T, width) to (N, heads, T, width / heads)."""
    parts = tokens.reshape(*tokens.shape[:2], heads, tokens.shape[2] // heads)
    return parts.transpose(1, 2)


def _stretch(places: Tensor, *, own: int, wanted: int) -> Tensor:
    """Places of a square of patches at another side; those of the tokens in front stay."""
    before = places.shape[1] - own**2
    square = places[:, before:].reshape(1, own, own, -1).permute(0, 3, 1, 2)
    square = F.interpolate(square, size=(wanted, wanted), mode="bicubic", align_corners=False)
    return torch.cat([places[:, :before], square.flatten(2).transpose(1, 2)], 1)


def _no_angles(_: Shape) -> tuple[Tensor, Tensor]:
    return torch.zeros(0), torch.zeros(0)


def _dinov3_angles(shape: Shape) -> tuple[Tensor, Tensor]:
    """Middles of patches from -1 to 1, rows then columns, times periods of 1 to 100."""
    middles = (torch.arange(shape.side) + 0.5) / shape.side * 2 - 1
    places = torch.stack(torch.meshgrid(middles, middles, indexing="ij"), -1).reshape(-1, 2)
    periods = 100.0 ** torch.arange(0, 1, 4 / HEAD_WIDTH)
    angles = (2 * math.pi * places[:, :, None] / periods).flatten(1).repeat(1, 2)
    return angles.cos(), angles.sin()


PE_SIDE = 24
"""Patches along a side where the Perception Encoder L learned its places."""


def _pe_angles(shape: Shape) -> tuple[Tensor, Tensor]:
    """Places from 1 on, stretched to the side of training, columns then rows, each angle twice."""
    steps = (torch.arange(shape.side) + 1.0) / shape.side * PE_SIDE
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    places = torch.stack([columns, rows], -1).reshape(-1, 2)
    bands = 10000.0 ** -(torch.arange(HEAD_WIDTH // 4) / (HEAD_WIDTH // 4))
    angles = (places[:, :, None] * bands).flatten(1).repeat_interleave(2, 1)
    return angles.cos(), angles.sin()


def _turn_halves(x: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return torch.cat([-second, first], -1)


def _turn_neighbours(x: Tensor) -> Tensor:
    pairs = x.reshape(*x.shape[:-1], HEAD_WIDTH // 2, 2)
    return torch.stack([-pairs[..., 1], pairs[..., 0]], -1).flatten(-2)


ANGLES = {"none": _no_angles, "dinov3": _dinov3_angles, "pe": _pe_angles}
TURNS = {"none": _turn_halves, "dinov3": _turn_halves, "pe": _turn_neighbours}

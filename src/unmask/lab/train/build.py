"""The network and the batches of a recipe: the only place that knows frames from clips."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from unmask.errors import DataError, ModelError
from unmask.lab.forge.clips import ClipBatches
from unmask.lab.forge.neural import Regenerator
from unmask.lab.forge.pairs import PairBatches
from unmask.lab.models.backbone import size_step
from unmask.lab.models.clip_net import ClipNet
from unmask.lab.models.efficientnet_lite import VARIANTS
from unmask.lab.models.export import Judge
from unmask.lab.models.frame_net import FrameNet
from unmask.lab.train.aligned import AlignedBatches
from unmask.lab.train.checkpoint import load_checkpoint
from unmask.lab.train.feed import StepBatches
from unmask.lab.train.labelled import LabelledBatches
from unmask.lab.train.recipe import Recipe
from unmask.lab.train.sources import Sources
from unmask.lab.train.style import mix_styles

Net = FrameNet | ClipNet
NORMS = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm2d)
Predict = Callable[[NDArray[np.uint8]], NDArray[np.floating]]


def make_net(recipe: Recipe) -> Net:
    """The network of a recipe with the weights that it begins with.

    Raises:
        DataError: The run to start from holds no weights, or those of another network.
        ModelError: Backbone or head is unknown.
    """
    loop, clip = recipe.loop, recipe.clip
    _check_sizes(recipe)
    make = FrameNet if clip is None else partial(ClipNet, head=clip.head, hidden=clip.hidden)
    net: Net = make(
        loop.backbone,
        dropout=loop.dropout,
        pretrained=not loop.start,
        sees=loop.sees,
        wheels=Path(loop.wheels),
    )
    if loop.start:
        begin_with(net, Path(loop.start))
    for name, why in (
        ("fold_norms", "whose norms follow their convolutions"),
        ("style_mix_share", "whose stages are known"),
    ):
        if getattr(loop, name) and loop.backbone not in VARIANTS:
            raise ModelError(
                f"{name} needs one of {', '.join(VARIANTS)}, {why}, got {loop.backbone!r}; leave it out"
            )
    if loop.fold_norms:
        _frame_net(net).fold_norms()
    if loop.style_mix_share:
        mix_styles(_frame_net(net), share=loop.style_mix_share)
    choose_weights(_frame_net(net).encoder, loop.tuned)
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # torch's hints


def _check_sizes(recipe: Recipe) -> None:
    step = size_step(recipe.loop.backbone)
    sizes = (recipe.view.size_px, recipe.pairs.size_px, recipe.pairs.last_size_px)
    if wrong := [size for size in sizes if size % step]:
        raise ModelError(
            f"{recipe.loop.backbone} sees crops whose side is a multiple of {step} px, got {wrong[0]}; "
            "set size_px under [view], size_px and last_size_px under [pairs]"
        )


def choose_weights(encoder: nn.Module, tuned: str) -> None:
    """Hold back all of an encoder that is not to learn.

    Args:
        encoder: Whose weights all learn so far.
        tuned: As in `LoopSettings`. Running statistics of batch norms are no weights and go on.

    Raises:
        ModelError: Norms are to learn, and there are none.
    """
    if tuned == "all":
        return
    norms = [module for module in encoder.modules() if isinstance(module, NORMS)]
    encoder.requires_grad_(requires_grad=False)
    if tuned == "norms":
        if not norms:
            raise ModelError(
                "tuned = 'norms' needs a backbone with norms, got one without; leave fold_norms out"
            )
        for norm in norms:
            norm.requires_grad_(requires_grad=True)


def begin_with(net: Net, folder: Path) -> None:
    """Fill a network with the averaged weights of an earlier run; a clip net may begin with a frame net's.

    Raises:
        DataError: There is no checkpoint in the folder, or it is of another network.
    """
    state = load_checkpoint(folder)
    if state is None:
        raise DataError(f"{folder} must hold a checkpoint to start from; train it first, or leave start out")
    weights = state["average"]
    if not any(key.endswith("running_mean") for key in weights):
        _frame_net(net).fold_norms()
    of_clips = any(key.startswith("frame_net.") for key in weights)
    try:
        (net if of_clips else _frame_net(net)).load_state_dict(weights)
    except RuntimeError as error:
        raise DataError(f"{folder} holds weights of another network: {error}") from error


def _frame_net(net: Net) -> FrameNet:
    return net.frame_net if isinstance(net, ClipNet) else net


def make_batches(
    recipe: Recipe,
    sources: Sources,
    *,
    steps: int,
    rank: int = 0,
    world: int = 1,
    regenerate: Regenerator | None = None,
) -> StepBatches:
    """What a process is fed with.

    Args:
        recipe: What to draw from, and how.
        sources: The recipe's data.
        steps: Length of the run.
        rank: Number of this process of ``world``.
        world: How many processes train together.
        regenerate: The autoencoder of neural pseudo-fakes.
    """
    loop, clip = recipe.loop, recipe.clip
    pairs: list[PairBatches | AlignedBatches] = []
    if recipe.pairs.pairs_per_step:
        kind = PairBatches if clip is None else ClipBatches
        made = kind(
            recipe.crops,
            sources.pairs,
            seed=loop.seed,
            steps=steps,
            cooldown_steps=loop.cooldown_steps,
            rank=rank,
            world=world,
            regenerate=regenerate,
        )
        if isinstance(made, ClipBatches) and clip is not None:
            made.clip = clip
        pairs.append(made)
    if recipe.aligned is not None:
        pairs.append(
            AlignedBatches(
                sources.aligned,
                recipe.aligned,
                sources.pairs,
                seed=loop.seed,
                cooldown_from=steps - loop.cooldown_steps,
                rank=rank,
                world=world,
            )
        )
    if sources.people is None or recipe.labelled is None:
        return StepBatches(pairs)
    labelled = LabelledBatches(
        sources.people,
        recipe.labelled,
        sources.pairs,
        clip=clip,
        seed=loop.seed,
        cooldown_from=steps - loop.cooldown_steps,
        rank=rank,
        world=world,
    )
    return StepBatches(pairs, labelled)


def predictor(net: Net) -> Predict:
    """A function from one person's crops, shape (T, 3, S, S), to a logit for each, as the network stands."""
    device = next(net.parameters()).device
    judge = Judge(net)

    def predict(crops: NDArray[np.uint8]) -> NDArray[np.floating]:
        batch = torch.from_numpy(crops).to(device)
        with torch.inference_mode():
            logits = judge(batch[None])[0] if isinstance(net, ClipNet) else judge(batch)
            found: NDArray[np.floating] = logits.float().cpu().numpy()
            return found

    return predict

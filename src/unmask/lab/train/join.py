"""Networks of finished runs, joined into one: the mean of their logits, or of their weights."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from unmask.errors import DataError
from unmask.lab.forge.pairs import PairBatches
from unmask.lab.models.ensemble import Ensemble
from unmask.lab.models.frame_net import FrameNet
from unmask.lab.train.build import begin_with
from unmask.lab.train.loop import RECIPE_NAME
from unmask.lab.train.optimizer import update_average
from unmask.lab.train.recipe import Recipe, resolve_recipe
from unmask.lab.train.sources import Sources

_STEPS = 16  # of pairs on which the members' logits are brought to one scale


def join_runs(recipe: Recipe, sources: Sources, folder: Path) -> Ensemble | FrameNet:
    """One network of a recipe's members, as its ``join`` says.

    Logits are brought to one scale on pairs of the size that is judged.

    Args:
        recipe: One with members.
        sources: Its data.
        folder: Holds a folder of each member's run.

    Raises:
        DataError: A member is no finished run.
        SettingsError: Pairs cannot be made at the size of the view.
    """
    members = [load_run(folder / member.name) for member in recipe.members]
    if recipe.join == "weights":
        return average_weights(members)
    size_px = recipe.view.size_px
    pairs = replace(sources.pairs, size_px=size_px, neural_share=0.0)
    batches = PairBatches(recipe.crops, pairs, seed=recipe.loop.seed, steps=_STEPS)
    logits: list[list[torch.Tensor]] = [[] for _ in members]
    with torch.inference_mode():
        for step in range(_STEPS):
            crops = batches[step].crops
            for found, member in zip(logits, members, strict=True):
                found.append(member(crops).logit)
    whole = [torch.cat(found) for found in logits]
    return Ensemble(
        members, centres=[float(x.mean()) for x in whole], spreads=[float(x.std()) for x in whole]
    ).eval()


def average_weights(nets: Sequence[FrameNet]) -> FrameNet:
    """A network whose every weight is the mean of that weight in networks of one kind."""
    joined = copy.deepcopy(nets[0])
    for count, net in enumerate(nets[1:], start=1):
        update_average(joined, net, decay=count / (count + 1))
    return joined


def load_run(folder: Path) -> FrameNet:
    """The network of a run that `unmask train` made, with its averaged weights.

    Raises:
        DataError: The folder holds no recipe or checkpoint, or one of a clip network.
    """
    file = folder / RECIPE_NAME
    try:
        recipe = resolve_recipe(dict(json.loads(file.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{file} must be the recipe of a run; train the member first: {error}") from error
    if recipe.clip is not None or recipe.members:
        raise DataError(f"a member must judge single frames by one network, {folder} does not")
    net = FrameNet(recipe.loop.backbone, pretrained=False, sees=recipe.loop.sees)
    begin_with(net, folder)
    return net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # torch's hints

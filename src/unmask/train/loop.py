"""The training loop, on one CPU, one GPU or many through Hugging Face accelerate.

Every random number is a function of the seed and the step, and a checkpoint holds weights, their
running average and the optimiser, so that a run stopped at any moment ends with the same weights.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

from unmask.data.pairs import Batch, PairBatches
from unmask.errors import DataError
from unmask.evaluate.metrics import auc, pair_accuracy
from unmask.models.frame_net import FrameNet
from unmask.train.checkpoint import load_checkpoint, save_checkpoint
from unmask.train.losses import pair_loss
from unmask.train.recipe import LoopSettings, Recipe
from unmask.train.validate import score_videos

Report = Callable[[dict[str, float]], None]


def learning_rate(step: int, settings: LoopSettings) -> float:
    """Linear warm-up, a plateau, then a cosine down to a hundredth of the peak."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    share = max(0.0, 1 - (settings.steps - step) / max(1, settings.cooldown_steps))
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))


def make_optimizer(net: nn.Module, settings: LoopSettings) -> torch.optim.Optimizer:
    """AdamW that decays matrices and kernels, not biases and norms."""
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.99))


@torch.no_grad()
def update_average(average: nn.Module, net: nn.Module, *, decay: float) -> None:
    """Move the running average towards the network; counters are copied."""
    for kept, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new.to(kept.dtype), 1 - decay)
        else:
            kept.copy_(new)


def _calm_worker(_: int) -> None:
    """Keep a worker that makes batches to one core; the others are for the network."""
    cv2.setNumThreads(1)


def predictor(net: FrameNet) -> Callable[[NDArray[np.uint8]], NDArray[np.floating]]:
    """A function from crops to logits that runs the network as it stands."""
    device = next(net.parameters()).device

    def predict(crops: NDArray[np.uint8]) -> NDArray[np.floating]:
        with torch.inference_mode():
            logits: NDArray[np.floating] = net(torch.from_numpy(crops).to(device)).logit.float().cpu().numpy()
            return logits

    return predict


def begin_with(net: FrameNet, folder: Path) -> None:
    """Fill a network with the averaged weights of an earlier run.

    Raises:
        DataError: There is no checkpoint in the folder, or it is of another network.
    """
    state = load_checkpoint(folder)
    if state is None:
        raise DataError(f"{folder} must hold a checkpoint to start from; train it first, or leave start out")
    if not any(key.endswith("running_mean") for key in state["average"]):
        net.fold_norms()
    try:
        net.load_state_dict(state["average"])
    except RuntimeError as error:
        raise DataError(f"{folder} holds weights of another network: {error}") from error


class Trainer:
    """One run of one recipe.

    Args:
        recipe: What to do.
        folder: Where checkpoint, log and weights go; a checkpoint in it is continued.
        report: Called with numbers of progress by the main process.
    """

    def __init__(self, recipe: Recipe, folder: Path, *, report: Report) -> None:
        self.recipe, self.folder, self._report = recipe, folder, report
        settings = recipe.loop
        # On CUDA a float16 scaler is never used, so nothing outside the checkpoint carries state.
        self.accelerator = Accelerator(mixed_precision=settings.mixed_precision)
        if recipe.pairs.pairs_per_step % (self.accelerator.num_processes * settings.accumulate):
            parts = f"{self.accelerator.num_processes} x {settings.accumulate}"
            pairs = recipe.pairs.pairs_per_step
            raise DataError(
                f"pairs_per_step must be divisible by processes x accumulate, got {pairs} for {parts}"
            )
        torch.manual_seed(settings.seed)
        net = FrameNet(settings.backbone, dropout=settings.dropout, pretrained=not settings.start)
        if settings.start:
            begin_with(net, Path(settings.start))
        if settings.fold_norms:
            net.fold_norms()
        net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's hints
        self.average = copy.deepcopy(net).eval().to(self.accelerator.device)
        self.net, self.optimizer = self.accelerator.prepare(net, make_optimizer(net, settings))
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        state = load_checkpoint(folder, digest=recipe.digest())
        if state is not None:
            self._restore(state)

    def run(self) -> None:
        """Train from wherever the checkpoint stands to the last step."""
        started, waited = time.perf_counter(), 0.0
        first = self.step
        for batch in self._batches():
            waited_now = time.perf_counter()
            loss = self._learn(batch)
            self.step += 1
            waited += waited_now - self._asked
            if not math.isfinite(loss):
                raise DataError(
                    f"loss must be finite, got {loss} at step {self.step}; the last checkpoint is kept"
                )
            spent = time.perf_counter() - started
            images = 2 * self.recipe.pairs.pairs_per_step * (self.step - first)
            numbers = {
                "step": self.step,
                "loss": loss,
                "images_per_second": images / spent,
                "share_waiting": waited / spent,
            }
            if self.step % self.recipe.loop.validate_every == 0 or self.step == self.recipe.loop.steps:
                numbers |= self.validate()
            if self.accelerator.is_main_process:
                self._report(numbers)
            if self.step % self.recipe.loop.checkpoint_every == 0 or self.step == self.recipe.loop.steps:
                self.save()

    def validate(self) -> dict[str, float]:
        """AUC and pair accuracy of the running average on each validation set, on the main process."""
        if not self.accelerator.is_main_process:
            return {}
        numbers: dict[str, float] = {}
        for name, folder in self.recipe.validation.items():
            scores = score_videos(predictor(self.average), folder, self.recipe.view)
            numbers |= {f"{name}_auc": auc(scores), f"{name}_pairs": pair_accuracy(scores)}
        return numbers

    def save(self) -> None:
        """Write the checkpoint, from the main process."""
        if self.accelerator.is_main_process:
            state = {
                "digest": self.recipe.digest(),
                "step": self.step,
                "steps": self.recipe.loop.steps,
                "net": self.accelerator.unwrap_model(self.net).state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            }
            save_checkpoint(self.folder, state)
            (self.folder / "recipe.json").write_text(json.dumps(self.recipe.to_dict(), indent=2))

    def _restore(self, state: dict[str, Any]) -> None:
        self.accelerator.unwrap_model(self.net).load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        loop = self.recipe.loop
        cooldown_from = min(state["steps"], loop.steps) - loop.cooldown_steps
        if state["steps"] != loop.steps and self.step > cooldown_from:
            raise DataError(
                f"steps can be changed only before the cool-down at step {cooldown_from}, got {self.step} "
                f"done of {state['steps']}; set steps = {state['steps']} again"
            )

    def _batches(self) -> Iterator[Batch]:
        settings = self.recipe.loop
        data = PairBatches(
            self.recipe.crops,
            self.recipe.pairs,
            seed=settings.seed,
            steps=settings.steps,
            cooldown_steps=settings.cooldown_steps,
            rank=self.accelerator.process_index,
            world=self.accelerator.num_processes,
        )
        loader = DataLoader(
            data,
            batch_size=None,
            sampler=range(self.step, settings.steps),
            num_workers=settings.workers,
            prefetch_factor=4 if settings.workers else None,
            worker_init_fn=_calm_worker,
            pin_memory=self.accelerator.device.type == "cuda",
        )
        batches = iter(loader)
        while True:
            self._asked = time.perf_counter()
            try:
                yield next(batches)
            except StopIteration:
                return

    def _learn(self, batch: Batch) -> float:
        settings = self.recipe.loop
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, settings)
        # Dropout is the only random choice left; it too depends on seed and step alone.
        torch.manual_seed(hash((settings.seed, self.step, self.accelerator.process_index)) % 2**63)
        self.net.train()
        crops, masks = (part.to(self.accelerator.device, non_blocking=True) for part in batch)
        losses = [self._backward(*part) for part in split_pairs(crops, masks, settings.accumulate)]
        self.accelerator.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        update_average(
            self.average,
            self.accelerator.unwrap_model(self.net),
            decay=min(settings.ema_decay, (1 + self.step) / (10 + self.step)),
        )
        return float(torch.stack(losses).sum())

    def _backward(self, crops: Tensor, masks: Tensor) -> Tensor:
        settings = self.recipe.loop
        loss = pair_loss(
            self.net(crops), masks, rank_weight=settings.rank_weight, mask_weight=settings.mask_weight
        )
        self.accelerator.backward(loss / settings.accumulate)
        return loss.detach() / settings.accumulate


def split_pairs(crops: Tensor, masks: Tensor, parts: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Split a batch into micro-batches that keep each real with its fake."""
    half = len(crops) // 2
    for pairs in torch.arange(half, device=crops.device).chunk(parts):
        both = torch.cat([pairs, pairs + half])
        yield crops[both], masks[both]

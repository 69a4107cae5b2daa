"""The training loop, on one CPU, one GPU or many through Hugging Face accelerate.

Every random number is a function of the seed and the step, and a checkpoint holds weights, their
running average and the optimiser, so that a run stopped at any moment ends with the same weights.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor

from unmask.errors import DataError
from unmask.files import write_whole
from unmask.lab.evaluate.metrics import Scored, auc, pair_accuracy
from unmask.lab.forge.neural import Regenerator
from unmask.lab.train.autoencoder import train_autoencoder
from unmask.lab.train.build import make_batches, make_net, predictor
from unmask.lab.train.checkpoint import load_checkpoint, save_checkpoint
from unmask.lab.train.feed import StepBatch, feed
from unmask.lab.train.health import Health
from unmask.lab.train.losses import labelled_loss, pair_loss, split_output
from unmask.lab.train.optimizer import make_optimizer, update_average
from unmask.lab.train.pace import Pace
from unmask.lab.train.recipe import Recipe
from unmask.lab.train.schedule import Plan, learning_rate
from unmask.lab.train.sharpness import uphill
from unmask.lab.train.sources import Sources, check_shares, open_sources
from unmask.lab.train.validate import score_samples

Report = Callable[[dict[str, float]], None]
LARGEST_GRADIENT_NORM = 5.0
AUTOENCODER_NAME, RECIPE_NAME = "autoencoder.pt", "recipe.json"


class Trainer:
    """One run of one recipe.

    Args:
        recipe: What to do.
        folder: Where checkpoint, log and weights go; a checkpoint in it is continued.
        report: Called with numbers of progress by the main process.
        say: Takes a line of what is done before the first step, from the main process.
        stop: Asked after each step whether to save and stop.

    Attributes:
        sources: The data, checked before anything else.
        step: Steps that are done.
        plan: When the run ends.
        scores: Of each validation set when it was last looked at; empty before.

    Raises:
        DataError: Data or a checkpoint break a rule.
        ModelError: The network is unknown.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        *,
        report: Report,
        say: Callable[[str], None] = lambda text: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.recipe, self.folder, self._report, self._stop = recipe, folder, report, stop
        settings = recipe.loop
        unused = DistributedDataParallelKwargs(find_unused_parameters=not settings.mask_weight)
        # On CUDA a float16 scaler is never used, so nothing outside the checkpoint carries state. Without
        # being told of the CPU, accelerate takes the processes of torchrun for runs of their own.
        self.accelerator = Accelerator(
            mixed_precision=settings.mixed_precision,
            cpu=not torch.cuda.is_available(),
            kwargs_handlers=[unused],
        )
        check_shares(recipe, self.accelerator.num_processes)
        self.sources: Sources = open_sources(recipe)
        torch.manual_seed(settings.seed)
        net = make_net(recipe)
        self.average = copy.deepcopy(net).eval().to(self.accelerator.device)
        self.net, self.optimizer = self.accelerator.prepare(net, make_optimizer(net, settings))
        self.step, self.plan = 0, Plan(settings.steps)
        self.scores: dict[str, Scored] = {}
        self._pace, self._health = Pace(), Health(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._regenerate = self._prepare_autoencoder(say) if recipe.pairs.neural_share else None
        state = load_checkpoint(folder, digest=recipe.digest())
        if state is not None:
            self._restore(state)

    @property
    def done(self) -> bool:
        """Whether the last step was made."""
        return self.step >= self.plan.end

    def run(self) -> None:
        """Train from wherever the checkpoint stands to the last step, or save and end where asked to stop.

        Raises:
            DataError: A batch cannot be made, or the loss or its gradient is not finite; the last
                checkpoint is kept.
        """
        settings = self.recipe.loop
        while not self.done:
            for batch in self._feed():
                with self._pace.learning(images=self._images(batch)):
                    loss, stopping = self._learn(batch)
                self.step += 1
                numbers = {
                    "step": self.step,
                    "end": self.plan.end,
                    "loss": loss,
                    "images_per_second": self._pace.images_per_second,
                    "share_waiting": self._pace.share_waiting,
                }
                last, moved = self.done, False
                if self.step % settings.validate_every == 0 or last:
                    found = self.validate()
                    numbers |= found
                    moved = self._reconsider(found)
                    last = self.done
                if self.accelerator.is_main_process:
                    self._report(numbers)
                if self.step % settings.checkpoint_every == 0 or last or stopping:
                    self.save()
                if stopping and not last:
                    return
                if moved:  # what was made ahead knows nothing of the cool-down that begins here
                    break

    def validate(self) -> dict[str, float]:
        """AUC and pair accuracy of the running average on each validation set, on the main process."""
        if not self.accelerator.is_main_process:
            return {}
        predict, view = predictor(self.average), self.recipe.view
        self.scores = {
            name: score_samples(predict, samples, view) for name, samples in self.sources.validation.items()
        }
        numbers: dict[str, float] = {}
        for name, scores in self.scores.items():
            found = {f"{name}_auc": auc(scores), f"{name}_pairs": pair_accuracy(scores)}
            numbers |= {key: value for key, value in found.items() if not math.isnan(value)}
        return numbers

    def save(self) -> None:
        """Write the checkpoint, from the main process."""
        if self.accelerator.is_main_process:
            state = {
                "digest": self.recipe.digest(),
                "step": self.step,
                "steps": self.recipe.loop.steps,
                "plan": (self.plan.end, self.plan.best, self.plan.waited),
                "net": self.accelerator.unwrap_model(self.net).state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            }
            # The checkpoint comes last: a run that finds its last one there saves nothing any more.
            write_whole(self.folder / RECIPE_NAME, json.dumps(self.recipe.to_dict(), indent=2) + "\n")
            save_checkpoint(self.folder, state)

    def _restore(self, state: dict[str, Any]) -> None:
        self.accelerator.unwrap_model(self.net).load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        loop, plan = self.recipe.loop, Plan(*state.get("plan", (state["steps"],)))
        cooldown_from = min(plan.end, loop.steps) - loop.cooldown_steps
        if state["steps"] != loop.steps and self.step > cooldown_from:
            raise DataError(
                f"steps can be changed only before the cool-down at step {cooldown_from}, got {self.step} "
                f"done of {state['steps']}; set steps = {state['steps']} again"
            )
        self.plan = plan if state["steps"] == loop.steps else Plan(loop.steps, plan.best, plan.waited)

    def _prepare_autoencoder(self, say: Callable[[str], None]) -> Regenerator:
        """The autoencoder of neural pseudo-fakes, trained by the main process while the others wait."""
        file = self.folder / AUTOENCODER_NAME
        if self.accelerator.is_main_process:
            train_autoencoder(
                self.recipe.crops,
                self.sources.pairs,
                file,
                steps=self.recipe.pairs.autoencoder_steps,
                seed=self.recipe.loop.seed,
                say=say,
            )
        self.accelerator.wait_for_everyone()
        return Regenerator(file)

    def _reconsider(self, found: dict[str, float]) -> bool:
        """Whether what validation found moves the end of the run; all processes agree."""
        settings = self.recipe.loop
        if not settings.patience:
            return False
        names = [settings.stop_on] if settings.stop_on else [k for k in found if k.endswith("_auc")]
        value = sum(found.get(name, 0.0) for name in names) / max(1, len(names))
        (agreed,) = self._sum(value)
        return self.plan.see(agreed, step=self.step, settings=settings)

    def _sum(self, *values: float) -> list[float]:
        """Numbers added up over all processes."""
        if self.accelerator.num_processes == 1:
            return list(values)
        mine = torch.tensor(values, dtype=torch.float64, device=self.accelerator.device)
        total: list[float] = self.accelerator.reduce(mine, "sum").tolist()
        return total

    def _images(self, batch: StepBatch) -> int:
        return batch.crops[..., 0, 0, 0].numel() * int(self.accelerator.num_processes)

    def _feed(self) -> Iterator[StepBatch]:
        batches = make_batches(
            self.recipe,
            self.sources,
            steps=self.plan.end,
            rank=self.accelerator.process_index,
            world=self.accelerator.num_processes,
            regenerate=self._regenerate,
        )
        return feed(
            batches,
            range(self.step, self.plan.end),
            workers=self.recipe.loop.workers,
            pin=self.accelerator.device.type == "cuda",
            pace=self._pace,
        )

    def _learn(self, batch: StepBatch) -> tuple[float, bool]:
        """One step; gives the loss over all processes, and whether one of them was asked to stop."""
        settings, world = self.recipe.loop, self.accelerator.num_processes
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, settings, end=self.plan.end)
        # Dropout is the only random choice left; it too depends on seed and step alone.
        torch.manual_seed(hash((settings.seed, self.step, self.accelerator.process_index)) % 2**63)
        self.net.train()
        batch = StepBatch(*(part.to(self.accelerator.device, non_blocking=True) for part in batch))
        parts = list(batch.split(settings.accumulate))
        found = self._find_gradients(parts)
        if settings.sam_radius:
            with uphill(self.net.parameters(), radius=settings.sam_radius):
                self._find_gradients(parts)
        norm = self.accelerator.clip_grad_norm_(self.net.parameters(), LARGEST_GRADIENT_NORM)
        total, spread, stopping = self._sum(*found.tolist(), float(self._stop()))
        loss = total / world
        self._health.check(step=self.step + 1, loss=loss, gradient_norm=float(norm), spread=spread)
        self.optimizer.step()
        self.optimizer.zero_grad()
        update_average(
            self.average,
            self.accelerator.unwrap_model(self.net),
            decay=min(settings.ema_decay, (1 + self.step) / (10 + self.step)),
        )
        return loss, stopping > 0

    def _find_gradients(self, parts: Sequence[StepBatch]) -> Tensor:
        """Gradients of a step over all processes; gives loss and spread of logits of this one, shape (2,)."""
        found = []
        for number, part in enumerate(parts, start=1):
            # Gradients travel between processes once a step, with the last micro-batch.
            alone = self.accelerator.no_sync(self.net) if number < len(parts) else nullcontext()
            with alone:
                found.append(self._backward(part))
        return torch.stack(found).sum(0)

    def _backward(self, part: StepBatch) -> Tensor:
        settings, labelled = self.recipe.loop, self.recipe.labelled
        pairs, logit = split_output(self.net(part.crops), len(part.masks))
        loss = pair_loss(
            pairs,
            part.masks,
            rank_weight=settings.rank_weight,
            rank_across=settings.rank_across,
            mask_weight=settings.mask_weight,
            hard_share=settings.hard_share,
        )
        if labelled is not None:
            loss = loss + labelled.loss_weight * labelled_loss(logit, part.fake, part.weights)
        self.accelerator.backward(loss / settings.accumulate)
        lowest, highest = pairs.logit.detach().float().aminmax()
        return torch.stack([loss.detach() / settings.accumulate, highest - lowest])

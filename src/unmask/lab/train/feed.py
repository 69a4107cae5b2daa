"""What a step is fed with: pairs and labelled crops in one batch, made ahead by worker processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import NamedTuple

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from unmask.errors import DataError, UnmaskError
from unmask.lab.forge.pairs import Batch, PairBatches
from unmask.lab.train.aligned import AlignedBatches
from unmask.lab.train.labelled import LabelledBatches
from unmask.lab.train.pace import Pace
from unmask.work.processes import hold_back

# Torch tells of a killed maker whenever its signal comes. Waited for, that is here and not in the middle of
# what the caller does to end well.
SIGNAL_SECONDS = 1.0


class StepBatch(NamedTuple):
    """Crops for one step: reals, their (pseudo-)fakes in the same order, then labelled crops.

    Attributes:
        crops: Shape (2B + L, 3, S, S), or (2B + L, T, 3, S, S) for clips, uint8.
        masks: Share of foreign face in each patch of the pairs, shape (2B, S/16, S/16) or with T second.
        fake: 1 for each labelled fake, 0 for each labelled real, shape (L,).
        weights: What the loss of each labelled crop counts, shape (L,).
    """

    crops: Tensor
    masks: Tensor
    fake: Tensor
    weights: Tensor

    def split(self, parts: int) -> Iterator[StepBatch]:
        """Micro-batches that keep each real with its fake."""
        half, device = len(self.masks) // 2, self.crops.device
        pairs = torch.arange(half, device=device).tensor_split(parts)
        labelled = torch.arange(len(self.fake), device=device).tensor_split(parts)
        for mine, ours in zip(pairs, labelled, strict=True):
            both = torch.cat([mine, mine + half])
            rows = torch.cat([both, ours + 2 * half])
            yield StepBatch(self.crops[rows], self.masks[both], self.fake[ours], self.weights[ours])


def join_pairs(parts: Sequence[Batch]) -> Batch:
    """Pairs of several kinds as one batch: all reals, then all fakes in the same order."""
    if len(parts) == 1:
        return parts[0]
    halves = [(part.crops.chunk(2), part.masks.chunk(2)) for part in parts]
    return Batch(
        torch.cat([crops[side] for side in (0, 1) for crops, _ in halves]),
        torch.cat([masks[side] for side in (0, 1) for _, masks in halves]),
    )


class NoBatch(NamedTuple):
    """Why a batch could not be made; an exception would reach the main process as a whole traceback."""

    message: str


class StepBatches(Dataset[StepBatch | NoBatch]):
    """Batch number ``step`` of a run.

    Args:
        pairs: Reals and pseudo-fakes, reals and the fakes that are aligned with them, or both.
        labelled: Labelled crops, where there are any.
    """

    def __init__(
        self, pairs: Sequence[PairBatches | AlignedBatches], labelled: LabelledBatches | None = None
    ) -> None:
        self._pairs, self._labelled = pairs, labelled

    def __getitem__(self, step: int) -> StepBatch | NoBatch:
        try:
            pairs = join_pairs([made[step] for made in self._pairs])
            if self._labelled is None:
                return StepBatch(pairs.crops, pairs.masks, torch.zeros(0), torch.zeros(0))
            labelled = self._labelled[step]
            crops = torch.cat([pairs.crops, labelled.crops])
            return StepBatch(crops, pairs.masks, labelled.fake, labelled.weights)
        except UnmaskError as error:
            return NoBatch(str(error))


def calm_worker(_: int) -> None:
    """Keep a worker that makes batches in a process group of its own.

    Terminals and schedulers signal a whole group of processes. The main process decides when to stop, and
    the step that is to be finished needs its batch. It ends with the main process all the same, even where
    that was killed: torch watches for the process it was forked off, which may be a server in between.
    """
    os.setpgid(0, 0)
    main = multiprocessing.parent_process()
    if main is not None:
        threading.Thread(target=_end_after, args=(main,), daemon=True).start()


def _end_after(main: BaseProcess) -> None:
    main.join()
    os._exit(1)


@contextmanager
def makers_must_live() -> Iterator[None]:
    """Tell in a sentence that a process that makes batches was killed.

    Torch says so by an error in whatever the main process is doing at that moment.

    Raises:
        DataError: One was killed.
    """
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker (pid" not in str(error):
            raise
        raise _lost_maker(error) from error


def _lost_maker(error: Exception) -> DataError:
    return DataError(
        f"every process that makes batches must live: {error}; the last checkpoint is kept, and the same "
        "command goes on from it. Did memory run out? Then lower workers"
    )


def feed(batches: StepBatches, steps: range, *, workers: int, pin: bool, pace: Pace) -> Iterator[StepBatch]:
    """Batches in order, made ahead.

    Args:
        batches: Makes each.
        steps: Which.
        workers: Processes that make them; 0 makes them in this one.
        pin: Put them into memory from which a GPU copies.
        pace: Is told how long each was waited for.

    Raises:
        DataError: A batch could not be made, or its maker was killed while it handed it over; of one that
            is killed at any other time `makers_must_live` tells.
    """
    if workers:
        # Each keeps to one core. It is told so before it forks off, as OpenCV's threads do not outlive that.
        cv2.setNumThreads(1)
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=calm_worker,
        pin_memory=pin,
    )
    # Where workers are forked off a server, the default from Python 3.14 on, that server stays in this group,
    # and they end with it; so a signal to the group must not end it.
    with hold_back(signal.SIGTERM):
        made = iter(loader)
    while True:
        try:
            with pace.waiting():
                batch = next(made, None)
        except (ConnectionError, EOFError) as error:  # killed while it handed a batch over
            time.sleep(SIGNAL_SECONDS)
            raise _lost_maker(error) from error
        if batch is None:
            return
        if isinstance(batch, NoBatch):
            raise DataError(batch.message)
        yield batch

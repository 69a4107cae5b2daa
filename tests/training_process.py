"""Training in processes of their own, as a launcher starts them, which can be killed."""

from __future__ import annotations

import multiprocessing
import os
import socket
from pathlib import Path

import numpy as np

# Each process is forked off a server that has torch loaded already, which saves seconds for each.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["unmask.lab.train.run"])


def train(recipe, folder, rank, world, port):
    """What one process of ``world`` does."""
    if world > 1:
        places = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world}
        os.environ |= {name: str(value) for name, value in places.items()}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    import torch

    torch.set_num_threads(1)
    from unmask.lab.train.run import run_recipe

    run_recipe(recipe, folder, say=lambda line: None)


def start(recipe: Path, folder: Path, *, world=1):
    """Start a run of one or more processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [(recipe, folder, rank, world, port) for rank in range(world)]
    processes = [CONTEXT.Process(target=train, args=some) for some in arguments]
    for process in processes:
        process.start()
    return processes


def finish(processes, *, seconds=240):
    """Wait until a run ends; gives the exit codes."""
    for process in processes:
        process.join(seconds)
        assert process.exitcode is not None, "a run hangs"
    return [process.exitcode for process in processes]


def checkpoint(folder: Path):
    """The parts of a checkpoint that a run must give back, as arrays by name."""
    import torch

    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    parts = {f"{part}.{name}": value for part in ("net", "average") for name, value in state[part].items()}
    for number, moments in state["optimizer"]["state"].items():
        parts |= {f"optimizer.{number}.{name}": value for name, value in moments.items()}
    return {name: np.asarray(value) for name, value in parts.items()} | {"step": np.asarray(state["step"])}

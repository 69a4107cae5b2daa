"""One training run from a recipe file to a checkpoint, a log and an ONNX file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from unmask.models.export import export_onnx
from unmask.train.loop import Trainer
from unmask.train.recipe import read_recipe

LOG_NAME = "log.jsonl"
SAY_EVERY = 10


def run_recipe(recipe: Path, folder: Path, *, say: Callable[[str], None]) -> None:
    """Train, log every step, and export the running average of the weights.

    Args:
        recipe: TOML file.
        folder: Receives ``checkpoint.pt``, ``log.jsonl``, ``recipe.json`` and ``NAME.onnx``.
        say: Takes a line of progress now and then.

    Raises:
        SettingsError: The recipe breaks a rule.
        DataError: The data or a checkpoint does.
    """
    resolved = read_recipe(recipe)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG_NAME).open("a", encoding="utf-8") as log:

        def report(numbers: dict[str, float]) -> None:
            log.write(json.dumps(numbers) + "\n")
            log.flush()
            if numbers["step"] % SAY_EVERY == 0 or len(numbers) > 4:
                say(
                    f"{resolved.loop.steps:.0f} steps | "
                    + " | ".join(f"{k} {v:.4g}" for k, v in numbers.items())
                )

        trainer = Trainer(resolved, folder, report=report)
        trainer.run()
    if trainer.accelerator.is_main_process:
        export_onnx(trainer.average, folder / f"{resolved.name}.onnx", size_px=resolved.view.size_px)

"""One training run from a recipe file to a checkpoint, a log and an ONNX file with its card."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path

from unmask.errors import DataError
from unmask.files import size_words, whole_file, write_whole
from unmask.holding import alone_in
from unmask.judge.calibration import Calibration, Thresholds
from unmask.judge.card import Card, write_card
from unmask.lab.models.backbone import MEAN, STD
from unmask.lab.models.ensemble import Ensemble
from unmask.lab.models.export import export_onnx
from unmask.lab.train.build import Net
from unmask.lab.train.feed import makers_must_live
from unmask.lab.train.join import join_runs
from unmask.lab.train.log import open_log
from unmask.lab.train.loop import Report, Trainer
from unmask.lab.train.quantised import export_int8
from unmask.lab.train.recipe import Recipe, read_recipe
from unmask.lab.train.signals import stop_signals
from unmask.lab.train.sources import Sources, open_sources

EXPORT_NAME = "export.json"
UNKNOWN = "not stated"


def run_recipe(
    recipe: Path,
    folder: Path,
    *,
    say: Callable[[str], None],
    show: Report = lambda numbers: None,
    int8: bool = False,
) -> bool:
    """Train, log every step, and export the running average of the weights.

    Ctrl-C and SIGTERM end the step, save and stop; the same call goes on.

    Args:
        recipe: TOML file.
        folder: Receives what `train` leaves, that of each member in a folder of its own; ``NAME.onnx``, a
            first card for it in ``NAME.json``, and what was measured at the export in ``export.json``, where
            members are left apart in the folder of each.
        say: Takes a line now and then, from the main process.
        show: Takes the numbers of every step, from the main process.
        int8: Write ``NAME-int8.onnx`` and its card as well.

    Returns:
        Whether the run is done; False when it was asked to stop.

    Raises:
        SettingsError: The recipe breaks a rule.
        DataError: The data or a checkpoint does, another run works in the folder, or it cannot be written to.
        ModelError: The network is unknown, or its export differs.
    """
    resolved = read_recipe(recipe)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Of the processes that a launcher starts, the first alone writes.
        with alone_in(folder) if os.environ.get("RANK", "0") == "0" else nullcontext():
            return _run(resolved, folder, say=say, show=show, int8=int8)
    except OSError as error:
        where = f"{error.filename or folder}: {error.strerror or error}"
        raise DataError(f"{where}; when that is mended, the same command goes on") from error


def _run(resolved: Recipe, folder: Path, *, say: Callable[[str], None], show: Report, int8: bool) -> bool:
    for run in resolved.members or (resolved,):
        place = folder / run.name if resolved.members else folder
        trainer = train(run, place, say=say, show=show)
        if not trainer.done:
            break
        if resolved.join == "apart" and trainer.accelerator.is_main_process:
            export(trainer.average, run, trainer.sources, place, say=say, int8=int8)
    # A process that ends while its group lives is now and then aborted by a thread of the group.
    trainer.accelerator.end_training()
    if not trainer.done:
        return False
    if trainer.accelerator.is_main_process and resolved.join != "apart":
        sources = trainer.sources
        net: Net | Ensemble = trainer.average
        if resolved.members:
            sources = open_sources(resolved)
            net = join_runs(resolved, sources, folder)
        export(net, resolved, sources, folder, say=say, int8=int8)
    return True


def train(recipe: Recipe, folder: Path, *, say: Callable[[str], None], show: Report) -> Trainer:
    """Train from wherever the folder's checkpoint stands.

    Args:
        recipe: One without members.
        folder: Receives ``checkpoint.pt``, ``log.jsonl``, ``tensorboard/`` and ``recipe.json``.
        say: Takes a line now and then, from the main process.
        show: Takes the numbers of every step, from the main process.

    Raises:
        DataError: The data or a checkpoint breaks a rule, or a process that makes batches was killed.
        ModelError: The network is unknown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reports: list[Report] = [show]
    with stop_signals() as stop:
        trainer = Trainer(recipe, folder, report=lambda numbers: tell(reports, numbers), say=say, stop=stop)
        main = trainer.accelerator.is_main_process
        if main:
            say(f"{recipe.name}: {trainer.step} of {trainer.plan.end} steps are done")
            for line in (*trainer.sources.proofs, *trainer.sources.warnings):
                say(line)
        with open_log(folder, step=trainer.step) if main else nullcontext() as log:
            if log is not None:
                reports.append(log)
            with makers_must_live():
                trainer.run()
    if main and not trainer.done:
        say(f"stopped and saved after step {trainer.step} of {trainer.plan.end}; the same command goes on")
    return trainer


def tell(reports: Sequence[Report], numbers: dict[str, float]) -> None:
    """Hand the numbers of a step to all who want them."""
    for report in reports:
        report(numbers)


def export(
    net: Net | Ensemble,
    recipe: Recipe,
    sources: Sources,
    folder: Path,
    *,
    say: Callable[[str], None],
    int8: bool,
) -> None:
    """Write a network as ONNX with a first card, and as int8 where asked for."""
    file = folder / f"{recipe.name}.onnx"
    with whole_file(file) as draft:
        difference = export_onnx(net, draft, size_px=recipe.view.size_px)
    measured = {file.name: {"bytes": file.stat().st_size, "largest_difference": difference}}
    with whole_file(file.with_suffix(".json")) as draft:
        write_card(draft_card(recipe, file), draft)
    say(f"{file}: {size_words(file.stat().st_size)}, logits within {difference:.1g} of torch's")
    if int8:
        small = folder / f"{recipe.name}-int8.onnx"
        with whole_file(small) as draft:
            numbers = export_int8(file, draft, sources, recipe)
        measured[small.name] = numbers
        with whole_file(small.with_suffix(".json")) as draft:
            write_card(draft_card(recipe, small), draft)
        say(
            f"{small}: " + ", ".join(f"{key.replace('_', ' ')} {value:.4g}" for key, value in numbers.items())
        )
    write_whole(folder / EXPORT_NAME, json.dumps(measured, indent=2) + "\n")


def draft_card(recipe: Recipe, file: Path) -> Card:
    """A card with which a scan can use weights that nobody has measured or calibrated yet."""
    return Card(
        name=file.stem,
        version="draft",
        file=file.name,
        sha256=sha256(file.read_bytes()).hexdigest(),
        size_px=recipe.view.size_px,
        margin_fraction=recipe.view.margin_fraction,
        detector="mtcnn",
        mean=(MEAN,) * 3,
        std=(STD,) * 3,
        person_rule="mean",
        calibration=Calibration(),
        thresholds=Thresholds(0.7, 0.3),
        licence=UNKNOWN,
        training_data=(str(recipe.crops), *(recipe.labelled.folders if recipe.labelled else ())),
        terms=UNKNOWN,
        recipe=recipe.name,
        commit=UNKNOWN,
        scores={},
        limits=("Neither calibrated nor measured: its numbers are no probabilities yet.",),
        kind=recipe.kind,
    )

"""What ``unmask train`` wrote: the curves of a run, and the settings that it was made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unmask.errors import DataError, SettingsError
from unmask.lab.pages.deck.reading import as_number, as_whole, read_lines, read_object

MOST_POINTS = 300
"""Of a curve; a longer one is averaged, which is what a person would see of it."""
Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Run:
    """One training run.

    Attributes:
        name: Of its folder.
        steps: Steps that were logged.
        planned: Steps that it should have.
        loss: Mean loss over the steps.
        validated: By metric, such as ``mini_auc``: value by step.
        images_per_second: At the end; None where that was not logged.
        settings: What the recipe said, by ``table.key``.
    """

    name: str
    steps: int
    planned: int
    loss: Points
    validated: dict[str, Points]
    images_per_second: float | None
    settings: dict[str, Any]


def read_run(folder: Path) -> Run:
    """Read the log and, where there is one, the recipe of a run.

    Raises:
        DataError: A file breaks a rule, or nothing was logged.
    """
    file = folder / "log.jsonl"
    lines = read_lines(file)
    if not lines:
        raise DataError(f"{file} must hold a step, holds none")
    loss: Points = []
    validated: dict[str, Points] = {}
    try:
        for number, line in enumerate(lines, start=1):
            _take(line, f"line {number}", loss, validated)
        planned = as_whole(lines[-1].get("end", lines[-1]["step"]), "end")
        pace = lines[-1].get("images_per_second")
        pace = None if pace is None else as_number(pace, "images_per_second")
    except SettingsError as error:
        raise DataError(f"{file}: {error}") from error
    recipe = folder / "recipe.json"
    settings = flatten(read_object(recipe)) if recipe.is_file() else {}
    return Run(folder.resolve().name, int(loss[-1][0]), planned, thin(loss), validated, pace, settings)


def _take(line: Mapping[str, Any], where: str, loss: Points, validated: dict[str, Points]) -> None:
    """Add the numbers of a step to the curves."""
    step = as_whole(line.get("step"), f"{where}: step")
    if loss and step <= loss[-1][0]:
        raise SettingsError(f"{where}: step must be above the one before, {loss[-1][0]:g}, got {step}")
    loss.append((step, as_number(line.get("loss"), f"{where}: loss")))
    for name, value in line.items():
        if name.endswith(("_auc", "_pairs")):
            share = as_number(value, f"{where}: {name}")
            if not 0 <= share <= 1:
                raise SettingsError(f"{where}: {name} must be from 0 to 1, got {share:g}")
            validated.setdefault(name, []).append((step, share))


def thin(points: Sequence[tuple[float, float]]) -> Points:
    """At most `MOST_POINTS`, each the mean of as many neighbours.

    >>> len(thin([(n, 1.0) for n in range(1000)])), thin([(1, 2.0), (2, 4.0)])
    (250, [(1, 2.0), (2, 4.0)])
    """
    each = -(-len(points) // MOST_POINTS)
    if each == 1:
        return list(points)
    groups = (points[start : start + each] for start in range(0, len(points), each))
    return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]


def flatten(table: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by ``table.key``, two levels deep; deeper values stay as they are.

    >>> flatten({"name": "a", "loop": {"steps": 9}})
    {'name': 'a', 'loop.steps': 9}
    """
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= {f"{key}.{inner}": item for inner, item in value.items()}
        else:
            found[key] = value
    return found


def levers(runs: Sequence[Run]) -> list[str]:
    """The settings in which runs differ, by ``table.key``, other than their name."""
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    return [
        key
        for key in keys
        if key != "name" and any(run.settings.get(key) != runs[0].settings.get(key) for run in runs)
    ]

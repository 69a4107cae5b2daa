"""Slides of training: learning curves, and what the levers did."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from unmask.lab.pages.deck.material import Material
from unmask.lab.pages.deck.parts import Slide, columns, number, paragraph, plural, word
from unmask.lab.pages.deck.runs import Run, levers
from unmask.report.charts import Axis, Series, line_chart, round_axis
from unmask.report.document import figure, table

_MOST_LINES, _MOST_ROWS, _MOST_LEVERS = 8, 6, 3
_TOLD = (
    "loop.backbone", "loop.sees", "view.size_px", "view.margin_fraction", "pairs.forger",
    "pairs.pairs_per_step", "pairs.clean_share", "pairs.swap_share", "labelled.sampler",
    "labelled.crops_per_step", "loop.learning_rate", "loop.steps", "loop.hard_share", "loop.sam_radius",
    "loop.style_mix_share", "loop.ema_decay", "loop.seed",
)  # fmt: skip
"""Settings of a single run that are shown, where its recipe has them."""
CHANCE = 0.5


def learning(material: Material) -> Slide | None:
    """Loss and validation over the steps."""
    runs = material.runs[:_MOST_LINES]
    if not runs:
        return None
    loss = [Series(word(run.name, letters=24), run.loss, f"s{n}") for n, run in enumerate(runs)]
    last = max(run.loss[-1][0] for run in runs)
    steps, losses = round_axis("step", max(last, 1)), max(max(y for _, y in run.loss) for run in runs)
    chart = line_chart(loss, steps, round_axis("loss", losses), title="Loss by step")
    charts = [figure("Loss", chart)]
    validation = _validation(runs)
    if validation:
        lowest = min(y for one in validation for _, y in one.points)
        floor = min(0.5, lowest // 0.1 * 0.1)
        share = Axis("AUC or share", floor, 1, [floor, (floor + 1) / 2, 1])
        chance = Series("", [(0, 0.5), (last, 0.5)], "guide")
        title = "Validation by step; the dashed line is chance"
        charts.append(figure(title, line_chart([chance, *validation], steps, share, title=title)))
    paces = [run.images_per_second for run in runs if run.images_per_second]
    notes = ["Validation is of the running average of the weights, on people who are not trained on."]
    notes += [f"The last steps ran at {paces[0]:.0f} images a second."] if len(paces) == 1 else []
    notes.append("From log.jsonl of unmask train; long curves are averaged over neighbouring steps.")
    return Slide(_said(material.runs), columns(*charts), tuple(notes))


def what_helped(material: Material) -> Slide | None:
    """The settings in which runs differ and how each did; of a single run its main settings."""
    runs = [run for run in material.runs if run.settings]
    if not runs:
        return None
    if len(runs) == 1:
        rows = [
            [escape(word(key, letters=32)), _value(runs[0].settings[key])]
            for key in _TOLD
            if runs[0].settings.get(key) is not None
        ]
        if not rows:
            return None
        half = -(-len(rows) // 2)
        halves = [table(["setting", "value"], part) for part in (rows[:half], rows[half:]) if part]
        content = columns(*halves)
        notes = (
            "From recipe.json; a recipe's settings decide its weights. What each means: docs/lab/recipes.md.",
        )
        return Slide(f"Settings of {word(runs[0].name, letters=40)}", content, notes)
    return _levers(runs)


def _levers(runs: list[Run]) -> Slide:
    keys = levers(runs)[:_MOST_LEVERS]
    metric = next((name for run in runs for name in run.validated if name.endswith("_auc")), "")
    ranked = sorted(runs, key=lambda run: -_last(run, metric) if metric else run.loss[-1][1])
    head = [
        "run",
        *(escape(word(key, letters=24)) for key in keys),
        "steps",
        escape(word(f"{metric} at the end", letters=24) if metric else "loss at the end"),
    ]
    rows = [
        [
            escape(word(run.name, letters=24)),
            *(_value(run.settings.get(key)) for key in keys),
            number(run.steps),
            f"{_last(run, metric):.3f}" if metric in run.validated else f"{run.loss[-1][1]:.3f}",
        ]
        for run in ranked[:_MOST_ROWS]
    ]
    notes = (
        "One lever at a time: runs that differ in more than one setting do not say which of them helped.",
        "The best of many runs flatters: part of its lead is chance.",
    )
    shown = table(head, rows, text=1 + len(keys))
    if len(runs) > _MOST_ROWS:
        shown += paragraph(f"The {_MOST_ROWS} best of {len(runs)} runs.", style="soft")
    return Slide(f"What the levers did in {plural(len(runs), 'run')}", shown, notes)


def _validation(runs: list[Run]) -> list[Series]:
    if len(runs) == 1:
        curves = [(name, values) for name, values in runs[0].validated.items()]
    else:
        metric = next((name for run in runs for name in run.validated if name.endswith("_auc")), "")
        curves = [(run.name, run.validated[metric]) for run in runs if metric in run.validated]
    return [
        Series(word(name.replace("_", " "), letters=24), values, f"s{n}", True)
        for n, (name, values) in enumerate(curves[:_MOST_LINES])
    ]


def _said(runs: list[Run]) -> str:
    """What the curves come to, by the last validation of the first metric that there is."""
    done = f"{plural(sum(run.steps for run in runs), 'step')} in {plural(len(runs), 'run')}"
    metric = next((name for run in runs for name in run.validated if name.endswith("_auc")), "")
    known = [(run.validated[metric][-1][1], run.name) for run in runs if metric in run.validated]
    if not known:
        return done
    value, name = max(known)
    where = word(metric.removesuffix("_auc"), letters=24)
    if value <= CHANCE:
        return f"No better than chance on {where} after {done}"
    if len(known) == 1:
        return f"AUC {value:.3f} on {where} after {done}"
    if value == min(known)[0]:
        return f"No run is ahead: AUC {value:.3f} on {where} after {done}"
    return f"{word(name, letters=24)} does best of {len(known)} runs: AUC {value:.3f} on {where}"


def _last(run: Run, metric: str) -> float:
    return run.validated[metric][-1][1] if metric in run.validated else 0.0


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return escape(word(text, letters=20))

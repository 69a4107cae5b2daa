"""The slides of a deck, in order; each is left out where nothing was given that it could show."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from unmask.errors import DataError
from unmask.lab.datasets.video_index import usable
from unmask.lab.pages.deck import data, judged, training
from unmask.lab.pages.deck.material import FOUND, Material
from unmask.lab.pages.deck.parts import Slide, duration, number, plural
from unmask.version import __version__

SLIDES: tuple[Callable[[Material], Slide | None], ...] = (
    data.counts,
    data.playing,
    data.faces,
    data.flow,
    training.learning,
    training.what_helped,
    judged.good,
    judged.calibration,
    judged.mistakes,
    judged.submission,
    judged.limits,
)


def list_slides(material: Material, *, title: str) -> list[Slide]:
    """The title and all slides with something behind them.

    Args:
        material: What was given.
        title: Of the first slide.

    Raises:
        DataError: There is nothing to show.
    """
    slides = [slide for make in SLIDES if (slide := make(material)) is not None]
    if not slides:
        raise DataError("a deck needs something to show; the index has no usable video")
    return [_title(material, title), *slides]


def _title(material: Material, title: str) -> Slide:
    facts: list[tuple[str, str]] = []
    if material.frame is not None:
        facts.append((number(len(usable(material.frame))), "videos"))
    if material.cases:
        found = sum(one.status == FOUND for one in material.cases)
        facts.append((number(found), "with a face"))
    if material.runs:
        facts.append((number(sum(run.steps for run in material.runs)), "training steps"))
    if material.evaluation is not None:
        auc = material.evaluation.models[0].figures.get("auc")
        if auc is not None and auc.value is not None:
            clips = plural(len(material.evaluation.models[0].answers), "clip")
            facts.append((f"{auc.value:.2f}", f"AUC on {clips}"))
    if material.timing is not None:
        facts.append((duration(material.timing.seconds), "for the submission"))
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for value, name in facts)
    content = f'<dl class="facts">{listed}</dl><p class="soft">unmask {escape(__version__)}</p>'
    notes = ("Arrow keys move, o shows all slides, n these notes. On paper each slide is one page.",)
    return Slide(title, content, notes)

"""Slides of how good it is: ROC, calibration, worst mistakes, the submission, limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

import numpy as np

from unmask.errors import ModelError
from unmask.judge.calibration import bounded
from unmask.judge.card import card_path, read_card
from unmask.lab.datasets.explore import explore_index
from unmask.lab.datasets.video_index import usable
from unmask.lab.evaluate.metrics import calibration_bins, roc
from unmask.lab.pages.deck.material import Material, worst
from unmask.lab.pages.deck.measured import Judged, Measured, MeasuredValue
from unmask.lab.pages.deck.parts import (
    Slide,
    clause,
    columns,
    duration,
    number,
    picture,
    plural,
    points,
    word,
)
from unmask.lab.pages.deck.views import Still
from unmask.lab.pages.evaluation import HEADLINE
from unmask.lab.submit.run import OUT_OF_TIME
from unmask.report.charts import Axis, Series, histogram, line_chart
from unmask.report.document import figure, percent, table
from unmask.verdicts import Outcome

_MOST_MODELS, _MOST_POINTS, _MOST_LIMITS = 3, 400, 8
_TOLD = ("auc", "pair_accuracy", "recall", "false_alarms", "log_loss")
_CHALLENGE_VIDEOS, _CHALLENGE_HOURS = 4000, 9.0  # the challenge's public test set, and its limit for a kernel


def good(material: Material) -> Slide | None:
    """Figures with their intervals, and the ROC curve."""
    found = material.evaluation
    if found is None:
        return None
    models = found.models[:_MOST_MODELS]
    rows = [
        [HEADLINE[key], *(_interval(one.figures.get(key)) for one in models)]
        for key in _TOLD
        if any(one.figures.get(key) for one in models)
    ]
    head = ["per video", *(escape(word(one.name, letters=14)) for one in models)]
    lines = [Series(word(one.name, letters=20), _roc_points(one), f"s{n}") for n, one in enumerate(models)]
    lines = [one for one in lines if one.points]
    chart = ""
    if lines:
        diagonal = Series("", [(0, 0), (1, 1)], "guide")
        axes = Axis("false alarms"), Axis("fakes found")
        chart = figure("ROC; the dashed line is chance", line_chart([diagonal, *lines], *axes, title="ROC"))
    answers = models[0].answers
    fakes = sum(one.fake for one in answers)
    auc = models[0].figures.get("auc")
    title = f"{plural(len(answers), 'clip')} measured, with no AUC to be had"
    if auc is not None and auc.value is not None:
        between = "" if auc.low is None or auc.high is None else f" ({auc.low:.2f} to {auc.high:.2f})"
        title = f"AUC {auc.value:.2f}{between} on {plural(len(answers), 'clip')}"
    notes = (
        f"{word(found.name)}: {fakes} fake and {len(answers) - fakes} real clips of {found.originals} "
        "originals. "
        "AUC is how often a random fake scores above a random real; 0.5 is chance.",
        "Intervals hold 95 %, from resampling originals with everything made from them. Clips "
        "without a number "
        "are counted elsewhere, not scored. From unmask evaluate.",
    )
    figures = table(head, rows) if rows else ""
    if len(found.models) > _MOST_MODELS:
        figures += f'<p class="soft">The first {_MOST_MODELS} of {len(found.models)} models.</p>'
    return Slide(title, columns(*filter(None, (chart, figures))), notes)


def calibration(material: Material) -> Slide | None:
    """Whether 0.8 means 80 %."""
    if material.evaluation is None:
        return None
    first = material.evaluation.models[0]
    scored = first.scored()
    if scored is None:
        return None
    stated = [(float(a), float(b)) for a, b, _ in calibration_bins(scored)]
    lines = [Series("", [(0, 0), (1, 1)], "guide"), Series(word(first.name, letters=24), stated, "s0", True)]
    reliability = line_chart(lines, Axis("stated p_fake"), Axis("true share of fakes"), title="Reliability")
    groups = [
        (name, name, [one.p_fake for one in first.answers if one.p_fake is not None and one.fake == fake])
        for name, fake in (("real", False), ("fake", True))
    ]
    spread = histogram(groups, Axis("p_fake"), title="Scores by class")
    error = first.figures.get("rms_calibration_error")
    title = "How far the stated probabilities hold"
    if error is not None and error.value is not None:
        title = f"Stated probabilities are off by {error.value:.2f}"
        if error.low is not None and error.high is not None:
            title += f" ({error.low:.2f} to {error.high:.2f})"
    notes = (
        f"Points on the dashed line are honest: of clips with 0.8 stated, 80 % are fake. {word(first.name)} "
        "calls a clip "
        f"fake from {first.fake_at_least:.2f} on.",
        "Probabilities hold for a mix like that of these clips. Where fakes are rare, most alarms are false.",
    )
    content = columns(
        figure("Reliability, bins of equal count", reliability), figure("Scores by class", spread)
    )
    return Slide(title, content, notes)


def mistakes(material: Material) -> Slide | None:
    """Reals that look most fake, and fakes that look most real."""
    if material.evaluation is None:
        return None
    first = material.evaluation.models[0]
    reals, fakes = worst(first.answers)
    if not reals and not fakes:
        return None
    halves = [
        f"<h3>{title}</h3>" + "".join(_mistake(one, material.views.get(("strip", one.name))) for one in some)
        for title, some in (("Reals that look most fake", reals), ("Fakes that look most real", fakes))
        if some
    ]
    threshold = first.fake_at_least
    alarms = sum(not one.fake and one.outcome is Outcome.FAKE for one in first.answers)
    missed = sum(one.fake and one.outcome is Outcome.REAL for one in first.answers)
    title = f"Worst mistakes: {plural(alarms, 'real')} called fake, {plural(missed, 'fake')} called real"
    notes = (
        f"By {word(first.name)}, which calls a clip fake from {threshold:.2f} on. The clips with the "
        "largest error are "
        "shown, also where the verdict was right or unsure.",
    )
    return Slide(title, columns(*halves), notes)


def _mistake(answer: Judged, view: object) -> str:
    told = f"{bounded(answer.p_fake or 0.0):.2f} {answer.outcome.value}: {word(answer.name, letters=30)}"
    reason = clause(answer.reason)
    if isinstance(view, Still):
        shown = picture(
            view, f"Faces of {answer.name}", f"{told}. {reason}", style="fake" if answer.fake else "real"
        )
    else:
        shown = f"<p>{escape(f'{told}. {reason}')}</p>"
        shown += f'<p class="soft">No picture: {escape(clause(str(view), letters=120))}</p>' if view else ""
    return f'<div class="mistake">{shown}</div>'


def submission(material: Material) -> Slide | None:
    """The labels that were handed in, and the time that it took."""
    if not material.labels and material.timing is None:
        return None
    timing, labels = material.timing, material.labels
    parts, facts, title = [], [], f"Submission of {plural(len(labels), 'row')}"
    if labels:
        chart = histogram([("videos", "s0", labels)], Axis("label: probability of a fake"), title="Labels")
        parts.append(figure("Labels handed in", chart))
    if timing is not None:
        each = timing.seconds / max(timing.rows, 1)
        title = f"{plural(timing.rows, 'video')} in {duration(timing.seconds)}, {duration(each)} each"
        facts += [[escape(word(name, letters=24)), number(n)] for name, n in timing.outcomes.most_common(8)]
        if timing.frames:
            fewest, most = min(timing.frames), max(timing.frames)
            span = f"{most}" if fewest == most else f"{fewest} to {most}"
            facts.append(["frames given to a video", span])
        facts.append(["label where there is no number", f"{timing.fallback:g}"])
        hours = each * _CHALLENGE_VIDEOS / 3600
        facts.append(
            [f"{_CHALLENGE_VIDEOS:,} videos at this pace, of {_CHALLENGE_HOURS:g} h", f"{hours:.1f} h"]
        )
        parts.append(table(["outcome", "videos"], facts))
    notes = (
        "The DeepFake Detection Challenge scored log loss: a wrong answer that is sure of itself "
        "costs most, so "
        "labels are clipped. Saying 0.5 for everything gives 0.693.",
        "The time for a full test set is this pace carried on; other videos and machines differ.",
    )
    return Slide(title, columns(*parts), notes)


def limits(material: Material) -> Slide | None:
    """What these results do not show, from the results themselves."""
    told = [*_limits_of_data(material), *_limits_of_scores(material), *_limits_of_runs(material)]
    if material.timing is not None:
        late = material.timing.outcomes[OUT_OF_TIME]
        silent = ("no_face", "unreadable", "error", "absent")
        guessed = sum(material.timing.outcomes[name] for name in silent) + late
        if guessed:
            told.append(
                f"{number(guessed)} of {number(material.timing.rows)} rows of the submission are the "
                "fallback, "
                f"{number(late)} of them for want of time."
            )
    if not told:
        return None
    notes = ("Each line follows from the files that this deck was made from, or stands on the model's card.",)
    return Slide("What this does not show", points(told[:_MOST_LIMITS]), notes)


def _limits_of_data(material: Material) -> list[str]:
    if material.frame is None or not len(usable(material.frame)):
        return []
    every = explore_index(material.frame).counts[-1]
    told = []
    if every.absent:
        told.append(
            f"{number(every.absent)} of {number(every.originals)} originals are not in the set, so "
            "their fakes "
            "have nothing to be compared with."
        )
    if not (every.fake and every.real):
        told.append("The set holds one class only, so nothing can be learned or measured on it alone.")
    return told


def _limits_of_scores(material: Material) -> list[str]:
    if material.evaluation is None:
        return []
    first, told = material.evaluation.models[0], []
    auc = first.figures.get("auc")
    if auc is not None and auc.low is not None and auc.high is not None and auc.low == auc.high:
        told.append(
            f"The AUC rests on {plural(material.evaluation.originals, 'original')}, too few to say more."
        )
    elif auc is not None and auc.low is not None and auc.high is not None:
        told.append(
            f"The AUC rests on {plural(material.evaluation.originals, 'original')}: anything from "
            f"{auc.low:.2f} to "
            f"{auc.high:.2f} fits what was seen."
        )
    by = Counter(one.outcome for one in first.answers)
    silent = sum(count for outcome, count in by.items() if not outcome.has_number)
    if silent:
        told.append(
            f"{percent(silent / len(first.answers))} of the clips got no number, and no score counts them."
        )
    if by[Outcome.UNSURE]:
        told.append(f"{percent(by[Outcome.UNSURE] / len(first.answers))} of the clips ended as unsure.")
    return told + _limits_of_card(first)


def _limits_of_card(model: Measured) -> list[str]:
    """What the shipped model's card says, if that is what was measured."""
    try:
        card = read_card(card_path())
    except ModelError:
        return []
    return [clause(text, letters=260) for text in card.limits[:3]] if card.sha256 == model.sha256 else []


def _limits_of_runs(material: Material) -> list[str]:
    told = []
    short = [run for run in material.runs if run.steps < run.planned]
    if short:
        told.append(f"{plural(len(short), 'run')} did not reach the last planned step.")
    blind = [run for run in material.runs if not run.validated]
    if blind:
        told.append(f"{plural(len(blind), 'run')} had nothing to validate on.")
    return told


def _interval(found: MeasuredValue | None) -> str:
    if found is None or found.value is None:
        return "-"
    between = (
        ""
        if found.low is None or found.high is None
        else f" <small>{found.low:.2f} to {found.high:.2f}</small>"
    )
    return f"{found.value:.3f}{between}"


def _roc_points(model: Measured) -> Sequence[tuple[float, float]]:
    scored = model.scored()
    if scored is None:
        return []
    curve = roc(scored)
    places = np.unique(np.linspace(0, len(curve.hits) - 1, _MOST_POINTS).round().astype(int))
    return [(float(curve.false_alarms[place]), float(curve.hits[place])) for place in places]

"""The page of an evaluation: one HTML file that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from unmask.errors import DataError
from unmask.lab.evaluate.metrics import Scored, calibration_bins, precision_recall, roc
from unmask.lab.evaluate.summary import Judged
from unmask.reasons import sentences
from unmask.report.charts import Axis, Series, histogram, line_chart
from unmask.report.document import document, figure, jpeg_url, percent, section, table
from unmask.verdicts import Outcome

HEADLINE = {
    "auc": "AUC",
    "pair_accuracy": "fake above its own original",
    "average_precision": "average precision",
    "equal_error_rate": "equal error rate",
    "recall_at_1_percent_false_alarms": "recall at 1 % false alarms",
    "recall_at_5_percent_false_alarms": "recall at 5 % false alarms",
    "accuracy": "accuracy at the threshold",
    "recall": "recall at the threshold",
    "false_alarms": "false alarms at the threshold",
    "log_loss": "log loss",
    "brier": "Brier score",
    "rms_calibration_error": "calibration error",
}
"""Figures of videos, by their name in ``metrics.json``, and how the page calls them."""
MISTAKES = 6
ORIGINALS = 20
_P_FAKE = "p_fake"
_NONE = "-"


def evaluation_page(summary: dict[str, Any], judged: Sequence[Judged]) -> str:
    """The whole page.

    Args:
        summary: From `unmask.lab.evaluate.summary.summarise`.
        judged: The models that it was made from, in the same order.
    """
    styles = {one.model: f"s{number % 8}" for number, one in enumerate(judged)}
    reals = summary["clips"] - summary["fakes"]
    intro = (
        f"<p>{summary['clips']} clips: {reals} real, {summary['fakes']} fake, of {summary['originals']} "
        "originals. Intervals hold 95 %; they come from resampling originals, each with everything made "
        "from it. Figures in the first tables are of the clips that got a number.</p>"
    )
    parts = [
        section("How good", intro + _headline(summary) + _levels(summary) + _differences(summary)),
        section("How many got an answer", _coverage(summary)),
        section("Curves", _curves(summary, judged, styles)),
        section("Scores by class", _histograms(judged)),
        section("By kind of clip", _slices(summary)),
    ]
    if "ladder" in summary:
        parts.append(section("Robustness", _ladder(summary, styles)))
    if "everyday" in summary:
        parts.append(section("What people do to clips every day", _everyday(summary)))
    parts += [
        section("Worst mistakes", "".join(_mistakes(one) for one in judged)),
        section("Originals that are ranked worst", "".join(_originals(summary, one) for one in judged)),
    ]
    return document(f"Evaluation: {summary['set']}", parts, foot=f"unmask {summary['unmask']}")


def _interval(found: dict[str, Any] | None) -> str:
    if not found or found["value"] is None:
        return _NONE
    low, high = found["low"], found["high"]
    between = "" if low is None else f" <small>{low:.2f} to {high:.2f}</small>"
    return f"{found['value']:.3f}{between}"


def _headline(summary: dict[str, Any]) -> str:
    models = summary["models"]
    rows = []
    for key, name in HEADLINE.items():
        rows.append([escape(name), *(_interval(one.get("video", {}).get(key)) for one in models.values())])
    for key in ("log_loss", "brier", "rms_calibration_error"):
        cells = (_interval(one.get("recalibrated", {}).get(key)) for one in models.values())
        rows.append([f"{HEADLINE[key]}, calibrated on other originals", *cells])
    problems = "".join(
        f'<p class="warn">{escape(name)}: {escape(one[key])}</p>'
        for name, one in models.items()
        for key in ("problem", "recalibrated_problem")
        if key in one
    )
    thresholds = [f"{one['fake_at_least']:.2f}" for one in models.values()]
    rows.append(["threshold, called fake from here on", *thresholds])
    return problems + table(["per video", *map(escape, models)], rows)


def _levels(summary: dict[str, Any]) -> str:
    rows = []
    for name, one in summary["models"].items():
        for level in ("video", "person", "frame"):
            found = one.get(level)
            if found:
                cells = (_interval(found[key]) for key in ("auc", "pair_accuracy", "log_loss", "brier"))
                rows.append([escape(name), level, str(found["count"]), *cells])
    note = "<p>People and frames have their video's label: a real bystander in a fake counts as fake.</p>"
    head = ["model", "per", "count", "AUC", "fake above its own original", "log loss", "Brier score"]
    return table(head, rows, text=2) + note


def _differences(summary: dict[str, Any]) -> str:
    rows = []
    for one in summary["differences"]:
        for key in ("auc", "pair_accuracy", "log_loss"):
            gap = one.get(key)
            if gap is None or gap["value"] is None:
                continue
            lowest = 2 / summary["draws"]
            p = f"{gap['p_value']:.3f}" if gap["p_value"] >= lowest else f"under {lowest:.3f}"
            pair = f"{escape(one['first'])} less {escape(one['second'])}"
            rows.append([pair, HEADLINE[key], str(one["clips"]), _interval(gap), p])
    if not rows:
        return ""
    head = ["paired difference", "of", "clips", "value", "p"]
    note = "<p>Both models meet the same resampled originals; log loss is calibrated on other originals.</p>"
    return table(head, rows, text=2) + note


def _coverage(summary: dict[str, Any]) -> str:
    rows = []
    for name, one in summary["models"].items():
        for label, counts in one["coverage"].items():
            share = percent(counts["judged"] / counts["clips"]) if counts["clips"] else _NONE
            outcomes = (str(counts[outcome.value]) for outcome in Outcome)
            rows.append([escape(name), label, str(counts["clips"]), share, *outcomes])
    head = ["model", "label", "clips", "got a number", *(outcome.value for outcome in Outcome)]
    notes = "".join(
        f"<p>{escape(name)}: log loss over all clips, with {one['fallback']['p_fake']:g} for those without a "
        f"number: {one['fallback']['log_loss']:.3f}.</p>"
        for name, one in summary["models"].items()
    )
    return table(head, rows, text=2) + notes


def _curves(summary: dict[str, Any], judged: Sequence[Judged], styles: dict[str, str]) -> str:
    diagonal = Series("", [(0, 0), (1, 1)], "guide")

    def chart(points: Callable[[Scored], list[tuple[float, float]]], *, marks: bool = False) -> list[Series]:
        return [
            Series(one.model, points(scored), styles[one.model], marks)
            for one in judged
            if (scored := _videos(one)) is not None
        ]

    def roc_points(scored: Scored) -> list[tuple[float, float]]:
        curve = roc(scored)
        return [(float(a), float(b)) for a, b in zip(curve.false_alarms, curve.hits, strict=True)]

    def precision_points(scored: Scored) -> list[tuple[float, float]]:
        precision, recall = precision_recall(scored)
        return [(float(a), float(b)) for a, b in zip(recall, precision, strict=True)]

    def reliability_points(scored: Scored) -> list[tuple[float, float]]:
        return [(stated, true) for stated, true, _ in calibration_bins(scored)]

    charts = {
        "ROC": ([diagonal, *chart(roc_points)], "false alarms", "fakes found"),
        "Precision and recall": (chart(precision_points), "recall", "precision"),
        "Reliability: stated against true share of fakes, five bins of equal count": (
            [diagonal, *chart(reliability_points, marks=True)],
            "stated p_fake",
            "true share",
        ),
    }
    drawn = [
        figure(title, line_chart(series, Axis(x), Axis(y), title=title))
        for title, (series, x, y) in charts.items()
    ]
    return f'<div class="charts">{"".join(drawn)}{_clipping(summary, styles)}</div>'


def _clipping(summary: dict[str, Any], styles: dict[str, str]) -> str:
    series = [
        Series(name, [(clip, loss) for clip, loss in one["clipping"]], styles[name], True)
        for name, one in summary["models"].items()
        if "clipping" in one
    ]
    if not series:
        return ""
    losses = [loss for one in series for _, loss in one.points]
    low, high = min([*losses, 0.6]), max([*losses, 0.75])
    y = Axis("log loss", low, high, [low, 0.693, high] if low < 0.66 and high > 0.72 else [low, high])
    x = Axis("clipping", 0.0001, 0.35, (0.0001, 0.001, 0.01, 0.1), logarithmic=True)
    guide = Series("", [(0.0001, 0.693), (0.35, 0.693)], "guide")
    note = (
        "Log loss against clipping: p_fake is kept within the limit and one less it. At the line, 0.693,"
        " a model knows nothing. Choosing the limit on the clips it is told of flatters a little."
    )
    return figure(note, line_chart([guide, *series], x, y, title="Log loss against clipping"))


def _histograms(judged: Sequence[Judged]) -> str:
    charts = []
    for one in judged:
        scores: dict[bool, list[float]] = {False: [], True: []}
        for clip, ruling in zip(one.clips, one.rulings, strict=True):
            if ruling.p_fake is not None:
                scores[clip.fake].append(ruling.p_fake)
        groups = [("real", "real", scores[False]), ("fake", "fake", scores[True])]
        charts.append(figure(one.model, histogram(groups, Axis(_P_FAKE), title=f"Scores of {one.model}")))
    return f'<div class="charts">{"".join(charts)}</div>'


def _slices(summary: dict[str, Any]) -> str:
    rows = []
    for name, one in summary["models"].items():
        for row in one.get("slices", []):
            means = (_NONE if row[key] is None else f"{row[key]:.2f}" for key in ("p_real", "p_fake"))
            counts = [str(row["clips"]), str(row["fakes"])]
            cells = [escape(name), row["kind"], escape(row["value"]), *counts, *means]
            rows.append(
                [*cells, percent(row["accuracy"]), _interval(row["false_alarms"]), _interval(row["auc"])]
            )
    if not rows:
        return "<p>All clips are of one kind.</p>"
    head = ["model", "by", "kind", "clips", "fakes", "mean p_fake of reals", "of fakes", "right"]
    return _uneven(summary) + table([*head, "reals called fake", "AUC"], rows, text=3)


def _uneven(summary: dict[str, Any]) -> str:
    """A warning for each group that is called fake far more often than others."""
    return "".join(
        f'<p class="warn">{escape(name)}: reals of {escape(row["kind"])} {escape(row["value"])} are called '
        f"fake {row['times']:.1f} times as often as all ({percent(row['false_alarms']['value'])} of "
        f"{row['clips'] - row['fakes']}).</p>"
        for name, one in summary["models"].items()
        for row in one.get("uneven", [])
    )


def _ladder(summary: dict[str, Any], styles: dict[str, str]) -> str:
    found = summary["ladder"]
    out, rows = [], []
    for name, steps in found["distortions"].items():
        series = []
        for model, style in styles.items():
            points = [(0.0, found["clean"][model]["auc"])]
            points += [
                (float(level), step["models"][model]["auc"]) for level, step in enumerate(steps, start=1)
            ]
            known = [(level, value) for level, value in points if value is not None]
            series.append(Series(model, known, style, True))
            cells = [_NONE if value is None else f"{value:.2f}" for _, value in points]
            judged = min(step["models"][model]["judged"] for step in steps)
            rows.append([escape(model), escape(name), *cells, str(judged)])
        guide = Series("", [(0, 0.5), (5, 0.5)], "guide")
        amounts = ", ".join(f"{step['amount']:g}" for step in steps)
        axis = Axis("level", 0, 5, range(6))
        chart = line_chart([guide, *series], axis, Axis("AUC"), title=f"AUC under {name}")
        out.append(figure(f"{name}: {found['about'][name]}; {amounts}", chart))
    head = ["model", "distortion", "none", "1", "2", "3", "4", "5", "fewest judged"]
    intro = (
        f"<p>AUC when the {found['frames']} sampled frames of each clip are made worse before faces are "
        "looked for, at five levels. Noise comes from a seed that depends on the clip's name only.</p>"
    )
    return intro + table(head, rows, text=2) + f'<div class="charts">{"".join(out)}</div>'


def _everyday(summary: dict[str, Any]) -> str:
    found = summary["everyday"]
    rows = []
    for name, models in found["changes"].items():
        for model, one in models.items():
            called = [
                _called(one[word], outcome) for word in ("reals", "fakes") for outcome in ("fake", "real")
            ]
            area = one["auc"]["auc"]
            told = [str(one["lost"]), str(one["real_to_fake"]), _NONE if area is None else f"{area:.2f}"]
            rows.append([escape(model), escape(name), escape(found["about"][name]), *called, *told])
    head = [
        "model", "change", "what is done", "reals called fake", "reals called real", "fakes called fake",
        "fakes called real", "clear verdicts lost", "real turned fake", "AUC",
    ]  # fmt: skip
    intro = (
        f"<p>The first {found['seconds']:g} seconds of {found['clips']['tried']} of "
        f"{found['clips']['asked']} clips; the others have no face or cannot be read. Each change makes a "
        "file of its own, and who is shown stays who it was.</p>"
    )
    return intro + table(head, rows, text=3)


def _called(outcomes: dict[str, int], outcome: str) -> str:
    return f"{outcomes.get(outcome, 0)} of {sum(outcomes.values())}"


def _mistakes(judged: Judged) -> str:
    places = judged.places
    reals = sorted((p for p in places if not judged.clips[p].fake), key=lambda p: -_number(judged, p))
    fakes = sorted((p for p in places if judged.clips[p].fake), key=lambda p: _number(judged, p))
    columns = [
        f"<h4>{title}</h4>" + "".join(_strip(judged, place) for place in chosen[:MISTAKES])
        for title, chosen in (("Reals that look most fake", reals), ("Fakes that look most real", fakes))
    ]
    cells = "".join(f"<div>{column}</div>" for column in columns)
    return f'<h3>{escape(judged.model)}</h3><div class="mistakes">{cells}</div>'


def _strip(judged: Judged, place: int) -> str:
    clip, ruling, strip = judged.clips[place], judged.rulings[place], judged.findings[place].strip
    image = f'<img alt="faces of {escape(clip.name, quote=True)}" src="{jpeg_url(strip)}">'
    why = escape(sentences(ruling.reasons))
    line = f"<b>{_number(judged, place):.2f}</b> {escape(clip.name)} <small>{why}</small>"
    return f"<figure>{image if strip else ''}<figcaption>{line}</figcaption></figure>"


def _number(judged: Judged, place: int) -> float:
    p_fake = judged.rulings[place].p_fake
    return 0.5 if p_fake is None else p_fake


def _originals(summary: dict[str, Any], judged: Judged) -> str:
    rows = [
        [escape(row["original"]), _cell(row["p_real"]), _cell(row["p_fake_mean"]), str(row["fakes"])]
        for row in summary["models"][judged.model].get("originals", [])[:ORIGINALS]
    ]
    if not rows:
        return ""
    head = ["original", "its p_fake", "mean p_fake of its fakes", "fakes"]
    return f"<h3>{escape(judged.model)}</h3>" + table(head, rows)


def _cell(value: float | None) -> str:
    return _NONE if value is None else f"{value:.2f}"


def _videos(judged: Judged) -> Scored | None:
    try:
        return judged.videos()
    except DataError:  # one class only; the page says so elsewhere
        return None

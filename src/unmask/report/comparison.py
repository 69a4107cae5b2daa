"""The page of an original and a copy: one video in step, what differs, and both timelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from unmask.config import BatchSettings, DecodeSettings
from unmask.errors import MediaError, why_unreadable
from unmask.judge.calibration import Thresholds
from unmask.judge.conclude import thresholds_of
from unmask.judge.limits import limits_for
from unmask.reasons import Reason
from unmask.report.cards import card_of
from unmask.report.cautions import deciding
from unmask.report.document import Outfit, data_url, dressed, percent, section, table
from unmask.report.options import ReportOptions
from unmask.report.page import STYLE, shown_name
from unmask.report.sections import in_words, made_on
from unmask.report.words import Words
from unmask.verdicts import Verdict
from unmask.video.comparing import AMPLIFIED, MOST_SECONDS, Comparison, compare_films
from unmask.video.film import open_film
from unmask.work.each import Do, Failure, Tell, run_each

_STYLE = Path(__file__).with_name("comparison.css").read_text(encoding="utf-8")
_SCRIPT = Path(__file__).with_name("comparison.js").read_text(encoding="utf-8")
MAX_RUNS = 20
_WIDTH, _HEIGHT = 1000.0, 100.0

Pair = tuple[str, str, DecodeSettings]
"""Original, copy, and the limits that they meet."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two.

    Attributes:
        verdict: What was found in it, with the name to be shown as its path.
        source: The file.
    """

    verdict: Verdict
    source: Path


def load_comparing() -> Do[Pair, Comparison | Reason]:
    """What a child process does with two files, since hostile bytes may crash a decoder."""
    return _compare


def _compare(task: Pair, _: Tell) -> Comparison | Reason:
    original, copy, settings = task
    try:
        return compare_films(open_film(original, settings), open_film(copy, settings))
    except (MediaError, OSError) as error:
        return why_unreadable(error)


def render_comparison(original: Side, copy: Side, options: ReportOptions) -> str:
    """The text of an HTML page that asks nothing from anywhere.

    Args:
        original: The longer one, as a rule.
        copy: Its clock is that of the video.
        options: As for a report.
    """
    task = (str(original.source), str(copy.source), options.settings.decode)
    batch = BatchSettings(jobs=1, time_limit_seconds=options.time_limit_seconds)
    limits = limits_for(options.settings, options.limits)
    ((_, answer),) = list(run_each([task], load_comparing, batch, limits=limits))
    words = Words(options.language)
    if isinstance(answer, Failure):
        answer = answer.reason
    if isinstance(answer, Reason):
        parts = [_problem(answer, words)]
    else:
        parts = _found(original, copy, answer, options)
    playable = isinstance(answer, Comparison) and answer.video is not None
    outfit = Outfit(
        language=options.language, style=STYLE + _STYLE, script=_SCRIPT if playable else "", media="data:"
    )
    names = {"original": _name(original), "copy": _name(copy)}
    foot = words("foot", version=copy.verdict.unmask, made=made_on(options))
    return dressed(words("compare_title", **names), parts, foot=foot, outfit=outfit)


def _name(side: Side) -> str:
    return shown_name(Path(side.verdict.path))


def _problem(reason: Reason, words: Words) -> str:
    told = f"{escape(words('compare_failed'))} ({in_words((reason,), '', words)})"
    return section(words("video"), f"<p>{told}</p>")


def _found(original: Side, copy: Side, found: Comparison, options: ReportOptions) -> list[str]:
    words = Words(options.language)
    names = {"original": _name(original), "copy": _name(copy)}
    share = words("compare_share", share=percent(found.share), **names)
    if found.difference is not None:
        share += " " + words("compare_difference", level=words.number(found.difference))
    text = f"<p>{escape(share)}</p><p>{escape(words('compare_note', seconds=f'{MOST_SECONDS:g}'))}</p>"
    tracks = "".join(
        _track(side, found, options, clock=clock) for side, clock in ((original, "original"), (copy, "copy"))
    )
    return [
        section(words("compare_step"), _player(original, copy, found, words) + text),
        section(words("compare_tracks"), f"<p>{escape(words('compare_tracks_note'))}</p>{tracks}"),
        section(words("compare_runs"), _runs(found, words, names)),
    ]


def _player(original: Side, copy: Side, found: Comparison, words: Words) -> str:
    if found.video is None:
        return f"<p>{escape(words('compare_too_large'))}</p>"
    labels = (_name(original), _name(copy), words("compare_panel", times=f"{AMPLIFIED:g}"))
    panels = "".join(f"<span>{escape(label)}</span>" for label in labels)
    video = (
        f'<video controls playsinline preload="auto" aria-label="{escape(words("compare_label"))}" '
        f'data-copy="{_times(found.copy_seconds)}" data-original="{_times(found.original_seconds)}" '
        f'src="{data_url(found.video)}"></video>'
    )
    return f'<div class="step">{video}<div class="panels">{panels}</div></div>'


def _times(times: Sequence[float | None]) -> str:
    return " ".join("-" if time is None else f"{time:.3f}" for time in times)


def _track(side: Side, found: Comparison, options: ReportOptions, *, clock: str) -> str:
    """The most suspicious person of one of the two, over its own time, without what the other lacks."""
    words, verdict = Words(options.language), side.verdict
    start, end = verdict.start_seconds, max(verdict.end_seconds, verdict.start_seconds + 1e-3)

    def x(time: float) -> float:
        return _WIDTH * min(max((time - start) / (end - start), 0.0), 1.0)

    person = deciding(verdict)
    frames = person.frames if person is not None else ()
    scored = [(x(one.time_seconds), one.p_fake) for one in frames if one.p_fake is not None]
    dots = "".join(f"M{place:.1f},{_HEIGHT * (1 - p_fake):.1f}h0" for place, p_fake in scored)
    gone = "".join(
        f'<rect class="gone" x="{x(first):.1f}" y="0" width="{max(x(last) - x(first), 0.5):.1f}" '
        f'height="{_HEIGHT:g}"/>'
        for first, last in _lacking(found, start, end, clock=clock)
    )
    name = words("compare_track", name=_name(side), verdict=words(f"word_{verdict.outcome}"))
    number = "" if verdict.p_fake is None else f", {words.percent(verdict.p_fake)}"
    role = (
        f'role="slider" tabindex="0" aria-valuemin="{start:.3f}" aria-valuemax="{end:.3f}" '
        f'aria-valuenow="{start:.3f}" aria-valuetext="{escape(words.seconds(start))}"'
        if found.video is not None
        else 'role="img"'
    )
    return (
        f"<h3>{escape(name + number)}</h3>"
        f'<div class="track" {role} aria-label="{escape(name)}" data-clock="{clock}" '
        f'data-start="{start:.3f}" data-end="{end:.3f}" data-nothing="{escape(words("compare_lacking"))}">'
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" aria-hidden="true">'
        f'{gone}{_limit(_thresholds(verdict, options))}<path class="dots" d="{dots}"/></svg>'
        f'<i class="cursor"></i></div><small>{escape(words.span(start, end))}</small>'
    )


def _thresholds(verdict: Verdict, options: ReportOptions) -> Thresholds | None:
    card = card_of(verdict, options.settings)
    return thresholds_of(card, options.settings, still=verdict.is_still) if card else None


def _limit(thresholds: Thresholds | None) -> str:
    if thresholds is None:
        return ""
    y = f"{_HEIGHT * (1 - thresholds.fake_at_least):.1f}"
    return f'<line class="limit" x1="0" x2="{_WIDTH:g}" y1="{y}" y2="{y}"/>'


def _lacking(found: Comparison, start: float, end: float, *, clock: str) -> list[tuple[float, float]]:
    """Spans of one film that the other does not show."""
    if clock == "copy":
        return [(run[0], run[1]) for run in found.runs() if run[2] is None]
    spans = sorted((run[2], run[3]) for run in found.runs() if run[2] is not None and run[3] is not None)
    gaps, reached = [], start
    for first, last in spans:
        if first > reached + 0.3:
            gaps.append((reached, first))
        reached = max(reached, last)
    end = min(end, found.original_span[1])
    return [*gaps, (reached, end)] if end > reached + 0.3 else gaps


def _runs(found: Comparison, words: Words, names: Mapping[str, str]) -> str:
    rows = [
        [
            escape(words.span(first, last)),
            escape(words("compare_lacking") if there is None or until is None else words.span(there, until)),
        ]
        for first, last, there, until in found.runs()[:MAX_RUNS]
    ]
    head = [f"<bdi>{escape(names[side])}</bdi>" for side in ("copy", "original")]
    return table(head, rows, text=2)

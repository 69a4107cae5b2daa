"""The parts of a report that are pictures: the recording, and each person with timeline, strips and heat."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from urllib.parse import quote

from unmask.judge.heat_trials import CHANCE, RANDOM_PLACES, HeatTrial
from unmask.reasons import shown_number
from unmask.report.document import data_url, jpeg_url, section
from unmask.report.film import film_strip, limits_of
from unmask.report.looking import shown_people
from unmask.report.sections import MARKS, Story, in_words
from unmask.report.seen import Heat, Pictures, Strip
from unmask.report.timeline import timeline
from unmask.report.words import Words, short_percent
from unmask.shown import visible
from unmask.verdicts import Person

FEW = 6
"""Judged frames of a person that are shown in one row; of more, the most and the least suspicious."""

_NOTICED, _CLEARLY = 0.9, 0.5  # what is left of the odds where a change is told, and told as a clear one


def recording(story: Story, source: Path, folder: Path | None) -> str:
    """The film at a glance, the video to play, and for paper the frame that says most.

    Args:
        story: Of the report.
        source: The file.
        folder: Where the page will lie; None where a server has it.
    """
    words, seen = story.words, story.seen
    if seen.problem:
        detail = f" ({in_words((seen.detail,), '', words)})" if seen.detail else ""
        told = f"<p>{escape(words(seen.problem))}{detail}</p>"
        return section(words("video"), film_strip(story, playable=False) + told)
    still = f'<img class="still" alt="{escape(words("still_note"))}" src="{jpeg_url(seen.still)}">'
    address, note = video_address(story, source, folder)
    if not address:
        strip = film_strip(story, playable=False)
        return section(words("video"), strip + still + f"<p>{escape(note)}</p>") if seen.still else ""
    poster = f' poster="{jpeg_url(seen.still)}"' if seen.still else ""
    load = "auto" if address.startswith("data:") else "metadata"
    video = (
        f'<video controls playsinline preload="{load}"{poster} data-first="{_first(story):.3f}" '
        f'aria-label="{escape(words("video_label"))}" src="{escape(address)}"></video>'
    )
    shown = (
        f'<div class="watched">{video}{still if seen.still else ""}<p><small>{escape(note)}</small></p></div>'
    )
    return section(words("video"), film_strip(story, playable=True) + shown)


def video_address(story: Story, source: Path, folder: Path | None) -> tuple[str, str]:
    """Address of what is played, empty for nothing, and what to say of it."""
    words, seen = story.words, story.seen
    if story.options.media_url:
        return story.options.media_url, words("video_served")
    if seen.preview is not None:
        return data_url(seen.preview), words("video_note")
    if story.verdict.end_seconds <= story.verdict.start_seconds or folder is None or not seen.facts:
        return "", words("video_note")
    path = os.path.relpath(source.absolute(), folder.absolute())
    note = words("video_linked", path=visible(str(source.absolute())))
    return quote(os.fsencode(path)), note


def _first(story: Story) -> float:
    """Container time at which the video that is played begins."""
    if story.seen.preview is not None and not story.options.media_url:
        return story.verdict.start_seconds
    return story.seen.facts.first_seconds if story.seen.facts else 0.0


def people(story: Story, *, playable: bool) -> str:
    """Everyone judged, most suspicious first."""
    words = story.words
    shown = shown_people(story.verdict)
    if not shown:
        return ""
    pictures = {one.person: one for one in story.seen.people}
    parts = [_person(story, person, pictures.get(person.id), playable=playable) for person in shown]
    judged = sum(person.p_fake is not None for person in story.verdict.people)
    jump = f' <span class="screen">{escape(words("people_jump"))}</span>' if playable else ""
    note = f"<p>{escape(words('people_note'))}{jump}</p>"
    if story.seen.brightened:
        note += f"<p>{escape(words('brightened'))}</p>"
    heats = any(one.heats for one in story.seen.people)
    if heats:
        note += f"<p>{escape(words('heat_note'))}</p>"
    elif story.seen.heat_why_not:
        note += f"<p>{escape(words(story.seen.heat_why_not))}</p>"
        if story.seen.heat_why_not == "heat_no_better":
            told = words("heat_figures", **heat_figures(story.seen.heat_trial, words))
            summary = f"<summary>{escape(words('heat_tried'))}</summary>"
            note += f"<details>{summary}<p>{escape(told)}</p></details>"
    if judged > len(shown):
        parts.append(f"<p>{escape(words('people_more', count=judged - len(shown)))}</p>")
    return section(words("people"), note + "".join(parts))


def _person(story: Story, person: Person, pictures: Pictures | None, *, playable: bool) -> str:
    words, p_fake = story.words, person.p_fake or 0.0
    times = [frame.time_seconds for frame in person.frames]
    scored = sum(frame.p_fake is not None for frame in person.frames)
    seen = ""
    if times:
        when = words.span(times[0], times[-1])
        seen = words("person_seen", when=when, frames=len(times), scored=scored)
    number = shown_number(person.id)
    title, kind, why = f"{words('person_title', id=number)}: {story.percent(p_fake)}", "", ""
    if story.film is not None:
        standing = story.film.standing(person.id, p_fake)
        kind, why = standing.kind, standing.why
        said = f"{MARKS[kind]} {words(f'word_{kind}')}"
        title = f"{words('person_title', id=number)}: {said}, {story.percent(p_fake)}"
    told = (f"<small>{escape(seen)}</small>", escape(why), escape(_worst_stretch(story, person, kind)))
    notes = "".join(f"<p>{one}</p>" for one in told if one)
    parts = [f'<h3 class="{kind}">{escape(title)}</h3>{notes}']
    beside = []
    if scored > 1:
        lines = [line for line in limits_of(story) if line.kind != "all"]
        beside.append(timeline(story.verdict, person, lines, words, playable=playable))
    if pictures is not None:
        beside.append(_strips(story, person, pictures, playable=playable))
    parts.append(f'<div class="beside">{"".join(beside)}</div>')
    if pictures is not None and pictures.heats:
        heats = "".join(_heat(story, one) for one in pictures.heats)
        parts.append(f'<h4>{escape(words("heat"))}</h4><div class="heats">{heats}</div>')
    return f'<article class="person" id="person-{number}">{"".join(parts)}</article>'


def _strips(story: Story, person: Person, pictures: Pictures, *, playable: bool) -> str:
    """The most and the least suspicious frames; of few, all of them in order of time."""
    words, every = story.words, (*pictures.most, *pictures.least)
    rows = [(words("most"), pictures.most), (words("least"), pictures.least)]
    if 0 < sum(frame.p_fake is not None for frame in person.frames) <= FEW:
        title = words("all_frames_one" if len(every) == 1 else "all_frames_many", count=len(every))
        rows = [(title, tuple(sorted(every, key=lambda one: one.time_seconds)))]
    parts = []
    for title, strips in rows:
        if strips:
            faces = "".join(_strip(story, person, one, playable=playable) for one in strips)
            parts.append(f'<h4>{escape(title)}</h4><div class="strip">{faces}</div>')
    return f"<div>{''.join(parts)}</div>"


def _worst_stretch(story: Story, person: Person, kind: str) -> str:
    """The stretch that looks more suspicious than the person does over the whole film; empty without one."""
    worst = next((one for one in story.verdict.segments if one.person == person.id), None)
    if worst is None or story.film is None or worst.p_fake <= (person.p_fake or 0.0):
        return ""
    standing = story.film.standing(person.id, worst.p_fake)
    if standing.kind == kind:
        return ""
    when, p = story.words.span(worst.start_seconds, worst.end_seconds), story.percent(worst.p_fake)
    told = story.words("person_worst", when=when, p=p, word=story.words(f"word_{standing.kind}"))
    return f"{told} {standing.why}".strip()


def _strip(story: Story, person: Person, one: Strip, *, playable: bool) -> str:
    words = story.words
    when, p = words.seconds(one.time_seconds), words.percent(one.p_fake)
    label = escape(words("strip_label", id=shown_number(person.id), when=when, p=p))
    image = f'<img alt="{label}" width="128" height="128" src="{jpeg_url(one.jpeg)}">'
    caption = f"<span>{when} · {escape(short_percent(one.p_fake))}</span>"
    if not playable:
        return f"<div>{image}{caption}</div>"
    return f'<button type="button" data-at="{one.time_seconds:.3f}">{image}{caption}</button>'


def _heat(story: Story, one: Heat) -> str:
    words = story.words
    pair = "".join(
        f'<img alt="{escape(words(label))}" width="200" height="200" src="{jpeg_url(data)}">'
        for label, data in (("heat_plain_label", one.plain), ("heat_label", one.heat))
    )
    told = heat_caption(one, words)
    if story.seen.heat_trial is not None:  # what such a map is worth stands beside each
        told += " " + words("heat_trial", **heat_figures(story.seen.heat_trial, words))
    return f"<figure><div>{pair}</div><figcaption>{escape(told)}</figcaption></figure>"


def heat_figures(trial: HeatTrial | None, words: Words) -> dict[str, str]:
    """What is measured of heat maps, in words, by the gaps of its messages; empty without a measurement."""
    if trial is None:
        return {}
    shares = {"share": trial.share, "low": trial.low, "high": trial.high, "chance": CHANCE}
    told = {name: f"{100 * share:.0f}\u00a0%" for name, share in shares.items()}
    return told | {"clips": str(trial.clips), "places": str(RANDOM_PLACES)}


def heat_caption(one: Heat, words: Words) -> str:
    """What covering the marked place did to the score, and what covering others did, in sentences."""
    if one.odds_covered > _NOTICED:
        keys = ["heat_no_place"]
    else:
        others = "heat_others_same"
        if one.odds_elsewhere <= _NOTICED:
            others = "heat_others_less"
        elif one.odds_elsewhere >= 1 / _NOTICED:
            others = "heat_others_more"
        keys = ["heat_clearly" if one.odds_covered <= _CLEARLY else "heat_slightly", others]
    score = words("heat_score", when=words.seconds(one.time_seconds), p=words.percent(one.p_fake))
    return " ".join([score, *map(words, keys)])

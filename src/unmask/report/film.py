"""The film at a glance: its most suspicious face at each moment on one strip, and the stretches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from unmask.reasons import shown_number
from unmask.report.document import jpeg_url, section, table
from unmask.report.looking import shown_people
from unmask.report.moments import BINS, FACES, STRETCHES, Moment, moments
from unmask.report.parting import kind_of, parted_stretches
from unmask.report.scale import Scale, of_film
from unmask.report.sections import MARKS, MAX_ROWS, Story, paragraph
from unmask.report.seen import Glimpse
from unmask.report.standing import is_long
from unmask.report.timeline import Chart, Line, plot, y_of
from unmask.verdicts import Outcome, Segment, Verdict


def film_strip(story: Story, *, playable: bool) -> str:
    """Faces along the film, and under them the curve of the most suspicious one; empty for a picture."""
    verdict, words = story.verdict, story.words
    found = moments(verdict, count=BINS)
    judged = [one for one in found if one.person is not None]
    if not judged:
        return ""
    shown = {person.id for person in shown_people(verdict)}
    lesser = _lesser(story.seen.along)
    faces = "".join(
        _face(story, one, one.person in shown, kind=" lesser" if place in lesser else "", playable=playable)
        for place, one in enumerate(story.seen.along)
    )
    few = " few" if len(verdict.shots) == 1 else ""
    along = f'<div class="along{few}">{faces}</div>' if faces else ""
    light = f" {escape(words('brightened'))}" if story.seen.brightened else ""
    if not is_long(verdict):  # one look at each face: a flat line says nothing
        return f"{along}<p><small>{escape(words('clip_note'))}{light}</small></p>" if along else ""
    top = max(judged, key=lambda one: one.p_fake)
    person, when = shown_number(top.person or 0), words.seconds(top.start_seconds)
    text = words("film_text", high=story.percent(top.p_fake), when=when, id=person)
    scale = of_film(verdict)
    chart = Chart(words("film_keys" if playable else "film_line"), text, _steps(found, scale), kind="film")
    jump = f' <span class="screen">{escape(words("film_jump"))}</span>' if playable else ""
    return (
        along
        + plot(verdict, chart, limits_of(story), scale, words, playable=playable)
        + f"<p><small>{escape(words('film_note'))}{light} {escape(_limits_told(story))}{jump}</small></p>"
    )


def limits_of(story: Story) -> list[Line]:
    """Where one look becomes a word, and where one look counts among all."""
    if story.thresholds is None:
        return []
    words, film = story.words, story.film
    fake, real = story.thresholds.fake_at_least, story.thresholds.real_at_most
    no_sign = Line(real, "real", words("line_real"))
    if film is None or film.needed is None or not film.needs_more:
        return [Line(fake, "fake", words("line_fake")), no_sign]
    counts = Line(film.needed, "all", words("line_all", looks=film.looks))
    return [counts, Line(fake, "fake", words("line_alone")), no_sign]


def _limits_told(story: Story) -> str:
    film, words = story.film, story.words
    if film is None or film.needed is None or story.thresholds is None:
        return ""
    fake = story.thresholds.fake_at_least
    if not film.needs_more:
        return words("film_one_limit", limit=words.limit(fake))
    needed = words.limit(round(film.needed, 3))
    told = words("film_two_limits", limit=words.limit(fake), needed=needed, looks=film.looks)
    return f"{told} {words('look')}"


def _steps(found: Sequence[Moment], scale: Scale) -> str:
    """An area under the probability of each moment; nothing where nobody is judged."""
    areas, run = [], list[Moment]()
    for one in (*found, None):
        if one is not None and one.person is not None:
            run.append(one)
        elif run:
            areas.append(_area(run, scale))
            run = []
    return "".join(areas)


def _area(run: Sequence[Moment], scale: Scale) -> str:
    path = "".join(
        f"L{scale.x(one.start_seconds):.1f},{y_of(one.p_fake):.1f}H{scale.x(one.end_seconds):.1f}"
        for one in run
    )
    left, right = scale.x(run[0].start_seconds), scale.x(run[-1].end_seconds)
    return (
        f'<path class="area" d="M{left:.1f},{y_of(0):g}{path}L{right:.1f},{y_of(0):g}Z"/>'
        f'<path class="score" d="M{path[1:]}"/>'
    )


def _lesser(along: Sequence[Glimpse]) -> set[int]:
    """Of each two neighbours the less suspicious one, which a narrow page has no room for."""
    pairs = ((place, place + 1) for place in range(0, len(along) - 1, 2))
    return {min(reversed(pair), key=lambda place: along[place].p_fake) for pair in pairs}


def _face(story: Story, one: Glimpse, shown: bool, *, kind: str, playable: bool) -> str:
    words, verdict = story.words, story.verdict
    share = (one.time_seconds - verdict.start_seconds) / (verdict.end_seconds - verdict.start_seconds)
    part = 1 + min(FACES - 1, max(0, int(FACES * share)))  # above its own time
    number = shown_number(one.person)
    when = words.seconds(one.time_seconds)
    label = escape(words("along_label", id=number, when=when))
    who = escape(words("person_title", id=number))
    link = f'<a href="#person-{number}">{who}</a>' if shown else f"<span>{who}</span>"
    image = f'<img alt="{label}" width="128" height="128" src="{jpeg_url(one.jpeg)}">'
    told = f"<span>{when}</span>"
    if playable:
        image, told = f'<button type="button" data-at="{one.time_seconds:.3f}">{image}{told}</button>', ""
    return f'<div class="p{part}{kind}">{image}{told}{link}</div>'


def stretches(story: Story, *, playable: bool) -> str:
    """Parts of a film that are not clear: first those that stand out by themselves, then the others."""
    verdict, words = story.verdict, story.words
    if not is_long(verdict) or not verdict.segments:
        return ""
    pictures = dict(zip(verdict.segments, story.seen.stretches, strict=False))
    shown = verdict.segments[:MAX_ROWS]
    parts = []
    for key, some in zip(("segments_alone", "segments_between"), parted_stretches(story), strict=True):
        if listed := [one for one in some if one in shown]:
            parts.append(f"<h3>{escape(words(key))}</h3>")
            parts.append(_listed(story, listed, pictures, playable=playable))
    more = len(verdict.segments) - MAX_ROWS
    if more > 0:
        parts.append(paragraph(words("segments_more", count=more)))
    note = paragraph(words("segments_note")) + (paragraph(thin) if (thin := too_thin(story)) else "")
    return section(words("segments"), note + "".join(parts))


def _listed(
    story: Story, some: Sequence[Segment], pictures: Mapping[Segment, Glimpse | None], *, playable: bool
) -> str:
    """Stretches as cards where there is a picture, the others as rows."""
    words, cards, rows = story.words, list[str](), list[list[str]]()
    for one in some:
        picture = pictures.get(one)
        if picture is not None:
            cards.append(_card(story, one, picture, playable=playable))
        else:
            rows.append(_row(story, one))
    head = [words(f"column_{name}") for name in ("when", "alone", "person", "score")]
    rest = table(head, rows, text=2) if rows else ""
    if cards and rows:
        summary = escape(words("segments_rest", count=len(rows)))
        rest = f'<details class="whole"><summary>{summary}</summary>{rest}</details>'
    return (f'<div class="stretches">{"".join(cards)}</div>' if cards else "") + rest


def too_thin(story: Story) -> str:
    """Who is not without sign and yet has no stretch, for want of frames, size or detail; a sentence."""
    limits, words = story.thresholds, story.words
    listed = {one.person for one in story.verdict.segments}
    thin = [
        one
        for one in story.verdict.people
        if one.p_fake is not None and one.frames and one.id not in listed
        if limits is not None and limits.outcome(one.p_fake) is not Outcome.REAL
    ]
    if not thin:
        return ""
    thin.sort(key=lambda one: -(one.p_fake or 0.0))
    named = [
        words(
            "segments_thin_one",
            id=shown_number(one.id),
            when=words.span(one.frames[0].time_seconds, one.frames[-1].time_seconds),
            p=story.percent(one.p_fake or 0.0),
        )
        for one in thin[:STRETCHES]
    ]
    rest = " ..." if len(thin) > STRETCHES else ""
    return words("segments_thin", who=", ".join(named) + rest)


def _card(story: Story, one: Segment, picture: Glimpse, *, playable: bool) -> str:
    words = story.words
    when = words.span(one.start_seconds, one.end_seconds)
    label = words("stretch_label", id=shown_number(one.person), when=words.seconds(picture.time_seconds))
    image = f'<img alt="{escape(label)}" src="{jpeg_url(picture.jpeg)}">'
    if playable:
        image = f'<button type="button" data-at="{picture.time_seconds:.3f}">{image}</button>'
    kind, said = said_of(story, one)
    who = escape(words("person_title", id=shown_number(one.person)))
    said = f"{escape(said)}, {story.percent(one.p_fake)}"
    return (
        f"<figure>{image}<figcaption><b>{when}</b> · {_who(story.verdict, one.person, who)}<br>"
        f'<span class="outcome {kind}">{said}</span></figcaption></figure>'
    )


def _row(story: Story, one: Segment) -> list[str]:
    words = story.words
    kind, said = said_of(story, one)
    return [
        words.span(one.start_seconds, one.end_seconds),
        f'<span class="outcome {kind}">{escape(said)}</span>',
        _who(story.verdict, one.person, str(shown_number(one.person))),
        story.percent(one.p_fake),
    ]


def _who(verdict: Verdict, person: int, told: str) -> str:
    shown = any(one.id == person for one in shown_people(verdict))
    return (
        f'<a href="#person-{shown_number(person)}">{told}</a>'
        if shown
        else f'<span class="who">{told}</span>'
    )


def said_of(story: Story, one: Segment) -> tuple[str, str]:
    """How a stretch stands, as a class, and in words with the mark."""
    kind = kind_of(story, one)
    return kind, f"{MARKS[kind]} {story.words(f'word_{kind}')}"

"""Slides of the data: counts, a real beside its fakes, faces that were found and missed, video to tensor."""

from __future__ import annotations

from collections import Counter
from html import escape

from unmask.config import DetectSettings
from unmask.lab.datasets.explore import SplitRow, explore_index
from unmask.lab.datasets.video_index import clip_of, usable
from unmask.lab.pages.deck.material import (
    ERROR,
    FOUND,
    LEFT_OUT,
    MOST_FAKES,
    NO_FACE,
    UNREADABLE,
    Material,
    chosen_cases,
    kind_of,
)
from unmask.lab.pages.deck.parts import (
    Bar,
    Slide,
    bars,
    clause,
    columns,
    duration,
    number,
    paragraph,
    picture,
    plural,
    points,
    word,
)
from unmask.lab.pages.deck.views import Flow, Found, Playing, Still
from unmask.lab.pages.side_by_side import player
from unmask.reasons import in_short
from unmask.report.document import percent, table

_MOST_ROWS = 6
_CAPTIONS = {"REAL": "real", "FAKE": "fake", "difference": "difference to the real one"}


def counts(material: Material) -> Slide | None:
    """How many fakes, reals and originals, by split."""
    if material.frame is None or not len(usable(material.frame)):
        return None
    found = explore_index(material.frame)
    shown = found.counts[:_MOST_ROWS]
    every = found.counts[-1]
    told = [_bar(row) for row in shown]
    head = ["split", "videos", "fake", "real", "originals", "of these absent"]
    rows = [
        [
            escape(word(row.name, letters=20)),
            *map(number, (row.total, row.fake, row.real, row.originals, row.absent)),
        ]
        for row in shown
    ]
    keys = "".join(f'<span><i class="key {name}"></i>{name}</span>' for name in ("fake", "real"))
    key = f'<p class="legend">{keys}</p>'
    sentences = []
    for name, (rarer, times) in list(found.upsampling.items())[:_MOST_ROWS]:
        if times > 1:
            sentences.append(
                f"{word(name, letters=20)}: to see both classes equally often, show every {rarer} video "
                f"{times:.2f} times"
            )
    unused = len(material.frame) - every.total
    if unused:
        sentences.append(f"{plural(unused, 'video')} not for use: missing, damaged, duplicate or excluded")
    content = columns(key + bars(told), table(head, rows) + points(sentences))
    if every.fake and every.real:
        ratio = every.fake / every.real
        title = f"{ratio:.2g} fakes for each real" if ratio >= 1 else f"{1 / ratio:.2g} reals for each fake"
        title = "As many fakes as reals" if ratio == 1 else title
        title += f": {number(every.fake)} fake, {number(every.real)} real"
    else:
        title = f"{plural(every.total, 'video')} of {plural(every.originals, 'original')}"
    notes = (
        "An original is the real clip that a fake was made from. Where it is absent, a fake cannot "
        "be compared "
        "with what it was made from, though clips of one original still belong on one side of a split.",
        "Counted from the index; only videos with status ok. More: unmask data explore.",
    )
    return Slide(title, content, notes)


def _bar(row: SplitRow) -> Bar:
    others = row.total - row.fake - row.real
    told = f"{number(row.fake)} + {number(row.real)}" + (f" + {number(others)} unlabelled" if others else "")
    return Bar(word(row.name, letters=20), [(row.fake, "fake"), (row.real, "real"), (others, "s7")], told)


def playing(material: Material) -> Slide | None:
    """A real clip beside its fakes, in step."""
    view = next((v for (kind, _), v in material.views.items() if kind == "play"), None)
    if view is None or material.frame is None:
        return None
    name = next(name for kind, name in material.views if kind == "play")
    rows = usable(material.frame)
    fakes = int(((clip_of(rows) == name) & (rows.index != name)).sum())
    title = f"{word(name, letters=40)} and {'its fake' if fakes == 1 else f'{number(fakes)} fakes of it'}"
    notes = (
        "All tiles lie in one small H.264 video, so they cannot get out of step. Differences are "
        "taken before it "
        "is encoded, and shown four times as strong.",
    )
    if not isinstance(view, Playing):
        return Slide(
            title, paragraph(f"They cannot be played: {clause(str(view), letters=300)}", style="lead"), notes
        )
    few = "few" if len(view.stills) <= 3 else ""
    stills = "".join(
        picture(
            still,
            f"{word(tile.name)}, {_CAPTIONS[tile.kind]}",
            f"{_CAPTIONS[tile.kind]}: {word(tile.name, letters=40)}",
            style=tile.kind.lower(),
        )
        for tile, still in zip(view.mosaic.tiles, view.stills, strict=True)
    )
    more = paragraph(f"{MOST_FAKES} of {fakes} are shown.", style="soft") if fakes > MOST_FAKES else ""
    moving = player(view.mosaic).replace('class="player"', f'class="player {few}"', 1)
    return Slide(title, f'{moving}<div class="paper stills {few}">{stills}</div>{more}', notes)


def faces(material: Material) -> Slide | None:
    """In how many videos faces were found, and why not in the others."""
    cases = [one for one in material.cases if one.status != LEFT_OUT]
    if not cases:
        return None
    by = Counter(one.status for one in cases)
    reasons = Counter(kind_of(one.code) for one in cases if one.status == NO_FACE)
    lines = [Bar("face found", [(by[FOUND], "s2")], number(by[FOUND]))]
    lines += [Bar(kind, [(count, "s1")], number(count)) for kind, count in reasons.most_common(_MOST_ROWS)]
    if by[UNREADABLE]:
        lines.append(Bar("unreadable", [(by[UNREADABLE], "s7")], number(by[UNREADABLE])))
    if by[ERROR]:
        lines.append(Bar("unmask failed", [(by[ERROR], "s7")], number(by[ERROR])))
    shown = [
        _found(one.name, one.status == FOUND, material.views.get(("find", one.name)))
        for one in chosen_cases(material.cases)
    ]
    stills = f'<div class="stills">{"".join(shown)}</div>' if shown else ""
    title = f"A face in {number(by[FOUND])} of {plural(len(cases), 'video')}"
    if by[FOUND] < len(cases):
        title += f", none in {number(by[NO_FACE])}"
    notes = (
        f"From {material.cases_by}. A missed face is a video without a number, never a score of 0 or 0.5.",
        "Grey boxes were dropped, and say why: posters and prints, hands, faces that are too small, "
        "too unsure "
        "or seen too briefly. Dark frames without a face are searched again in a lightened copy.",
    )
    return Slide(title, bars(lines) + stills, notes)


def _found(name: str, done: bool, view: object) -> str:
    if not isinstance(view, Found):
        why = clause(str(view), letters=120) if view else "not looked at"
        return paragraph(f"{word(name, letters=30)}: no picture, {why}", style="soft")
    told = [plural(view.people, "person").replace("persons", "people") if view.people else "nobody"]
    dark = DetectSettings().dark_below
    if view.level < dark:
        told.append(f"dark: mean level {view.level:.0f} of 255")
    if view.lightened:
        told.append("found in a lightened copy")
    if view.dropped:
        told.append(f"dropped: {in_short(view.dropped[0])}")
    caption = f"{word(name, letters=30)}: {'; '.join(told)}"
    return picture(view.still, f"Frame of {word(name)} with boxes", caption, style="" if done else "missed")


def flow(material: Material) -> Slide | None:
    """From a video to the tensor that a network sees."""
    view = next((v for (kind, _), v in material.views.items() if kind == "flow"), None)
    if not isinstance(view, Flow):
        return None
    width, height = view.size
    tracks, people = view.tracks
    count, channels, high, wide = view.shape
    name = word(next(name for kind, name in material.views if kind == "flow"), letters=40)
    steps = [
        (
            "Frames",
            f"{view.sampled} frames, evenly spread over {duration(view.seconds)}, {width} x {height}",
            view.frames,
        ),
        (
            "Faces",
            f"boxes and five points in each, followed: {plural(tracks, 'track')}, of these {people} kept",
            view.boxes,
        ),
        (
            "Crops",
            f"the box and {percent(view.margin_fraction)} around it, scaled to {wide} x {high} px",
            view.crops,
        ),
    ]
    rows = "".join(
        f"<li><div><b>{title}</b>{paragraph(text)}</div>{_film(stills, f'{title} of {name}')}</li>"
        for title, text, stills in steps
    )
    shape = " x ".join(map(str, view.shape))
    rows += (
        f"<li><div><b>Tensor</b></div><p class='lead'>{shape} <span class='soft'>frames x channels x "
        "height x "
        f"width, {count * channels * high * wide / 1e6:.1f} million numbers from 0 to 255</span></p></li>"
    )
    notes = (
        f"This is {name}, cut as the shipped network is given it. Times are container times, boxes "
        "are in pixels "
        "of the upright frame, and the network's card says size and margin, so crop and network "
        "cannot drift apart.",
    )
    return Slide("From a video to a tensor", f'<ol class="way">{rows}</ol>', notes)


def _film(stills: tuple[Still, ...], alt: str) -> str:
    pictures = "".join(picture(still, f"{alt}, {n}") for n, still in enumerate(stills, start=1))
    return f'<div class="film">{pictures}</div>'

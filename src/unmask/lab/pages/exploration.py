"""The page of a data set: one HTML file that needs nothing from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from unmask.errors import DataError
from unmask.files import size_words
from unmask.lab.datasets.audit_file import Audit
from unmask.lab.datasets.explore import Exploration, SampledVideo
from unmask.lab.datasets.video_index import told_status, usable
from unmask.lab.pages.mosaic import Mosaic
from unmask.lab.pages.side_by_side import SCRIPT, STYLE, player
from unmask.report.charts import Axis, histogram, round_axis
from unmask.report.document import document, figure, jpeg_url, section, table
from unmask.version import __version__

if TYPE_CHECKING:
    from pandas import DataFrame

_MOST_BARS = 8
_MOST_ROWS = 30
_STYLE = Path(__file__).with_name("exploration.css").read_text(encoding="utf-8")


def exploration_page(
    frame: DataFrame,
    found: Exploration,
    *,
    title: str,
    mosaics: Sequence[Mosaic] = (),
    audit: Audit | None = None,
) -> str:
    """Put what was found in a data set on a page.

    Args:
        frame: The index.
        found: What was counted and looked at.
        title: Of the page.
        mosaics: Real clips beside their fakes.
        audit: What is wrong with it, where that was looked for.

    Returns:
        HTML with everything inside.
    """
    sections = [_cards(frame, found), section("Counts", _counts(found))]
    for mosaic in mosaics:
        sections.append(section(f"{mosaic.original} and its fakes, in step", player(mosaic)))
    sections.append(section("Originals", _originals(found)))
    sections.append(section("Videos", _videos(frame, found)))
    if any(look.face is not None for look in found.looks):
        sections.append(section("Sample faces", _wall(found.looks)))
    if audit is not None:
        sections.append(section("Audit", _audit(audit)))
    wrong = frame[frame["status"] != "ok"]
    if len(wrong):
        rows = [[escape(str(name)), escape(str(status))] for name, status in told_status(wrong).items()]
        sections.append(section("Not for use", _long_table(["video", "status"], rows, text=2)))
    return document(
        title, sections, foot=f"unmask {__version__}", style=STYLE + _STYLE, script=SCRIPT if mosaics else ""
    )


def _cards(frame: DataFrame, found: Exploration) -> str:
    last = found.counts[-1]
    values = [
        (_number(last.total), "usable videos"),
        (_number(last.fake), "fake"),
        (_number(last.real), "real"),
        (_number(last.originals), "originals"),
        (_number(len(frame) - last.total), "not for use"),
        ("-" if found.hours is None else f"{found.hours:,.1f} h", "playing time"),
        (size_words(found.size_bytes), "size"),
    ]
    cards = "".join(f'<div class="card"><b>{value}</b><span>{name}</span></div>' for value, name in values)
    return f'<div class="cards">{cards}</div>'


def _counts(found: Exploration) -> str:
    rows = [
        [escape(row.name), *map(_number, (row.total, row.fake, row.real, row.originals, row.absent))]
        for row in found.counts
    ]
    head = ["split", "total", "fake", "real", "originals", "of these not in the set"]
    parts = [table(head, rows)]
    for name, (rarer, times) in found.upsampling.items():
        row = next(row for row in found.counts if row.name == name)
        advice = "both classes are equally many"
        if times > 1:
            advice = f"to see both equally often, show every {rarer} video <b>{times:.2f}</b> times"
        parts.append(f"<p>{escape(name)}: {row.fake / row.real:.2f} fakes for a real; {advice}.</p>")
    return "".join(parts)


def _originals(found: Exploration) -> str:
    last = found.counts[-1]
    many = Counter(
        {
            f"{count} fakes" if count != 1 else "1 fake": n
            for count, n in sorted(found.fakes_per_original.items())
        }
    )
    text = f"<p>{_number(last.absent)} of {_number(last.originals)} originals are not in the set.</p>"
    return text + figure("How many originals have how many fakes in the set.", _bars(many))


def _videos(frame: DataFrame, found: Exploration) -> str:
    rows = usable(frame)
    charts = []
    if rows["width"].notna().any():
        sizes = (rows["width"].astype(str) + " x " + rows["height"].astype(str))[rows["width"].notna()]
        charts.append(figure("resolution, upright", _bars(_common(sizes))))
        charts.append(figure("frames a second", _bars(_common(rows["fps"].dropna().map("{:.2f}".format)))))
        sound = rows["has_audio"].map({True: "with sound", False: "no sound"})
        codec = rows["codec"] + ", " + rows["format"] + ", " + sound
        charts.append(figure("codec, container, sound", _bars(_common(codec.dropna()))))
        charts.append(figure("duration", _by_label(rows, "duration_seconds", "seconds")))
        rate = rows.assign(rate=rows["size_bytes"].astype("float64") * 8e-6 / rows["duration_seconds"])
        charts.append(
            figure(
                "bit rate; where the classes differ, it gives the label away",
                _by_label(rate, "rate", "Mbit/s"),
            )
        )
    bright = {
        label: [
            look.brightness for look in found.looks if look.label == label and look.brightness is not None
        ]
        for label in ("REAL", "FAKE", "")
    }
    if any(bright.values()):
        groups = [(_NAMES[label], _STYLES[label], values) for label, values in bright.items() if values]
        axis = Axis("mean level of the middle frame", 0, 255, (0, 64, 128, 192, 255))
        count = sum(len(values) for values in bright.values())
        charts.append(
            figure(f"brightness of {count} sampled videos", histogram(groups, axis, title="brightness"))
        )
    for label, people in found.people.items():
        counted = Counter({f"{number}": videos for number, videos in sorted(people.items())})
        charts.append(figure(f"people in a {_NAMES[label]} video, as extracted", _bars(counted)))
    if not charts:
        return "<p>The index was made without opening the videos.</p>"
    return f'<div class="charts">{"".join(charts)}</div>'


_NAMES = {"REAL": "real", "FAKE": "fake", "": "unlabelled"}
_STYLES = {"REAL": "real", "FAKE": "fake", "": "s7"}


def _by_label(rows: Any, column: str, unit: str) -> str:
    values = rows[column].astype("float64")
    values = values[np.isfinite(values)]
    if not len(values):
        return ""
    axis = round_axis(unit, float(np.percentile(values, 99)))
    labels = rows["label"].fillna("")[values.index]
    groups = [
        (_NAMES[label], _STYLES[label], [float(v) for v in values[(labels == label).to_numpy()]])
        for label in _NAMES
        if (labels == label).any()
    ]
    return histogram(groups, axis, title=column)


def _common(values: Iterable[str]) -> Counter[str]:
    counts = Counter(values)
    shown = Counter(dict(counts.most_common(_MOST_BARS)))
    rest = counts.total() - shown.total()
    if rest:
        shown[f"{len(counts) - _MOST_BARS} others"] = rest
    return shown


def _bars(counts: Mapping[str, int]) -> str:
    top = max(counts.values(), default=1)
    rows = "".join(
        f'<span>{escape(name)}</span><i style="width:{100 * count / top:.1f}%"></i><em>{_number(count)}</em>'
        for name, count in counts.items()
    )
    return f'<div class="bars">{rows}</div>'


def _wall(looks: Sequence[SampledVideo]) -> str:
    shown = [look for look in looks if look.face is not None]
    pictures = "".join(_face(look) for look in shown)
    key = '<i class="key real"></i>real <i class="key fake"></i>fake'
    return (
        f'<p class="legend">{len(shown)} videos, chosen by hash. {key}</p><div class="wall">{pictures}</div>'
    )


def _face(look: SampledVideo) -> str:
    if look.face is None:
        return ""
    ok, jpeg = cv2.imencode(".jpg", look.face[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    if not ok:
        raise DataError(f"the face of {look.name} cannot be encoded")
    name = escape(f"{look.name} {_NAMES[look.label]}", quote=True)
    url = jpeg_url(jpeg.tobytes())
    kind = look.label.lower() or "none"
    return f'<img class="{kind}" alt="{name}" title="{name}" src="{url}">'


def _audit(audit: Audit) -> str:
    seen, known = audit.families
    clusters = f"{_number(audit.people)} told apart by {escape(audit.people_by)}"
    findings: list[tuple[str, list[str]]] = [
        (
            f"fakes whose face did not change, of {_number(len(audit.comparisons))} compared",
            audit.unchanged_fakes,
        ),
        ("of these, probably only the sound is fake", audit.audio_only_fakes),
        ("fakes that could not be compared", [f"{n}: {why}" for n, why in audit.not_compared.items()]),
        ("files with the same bytes", [" = ".join(names) for names in audit.exact_duplicates]),
        (
            "clips that look the same",
            [f"{a} ~ {b} ({bits} of 256 bits)" for a, b, bits in audit.near_duplicates],
        ),
        (
            f"people on two sides of the split, of {clusters}",
            [
                " | ".join(f"{side}: {', '.join(clips)}" for side, clips in by.items())
                for by in audit.people_on_two_sides
            ],
        ),
        *(
            (kind, [f"{n}: {why}" if why else n for n, why in names.items()])
            for kind, names in audit.status.items()
        ),
        ("to leave out of training", [f"{n}: {why}" for n, why in audit.exclude.items()]),
    ]
    rows = [[escape(title), f"<b>{_number(len(items))}</b>", _items(items)] for title, items in findings]
    rows = [[title, number, items] for title, number, items in rows]
    parts = [f"<p>{_number(seen)} of {_number(known)} originals were decoded with their fakes.</p>"]
    parts.append(table(["finding", "count", ""], rows, text=1))
    if audit.comparisons:
        changed = [
            100 * comparison.changed_face_px / max(1, comparison.face_px) for comparison in audit.comparisons
        ]
        axis = Axis("% of the face's pixels that changed clearly", 0, 100, (0, 25, 50, 75, 100))
        chart = histogram([("fakes", "fake", changed)], axis, title="share of the face that changed")
        parts.append(figure("fakes against their originals", chart))
    leak = audit.leak
    if leak is None or leak.auc is None:
        return "".join(parts)
    alarm = '<b class="warn">The label is given away.</b> ' if leak.alarming else ""
    fields = [[escape(name), f"{auc:.2f}"] for name, auc in leak.fields.items()]
    parts.append(
        f"<h3>Does the container give the label away?</h3><p>{alarm}A small tree that sees container "
        f"fields only reaches AUC <b>{leak.auc:.2f}</b> ({leak.low:.2f} to {leak.high:.2f}) on clips it "
        f"did not see; 0.5 is chance.</p>{table(['field alone', 'AUC'], fields)}"
        f"<details><summary>the tree, grown on everything</summary><pre>{escape(leak.rule)}</pre></details>"
    )
    return "".join(parts)


def _items(items: Sequence[str]) -> str:
    if not items:
        return ""
    lines = "<br>".join(escape(item) for item in items[:_MOST_ROWS])
    more = f"<br>and {_number(len(items) - _MOST_ROWS)} more" if len(items) > _MOST_ROWS else ""
    return f"<details><summary>which</summary>{lines}{more}</details>"


def _long_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, text: int) -> str:
    more = f"<p>and {_number(len(rows) - _MOST_ROWS)} more</p>" if len(rows) > _MOST_ROWS else ""
    return table(head, rows[:_MOST_ROWS], text=text) + more


def _number(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")

"""What the benchmark says of its runs: medians, ratios, targets, as a table for people or in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.table import Table

from marks import paragraph
from weights import are_shipped, measured_with

Runs = list[dict[str, Any]]

TITLES = {
    "notebook": "notebook, full",
    "notebook_half": "notebook, half",
    "ours": "unmask, crops",
    "decode": "unmask, decode",
    "scan": "unmask, scan",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A bound, and what was measured, one value a clip."""

    name: str
    bound: float
    at_least: bool
    unit: str
    values: list[float]

    @property
    def worst(self) -> float:
        """The value farthest on the wrong side."""
        return min(self.values) if self.at_least else max(self.values)

    @property
    def met(self) -> bool:
        """Whether every clip is on the right side."""
        return self.worst >= self.bound if self.at_least else self.worst <= self.bound


def clips(runs: Runs) -> list[str]:
    """Names of the clips, in order of appearance."""
    return list(dict.fromkeys(run["clip"] for run in runs))


def middle(runs: Runs, clip: str, way: str, key: str = "cpu_seconds") -> float | None:
    """Median over the runs; None where the way was not run."""
    values = [run[key] for run in runs if (run["clip"], run["way"]) == (clip, way)]
    return median(values) if values else None


def ratio(runs: Runs, clip: str, dear: str, cheap: str) -> float | None:
    """Of two ways' median CPU seconds within a round, the ratio; of several rounds, the median of it."""
    spent: dict[tuple[int, str], list[float]] = {}
    for run in runs:
        if run["clip"] == clip:
            spent.setdefault((run["round"], run["way"]), []).append(run["cpu_seconds"])
    both = [r for r, way in spent if way == dear and (r, cheap) in spent]
    return median(median(spent[r, dear]) / median(spent[r, cheap]) for r in both) if both else None


def targets(runs: Runs) -> list[Target]:
    """The targets of this project; those whose ways were not run are left out."""

    def known(values: Iterable[float | None]) -> list[float]:
        return [value for value in values if value is not None]

    names = clips(runs)
    alone = [name for name in names if name.startswith("one")]
    found = [
        Target("full / crops", 10, True, "x", known(ratio(runs, c, "notebook", "ours") for c in names)),
        Target("half / crops", 3.5, True, "x", known(ratio(runs, c, "notebook_half", "ours") for c in names)),
        Target("crops / decode", 1.7, False, "x", known(ratio(runs, c, "ours", "decode") for c in names)),
        Target(
            "peak memory, crops",
            300,
            False,
            " MB",
            known(middle(runs, c, "ours", "peak_mb") for c in names),
        ),
        Target("scan of 30 frames", 2, False, " CPU s", known(middle(runs, c, "scan") for c in alone)),
    ]
    return [target for target in found if target.values]


def _cell(value: float | None, unit: str = "") -> str:
    return "-" if value is None else f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}{unit}"


def _seconds_rows(runs: Runs) -> list[list[str]]:
    ways = list(TITLES)
    rows = [["clip", *TITLES.values(), "full / crops", "half / crops", "crops / decode"]]
    for clip in clips(runs):
        pairs = [("notebook", "ours"), ("notebook_half", "ours"), ("ours", "decode")]
        ratios = [_cell(ratio(runs, clip, *pair), "x") for pair in pairs]
        rows.append([clip, *(_cell(middle(runs, clip, way)) for way in ways), *ratios])
    return rows


def _memory_rows(runs: Runs) -> list[list[str]]:
    rows = [["clip", *TITLES.values()]]
    for clip in clips(runs):
        rows.append([clip, *(_cell(middle(runs, clip, way, "peak_mb")) for way in TITLES)])
    return rows


def _target_rows(runs: Runs) -> list[list[str]]:
    rows = [["target", "wanted", "worst clip", "median clip", "met"]]
    for target in targets(runs):
        wanted = f"{'≥' if target.at_least else '≤'} {target.bound:g}{target.unit}"
        measured = [_cell(value, target.unit) for value in (target.worst, median(target.values))]
        rows.append([target.name, wanted, *measured, "yes" if target.met else "**no**"])
    return rows


def _found_rows(runs: Runs) -> list[list[str]]:
    """Faces that each way found in the frames of a clip, beside those that it shows."""
    found = {(run["clip"], run["way"]): run["found"] for run in runs}
    ways = [way for way in TITLES if any("faces" in found.get((clip, way), {}) for clip in clips(runs))]
    rows = [["clip", "shown", *(TITLES[way] for way in ways)]]
    for clip in clips(runs):
        shown = found[clip, "decode"]["frames"] * (1 if clip.startswith("one") else 2)
        counts = (found.get((clip, way), {}).get("faces", "-") for way in ways)
        rows.append([clip, str(shown), *map(str, counts)])
    return rows


def sections(runs: Runs) -> dict[str, list[list[str]]]:
    """Rows of text by title; the first row of each is its head."""
    return {
        "CPU seconds": _seconds_rows(runs),
        "Peak memory, MB": _memory_rows(runs),
        "Faces found": _found_rows(runs),
        "Targets": _target_rows(runs),
    }


def rich_tables(runs: Runs) -> Iterable[Table]:
    """The tables for a terminal."""
    for title, (head, *rows) in sections(runs).items():
        table = Table(title=title, title_justify="left")
        for number, column in enumerate(head):
            table.add_column(column, justify="right" if number else "left")
        for row in rows:
            table.add_row(*(cell.replace("**", "") for cell in row))
        yield table


def markdown(report: dict[str, Any]) -> str:
    """The tables for a document, with how they were measured."""
    lines = []
    for title, (head, *rows) in sections(report["runs"]).items():
        lines += [f"### {title}", ""]
        lines += ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
        lines += ["| " + " | ".join(row) + " |" for row in rows] + [""]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    lines += [
        f"{report['rounds']} Machine: {report['machine']}, load average {report['load']:.1f} before the"
    ]
    lines += [f"first run. Versions: {versions}. {measured_with(report['weights'])}"]
    return "\n".join(lines) + "\n"


def cost(report: dict[str, Any]) -> str:
    """How much less unmask costs than the usual notebook up to crops, and what a whole scan takes."""
    runs = report["runs"]
    found = {target.name: target.values for target in targets(runs)}
    times, memory = found["full / crops"], max(found["peak memory, crops"])
    scans, peaks = (
        [value for clip in clips(runs) if (value := middle(runs, clip, "scan", key)) is not None]
        for key in ("cpu_seconds", "peak_mb")
    )
    older = "" if are_shipped(report["weights"]) else measured_with(report["weights"])
    return paragraph(
        f"From the file to face crops, a 10 s 1080p video costs {min(times):.1f} to {max(times):.1f} times",
        "less computing time than the usual notebook (OpenCV and facenet-pytorch on full frames), and at",
        f"most {memory:.0f} MB of memory. A whole scan of one or two people takes {min(scans):.1f} to",
        f"{max(scans):.1f} CPU seconds and at most {max(peaks):.0f} MB. {older}",
    )


def opening(report: dict[str, Any]) -> str:
    """What the document begins with."""
    missed = [
        f"{target.name} ({'≥' if target.at_least else '≤'} {target.bound:g}{target.unit} wanted, "
        f"{_cell(target.worst, target.unit)} on the worst clip)"
        for target in targets(report["runs"])
        if not target.met
    ]
    return paragraph(cost(report), f"Targets that are missed: {'; '.join(missed) or 'none'}.")

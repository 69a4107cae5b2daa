"""What docs/reliability.md says of what was measured: the tables, and sentences with figures."""

from __future__ import annotations

from typing import Any

from marks import marks, paragraph

CORPUS, KILLS, PROCESSORS, REPEATS, SHORT, SILENT, TAMPERING = (
    marks(name) for name in ("corpus", "kills", "processors", "repeats", "short", "silent", "tampering")
)
KILLED = {
    "killed at a change": ("kill",),
    "killed in the middle of a write": ("tear",),
    "two at once": ("two",),
    "clock jumps by a year": ("back", "ahead"),
}
SHORTAGES = {
    "an error at a change": ("full", "quota", "broken", "sealed"),
    "an error at a write": ("write full", "write quota", "write broken", "write sealed"),
    "a disk too small": ("room",),
    "a quota": ("share",),
    "earlier results, no room": ("kept", "kept full"),
    "files may not grow": ("size",),
    "a read-only disk": ("closed",),
    "no room for temporary files": ("scratch",),
}
"""Titles of columns, and the kinds of harm that each counts."""


Kills = dict[str, dict[str, dict[str, int]]]


def corpus(report: dict[str, Any]) -> str:
    """How many damaged files were tried, and what was found."""
    answers = report["answers"].values()
    read, refused = (sum(counts.get(name, 0) for counts in answers) for name in ("read", "refused"))
    return paragraph(
        f"{report['mutations']:,} such files were tried by this command, from seed {report['seed']} on:",
        f"{read:,} could be read all the same, {refused:,} were refused with a sentence,",
        f"{len(report['faults'])} met a fault of unmask, and {len(report['ends'])} ended their worker.",
    )


def kills(report: Kills) -> str:
    """By command and harm how many runs were tried, and how many ended as they should."""
    return _harmed(report, "as if nothing had been", KILLED)


def short(report: Kills) -> str:
    """The same of runs that were short of something."""
    return _harmed(report, "a sentence, then as if nothing had been", SHORTAGES)


def _harmed(report: Kills, title: str, columns: dict[str, tuple[str, ...]]) -> str:
    def cell(kinds: dict[str, dict[str, int]], harms: tuple[str, ...]) -> str:
        found = [kinds[harm] for harm in harms if harm in kinds]
        tried, wrong = (sum(one[what] for one in found) for what in ("tried", "wrong"))
        return f"{tried - wrong} of {tried}" if tried else "not tried"

    shown = {name: [cell(kinds, harms) for harms in columns.values()] for name, kinds in report.items()}
    rows = [f"| `unmask {name}` | {' | '.join(cells)} |" for name, cells in shown.items()]
    return "\n".join([f"| {title} | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|", *rows])


def processors(report: dict[str, Any]) -> str:
    """How far verdicts of the same files are apart on older processors."""
    rows = [
        f"| nothing newer than {newest} | {one['same']} of {one['files']} "
        f"| {one['outcomes']} of {one['files']} | {one['p_fake']:.1g} | {one['any']:.1g} |"
        for newest, one in report["others"].items()
    ]
    head = f"| a processor with {report['newest']}, and one with | equal to the last digit | same outcome | "
    return "\n".join([head + "`p_fake` within | any number within |", "|---|--:|--:|--:|--:|", *rows])


def repeats(report: dict[str, dict[str, Any]]) -> str:
    """The ways in which the same files were scanned, and how many verdicts were equal."""
    _, *runs = (one for name, one in report.items() if name.startswith("run "))
    files, again = sum(one["files"] for one in runs), sum(one["same"] for one in runs)
    rows = [f"| again, {len(runs)} times | {again} of {files} | {max(one['p_fake'] for one in runs):.1g} |"]
    rows += [
        f"| {name} | {one['same']} of {one['files']} | {one['p_fake']:.1g} |"
        for name, one in report.items()
        if not name.startswith("run ")
    ]
    return "\n".join(["| way | verdicts equal to the last digit | `p_fake` within |", "|---|--:|--:|", *rows])


def silent(report: dict[str, Any]) -> str:
    """By codec and container how much damage nothing is said of."""
    from unmask.lab.evaluate.slices import share_of

    def share(counts: dict[str, int]) -> str:
        passed = counts.get("silent", 0)
        seen = passed + counts.get("called damaged", 0) + counts.get("refused", 0)
        if not seen:
            return "none"
        one = share_of(passed, seen)
        told = f"{passed} of {seen}, {one['value']:.0%} ({one['low']:.0%} to {one['high']:.0%})"
        return told.replace("%", " %")

    rows = [
        f"| {title} | {one['ours'].get('as before', 0)} | {share(one['ours'])} | {share(one['plain'])} |"
        for title, one in report["kinds"].items()
    ]
    head = f"| {report['files']} files of each, one bit flipped | read as before | "
    return "\n".join(
        [head + "of the others passed in silence | by FFmpeg alone |", "|---|--:|--:|--:|", *rows]
    )


def tampering(report: dict[str, dict[str, int]]) -> str:
    """How many changed bytes were refused by name."""
    rows = [
        f"| {title} | {one['bytes']:,} | {one['changes'] - one['missed']} of {one['changes']} |"
        for title, one in report.items()
    ]
    return "\n".join(["| one byte changed at random | bytes | refused by name |", "|---|--:|--:|", *rows])


BLOCKS = (
    ("fuzz", CORPUS, corpus),
    ("kills", KILLS, kills),
    ("kills", SHORT, short),
    ("processors", PROCESSORS, processors),
    ("repeats", REPEATS, repeats),
    ("silent", SILENT, silent),
    ("tampering", TAMPERING, tampering),
)
"""Of docs/reliability.md: the measurement, what is written where, and how."""

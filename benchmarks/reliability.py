"""What docs/reliability.md says of what was measured: the tables, and sentences with figures."""

from __future__ import annotations

from typing import Any

from marks import marks, paragraph

CORPUS, KILLS, REPEATS, SILENT, TAMPERING = (
    marks(name) for name in ("corpus", "kills", "repeats", "silent", "tampering")
)
HARMS = {
    "kill": "killed at a change",
    "tear": "killed in the middle of a write",
    "full": "no space left",
    "sealed": "read-only",
    "two": "two at once",
    "clock": "clock set back",
}


def corpus(report: dict[str, Any]) -> str:
    """How many damaged files were tried, and what was found."""
    answers = report["answers"].values()
    read, refused = (sum(counts.get(name, 0) for counts in answers) for name in ("read", "refused"))
    return paragraph(
        f"{report['mutations']:,} such files were tried by this command, from seed {report['seed']} on:",
        f"{read:,} could be read all the same, {refused:,} were refused with a sentence,",
        f"{len(report['faults'])} met a fault of unmask, and {len(report['ends'])} ended their worker.",
    )


def kills(report: dict[str, dict[str, dict[str, int]]]) -> str:
    """By command and harm how many runs were tried, and how many ended otherwise."""

    def cell(kinds: dict[str, dict[str, int]], name: str) -> str:
        one = kinds.get(name)
        if one is None:
            return "not tried"
        return f"{one['tried'] - one['wrong']} of {one['tried']}"

    harms = [harm for harm in HARMS if any(harm in kinds for kinds in report.values())]
    rows = [
        f"| `unmask {name}` | " + " | ".join(cell(kinds, harm) for harm in harms) + " |"
        for name, kinds in report.items()
    ]
    return "\n".join(
        [
            "| ended as if nothing had been | " + " | ".join(HARMS[harm] for harm in harms) + " |",
            "|---" * (1 + len(harms)) + "|",
            *rows,
        ]
    )


def repeats(report: dict[str, dict[str, Any]]) -> str:
    """The ways in which the same files were scanned, and how many verdicts were equal."""
    runs = [one for name, one in report.items() if name.startswith("run ")]
    files, again = sum(one["files"] for one in runs), sum(one["same"] for one in runs)
    rows = [f"| again, {len(runs)} runs | {again} of {files} | {max(one['p_fake'] for one in runs):.1g} |"]
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


BLOCKS = {
    "fuzz": (CORPUS, corpus),
    "kills": (KILLS, kills),
    "repeats": (REPEATS, repeats),
    "silent": (SILENT, silent),
    "tampering": (TAMPERING, tampering),
}
"""Of docs/reliability.md: the measurement, and what is written where."""

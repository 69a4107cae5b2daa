"""Makes the tables of docs/lab/evaluation.md again: shipped weights on labelled clips, a submission's cost.

    python benchmarks/evaluation.py --labelled ../shared/data/dfdc_mini --ladder \
        --json docs/lab/evaluation.json --into docs/lab/evaluation.md

Everything runs through the command line, as a user would run it. ``--report DIR`` takes an evaluation that
was made before. The cost of a submission is that of generated 1080p clips of ten seconds (``clips.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from marks import OPENING, paragraph, put_into
from pipeline import CACHE, draw_clips
from weights import are_shipped, whose

CLIPS_OF_A_SUBMISSION, HOURS, CORES = 4000, 9, 2
MIDDLE = 3
"""The level of the ladder, of five, that the opening tells of."""
NAMES = {
    "auc": "AUC",
    "pair_accuracy": "fake ranked above its own original",
    "average_precision": "average precision",
    "equal_error_rate": "equal error rate",
    "recall_at_1_percent_false_alarms": "fakes found at 1 % false alarms",
    "recall_at_5_percent_false_alarms": "fakes found at 5 % false alarms",
    "accuracy": "accuracy at the threshold",
    "recall": "fakes called fake",
    "false_alarms": "reals called fake",
}
FITTED = {
    "log_loss": "log loss",
    "brier": "Brier score",
    "rms_calibration_error": "calibration error",
}


def timed(*command: object) -> dict[str, float]:
    """Run ``unmask`` and give its wall and CPU seconds, children included."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "unmask", *map(str, command)], check=True, stdout=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_seconds": round(time.perf_counter() - start, 1), "cpu_seconds": round(cpu, 1)}


def measure_submission(count: int, cache: Path) -> dict[str, Any]:
    """What a submission of generated 1080p clips costs."""
    clip, _ = draw_clips(cache, people=1)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            (Path(folder) / f"{number:04}.mp4").symlink_to(clip)
        cost = timed("submit", folder, "-o", Path(folder) / "submission.csv", "--jobs", CORES)
    per_clip = cost["cpu_seconds"] / count
    hours = per_clip * CLIPS_OF_A_SUBMISSION / CORES / 3600
    return cost | {"clips": count, "cpu_seconds_per_clip": round(per_clip, 2), "hours": round(hours, 2)}


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def shown(figure: dict[str, float] | None) -> str:
    if not figure or figure["value"] is None:
        return "- | -"
    return f"{figure['value']:.3f} | {figure['low']:.2f} to {figure['high']:.2f}"


def markdown(report: dict[str, Any]) -> str:
    summary = report["metrics"]
    reals = summary["clips"] - summary["fakes"]
    lines = [
        f"\n`{summary['set']}`: {summary['clips']} clips, {reals} real and {summary['fakes']} fake, of "
        f"{summary['originals']} originals.",
    ]
    for name, model in summary["models"].items():
        judged = sum(counts["judged"] for counts in model["coverage"].values())
        lines += [
            f"\n**{name}** (weights {model['sha256'][:12]}): {judged} of {summary['clips']} clips got a "
            f"number; fake from p_fake {model['fake_at_least']:.2f} on.\n",
            row("per video", "measured", "95 % interval"),
            "|---|---:|---|",
            *(row(title, shown(model["video"].get(key))) for key, title in NAMES.items()),
        ]
        for key, title in FITTED.items():
            lines.append(
                row(f"{title}, calibrated on other originals", shown(model["recalibrated"].get(key)))
            )
        for key, title in FITTED.items():
            lines.append(row(f"{title}, with the card's calibration", shown(model["video"].get(key))))
        for level in ("person", "frame"):
            lines.append(row(f"AUC per {level} ({model[level]['count']})", shown(model[level]["auc"])))
    if "ladder" in summary:
        lines += ladder_lines(summary)
    if "submission" in report:
        lines += submission_lines(report["submission"])
    if "evaluation" in report:
        cost = report["evaluation"]
        what = "The evaluation, ladder included," if "ladder" in summary else "The evaluation"
        lines.append(
            f"\n{what} took {cost['cpu_seconds']:.0f} CPU seconds and {cost['wall_seconds']:.0f} s of wall "
            f"time, from cold, on {report['machine']}, load average {report['load']:.1f}."
        )
    return "\n".join(lines) + "\n"


def opening(report: dict[str, Any]) -> str:
    """What the document begins with: the first model's figures in sentences."""
    summary = report["metrics"]
    name, model = next(iter(summary["models"].items()))
    auc, sha256 = model["video"]["auc"], model["sha256"]
    better = (
        "are better than chance and far from good" if auc["low"] > 0.5 else "were not shown to beat chance"
    )
    told = [
        f"{whose(sha256)} {better}: an AUC of {auc['value']:.2f} (95 % interval {auc['low']:.2f} to "
        f"{auc['high']:.2f}) on the {summary['clips']} clips of `{summary['set']}`."
    ]
    if not are_shipped(sha256):
        told.append("What ships now was not measured on them yet.")
    if "ladder" in summary:
        told.append(_worse_clips(summary["ladder"], name))
    if "submission" in report:
        told.append(
            "A submission to the DeepFake Detection Challenge (DFDC) would take "
            f"{report['submission']['hours']:.1f} of the {HOURS} hours allowed, on {CORES} cores."
        )
    return paragraph(*told)


def _worse_clips(ladder: dict[str, Any], name: str) -> str:
    """A sentence on the middle of the ladder; empty where nothing was measured there."""
    clean = ladder["clean"][name]["auc"]
    found = {kind: steps[MIDDLE - 1]["models"][name]["auc"] for kind, steps in ladder["distortions"].items()}
    known = {kind: auc for kind, auc in found.items() if auc is not None}
    if clean is None or not known:
        return ""
    lost = sum(clean - auc for auc in known.values()) / len(known)
    worst = [
        f"{kind} ({known[kind]:.2f} is left)" for kind in sorted(known, key=lambda kind: known[kind])[:3]
    ]
    return (
        f"On worse clips it is less: at level {MIDDLE} of five, {lost:.2f} is lost on average, most to "
        f"{', '.join(worst)}."
    )


def ladder_lines(summary: dict[str, Any]) -> list[str]:
    found = summary["ladder"]
    lines = [
        f"\nAUC on {found['frames']} frames of each clip, made worse at five levels "
        "(95 % intervals are as wide as above):\n",
        row("model", "distortion", "none", "1", "2", "3", "4", "5", "fewest judged"),
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in summary["models"]:
        clean = found["clean"][name]["auc"]
        for kind, steps in found["distortions"].items():
            values = [clean, *(step["models"][name]["auc"] for step in steps)]
            cells = ("-" if value is None else f"{value:.2f}" for value in values)
            lines.append(row(name, kind, *cells, str(min(step["models"][name]["judged"] for step in steps))))
    return lines


def submission_lines(cost: dict[str, Any]) -> list[str]:
    return [
        f"\nA submission of {cost['clips']} generated clips (1080p, ten seconds, one face, 30 frames) cost "
        f"{cost['cpu_seconds_per_clip']:.2f} CPU seconds a clip. {CLIPS_OF_A_SUBMISSION} such clips take "
        f"**{cost['hours']:.1f} hours on {CORES} cores without a GPU**; the limit is {HOURS}."
    ]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the tables of docs/lab/evaluation.md.")
    parser.add_argument("--labelled", type=Path, help="clips in DFDC's layout")
    parser.add_argument("--report", type=Path, help="what unmask evaluate wrote, instead of --labelled")
    parser.add_argument("--model", nargs="*", default=[], help="cards; the shipped model when left out")
    parser.add_argument("--ladder", action="store_true")
    parser.add_argument("--clips", type=int, default=6, help="of the submission; 0 leaves it out")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where generated clips are kept")
    parser.add_argument("--read", type=Path, help="show what --json wrote, measure nothing")
    parser.add_argument("--json", type=Path, help="keep the figures here")
    parser.add_argument("--into", type=Path, help="put the tables between the marks of this document")
    return parser.parse_args()


def main() -> None:
    given = parse()
    if given.read:
        report = json.loads(given.read.read_text(encoding="utf-8"))
    else:
        report = {"machine": f"{os.cpu_count()} cores", "load": round(os.getloadavg()[0], 1)}
        if given.clips:
            report["submission"] = measure_submission(given.clips, given.cache.resolve())
        with tempfile.TemporaryDirectory() as folder:
            source = given.report or Path(folder)
            if given.report is None:
                if given.labelled is None:
                    raise SystemExit("--labelled, --report or --read must be given")
                options = [part for card in given.model for part in ("--model", card)]
                options += ["--ladder"] if given.ladder else []
                report["evaluation"] = timed("evaluate", given.labelled, "-o", folder, *options)
            report["metrics"] = json.loads((source / "metrics.json").read_text(encoding="utf-8"))
        for model in report["metrics"]["models"].values():  # what a document has no use for
            for key in ("originals", "slices"):
                model.pop(key, None)
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if given.into:
        put_into(given.into, markdown(report))
        put_into(given.into, opening(report), OPENING)
    else:
        print(markdown(report), end="")


if __name__ == "__main__":
    main()

"""Makes the tables of docs/evaluation.md again: the shipped weights on labelled clips, a submission's cost.

    python benchmarks/evaluation.py --labelled ../shared/data/dfdc_mini --ladder \
        --json docs/evaluation.json --into docs/evaluation.md

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

from pipeline import CACHE, draw_clips, put_into

CLIPS_OF_A_SUBMISSION, HOURS, CORES = 4000, 9, 2
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
    "calibration_error": "expected calibration error",
    "calibration_error_if_honest": "the same of perfectly calibrated scores, by chance",
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
    parser = argparse.ArgumentParser(description="Make the tables of docs/evaluation.md.")
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
    else:
        print(markdown(report), end="")


if __name__ == "__main__":
    main()

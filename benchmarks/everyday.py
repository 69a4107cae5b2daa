"""What is written of verdicts on what people do to clips every day.

    unmask evaluate clips.csv --everyday --model FOLDER/held-out.json -o report

gives `metrics.json`; what it has under ``everyday`` is kept as `docs/lab/everyday.json`. The clips are of
sources that the head of that model had not seen (`recipes/publish_head.py --without`).
"""

from __future__ import annotations

from typing import Any

from marks import marks, paragraph

MARKS = marks("everyday")
OUTCOMES = ("fake", "unsure", "real")


def document(report: dict[str, Any]) -> str:
    """What it comes to, then a row for each change."""
    changes = {name: next(iter(models.values())) for name, models in report["changes"].items()}
    plain = changes["untouched"]
    reals, fakes = (sum(plain[kind].values()) for kind in ("reals", "fakes"))
    alarms = {name: one["reals"].get("fake", 0) for name, one in changes.items() if name != "untouched"}
    worst = max(alarms, key=lambda name: alarms[name])
    turned = sum(one["real_to_fake"] for one in changes.values())
    told = paragraph(
        f"Of {reals} real clips of sources that the head had not seen, {plain['reals'].get('fake', 0)} are",
        f"called fake as they are, and at most {alarms[worst]} ({worst}) after one of {len(alarms)} things",
        f"that people do. A verdict turned from `real` to `fake` {turned} times.",
        f"There are {fakes} fakes beside them; a head without a third of the sources judges.",
    )
    rows = [
        "| done to the clip | reals called fake / unsure / real / without a face | fakes, the same "
        "| clear verdicts lost | `real` turned `fake` | AUC |",
        "|---|---|---|---:|---:|---:|",
    ]
    for name, one in changes.items():
        about = f"{name}: {report['about'][name]}"
        cells = [_counts(one["reals"]), _counts(one["fakes"]), str(one["lost"]), str(one["real_to_fake"])]
        cells.append(f"{one['auc']['auc']:.2f}")
        rows.append(f"| {' | '.join([about, *cells])} |")
    return told + "\n\n" + "\n".join(rows) + "\n"


def _counts(outcomes: dict[str, int]) -> str:
    others = sum(outcomes.values()) - sum(outcomes.get(name, 0) for name in OUTCOMES)
    return " / ".join(str(count) for count in (*(outcomes.get(name, 0) for name in OUTCOMES), others))

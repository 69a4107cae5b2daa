"""What the shipped weights say of footage from sources that took no part in their training or calibration.

    unmask scan --json FOLDER > scans.jsonl
    python benchmarks/strangers.py index.csv=scans.jsonl ... -o docs/lab/strangers.json --card

An index (recipes/index_sources.py) says of each file its source, label, family and, for a picture of a face,
age, sex and race. A source is a repository or a data set. ``--card`` writes the false alarms onto the shipped
card, where report, page and README find them: what a user is promised must hold on strangers' footage.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from marks import paragraph
from unmask.files import write_whole
from unmask.lab.evaluate.bootstrap import DRAWS
from unmask.lab.evaluate.clips import read_attributes
from unmask.lab.evaluate.metrics import Scored, auc
from weights import measured_with

OUTCOMES = ("fake", "unsure", "real")
AGES = ((0, 2), (3, 9), (10, 19), (20, 29), (30, 39), (40, 49), (50, 59), (60, 120))
Row = dict[str, Any]


def read_rows(index: Path, scans: Path) -> Iterator[Row]:
    """Every judged file of an index, with its outcome.

    Raises:
        SystemExit: A file was scanned that the index does not have.
    """
    import pandas as pd

    known = pd.read_csv(index, dtype=str, keep_default_na=False).set_index("path").to_dict("index")
    with scans.open(encoding="utf-8") as lines:
        for line in lines:
            verdict = json.loads(line)
            row = known.get(str(Path(verdict["path"]).absolute()))
            if row is None:
                raise SystemExit(f"{index} must have every file that was scanned, lacks {verdict['path']}")
            attributes = read_attributes(row["attributes"])
            yield {
                "source": row["part"], "label": row["label"], "family": row["family"],
                "kind": "stills" if verdict["end_seconds"] == verdict["start_seconds"] else "video",
                "outcome": verdict["outcome"], "p_fake": verdict["p_fake"],
                "weights": verdict["model"]["sha256"], **attributes,
            }  # fmt: skip


def summarise(rows: list[Row]) -> dict[str, Any]:
    """Counts by source, family and group of people, and false alarms with intervals over sources.

    Raises:
        SystemExit: The files were judged by different weights.
    """
    used = {row["weights"] for row in rows}
    if len(used) != 1:
        raise SystemExit(f"all files must be judged by one set of weights, got {len(used)}")
    reals, fakes = ([row for row in rows if row["label"] == label] for label in ("REAL", "FAKE"))
    kinds = {kind: [row for row in reals if row["kind"] == kind] for kind in ("video", "stills")}
    stills = [row for row in kinds["stills"] if row.get("age", "").isdigit()]
    video = [row["p_fake"] for row in kinds["video"] if row["p_fake"] is not None]
    return {
        "weights": used.pop(),
        "scores": {kind: _alarms(some) for kind, some in kinds.items()},
        "reals": {kind: _by(some, "source") for kind, some in kinds.items()},
        "fakes": _by(fakes, "family", lambda some: {"auc": _auc(some, video)}),
        "people": {
            "age": _by([{**row, "age": _band(int(row["age"]))} for row in stills], "age"),
            "sex": _by([row for row in stills if "sex" in row], "sex"),
            "race": _by([row for row in stills if "race" in row], "race"),
        },
    }  # fmt: skip


def _by(
    rows: list[Row], column: str, more: Callable[[list[Row]], Row] = lambda some: {}
) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return {
        name: {
            "files": len(some),
            **{outcome: sum(row["outcome"] == outcome for row in some) for outcome in OUTCOMES},
            **more(some),
        }
        for name, some in sorted(groups.items())
    }


def _band(age: int) -> str:
    return next(f"{low:2d} to {high}" for low, high in AGES if low <= age <= high)


def _auc(fakes: list[Row], reals: list[float]) -> float:
    values = [row["p_fake"] for row in fakes if row["p_fake"] is not None]
    scored = Scored(
        np.repeat([True, False], [len(values), len(reals)]),
        np.array(values + reals),
        np.arange(len(values + reals)),
    )
    return round(auc(scored), 3)


def _alarms(rows: list[Row]) -> dict[str, float]:
    """Share of judged files called fake; the interval resamples sources, as the next file has another."""
    judged = _by([row for row in rows if row["outcome"] in OUTCOMES], "source")
    called, files = (np.array([one[key] for one in judged.values()], float) for key in ("fake", "files"))
    drawn = np.random.default_rng(0).integers(len(files), size=(DRAWS, len(files)))
    low, high = np.percentile(called[drawn].sum(1) / files[drawn].sum(1), [2.5, 97.5])
    share = {"value": called.sum() / files.sum(), "low": low, "high": high}
    rounded = {name: round(float(value), 4) for name, value in share.items()}
    return {**rounded, "clips": int(files.sum()), "sources": len(files)}


def opening(report: dict[str, Any]) -> str:
    """The conclusion, with its figures."""
    video, stills = report["scores"]["video"], report["scores"]["stills"]
    ages = report["people"]["age"]
    young = [ages[band] for band in (" 0 to 2", " 3 to 9") if band in ages]
    old = [ages[band] for band in ages if band >= "30"]
    return paragraph(
        f"On footage of sources that took no part in training or calibration, {_share(video)} of",
        f"{video['clips']} real videos and {_share(stills)} of {stills['clips']:,} real pictures were",
        f"called fake (95 % intervals over sources: {_range(video)} and {_range(stills)}).",
        "It hits people unequally:",
        f"{_called(young)} of the children under ten, {_called(old)} of those of thirty and more.",
        measured_with(report["weights"]),
    )


def left_out_opening(report: dict[str, Any]) -> str:
    """What the weights that ship do on sources left out, with its figures."""
    video, stills = (report["scores"][f"false_alarms_on_strangers_{kind}"] for kind in ("video", "stills"))
    sources, ages = report["reals"]["video"], report["people"]["age"]
    young = [one for band, one in ages.items() if band < "10"]
    old = [one for band, one in ages.items() if band >= "30"]
    worst = max((one["fake"] / one["files"], name) for name, one in sources.items() if one["files"] >= 5)
    found = [
        (one["source_unseen"]["fake"], one["source_unseen"]["files"]) for one in report["fakes"].values()
    ]
    share = sum(fake / files for fake, files in found) / len(found)
    return paragraph(
        f"Each of {len(sources)} sources of real video was judged by weights that had seen nothing of it:",
        f"{_share(video)} of {video['clips']} videos were called fake (95 % interval over sources",
        f"{_range(video)}), and {_percent(worst[0])} of the worst source of five or more ({worst[1]}).",
        f"Of {stills['clips']:,} pictures it was {_share(stills)} ({_range(stills)}), of children under ten",
        f"{_called(young)}, of those of thirty and more {_called(old)}. Of the fakes of sources left out in",
        f"the same way {_percent(share)} are called fake, as the mean of {len(found)} families.",
        measured_with(report["weights"]),
    )


def left_out_tables(report: dict[str, Any]) -> str:
    """The tables of sources left out."""
    parts = _reals_tables(report)
    parts += [
        "| fakes, by family | files | called fake, its source left out | AUC | called fake, all the family "
        "left out | AUC |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, one in report["fakes"].items():
        cells = [
            text
            for some in (one["source_unseen"], one["family_unseen"])
            for text in (_called([some]), f"{some['auc']:.2f}")
        ]
        parts.append(f"| {name} | {one['source_unseen']['files']} | {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"


def _reals_tables(report: dict[str, Any]) -> list[str]:
    parts = []
    for title, groups in (
        ("real video, by source", report["reals"]["video"]),
        ("real pictures, by source", report["reals"]["stills"]),
        ("real pictures, by age", report["people"]["age"]),
        ("real pictures, by sex", report["people"]["sex"]),
        ("real pictures, by race as the data sets name it", report["people"]["race"]),
    ):
        parts += [f"| {title} | files | called fake | unsure | called real |", "|---|---:|---:|---:|---:|"]
        parts += [f"| {name} | {one['files']:,} | {_cells(one)} |" for name, one in groups.items()]
        parts.append("")
    return parts


def markdown(report: dict[str, Any]) -> str:
    """The tables."""
    parts = _reals_tables(report)
    parts += [
        "| fakes, by family | files | called fake | unsure | called real | AUC against the real videos |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    parts += [
        f"| {name} | {one['files']} | {_cells(one)} | {one['auc']:.2f} |"
        for name, one in report["fakes"].items()
    ]
    return "\n".join(parts) + "\n"


def _cells(one: Row) -> str:
    return " | ".join(_percent(one[outcome] / one["files"]) for outcome in OUTCOMES)


def _percent(share: float) -> str:
    """A share in whole percent, of less than one in tenths."""
    return f"{share:.{1 if 0 < share < 0.01 else 0}%}".replace("%", " %")


def _share(score: Row) -> str:
    return _percent(score["value"])


def _range(score: Row) -> str:
    return f"{_percent(score['low'])} to {_percent(score['high'])}"


def _called(groups: list[Row]) -> str:
    share = sum(one["fake"] for one in groups) / max(1, sum(one["files"] for one in groups))
    return _percent(share)


def put_on_card(report: dict[str, Any]) -> None:
    """Write the false alarms onto the shipped card.

    Raises:
        SystemExit: The card is that of other weights.
    """
    from unmask.judge.card import Score, card_path, read_card, write_card

    card = read_card(card_path())
    if card.sha256 != report["weights"]:
        raise SystemExit(
            f"the shipped card is that of {card.sha256[:12]}, measured were {report['weights'][:12]}"
        )
    scores = {
        f"false_alarms_on_strangers_{kind}": Score(one["value"], one["low"], one["high"], one["clips"])
        for kind, one in report["scores"].items()
    }
    write_card(replace(card, scores={**card.scores, **scores}), card_path().with_suffix(".json"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "scans", nargs="+", metavar="INDEX=SCANS", help="an index, and what a scan said of it"
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--known", nargs="+", default=[], help="sources that took part, which are left out")
    parser.add_argument("--card", action="store_true", help="write the false alarms onto the shipped card")
    options = parser.parse_args()
    pairs = [re.split("=", given, maxsplit=1) for given in options.scans]
    rows = [row for index, scans in pairs for row in read_rows(Path(index), Path(scans))]
    report = summarise([row for row in rows if row["source"] not in options.known])
    write_whole(options.output, json.dumps(report, indent=1) + "\n")
    if options.card:
        put_on_card(report)
    print(json.dumps(report["scores"], indent=1))


if __name__ == "__main__":
    main()

"""What a 10 s clip costs with each published network, beside the shipped one; makes docs/models.md's tables.

    python benchmarks/models.py --json docs/models.json --into docs/models.md
    python benchmarks/models.py --read docs/models.json --into docs/models.md

Networks have their full size and random weights, which cost what the published ones do; they go through the
same conversion. Each scan is a process of its own, one at a time (see ``ways.py``), and the shipped
network takes its turn between all others, so that a busy machine slows all alike. With ``--openvino PYTHON``,
an environment with onnxruntime-openvino, all are measured a second time with that provider.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from marks import OPENING, marks, paragraph, put_into
from pipeline import CACHE, HERE, draw_clips, find_card
from weights import are_shipped, measured_with

COSTS, MODELS = marks("costs"), marks("models")
SHIPPED = "shipped"
LIMIT_SECONDS = 3600
CORES = 2


def networks() -> dict[str, tuple[str, Callable[[], Any]]]:
    """One of each network: the entry that it stands for, and how to build it with random weights."""
    from unmask.lab.zoo.vit import Shape, VisionTransformer

    from unmask.lab.zoo.dfdc_net import B7, DeepFakeClassifier
    from unmask.lab.zoo.efficientnet import EfficientNet
    from unmask.lab.zoo.gend_net import LAYOUTS, GenD
    from unmask.lab.zoo.mesonet import FakeOdds, MesoNet

    def gend(kind: str, patch_px: int, registers: int = 0) -> Callable[[], Any]:
        shape = Shape(1024, 24, 4096, patch_px, 224, registers=registers, **LAYOUTS[kind].kind)
        return lambda: GenD(VisionTransformer(shape), unit=True)

    return {
        "MesoNet, Meso-4": ("meso4-df", lambda: FakeOdds(MesoNet("meso4"))),
        "MesoNet, MesoInception-4": ("mesoinception4-df", lambda: FakeOdds(MesoNet("mesoinception4"))),
        "EfficientNet-B7, 380 px": ("dfdc-b7", lambda: DeepFakeClassifier(EfficientNet(B7))),
        "GenD, CLIP ViT-L/14": ("gend-clip-l14", gend("clip", 14)),
        "GenD, DINOv3 ViT-L/16": ("gend-dinov3-l", gend("dinov3", 16, 4)),
        "GenD, Perception Encoder L/14": ("gend-pe-l", gend("pe", 14)),
    }


def convert(name: str, folder: Path) -> Path:
    """The card of a network with random weights, made where the folder does not hold it."""
    import torch

    from unmask.judge.card import write_card
    from unmask.lab.models.export import export_judge
    from unmask.lab.zoo.convert import Published
    from unmask.lab.zoo.get import draft_card, fixed_crops
    from unmask.lab.zoo.table import ZOO

    entry_name, build = networks()[name]
    entry = ZOO[entry_name]
    card = folder / f"{entry.name}-random.json"
    if not card.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(0)
        judge = Published(build(), mean=entry.mean, std=entry.std).eval()
        weights = card.with_suffix(".onnx")
        export_judge(judge, weights, crops=fixed_crops(entry.size_px))
        write_card(draft_card(entry, weights, "random weights"), card)
    return card


def scan(python: str, clip: Path, card: str | Path, device: str) -> dict[str, Any]:
    """One scan, in a process of its own."""
    command = [python, str(HERE / "ways.py"), "scan", str(clip), "--device", device]
    command += [] if card == SHIPPED else ["--card", str(card)]
    environment = os.environ | {"PYTHONPATH": str(HERE.parent / "src")}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS, check=True, env=environment
    )
    found = dict(json.loads(done.stdout))
    if found["found"]["device"] != device:
        raise SystemExit(f"{python} has no {device}")
    return found


def measure(given: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Scan with all networks in turn, the shipped one between them."""
    clip, _ = draw_clips(given.cache, people=1)
    cards: dict[str, str | Path] = {SHIPPED: SHIPPED}
    for name in networks():
        console.print(f"converting {name}")
        # In a process of its own: what torch held would make the parent of those that are measured large.
        options = ["--cache", str(given.cache), "--convert", name]
        done = subprocess.run(
            [sys.executable, __file__, *options], stdout=subprocess.PIPE, text=True, check=True
        )
        cards[name] = Path(done.stdout.strip())
    pythons = {"cpu": sys.executable} | ({"openvino": given.openvino} if given.openvino else {})
    runs: list[dict[str, Any]] = []
    for number in range(given.rounds):
        for name in list(networks()):
            for device, python in pythons.items():
                for one in (SHIPPED, name):
                    result = scan(python, clip, cards[one], device)
                    runs.append({"model": one, "beside": name, "device": device, "round": number} | result)
                    seconds = f"{result['cpu_seconds']:.2f} CPU s, {result['peak_mb']} MB"
                    console.print(f"round {number + 1}, {device}, {one}: {seconds}")
    sizes = {
        name: round(Path(card).with_suffix(".onnx").stat().st_size / 1e6, 1)
        for name, card in cards.items()
        if card != SHIPPED
    }
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    _, weights = find_card(None)
    return {"machine": machine, "weights": weights, "onnx_mb": sizes, "runs": runs}


def costs(report: dict[str, Any]) -> str:
    """The table of costs: CPU seconds, and times the shipped network's scans beside it."""
    runs = report["runs"]
    devices = list(dict.fromkeys(run["device"] for run in runs))
    head = ["network", "ONNX, MB"]
    for device in devices:
        head += [f"{device}: CPU s", "x shipped", "scans an hour", "peak, MB"]
    rows = []
    for name in (SHIPPED, *report["onnx_mb"]):
        cells = [name if name != SHIPPED else "**shipped**", f"{report['onnx_mb'].get(name, '')}"]
        for device in devices:
            own = _of(runs, name, device)
            base = _of(runs, SHIPPED, device, beside=None if name == SHIPPED else name)
            seconds = median(own)
            cells += [f"{seconds:.1f}", f"{seconds / median(base):.2f}", f"{CORES * 3600 / seconds:.0f}"]
            cells.append(f"{max(_of(runs, name, device, key='peak_mb')):.0f}")
        rows.append(cells)
    count = len(_of(runs, name, devices[0]))
    load = f"Machine: {report['machine']}, shared with other work. Scans with each network: {count}."
    weights = f"Shipped network: {measured_with(report['weights'])}"
    return "\n".join([_table(head, rows), "", load, weights, ""])


def opening(report: dict[str, Any]) -> str:
    """What the document begins with: what the largest networks cost on the processor."""
    runs = report["runs"]
    large = [name for name in report["onnx_mb"] if name.startswith("GenD")]
    times = [
        median(_of(runs, name, "cpu")) / median(_of(runs, SHIPPED, "cpu", beside=name)) for name in large
    ]
    memory = max(peak for name in large for peak in _of(runs, name, "cpu", key="peak_mb"))
    older = "" if are_shipped(report["weights"]) else measured_with(report["weights"])
    return paragraph(
        "unmask ships one small model and can get others that were published, in one command.",
        f"The strongest of them are large: a scan with a vision transformer costs {min(times):.0f} to "
        f"{max(times):.0f} times a scan with the shipped network, and needs {memory / 1000:.1f} GB of",
        "memory.",
        older,
        "Their numbers are no probabilities until `unmask calibrate` has fitted them to labelled clips.",
    )


def _of(
    runs: Sequence[dict[str, Any]],
    model: str,
    device: str,
    *,
    beside: str | None = None,
    key: str = "cpu_seconds",
) -> list[float]:
    return [
        run[key]
        for run in runs
        if run["model"] == model and run["device"] == device and beside in (None, run["beside"])
    ]


def models() -> str:
    """The table of what there is, from the entries and the shipped card."""
    from unmask.judge.card import card_path, read_card
    from unmask.lab.zoo.table import ZOO

    card = read_card(card_path())
    auc = sorted(score.value for name, score in card.scores.items() if "auc" in name)
    told = f"AUC {auc[0]:.2f} to {auc[-1]:.2f} by kind of fake, on sources left out ([each](cards.md))"
    rows = [[f"`{card.name}` (shipped)", f"{card.size_px} px", "box", card.licence, told, "measured"]]
    for entry in ZOO.values():
        cells = [f"`{entry.name}`: {entry.title}", f"{entry.size_px} px", entry.crop, entry.licence]
        rows.append([*cells, entry.measured, entry.tried])
    head = ["model", "crop", "cut", "licence of the weights", "scores", "tried here"]
    return _table(head, rows) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def parse() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Measure what a clip costs with each published network.")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where clips and networks are kept")
    parser.add_argument("--openvino", metavar="PYTHON", help="of an environment with onnxruntime-openvino")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--read", type=Path, help="take the figures from there instead of measuring")
    parser.add_argument("--into", type=Path, help="a document whose tables are replaced")
    parser.add_argument("--convert", metavar="NETWORK", help="only convert one, and print where its card is")
    return parser.parse_args()


def main() -> None:
    """Measure or read, and show."""
    given = parse()
    if given.convert:
        print(convert(given.convert, given.cache / "networks"))
        return
    console = Console(stderr=True)
    report = json.loads(given.read.read_text()) if given.read else measure(given, console)
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    table = costs(report)
    print(table)
    if given.into:
        put_into(given.into, table, COSTS)
        put_into(given.into, models(), MODELS)
        put_into(given.into, opening(report), OPENING)


if __name__ == "__main__":
    main()

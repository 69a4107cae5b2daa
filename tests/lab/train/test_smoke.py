"""The smoke recipe, run as its header says: two processes, from data to a model."""

import json
import subprocess
import sys
from pathlib import Path

from unmask.judge.card import read_card

RECIPES = Path(__file__).resolve().parents[3] / "recipes"


def test_the_smoke_recipe_trains_with_two_processes(tmp_path):
    def run(*command):
        found = subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        assert found.returncode == 0, found.stderr
        return found.stderr

    run(RECIPES / "smoke_data.py", ".data/smoke")
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2)
    said = run(*launch, "-m", "unmask", "train", RECIPES / "smoke.toml", "-o", "runs/smoke")
    assert said.count("none on both sides") == 1  # two processes of one run, not two runs
    log = [json.loads(line) for line in (tmp_path / "runs/smoke/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == list(range(1, len(log) + 1)) and 30 <= len(log) <= 40
    assert all(0 <= line["portraits_auc"] <= 1 for line in log[9::10])
    assert read_card(tmp_path / "runs/smoke/smoke.json").file == "smoke.onnx"

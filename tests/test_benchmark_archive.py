"""The benchmark of archives runs, on few records; its tables are checked in tests/test_documents.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "archive.py"


def test_it_measures_what_keeping_records_takes():
    command = [sys.executable, SCRIPT, "--only", "records", "--records", "1500"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["peak memory, MB"] > 20 and len(told) == 5 and all(value >= 0 for value in told.values())

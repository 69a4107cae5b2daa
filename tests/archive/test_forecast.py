"""What a scan will cost, from a sample."""

import pytest

from inline_crew import InlineCrew
from unmask.archive.forecast import forecast
from unmask.archive.judging import Judged
from unmask.archive.plan import make_plan
from unmask.archive.sources import SourceFile
from unmask.errors import DataError
from unmask.reasons import because
from unmask.work.pool import Failure

FILES = [SourceFile(f"/{n}", f"{n:03d}", 1000 - n) for n in range(200)]


def judge(task, tell):
    size = task.file.size_bytes
    return Judged({"outcome": "real"}, {"fetch": 0.1, "total": size / 1000, "cpu": size / 500})


def test_ten_files_of_all_sizes_stand_for_the_rest():
    plan = make_plan([*FILES, SourceFile("/gone", "gone", 0, "no such file")])
    found = forecast(plan, InlineCrew(judge, workers=2))
    exact = sum(0.1 + file.size_bytes / 1000 for file in FILES)
    assert found.worker_seconds == pytest.approx(exact, rel=0.01)
    assert abs(found.worker_seconds - exact) <= found.worker_error_seconds < 0.1 * exact
    assert (found.files, found.skipped, found.sampled, found.failed) == (201, 1, 10, 0)
    assert found.bytes == sum(file.size_bytes for file in FILES) and found.outcomes == {"real": 10}
    assert found.hours(2) == found.worker_seconds / 7200 and found.cpu_seconds > found.worker_seconds


def test_failures_are_told_and_nothing_at_all_is_refused():
    plan = make_plan(FILES)
    lost = Failure(because("no_memory"), ours=True)
    found = forecast(plan, InlineCrew(judge, fate=lambda task: lost if task.number < 100 else None))
    assert (found.sampled, found.failed) == (5, 5)
    with pytest.raises(DataError, match="none of 200 files"):
        forecast(plan, InlineCrew(judge, fate=lambda task: lost))

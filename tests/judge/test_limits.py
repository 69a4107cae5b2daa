import pytest

from tiny_model import write_tiny_model
from unmask.config import LimitSettings, ScanSettings
from unmask.judge.limits import COPIES, limits_for
from unmask.work import limits
from unmask.work.limits import MEMORY_MB


@pytest.fixture(autouse=True)
def no_accelerators(monkeypatch):
    monkeypatch.setattr(limits, "_FOR_ACCELERATORS", ())


def test_a_worker_may_hold_what_its_models_need_and_what_was_said_counts(tmp_path):
    card = write_tiny_model(tmp_path)
    small = ScanSettings(model=str(card))
    assert limits_for(small, LimitSettings()).memory_mb == MEMORY_MB + COPIES
    (tmp_path / "tiny.onnx").write_bytes(bytes(100 << 20))
    both = ScanSettings(model=str(card), beside=(str(card),))
    assert limits_for(both, LimitSettings()).memory_mb == MEMORY_MB + 2 * COPIES * 101
    assert limits_for(both, LimitSettings(memory_mb=600, sandbox="off")) == LimitSettings(600, sandbox="off")
    assert limits_for(both, LimitSettings(memory_mb=0)).memory_mb == 0


def test_a_model_that_is_not_there_changes_nothing():
    assert limits_for(ScanSettings(model="no/such.json"), LimitSettings()).memory_mb == MEMORY_MB


def test_accelerators_set_no_limit(monkeypatch):
    monkeypatch.setattr(limits, "_FOR_ACCELERATORS", ("pytest",))
    assert limits_for(ScanSettings(), LimitSettings()).memory_mb == 0

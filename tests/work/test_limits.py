"""Each limit of a worker is seen to act, and costs the one task that met it."""

import socket
import sys
import tempfile
from pathlib import Path

import pytest

from limited_worker import load_trying
from unmask.config import BatchSettings, LimitSettings
from unmask.errors import ModelError, SettingsError
from unmask.work import limits, processes, sandbox
from unmask.work.each import Failure, run_each
from unmask.work.limits import NO_LIMITS, memory_of
from unmask.work.sandbox import why_no_sandbox

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these limits")
closing = pytest.mark.skipif(bool(why_no_sandbox()), reason=why_no_sandbox() or "it can")

OUTSIDE = ("write", "append", "cut", "remove", "rename", "make", "link", "mode", "times", "thread")
REFUSED = (*OUTSIDE, "connect", "listen", "run")


def attempts(*tasks, wall=60.0, **given):
    """What came of each, in one worker after the other."""
    found = run_each(tasks, load_trying, BatchSettings(1, wall), limits=LimitSettings(**given))
    return [answer for _, answer in sorted(found, key=lambda one: one[0])]


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def tasks_on(folder, address):
    tasks = []
    for number, what in enumerate(REFUSED):
        target = folder / str(number)
        target.write_text("as it was")
        tasks.append((what, address if what == "connect" else str(target)))
    return tasks


@closing
def test_a_worker_that_is_closed_in_changes_nothing_and_reaches_nobody(tmp_path, server):
    tasks = tasks_on(tmp_path, server)
    before = {file: (file.read_text(), file.stat()) for file in tmp_path.iterdir()}
    found = attempts(*tasks, sandbox="require")
    assert dict(zip(REFUSED, found, strict=True)) == dict.fromkeys(REFUSED, "PermissionError")
    assert {file: (file.read_text(), file.stat()) for file in tmp_path.iterdir()} == before


def test_without_a_sandbox_the_same_attempts_succeed(tmp_path, server):
    found = attempts(*tasks_on(tmp_path, server), sandbox="off")
    assert "PermissionError" not in found and "taken" in {f.read_text() for f in tmp_path.glob("?")}


@closing
def test_a_worker_that_is_closed_in_reads_and_has_a_folder_of_its_own_which_goes_with_it(tmp_path):
    (tmp_path / "a").write_text("words")
    (read, scratch) = attempts(("read", str(tmp_path / "a")), ("scratch", ""), sandbox="require")
    assert read == "words"
    assert Path(scratch).name.startswith("unmask-worker-") and Path(scratch).parent == Path(
        tempfile.gettempdir()
    )
    assert not Path(scratch).exists()


@closing
def test_a_worker_cannot_stop_its_parent_where_the_kernel_knows_how():
    if sandbox._landlock_version() < 6:
        pytest.skip("signals are kept inside from version 6 of Landlock on")
    assert attempts(("stop the parent", ""), sandbox="require") == ["PermissionError"]


@linux
def test_memory_is_limited_and_the_worker_lives_on():
    pid, hoard, same = attempts(("pid", ""), ("hoard", 1024), ("pid", ""), memory_mb=512)
    assert isinstance(hoard, Failure) and hoard.reason.code == "too_much_memory" and hoard.ours
    assert pid == same and str(hoard.reason).startswith("it needed more than 512 MB of memory")
    assert attempts(("hoard", 1024), memory_mb=0) == [1 << 30]


@linux
def test_processor_time_is_limited_a_task_and_costs_only_that(faults_folder):
    little = [("burn", 0.6)] * 3  # together more than the limit
    *first, burnt, last = attempts(*little, ("burn", 60), ("burn", 0.1), cpu_seconds=1)
    assert first == ["burnt"] * 3 and last == "burnt"
    assert isinstance(burnt, Failure) and burnt.reason.values["how"].code == "too_much_cpu"
    assert str(burnt.reason) == "given up: its worker used more than 1 seconds of processor time"


def test_wall_time_is_limited_and_costs_only_the_task():
    slept, pid = attempts(("sleep", 600), ("pid", ""), wall=2.0)
    assert isinstance(slept, Failure) and slept.reason.values["how"].code == "too_long"
    assert isinstance(pid, int)


@linux
def test_a_worker_has_no_descriptors_but_its_own(tmp_path):
    secret = tmp_path / "secret"
    secret.touch()
    with secret.open() as held, socket.create_server(("127.0.0.1", 0)):
        import os

        os.set_inheritable(held.fileno(), True)
        ((names),) = attempts(("opened", ""))
    assert not any("secret" in name for name in names)
    sockets = [name for name in names if name.startswith("socket:")]
    assert len(sockets) == 1  # its link to the parent; of the pipes, two are Python's own
    assert {n for n in names if not n.startswith(("socket:", "pipe:", "/proc/"))} == {"/dev/null"}


def test_a_system_that_cannot_close_workers_in_says_so_and_auto_goes_on(monkeypatch):
    monkeypatch.setattr(sandbox.sys, "platform", "plan9")
    monkeypatch.setattr(sandbox.platform, "system", lambda: "Plan 9")
    assert why_no_sandbox() == "workers can be closed in on Linux only, not on Plan 9"
    with pytest.raises(SettingsError, match="--sandbox require: workers can be closed in on Linux only"):
        processes.Processes(load_trying, 1, 60.0, LimitSettings(sandbox="require"))
    sandbox.close_in(Path(), wholly=False)
    with pytest.raises(OSError, match="Linux only"):
        sandbox.close_in(Path(), wholly=True)


@pytest.mark.parametrize(("version", "words"), [(-1, "got none"), (2, "got version 2")])
@linux
def test_a_kernel_that_is_too_old_is_named(monkeypatch, version, words):
    monkeypatch.setattr(sandbox, "_landlock_version", lambda: version)
    assert why_no_sandbox().endswith(words) and "Linux 6.2" in why_no_sandbox()


@linux
def test_a_processor_that_nobody_wrote_the_numbers_down_of_is_named(monkeypatch):
    monkeypatch.setattr(sandbox.platform, "machine", lambda: "riscv64")
    assert "not on riscv64" in why_no_sandbox()


@closing
def test_a_worker_that_must_be_closed_in_and_is_not_does_nothing(monkeypatch):
    given = processes.Processes(load_trying, 1, 60.0, LimitSettings(sandbox="require"))
    monkeypatch.setattr(processes.tempfile, "mkdtemp", lambda prefix: "/no such folder")
    worker = given.hire()
    try:
        given.wait([worker], 60)
        with pytest.raises(ModelError, match="no such folder"):
            worker.hear()
    finally:
        worker.kill()


def test_where_nothing_can_be_written_workers_work_all_the_same(monkeypatch):
    def full(prefix):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(processes.tempfile, "mkdtemp", full)
    sandboxed = "auto" if why_no_sandbox() else "require"
    assert isinstance(attempts(("pid", ""), sandbox=sandboxed)[0], int)


def test_a_folder_goes_when_no_process_could_be_started(monkeypatch, tmp_path):
    monkeypatch.setattr(processes.tempfile, "mkdtemp", lambda prefix: str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()

    def none(process):
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(processes, "_start", none)
    with pytest.raises(OSError, match="unavailable"):
        processes.Processes(load_trying, 1, 60.0).hire()
    assert not (tmp_path / "scratch").exists()


def test_every_number_of_a_refused_call_is_another():
    for column in (0, 1):
        numbers = [known[column] for known in sandbox._REFUSED.values() if column < len(known)]
        assert len(numbers) == len(set(numbers)) and len(numbers) < 250  # how far the filter can jump


def test_memory_is_limited_by_default_unless_accelerators_are_used(monkeypatch):
    monkeypatch.setattr(limits, "_FOR_ACCELERATORS", ())
    assert memory_of(LimitSettings()) == limits.MEMORY_MB
    monkeypatch.setattr(limits, "_FOR_ACCELERATORS", ("pytest",))
    assert memory_of(LimitSettings()) == memory_of(NO_LIMITS) == 0
    assert memory_of(LimitSettings(memory_mb=600)) == 600

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tiny_model import write_tiny_model
from unmask.batch import _end_part, _File, _join, scan_each, scan_many
from unmask.config import BatchSettings, ScanSettings
from unmask.errors import ModelError, SettingsError
from unmask.reasons import because
from unmask.verdicts import ModelName
from unmask.work.pool import Failure
from unmask.work.processes import default_jobs

# What happens to a file is in its name. It lies in a module of its own, since child processes import it.
ACTING = """
    import os, signal, sys, time
    from pathlib import Path
    from types import SimpleNamespace
    from unmask.errors import ModelError
    from unmask.reasons import because
    from unmask.verdicts import ModelName
    from unmask.judge.verdict import unreadable

    class Acting:
        def list_file(self, path, *, on_sha256):
            on_sha256("f" * 64)
            return SimpleNamespace(film=None)

        def scan(self, path, *, listed=None, on_look=None):
            print("noise on stdout", flush=True)
            os.write(2, b"noise on stderr")
            match Path(path).name.split("-")[0]:
                case "segv": os.kill(os.getpid(), signal.SIGSEGV)
                case "kill": os.kill(os.getpid(), signal.SIGKILL)
                case "exit": os._exit(3)
                case "hang":
                    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
                    time.sleep(600)
                case "slow": time.sleep(0.5)
                case "bug": raise KeyError("bug")
                case "hoard": raise MemoryError
                case "network": raise ModelError("the network gave no numbers")
                case "disk": raise OSError(5, "Input/output error")
                case "argument": raise OSError(22, "Invalid argument")
                case "unsendable": return lambda: None
            reason = because("unreadable", text=f"pid {os.getpid()}")
            return unreadable(path, reason, ModelName("acting", "0" * 64))

    def load(settings):
        return Acting()

    def refuse(settings):
        raise ModelError("no such weights")

    def crash(settings):
        os._exit(5)

    def stumble(settings):
        raise TypeError("no such\\nargument")

    def lack(settings):
        raise PermissionError(13, "Permission denied", "/weights.onnx")
"""


@pytest.fixture
def acting(tmp_path, monkeypatch):
    (tmp_path / "acting_scanner.py").write_text(textwrap.dedent(ACTING))
    monkeypatch.syspath_prepend(tmp_path)
    import acting_scanner

    yield acting_scanner
    del sys.modules["acting_scanner"]


@pytest.fixture
def settings(tmp_path):
    return ScanSettings(model=str(write_tiny_model(tmp_path / "model")))


def judged(paths, settings, acting, *, jobs=1, limit=60.0):
    found = dict(scan_each(paths, settings, BatchSettings(jobs, limit), load=acting.load))
    assert sorted(found) == list(range(len(paths)))
    assert [found[i].path for i in range(len(paths))] == paths
    return [found[i] for i in range(len(paths))]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("segv-1.mp4", "given up: its worker ended with SIGSEGV"),
        ("kill-1.mp4", "given up: its worker ended with SIGKILL, perhaps for lack of memory"),
        ("exit-1.mp4", "given up: its worker ended unexpectedly with exit code 3"),
        ("argument-1.mp4", "[Errno 22] Invalid argument"),
    ],
)
def test_what_ends_a_worker_costs_one_file(settings, acting, path, reason):
    good, bad, after = judged(["good-1.mp4", path, "good-2.mp4"], settings, acting)
    assert good.reason.startswith("pid ") and after.reason.startswith("pid ")
    assert (bad.outcome, bad.reason, bad.sha256, bad.model.name) == ("unreadable", reason, "f" * 64, "tiny")
    assert (good.reason == after.reason) == path.startswith("argument")  # the worker was replaced, or kept


@pytest.mark.parametrize("name", ["bug-1.mp4", "unsendable-1.mp4"])
def test_a_fault_of_our_own_is_no_fault_of_the_file_and_its_details_are_kept(
    settings, acting, faults_folder, name
):
    good, bad, after = judged(["good-1.mp4", name, "good-2.mp4"], settings, acting)
    assert (bad.outcome, bad.p_fake, bad.damaged, bad.model.name) == ("error", None, False, "tiny")
    (details,) = faults_folder.iterdir()
    assert "fault of unmask" in bad.reason and bad.reason.endswith(f"the details are in {details}")
    told = details.read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in told and name in told
    if name == "bug-1.mp4":
        assert "KeyError: 'bug'" in bad.reason and bad.sha256 == "f" * 64
        assert 'case "bug": raise KeyError("bug")' in told
    assert good.reason == after.reason  # the worker was kept


@pytest.mark.parametrize(
    ("name", "why"),
    [("hoard-1.mp4", "memory"), ("network-1.mp4", "no numbers"), ("disk-1.mp4", "Input/output error")],
)
def test_what_the_machine_or_a_network_fails_at_says_nothing_of_the_file(settings, acting, name, why):
    bad, good = judged([name, "good-1.mp4"], settings, acting)
    assert bad.outcome == "error" and why in bad.reason and "fault of unmask" not in bad.reason
    assert good.outcome == "unreadable"


def test_of_several_failures_the_first_decides_what_the_file_is_called(settings, acting):
    file = _File("a.mp4")
    _end_part(file, Failure(because("failed", text="unmask failed"), "f" * 64, ours=True))
    assert _join(file, settings, ModelName("tiny", "0" * 64)).outcome == "error"
    both = _File("a.mp4")
    killed = because("given_up", how=because("killed", signal="SIGSEGV"))
    _end_part(both, Failure(killed))
    _end_part(both, Failure(because("failed", text="unmask failed"), ours=True))
    found = _join(both, settings, ModelName("tiny", "0" * 64))
    assert (found.outcome, found.reason) == ("unreadable", str(killed))


def test_a_hang_is_given_up_even_when_it_blocks_signals(settings, acting):
    start = time.monotonic()
    bad, good = judged(["hang-1.mp4", "good-1.mp4"], settings, acting, limit=3.0)
    assert bad.reason == "given up: its worker took longer than 3 seconds"
    assert good.reason.startswith("pid ")
    assert time.monotonic() - start < 30


def test_no_more_workers_than_files(settings, acting):
    verdicts = judged(["good-1.mp4"], settings, acting, jobs=8)
    assert len(verdicts) == 1


def test_jobs_work_side_by_side_and_answer_as_they_are_ready(settings, acting):
    found = scan_each(["hang-1.mp4", "good-1.mp4"], settings, BatchSettings(jobs=2), load=acting.load)
    assert next(found)[0] == 1
    found.close()


def test_nothing_to_do_starts_nothing(settings, acting):
    assert list(scan_each([], settings, load=acting.crash)) == []


def test_networks_that_cannot_be_loaded_stop_everything(settings, acting):
    with pytest.raises(ModelError, match="no such weights"):
        list(scan_each(["a.mp4"], settings, load=acting.refuse))


def test_a_crash_while_loading_stops_everything(settings, acting):
    with pytest.raises(ModelError, match="could not be loaded: ended unexpectedly with exit code 5"):
        list(scan_each(["a.mp4"], settings, load=acting.crash))


def test_a_fault_while_loading_reaches_the_user_with_its_own_words(settings, acting, faults_folder):
    with pytest.raises(ModelError) as caught:
        list(scan_each(["a.mp4"], settings, load=acting.stumble))
    (details,) = faults_folder.iterdir()
    assert "(TypeError: no such argument)" in str(caught.value) and str(details) in str(caught.value)
    assert "in stumble" in details.read_text() and "__main__" not in str(caught.value)


def test_what_cannot_be_read_while_loading_is_named(settings, acting):
    with pytest.raises(ModelError, match=r"^\[Errno 13\] Permission denied: '/weights.onnx'$"):
        list(scan_each(["a.mp4"], settings, load=acting.lack))


def test_a_script_without_a_guard_is_told_so_and_only_such_a_script(settings, acting, tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from acting_scanner import load, crash\n"
        "from unmask.batch import scan_each\nfrom unmask.config import ScanSettings\n"
        f"print(list(scan_each(['good-1.mp4'], ScanSettings(model={settings.model!r}), load=load)))\n"
    )
    search = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    found = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert found.returncode == 1 and "must start its work under if __name__ == '__main__'" in found.stderr
    assert "bootstrapping" not in found.stderr
    with pytest.raises(ModelError) as caught:
        list(scan_each(["a.mp4"], settings, load=acting.crash))
    assert "__main__" not in str(caught.value)


def test_closing_ends_the_workers(settings, acting):
    found = scan_each(["good-1.mp4", "hang-2.mp4"], settings, BatchSettings(jobs=1), load=acting.load)
    pid = int(next(found)[1].reason.removeprefix("pid "))
    os.kill(pid, 0)
    found.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_workers_write_nothing_to_the_terminal(settings, acting, capfd):
    judged(["good-1.mp4"], settings, acting)
    assert capfd.readouterr() == ("", "")


def test_workers_do_not_hear_ctrl_c(settings, acting):
    found = scan_each(["good-1.mp4", "slow-2.mp4"], settings, BatchSettings(jobs=1), load=acting.load)
    first = next(found)[1].reason
    os.kill(int(first.removeprefix("pid ")), signal.SIGINT)
    assert next(found)[1].reason == first


def test_real_files_come_in_input_order(settings, tmp_path):
    paths = [tmp_path / f"{i}.mp4" for i in range(3)]
    for path in paths[:2]:
        path.touch()
    verdicts = list(scan_many(paths, settings, BatchSettings(jobs=2)))
    assert [Path(v.path) for v in verdicts] == paths
    assert [v.outcome for v in verdicts] == ["unreadable"] * 3
    assert verdicts[2].reason == "no such file"


def test_jobs_by_default_are_the_cores_but_few():
    assert 1 <= default_jobs() <= 4


@pytest.mark.parametrize("jobs", [0, -1, 1000])
def test_refuses_useless_jobs(jobs):
    with pytest.raises(SettingsError, match="jobs must be 1 to 256"):
        BatchSettings(jobs=jobs)

import subprocess
import sys
from threading import Thread

import pytest

from unmask.errors import DataError
from unmask.holding import LOCK_NAME, alone_in, hold

HOLD = """
import os, sys
from pathlib import Path
from unmask.holding import alone_in

with alone_in(Path(sys.argv[1])):
    print("here", flush=True)
    sys.stdin.read(1)
    os._exit(9)
"""


def test_another_process_is_kept_out_until_it_ends_or_is_killed(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdout.readline() == "here\n"
        with pytest.raises(DataError, match="another run is working in it"), alone_in(tmp_path):
            pass
        other.communicate("x")
    assert (tmp_path / LOCK_NAME).exists()  # as a kill leaves it
    with alone_in(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_file_that_goes_while_it_is_taken_is_made_anew(tmp_path, monkeypatch):
    """The one before removes it after it was opened, and before it was locked."""
    from unmask import holding

    lock, file = holding.lock, tmp_path / "a"
    gone = iter([True])

    def late(held):
        if next(gone, False):
            file.unlink()
        return lock(held)

    monkeypatch.setattr(holding, "lock", late)
    with hold(file, place=file):
        assert file.exists()


def test_of_many_threads_one_at_a_time_is_in(tmp_path):
    inside, most, entered = [], [], []

    def enter():
        for _ in range(200):
            try:
                with alone_in(tmp_path):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
                    entered.append(1)
            except DataError:
                continue

    threads = [Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1} and len(entered) > 100

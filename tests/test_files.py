import errno
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from unmask import files
from unmask.files import lock_file, whole_file, write_together, write_whole

MASKS = """
import os, sys, threading, time
from pathlib import Path
from unmask.files import write_whole

os.umask(0o022)
set_mask, modes = os.umask, set()

def set_and_lose_the_turn(mask):
    before = set_mask(mask)
    time.sleep(0.001)  # another thread may always come in between; here it does
    return before

os.umask = set_and_lose_the_turn

def write(number):
    for turn in range(10):
        file = Path(sys.argv[1]) / f"{number}-{turn}.txt"
        write_whole(file, "all of it")
        modes.add(file.stat().st_mode & 0o777)

threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print([oct(mode) for mode in sorted(modes)], oct(set_mask(0)))
"""


def test_many_threads_leave_the_umask_as_it_is(tmp_path):
    command = [sys.executable, "-c", MASKS, str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout == "['0o644'] 0o22\n"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, mode):
    file = tmp_path / "a.txt"
    file.write_text("before")
    file.chmod(mode)
    with whole_file(file) as draft:
        assert not draft.stat().st_mode & 0o777 & ~mode  # nobody reads what is private, early
        draft.write_text("after")
    assert file.read_text() == "after" and file.stat().st_mode & 0o777 == mode


def test_threads_that_write_the_same_file_each_write_all_of_it(tmp_path):
    file = tmp_path / "a.txt"
    texts = [str(number) * 1000 for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda text: write_whole(file, text), texts * 5))
    assert file.read_text() in texts and list(tmp_path.iterdir()) == [file]


KILLED = """
import os, sys
from unmask.files import whole_file

with whole_file(sys.argv[1]) as draft:
    draft.write_text("half of" * int(sys.argv[2]))
    os._exit(9)
"""


def test_the_draft_of_a_killed_process_is_used_by_the_next(tmp_path):
    file = tmp_path / "a.txt"
    for times in (900, 1):
        subprocess.run([sys.executable, "-c", KILLED, str(file), str(times)], check=False)
        assert len(list(tmp_path.iterdir())) == 1 and not file.exists()
    write_whole(file, "all of it")
    assert file.read_text() == "all of it" and list(tmp_path.iterdir()) == [file]


def test_a_draft_that_is_in_use_or_of_others_is_left_alone(tmp_path):
    file, other = tmp_path / "a.txt", tmp_path / "other"
    with whole_file(file) as usual:
        usual.write_text("first")
        write_whole(file, "second")
        assert usual.read_text() == "first" and file.read_text() == "second"
    assert file.read_text() == "first" and list(tmp_path.iterdir()) == [file]
    other.write_text("of somebody else")
    for link in (usual.symlink_to, usual.hardlink_to):
        link(other)
        write_whole(file, "third")
        assert other.read_text() == "of somebody else" and file.read_text() == "third"
        usual.unlink()


def test_a_block_that_fails_leaves_nothing(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("before")
    with pytest.raises(ValueError, match="no"), whole_file(file) as draft:
        draft.write_text("half")
        raise ValueError("no")
    assert file.read_text() == "before" and list(tmp_path.iterdir()) == [file]


def test_a_file_is_locked_for_others_until_it_is_closed(tmp_path):
    held = lock_file(tmp_path / "lock")
    with pytest.raises(BlockingIOError, match="is held by another process"):
        lock_file(tmp_path / "lock")  # flock knows open files, so this is as good as another process
    held.close()
    lock_file(tmp_path / "lock").close()


def test_windows_locks_by_its_own_means(tmp_path, monkeypatch):
    asked = []
    own = SimpleNamespace(LK_NBLCK=2, locking=lambda *given: asked.append(given[1:]))
    monkeypatch.setitem(sys.modules, "msvcrt", own)
    monkeypatch.setattr(files.sys, "platform", "win32")
    lock_file(tmp_path / "lock").close()
    assert asked == [(2, 1)]


def test_an_error_names_the_file_that_the_user_knows(tmp_path):
    """And not the draft beside it."""
    card = tmp_path / "card.json"
    with pytest.raises(OSError, match=r"card\.json") as caught, whole_file(card):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(card)
    with pytest.raises(OSError, match="output error") as caught, whole_file(card) as draft:
        raise OSError(errno.EIO, "Input/output error", str(draft))
    assert caught.value.filename == str(card)
    with pytest.raises(OSError, match="output error") as caught, whole_file(card):
        raise OSError(errno.EIO, "Input/output error", "other")
    assert caught.value.filename == "other"


@pytest.mark.parametrize("full_at", [1, 2, 3])
def test_files_that_belong_together_take_their_places_when_all_are_there(tmp_path, monkeypatch, full_at):
    older, newer = ({name: f"{name}, {which}" for name in ("a", "b", "page")} for which in ("older", "newer"))
    write_together(tmp_path, older, last="page")
    sync, calls = files.os.fsync, iter(range(1, 9))

    def fill(handle):
        if next(calls) == full_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", fill)
        with pytest.raises(OSError, match="No space left"):
            write_together(tmp_path, newer, last="page")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == older
    write_together(tmp_path, newer, last="page")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == newer


def test_what_tells_of_other_files_goes_first_and_comes_last(tmp_path, monkeypatch):
    write_together(tmp_path, {"a": "1", "page": "of 1"}, last="page")
    replace = files.Path.replace

    def look(draft, target):
        assert not (tmp_path / "page").exists()
        assert target.name != "page" or (tmp_path / "a").read_text() == "2"
        return replace(draft, target)

    monkeypatch.setattr(files.Path, "replace", look)
    write_together(tmp_path, {"page": "of 2", "a": "2"}, last="page")
    assert (tmp_path / "page").read_text() == "of 2"

import os

from unmask.work.faults import MOST_FILES, Fault, keep_details


def caught(raise_it, about="clip.mp4"):
    try:
        raise_it()
    except (ZeroDivisionError, KeyError, ValueError) as error:
        return Fault.of(error, about)


def divide():
    return 1 / 0


def test_the_details_hold_what_is_needed_to_mend_the_fault(faults_folder):
    told = str(keep_details(caught(divide)))
    (file,) = faults_folder.iterdir()
    assert told == f"the details are in {file}"
    text = file.read_text(encoding="utf-8")
    for words in ("unmask ", "Python ", "worked on: 'clip.mp4'", "Traceback", "in divide", "by zero"):
        assert words in text


def test_the_same_fault_on_many_files_is_kept_once_and_the_folder_is_bounded(faults_folder):
    for name in ("a.mp4", "b.mp4"):
        keep_details(caught(divide, name))
    (file,) = faults_folder.iterdir()
    assert "b.mp4" in file.read_text()
    for number in range(MOST_FILES + 5):
        source = "\n" * number + "def fail(): raise KeyError"  # on another line each time
        exec(compile(source, "made.py", "exec"), made := {})
        keep_details(caught(made["fail"]))
    assert len(list(faults_folder.iterdir())) == MOST_FILES


def test_odd_words_and_huge_ones_do_no_harm(faults_folder):
    def shout():
        raise ValueError("clip\udcff\n" * 50_000)

    fault = caught(shout, "x" * 10_000)
    assert "\n" not in fault.error and len(fault.error) < 1000
    keep_details(fault)
    (file,) = faults_folder.iterdir()
    assert file.stat().st_size < 1_000_000 and "\\udcff" in file.read_text(encoding="utf-8")


def test_where_nothing_can_be_written_the_place_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("UNMASK_CACHE", os.fspath(tmp_path / "file"))
    told = str(keep_details(caught(divide)))
    assert "test_faults.py, line" in told and "could not be written (Not a directory)" in told


def test_a_user_without_a_home_still_gets_the_place(monkeypatch):
    for name in ("UNMASK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", homeless)
    assert "Could not determine home directory" in str(keep_details(caught(divide)))

import errno
import os
import pickle

import av
import pytest

from unmask.errors import DamagedError, MediaError, is_of_machine, why_unreadable
from unmask.reasons import because, sentence


@pytest.mark.parametrize("kind", [MediaError, DamagedError])
def test_an_error_about_a_file_keeps_its_reason_on_the_way_to_another_process(kind):
    told = pickle.loads(pickle.dumps(kind(because("no_progress", seconds=2.5), "a.mp4")))
    assert type(told) is kind and (told.reason, told.file) == (because("no_progress", seconds=2.5), "a.mp4")
    assert str(told) == "a.mp4: reading must bring something new within 2.5 s (time_limit_seconds)"


def test_what_the_system_says_of_a_file_is_told_in_the_readers_language_where_there_are_words(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "gone.mp4").open()
    assert sentence(why_unreadable(caught.value), "de") == "die Datei gibt es nicht"
    assert why_unreadable(PermissionError(13, "Permission denied")).code == "not_permitted"
    assert why_unreadable(OSError(40, "Too many levels of symbolic links")) == because(
        "unreadable", text="too many levels of symbolic links"
    )
    assert why_unreadable(MediaError(because("empty"), "a.mp4")) == because("empty")


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENOSPC, errno.EROFS, errno.ENETDOWN])
def test_what_the_machine_fails_at_is_no_fault_of_the_file(number):
    error = OSError(number, os.strerror(number))
    assert is_of_machine(error) and MediaError(why_unreadable(error)).of_machine
    assert why_unreadable(error) == because("machine_failed", error=os.strerror(number))
    with pytest.raises(av.FFmpegError) as caught:
        av.error.err_check(-number)
    assert isinstance(caught.value, OSError) and not is_of_machine(caught.value)

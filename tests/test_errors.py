import pickle

import pytest

from unmask.errors import DamagedError, MediaError, why_unreadable
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
    assert why_unreadable(OSError(28, "No space left on device")) == because(
        "unreadable", text="no space left on device"
    )
    assert why_unreadable(MediaError(because("empty"), "a.mp4")) == because("empty")

import asyncio
import hashlib
import itertools
from types import SimpleNamespace

import pytest

from unmask.web import uploads
from unmask.web.refusals import RefusedError
from unmask.web.settings import UploadSettings
from unmask.web.uploads import plain_name, save_body

ONE_MB = UploadSettings(max_mb=1)


def save(chunks, target, settings=ONE_MB, *, declared=None):
    async def stream():
        for chunk in chunks:
            if isinstance(chunk, float):
                await asyncio.sleep(chunk)
            else:
                yield chunk

    return asyncio.run(save_body(stream(), target, settings, declared=declared))


def refused(*arguments, **options):
    with pytest.raises(RefusedError) as error:
        save(*arguments, **options)
    return error.value.code


def test_a_body_lies_there_as_it_came(tmp_path):
    data = bytes(range(256)) * 3900
    found = save([data[:100], b"", data[100:]], tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == data
    assert (found.bytes, found.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_too_much_is_refused_with_and_without_a_declared_length(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "_LINGER_SECONDS", 0.1)
    assert refused([b"x" * 10**6, b"y"], tmp_path / "a") == "too_large"
    assert refused([b"x"], tmp_path / "b", declared=10**6 + 1) == "too_large"
    assert not (tmp_path / "b").exists()


def test_a_body_that_lies_about_its_length_is_measured(tmp_path):
    assert refused([b"x" * 10**6, b"y"], tmp_path / "a", declared=5) == "too_large"


def test_slow_bodies_are_dropped(tmp_path):
    idle = UploadSettings(idle_seconds=0.05)
    assert refused([b"x", 5.0, b"y"], tmp_path / "a", idle) == "too_slow"
    dripping = UploadSettings(grace_seconds=0.05, min_bytes_per_second=1000)
    assert refused([b"x", 0.04] * 50, tmp_path / "b", dripping) == "too_slow"


def test_a_body_that_drips_is_dropped_soon_after_the_first_minute(tmp_path, monkeypatch):
    now = itertools.count(step=0.5)
    monkeypatch.setattr(uploads, "time", SimpleNamespace(monotonic=lambda: next(now)))
    drops = (bytes(2300) for _ in range(1000))  # 4.6 kB/s
    with pytest.raises(RefusedError, match=r"32768 bytes a second, got \d+ in 7\d seconds"):
        save(drops, tmp_path / "a", UploadSettings())


def test_nothing_is_no_upload(tmp_path):
    assert refused([], tmp_path / "a") == "bad_request"


def test_a_disk_that_takes_nothing_is_told_of(tmp_path):
    assert refused([b"x"], tmp_path / "no such folder" / "a") == "disk_full"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "unnamed"),
        ("..", ".."),
        ("/", "unnamed"),
        ("a/b\\c.mp4", "c.mp4"),
        ("\x00\x1b[31mred.mp4", "[31mred.mp4"),
        ("\u202e4pm.exe", "4pm.exe"),
        ("<script>alert(1)</script>", "script>"),
        ("x" * 300, "x" * 255),
    ],
)
def test_names_are_only_shown(name, shown):
    assert plain_name(name) == shown

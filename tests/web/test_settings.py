import pytest

from unmask.config import LimitSettings
from unmask.errors import SettingsError
from unmask.web.settings import ServeSettings, UploadSettings, WorkSettings, is_loopback


def test_only_this_machine_needs_no_token(tmp_path):
    assert ServeSettings(tmp_path).local
    with pytest.raises(SettingsError, match="a token"):
        ServeSettings(tmp_path, host="0.0.0.0")
    assert not ServeSettings(tmp_path, host="0.0.0.0", token="x" * 16).local


@pytest.mark.parametrize(
    "token", ["", "short", "x" * 15, "with space in the middle", "ümläut" * 4, "a\nb" * 9]
)
def test_a_token_must_be_long_and_plain_and_is_never_repeated(tmp_path, token):
    with pytest.raises(SettingsError) as error:
        ServeSettings(tmp_path, token=token)
    assert not token or token not in str(error.value)


def test_a_token_is_not_shown(tmp_path):
    assert "secret" not in repr(ServeSettings(tmp_path, token="secret-secret-secret"))


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("", False),
        ("10.0.0.1", False),
    ],
)
def test_loopback(host, local):
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    "make",
    [
        lambda: UploadSettings(max_mb=0),
        lambda: UploadSettings(idle_seconds=0),
        lambda: UploadSettings(min_bytes_per_second=-1),
        lambda: UploadSettings(grace_seconds=-1),
        lambda: UploadSettings(total_seconds=0),
        lambda: WorkSettings(jobs=0),
        lambda: WorkSettings(queue=0),
        lambda: WorkSettings(time_limit_seconds=0),
        lambda: LimitSettings(memory_mb=100),
        lambda: LimitSettings(cpu_seconds=0),
        lambda: LimitSettings(sandbox="perhaps"),
        lambda: ServeSettings(None, port=70_000),
        lambda: ServeSettings(None, retention_hours=0),
    ],
)
def test_ranges(make):
    with pytest.raises(SettingsError):
        make()

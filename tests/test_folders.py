from pathlib import Path

import pytest

from unmask.folders import cache_folder


@pytest.mark.parametrize(
    ("variables", "end"),
    [
        ({"UNMASK_CACHE": "/a/b"}, "/a/b"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/unmask"),
        ({"HOME": "/home/d"}, "/home/d/.cache/unmask"),
    ],
)
def test_the_cache_lies_where_the_system_keeps_such_things(monkeypatch, variables, end):
    for name in ("UNMASK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(end)

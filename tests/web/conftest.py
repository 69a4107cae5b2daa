"""One real server for all tests that do not break it."""

import pytest

from served import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("served") / "folder", "--max-upload-mb", 2, "--queue", 6) as one:
        one.wait_ready()
        yield one

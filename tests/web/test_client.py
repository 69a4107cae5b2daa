"""The client that the documents show."""

import socket
import subprocess
import sys

import pytest

from served import EXAMPLES, SWAPPED


def run(*arguments):
    """The example client with these arguments, to its end."""
    command = [sys.executable, str(EXAMPLES / "serve_client.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)


@pytest.fixture
def free_port():
    """A port on which nobody listens."""
    with socket.socket() as taken:  # bound, so nobody else gets it, and deaf
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_the_example_client_sends_follows_and_saves(server, tmp_path):
    found = run(SWAPPED, "--server", server.address, "--reports", tmp_path / "reports")
    scan = server.get("/api/scans?search=portrait_swapped")["scans"][0]
    assert found.stdout.startswith(f"{SWAPPED}: {scan['outcome']} {scan['p_fake']:.2f}: ")
    assert "decoding" in found.stderr and "done 100%" in found.stderr and found.returncode == 0
    assert "portrait_swapped.mp4" in (tmp_path / "reports" / "portrait_swapped.mp4.html").read_text()


def test_a_file_without_a_verdict_is_said_and_does_not_stop_the_others(server, tmp_path):
    (tmp_path / "words.mp4").write_text("no video")
    (tmp_path / "empty.mp4").touch()
    files = [tmp_path / "words.mp4", tmp_path / "none.mp4", tmp_path, tmp_path / "empty.mp4", SWAPPED]
    found = run(*files, "--server", server.address)
    assert found.returncode == 1 and "Traceback" not in found.stderr
    *failed, last = found.stdout.splitlines()
    said = ("unreadable: ", "No such file", "Is a directory", "refused: an upload must not be empty")
    for line, file, why in zip(failed, files, said, strict=False):
        assert line.startswith(f"{file}: {why}")
    assert len(failed) == 4 and last.startswith(f"{SWAPPED}: ")


def test_a_server_that_is_not_there_is_said_in_a_sentence(free_port):
    found = run(SWAPPED, "--server", f"http://127.0.0.1:{free_port}")
    assert found.returncode == 1 and not found.stdout
    assert found.stderr.startswith(f"error: http://127.0.0.1:{free_port} does not answer: ")
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], [SWAPPED, "--server", "127.0.0.1:8000"]])
def test_wrong_usage_is_told(arguments):
    found = run(*arguments)
    assert found.returncode == 2 and "error: " in found.stderr and "Traceback" not in found.stderr

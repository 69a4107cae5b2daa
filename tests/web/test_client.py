"""The client that the documents show."""

import subprocess
import sys

from served import EXAMPLES, SWAPPED


def test_the_example_client_sends_follows_and_saves(server, tmp_path):
    (tmp_path / "words.mp4").write_text("no video")
    command = [sys.executable, str(EXAMPLES / "serve_client.py"), str(SWAPPED), str(tmp_path / "words.mp4")]
    found = subprocess.run(
        [*command, "--server", server.address, "--reports", str(tmp_path / "reports")],
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    first, second = found.stdout.splitlines()
    scan = server.get("/api/scans?search=portrait_swapped")["scans"][0]
    assert first.startswith(f"{SWAPPED}: {scan['outcome']} {scan['p_fake']:.2f}: ")
    assert second.startswith(f"{tmp_path / 'words.mp4'}: unreadable: ")
    assert "decoding" in found.stderr and "done 100%" in found.stderr
    assert "portrait_swapped.mp4" in (tmp_path / "reports" / "portrait_swapped.mp4.html").read_text()

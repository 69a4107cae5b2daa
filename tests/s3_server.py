"""An S3 server on this machine, which fails where it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"


@dataclass
class Faults:
    """What goes wrong, by the end of an object's key: how often it is throttled, cut short or not answered.

    ``requests`` counts the requests of each kind; ``over`` ends all waiting.
    """

    throttled: dict[str, int] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    silent: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def around(self, app):
        """The server's application, with the faults."""

        def call(environ, start_response):
            path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
            self.requests.append(f"{method} {path}")
            if method == "GET" and self._due(self.throttled, path):
                start_response("503 Slow Down", [("Content-Type", "application/xml")])
                return [_SLOW_DOWN]
            if method == "GET" and self._due(self.silent, path):
                self.over.wait()
            found = app(environ, start_response)
            if method == "GET" and self._due(self.cut, path):
                body = b"".join(found)
                return [body[: len(body) // 2]]
            return found

        return call

    def _due(self, table, path):
        for ending in table:
            if path.endswith(ending) and table[ending] > 0:
                table[ending] -= 1
                return True
        return False


@contextmanager
def s3_server(folder: Path, bucket: str) -> Iterator[tuple[object, Faults]]:
    """A file system with a bucket, known by its environment only, as a user would set it; and its faults."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    faults = Faults()
    app = faults.around(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    patch = pytest.MonkeyPatch()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": str(folder / "none"),
    }.items():
        patch.setenv(name, value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    files.mkdir(bucket)
    try:
        yield files, faults
    finally:
        faults.over.set()
        s3fs.S3FileSystem.clear_instance_cache()
        patch.undo()
        server.shutdown()
        thread.join()
        server.server_close()

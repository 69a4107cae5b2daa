import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from unmask.web.security import COOKIE, Guard, session_of
from unmask.web.settings import ServeSettings

TOKEN = "correct-horse-battery"


def client(tmp_path, **settings):
    app = Starlette(
        routes=[
            Route("/{path:path}", lambda request: PlainTextResponse("in"), methods=["GET", "POST", "DELETE"])
        ]
    )
    refused = []
    found = TestClient(
        Guard(app, ServeSettings(tmp_path, **settings), refused.append), base_url="http://127.0.0.1:8000"
    )
    found.refused = refused
    return found


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("[::1]:8000", 200),
        ("192.168.1.7", 200),
        ("scans.example.org", 200),
        ("evil.example.com", 421),
        ("127.0.0.1.evil.example.com", 421),
        ("localhost.evil.example.com:8000", 421),
        ("", 421),
        ("[::1", 421),
        ("localhost@evil.example.com", 421),
    ],
)
def test_a_name_that_others_may_point_here_is_refused(tmp_path, host, status):
    one = client(tmp_path, hosts=("scans.example.org",))
    assert one.get("/api/scans", headers={"Host": host}).status_code == status
    assert one.refused == ["foreign_host"] * (status == 421)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:8000"}, 200),
        ({"Origin": "http://127.0.0.1:8001"}, 403),
        ({"Origin": "https://127.0.0.1:8000"}, 200),  # a proxy with TLS stands before the server
        ({"Origin": "https://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://127.0.0.1:8000", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://127.0.0.1:8001"}, 403),
        ({"Origin": "ftp://127.0.0.1:8000"}, 403),
        ({"Origin": "127.0.0.1:8000"}, 403),
        ({"Origin": "https://evil.example.com"}, 403),
        ({"Origin": "http://evil.example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_page_elsewhere_cannot_change_anything(tmp_path, headers, status, method):
    assert client(tmp_path).request(method, "/api/scans", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"bearer {TOKEN} "}, 200),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Cookie": f"{COOKIE}={session_of(TOKEN)}"}, 200),
        ({"Cookie": f"other=1; {COOKIE}={session_of(TOKEN)}"}, 200),
        ({"Cookie": f"{COOKIE}={TOKEN}"}, 401),
        ({"Cookie": f"{COOKIE}="}, 401),
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/scans", "/metrics", "/openapi.json", "/api/events", "/static", "//api/scans"]
)
def test_without_the_token_nothing_is_told(tmp_path, headers, status, path):
    found = client(tmp_path, token=TOKEN).get(f"http://127.0.0.1:8000{path}", headers=headers)
    assert found.status_code == status
    assert ("www-authenticate" in found.headers) == (status == 401)


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/api/limits", "/healthz", "/api-docs"])
def test_the_empty_page_needs_no_token(tmp_path, path):
    assert client(tmp_path, token=TOKEN).get(path).status_code == 200


def test_every_answer_has_the_headers(tmp_path):
    one = client(tmp_path, token=TOKEN)
    for found in (one.get("/"), one.get("/api/scans"), one.get("/", headers={"Host": "evil.example.com"})):
        policy = found.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy and "*" not in policy
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["x-frame-options"] == "DENY"
        assert found.headers["referrer-policy"] == "no-referrer"
        assert found.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in found.headers

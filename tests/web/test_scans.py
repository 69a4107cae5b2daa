"""The API of a real server: what a program sees."""

import json
import os
import re
import socket
from urllib.parse import quote

import pytest

from served import REAL, SWAPPED

BINARY = {"Content-Type": "application/octet-stream"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def done(server):
    """A finished scan of a clip."""
    return server.wait(server.send(SWAPPED)["id"])


def send_path(server, given, **headers):
    body = given if isinstance(given, bytes) else json.dumps({"path": str(given)}).encode()
    return server.ask("POST", "/api/scans", body, JSON | headers)


def test_a_clip_is_judged_as_the_command_line_judges_it(server, done, tmp_path):
    from unmask import ScanSettings, load_scanner

    (card,) = server.model.glob("*.json")
    alone = load_scanner(ScanSettings(model=str(card))).scan(SWAPPED)
    assert (done["state"], done["outcome"], done["p_fake"]) == ("done", alone.outcome.value, alone.p_fake)
    same = json.loads(json.dumps(alone.to_dict()))
    assert {**done["verdict"], "path": "", "seconds": {}} == {**same, "path": "", "seconds": {}}
    assert done["sha256"] == alone.sha256 and done["bytes"] == SWAPPED.stat().st_size
    assert done["name"] == SWAPPED.name and done["kind"] == "upload" and done["share"] == 1


def test_events_tell_every_state_in_order_and_end(server):
    key = server.send(REAL)["id"]
    stream = server.get(f"/api/scans/{key}/events").decode()
    news = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
    order = ["queued", "decoding", "faces", "scoring", "done"]
    places = [order.index(one["state"]) for one in news]
    assert places == sorted(places) and news[-1]["state"] == "done"
    shares = [one["share"] for one in news]
    assert shares == sorted(shares) and shares[-1] == 1
    partials = [one["partial"] for one in news if one["partial"]]
    assert partials and partials[0]["faces"] == 1 and 0 < partials[0]["p_fake"] < 1
    assert partials[0]["end_seconds"] < 1 and all(one["outcome"] is None for one in news[:-1])


def test_the_report_is_a_page_of_its_own_world_and_json(server, done):
    status, headers, page = server.ask("GET", f"/api/scans/{done['id']}/report?language=de")
    assert status == 200 and b'lang="de"' in page and SWAPPED.name.encode() in page
    assert "sandbox allow-scripts" in headers["content-security-policy"]
    assert "allow-same-origin" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "SAMEORIGIN"
    told = server.get(f"/api/scans/{done['id']}/report?format=json")
    assert SWAPPED.name in json.dumps(told) and str(server.folder / "scans") not in json.dumps(told)
    server.get(f"/api/scans/{done['id']}/report?language=xx", status=422)


def test_scans_are_listed_and_found(server, done):
    found = server.get(f"/api/scans?search={quote('SWAPPED')}")
    assert done["id"] in [scan["id"] for scan in found["scans"]]
    assert server.get(f"/api/scans?search={done['sha256'][:12]}")["scans"][0]["sha256"] == done["sha256"]
    assert server.get("/api/scans?search=no%20such%20name") == {"scans": [], "more": False}
    assert server.get("/api/scans?limit=1")["scans"]
    for query in ("limit=0", "limit=201", "offset=-1", "outcome=maybe", f"search={'x' * 201}"):
        server.get(f"/api/scans?{query}", status=422)


def test_what_is_deleted_is_gone_from_the_disk_too(server):
    key = server.wait(server.send(REAL)["id"])["id"]
    folder = server.folder / "scans" / key
    assert (folder / "source").read_bytes() == REAL.read_bytes()
    assert server.ask("DELETE", f"/api/scans/{key}")[0] == 204
    assert not folder.exists()
    server.get(f"/api/scans/{key}", status=404)
    server.get(f"/api/scans/{key}/report", status=404)
    server.get(f"/api/scans/{key}/events", status=404)
    assert server.ask("DELETE", f"/api/scans/{key}")[0] == 404


def test_a_scan_that_runs_can_be_deleted(server):
    keys = [server.send(SWAPPED)["id"] for _ in range(2)]
    for key in keys:
        assert server.ask("DELETE", f"/api/scans/{key}")[0] == 204
        assert not (server.folder / "scans" / key).exists()
    assert server.wait(server.send(REAL)["id"])["state"] == "done"  # with a new worker


def test_an_upload_that_comes_in_can_be_deleted_which_frees_its_place(server):
    with socket.create_connection(("127.0.0.1", server.port)) as link:
        head = "POST /api/scans?name=dripping HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
        link.sendall(f"{head}Content-Length: 2000000\r\n\r\nx".encode())
        found = []
        while not found:
            found = server.get("/api/scans?search=dripping")["scans"]
        (scan,) = found
        assert scan["state"] == "uploading"
        assert server.ask("DELETE", f"/api/scans/{scan['id']}")[0] == 204
        link.settimeout(30)
        told = b""
        while part := link.recv(1000):  # it hangs up, and does not read the rest
            told += part
    assert told.startswith(b"HTTP/1.1 409") and b'"deleted"' in told
    server.get(f"/api/scans/{scan['id']}", status=404)
    assert not (server.folder / "scans" / scan["id"]).exists()


def test_what_is_no_video_gets_no_number(server, tmp_path):
    text = tmp_path / "notes.mp4"
    text.write_text("not a video at all\n" * 100)
    scan = server.wait(server.send(text)["id"])
    assert (scan["state"], scan["outcome"], scan["p_fake"]) == ("done", "unreadable", None)
    assert scan["reason"]


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)<.mp4", "x" * 250, "\u202egpm.4pm", "../../etc/passwd", "\x00\x1b[31m", "a\ud800"],
)
def test_a_hostile_name_is_only_text(server, name):
    encoded = quote(name, safe="", errors="surrogatepass")
    status, _, scan = server.ask("POST", f"/api/scans?name={encoded}", b"x", BINARY)
    assert status == 201 and "/" not in scan["name"] and scan["name"].isprintable()
    assert sorted(path.name for path in (server.folder / "scans" / scan["id"]).iterdir()) == ["source"]
    assert server.wait(scan["id"])["outcome"] == "unreadable"


def test_an_upload_that_is_too_large_or_empty_is_refused_and_leaves_nothing(server):
    before = sorted((server.folder / "scans").iterdir())
    status, _, told = server.ask("POST", "/api/scans", bytes(2**21 + 1), BINARY)
    assert (status, told["code"]) == (413, "too_large") and "at most 2 MB" in told["detail"]
    chunks = (bytes(2**20) for _ in range(3))  # no length is told
    status, _, told = server.ask("POST", "/api/scans", chunks, BINARY)
    assert (status, told["code"]) == (413, "too_large")
    assert server.ask("POST", "/api/scans", b"", BINARY)[0] == 400
    assert sorted((server.folder / "scans").iterdir()) == before


def test_only_files_and_json_are_taken(server):
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""):
        status, _, told = server.ask("POST", "/api/scans", b"x", {"Content-Type": kind})
        assert (status, told["code"]) == (415, "wrong_type")
    assert server.ask("PUT", "/api/scans", b"x", BINARY)[0] == 405


def test_a_path_of_this_machine_is_scanned_where_it_lies(server):
    status, headers, scan = send_path(server, REAL)
    assert status == 201 and headers["location"] == f"/api/scans/{scan['id']}"
    scan = server.wait(scan["id"])
    assert (scan["kind"], scan["name"], scan["state"]) == ("path", REAL.name, "done")
    assert server.ask("DELETE", f"/api/scans/{scan['id']}")[0] == 204
    assert REAL.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'{"path": 5}', 400),
        (b'{"path": ""}', 400),
        (b'{"path": "/a", "name": "b"}', 400),
        (b'{"path": "relative.mp4"}', 400),
        (b'{"path": "/a\\u0000b"}', 400),
        (b'{"path": "/\\ud800"}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 9000, 400),
        (b'{"path": "/dev/zero"}', 400),
        (b'{"path": "/tmp"}', 400),
        (b'{"path": "/no/such/file"}', 404),
        (b'{"path": "/' + b"a" * 5000 + b'"}', 404),
        (b'{"path": "' + b"a" * 20000 + b'"}', 413),
    ],
)
def test_bad_paths_are_refused(server, body, status):
    found, _, told = send_path(server, body)
    assert found == status and told["detail"]


def test_a_pipe_is_refused_at_once(server, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert send_path(server, tmp_path / "pipe")[0] == 400


def test_too_many_that_wait_are_sent_away_with_a_time(server):
    links = []
    head = f"POST /api/scans HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 9\r\n"
    head += "Content-Type: application/octet-stream\r\n\r\nx"
    try:
        for _ in range(6):  # each keeps a place while it comes in
            link = socket.create_connection(("127.0.0.1", server.port))
            link.sendall(head.encode())
            links.append(link)
        while "unmask_queue_length 6.0" not in server.get("/metrics").decode():
            pass
        status, headers, told = server.ask("POST", "/api/scans", b"x", BINARY)
        assert (status, told["code"]) == (503, "queue_full") and int(headers["retry-after"]) > 0
    finally:
        for link in links:
            link.close()
    while "unmask_queue_length 0.0" not in server.get("/metrics").decode():
        pass
    assert server.wait(server.send(REAL)["id"])["state"] == "done"


def test_odd_ids_and_places_lead_nowhere(server):
    for key in ("x", "0" * 31, "0" * 33, "G" * 32, "%2e%2e", "..%2f..%2fscans.sqlite3"):
        assert server.ask("GET", f"/api/scans/{key}")[0] in (404, 422)
        assert server.ask("DELETE", f"/api/scans/{key}/")[0] in (404, 405, 422)
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/index.html", "/static/", "/no"):
        assert server.ask("GET", path)[0] == 404


def test_the_page_its_parts_and_figures_are_there(server):
    assert b"/static/app.js" in server.get("/")
    from unmask.web.pages import STATIC

    for name, kind in STATIC.items():
        status, headers, _ = server.ask("GET", f"/static/{name}")
        assert status == 200 and headers["content-type"].startswith(kind)
    assert server.get("/healthz") == {"status": "ready"}
    limits = server.get("/api/limits")
    assert limits["max_upload_bytes"] == 2 * 10**6 and limits["paths"] and not limits["needs_token"]
    text = server.get("/metrics").decode()
    assert re.search(r'unmask_http_requests_total\{method="GET",route="/api/limits",status="200"\} \d', text)
    assert "unmask_workers_ready 1.0" in text and "process_resident_memory_bytes" in text
    assert server.ask("POST", "/api/session")[0] == 204


def test_a_foreign_page_cannot_send(server):
    for headers in ({"Origin": "http://evil.example.com"}, {"Sec-Fetch-Site": "cross-site"}):
        assert server.ask("POST", "/api/scans", b"x", BINARY | headers)[0] == 403
    assert server.ask("GET", "/api/scans", headers={"Host": "evil.example.com"})[0] == 421

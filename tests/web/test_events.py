import asyncio
import json

import pytest

from asgi import ask
from tiny_model import write_tiny_model
from unmask.config import ScanSettings
from unmask.web import events
from unmask.web.app import make_app
from unmask.web.events import Hub, TooManyListenersError
from unmask.web.settings import ServeSettings
from unmask.web.site import Site
from unmask.web.store import Row


def test_only_the_newest_news_of_a_scan_wait_and_a_single_one_ends():
    async def listen():
        hub = Hub()
        hub.open()
        everything, one = hub.join(), hub.join("a")
        for number in range(1000):
            hub.publish("a", {"id": "a", "state": "faces", "share": number})
            hub.publish("b", {"id": "b", "state": "queued"})
        await asyncio.sleep(0.05)
        assert len(everything.waiting) == 2 and len(one.waiting) == 1
        hub.publish("a", {"id": "a", "state": "done"})
        told = [text async for text in hub.stream(one, {"id": "a", "state": "queued"})]
        hub.close()
        rest = [text async for text in hub.stream(everything)]
        return told, rest

    told, _ = asyncio.run(listen())
    news = [json.loads(text.split("data: ")[1]) for text in told if "data: " in text]
    assert [one["state"] for one in news] == ["queued", "done"]


def test_who_hears_nothing_hears_that_the_line_is_open(monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.01)

    async def listen():
        hub = Hub()
        hub.open()
        stream = hub.stream(hub.join())
        return [await anext(stream) for _ in range(3)]

    assert asyncio.run(listen())[1:] == [": still here\n\n"] * 2


def test_there_is_a_limit_to_listeners():
    hub = Hub()
    for _ in range(events.MAX_LISTENERS):
        last = hub.join()
    with pytest.raises(TooManyListenersError):
        hub.join()
    hub.leave(last)
    hub.join()


def test_without_listeners_nothing_happens():
    Hub().publish("a", {"id": "a", "state": "done"})


@pytest.fixture
def site(tmp_path):
    """A site whose workers were not started, with one scan that is done."""
    scan = ScanSettings(model=str(write_tiny_model(tmp_path / "model")))
    one = Site(ServeSettings(tmp_path / "folder", scan=scan))
    one.store.add(Row("a" * 32, "a", None, 1, None, 1.0, "done", None, None, ""))
    yield one
    one.store.close()


def test_whoever_was_told_the_end_listens_no_more(site):
    status, body = asyncio.run(ask(make_app(site.settings, site), f"/api/scans/{'a' * 32}/events"))
    assert status == 200 and b'"state": "done"' in body
    assert len(site.hub) == 0


def test_a_client_that_is_gone_at_once_listens_no_more(site):
    app = make_app(site.settings, site)
    for path in ("/api/events", f"/api/scans/{'a' * 32}/events"):
        asyncio.run(ask(app, path, stays=False))
        assert len(site.hub) == 0


def test_a_list_that_cannot_be_read_costs_no_place(site):
    site.store.close()
    for _ in range(3):
        status, body = asyncio.run(ask(make_app(site.settings, site), f"/api/scans/{'a' * 32}/events"))
        assert status == 503 and json.loads(body)["code"] == "disk_full"
    assert len(site.hub) == 0

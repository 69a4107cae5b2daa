import asyncio
import json

import pytest

from unmask.web import events
from unmask.web.events import Hub, TooManyListenersError


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
        assert len(hub) == 1  # who was told the end is gone
        hub.close()
        rest = [text async for text in hub.stream(everything)]
        assert len(hub) == 0
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

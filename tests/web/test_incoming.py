import asyncio

import pytest

from unmask.web.incoming import Incoming
from unmask.web.refusals import RefusedError


def come_in(incoming, seconds, *, ended=False):
    """An upload that never comes to its end by itself; gives how it was refused, and what its end told."""

    async def run():
        told = []

        async def take():
            async with incoming.within("a", seconds):
                await asyncio.sleep(60)

        task = asyncio.create_task(take())
        if ended:
            await asyncio.sleep(0.01)
            told.append(await asyncio.to_thread(incoming.end, "a"))
        with pytest.raises(RefusedError) as error:
            await task
        return error.value, told

    return asyncio.run(run())


def test_an_upload_has_a_total_time():
    error, _ = come_in(Incoming(), 0.05)
    assert (error.code, error.status) == ("too_slow", 408) and "within 0.05 seconds" in str(error)


def test_an_upload_is_ended_from_another_thread():
    incoming = Incoming()
    error, told = come_in(incoming, 60, ended=True)
    assert (error.code, error.status, told) == ("deleted", 409, [True])
    assert error.headers == {"Connection": "close"}  # what still comes of the body is not read
    assert incoming.end("a") and incoming.end("never heard of")


def test_what_came_in_by_its_time_is_left_alone():
    async def run(incoming):
        async with incoming.within("a", 60):
            await asyncio.sleep(0)
        return "in"

    assert asyncio.run(run(Incoming())) == "in"

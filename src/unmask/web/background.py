"""Work that blocks, such as on the list of scans, kept off the event loop that serves everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(do: Callable[..., Result], *arguments: object) -> Result:
    """Call a function in a thread.

    A task that is cancelled meanwhile still waits for its end, so that whoever then tidies up finds either
    nothing done or all of it.
    """
    work = asyncio.ensure_future(asyncio.to_thread(do, *arguments))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.gather(work, return_exceptions=True)
        raise

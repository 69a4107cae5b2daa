"""The routes: requests come in, answers of `Site` go out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from unmask.version import __version__
from unmask.web.metrics import Counted
from unmask.web.pages import pages
from unmask.web.refusals import RefusedError
from unmask.web.scans import scans
from unmask.web.security import Guard
from unmask.web.settings import ServeSettings
from unmask.web.site import Site

__all__ = ["make_app"]

_TOLD = """Tells from a video whether faces in it were manipulated. Send a file to `POST /api/scans`,
follow its events, and read the verdict. Where the server has a token, each request needs
`Authorization: Bearer TOKEN`."""


def make_app(settings: ServeSettings, site: Site | None = None) -> ASGIApp:
    """The server as an ASGI application; its workers live from its start to its end.

    Args:
        settings: What it may do.
        site: For who wants to look into it; None makes one.

    Raises:
        ModelError: There is no such model.
        DataError: Another server uses the folder.
        OSError: The folder cannot be written to.
    """
    site = site or Site(settings)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        site.hub.open()
        site.open()
        yield
        await asyncio.to_thread(site.close)

    app = FastAPI(
        title="unmask",
        version=__version__,
        description=_TOLD,
        lifespan=life,
        docs_url=None,  # that page would load its script from elsewhere; /api-docs is ours
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.site = site
    app.include_router(pages)
    app.include_router(scans)
    app.add_exception_handler(RefusedError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_values)
    app.add_exception_handler(HTTPException, _refuse_route)
    app.add_exception_handler(ClientDisconnect, _note_loss)
    app.add_exception_handler(OSError, _refuse_disk)
    counted = Counted(app, site.metrics)
    return Guard(counted, settings, lambda why: site.metrics.refused.labels(why).inc())


def _refuse(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    request.app.state.site.metrics.refused.labels(error.code).inc()
    return JSONResponse(error.body, error.status, error.headers)


def _refuse_values(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    # Never with the value: it can be anything, and of any length.
    return JSONResponse({"code": "bad_values", "detail": f"{where}: {first['msg']}"}, 422)


def _note_loss(request: Request, error: Exception) -> JSONResponse:
    """Nobody is there any more to read this."""
    return _refuse(request, RefusedError("bad_request", "the body broke off"))


def _refuse_disk(request: Request, error: Exception) -> JSONResponse:
    return _refuse(request, RefusedError("disk_full", "the server cannot read or write its folder"))


def _refuse_route(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    body = {"code": "not_found" if error.status_code == 404 else "bad_request", "detail": str(error.detail)}
    return JSONResponse(body, error.status_code, error.headers)

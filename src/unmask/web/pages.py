"""Routes of the page itself, and of what programs and operators ask first."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse

from unmask.reasons import LANGUAGES, Wording, wordings
from unmask.report.pdf import can_print
from unmask.version import __version__
from unmask.web.refusals import RefusedError
from unmask.web.security import COOKIE, session_of
from unmask.web.site import Site
from unmask.web.views import Limits, Problem

pages = APIRouter()

STATIC = {
    "app.css": "text/css",
    "app.js": "text/javascript",
    "api.js": "text/javascript",
    "case.js": "text/javascript",
    "examine.js": "text/javascript",
    "reports.js": "text/javascript",
    "requests.js": "text/javascript",
    "views.js": "text/javascript",
    "words.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "messages.json": "application/json",
}
"""Everything that a browser may load, with its type; nothing else of the folder is served."""


def site_of(request: Request) -> Site:
    """The site that a request came to."""
    site: Site = request.app.state.site
    return site


SiteOf = Annotated[Site, Depends(site_of)]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the description of the API says of answers that are refusals."""
    return {status: {"model": Problem} for status in (400, 401, 403, 421, 422, *statuses)}


def _file(name: str, media_type: str) -> Response:
    content = (files("unmask.web") / "static" / name).read_bytes()
    return Response(content, media_type=media_type, headers={"Cache-Control": "no-cache"})


@pages.get("/", include_in_schema=False)
def index() -> Response:
    """The page."""
    return _file("index.html", "text/html; charset=utf-8")


@pages.get("/api-docs", include_in_schema=False)
def api_docs() -> Response:
    """The description of the API, for people."""
    return _file("api.html", "text/html; charset=utf-8")


@pages.get("/static/reasons.json", include_in_schema=False)
def reasons() -> dict[str, dict[str, Wording]]:
    """The words of reasons, in every language."""
    return wordings()


@pages.get("/static/{name}", include_in_schema=False)
def static(name: str) -> Response:
    """A part of the page."""
    if name not in STATIC:
        raise RefusedError("not_found", "there is no such file")
    return _file(name, f"{STATIC[name]}; charset=utf-8")


@pages.get("/healthz", tags=["server"], responses={503: {"model": dict[str, str]}})
def health(site: SiteOf, response: Response) -> dict[str, str]:
    """Whether the server can begin with a scan at once: ``ready``, or ``loading`` while networks load.

    ``failed``, with status 503, when no worker could load them: the log says why, and it is tried again.
    """
    condition = site.condition
    response.status_code = 503 if condition == "failed" else 200
    return {"status": condition}


@pages.get("/metrics", tags=["server"], response_class=PlainTextResponse, responses=problems())
def metrics(site: SiteOf) -> PlainTextResponse:
    """Figures of the server in Prometheus' text format."""
    return PlainTextResponse(site.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@pages.get("/api/limits", tags=["server"])
def limits(site: SiteOf) -> Limits:
    """What this server does, for whom and how much of it."""
    settings = site.settings
    return Limits(
        version=__version__,
        model=site.card.name,
        max_upload_bytes=settings.upload.max_bytes,
        retention_hours=settings.retention_hours,
        paths=settings.local,
        needs_token=settings.token is not None,
        languages=list(LANGUAGES),
        pdf=can_print(),
    )


@pages.post("/api/session", status_code=204, tags=["server"], responses=problems())
def begin_session(request: Request, site: SiteOf) -> Response:
    """Exchange the token (``Authorization: Bearer TOKEN``) for a cookie, as the page does."""
    answer = Response(status_code=204)
    token = site.settings.token
    if token is not None:  # the guard has checked it
        # The browser's own scheme: the request itself is plain HTTP also behind a proxy with TLS.
        secure = request.headers.get("origin", "").lower().startswith("https://")
        answer.set_cookie(COOKIE, session_of(token), httponly=True, samesite="strict", secure=secure)
    return answer


@pages.delete("/api/session", status_code=204, tags=["server"], responses=problems())
def end_session() -> Response:
    """Take the cookie back."""
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer

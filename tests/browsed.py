"""The page of a server in a real browser."""

from __future__ import annotations

PATIENCE_MS = 45_000


def opened(browser, address, **options):
    """The page, which must leave no error in the console and ask nothing from anywhere else."""
    context = browser.new_context(locale="en-GB", **options)
    one = context.new_page()
    one.set_default_timeout(PATIENCE_MS)
    troubles = []
    one.on("console", lambda message: message.type in ("error", "warning") and troubles.append(message.text))
    one.on("pageerror", lambda error: troubles.append(str(error)))
    foreign = lambda request: not request.url.startswith((address, "data:", "blob:"))  # noqa: E731
    one.on("request", lambda request: foreign(request) and troubles.append(request.url))
    one.troubles = troubles
    one.goto(address)
    yield one
    context.close()
    assert not troubles, troubles  # pytest shows no values of a module that is no test


def check_accessible(page, axe):
    """axe finds nothing grave."""
    # Not the reports within: they are worlds of their own, which no script of the page reaches.
    found = axe.run(page, options={"resultTypes": ["violations"], "iframes": False})
    serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious]

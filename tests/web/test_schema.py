"""The API does what its own description says, whatever it is sent."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks


@pytest.fixture(scope="session")
def described(server):
    return schemathesis.openapi.from_url(f"{server.address}/openapi.json")


# Streams of events of all scans have no end that a client could wait for.
api = schemathesis.pytest.from_fixture("described").exclude(path="/api/events")
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@api.parametrize()
@settings(
    max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_every_answer_is_one_that_is_described(case):
    answer = case.call(timeout=60)
    if answer.status_code != 503:  # what is described too, and no fault
        case.validate_response(answer, checks=CHECKS)


def test_the_description_names_every_route(server):
    told = server.get("/openapi.json")
    assert set(told["paths"]) == {
        "/healthz",
        "/metrics",
        "/api/limits",
        "/api/session",
        "/api/scans",
        "/api/scans/{key}",
        "/api/scans/{key}/events",
        "/api/scans/{key}/report",
        "/api/events",
    }
    text = str(told)
    assert "http://" not in text and "https://" not in text

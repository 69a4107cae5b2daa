"""The API does what its own description says, whatever it is sent."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks

from unmask.judge.stored import verdict_schema

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


# Streams of events of all scans have no end that a client could wait for.
ENDLESS = "/api/events"


def test_every_answer_is_one_that_is_described(server):
    described = schemathesis.openapi.from_url(f"{server.address}/openapi.json")
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) == 17
    for operation in operations:
        if operation.path != ENDLESS:
            ask_often(operation, GenerationMode.POSITIVE)
            if operation.body or list(operation.iter_parameters()):
                ask_often(operation, GenerationMode.NEGATIVE)


def ask_often(operation, mode):
    """Send what fits the description, or what does not."""

    @settings(
        max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=HealthCheck
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        answer = case.call(timeout=60)
        if answer.status_code != 503:  # what is described too, and no fault
            case.validate_response(answer, checks=CHECKS)

    ask()


def test_the_description_names_every_route(server):
    told = server.get("/openapi.json")
    assert set(told["paths"]) == {
        "/healthz",
        "/metrics",
        "/api/limits",
        "/api/session",
        "/api/scans",
        "/api/scans/{key}",
        "/api/scans/{key}/case",
        "/api/scans/{key}/comparison/{other}",
        "/api/scans/{key}/events",
        "/api/scans/{key}/examinations",
        "/api/scans/{key}/picture",
        "/api/scans/{key}/report",
        "/api/scans/{key}/report/progress",
        "/api/events",
    }
    text = str(told)
    assert "http://" not in text and "https://" not in text


def test_a_verdict_is_described_field_by_field(server):
    parts = server.get("/openapi.json")["components"]["schemas"]
    assert {"$ref": "#/components/schemas/Verdict"} in parts["ScanDetail"]["properties"]["verdict"]["anyOf"]
    ours = verdict_schema()
    assert set(parts["Verdict"]["properties"]) == set(ours["properties"])
    assert set(parts["Reason"]["properties"]) == {"code", "values"}

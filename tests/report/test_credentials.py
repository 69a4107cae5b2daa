import sys

import pytest

from unmask.report.credentials import credentials_of, read_credentials
from unmask.report.seen import Credentials

# The shape that the C2PA specification's implementations print: c2pa-rs, docs/usage and its test fixtures.
STORE = {
    "active_manifest": "urn:1",
    "manifests": {
        "urn:1": {
            "claim_generator_info": [{"name": "camera", "version": "1"}],
            "signature_info": {"issuer": "C2PA Test Signing Cert", "alg": "Es256"},
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [{"action": "c2pa.created"}]}},
                {"label": "c2pa.hash.data", "data": {}},
            ],
        }
    },
    "validation_state": "Valid",
    "validation_results": {
        "activeManifest": {
            "success": [{"code": "claimSignature.validated"}],
            "failure": [{"code": "signingCredential.untrusted"}, 5, {"code": 5}],
        }
    },
}


def test_a_manifest_is_told_in_short():
    assert credentials_of(STORE) == Credentials(
        "Valid",
        "camera",
        "C2PA Test Signing Cert",
        ("c2pa.created",),
        intact=True,
        listed=False,
        problems=("signingCredential.untrusted",),
    )


@pytest.mark.parametrize(
    "store",
    [
        None,
        [],
        {},
        {"active_manifest": "x"},
        {"active_manifest": 1, "manifests": {"1": 5}},
        {"manifests": []},
    ],
)
def test_what_is_no_manifest_store_is_told_as_unreadable(store):
    assert credentials_of(store) == Credentials("unreadable")


def test_parts_of_a_wrong_shape_are_left_out():
    odd = {
        "claim_generator": 5,
        "signature_info": [],
        "assertions": [1, {"label": 2}, {"label": "c2pa.actions", "data": 3}],
    }
    found = credentials_of({"active_manifest": "a", "manifests": {"a": odd}, "validation_state": "x" * 999})
    assert found.generator == found.issuer == "" and found.actions == () and len(found.state) < 200


def test_a_file_without_a_manifest_has_none(tmp_path):
    pytest.importorskip("c2pa")
    from test_layers import ROOT

    assert read_credentials(ROOT / "examples/portrait_real.mp4") == Credentials("absent")
    (tmp_path / "a.mp4").write_text("no video")
    assert read_credentials(tmp_path / "a.mp4").state in ("absent", "unreadable")


def test_without_the_package_it_says_that_it_did_not_look(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "c2pa", None)
    assert read_credentials(tmp_path / "a.mp4") == Credentials("not_installed")

"""Content credentials: what is intact is one thing, and who vouches for it another."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from unmask.errors import SettingsError
from unmask.report.credentials import read_credentials
from unmask.report.provenance import provenance
from unmask.report.trusted import SHIPPED, TrustList, read_trust_list
from unmask.report.words import Words

pytest.importorskip("c2pa")
pytest.importorskip("cryptography")
REAL = Path(__file__).resolve().parents[2] / "examples" / "portrait_real.mp4"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A signed file, one that nobody vouches for, one changed since, and one whose credentials were lost."""
    from signed_media import make_authority, make_self_signed, sign

    folder = tmp_path_factory.mktemp("signed")
    authority = make_authority()
    signed = sign(REAL, folder / "signed.mp4", authority)
    sign(REAL, folder / "own.mp4", make_self_signed())
    data = bytearray(signed.read_bytes())
    data[data.rfind(b"mdat") + 5000] ^= 1
    (folder / "changed.mp4").write_bytes(data)
    strip(signed, folder / "stripped.mp4")
    (folder / "root.pem").write_text(authority.root)
    return folder


def strip(source, target):
    """Another container of the same packets, as sharing makes it."""
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)


def test_a_signed_file_is_intact_and_its_signer_is_on_the_list_that_names_it(files):
    own = read_trust_list(files / "root.pem")
    found = read_credentials(files / "signed.mp4", own)
    assert (found.intact, found.listed, found.problems) == (True, True, ())
    assert (found.generator[:11], found.issuer) == ("test camera", "Test Root signer")
    text = provenance(found, Words("en"))
    assert text.startswith("Intact") and "root.pem" in text and "c2pa.created" in text
    assert "not that what it shows happened" in text


@pytest.mark.parametrize("name", ["signed.mp4", "own.mp4"])
def test_who_is_not_on_the_official_list_is_told_so_beside_that_the_file_is_intact(files, name):
    found = read_credentials(files / name)
    assert (found.intact, found.listed) == (True, False)
    assert found.problems == ("signingCredential.untrusted",)
    text = provenance(found, Words("en"))
    assert "Intact" in text and "nobody known vouches" in text and "C2PA Trust List, 20" in text


def test_a_byte_that_was_changed_since_breaks_it_whoever_signed(files):
    for trusted in (None, read_trust_list(files / "root.pem")):
        found = read_credentials(files / "changed.mp4", trusted)
        assert found.intact is False and "assertion.bmffHash.mismatch" in found.problems
        assert provenance(found, Words("en")).startswith("Not intact")
    assert found.listed is True  # the signer is known all the same


@pytest.mark.parametrize("language", ["en", "de"])
def test_absence_is_told_to_say_nothing(files, language):
    found = read_credentials(files / "stripped.mp4")
    assert found.state == "absent" and found.intact is None and found.listed is None
    assert {"en": "that says nothing", "de": "das besagt nichts"}[language] in provenance(
        found, Words(language)
    )


def test_the_list_that_ships_is_what_its_card_says_and_has_a_date():
    card = json.loads((SHIPPED / "card.json").read_text(encoding="utf-8"))
    found = read_trust_list()
    assert found.sha256 == card["sha256"] and found.name == f"{card['name']}, {card['issued']}"
    assert found.pem.count("BEGIN CERTIFICATE") >= 20 and "CC-BY-4.0" in card["licence"]


@pytest.mark.parametrize("content", [None, b"no certificate", b"\xff\xfe"])
def test_what_is_no_list_is_refused(tmp_path, content):
    file = tmp_path / "list.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match="trust list"):
        read_trust_list(file)


def test_a_list_of_nonsense_leaves_the_signer_unlisted(files):
    nonsense = TrustList("x", "0" * 64, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    found = read_credentials(files / "signed.mp4", nonsense)
    assert not found.listed

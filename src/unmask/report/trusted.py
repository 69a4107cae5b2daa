"""Whose signatures count: the official list of the C2PA as it was when this was released, or one's own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from unmask.errors import SettingsError

SHIPPED = Path(__file__).parent / "trust"
MAX_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class TrustList:
    """Certificates of authorities.

    Attributes:
        name: Of the list, with its date where that is known.
        sha256: Of its bytes.
        pem: The certificates.
    """

    name: str
    sha256: str
    pem: str


def read_trust_list(file: Path | None = None) -> TrustList:
    """The list to check against.

    Args:
        file: Certificates of authorities as PEM; None takes the list that ships, which has a date and becomes
            old: newer authorities are not on it.

    Raises:
        SettingsError: It cannot be read, or holds no certificate; the shipped one was changed.
    """
    path = file or SHIPPED / "c2pa.pem"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SettingsError(f"a trust list must have at most {MAX_BYTES} bytes, got {path}")
        data = path.read_bytes()
        pem = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"a trust list must be a PEM file that can be read: {path} ({error})") from error
    if "-----BEGIN CERTIFICATE-----" not in pem:
        raise SettingsError(f"a trust list must hold certificates as PEM, got none in {path}")
    sha256 = hashlib.sha256(data).hexdigest()
    if file is not None:
        return TrustList(f"{file.name} (SHA-256 {sha256[:12]})", sha256, pem)
    card = json.loads((SHIPPED / "card.json").read_text(encoding="utf-8"))
    if card["sha256"] != sha256:
        raise SettingsError(f"{path} must be as its card says, and was changed; give a list of your own")
    return TrustList(f"{card['name']}, {card['issued']}", sha256, pem)

"""Files with content credentials, signed by an authority that is made here and that no list names."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MANIFEST = {
    "claim_generator_info": [{"name": "test camera", "version": "1"}],
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
                    }
                ]
            },
        }
    ],
}


@dataclass(frozen=True)
class Authority:
    """A root and what it signed: PEM of the root, of the chain and of the signer's key."""

    root: str
    chain: str
    key: str


def make_authority(name: str = "Test Root") -> Authority:
    """A root certificate, and one for signing below it."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate(name, root_key, name, root_key, ca=True)
    leaf = _certificate(f"{name} signer", key, name, root_key, ca=False)
    return Authority(_pem(root), _pem(leaf) + _pem(root), _private(key))


def make_self_signed() -> Authority:
    """A certificate that nobody but itself vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = _certificate("Nobody", key, "Nobody", key, ca=False)
    return Authority(_pem(own), _pem(own), _private(key))


def sign(source: Path, target: Path, authority: Authority) -> Path:
    """The same file with credentials."""
    import c2pa

    info = c2pa.C2paSignerInfo(
        c2pa.C2paSigningAlg.ES256, authority.chain.encode(), authority.key.encode(), None
    )
    quiet = {"verify": {"verify_after_sign": False, "verify_trust": False}}
    with (
        c2pa.Settings.from_dict(quiet) as settings,
        c2pa.Signer.from_info(info) as signer,
        c2pa.Context(settings) as context,
        c2pa.Builder(json.dumps(MANIFEST), context=context) as builder,
    ):
        builder.sign_file(str(source), str(target), signer)
    return target


def _certificate(name, key, issuer, issuer_key, *, ca):
    def named(text):
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, text),
                x509.NameAttribute(NameOID.COMMON_NAME, text),
            ]
        )

    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .add_extension(_usage(ca=ca), critical=True)
    )
    if not ca:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        made = made.add_extension(usage, critical=False)
    return made.sign(issuer_key, hashes.SHA256())


def _usage(*, ca):
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _private(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()

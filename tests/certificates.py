"""Certificates made for a test: authorities, and what they sign."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY: Final = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA: its name, its key, and its certificate as PEM."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    pem: bytes

    def write(self, folder: Path) -> Path:
        """Write the certificate to a folder."""
        path = folder / "ca.pem"
        path.write_bytes(self.pem)
        return path

    def secret(self) -> bytes:
        """Key and certificate, for who signs with them."""
        return _pem(self.key) + self.pem

    def signed(self, host: str) -> bytes:
        """Key and certificate of a host (name or address)."""
        key = ec.generate_private_key(ec.SECP256R1())
        built = _begun(_named(host), self.name, key).add_extension(
            x509.SubjectAlternativeName([_general(host)]), critical=False
        )
        return _pem(key) + _pem(built.sign(self.key, hashes.SHA256()))


def authority(name: str, above: Authority | None = None) -> Authority:
    """A CA of this name, signed by itself or by another one."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = _named(name)
    built = _begun(own, above.name if above else own, key).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    pem = _pem(built.sign(above.key if above else key, hashes.SHA256()))
    return Authority(own, key, pem)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(found: ec.EllipticCurvePrivateKey | x509.Certificate) -> bytes:
    if isinstance(found, x509.Certificate):
        return found.public_bytes(serialization.Encoding.PEM)
    return found.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

"""Whose certificates are trusted, and what is said of one that is not."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from site_agent.contract.errors import ConfigurationError

LONGEST_NAME: Final = 200
NO_SIGNER: Final = ("self-signed", "self signed", "unable to get")  # as OpenSSL says it
UNTRUSTED: Final = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed")


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return the system's trust store, and the given CA beside it.

    A CA that is trusted need not be a root: a hospital has often only that which its proxy signs
    with. Nor need it keep to RFC 5280 in everything, which Python demands from 3.13 on and such CAs
    often do not.
    """
    context = ssl.create_default_context()
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError):
            raise ConfigurationError(
                f"exchange.ca_file {ca_file} cannot be read as certificates; expected PEM"
            ) from None
    return context


def only_to_look() -> ssl.SSLContext:
    """Return a context that takes any certificate, to see who signed it: nothing may be sent."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def signer(certificate: bytes) -> str:
    """Return who signed a certificate (DER), short and in printable characters; "" if none says."""
    from cryptography import x509  # an agent at rest holds no library for it

    try:
        name = x509.load_der_x509_certificate(certificate).issuer.rfc4514_string()
    except ValueError:
        return ""
    return "".join(c if c.isprintable() else "?" for c in name)[:LONGEST_NAME]


def is_of_trust(text: str) -> bool:
    """Return whether an error of a connection is that a certificate is not accepted."""
    return any(words in text for words in UNTRUSTED)


def untrusted(url: str, text: str, name: str) -> str:
    """Return what to say of a certificate that is not accepted; `name`: who signed it, or ""."""
    if not any(words in text for words in NO_SIGNER):
        return (
            f"the certificate of {url} is not accepted ({text}); check exchange.url and the clock "
            f"of this machine, and tell the center, or who runs the proxy"
        )
    by = f"; it was signed by '{name}'" if name else ""
    return (
        f"the certificate of {url} is not trusted here ({text}){by}. If that is a proxy of this "
        f"hospital that opens TLS, get its CA as PEM from who runs it, and give it as "
        f"exchange.ca_file or put it into the system's trust store. If not, tell the center"
    )

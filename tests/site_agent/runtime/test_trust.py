"""Whose certificates are trusted."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

from site_agent.runtime.trust import signer, trust, untrusted
from tests.certificates import authority


def test_a_ca_that_is_no_root(tmp_path: Path) -> None:
    """A hospital's CA is trusted by itself, without the one that signed it."""
    own = authority("proxy of a hospital", above=authority("hospital"))
    (tmp_path / "both.pem").write_bytes(own.signed("127.0.0.1"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "both.pem")
    here, there = socket.socketpair()
    shaken = threading.Thread(target=lambda: server.wrap_socket(there, server_side=True))
    shaken.start()
    context = trust(own.write(tmp_path))
    with context.wrap_socket(here, server_hostname="127.0.0.1") as wrapped:
        assert wrapped.getpeercert()
    shaken.join()


def test_a_certificate_that_cannot_be_read() -> None:
    """Of what is no certificate there is nothing to say."""
    assert signer(b"no certificate") == ""


def test_a_certificate_that_is_over() -> None:
    """Where the signer is not what is wrong, no CA is asked for."""
    found = untrusted("https://q", "CERTIFICATE_VERIFY_FAILED: certificate has expired", "CN=x")
    assert ("exchange.ca_file" in found, "the clock of this machine" in found) == (False, True)

"""The proxy on the way out: which one is asked, and what is said when it does not let us through.

Name and password of a proxy are in its address, so no sentence shows more of it than host and port.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from site_agent.contract.errors import ConfigurationError

SETTING: Final = "exchange.proxy"
SCHEMES: Final = ("http", "https")
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
WANTS_PASSWORD, FORBIDS, BROKEN_BEHIND = 407, 403, 500


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: its address as it was given, and the setting or variable that gave it."""

    address: str
    source: str

    @property
    def shown(self) -> str:
        """Return scheme, host and port: what a log may have."""
        at = urlsplit(self.address)
        return f"{at.scheme}://{at.netloc.rpartition('@')[2]}"

    @property
    def speaks_tls(self) -> bool:
        """Return whether the connection to the proxy itself is by TLS."""
        return urlsplit(self.address).scheme == "https"

    @property
    def has_password(self) -> bool:
        """Return whether the address holds a name for the proxy."""
        return "@" in urlsplit(self.address).netloc


def proxy_for(url: str, setting: str) -> Proxy | None:
    """Return the proxy for the way to `url`: that of the setting, or else of the environment.

    For an exchange on this machine the environment is not asked. ConfigurationError, which does
    not show the address, if it is none of a proxy.
    """
    if setting:
        return _checked(Proxy(setting, SETTING))
    at = urlsplit(url)
    if at.hostname in LOOPBACK or proxy_bypass(at.netloc.rpartition("@")[2]):
        return None
    found = getproxies()
    for scheme in (at.scheme, "all"):
        address = found.get(scheme, "")
        if address:
            given = address if "://" in address else f"http://{address}"
            return _checked(Proxy(given, f"{scheme.upper()}_PROXY"))
    return None


def _checked(proxy: Proxy) -> Proxy:
    try:
        at = urlsplit(proxy.address)
        usable = at.scheme in SCHEMES and bool(at.hostname) and at.port != 0
        usable = usable and at.path in ("", "/") and not at.query and not at.fragment
    except ValueError:  # a port that is no number
        usable = False
    if usable:
        return proxy
    raise no_proxy(proxy)


def no_proxy(proxy: Proxy) -> ConfigurationError:
    """Return the error of an address that is none of a proxy, without the address."""
    return ConfigurationError(
        f"{proxy.source} is no address of a proxy; expected http://host:port or "
        f"http://user:password@host:port, with %2F for a / in a password and so on"
    )


# What is said


def refused(proxy: Proxy, url: str, answer: str) -> str:
    """Return what to say if a proxy answers with a status such as "407 ..." or "403 ..."."""
    code, where = _code(answer), urlsplit(url).netloc
    if code == WANTS_PASSWORD and proxy.has_password:
        return (
            f"the proxy {proxy.shown} does not take the name and password in {proxy.source} "
            f"({answer}); correct them, with %40 for an @ in a password and so on, and ask who "
            f"runs the proxy whether it takes them as Basic authentication"
        )
    if code == WANTS_PASSWORD:
        return (
            f"the proxy {proxy.shown} wants a name and a password ({answer}); put them into "
            f"{proxy.source} as http://user:password@host:port"
        )
    if code == FORBIDS:
        return (
            f"the proxy {proxy.shown} does not let this machine through to {where} ({answer}); "
            f"ask who runs the proxy to allow it"
        )
    if code >= BROKEN_BEHIND:
        return (
            f"the proxy {proxy.shown} does not reach {where} ({answer}); check exchange.url, and "
            f"ask who runs the proxy whether it may and can reach that host"
        )
    return (
        f"the proxy {proxy.shown} refuses the way to {where} ({answer}); check {proxy.source}, or "
        f"ask who runs the proxy"
    )


def out_of_reach(proxy: Proxy, found: str) -> str:
    """Return what to say if the connection to a proxy fails."""
    return f"the connection to the proxy {proxy.shown} fails ({found}); check {proxy.source}"


def _code(answer: str) -> int:
    word = answer.partition(" ")[0]
    return int(word) if word.isdecimal() else 0

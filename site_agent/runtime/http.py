"""The way to the exchange: the only file that uses httpx.

Every request is signed, bounded in size and time, and either gives what was asked for or raises
an error that says what to do: Unreachable (nobody answers, or something that is no exchange),
Declined (the exchange answers and says no).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx

from site_agent.contract import requests
from site_agent.contract.errors import ConfigurationError, Declined, Unreachable
from site_agent.contract.identity import Identity
from site_agent.contract.problems import read_problem
from site_agent.contract.version import SOFTWARE
from site_agent.runtime.clock import unix_now
from site_agent.runtime.proxies import no_proxy, out_of_reach, proxy_for, refused
from site_agent.runtime.trust import is_of_trust, only_to_look, signer, trust, untrusted

LARGEST_ANSWER: Final = 512 << 20
LONGEST_ANSWER_S: Final = 900.0  # an answer that drips never runs into a time limit of its pieces
ATTEMPTS: Final = 4
PROBE_S: Final = 2.0
POST_S: Final = 30.0
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0
BINARY: Final = "application/octet-stream"

# What a connection raises that breaks, also one of the Prefect client, which uses httpx too.
BROKEN: Final = (httpx.HTTPError,)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach the exchange: its address, trust, proxy, and how long to wait (seconds)."""

    url: str
    ca_file: Path | None = None
    proxy: str = ""
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as the exchange hands it out: its id there, whose it is, and its bytes."""

    id: int
    study: str
    release: int
    open: str
    sender: str
    wire: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the exchange with a status below 400."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> Any:
        """Return the JSON body; Unreachable if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Unreachable(_no_exchange("an answer that is not JSON")) from None


class Exchange:
    """The exchange as one party sees it. Close it, or use it in a `with` statement."""

    def __init__(
        self,
        connection: Connection,
        identity: Identity,
        *,
        clock: Callable[[], int] = unix_now,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = connection.url.rstrip("/")
        self._identity = identity
        self._clock = clock
        self._timeout_s = connection.timeout_s
        _refuse_no_address(self.url)
        self._trust = trust(connection.ca_file)
        self._proxy = None if transport else proxy_for(self.url, connection.proxy)
        self._transport = transport
        self._client = self._opened()

    def _opened(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url,
            verify=self._trust,
            proxy=self._way(),
            trust_env=False,  # what holds of the environment, proxies.py and OpenSSL read
            transport=self._transport,
            follow_redirects=False,
            headers={"User-Agent": SOFTWARE, "Quorum-Software": SOFTWARE},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def sign_as(self, identity: Identity) -> None:
        """Sign requests with other keys of the same party from now on."""
        self._identity = identity

    def hello(self) -> None:
        """Raise Unreachable unless an exchange answers at this address."""
        document = self.call("GET", "/v1/").document()
        if not isinstance(document, dict) or document.get("quorum") != 1:
            raise Unreachable(_no_exchange(f"{self.url}/v1/ does not say that it is one"))

    def read(self, target: str, **query: Any) -> Any:
        """Return a JSON document of the exchange."""
        return self.call("GET", _target(target, query)).document()

    def text(self, target: str) -> str:
        """Return a text that the exchange keeps."""
        return self.call("GET", target).body.decode("utf-8", "replace")

    def write(self, method: str, target: str, document: Any) -> Answer:
        """Send a JSON document; Unreachable unless it is an exchange that took it."""
        return self._written(method, target, json.dumps(document).encode(), "application/json")

    def post(self, wire: bytes) -> int:
        """Put a message of a release into its place; return its id, 0 if none is told."""
        said = self._written("POST", "/v1/messages", wire, BINARY).document()
        told = said.get("id") if isinstance(said, dict) else None
        return told if isinstance(told, int) else 0

    def _written(self, method: str, target: str, body: bytes, media_type: str) -> Answer:
        answer = self.call(method, target, body, media_type)
        if answer.status != httpx.codes.NO_CONTENT:
            answer.document()  # a login page may say 200 to everything
        return answer

    def mail(self, after: int, wait_s: int, release: str | None = None) -> Mail | None:
        """Return the next message behind id `after`, or None if none comes in `wait_s` seconds.

        The center names the release (the digest of its OPEN).
        """
        query = {"after": after, "wait": wait_s} | ({"open": release} if release else {})
        answer = self.call("GET", _target("/v1/mail", query), wait_s=wait_s)
        if answer.status == httpx.codes.NO_CONTENT:
            return None
        said = answer.headers
        try:
            return Mail(
                int(said["quorum-message"]),
                said["quorum-study"],
                int(said["quorum-release"]),
                said["quorum-open"],
                said["quorum-sender"],
                answer.body,
            )
        except (KeyError, ValueError):
            raise Unreachable(_no_exchange("a message without its headers")) from None

    def call(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        media_type: str = "",
        *,
        wait_s: float = 0,
    ) -> Answer:
        """Send one signed request; Unreachable or Declined if it does not succeed."""
        at = self._clock()
        headers = {"Authorization": requests.sign(self._identity, method, target, body, at=at)}
        if media_type:
            headers["Content-Type"] = media_type
        timeout = httpx.Timeout(self._timeout_s, read=self._timeout_s + wait_s)
        try:
            with self._client.stream(
                method, target, content=body, headers=headers, timeout=timeout
            ) as response:
                return self._taken(response, _bounded(response))
        except httpx.HTTPError as error:
            self._begin_anew()
            raise Unreachable(self._unreachable(error)) from None

    def _begin_anew(self) -> None:
        """Keep no connection of a client in which one failed.

        httpx keeps what it opened to a proxy when TLS fails behind it; a hundred such, and it
        waits for one of them to become free.
        """
        self._client.close()
        self._client = self._opened()

    def _taken(self, response: httpx.Response, body: bytes) -> Answer:
        """Return a good answer, raise a bad one."""
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if response.is_success and media_type != "text/html":
            return Answer(response.status_code, response.headers, body)
        try:
            problem = read_problem(json.loads(body))
        except (ValueError, RecursionError):
            problem = None
        if problem is None:
            raise Unreachable(self._stranger(response, media_type))
        hint = "; check exchange.url" if problem.code == "not_found" else ""
        raise Declined(problem.code, f"the exchange {self.url} declines: {problem.detail}{hint}")

    def _stranger(self, response: httpx.Response, media_type: str) -> str:
        """Return what to say if something else than an exchange answered."""
        status = response.status_code
        if status == httpx.codes.PROXY_AUTHENTICATION_REQUIRED and self._proxy is not None:
            return refused(self._proxy, self.url, f"{status} {response.reason_phrase}")
        if response.is_redirect:
            where = urlsplit(response.headers.get("location", "")).netloc or "another page"
            return _no_exchange(f"{self.url} sends on to {where} (status {status})")
        return _no_exchange(f"{self.url} gives {media_type or 'no type'} with status {status}")

    def _unreachable(self, error: httpx.HTTPError) -> str:
        """Return what to say if nobody answered."""
        text, where, proxy = str(error), self.url, self._proxy
        if isinstance(error, httpx.ProxyError) and proxy is not None:
            return refused(proxy, where, text)
        if is_of_trust(text):
            return untrusted(where, text, self._signer())
        broken = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        if proxy is not None and broken and (proxy.speaks_tls or "SSL" not in text):
            return out_of_reach(proxy, text)
        if isinstance(error, httpx.ConnectTimeout):
            return f"{where} does not answer; is a firewall or a proxy in the way?"
        if isinstance(error, httpx.TimeoutException):
            return f"{where} did not answer within {self._timeout_s:g} s"
        if isinstance(error, httpx.ConnectError):
            return f"{where} cannot be reached ({text}); check exchange.url, network and proxy"
        if isinstance(error, httpx.UnsupportedProtocol):
            return f"{where} is no address of an exchange; expected http:// or https://"
        return (
            f"the connection to {where} broke ({type(error).__name__}); if this goes on, a proxy "
            f"or firewall may cut connections that wait: make exchange.poll_s smaller"
        )

    def _way(self) -> httpx.Proxy | None:
        """Return the proxy for the client; one that is asked by https shows a certificate, too."""
        if self._proxy is None:
            return None
        context = self._trust if self._proxy.speaks_tls else None
        try:
            return httpx.Proxy(self._proxy.address, ssl_context=context)
        except httpx.InvalidURL:
            raise no_proxy(self._proxy) from None

    def _signer(self) -> str:
        """Return who signed the certificate at the end of the way; "" if that cannot be seen.

        The connection ends with the handshake: no request goes over it.
        """
        seen: list[bytes] = []

        def look(event: str, found: Mapping[str, Any]) -> None:
            if event.endswith("start_tls.complete") and (self._proxy is None or event[0] == "p"):
                stream = found["return_value"].get_extra_info("ssl_object")
                seen.append(stream.getpeercert(True) or b"")
                raise _Seen

        with (
            suppress(_Seen, httpx.HTTPError),
            httpx.Client(verify=only_to_look(), proxy=self._way(), trust_env=False) as client,
        ):
            client.get(self.url, timeout=self._timeout_s, extensions={"trace": look})
        return signer(seen[0]) if seen else ""


class _Seen(Exception):
    """The certificate was seen; go no further."""


def answers(url: str) -> bool:
    """Return whether something answers well at this address of this machine."""
    try:
        return httpx.get(url, timeout=PROBE_S, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def ask_local(url: str, document: Any) -> Any:
    """Return the JSON answer of a service of this machine; Unreachable if it gives none."""
    try:
        answer = httpx.post(url, json=document, timeout=PROBE_S, trust_env=False)
        answer.raise_for_status()
        return answer.json()
    except (httpx.HTTPError, ValueError):
        where = urlsplit(url)
        raise Unreachable(f"nothing answers well at {where.scheme}://{where.netloc}") from None


def post_to(url: str, document: Any) -> None:
    """Post JSON to a service outside; Unreachable, which does not show the address, if it fails."""
    try:
        httpx.post(url, json=document, timeout=POST_S).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(f"the address does not take it ({type(error).__name__})") from None


def patiently(
    action: Callable[[], Result],
    *,
    attempts: int = ATTEMPTS,
    sleep: Callable[[float], None] = time.sleep,
    tell: Callable[[str], None] = lambda _: None,
) -> Result:
    """Return what `action` gives; while the exchange is unreachable, try again after pauses."""
    for attempt in range(attempts - 1):
        try:
            return action()
        except (Unreachable, Declined) as error:
            if not passing(error):
                raise
            pause = pause_s(attempt)
            tell(f"{error}; trying again in {pause:g} s")
            sleep(pause)
    return action()


def passing(error: Exception) -> bool:
    """Return whether what is wrong may pass by itself."""
    return isinstance(error, Unreachable) or (
        isinstance(error, Declined) and error.code in ("store", "internal")
    )


def pause_s(attempt: int) -> float:
    """Return how long to wait after failed attempt 0, 1, ...: twice as long each time."""
    return min(FIRST_PAUSE_S * 2.0 ** min(attempt, 20), LONGEST_PAUSE_S)


def _refuse_no_address(url: str) -> None:
    try:
        httpx.URL(url)
    except httpx.InvalidURL:
        raise ConfigurationError(f"exchange.url {url} is no address") from None


def _bounded(response: httpx.Response) -> bytes:
    """Return the body; Unreachable if it has no end."""
    body, until = bytearray(), time.monotonic() + LONGEST_ANSWER_S
    for piece in response.iter_bytes():
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise Unreachable(_no_exchange(f"an answer of more than {LARGEST_ANSWER >> 20} MiB"))
        if time.monotonic() > until:
            raise Unreachable(_no_exchange(f"an answer that takes over {LONGEST_ANSWER_S:g} s"))
    return bytes(body)


def _target(path: str, query: Mapping[str, Any]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _no_exchange(found: str) -> str:
    return (
        f"no exchange answers: {found}. Expected a Quorum exchange; check exchange.url, and "
        f"whether a proxy or a login page of the network answers instead"
    )

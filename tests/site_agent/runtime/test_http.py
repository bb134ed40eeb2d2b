"""The way to the exchange: what is sent, and what is said when something else answers, or nobody.

What httpx raises in real connections is tried against sockets of this machine.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from site_agent.contract import requests
from site_agent.contract.errors import ConfigurationError, Declined, QuorumError, Unreachable
from site_agent.contract.problems import KINDS
from site_agent.contract.version import SOFTWARE
from site_agent.runtime import http
from site_agent.runtime.http import Connection, Exchange, Mail, answers, patiently, pause_s
from tests.protocol import identity
from tests.site_agent.hospital import problem

URL: Final = "https://quorum.example"
AT: Final = 1_795_234_567
MAIL: Final = {
    "quorum-message": "7",
    "quorum-study": "s",
    "quorum-release": "2",
    "quorum-open": "o",
    "quorum-sender": "center",
}

Handler = Callable[[httpx.Request], httpx.Response]


def exchange(handler: Handler, *, url: str = URL, timeout_s: float = 30) -> Exchange:
    """An exchange whose answers a function gives."""
    return Exchange(
        Connection(url, timeout_s=timeout_s),
        identity("alder"),
        clock=lambda: AT,
        transport=httpx.MockTransport(handler),
    )


def said(answer: httpx.Response | Exception) -> QuorumError:
    """The error to which an answer, or the lack of one, leads."""

    def handler(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with exchange(handler) as found, pytest.raises(QuorumError) as error:
        found.hello()
    return error.value


def sent(act: Callable[[Exchange], object], answer: httpx.Response) -> httpx.Request:
    """The request that a call makes."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    with exchange(handler) as found:
        act(found)
    return seen[0]


# What is sent


def test_a_request_is_signed_with_target_and_body() -> None:
    """The signature covers method, target with query, body, and the second of the clock."""
    wire = b"a message"
    request = sent(lambda e: e.post(wire), httpx.Response(201, json={"id": 1}))
    expected = requests.sign(identity("alder"), "POST", "/v1/messages", wire, at=AT)
    assert request.headers["authorization"] == expected


def test_what_is_signed_is_what_is_asked() -> None:
    """The query that is signed is, letter by letter, the query in the request."""
    request = sent(lambda e: e.mail(7, 25), httpx.Response(204))
    target = request.url.raw_path.decode()
    expected = requests.sign(identity("alder"), "GET", "/v1/mail?after=7&wait=25", b"", at=AT)
    assert (target, request.headers["authorization"]) == ("/v1/mail?after=7&wait=25", expected)


def test_a_prefix_of_the_address_is_not_signed() -> None:
    """Behind a proxy with a prefix, the target is signed from /v1/ on."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    with exchange(handler, url=f"{URL}/quorum/") as found:
        found.mail(0, 0)
    expected = requests.sign(identity("alder"), "GET", "/v1/mail?after=0&wait=0", b"", at=AT)
    assert (str(seen[0].url), seen[0].headers["authorization"]) == (
        f"{URL}/quorum/v1/mail?after=0&wait=0",
        expected,
    )


def test_a_request_says_what_runs_here() -> None:
    """The exchange learns the software and its version, and nothing of the machine."""
    request = sent(lambda e: e.mail(0, 0), httpx.Response(204))
    told = {request.headers["user-agent"], request.headers["quorum-software"]}
    assert told == {SOFTWARE}


def test_a_poll_may_last_longer_than_other_requests() -> None:
    """The time for an answer to a poll is the timeout and the wait that was asked for."""
    request = sent(lambda e: e.mail(0, 25), httpx.Response(204))
    assert request.extensions["timeout"]["read"] == 30 + 25


# What is received


@pytest.mark.parametrize(
    ("document", "number"), [({"id": 7}, 7), ({}, 0), ({"id": "7"}, 0), (["id"], 0)]
)
def test_a_message_that_was_taken_has_an_id(document: object, number: int) -> None:
    """The place in the log that the exchange tells; 0 if it tells none."""
    with exchange(lambda _: httpx.Response(201, json=document)) as found:
        assert found.post(b"wire") == number


def test_mail_is_read_from_headers_and_body() -> None:
    """A message comes with its place in the mailbox."""
    answer = httpx.Response(200, content=b"wire", headers=MAIL)
    with exchange(lambda _: answer) as found:
        assert found.mail(0, 0) == Mail(7, "s", 2, "o", "center", b"wire")


def test_no_mail() -> None:
    """No message within the wait is no error."""
    with exchange(lambda _: httpx.Response(204)) as found:
        assert found.mail(0, 0) is None


@pytest.mark.parametrize("missing", sorted(MAIL))
def test_mail_without_a_header(missing: str) -> None:
    """A message without one of its headers is not from an exchange."""
    headers = {name: value for name, value in MAIL.items() if name != missing}
    answer = httpx.Response(200, content=b"wire", headers=headers)
    with (
        exchange(lambda _: answer) as found,
        pytest.raises(Unreachable, match="a message without its headers"),
    ):
        found.mail(0, 0)


def test_an_exchange_says_hello() -> None:
    """The address of an exchange is known by its document."""
    with exchange(lambda _: httpx.Response(200, json={"quorum": 1})) as found:
        assert found.read("/v1/") == {"quorum": 1}


# What else may answer


@pytest.mark.parametrize("code", sorted(KINDS))
def test_each_problem_is_declined_by_its_code(code: str) -> None:
    """A problem of the list becomes an error with its code and what the exchange says."""
    error = said(problem(KINDS[code].status, code, "what is wrong"))
    assert (type(error), getattr(error, "code", ""), str(error)) == (
        *(Declined, code),
        f"the exchange {URL} declines: what is wrong"
        + ("; check exchange.url" if code == "not_found" else ""),
    )


PAGE = "<html>Welcome to the guest network</html>"
STRANGERS: list[tuple[httpx.Response, str]] = [
    (httpx.Response(200, html=PAGE), "gives text/html with status 200"),
    (httpx.Response(502, html=PAGE), "gives text/html with status 502"),
    (httpx.Response(404, html=PAGE), "gives text/html with status 404"),
    (httpx.Response(503, content=b""), "gives no type with status 503"),
    (httpx.Response(403, json={"message": "Forbidden"}), "gives application/json with status 403"),
    (problem(400, "of_another_program"), "gives application/problem+json with status 400"),
    (
        httpx.Response(302, headers={"location": "https://login.hospital.example/?u=x"}),
        "sends on to login.hospital.example (status 302)",
    ),
    (httpx.Response(307, headers={"location": "/login"}), "sends on to another page (status 307)"),
    (httpx.Response(200, text="OK"), "an answer that is not JSON"),
    (httpx.Response(200, content=b'{"quorum": 1'), "an answer that is not JSON"),
    (httpx.Response(200, json={"name": "x"}), "/v1/ does not say that it is one"),
    (httpx.Response(200, json=[1]), "/v1/ does not say that it is one"),
    (httpx.Response(500, content=b"[" * 100_000), "gives no type with status 500"),
]


@pytest.mark.parametrize(("answer", "expected"), STRANGERS, ids=[text for _, text in STRANGERS])
def test_something_else_answers(answer: httpx.Response, expected: str) -> None:
    """What is no exchange is told with what it gave, and with what to look at."""
    error = said(answer)
    assert (type(error), expected in str(error), "check exchange.url" in str(error)) == (
        *(Unreachable, True),
        True,
    )


def test_a_page_that_answers_is_not_quoted() -> None:
    """The text of a page, which may hold anything, is not in the message."""
    assert "guest" not in str(said(httpx.Response(200, html=PAGE)))


def test_a_write_that_a_page_takes() -> None:
    """A page that answers 200 to everything has not taken a message."""
    with (
        exchange(lambda _: httpx.Response(200, text="welcome")) as found,
        pytest.raises(Unreachable, match="not JSON"),
    ):
        found.post(b"wire")


FAILURES: list[tuple[Exception, str]] = [
    (
        httpx.ConnectError("[Errno 111] Connection refused"),
        "cannot be reached ([Errno 111] Connection refused); check exchange.url, network and proxy",
    ),
    (
        httpx.ConnectError("[Errno -2] Name or service not known"),
        "cannot be reached ([Errno -2] Name or service not known); check exchange.url",
    ),
    (
        httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"),
        "is not trusted here ([SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate)",
    ),
    (httpx.ConnectTimeout("timed out"), "does not answer; is a firewall or a proxy in the way?"),
    (httpx.ReadTimeout("timed out"), "did not answer within 30 s"),
    (httpx.WriteTimeout("timed out"), "did not answer within 30 s"),
    (httpx.RemoteProtocolError("cut"), "make exchange.poll_s smaller"),
    (httpx.ReadError("reset"), "broke (ReadError)"),
    (httpx.DecodingError("not gzip"), "broke (DecodingError)"),
    (httpx.UnsupportedProtocol("ftp"), "is no address of an exchange"),
]


@pytest.mark.parametrize(
    ("failure", "expected"), FAILURES, ids=[type(error).__name__ for error, _ in FAILURES]
)
def test_nobody_answers(failure: Exception, expected: str) -> None:
    """Each way in which a connection fails is told in its own words, with what to look at."""
    error = said(failure)
    assert (isinstance(error, Unreachable), expected in str(error)) == (True, True)


# Answers without an end


def endless() -> Iterator[bytes]:
    """A body that never ends."""
    while True:
        yield bytes(1 << 10)


def test_an_answer_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is larger than any message is not read on."""
    monkeypatch.setattr(http, "LARGEST_ANSWER", 1 << 20)
    error = said(httpx.Response(200, content=endless()))
    assert "an answer of more than 1 MiB" in str(error)


def test_an_answer_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of which a little comes again and again has an end, too."""
    monkeypatch.setattr(http, "LONGEST_ANSWER_S", 0.02)

    def drops() -> Iterator[bytes]:
        while True:
            time.sleep(0.005)
            yield b"."

    error = said(httpx.Response(200, content=drops()))
    assert "an answer that takes over 0.02 s" in str(error)


def test_a_page_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The body of an error is bounded like any other."""
    monkeypatch.setattr(http, "LARGEST_ANSWER", 1 << 20)
    assert type(said(httpx.Response(502, content=endless()))) is Unreachable


# Real connections


@contextmanager
def listening(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port of this machine on which each connection is given to a function."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    try:
                        handle(connection)
                    except OSError:
                        continue

        threading.Thread(target=accept, daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


def real(connection: Connection) -> str:
    """What is said of a real connection; "answers" if it is an exchange."""
    try:
        with Exchange(connection, identity("alder")) as found:
            found.hello()
    except Unreachable as error:
        return str(error)
    return "answers"


HELLO = b'{"quorum": 1}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n" + HELLO


def greet(connection: socket.socket) -> None:
    """Answer a request as an exchange does."""
    connection.recv(1 << 16)
    connection.sendall(ANSWER)


def test_an_exchange_on_this_machine() -> None:
    """An exchange on a port of this machine is reached."""
    with listening(greet) as port:
        assert real(Connection(f"http://127.0.0.1:{port}")) == "answers"


def test_an_exchange_on_this_machine_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment is not asked for the way to this machine."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with listening(greet) as port:
        assert real(Connection(f"http://127.0.0.1:{port}")) == "answers"


def test_a_port_on_which_nobody_listens() -> None:
    """A refused connection is told with the address."""
    with listening(greet) as port:
        pass
    found = real(Connection(f"http://127.0.0.1:{port}"))
    assert found.startswith(f"http://127.0.0.1:{port} cannot be reached ([Errno 111] Connection")


def test_a_name_that_is_not_known() -> None:
    """A host that no name server knows is told with the address."""
    found = real(Connection("http://quorum.invalid"))
    assert found.startswith("http://quorum.invalid cannot be reached ([Errno -")


def test_an_exchange_that_does_not_answer() -> None:
    """A connection in which nothing comes ends after the timeout."""
    with listening(lambda connection: time.sleep(0.3)) as port:
        found = real(Connection(f"http://127.0.0.1:{port}", timeout_s=0.1))
    assert found == f"http://127.0.0.1:{port} did not answer within 0.1 s"


def test_a_connection_that_breaks() -> None:
    """A connection that is cut in the middle of the answer is told as broken."""

    def cut(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(ANSWER[:-5])

    with listening(cut) as port:
        found = real(Connection(f"http://127.0.0.1:{port}"))
    assert found.startswith(f"the connection to http://127.0.0.1:{port} broke (RemoteProtocolErr")


def test_tls_where_there_is_none() -> None:
    """https:// to a port without TLS is told as unreachable, with what TLS says."""
    with listening(greet) as port:
        found = real(Connection(f"https://127.0.0.1:{port}"))
    assert "cannot be reached ([SSL" in found


def through(answer: bytes, url: str, *, login: str = "") -> tuple[str, str]:
    """What is said of a proxy that gives this answer, and its address without a password."""

    def give(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 " + answer + b"\r\ncontent-length: 0\r\n\r\n")

    with listening(give) as port:
        found = real(Connection(url, proxy=f"http://{login}127.0.0.1:{port}"))
    return found, f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("url", ["https://quorum.example", "http://quorum.example"])
def test_a_proxy_that_wants_a_password(url: str) -> None:
    """Without a password, 407 is told with the proxy and the setting that takes one."""
    found, proxy = through(b"407 Proxy Authentication Required", url)
    assert found == (
        f"the proxy {proxy} wants a name and a password (407 Proxy Authentication Required); put "
        f"them into exchange.proxy as http://user:password@host:port"
    )


@pytest.mark.parametrize("url", ["https://quorum.example", "http://quorum.example"])
def test_a_password_that_a_proxy_does_not_take(url: str) -> None:
    """With a wrong password, 407 is told with the proxy, and without the password."""
    found, proxy = through(b"407 Authenticate", url, login="agent:hush@")
    start = f"the proxy {proxy} does not take the name and password in exchange.proxy (407 "
    assert (found.startswith(start), "hush" in found) == (True, False)


REFUSALS: list[tuple[bytes, str]] = [
    (b"403 Forbidden", "does not let this machine through to quorum.example (403 Forbidden)"),
    (b"503 Service Unavailable", "does not reach quorum.example (503 Service Unavailable)"),
    (b"400 Bad Request", "refuses the way to quorum.example (400 Bad Request)"),
]


@pytest.mark.parametrize(("answer", "expected"), REFUSALS)
def test_a_proxy_that_refuses(answer: bytes, expected: str) -> None:
    """What a proxy refuses is told as the proxy's, with its address."""
    found, proxy = through(answer, "https://quorum.example")
    assert found.startswith(f"the proxy {proxy} {expected}")


def test_a_proxy_that_is_not_there() -> None:
    """A proxy that cannot be connected to is told as such, not as an exchange that is away."""
    with listening(greet) as port:
        pass
    found = real(Connection("https://quorum.example", proxy=f"http://127.0.0.1:{port}"))
    assert found == (
        f"the connection to the proxy http://127.0.0.1:{port} fails ([Errno 111] Connection "
        f"refused); check exchange.proxy"
    )


def test_connections_that_fail_are_not_kept() -> None:
    """However often TLS fails behind a proxy, the next request has a connection to be sent on."""
    agreed = b"HTTP/1.1 200 Connection established\r\n\r\n"
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def tunnel() -> None:
            kept = []  # nobody but the agent closes a connection
            while not stop.is_set():
                connection, _ = server.accept()
                kept.append(connection)
                connection.recv(1 << 16)
                connection.sendall(agreed)
                connection.recv(1 << 16)
                connection.sendall(b"no TLS\r\n")

        threading.Thread(target=tunnel, daemon=True).start()
        proxy = f"http://127.0.0.1:{server.getsockname()[1]}"
        way = Connection("https://quorum.example", proxy=proxy, timeout_s=1)
        with Exchange(way, identity("alder")) as found:
            for _ in range(102):
                with pytest.raises(Unreachable, match="SSL"):
                    found.hello()
        stop.set()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of 127.0.0.1 with its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "proxy of a hospital")])
    today = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - day)
        .not_valid_after(today + day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "ca.pem"
    own = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(own + built.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def behind_tls(certificate: Path) -> Iterator[str]:
    """The address of an exchange whose certificate no system trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            greet(wrapped)

    with listening(handle) as port:
        yield f"https://127.0.0.1:{port}"


def test_a_certificate_that_is_not_trusted(behind_tls: str) -> None:
    """A certificate of a proxy that opens TLS is told with the setting that trusts it."""
    found = real(Connection(behind_tls))
    assert (
        found.startswith(f"the certificate of {behind_tls} is not trusted here"),
        "it was signed by 'CN=proxy of a hospital'" in found,
    ) == (True, True)


def test_a_certificate_that_is_given_is_trusted(behind_tls: str, certificate: Path) -> None:
    """With the CA of that proxy as exchange.ca_file the exchange is reached."""
    assert real(Connection(behind_tls, ca_file=certificate)) == "answers"


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_certificates_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    """A missing file, or one without certificates, is told with its path."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"exchange.ca_file .*ca.pem cannot be read"):
        Exchange(Connection(URL, ca_file=path), identity("alder"))


@pytest.mark.parametrize(
    "proxy",
    [
        "proxy.hospital:3128",
        "http://proxy:port",
        "http://user:pass/word@proxy:3128",
        "socks5://p:1",
    ],
)
def test_a_proxy_that_is_none(proxy: str) -> None:
    """A proxy's address that cannot be used is told, and not shown: it may hold a password."""
    with pytest.raises(ConfigurationError) as error:
        Exchange(Connection(URL, proxy=proxy), identity("alder"))
    assert ("exchange.proxy is no address" in str(error.value), proxy in str(error.value)) == (
        True,
        False,
    )


@pytest.mark.parametrize("proxy", ["ftp://proxy:21", "socks5://proxy:1080", "http://proxy:port"])
def test_a_proxy_of_the_environment_that_is_none(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """A variable that names no proxy is told as such."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY is no address of a proxy"):
        Exchange(Connection(URL), identity("alder"))


def test_an_address_that_is_none() -> None:
    """An address that cannot be read is told."""
    with pytest.raises(ConfigurationError, match=r"exchange.url http://x:port is no address"):
        Exchange(Connection("http://x:port"), identity("alder"))


def test_a_probe_of_this_machine() -> None:
    """Whether something answers well at an address."""
    with listening(greet) as port:
        found = answers(f"http://127.0.0.1:{port}/healthz")
    assert (found, answers(f"http://127.0.0.1:{port}/healthz")) == (True, False)


# Patience


class Trying:
    """An action that fails some times before it succeeds."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.pauses: list[float] = []
        self.lines: list[str] = []

    def __call__(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "done"

    def patiently(self) -> str:
        """What comes of it."""
        return patiently(self, sleep=self.pauses.append, tell=self.lines.append)


def test_patience_is_rewarded() -> None:
    """An exchange that comes back is not missed; the pauses double."""
    trying = Trying(*[Unreachable("away")] * 3)
    assert (trying.patiently(), trying.pauses) == ("done", [0.5, 1, 2])


def test_patience_has_an_end() -> None:
    """After four attempts the last failure is told."""
    trying = Trying(*[Unreachable("away")] * 9)
    with pytest.raises(Unreachable, match="away"):
        trying.patiently()
    assert len(trying.failures) == 5


def test_each_pause_is_told() -> None:
    """On a terminal one sees why nothing happens."""
    trying = Trying(Unreachable("away"))
    trying.patiently()
    assert trying.lines == ["away; trying again in 0.5 s"]


def test_a_store_that_does_not_answer_passes() -> None:
    """A store of the exchange that does not answer is waited for."""
    assert Trying(Declined("store", "later"), Declined("internal", "later")).patiently() == "done"


@pytest.mark.parametrize("code", ["invitation", "unknown_party", "clock", "conflict", "not_found"])
def test_a_no_is_not_asked_again(code: str) -> None:
    """What the exchange declines for a reason is told at once."""
    trying = Trying(Declined(code, "no"))
    with pytest.raises(Declined):
        trying.patiently()
    assert trying.pauses == []


def test_pauses_grow_up_to_a_minute() -> None:
    """However often it failed, an attempt is made each minute."""
    assert [pause_s(attempt) for attempt in (0, 1, 5, 6, 7, 8, 10_000)] == [
        *(0.5, 1, 16, 32),
        *(60, 60, 60),
    ]

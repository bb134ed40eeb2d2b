"""The console's server: on this machine only, for one browser only.

Every request passes the same checks, in this order: it is addressed to this very server (else
another host's name was made to lead here), its path is below the session's, it has the session's
cookie, and what changes something is a form of this session, sent from a page of this server.
Nothing is logged.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from site_agent.console.answers import HEADERS, Answer, Problem, told_wrong
from site_agent.console.request import Console, Request
from site_agent.console.routes import LINK, answer
from site_agent.console.session import COOKIE
from site_agent.contract.errors import ConfigurationError, LedgerError, QuorumError
from site_agent.runtime.command import internal, of_the_system

LOOPBACK: Final = "127.0.0.1"
LARGEST_FORM: Final = 4096  # bytes
LONGEST_PATH: Final = 1024
MOST_FIELDS: Final = 10
MOST_AT_ONCE: Final = 16
DISCARDED: Final = 1 << 20  # bytes of a form that is too large, so that its sender reads why
SLOWEST_S: Final = 15.0  # without a byte
UNDONE: Final = "This cannot be done"
FORM: Final = "application/x-www-form-urlencoded"


class Server(ThreadingHTTPServer):
    """The server of one console, at a port of this machine; 0 takes a free one."""

    daemon_threads = True

    def __init__(self, console: Console, port: int) -> None:
        self.console = console
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)
        try:
            super().__init__((LOOPBACK, port), Handler)
        except OSError:
            raise ConfigurationError(
                f"the port {port} of this machine cannot be used: another program may have it; "
                f"give another one with --port, or none"
            ) from None
        self.host = f"{LOOPBACK}:{self.server_address[1]}"
        self.url = f"http://{self.host}"

    def server_bind(self) -> None:
        """Bind, without asking for the name of this machine, which would go over the network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, if there are not too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for the next one."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke; all else is answered with a page."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    timeout = SLOWEST_S
    server_version, sys_version = "quorum", ""

    def do_GET(self) -> None:
        """Answer the request."""
        self._write(self._answer())

    do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request that a browser sends."""
        self.close_connection = True
        status = HTTPStatus(code)
        text = "This is no request of a page of the console."
        self._write(told_wrong(_title(status), text, status=status))

    def _answer(self) -> Answer:
        """Return the answer to a request; what goes wrong is a sentence on a page."""
        wrong = HTTPStatus.INTERNAL_SERVER_ERROR
        try:
            return self._checked()
        except Problem as problem:
            found = self._told(problem.status, _title(problem.status), str(problem))
            return Answer(found.status, found.body, problem.headers)
        except LedgerError as error:
            return self._told(wrong, UNDONE, str(error))
        except QuorumError as error:
            return self._told(HTTPStatus.CONFLICT, UNDONE, str(error))
        except OSError as error:
            return self._told(wrong, UNDONE, of_the_system(error))
        except Exception as error:
            return self._told(wrong, "A defect", internal(error))

    def _told(self, status: HTTPStatus, title: str, text: str) -> Answer:
        """Return a page that says what is wrong, with the way to others for who may go there."""
        session = self.server.console.session if self._has_cookie() else None
        return told_wrong(title, text, status=status, session=session)

    def _checked(self) -> Answer:
        """Return the answer to a request that passes all checks; Problem if it does not."""
        console = self.server.console
        session = console.session
        if self.headers.get_all("Host", []) != [self.server.host]:
            raise Problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"The console is at {self.server.url} only. Use the link as it was printed.",
            )
        if len(self.path) > LONGEST_PATH:
            raise Problem(HTTPStatus.REQUEST_URI_TOO_LONG, "The address is too long.")
        target = urlsplit(self.path)
        below = target.path.removeprefix(session.base)
        if below == target.path:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such page.")
        to_link = LINK.fullmatch(below) is not None
        if not (to_link or self._has_cookie()):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "This browser has not opened the console, or the session has ended. Begin a new "
                "one with `site-agent console`, and open the link that it prints.",
            )
        fields = self._form() if self.command == "POST" else {}
        own = to_link or session.is_own_form(fields.get("form_token", ""))
        if self.command == "POST" and not own:
            raise Problem(HTTPStatus.FORBIDDEN, "The form is of another session.")
        query = dict(parse_qsl(target.query, max_num_fields=MOST_FIELDS))
        request = Request(self.command, below, query, fields)
        if to_link:
            return answer(console, request)
        with session.at_work():
            return answer(console, request)

    def _has_cookie(self) -> bool:
        try:
            cookies = SimpleCookie(self.headers.get("Cookie", ""))
        except CookieError:
            return False
        found = cookies.get(COOKIE)
        return found is not None and self.server.console.session.is_open_for(found.value)

    def _form(self) -> Mapping[str, str]:
        """Return the fields of a form that a page of this server sent; Problem if it is not one."""
        sent_from = self.headers.get_all("Origin", [])
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        if sent_from != [self.server.url] or site != "same-origin":
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "The form was not sent from a page of the console. Nothing was changed.",
            )
        length = self._length()
        if self.headers.get_content_type() != FORM:
            self._discard(length)
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "This is not what a form sends.")
        if length > LARGEST_FORM:
            self._discard(length)
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The form has {length} bytes, and may have {LARGEST_FORM}.",
            )
        try:
            text = self.rfile.read(length).decode("utf-8")
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            raise Problem(HTTPStatus.BAD_REQUEST, "The form cannot be read.") from None

    def _length(self) -> int:
        """Return the length of the body, bytes."""
        told = self.headers.get_all("Content-Length", [])
        plain = len(told) == 1 and told[0].isascii() and told[0].isdigit() and len(told[0]) < 12
        if not plain or "Transfer-Encoding" in self.headers:
            raise Problem(HTTPStatus.LENGTH_REQUIRED, "The form does not tell its length.")
        return int(told[0])

    def _discard(self, length: int) -> None:
        left = min(length, DISCARDED)
        while left > 0 and (read := self.rfile.read(min(left, LARGEST_FORM))):
            left -= len(read)

    def _write(self, found: Answer) -> None:
        body = found.body.encode("utf-8", "replace")
        self.send_response(found.status)
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
        for name, value in {**HEADERS, **headers, **found.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
        if found.ends:
            self.server.console.session.ended.set()


def _title(status: HTTPStatus) -> str:
    return "There is no such page" if status == HTTPStatus.NOT_FOUND else "This is not done"

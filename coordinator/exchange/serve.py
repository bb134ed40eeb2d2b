"""Running the exchange in this process, until it is told to stop."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from coordinator.exchange.app import create_app
from coordinator.exchange.bodies import LARGEST_MESSAGE
from coordinator.exchange.store import Store
from site_agent.contract.errors import ConfigurationError
from site_agent.contract.party import Member
from site_agent.contract.problems import MEDIA_TYPE, Problem

STOPS_WITHIN_S: Final = 4
BACKLOG: Final = 1024

Ready = Callable[[str], None]


def serve(
    *,
    database: str,
    listen_host: str,
    listen_port: int,
    center: Member,
    largest_message: int = LARGEST_MESSAGE,
    ready: Ready | None = None,
) -> None:
    """Run the exchange until SIGTERM or SIGINT; `ready(url)` is called once it answers.

    Port 0 takes a free one. Raises ConfigurationError for an address or a database URL that
    cannot be used, and Unreachable for a database that does not answer.
    """
    store = Store.open(database)
    try:
        with _listening(listen_host, listen_port) as sock, _quiet_stop():
            app = create_app(store, center, largest_message=largest_message)
            _Server(app, _url(sock), ready or (lambda _: None)).run([sock])
    finally:
        store.close()


class _Protocol(H11Protocol):
    """HTTP/1.1, with a problem as the answer to what is no HTTP at all."""

    def send_400_response(self, msg: str) -> None:
        problem = Problem("malformed", "the request is not HTTP/1.1, or its header is too long")
        body = json.dumps(problem.document()).encode()
        head = [("content-type", MEDIA_TYPE), ("content-length", str(len(body)))]
        for event in (
            h11.Response(status_code=problem.status, headers=[*head, ("connection", "close")]),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class _Server(uvicorn.Server):
    """A server that says when it answers, and lets long polls go when it stops."""

    def __init__(self, app: FastAPI, url: str, ready: Ready) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                access_log=False,
                log_config=None,
                log_level=logging.WARNING,
                date_header=False,
                server_header=False,
                timeout_graceful_shutdown=STOPS_WITHIN_S,
            )
        )
        self._app = app
        self._url = url
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready(self._url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.surroundings.bells.stop()
        await super().shutdown(sockets)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio sends without delay (TCP_NODELAY); else 40 ms are lost.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as sock:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            raise ConfigurationError(
                f"the exchange cannot listen at {host} port {port}: {_reason(error)}; choose "
                f"another address, or stop what listens there"
            ) from None
        yield sock


def _reason(error: OSError | OverflowError) -> str:
    if isinstance(error, socket.gaierror):
        return "no such host"
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else "no such port"


def _url(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _quiet_stop() -> Iterator[None]:
    """Let SIGTERM end the server and nothing more: uvicorn raises it once again at its end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

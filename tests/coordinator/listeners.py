"""Servers of this machine that take what is sent: a webhook and a server for e-mail."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hook(BaseHTTPRequestHandler):
    """Takes JSON; refuses the first `refusals` of it."""

    def do_POST(self) -> None:
        """Take a document."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server: Any = self.server
        server.refusals -= 1
        if server.refusals < 0:
            server.taken.append(body)
        self.send_response(204 if server.refusals < 0 else 503)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing is told."""


class Letters(socketserver.StreamRequestHandler):
    """As much of SMTP as a client without a login needs."""

    def handle(self) -> None:
        """One session; envelope and text of a letter are kept."""
        self._say("220 here")
        recipients: list[str] = []
        for line in self.rfile:
            command = line.decode().strip()
            word = command[:4].upper()
            if word == "RCPT":
                recipients.append(command.partition("<")[2].partition(">")[0])
            if word == "DATA":
                self._say("354 go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n")).decode()
                server: Any = self.server
                server.taken.append((recipients, text))
            self._say("221 bye" if word == "QUIT" else "250 yes")
            if word == "QUIT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def listening(server: socketserver.BaseServer) -> Iterator[Any]:
    """A server in a thread until the block ends; what it has taken is in `taken`."""
    found: Any = server
    found.taken, found.refusals = [], 0
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def webhook() -> ThreadingHTTPServer:
    """A webhook on a free port."""
    return ThreadingHTTPServer(("127.0.0.1", 0), Hook)


def mail_server() -> socketserver.ThreadingTCPServer:
    """A server for e-mail on a free port."""
    return socketserver.ThreadingTCPServer(("127.0.0.1", 0), Letters)

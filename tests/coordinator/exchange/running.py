"""A real exchange in a process of its own, which can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Final, Self

import httpx

from site_agent.contract import requests
from site_agent.contract.canonical import sha256
from site_agent.contract.enrolment import card
from tests.coordinator.exchange.office import STUDY_HASH, TOKEN, frozen_file
from tests.protocol import CENTER, SITES, identity

PROGRAM: Final = """
import json, sys
from coordinator.exchange.serve import serve
from site_agent.contract.enrolment import read_card
serve(
    database=sys.argv[1],
    listen_host="127.0.0.1",
    listen_port=int(sys.argv[2]),
    center=read_card(json.loads(sys.argv[3]), "card"),
    ready=lambda url: print(url, flush=True),
)
"""


class Running:
    """An exchange in a process, and requests to it."""

    def __init__(self, database: str, port: int = 0) -> None:
        self.database = database
        own = [database, str(port), json.dumps(card(identity(CENTER).member()))]
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *own],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        self.client = httpx.Client(base_url=self.url, timeout=40)

    @property
    def port(self) -> int:
        """The port that it listens to."""
        return int(self.url.rpartition(":")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()
        self.kill()

    def kill(self) -> None:
        """End the process at once, as a power failure would."""
        self.process.kill()
        self.process.communicate()

    def stop(self) -> tuple[int, float]:
        """Ask it to stop; return its exit code and the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20), time.monotonic() - began

    def ask(self, by: str, method: str, target: str, body: bytes | dict[str, Any] = b"") -> Any:
        """A signed request."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        header = requests.sign(identity(by), method, target, content, at=int(time.time()))
        own = {"Authorization": header}
        return self.client.request(method, target, content=content, headers=own)

    def furnished(self) -> Self:
        """The exchange with sites enrolled and the study on its shelf."""
        until = int(time.time()) + 1000
        for site in SITES:
            body = {"token_sha256": sha256(TOKEN.encode()), "expires": until}
            self.ask(CENTER, "PUT", f"/v1/invitations/{site}", body)
            enrolment = {"card": card(identity(site).member()), "token": TOKEN}
            self.ask(site, "POST", "/v1/enrolments", enrolment)
        self.ask(CENTER, "PUT", f"/v1/studies/{STUDY_HASH}", frozen_file()[0].encode())
        return self

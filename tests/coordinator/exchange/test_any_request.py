"""Requests that a machine makes up from /openapi.json: signed, and mostly senseless.

None is answered with a defect, and every error is a problem of the list.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from site_agent.contract.problems import KINDS, MEDIA_TYPE
from tests.coordinator.exchange.office import FIRST, STUDY_HASH, Office, ready
from tests.protocol import CENTER

KNOWN: Final = {"hash": STUDY_HASH, "study": STUDY_HASH, "open": FIRST, "site": "alder"}
ANYTHING: Final = "/v1/messages"  # takes any bytes, so none are of another form
DEFECTS: Final = {"internal", "store"}


def asked(office: Office, case: Any, by: str, known: bool, wire: bytes) -> httpx.Response:
    """The answer to a made-up request, which a party has signed."""
    if known:
        for values in (case.path_parameters, case.query):
            for name in {*values} & {*KNOWN}:
                values[name] = KNOWN[name]
    if isinstance(case.query.get("wait"), int | float):
        case.query["wait"] = min(0, case.query["wait"])  # a wait is tested elsewhere
    made = case.as_transport_kwargs(base_url="http://exchange")
    made.pop("cookies", None)
    prepared = requests.Request(**made).prepare()
    body: Any = prepared.body or b""
    if case.path == ANYTHING and known:
        body = wire
    address = urlsplit(str(prepared.url))
    raw = httpx.URL("http://exchange", raw_path=_raw(address.path, address.query)).raw_path
    content = body.encode() if isinstance(body, str) else bytes(body)
    return office.ask(by, str(prepared.method), raw.decode("ascii"), content)


def _raw(path: str, query: str) -> bytes:
    return f"{path}?{query}".encode("ascii") if query else path.encode("ascii")


def problem_with(answer: httpx.Response) -> str:
    """What is wrong with an answer; nothing for an answer as it should be."""
    if answer.status_code < 400:
        return ""
    if answer.headers.get("content-type") != MEDIA_TYPE:
        return f"{answer.status_code} as {answer.headers.get('content-type')}"
    found = answer.json()
    if found["code"] not in KINDS or KINDS[found["code"]].status != answer.status_code:
        return f"{answer.status_code} with code {found['code']}"
    return found["code"] if found["code"] in DEFECTS else ""


def all_operations(office: Office) -> list[Any]:
    schema: Any = schemathesis.openapi.from_dict(office.app.openapi())
    return [found.ok() for found in schema.get_all_operations()]


def made_up(office: Office, examples: int) -> set[str]:
    """What is wrong with the answers to requests at each address of the exchange."""
    wrong: set[str] = set()
    wires = st.binary(max_size=400) | st.integers(0, len(ready("alder"))).flatmap(_damaged)

    for operation in all_operations(office):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.NEGATIVE and not _takes_anything(operation):
                continue

            @settings(
                max_examples=examples,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(
                case=operation.as_strategy(generation_mode=mode),
                by=st.sampled_from([CENTER, "alder"]),
                known=st.booleans(),
                wire=wires,
            )
            def attempt(case: Any, by: str, known: bool, wire: bytes) -> None:
                found = problem_with(asked(office, case, by, known, wire))
                if found:
                    wrong.add(f"{case.method} {case.path}: {found}")

            attempt()
    return wrong


def _damaged(at: int) -> st.SearchStrategy[bytes]:
    wire = ready("alder")
    return st.binary(max_size=3).map(lambda new: wire[:at] + new + wire[at + len(new) :])


def _takes_anything(operation: Any) -> bool:
    named = bool(operation.query) or bool(operation.path_parameters)
    return named or (bool(operation.body) and operation.path != ANYTHING)


def test_made_up_requests(opened: Office) -> None:
    """No request makes the exchange fail, and every error is of the closed list."""
    assert made_up(opened, 8) == set()


@pytest.mark.campaign
def test_many_made_up_requests(opened: Office) -> None:
    """The same with many more requests."""
    assert made_up(opened, 400) == set()

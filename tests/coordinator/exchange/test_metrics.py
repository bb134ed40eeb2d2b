"""What an operator can watch, and that it tells of no site."""

from __future__ import annotations

import pytest

from tests.coordinator.exchange.office import Office, burn, ready
from tests.protocol import CENTER, SITES


def exposition(office: Office) -> str:
    return office.send("GET", "/metrics").text


@pytest.mark.parametrize(
    "line",
    [
        "quorum_exchange_sites 5.0",
        'quorum_exchange_releases{state="under_way"} 0.0',
        'quorum_exchange_releases{state="burned"} 1.0',
        'quorum_exchange_messages_total{kind="READY"} 1.0',
        f'quorum_exchange_message_bytes_total{{kind="READY"}} {float(len(ready("alder")))}',
        'quorum_exchange_requests_total{method="POST",route="/v1/messages",status="201"} 3.0',
        'quorum_exchange_requests_total{method="POST",route="/v1/messages",status="200"} 1.0',
        "quorum_exchange_polls 0.0",
        "quorum_exchange_transaction_retries_total 0.0",
        'quorum_exchange_transaction_seconds_count{name="take READY"} 2.0',
    ],
)
def test_what_is_counted(opened: Office, line: str) -> None:
    """Requests, messages, transactions and releases are counted."""
    for _ in range(2):
        opened.post("alder", ready("alder"))
    opened.post(CENTER, burn())
    assert line in exposition(opened).splitlines()


def test_no_site_is_named(opened: Office) -> None:
    """Metrics are open to anybody, and name nobody."""
    opened.post("alder", ready("alder"))
    opened.send("GET", "/v1/studies/alder")
    text = exposition(opened)
    assert [site for site in SITES if site in text] == []


def test_odd_requests_do_not_make_odd_metrics(plain: Office) -> None:
    """Addresses and methods that somebody makes up are counted as one."""
    plain.send("BREW", "/coffee")
    line = 'quorum_exchange_requests_total{method="other",route="none",status="404"} 1.0'
    assert line in exposition(plain).splitlines()

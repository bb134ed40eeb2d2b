"""Reminders of hospitals that keep a release waiting: by webhook and by e-mail.

One of each kind goes once a release, phase and hospital, when it has been waited for longer than
reminders.after_s; what cannot be sent is tried again, after twice as long each time. It holds
names, phases, instants and whose turn it is to do what, and nothing of the data or the results.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from typing import Final

from coordinator.center import awaited, sites_and_release
from coordinator.home import Home, host_and_port
from coordinator.phases import place_of
from coordinator.waits import Waits, keep_waits, read_waits
from site_agent.contract.errors import ConfigurationError, QuorumError
from site_agent.contract.study.model import Study
from site_agent.runtime.clock import utc_of
from site_agent.runtime.http import post_to

SMTP_TIMEOUT_S: Final = 30.0
SECURITY: Final = ("starttls", "tls", "none")
ADDRESS: Final = re.compile(r"[^@\s,<>\"]+@[^@\s,<>\"]+\Z")
Send = Callable[["Reminder"], None]


@dataclass(frozen=True, slots=True)
class Reminder:
    """One hospital that keeps one phase of a release waiting."""

    study: str
    release: int
    phase: str
    round: int | None
    site: str
    since: str
    whose_turn: str

    @property
    def key(self) -> str:
        """Return the name under which it is sent once."""
        return f"{self.study}-{self.release}-{self.phase}-{self.site}"

    @property
    def subject(self) -> str:
        """Return the line that says what it is about."""
        return f"Quorum: release {self.release} of {self.study} waits for {self.site}"

    @property
    def text(self) -> str:
        """Return it in words."""
        where = place_of(self.phase, self.round)
        return (
            f"Release {self.release} of the study {self.study} ({where}) waits for {self.site} "
            f"since {self.since}.\n\nWhose turn it is: {self.whose_turn}.\n\nThe release goes on "
            f"when the answer is there. This message is sent once.\n"
        )


def channels(home: Home) -> dict[str, Send]:
    """Return the ways by which reminders go that are set; ConfigurationError if one is wrong."""
    found: dict[str, Send] = {}
    webhook = str(home.settings["reminders.webhook"])
    if webhook:
        found["webhook"] = lambda reminder: post_webhook(webhook, reminder)
    if home.settings["reminders.smtp"]:
        account = smtp_of(home)
        found["mail"] = lambda reminder: send_mail(account, reminder)
    return found


def remind(home: Home, study: Study, now: float, tell: Callable[[str], None]) -> None:
    """Note for whom a study's release waits, and send the reminders that are due."""
    sites, last = sites_and_release(home, study)
    if last is None or not last.under_way:
        return
    waits = read_waits(home, study.name)
    waits.see(last, now)
    keep_waits(home, study.name, waits)
    for one in awaited(home, sites, waits.since, now):
        if not one.late:
            continue
        since = utc_of(one.since)
        reminder = Reminder(
            study.name, last.number, last.phase, last.round, one.site, since, one.whose_turn
        )
        for name, send in channels(home).items():
            if waits.is_due(f"{name} {reminder.key}", now):
                _send(waits, name, reminder, send, now, tell)
                keep_waits(home, study.name, waits)


def _send(
    waits: Waits,
    name: str,
    reminder: Reminder,
    send: Send,
    now: float,
    tell: Callable[[str], None],
) -> None:
    """Send a reminder, and note that it was sent or when it is tried again."""
    key = f"{name} {reminder.key}"
    try:
        send(reminder)
    except (QuorumError, OSError, smtplib.SMTPException) as error:
        waits.note_failed(key, now)
        tell(f"{reminder.subject}: no reminder by {name} yet ({type(error).__name__})")
    else:
        waits.note_sent(key, now)
        tell(f"{reminder.subject}: reminded by {name}")


def post_webhook(url: str, reminder: Reminder) -> None:
    """Post a reminder as JSON; Unreachable unless it is taken."""
    post_to(url, {"text": f"{reminder.subject}\n{reminder.text}", **asdict(reminder)})


@dataclass(frozen=True, slots=True)
class Smtp:
    """A server for e-mail, who sends, and who gets it: by hospital, and everybody."""

    host: str
    port: int
    security: str
    user: str
    password: str
    sender: str
    recipients: Mapping[str, str]
    copies: str

    def to(self, site: str) -> list[str]:
        """Return the addresses of a hospital, and those that get all reminders."""
        return _addresses(self.recipients.get(site, ""), self.copies)


def smtp_of(home: Home) -> Smtp:
    """Return the settings of e-mail; ConfigurationError if one of them cannot be used."""
    settings = home.settings
    host, port = host_and_port(settings["reminders.smtp"], "reminders.smtp")
    security = str(settings["reminders.smtp_security"])
    if security not in SECURITY:
        raise ConfigurationError(
            f"reminders.smtp_security is '{security}', expected one of {', '.join(SECURITY)}"
        )
    found = Smtp(
        host,
        port,
        security,
        str(settings["reminders.smtp_user"]),
        str(settings["reminders.smtp_password"]),
        str(settings["reminders.from"]),
        settings["reminders.recipients"],
        str(settings["reminders.copies"]),
    )
    for address in [found.sender, *_addresses(found.copies, *found.recipients.values())]:
        if not ADDRESS.match(address):
            raise ConfigurationError(
                f"'{address}' in the settings of reminders is no address of e-mail, expected "
                f"name@host"
            )
    return found


def _addresses(*listed: str) -> list[str]:
    """Return the addresses in texts that list them with commas."""
    return [address.strip() for text in listed for address in text.split(",") if address.strip()]


def send_mail(smtp: Smtp, reminder: Reminder) -> None:
    """Send a reminder to a hospital's people; OSError or SMTPException if it is not taken."""
    to = smtp.to(reminder.site)
    if not to:
        return
    message = EmailMessage()
    message["Subject"], message["From"] = reminder.subject, smtp.sender
    message["To"] = ", ".join(to)
    message["Message-ID"] = f"<{reminder.key}@{smtp.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(reminder.text)
    with _connected(smtp) as server:
        if smtp.user:
            server.login(smtp.user, smtp.password)
        server.send_message(message)


def _connected(smtp: Smtp) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if smtp.security == "tls":
        return smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=SMTP_TIMEOUT_S, context=context)
    server = smtplib.SMTP(smtp.host, smtp.port, timeout=SMTP_TIMEOUT_S)
    if smtp.security == "starttls":
        server.starttls(context=context)
    return server

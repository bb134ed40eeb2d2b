"""The command that serves the steward's console until it ends."""

from __future__ import annotations

import os
import time
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:  # an agent that only runs never loads a server
    from site_agent.console.server import Server
    from site_agent.console.session import Session

IDLE_MINUTES: Final = 30
LOOK_S: Final = 0.5
HIGHEST_PORT: Final = 65_535
OPENING: Final = "console.html"


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, HIGHEST_PORT),
    default=0,
    help="Port of this machine. Default: a free one.",
)
@click.option(
    "--idle-minutes",
    type=click.IntRange(1, 24 * 60),
    default=IDLE_MINUTES,
    help=f"End after so many minutes without use. Default: {IDLE_MINUTES}.",
)
@click.option("--open", "open_browser", is_flag=True, help="Open the link in a browser, too.")
@click.pass_obj
def console(config: Path, port: int, idle_minutes: int, open_browser: bool) -> None:
    """Read, preview, approve and revoke studies on pages of a browser on this machine.

    Prints a link that is good once, for one browser. The pages do what the commands do, by the
    same functions, and are served to this machine only. The console ends with its button, with
    Ctrl-C, or when it is not used.

    Example: site-agent console --open
    """
    from site_agent.console.request import console as console_of
    from site_agent.console.server import Server
    from site_agent.console.session import Session
    from site_agent.runtime.command import end_on_sigterm
    from site_agent.site import open_site

    end_on_sigterm()
    site = open_site(config, os.environ)
    site.identity()  # a console without a key could only show errors
    session = Session(os.urandom, time.monotonic, 60.0 * idle_minutes)
    server = Server(console_of(site, session, time.monotonic), port)
    opening = site.state / OPENING
    try:
        click.echo(server.url + session.link)
        click.echo("good once, on this machine only; Ctrl-C ends the console", err=True)
        if open_browser:
            _open(server.url + session.link, opening)
        _serve(server, session)
        click.echo("the console has ended", err=True)
    except KeyboardInterrupt:
        click.echo("the console was stopped", err=True)
    finally:
        opening.unlink(missing_ok=True)
        server.server_close()


def _serve(server: Server, session: Session) -> None:
    """Answer until the session ends."""
    import threading

    threading.Thread(target=server.serve_forever, daemon=True).start()
    while not session.ended.wait(LOOK_S):
        if session.idle():
            session.ended.set()
    server.shutdown()


def _open(link: str, file: Path) -> None:
    """Open the link in a browser, by way of a file that only its owner can read.

    Everybody on this machine can read the arguments of a process, so the link is not one.
    """
    import webbrowser

    from site_agent.runtime.files import write_private

    page = f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(link)}">'
    write_private(file, page.encode())
    if not webbrowser.open(file.absolute().as_uri()):
        click.echo("no browser was found; open the link yourself", err=True)

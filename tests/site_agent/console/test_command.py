"""The command as a process: what it prints, who hears it, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from site_agent.cli import main
from site_agent.console import command
from site_agent.site import Site
from tests.site_agent.hospital import furnished, set_up

ROOT: Final = Path(__file__).parents[3]
LINK: Final = re.compile(r"(http://127\.0\.0\.1:\d+)(/[\w-]{22}/)link/[\w-]{43}\n")
MODULES: Final = """
import sys
from site_agent.cli import main
try:
    main(["--config", sys.argv[1], "status"])
except SystemExit:
    print([name for name in sys.modules if name.startswith(("site_agent.console.", "http.server"))])
"""


@contextmanager
def running(site: Site, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a console in a process; yield it and the link that it prints."""
    call = [sys.executable, "-m", "site_agent", "--config", str(site.settings.file), "console"]
    process = subprocess.Popen(
        [*call, *arguments],
        cwd=ROOT,
        env={**os.environ, "BROWSER": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


@contextmanager
def entered(link: str) -> Iterator[httpx.Client]:
    """A browser that has used the link."""
    origin = "/".join(link.split("/")[:3])
    headers = {"Origin": origin}
    with httpx.Client(headers=headers, follow_redirects=True, timeout=30) as client:
        client.post(link.strip(), data={"opened": "by hand"}).raise_for_status()
        yield client


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_console_until_it_is_stopped(tmp_path: Path, ending: signal.Signals) -> None:
    """It prints the link, lets one browser in, and ends with Ctrl-C or SIGTERM: exit code 0."""
    with running(furnished(tmp_path / "hospital")) as (process, link):
        with entered(link) as browser:
            title = re.search("<h1>(.*?)</h1>", browser.get(link.split("link/")[0]).text)
        process.send_signal(ending)
        _, err = process.communicate(timeout=60)
    assert (LINK.fullmatch(link) is not None, title and title[1], process.returncode, err) == (
        *(True, "Studies of alder", 0),
        "good once, on this machine only; Ctrl-C ends the console\nthe console was stopped\n",
    )


def test_a_console_until_its_button(tmp_path: Path) -> None:
    """The button ends the process: exit code 0."""
    with running(furnished(tmp_path / "hospital")) as (process, link):
        with entered(link) as browser:
            base = link.split("link/")[0]
            token = re.search('name="form_token" value="(.*?)"', browser.get(base).text)
            assert token is not None
            text = browser.post(f"{base}end", data={"form_token": token[1]}).text
        _, err = process.communicate(timeout=60)
    assert ("The console has ended" in text, process.returncode, err.splitlines()[-1]) == (
        *(True, 0),
        "the console has ended",
    )


def test_a_console_that_nobody_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A console that was not used for its time ends by itself: exit code 0."""
    minutes = iter(range(0, 60 * 100, 60))
    monkeypatch.setattr(command.time, "monotonic", lambda: float(next(minutes)))
    monkeypatch.setattr(command, "LOOK_S", 0.01)
    config = furnished(tmp_path / "hospital").settings.file
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(config), "console", "--idle-minutes", "2"])
    signal.signal(signal.SIGTERM, handler)
    assert (ended.value.code, capsys.readouterr().err.splitlines()[-1]) == (
        0,
        "the console has ended",
    )


def test_the_link_goes_to_a_browser_in_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser gets the name of a file that others cannot read, not the link."""
    seen: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: seen.append(url) or True)
    command._open("http://127.0.0.1:1/secret/", tmp_path / "console.html")
    file = tmp_path / "console.html"
    leads = "url=http://127.0.0.1:1/secret/" in file.read_text()
    assert (seen, file.stat().st_mode & 0o777, leads) == ([file.as_uri()], 0o600, True)


def test_the_private_file_goes_with_the_console(tmp_path: Path) -> None:
    """Behind the end the file is gone."""
    site = furnished(tmp_path / "hospital")
    with running(site, "--open") as (process, _):
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert (process.returncode, (site.state / "console.html").exists()) == (0, False)


def test_a_console_without_a_key(tmp_path: Path) -> None:
    """A hospital without its key is told at once: exit code 78."""
    site = set_up(tmp_path / "hospital")
    site.key.unlink()
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(site.settings.file), "console"])
    assert ended.value.code == 78


def test_no_other_command_loads_the_console(tmp_path: Path) -> None:
    """A command, and the agent that runs, loads neither server nor pages."""
    site = set_up(tmp_path / "hospital")
    call = [sys.executable, "-c", MODULES, str(site.settings.file)]
    found = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "['site_agent.console.command']"


def test_the_console_uses_no_way_out_of_its_own() -> None:
    """No module of the console asks the exchange for anything but by a command's function."""
    sources = [path.read_text() for path in (ROOT / "site_agent" / "console").glob("*.py")]
    words = (".exchange()", "Exchange(", "httpx", "urlopen", '.write("PUT', "tell_approval")
    assert [word for word in words for text in sources if word in text] == []

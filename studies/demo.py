"""The demonstration: real agents, a real exchange and Prefect server on this machine.

Every step is a command that a person would type; it is shown before it runs. What one hospital
does is shown in full, the others do the same, each in its own folder with its own key, data and
ledger. `python studies/demo.py anakinra --out build/anakinra/demo`
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

STUDIES: Final = Path(__file__).parent  # as it was named, so that commands read well
MAKERS: Final = {"anakinra": "generate.py", "lung": "export.py", "mgh": "generate.py"}
BIN: Final = Path(sys.executable).parent
PERSON: Final = "demo"
PORTS: Final = {"exchange": 8470, "prefect": 4200}
UP_WITHIN_S: Final = 180
AT_ONCE: Final = max(2, os.cpu_count() or 2)


class Demo:
    """One demonstration in `out`."""

    def __init__(self, study: str, out: Path) -> None:
        self.study = study
        self.out = out
        self.center = out / "center"
        self.password = secrets.token_urlsafe(12)
        self.running: list[subprocess.Popen[bytes]] = []

    def run(self) -> None:
        """Run all of it; raises SystemExit with the code of a command that fails."""
        self.prepare()
        sites = sorted(path.name for path in (self.out / "data").iterdir() if path.is_dir())
        try:
            self.heading("The coordinating center starts (exchange, Prefect server, flow runner)")
            up = self.background(self.coordinator("up"), self.out / "center-up.log")
            self.wait(up, "exchange ")
            self.prepare_study(sites)
            self.heading(f"Each of {len(sites)} hospitals sets its agent up; '{sites[0]}' is shown")
            self.everywhere(sites, self.enrol)
            self.heading("The center freezes the study over the hospitals that enrolled")
            self.show(self.coordinator("site", "list"))
            self.show(self.coordinator("study", "freeze", self.study))
            self.heading(f"Each hospital checks its data, reviews, approves; '{sites[0]}' is shown")
            self.everywhere(sites, self.approve)
            for site in sites:
                self.background(self.agent(site, "run"), self.hospital(site) / "agent.log")
            self.show(self.coordinator("status", self.study))
            self.heading("The center refreshes the study")
            self.wait(up, "ready")
            self.show(self.coordinator("refresh", self.study))
            self.release(sites[0])
            self.heading(f"What left '{sites[0]}', by its own ledger")
            self.show(self.agent(sites[0], "ledger", "show"))
        finally:
            self.stop()
        self.farewell()

    def prepare(self) -> None:
        """Make the hospitals' data, and settings with ports that are free."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.center.mkdir(parents=True)
        maker = STUDIES / self.study / MAKERS[self.study]
        self.heading("Data: a folder of Parquet files for each hospital")
        self.show([sys.executable, str(maker), "--out", str(self.out / "data")])
        lines = [
            f'[{name}]\nlisten = "127.0.0.1:{free_port(port)}"\n' for name, port in PORTS.items()
        ]
        (self.center / "center.toml").write_text("\n".join(lines), encoding="utf-8")

    def prepare_study(self, sites: Sequence[str]) -> None:
        """Add the study and invite the hospitals."""
        self.heading("The biostatistician adds the study and invites the hospitals")
        self.show(self.coordinator("study", "add", str(STUDIES / self.study / "study.yaml")))
        folder = str(self.out / "invitations")
        self.show(self.coordinator("site", "invite", *sites, "--out", folder))

    def enrol(self, site: str, shown: bool) -> None:
        """Set one hospital's agent up and enrol it."""
        folder, data = self.hospital(site), self.out / "data" / site
        folder.mkdir(parents=True)
        invitation = self.out / "invitations" / f"invitation-{site}.json"
        attributes = [f"--attribute={name}={value}" for name, value in attributes_of(data)]
        command = self.agent(site, "init", str(invitation), "--data", str(data), *attributes)
        self.show(command, shown)
        self.show(self.agent(site, "enrol"), shown)

    def approve(self, site: str, shown: bool) -> None:
        """Fetch, check, review and approve the study at one hospital."""
        self.show(self.agent(site, "studies"), shown)
        self.show(self.agent(site, "check", self.study), shown)
        if shown:
            review = self.hospital(site) / "review.txt"
            command = self.agent(site, "review", self.study)
            review.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
            print(f"$ {readable(command)} > {review}")
        self.show(self.agent(site, "approve", self.study, "--yes"), shown)

    def release(self, site: str) -> None:
        """Have a person release the draft, and a hospital fetch the report."""
        self.heading("A person at the center looks at the draft and releases it")
        typed = f"{self.password}\n"
        self.show(self.coordinator("person", "add", PERSON, "--role", "admin"), typed=typed)
        reason = ["--reason", "the demonstration", "--person", PERSON]
        self.show(self.coordinator("release", self.study, "1", *reason), typed=typed)
        self.show(self.coordinator("results", self.study))
        self.heading(f"'{site}' fetches the released report")
        self.show(self.agent(site, "report", self.study))

    def everywhere(self, sites: Sequence[str], step: object) -> None:
        """Do a step at all hospitals, some at a time; the first one's is shown."""
        assert callable(step)
        step(sites[0], True)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda site: step(site, False), sites[1:]))

    def hospital(self, site: str) -> Path:
        """Return a hospital's own folder."""
        return self.out / "hospitals" / site

    def agent(self, site: str, *arguments: str) -> list[str]:
        """Return a command of a hospital."""
        config = self.hospital(site) / "agent.toml"
        return [str(BIN / "site-agent"), "--config", str(config), *arguments]

    def coordinator(self, *arguments: str) -> list[str]:
        """Return a command of the center."""
        return [str(BIN / "coordinator"), "--home", str(self.center), *arguments]

    def heading(self, text: str) -> None:
        """Say what comes next."""
        print(f"\n== {text} ==", flush=True)

    def show(self, command: Sequence[str], shown: bool = True, *, typed: str = "") -> None:
        """Run a command; print it and its output if it is to be shown or fails.

        typed: what it reads from stdin, such as a password; it is not printed.
        """
        if shown:
            print(f"$ {readable(command)}", flush=True)
        done = subprocess.run(command, input=typed.encode(), capture_output=not shown, check=False)
        if done.returncode:
            if not shown:
                print(f"$ {readable(command)}\n{done.stdout.decode()}{done.stderr.decode()}")
            raise SystemExit(done.returncode)

    def background(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a command that goes on running; its output goes to `log`."""
        if len(self.running) < 2:
            print(f"$ {readable(command)} > {log} &", flush=True)
        with log.open("wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file)
        self.running.append(process)
        return process

    def wait(self, process: subprocess.Popen[bytes], said: str) -> None:
        """Wait until the center has said something; SystemExit with its log if it does not."""
        log, until = self.out / "center-up.log", time.monotonic() + UP_WITHIN_S
        while said not in log.read_text(encoding="utf-8"):
            if process.poll() is not None or time.monotonic() > until:
                print(log.read_text(encoding="utf-8"))
                raise SystemExit(process.returncode or 1)
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop everything that goes on running, the agents first."""
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            process.wait()

    def farewell(self) -> None:
        """Say where everything is, and how to look at it."""
        settings = tomllib.loads((self.center / "center.toml").read_text(encoding="utf-8"))
        folder = self.center / "results" / self.study / "release-1"
        self.heading("Where it is")
        print(f"report      {folder / 'report.html'}")
        print(f"comparison  {folder / 'comparison.html'}: published numbers beside these")
        print(f"results     {folder}")
        print(f"hospitals   {self.out / 'hospitals'}/<name>: settings, key, ledger, log")
        print("Prefect UI  the runs, and curves, tables and models as artifacts. Start it with")
        print(f"            {readable(self.coordinator('up'))}")
        print(f"            and open http://{settings['prefect']['listen']}/artifacts")
        print(f"pages       then also at http://{settings['exchange']['listen']}/pages/")
        print(f"            as '{PERSON}' with the password {self.password}")


def attributes_of(data: Path) -> list[tuple[str, str]]:
    """Return what is fixed for a hospital, as the study's generator wrote it."""
    path = data / "site.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return [(name, str(value)) for name, value in found.items()]


def readable(command: Sequence[str]) -> str:
    """Return a command as it is typed in the folder where this was started."""
    here = f"{Path.cwd()}/"
    return " ".join(part.removeprefix(here) for part in command)


def free_port(wanted: int) -> int:
    """Return this port if it is free on this machine, else another one that is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SystemExit("no port of this machine is free")


def main() -> None:
    """Run the demonstration that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", choices=sorted(MAKERS))
    parser.add_argument("--out", type=Path, required=True, help="Folder; what is in it is removed.")
    given = parser.parse_args()
    try:
        Demo(given.study, given.out).run()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()

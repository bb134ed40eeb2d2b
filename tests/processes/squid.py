"""A hospital's proxy as hospitals have it: Squid, which inspects TLS, asks for a password, or cuts.

It runs in a namespace of its own, in a folder that its user may read.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.processes.namespaces import Net
from tests.processes.running import Process, until

PORT: Final = 3128
USER: Final = "proxy"
SIGNER: Final = "/usr/lib/squid/security_file_certgen"
ASKS: Final = "/usr/lib/squid/basic_ncsa_auth"
COMMON: Final = """\
visible_hostname {name}
hosts_file {folder}/hosts
dns_nameservers 127.0.0.1
http_access {allowed}
cache deny all
cache_mem 0
memory_pools off
pid_filename none
cache_log stdio:{folder}/cache.log
access_log stdio:{folder}/access.log
logfile_rotate 0
shutdown_lifetime 0 seconds
coredump_dir none
netdb_filename none
pinger_enable off
via off
"""
INSPECTS: Final = """\
http_port {address}:{port} ssl-bump tls-cert={folder}/signs.pem generate-host-certificates=on \
dynamic_cert_mem_cache_size=4MB
sslcrtd_program {signer} -s {folder}/made -M 4MB
sslcrtd_children 1 startup=1
ssl_bump bump all
tls_outgoing_options cafile={folder}/world.pem
"""
ASKS_FOR_PASSWORD: Final = """\
http_port {address}:{port}
auth_param basic program {asks} {folder}/passwords
auth_param basic children 1 startup=1
auth_param basic realm hospital
acl known proxy_auth REQUIRED
"""
CUTS: Final = """\
http_port {address}:{port}
read_timeout {idle_s} seconds
client_lifetime 1 hour
"""
ENDS_TLS: Final = """\
https_port {address}:443 accel defaultsite={host} tls-cert={folder}/front.pem
cache_peer {upstream} parent {upstream_port} 0 no-query no-digest originserver \
login=PASSTHRU name=exchange
cache_peer_access exchange allow all
never_direct allow all
"""


def missing() -> str:
    """Why there can be no Squid here; "" if there can."""
    if shutil.which("squid") is None or not Path(SIGNER).exists():
        return "there is no squid that inspects TLS; on Debian: apt-get install squid-openssl"
    return ""


@dataclass
class Squids:
    """The Squids of a test, each in a namespace of `wires`; `hosts`: addresses by name."""

    folder: Path
    wires: Net
    hosts: dict[str, str]

    def start(
        self, name: str, lines: str, *, allowed: str = "allow all", **said: object
    ) -> Process:
        """Start one with these lines; wait until it listens."""
        folder = self.place(name)
        port = int(str(said.pop("port", PORT)))
        address = self.wires.address(name)
        text = (lines + COMMON).format(
            name=name,
            folder=folder,
            allowed=allowed,
            address=address,
            port=port,
            signer=SIGNER,
            asks=ASKS,
            **said,
        )
        (folder / "squid.conf").write_text(text, encoding="utf-8")
        known = "".join(f"{address} {host}\n" for host, address in self.hosts.items())
        (folder / "hosts").write_text(known, encoding="utf-8")
        if "security_file_certgen" in text:
            made = [SIGNER, "-c", "-s", str(folder / "made"), "-M", "4MB"]
            subprocess.run(made, check=True, capture_output=True)
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, USER, USER)
        command = self.wires.inside(name, ["squid", "-N", "-f", str(folder / "squid.conf")])
        process = Process(name, command, folder / "out.log").start()
        listens = 443 if "https_port" in lines else port
        until(lambda: answers(address, listens) or not process.runs, f"{name} listens")
        log = folder / "cache.log"
        assert process.runs, process.text() + (log.read_text() if log.exists() else "")
        return process

    def place(self, name: str) -> Path:
        """The folder of one."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def asked(self, name: str) -> str:
        """What one has written of who asked it for what."""
        return (self.folder / name / "access.log").read_text(encoding="utf-8")


def answers(address: str, port: int) -> bool:
    """Whether something listens."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0

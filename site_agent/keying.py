"""How a site comes to share keys in a release: READY, READIES, PART, PARTS, written down.

The steps are in handshake.py, pure. Here they are tied to what the site keeps: its offer in the
vault, its entries in the ledger, what it remembers of earlier releases and other ledgers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from site_agent.answering import Answering
from site_agent.contract import messages
from site_agent.contract.canonical import sha256
from site_agent.contract.catalogue import seals
from site_agent.contract.earlier import respects
from site_agent.contract.errors import Refused
from site_agent.contract.identity import Entropy, Identity
from site_agent.contract.lifecycle import SITE_RELEASE, advance
from site_agent.contract.messages import Message, Part, Ready
from site_agent.contract.party import Roster
from site_agent.contract.securesum import pairing, transcript
from site_agent.contract.study.model import Study
from site_agent.contract.version import SOFTWARE
from site_agent.handshake import Offer, common_secret, pair_secrets, read_readies, write_part
from site_agent.ledger import Ledger
from site_agent.memory import Memory
from site_agent.under_way import SiteData, UnderWay
from site_agent.vault import Vault

Note = Callable[..., None]


class Keying:
    """The keys of one site in the releases of a study; `note` writes a ledger entry of one."""

    def __init__(
        self,
        study: Study,
        identity: Identity,
        roster: Roster,
        *,
        ledger: Ledger,
        vault: Vault,
        memory: Memory,
        entropy: Entropy,
        note: Note,
    ) -> None:
        self._study = study
        self._identity = identity
        self._roster = roster
        self._ledger = ledger
        self._vault = vault
        self._memory = memory
        self._entropy = entropy
        self._note = note

    def ready(self, release: UnderWay, data: SiteData) -> bytes:
        """Return READY with fresh keys; what it stands on is kept before."""
        offer, digest = Offer.create(self._entropy), release.message.digest()
        others = [self._roster.sites[site] for site in self._others(release)]
        earlier = self._memory.earlier(release.opened.release)
        marks = self._memory.marks(release.opened)
        self._vault.put(release.name, f"secret-{digest}", offer.to_bytes())
        self._note("ready", release, open=digest, **self._memory.said_when_ready())
        wire = messages.write(
            self._identity,
            Ready(
                open=digest,
                ephemeral=offer.public,
                snapshot=offer.snapshot(data.digest),
                ledger_head=self._ledger.head,
                ledger_length=len(self._ledger.entries),
                software=SOFTWARE,
                earlier=earlier,
                witness=marks,
            ),
            pairing.sealed_halves(offer.seed, self._identity.name, others, digest),
        )
        self._vault.put(release.name, f"ready-{digest}", wire)
        return wire

    def _others(self, release: UnderWay) -> list[str]:
        return [site for site in release.opened.roster if site != self._identity.name]

    def again(self, release: UnderWay, data: SiteData, kept: bytes) -> bytes:
        """Return the READY of before, if the data are still those that it stands for."""
        ready = messages.read(kept).says(Ready, self._identity.member())
        if ready.snapshot != self._offer(release).snapshot(data.digest):
            raise Refused(
                "data_changed",
                "the data have changed since this release was opened, and a release runs on one "
                "snapshot. Burn this release and open the next one on the data as they are",
            )
        return kept

    def _offer(self, release: UnderWay) -> Offer:
        """Return this site's secrets of a release; Refused("lost") if they are gone."""
        kept = self._vault.get(release.name, f"secret-{release.message.digest()}")
        if kept is None:
            raise Refused("lost", "the ephemeral key of this release is lost; burn the release")
        return Offer.from_bytes(kept)

    def readies(self, message: Message, release: UnderWay) -> bytes | None:
        """Take READIES: keys with all others, witnessed ledgers; return PART if there is one."""
        opened = release.message.digest()
        if release.answering is not None:
            if message.digest() == sha256(release.readies):
                return self._part(release)  # a repeat: what came since stays
            if release.answering.asked >= 0:
                raise Refused("second_readies", "other READY messages than the release began with")
        roster = release.opened.roster
        if len(message.parts) != len(roster):
            raise Refused("missing_ready", _too_few(message, "READY messages", roster))
        wires = _by_site(message, roster)
        own = self._vault.get(release.name, f"ready-{opened}")
        if wires[self._identity.name] != own:
            raise Refused("swapped_key", "the READY in this site's name is not the one it sent")
        readies = read_readies(self._roster.sites, wires, opened)
        start = transcript.opening(release.message.wire, list(wires.values()))
        offer = self._offer(release)
        secrets = pair_secrets(self._identity, offer, readies, opened, start)
        earlier, ledgers = self._memory.witnessed(self._roster.sites, readies)
        if ledgers:
            self._note("witnessed", release, open=opened, ledgers=ledgers)
        release.present.earlier = earlier
        release.state = advance(SITE_RELEASE, release.state, "readies")
        release.readies = message.header + message.signature
        release.start, release.secret = start, None
        release.answering = Answering(
            self._study,
            self._identity.name,
            release.opened,
            release.present.rows,
            secrets,
            start,
            fuzz=offer.seed,
            earlier=respects(self._study, earlier),
        )
        return self._part(release)

    def holders(self, release: UnderWay) -> tuple[str, ...]:
        """Return the sites that share a secret in this release; none if nothing is sealed."""
        if not seals(self._study):
            return ()
        return pairing.holders(release.opened.roster, self._study.at_center)

    def _part(self, release: UnderWay) -> bytes | None:
        """Return PART, the same bytes for the same READIES; None if this site sends none."""
        sites = self.holders(release)
        if self._identity.name not in sites:
            return None
        secrets = release.keyed().secrets
        others = {site: secrets[site] for site in sites if site != self._identity.name}
        return write_part(
            self._identity, self._offer(release), others, release.message.digest(), release.start
        )

    def parts(self, message: Message, release: UnderWay) -> None:
        """Take PARTS: the sites' secret, the same at all holders."""
        answering, sites = release.keyed(), self.holders(release)
        if not sites:
            raise Refused("malformed", "PARTS of a study in which nothing is sealed")
        if len(message.parts) != len(sites):
            raise Refused("missing_part", _too_few(message, "PART messages", sites))
        wires = _by_site(message, sites)
        bound = transcript.parting(release.start, list(wires.values()))
        if answering.asked >= 0 or release.secret is not None:
            if bound != release.secret:
                raise Refused("second_parts", "other PART messages than the release began with")
            return
        parts = {}
        for site, wire in wires.items():
            parts[site] = messages.read(wire)
            if parts[site].says(Part, self._roster.sites[site]).open != release.message.digest():
                raise Refused("other_release", f"the PART of '{site}' is of another release")
        if self._identity.name in sites:
            if wires[self._identity.name] != self._part(release):
                raise Refused("swapped_key", "the PART in this site's name is not the one it sent")
            answering.common = common_secret(
                self._identity.name,
                self._offer(release),
                answering.secrets,
                parts,
                release.start,
            )
        release.state = advance(SITE_RELEASE, release.state, "parts")
        release.secret = answering.bound = bound


def _too_few(message: Message, what: str, sites: Sequence[str]) -> str:
    return f"{len(message.parts)} {what} for {len(sites)} sites"


def _by_site(message: Message, sites: Sequence[str]) -> dict[str, bytes]:
    """Return the messages of all `sites` that one of the center's holds, in order."""
    return {site: message.part(index) for index, site in enumerate(sites)}

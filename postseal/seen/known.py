"""Whose certificate a fingerprint is, by the state of a stack; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pki.acceptance import Why
from pki.records import Identity
from postseal.ledger.holders import Holder
from postseal.ledger.records import HostLedger
from postseal.seen.model import ClientName, Standing

__all__ = ["Known", "Registry", "registry_of"]


@dataclass(frozen=True, slots=True)
class Known:
    """What a fingerprint stands for."""

    name: ClientName
    generation: int | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Registry:
    """All clients of a stack, and what their certificates and keys are known by.

    `newest`: of each client the generation that it should use; None for what is from elsewhere.
    """

    newest: Mapping[ClientName, int | None]
    certificates: Mapping[str, Known]
    keys: Mapping[str, Known]

    def of(self, fingerprint: str, key_fingerprint: str) -> Known | None:
        """Return whose certificate it is.

        The key decides where nobody knows the certificate: in the handshake the client has shown that it has that key.
        """
        return self.certificates.get(fingerprint) or self.keys.get(key_fingerprint)


def registry_of(holders: Iterable[Holder], hosts: Iterable[HostLedger]) -> Registry:
    """Return the clients that have certificates of this stack, and those that hosts list besides."""
    newest: dict[ClientName, int | None] = {}
    certificates: dict[str, Known] = {}
    keys: dict[str, Known] = {}
    for holder in holders:
        if not holder.is_client:
            continue
        name = ClientName(holder.roster, holder.name)
        newest[name] = holder.issued.generation
        for generation, standing, identity in _generations(holder):
            if isinstance(identity.fingerprint_sha256, str) and identity.fingerprint_sha256:
                certificates.setdefault(identity.fingerprint_sha256, Known(name, generation, standing))
            if isinstance(identity.public_key_fingerprint_sha256, str) and identity.public_key_fingerprint_sha256:
                keys.setdefault(identity.public_key_fingerprint_sha256, Known(name, None, Standing.KEY))
    for row in (row for host in hosts for row in host.rows):
        accepted = row.accepted
        is_foreign = accepted.why is Why.FOREIGN
        name = ClientName(row.roster, accepted.client, is_foreign)
        newest.setdefault(name, None)
        if isinstance(accepted.fingerprint_sha256, str):
            known = Known(name, accepted.generation, Standing.FOREIGN if is_foreign else Standing.LISTED)
            # A row holds the fingerprint of a certificate or of a key, and does not say which.
            certificates.setdefault(accepted.fingerprint_sha256, known)
            keys.setdefault(accepted.fingerprint_sha256, known)
    return Registry(newest, certificates, keys)


def _generations(holder: Holder) -> Iterator[tuple[int, Standing, Identity]]:
    issued = holder.issued
    yield issued.generation, Standing.REVOKED if issued.revoked_at else Standing.CURRENT, issued.identity
    for each in reversed(issued.previous):
        yield each.schedule.generation, Standing.OVERLAP, each.identity
    for revoked in issued.revoked:
        yield revoked.schedule.generation, Standing.REVOKED, revoked.identity

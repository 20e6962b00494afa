"""What the logs of Postfix say about the clients of a stack, as plain values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from postseal_core.records import INLINE, Wire

__all__ = ["ClientName", "HostLog", "Seen", "SeenClient", "Standing", "Unlisted", "Use"]


class Standing(StrEnum):
    """What a certificate was that a client presented, by the state of the stack."""

    CURRENT = "current"
    OVERLAP = "overlap"
    REVOKED = "revoked"
    FOREIGN = "foreign"
    LISTED = "listed"
    KEY = "key"

    @property
    def label(self) -> str:
        """The word as people read it."""
        return {
            Standing.LISTED: "in a host's table, in no certificate of the stack",
            Standing.KEY: "another certificate with its key",
            Standing.FOREIGN: "from elsewhere",
        }.get(self, self.value)


@dataclass(frozen=True, slots=True, order=True)
class ClientName:
    """What tells a client from all others: its roster, its name, and whether its certificate is from elsewhere."""

    roster: str
    client: str
    is_foreign: Annotated[bool, Wire("from_elsewhere")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How often one generation of a client's certificate was presented, and on which hosts.

    `generation` is None where only the key tells whose it is, and for certificates from elsewhere.
    """

    generation: int | None = None
    standing: Standing
    first_at: datetime
    last_at: datetime
    sessions: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenClient:
    """One client of the stack: its uses, the latest first; none where no log names it.

    `newest`: the generation that it should use. `known_from`, `known_until`: the time of which the logs of all hosts
    that list it are there; None where one is missing, or no host lists it. `addresses`: None where nobody asked.
    """

    name: Annotated[ClientName, INLINE]
    newest: Annotated[int | None, Wire("newest_generation")] = None
    uses: tuple[Use, ...] = ()
    known_from: datetime | None = None
    known_until: datetime | None = None
    addresses: tuple[str, ...] | None = None

    @property
    def last(self) -> Use | None:
        """The latest use."""
        return self.uses[0] if self.uses else None

    @property
    def sessions(self) -> int:
        """How many sessions there were, of all generations."""
        return sum(each.sessions for each in self.uses)

    @property
    def unseen_days(self) -> int | None:
        """For how many whole days, at the end of the logs, it was not seen; None where that cannot be told."""
        if self.known_from is None or self.known_until is None:
            return None
        begin = max(self.known_from, self.last.last_at) if self.last else self.known_from
        return max((self.known_until - begin).days, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLog:
    """The log of one host: the time that it covers, and what of it can be used.

    `host`: its name in the stack; empty for one that is no host of it. `sessions`: in which a client certificate was
    named. `unnamed`: TLS sessions with a client certificate that the log does not name, because smtpd_tls_loglevel has
    no `peercert`. `named_from`: when the last of those was, else `first_at`: from then on every client is named.
    """

    logged_as: str
    host: str = ""
    first_at: datetime
    last_at: datetime
    sessions: int
    unnamed: int
    named_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisted:
    """A certificate, or a raw public key (then `fingerprint_sha256` is empty), that is nobody's of this stack."""

    fingerprint_sha256: str = ""
    public_key_fingerprint_sha256: str
    first_at: datetime
    last_at: datetime
    sessions: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What logs say about the clients of a stack.

    `unlisted`: the first ones by fingerprint that nobody is known by; `more_unlisted`: sessions with further ones.
    `doubtful`: lines that are not believed. `other_digest`: sessions whose fingerprint is no SHA-256. `overlong`: lines
    that are too long to be read.
    """

    project: str
    stack: str
    now: datetime
    zone: str
    clients: tuple[SeenClient, ...] = ()
    hosts: tuple[HostLog, ...] = ()
    unlisted: tuple[Unlisted, ...] = ()
    more_unlisted: int = 0
    doubtful: int = 0
    other_digest: int = 0
    overlong: int = 0

"""Names that a client is matched or logged by: mailbox, hosts and addresses; whose they are, and who shares them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from pki.common_names import comparable_name
from pki.fields import DeclaredCertificate
from postseal_core.wording import shown

__all__ = ["DEVICES_OF_ONE", "Claims", "Identity", "identities_of", "taken_sentence"]

DEVICES_OF_ONE: Final = "for several devices of one person, say the same person at each"
"""How two clients may have one mailbox."""

_MAILBOX: Final = "email"


@dataclass(frozen=True, slots=True)
class Identity:
    """One mailbox, host or address of a client.

    `field`: where it is declared. `comparable`: the one spelling by which two of them are compared. `person`: whose
    mailbox it is, where that is said; a host or an address is one machine's, whoever owns that.
    """

    field: str
    text: str
    comparable: str
    person: str = ""

    @property
    def is_mailbox(self) -> bool:
        """Whether several devices of one person may have it."""
        return self.field == _MAILBOX


def identities_of(declared: DeclaredCertificate) -> Iterator[Identity]:
    """Yield the mailbox, hosts and addresses of a certificate.

    Case does not count: mail hosts hardly ever tell Alice@ and alice@ apart, and readers never.
    """
    if declared.email:
        yield Identity(_MAILBOX, declared.email, comparable_name(declared.email), declared.person)
    for name in ("dns_names", "ip_addresses"):
        for index, text in enumerate(getattr(declared, name)):
            yield Identity(f"{name}[{index}]", text, comparable_name(text))


@dataclass(frozen=True, slots=True)
class Claims:
    """Who has which identity first; an owner is a client in words, or the place where it stands."""

    _first: dict[str, tuple[str, str]] = field(default_factory=dict)

    def taken(self, identities: Iterable[Identity], owner: str) -> Iterator[tuple[Identity, str]]:
        """Claim identities for an owner; yield those that another owner has, with that one.

        One person may have a mailbox on several devices: clients that say the same `person`, letter by letter.
        """
        for each in identities:
            other, person = self._first.setdefault(each.comparable, (owner, each.person))
            if other != owner and not (each.person and each.person == person):
                yield each, other


def taken_sentence(identity: Identity, other: str) -> str:
    """Say that `other` has an identity already, and what to do."""
    devices = f"; {DEVICES_OF_ONE}" if identity.is_mailbox else ""
    return f"{shown(identity.text)} is {other} already; give each its own, or remove one of them{devices}"

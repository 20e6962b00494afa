"""Who holds the certificates of a stack: by which names people know them, and what was issued to them; pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pki.acceptance import AcceptedRow, accepted_rows, admitted
from pki.fields import DeclaredCertificate, Match
from pki.generations import Cause
from pki.model import Profile
from pki.records import IssuedCertificate
from postseal.report.export import StackState
from postseal.report.rosters import declared_clients, issued_clients
from postseal_core.errors import Problem

__all__ = ["Holder", "holders_of"]

_AS_BEFORE: Final = (Cause.RENEWAL_DUE, Cause.EXPIRED)
"""What is issued for one of these has the names of the one before: whatever is declared otherwise comes first."""


@dataclass(frozen=True, slots=True)
class Holder:
    """One certificate of a stack, of a resource by itself or of a `roster`, with all its generations.

    `known_as`: mail and host names, addresses, subject's common name and person, as they are declared.
    """

    name: str
    profile: Profile
    roster: str
    known_as: tuple[str, ...]
    match: Match
    issued: IssuedCertificate = field(repr=False)

    @property
    def is_client(self) -> bool:
        """Whether it can be listed as a client."""
        return self.profile in (Profile.CLIENT, Profile.SERVER_AND_CLIENT)

    @property
    def has_other_names(self) -> bool:
        """Whether an earlier certificate that is still accepted may have other names: a state keeps the last ones."""
        earlier = self.issued.previous
        return len(earlier) > 1 or (bool(earlier) and self.issued.cause not in _AS_BEFORE)

    @property
    def accepted(self) -> tuple[AcceptedRow, ...]:
        """What relays accept of it, wherever it is listed."""
        return tuple(accepted_rows(self.name, admitted(self.match, self.issued)))


def holders_of(stack: StackState, problems: list[Problem]) -> Iterator[Holder]:
    """Yield every holder of a certificate that this stack issues; what cannot be read is added to `problems`."""
    for stored in stack.certificates:
        inputs, declared = stored.inputs, stored.inputs.declared
        known_as = _known_as(declared, declared.email, declared.dns_names)
        yield Holder(inputs.name, inputs.profile, "", known_as, declared.match, stored.state.issued)
    for roster in stack.rosters:
        declared_of = declared_clients(roster)
        for row in issued_clients(roster, problems):
            known_as = _known_as(declared_of(row.name), row.email, row.dns_names)
            yield Holder(row.name, Profile.CLIENT, roster.state.name, known_as, row.match, row.issued)


def _known_as(declared: DeclaredCertificate, email: str, dns_names: tuple[str, ...]) -> tuple[str, ...]:
    names = (email, declared.person, *dns_names, *declared.ip_addresses, declared.common_name)
    return tuple(dict.fromkeys(filter(None, names)))

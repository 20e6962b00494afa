"""Certificates with which a person or a host authenticates to a relay."""

from collections.abc import Iterator
from typing import Any, Final, Unpack

import pulumi

from pki.arguments import ClientFields
from pki.certificate.handover import Handover, handover_text
from pki.certificate.records import CertificateArgs
from pki.certificate.resource import Certificate
from pki.components.authority import CertificateAuthority
from pki.components.field_texts import describes_fields
from pki.components.reading import AN_AUTHORITY, read_fields
from pki.components.roster_client import RosterClient
from pki.components.signing import issuer_args
from pki.components.waiting import problems_of_waiting_move, unless_waiting
from pki.declared_issuer import problems_below_issuer
from pki.demand import below_issuer
from pki.fields import SaidBy
from pki.identities import identities_of
from pki.lifetime import LifetimePolicy
from pki.model import Profile
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.program import later, with_whole_numbers
from postseal_core.records import decode, encode

__all__ = ["A_MOVING_CLIENT", "ClientCertificate", "problems_of_moving_key"]

A_MOVING_CLIENT: Final = 'a client, as pki.ClientCertificate(...) or staff.client("alice") of a roster'
_HANDED_OVER: Final = ("certificate_pem", "private_key_pem", "generation", "key_generation", "previous", "revoked")


def problems_of_moving_key(argument: str, client: "ClientCertificate | RosterClient | None") -> Iterator[Problem]:
    """Report a client that cannot move because its key was made elsewhere."""
    if isinstance(client, ClientCertificate) and not client.has_key:
        yield Problem(argument, f"the key of {client.name} is not here: hand in its request at the new place instead")


@describes_fields(ClientFields)
class ClientCertificate(Certificate):
    """A certificate for client authentication only, with a key of its own that is renewed with it.

        alice = pki.ClientCertificate("alice", authority=ca, email="alice@example.org")

    For a person say `email`, for a host `dns_names`. Its outputs are those of a `Certificate`.

    Args:
        name: Name of the resource, of the client's files and of its row in the tables of hosts.
        authority: Who signs it.
        request_pem: A certificate request (PKCS#10, RFC 2986) in PEM, for a key that stays on the device where it was
            made: there is no key in the state, and no archive. It must be signed by its own key, and ask for no name
            that is not declared here; names are never taken from it. A renewal with a new key waits until another
            request is handed in; `lifetime=pki.LifetimePolicy(renew_key_every=0)` keeps the key. Default: none, the key
            is made here.
        lifetime: How long it is valid and when it is renewed. Default: 365 days, renewed after two thirds of it with a
            new key; the one before stays accepted for 14 days.
        take_over: Who keeps this client's certificate until now, as `staff.client("alice")` of a roster. Key,
            generation and what is still accepted go on here, and nothing is issued. Ignored once this resource has the
            certificate; remove it then. Default: none, a certificate is issued.
        opts: Options of Pulumi. Default: none.
        **fields: The fields of the certificate; `ClientFields` says what each means.

    Attributes:
        authority: Who signs it.
        match: What relays know it by.
        key_algorithm: The algorithm of its key; where a request was handed in, that one's counts.
        has_key: Whether its key is here; not where a request was handed in.
        identities: Its mailbox, hosts and addresses, as a host compares them with those of others.
        handover: What a roster or another `ClientCertificate` needs to take it over; a secret.

    Raises:
        ConfigError: everything that is wrong with the arguments, before anything is registered.
    """

    resource_type = "ClientCertificate"

    def __init__(
        self,
        name: str,
        *,
        authority: CertificateAuthority,
        request_pem: str = "",
        lifetime: LifetimePolicy | None = None,
        take_over: "ClientCertificate | RosterClient | None" = None,
        opts: pulumi.ResourceOptions | None = None,
        **fields: Unpack[ClientFields],
    ) -> None:
        arguments = Arguments("clients", name, opts)
        arguments.expect("authority", authority, CertificateAuthority, AN_AUTHORITY)
        arguments.expect("request_pem", request_pem, str, "a request in PEM; a preview must be able to read it")
        arguments.expect("take_over", take_over, (ClientCertificate, RosterClient, type(None)), A_MOVING_CLIENT)
        declared = read_fields(arguments, SaidBy.CLIENT, fields, lifetime)
        arguments.add(problems_of_moving_key("take_over", take_over))
        arguments.refuse()
        arguments.add(problems_below_issuer(declared, Profile.CLIENT, authority.declared_issuer))
        arguments.add(problems_of_waiting_move("take_over", authority, take_over))
        arguments.refuse()
        issuer = issuer_args(authority)
        args = CertificateArgs(
            name=name,
            profile=Profile.CLIENT,
            declared=declared,
            issuer=issuer,
            request_pem=request_pem,
            handover=later(take_over.handover) if take_over else "",
        )
        super().__init__(name, unless_waiting(authority, args), opts)
        self.authority, self.match, self.has_key = authority, declared.match, not request_pem
        self.key_algorithm = declared.key_algorithm
        self.identities = tuple(identities_of(declared))
        self._handed_over = below_issuer(declared, issuer)

    @property
    def handover(self) -> pulumi.Output[str]:
        """The certificate with its key, for a new owner (`ClientRoster` or `ClientCertificate`); a secret."""
        declared = encode(self._handed_over)

        def text(outputs: Any) -> str:
            return handover_text(decode(Handover, declared | with_whole_numbers(outputs)))

        outputs = pulumi.Output.all(**{name: getattr(self, name) for name in _HANDED_OVER})
        return pulumi.Output.secret(outputs.apply(text))

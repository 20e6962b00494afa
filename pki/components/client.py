"""Client certificates: what a person or a host proves itself with."""

from typing import Any, Final, Unpack

import pulumi

from pki.arguments import ClientFields
from pki.certificate.handover import Handover, handover_text
from pki.certificate.records import CertificateArgs
from pki.certificate.resource import Certificate
from pki.components.authority import CertificateAuthority
from pki.components.reading import AN_AUTHORITY, read_fields
from pki.components.roster_client import RosterClient
from pki.components.signing import issuer_args
from pki.demand import below_issuer
from pki.fields import SaidBy
from pki.lifetime import LifetimePolicy
from pki.model import Profile
from postseal_core.arguments import Arguments
from postseal_core.program import later, with_whole_numbers
from postseal_core.records import decode, encode

__all__ = ["A_MOVING_CLIENT", "ClientCertificate"]

A_MOVING_CLIENT: Final = 'a client, as pki.ClientCertificate(...) or staff.client("alice") of a roster'
_HANDED_OVER: Final = ("certificate_pem", "private_key_pem", "generation", "key_generation", "previous", "revoked")


class ClientCertificate(Certificate):
    """A certificate for client authentication only, with a key of its own that is renewed with it.

        alice = pki.ClientCertificate("alice", authority=ca, email="alice@example.org")

    For a person say `email`, for a host `dns_names`. Its outputs are those of a `Certificate`.

    Args:
        name: Name of the resource, of the client's files and of its row in the tables of hosts.
        authority: Who signs it.
        lifetime: How long it is valid and when it is renewed. Default: 365 days, renewed after two thirds of it with a
            new key; the one before stays accepted for 14 days.
        take_over: Who keeps this client's certificate until now, as `staff.client("alice")` of a roster. Key,
            generation and what is still accepted go on here, and nothing is issued. Ignored once this resource has the
            certificate; remove it then. Default: none, a certificate is issued.
        opts: Options of Pulumi. Default: none.
        common_name: The subject's common name, at most 64 characters; of a leaf by default its e-mail address or first
            host name.
        organization: The subject's organization (O), at most 64 characters. Default: none.
        organizational_unit: The subject's organizational unit (OU), at most 64 characters. Default: none.
        locality: The subject's locality (L), at most 128 characters. Default: none.
        state_or_province: The subject's state or province (ST), at most 128 characters. Default: none.
        country: The subject's country (C), two letters of ISO 3166, as `DE`. Default: none.
        email: A mailbox, an rfc822Name of the certificate (RFC 5280 section 4.2.1.6), as `alice@example.org`. A client
            needs this or a host name.
        dns_names: Host names, dNSNames of the certificate (RFC 5280 section 4.2.1.6); of a server also `*.example.org`.
            Beyond ASCII they are written in their A-label form, `xn--...`.
        ip_addresses: Addresses, iPAddresses of the certificate (RFC 5280 section 4.2.1.6), as `192.0.2.1` or
            `2001:db8::1`. Default: none.
        key_algorithm: The algorithm of the key, by default ECDSA-P256; or ECDSA-P384, RSA-2048, RSA-3072, RSA-4096,
            ED25519. Another one means a new key and a new certificate.
        match: Relays know it by the fingerprint of its certificate, or of its public_key. Default: `certificate`.
            `public_key` is refused unless the lifetime keeps the key: `lifetime=LifetimePolicy(renew_key_every=0)`.
        confirm: Earlier generations stay accepted until confirmed_generation says that the new one is in use. At most
            until they expire. Default: false, they stay accepted for the overlap of the lifetime.
        confirmed_generation: The generation that is known to be in use, see confirm. Default: 0, none is known.
        revoke: Revoke what exists, for this reason of RFC 5280 section 5.3.1. Hosts drop it in the same `pulumi up`.
            Only `certificateHold` can be taken back. Default: empty, it is valid.
        issue_again: After a revocation, issue a new certificate with a new key. Default: false.
        fail_beyond_issuer: Refuse, instead of shortening, a lifetime that ends after the issuer's. Default: false.

    Attributes:
        authority: Who signs it.
        match: What relays know it by.
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
        lifetime: LifetimePolicy | None = None,
        take_over: "ClientCertificate | RosterClient | None" = None,
        opts: pulumi.ResourceOptions | None = None,
        **fields: Unpack[ClientFields],
    ) -> None:
        arguments = Arguments("clients", name, opts)
        arguments.expect("authority", authority, CertificateAuthority, AN_AUTHORITY)
        arguments.expect("take_over", take_over, (ClientCertificate, RosterClient, type(None)), A_MOVING_CLIENT)
        declared = read_fields(arguments, SaidBy.CLIENT, fields, lifetime)
        arguments.refuse()
        issuer = issuer_args(authority)
        args = CertificateArgs(
            name=name,
            profile=Profile.CLIENT,
            declared=declared,
            issuer=issuer,
            handover=later(take_over.handover) if take_over else "",
        )
        super().__init__(name, args, opts)
        self.authority, self.match = authority, declared.match
        self._handed_over = below_issuer(declared, issuer)

    @property
    def handover(self) -> pulumi.Output[str]:
        """What a roster or another `ClientCertificate` needs to take this certificate over; a secret."""
        declared = encode(self._handed_over)

        def text(outputs: Any) -> str:
            return handover_text(decode(Handover, declared | with_whole_numbers(outputs)))

        outputs = pulumi.Output.all(**{name: getattr(self, name) for name in _HANDED_OVER})
        return pulumi.Output.secret(outputs.apply(text))

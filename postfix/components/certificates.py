"""What hosts need of certificates, and what is wrong with those that they are given."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pulumi

from pki.components.authority import CertificateAuthority
from pki.fingerprint import certificate_fingerprint_sha256, parse_fingerprint_sha256
from pki.resources import Certificate
from pki.verification import load_certificate
from postfix.host import HostDeclaration
from postfix.tables import ClientRow
from postseal_core.errors import CertificateError, ConfigError, Problem

__all__ = [
    "HostCertificate",
    "RelayingClient",
    "TrustedRoot",
    "certificates_by_name",
    "foreign_client",
    "problems_of_certificates",
    "problems_of_names",
    "trust_anchors",
    "trusted_pem",
]


class HostCertificate(Protocol):
    """What a host needs of a certificate: `ClientCertificate`, `ServerCertificate` and the third-party one have it."""

    name: str
    chain_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str]

    @property
    def certificate(self) -> Any:
        """The resource behind it."""


class RelayingClient(Protocol):
    """What a host needs of a client that may relay: `ClientCertificate` and a `ServerCertificate` that is one too."""

    name: str
    match: str
    certificate: Certificate

    @property
    def authority(self) -> CertificateAuthority | None:
        """Who signed it; None for a self-signed certificate."""


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """A root of another authority that this host trusts as well; a certificate in PEM."""

    name: str
    certificate_pem: pulumi.Input[str]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def foreign_client(host: str, name: str, text: str) -> ClientRow:
    """Return the row of a certificate that is not of this stack."""
    try:
        if "-----BEGIN" not in text:
            return ClientRow(parse_fingerprint_sha256(text), name)
        certificate = load_certificate(text, what=name)
    except (CertificateError, ValueError) as error:
        raise ConfigError([Problem(f"hosts.{host}.extra_relay_clients.{name}", str(error))]) from None
    return ClientRow(certificate_fingerprint_sha256(certificate), name, not_after=certificate.not_valid_after_utc)


def certificates_by_name(host: str, certificates: Sequence[HostCertificate]) -> dict[str, HostCertificate]:
    """Return certificates by the name of their file; raise ConfigError for two of one name."""
    names = [each.name for each in {id(each): each for each in certificates}.values()]
    problems = [
        Problem(f"hosts.{host}", f"two different certificates are called {name}; a host needs them by different names")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if problems:
        raise ConfigError(problems)
    return {each.name: each for each in certificates}


def problems_of_certificates(host: HostDeclaration, certificates: Mapping[str, HostCertificate]) -> Iterator[Problem]:
    """Find certificates that do not prove the host's name, or that a client must not present."""
    presented = (*host.client_certificates, *_transport_certificates(host))
    for name, each in certificates.items():
        dns_names = getattr(each, "dns_names", ())
        if host.server and name in host.server.certificates and not _is_covered(host.myhostname, dns_names):
            names = ", ".join(dns_names) or "no host name"
            yield Problem("certificate", f"{name} is for {names}, not for myhostname {host.myhostname}")
        if name in presented and not getattr(each, "is_client", True):
            yield Problem(
                "certificate", f"{name} is a server certificate; set also_client=True to present it as a client's"
            )


def problems_of_names(field: str, things: Iterable[_Named]) -> Iterator[Problem]:
    """Find names that stand for two different things: one of them would be left out without a word."""
    names = [each.name for each in {id(each): each for each in things}.values()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(field, f"{name} is the name of {names.count(name)} different ones; give each a name of its own")


def trust_anchors(trust: Iterable[CertificateAuthority | TrustedRoot]) -> list[_Named]:
    """Return what is trusted: roots of others, and slots of the roots of ours."""
    roots = {id(each): each.root for each in trust if isinstance(each, CertificateAuthority)}.values()
    others: list[_Named] = [each for each in trust if isinstance(each, TrustedRoot)]
    return others + [slot for root in roots for slot in root.slots.values()]


def _is_covered(host_name: str, dns_names: Sequence[str]) -> bool:
    """Return whether a name or a wildcard for one label covers a host, in any case (RFC 6125 section 6.4)."""
    host = host_name.lower()
    return bool({host, f"*.{host.partition('.')[2]}"} & {each.lower() for each in dns_names})


def _transport_certificates(host: HostDeclaration) -> tuple[str, ...]:
    return tuple(each.certificate for each in host.client.settings.transports) if host.client else ()


def trusted_pem(each: CertificateAuthority | TrustedRoot) -> Mapping[str, pulumi.Input[str]]:
    """Return every root that stands for an authority: a standby is trusted before it signs, a retiring one after."""
    return {each.name: each.certificate_pem} if isinstance(each, TrustedRoot) else each.root.trusted_pem

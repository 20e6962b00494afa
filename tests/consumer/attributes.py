"""What a type checker knows of everything that a program reads; it is only checked, and never run."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_type

from pulumi import Output

import pki
import postfix


def of_authorities(root: pki.CertificateAuthority) -> None:
    """Read what an authority has."""
    assert_type(root.name, str)
    assert_type(root.certificate, pki.Certificate | pki.RequestedAuthority)
    assert_type(root.certificate_pem, Output[str])
    assert_type(root.private_key_pem, Output[str])
    assert_type(root.fingerprint_sha256, Output[str])
    assert_type(root.active, pki.AuthoritySlot)
    assert_type(root.active.id, pki.SlotId)
    assert_type(root.slots, Mapping[int, pki.AuthoritySlot])
    assert_type(root.issuer, pki.CertificateAuthority | None)
    assert_type(root.root, pki.CertificateAuthority)
    assert_type(root.trusted_pem, Mapping[str, Output[str]])
    assert_type(root.issuing_chain_pem, Output[str])
    assert_type(root.links_above, Sequence[pki.Certificate | pki.RequestedAuthority])
    assert_type(root.crl_urls, tuple[str, ...])
    assert_type(root.standby_hours, int)
    assert_type(root.room, int | None)


def of_certificates(
    client: pki.ClientCertificate, server: pki.ServerCertificate, other: pki.ThirdPartyServerCertificate
) -> None:
    """Read what certificates have."""
    assert_type(client.name, str)
    assert_type(client.generation, Output[int])
    assert_type(client.previous, Output[list[Any]])
    assert_type(client.authority, pki.CertificateAuthority)
    assert_type(client.match, pki.Match)
    assert_type(client.handover, Output[str])
    assert_type(server.authority, pki.CertificateAuthority | None)
    assert_type(server.dns_names, tuple[str, ...])
    assert_type(server.is_client, bool)
    assert_type(server.match, pki.Match)
    assert_type(other.name, str)
    assert_type(other.dns_names, tuple[str, ...])
    assert_type(other.is_client, bool)
    assert_type(other.certificate, pki.Certificate | pki.ImportedCertificate)
    assert_type(other.generation, Output[int] | None)
    assert_type(other.cert_request_pem, Output[str])
    assert_type(other.not_after, Output[str])


def of_the_rest(
    archive: pki.Pkcs12, staff: pki.ClientRoster, crl: pki.RevocationList, out: pki.HandOut, host: postfix.PostfixHost
) -> None:
    """Read what everything else has."""
    assert_type(archive.client_name, str)
    assert_type(archive.profile, pki.Pkcs12Profile)
    assert_type(archive.passphrase, Output[str])
    assert_type(staff.name, str)
    assert_type(staff.authority, pki.CertificateAuthority)
    assert_type(staff.names, tuple[str, ...])
    assert_type(staff.names_with_archive, tuple[str, ...])
    assert_type(staff.count, Output[int])
    assert_type(staff.client("anna"), pki.RosterClient)
    assert_type(staff.client("anna").generation, Output[int])
    assert_type(crl.name, str)
    assert_type(crl.authority, pki.CertificateAuthority)
    assert_type(crl.crl_number, Output[int])
    assert_type(out.name, str)
    assert_type(host.name, str)
    assert_type(host.summary, Mapping[str, str | list[str]])
    assert_type(host.on_host, Output[Any])

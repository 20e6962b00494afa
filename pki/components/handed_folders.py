"""The folders of a hand-out: which files are in each, and the line that a reviewer reads for it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.client import ClientCertificate
from pki.components.handed_rosters import RosterHandOut, handed_clients
from pki.components.pkcs12 import Pkcs12
from pki.components.revocation_list import RevocationList
from pki.components.roster_client import RosterClient
from pki.components.server import ServerCertificate
from pki.components.third_party_authority import ThirdPartyAuthority
from pki.components.third_party_server import ThirdPartyServerCertificate
from pki.hand_out.records import HandOutFile, MailFacts
from pki.model import Pkcs12Profile
from postseal_core.program import later

__all__ = [
    "Folder",
    "HandedServer",
    "client_folders",
    "list_folder",
    "request_folder",
    "roots_folder",
    "roster_folders",
    "server_folders",
]

HandedServer = ServerCertificate | ThirdPartyServerCertificate
"""A server certificate that is handed out to another service."""


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of a hand-out."""

    name: str
    description: pulumi.Input[str]
    files: Mapping[str, HandOutFile]


@dataclass(frozen=True, slots=True)
class _Archive:
    profile: str
    base64: pulumi.Output[str]


def roots_folder(authorities: Iterable[CertificateAuthority]) -> Iterator[Folder]:
    """Yield the folder of the roots behind authorities, if there are any."""
    roots = {slot: pem for authority in authorities for slot, pem in authority.root.trusted_pem.items()}
    if roots:
        roots_pem = pulumi.Output.concat(*roots.values())
        yield Folder("ca", "roots: " + ", ".join(sorted(roots)), {"ca.pem": HandOutFile(text=later(roots_pem))})


def request_folder(requests: Sequence[ThirdPartyServerCertificate | ThirdPartyAuthority]) -> Iterator[Folder]:
    """Yield the folder of the requests that a third party is to sign, if there are any."""
    by_name = {name: pem for each in requests for name, pem in _requests_pem(each).items()}
    if by_name:
        files = {f"{name}.csr.pem": HandOutFile(text=later(pem)) for name, pem in by_name.items()}
        yield Folder("requests", "for a third party to sign: " + ", ".join(by_name), files)


def _requests_pem(each: ThirdPartyServerCertificate | ThirdPartyAuthority) -> Mapping[str, pulumi.Output[str]]:
    return each.requests_pem if isinstance(each, ThirdPartyAuthority) else {each.name: each.cert_request_pem}


def list_folder(revocation_lists: Sequence[RevocationList]) -> Iterator[Folder]:
    """Yield the folder of revocation lists, if there are any."""
    if revocation_lists:
        by_slot = {slot: each for one in revocation_lists for slot, each in one.by_slot.items()}
        lines = [_list_description(slot, each) for slot, each in by_slot.items()]
        description = pulumi.Output.all(*lines).apply("; ".join)
        files = {name: file for slot, each in by_slot.items() for name, file in _list_files(slot, each).items()}
        yield Folder("crl", description, files)


def client_folders(
    clients: Sequence[ClientCertificate | RosterClient],
    archives: Iterable[Pkcs12],
    below: str,
    relays: Mapping[str, Sequence[str]] | None,
) -> Iterator[Folder]:
    """Yield the folder of each client; `below` is the parent folder, empty for none.

    `relays`: hosts that let it in, for the text beside its archive; None for no such texts.
    """
    by_client = {each.client_name: _Archive(each.profile, each.archive_p12_base64) for each in archives}
    roots = {client.authority.root.name: client.authority.root for client in clients}
    bundles = {name: pulumi.Output.concat(*root.trusted_pem.values()) for name, root in roots.items()}
    for client in clients:
        roots_pem = bundles[client.authority.root.name]
        archive = _archive_of_roster(client) if isinstance(client, RosterClient) else by_client.get(client.name)
        name = f"{below}/{client.name}" if below else client.name
        files = dict(_client_files(client, archive, roots_pem))
        if archive and relays is not None:
            files[f"{client.name}.txt"] = HandOutFile(mail=_mail(client, archive, relays.get(client.name, ())))
        yield Folder(name, _client_description(client, archive), files)


def server_folders(servers: Iterable[HandedServer]) -> Iterator[Folder]:
    """Yield the folder of each server, for a service that is none of our hosts."""
    for server in servers:
        files = {
            f"{server.name}.cert.pem": HandOutFile(text=later(server.chain_pem)),
            f"{server.name}.key.pem": HandOutFile(text=later(server.private_key_pem), is_secret=True),
        }
        content = "certificate with its chain, key"
        if isinstance(server, ServerCertificate) and server.authority:
            roots_pem = pulumi.Output.concat(*server.authority.root.trusted_pem.values())
            files["ca.pem"] = HandOutFile(text=later(roots_pem))
            content += ", ca.pem"
        until = pulumi.Output.concat(f"{', '.join(server.dns_names)}, until ", server.not_after, f": {content}")
        yield Folder(f"servers/{server.name}", until, files)


def roster_folders(rosters: Iterable[RosterHandOut], relays: Mapping[str, Sequence[str]] | None) -> Iterator[Folder]:
    """Yield one folder for each client that a hand-out selects from its rosters; `relays`: hosts by roster."""
    for each in rosters:
        clients = handed_clients(each)
        hosts = None if relays is None else dict.fromkeys((c.name for c in clients), relays.get(each.roster.name, ()))
        yield from client_folders(clients, (), f"rosters/{each.roster.name}", hosts)


def _archive_of_roster(client: RosterClient) -> _Archive | None:
    return _Archive(client.archive_profile, client.archive_p12_base64) if client.archive_profile else None


def _client_files(
    client: ClientCertificate | RosterClient, archive: _Archive | None, roots_pem: pulumi.Output[str]
) -> Mapping[str, HandOutFile]:
    files = {
        f"{client.name}.cert.pem": HandOutFile(text=later(client.chain_pem)),
        "ca.pem": HandOutFile(text=later(roots_pem)),
    }
    if client.has_key:
        files[f"{client.name}.key.pem"] = HandOutFile(text=later(client.private_key_pem), is_secret=True)
    if archive:
        files[f"{client.name}.p12"] = HandOutFile(base64=later(archive.base64), is_secret=True)
    return files


def _mail(client: ClientCertificate | RosterClient, archive: _Archive, relays: Sequence[str]) -> MailFacts:
    return MailFacts(
        name=client.name,
        is_legacy=archive.profile == Pkcs12Profile.LEGACY,
        relays=tuple(relays),
        not_after=later(client.not_after),
        renew_at=later(client.renew_at),
        fingerprint_sha256=later(client.fingerprint_sha256),
    )


def _client_description(client: ClientCertificate | RosterClient, archive: _Archive | None) -> pulumi.Output[str]:
    extra = f", {client.name}.p12 ({archive.profile})" if archive else ""
    content = "certificate, key, ca.pem" if client.has_key else "certificate, ca.pem"
    return pulumi.Output.concat("generation ", _number(client.generation), f": {content}{extra}")


def _list_files(slot: str, each: RevocationList) -> Mapping[str, HandOutFile]:
    return {
        f"{slot}.crl": HandOutFile(base64=later(each.crl_pem.apply(_der_base64))),
        f"{slot}.crl.pem": HandOutFile(text=later(each.crl_pem)),
    }


def _list_description(slot: str, each: RevocationList) -> pulumi.Output[str]:
    count = each.revoked.apply(lambda revoked: str(len(revoked)))
    list_of = f"{slot}: list "
    return pulumi.Output.concat(list_of, _number(each.crl_number), ", ", count, " revoked, until ", each.next_update)


def _number(output: pulumi.Output[Any]) -> pulumi.Output[str]:
    return output.apply(lambda number: str(int(number)))


def _der_base64(crl_pem: str) -> str:
    """Return the DER form of a list in base64: PEM without its first and last line (RFC 7468 section 2).

    RFC 5280 section 4.2.1.13 asks for DER where a list is fetched.
    """
    return "".join(line for line in crl_pem.splitlines() if not line.startswith("-----"))

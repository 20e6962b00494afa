"""Hand-outs: the files that each client or server is given, and the authorities' certificates, in one directory."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import pulumi
from pydantic import StrictBool, StrictStr

from pki.components.authority import CertificateAuthority
from pki.components.client import ClientCertificate
from pki.components.handed_folders import (
    Folder,
    HandedServer,
    client_folders,
    list_folder,
    request_folder,
    roots_folder,
    roster_folders,
    server_folders,
)
from pki.components.handed_rosters import RosterHandOut, read_rosters
from pki.components.pkcs12 import Pkcs12
from pki.components.reading import AN_AUTHORITY
from pki.components.revocation_list import RevocationList
from pki.components.roster import ClientRoster
from pki.components.roster_client import RosterClient
from pki.components.server import ServerCertificate
from pki.components.signing import withdrawal
from pki.components.third_party_authority import ThirdPartyAuthority
from pki.components.third_party_server import ThirdPartyServerCertificate
from pki.hand_out.records import HandOutArgs, HandOutState
from pki.name_syntax import fault_of_host
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.program import RecordResource, later
from postseal_core.reading import Section
from postseal_core.wording import shown

__all__ = ["HandOut"]

_CLIENT: Final = 'a client, as pki.ClientCertificate(...) or staff.client("alice") of a roster'
_ARCHIVE: Final = "an archive, as pki.Pkcs12(...)"
_REQUEST: Final = "a server, as pki.ThirdPartyServerCertificate(...)"
_SERVER: Final = "a server, as pki.ServerCertificate(...) or pki.ThirdPartyServerCertificate(...)"
_LAST_PORT: Final = 65535
_LIST: Final = "a list, as pki.RevocationList(...)"


class _OwnArguments(Section):
    """The plain arguments."""

    directory: StrictStr = ""
    clients_below: StrictStr = "clients"
    take_over: tuple[StrictStr, ...] = ()
    mail_texts: StrictBool = True
    relays: Mapping[StrictStr, tuple[StrictStr, ...]] = {}


class HandOut(RecordResource):
    """Files for persons and services, below a directory on the machine that runs `pulumi up`; one resource for all.

        pki.HandOut("hand-out", directory="out", authorities=[ca], clients=[alice], archives=[archive], rosters=[staff])

    Files that are not ours are left alone; what is no longer declared is removed; what waits for its authority is left
    out until then. The folder of a client has `<name>.cert.pem` (its chain), `<name>.key.pem` (mode 0400), `ca.pem`
    and, where it has an archive, `<name>.p12` (mode 0400) and `<name>.txt`, a text for its holder. That of a server has
    the same without an archive, and `ca.pem` where an authority of ours signs it.

    Args:
        name: Name of the resource.
        directory: Where; a relative one is taken from the project's directory.
        authorities: Their roots are in `ca/ca.pem`. Default: none.
        clients: For each a folder `clients/<name>`. Default: none.
        archives: PKCS#12 archives of `clients`; those of a roster's client come with it. Default: none.
        rosters: For each client a folder `rosters/<roster>/<name>`; of a `ClientRoster` all clients, of a
            `RosterHandOut` those that it names. Default: none.
        servers: For each a folder `servers/<name>`, for a service that is none of our hosts: Dovecot, a web server. A
            renewal replaces the files; the service must be told to read them anew. Default: none.
        requests: Certificate requests for a third party to sign, `requests/<name>.csr.pem`; those of authorities are
            there with the authority. Default: none.
        revocation_lists: What authorities have revoked: `crl/<authority>.crl` (DER) and `crl/<authority>.crl.pem`.
            Default: none.
        clients_below: Another folder than `clients`; empty for none. Default: `clients`.
        mail_texts: Beside each archive a text in English for whoever gets it: what it is, until when it is valid, and
            what to do in mail programs; no key and no passphrase. It changes only with the certificate, or with
            `relays`. Default: True.
        relays: For these texts, hosts that let a client in, with or without a port, by client of `clients` or by
            roster, as `{"alice": ["mx1.example.org:587"]}`. Default: none are named.
        take_over: Files in the directory that are not ours and that ours replace, as `["ca/ca.pem"]`; each is kept
            beside ours and given back when ours goes. Default: none, they are refused.
        opts: Options of Pulumi. Default: none.

    Attributes:
        name: Name of the resource.

    Raises:
        ConfigError: everything that is wrong with the arguments, also where two would get the same files.
    """

    resource_type = "HandOut"
    state = HandOutState

    def __init__(
        self,
        name: str,
        *,
        directory: str,
        authorities: Sequence[CertificateAuthority] = (),
        clients: Sequence[ClientCertificate | RosterClient] = (),
        archives: Sequence[Pkcs12] = (),
        rosters: Sequence[ClientRoster | RosterHandOut] = (),
        servers: Sequence[HandedServer] = (),
        requests: Sequence[ThirdPartyServerCertificate] = (),
        revocation_lists: Sequence[RevocationList] = (),
        clients_below: str = "clients",
        mail_texts: bool = True,
        relays: Mapping[str, Sequence[str]] | None = None,
        take_over: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = Arguments("hand_out", name, opts)
        own = arguments.section(
            {
                "directory": directory,
                "clients_below": clients_below,
                "take_over": take_over,
                "mail_texts": mail_texts,
                "relays": relays or {},
            },
            _OwnArguments,
        )
        arguments.expect_each("authorities", authorities, CertificateAuthority, AN_AUTHORITY)
        arguments.expect_each("clients", clients, (ClientCertificate, RosterClient), _CLIENT)
        arguments.expect_each("archives", archives, Pkcs12, _ARCHIVE)
        handed = read_rosters(arguments, rosters)
        arguments.expect_each("servers", servers, (ServerCertificate, ThirdPartyServerCertificate), _SERVER)
        arguments.expect_each("requests", requests, ThirdPartyServerCertificate, _REQUEST)
        arguments.expect_each("revocation_lists", revocation_lists, RevocationList, _LIST)
        arguments.refuse()
        arguments.add(_problems_of_lists([each.authority.name for each in revocation_lists]))
        arguments.add(_problems_of_names("clients", [each.name for each in clients]))
        arguments.add(_problems_of_names("rosters", [each.roster.name for each in handed]))
        arguments.add(_problems_of_names("servers", [each.name for each in servers]))
        arguments.add(_problems_of_names("requests", [each.name for each in requests]))
        arguments.add(_problems_of_relays(own.relays, [*clients, *(each.roster for each in handed)]))
        arguments.refuse()
        hosts = own.relays if own.mail_texts else None
        folders = [
            *roots_folder(authorities),
            *request_folder([*requests, *_by_request(authorities)]),
            *list_folder([each for each in revocation_lists if not each.awaits]),
            *server_folders([each for each in servers if not each.awaits]),
            *client_folders(
                [each for each in clients if not each.authority.awaits], archives, own.clients_below, hosts
            ),
            *roster_folders([each for each in handed if not each.roster.awaits], hosts),
        ]
        arguments.add(_problems_of_folders(folders))
        arguments.refuse()
        folders.sort(key=lambda folder: folder.name)
        args = HandOutArgs(
            directory=own.directory,
            folders={each.name: each.files for each in folders},
            descriptions={each.name: later(each.description) for each in folders},
            take_over=own.take_over,
            withdrawal=withdrawal(authorities, [each for each in clients if isinstance(each, ClientCertificate)]),
        )
        super().__init__(name, args, opts)
        self.name = name


def _by_request(authorities: Sequence[CertificateAuthority]) -> list[ThirdPartyAuthority]:
    """Return the authorities that others sign, each once, also above those that are given."""
    line = [each for authority in authorities for each in (authority, authority.root)]
    return list({each.name: each for each in line if isinstance(each, ThirdPartyAuthority)}.values())


def _problems_of_lists(names: Sequence[str]) -> Iterator[Problem]:
    for name, count in _repeated(names):
        yield Problem("revocation_lists", f"{name} has {count} lists for one file: hand out one of them")


def _problems_of_names(argument: str, names: Sequence[str]) -> Iterator[Problem]:
    for name, count in _repeated(names):
        yield Problem(argument, f"{name} is there {count} times, for one folder; give each a name of its own")


def _problems_of_relays(
    relays: Mapping[str, Sequence[str]], known: Sequence[ClientCertificate | RosterClient | ClientRoster]
) -> Iterator[Problem]:
    names = {each.name for each in known}
    for name, hosts in relays.items():
        if name not in names:
            yield Problem(f"relays.{name}", "is no client or roster of this hand-out; add it there, or leave this out")
        faults = ((index, _fault_of_relay(each)) for index, each in enumerate(hosts))
        yield from (Problem(f"relays.{name}[{index}]", fault) for index, fault in faults if fault)


def _fault_of_relay(relay: str) -> str | None:
    host, colon, port = relay.partition(":")
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _LAST_PORT):
        return f"got {shown(relay)}, expected a port from 1 to {_LAST_PORT} behind the colon, as mx1.example.org:587"
    return fault_of_host(host)


def _problems_of_folders(folders: Sequence[Folder]) -> Iterator[Problem]:
    for name, _ in _repeated([each.name for each in folders]):
        yield Problem("clients", f"{name} is the folder of something else here; put the clients below another one")


def _repeated(names: Sequence[str]) -> Iterator[tuple[str, int]]:
    return ((name, count) for name, count in sorted(Counter(names).items()) if count > 1)

"""Hand-outs: the files that each client is given, and the authorities' certificates, in one directory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import pulumi
from pydantic import StrictStr

from pki.components.authority import CertificateAuthority
from pki.components.client import ClientCertificate
from pki.components.handed_folders import Folder, client_folders, list_folder, request_folder, roots_folder
from pki.components.pkcs12 import Pkcs12
from pki.components.reading import AN_AUTHORITY
from pki.components.revocation_list import RevocationList
from pki.components.roster_client import RosterClient
from pki.components.signing import withdrawal
from pki.components.third_party_server import ThirdPartyServerCertificate
from pki.hand_out.records import HandOutArgs, HandOutState
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.program import RecordResource, later
from postseal_core.reading import Section

__all__ = ["HandOut"]

_CLIENT: Final = 'a client, as pki.ClientCertificate(...) or staff.client("alice") of a roster'
_ARCHIVE: Final = "an archive, as pki.Pkcs12(...)"
_REQUEST: Final = "a server, as pki.ThirdPartyServerCertificate(...)"
_LIST: Final = "a list, as pki.RevocationList(...)"


class _OwnArguments(Section):
    """The plain arguments."""

    directory: StrictStr = ""
    clients_below: StrictStr = "clients"


class HandOut(RecordResource):
    """Files for persons, below a directory on the machine that runs `pulumi up`; one resource however many clients.

        pki.HandOut("hand-out", directory="out", authorities=[ca], clients=[alice], archives=[archive])

    `directory`: where; a relative one is taken from the project's directory. Files that are not ours are left alone,
    what is no longer declared is removed.
    `authorities`: `ca/ca.pem` holds their roots.
    `clients`: for each `clients/<name>/` with `<name>.cert.pem` (its chain), `<name>.key.pem` (mode 0400), `ca.pem`
    and, where it has an archive, `<name>.p12`. `clients_below`: another folder for them, empty for none.
    `archives`: of clients; those of a roster bring theirs.
    `requests`: `requests/<name>.csr.pem` for a third party to sign.
    `revocation_lists`: `crl/<authority>.crl` (DER) and `crl/<authority>.crl.pem`, what an authority has revoked.

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
        authorities: Sequence[CertificateAuthority],
        clients: Sequence[ClientCertificate | RosterClient] = (),
        archives: Sequence[Pkcs12] = (),
        requests: Sequence[ThirdPartyServerCertificate] = (),
        revocation_lists: Sequence[RevocationList] = (),
        clients_below: str = "clients",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = Arguments("hand_out", name, opts)
        own = arguments.section({"directory": directory, "clients_below": clients_below}, _OwnArguments)
        arguments.expect_each("authorities", authorities, CertificateAuthority, AN_AUTHORITY)
        arguments.expect_each("clients", clients, (ClientCertificate, RosterClient), _CLIENT)
        arguments.expect_each("archives", archives, Pkcs12, _ARCHIVE)
        arguments.expect_each("requests", requests, ThirdPartyServerCertificate, _REQUEST)
        arguments.expect_each("revocation_lists", revocation_lists, RevocationList, _LIST)
        arguments.refuse()
        arguments.add(_problems_of_lists([each.authority.name for each in revocation_lists]))
        arguments.add(_problems_of_names("clients", [each.name for each in clients]))
        arguments.add(_problems_of_names("requests", [each.name for each in requests]))
        arguments.refuse()
        ours = [*roots_folder(authorities), *request_folder(requests), *list_folder(revocation_lists)]
        theirs = list(client_folders(clients, archives, own.clients_below))
        arguments.add(_problems_of_folders(ours, theirs))
        arguments.refuse()
        folders = sorted([*ours, *theirs], key=lambda folder: folder.name)
        args = HandOutArgs(
            directory=own.directory,
            folders={each.name: each.files for each in folders},
            descriptions={each.name: later(each.description) for each in folders},
            withdrawal=withdrawal(authorities, [each for each in clients if isinstance(each, ClientCertificate)]),
        )
        super().__init__(name, args, opts)
        self.name = name


def _problems_of_lists(names: Sequence[str]) -> Iterator[Problem]:
    for name, count in _repeated(names):
        yield Problem("revocation_lists", f"{name} has {count} lists for one file: hand out one of them")


def _problems_of_names(argument: str, names: Sequence[str]) -> Iterator[Problem]:
    for name, count in _repeated(names):
        yield Problem(argument, f"{name} is there {count} times, for one folder; give each a name of its own")


def _problems_of_folders(ours: Sequence[Folder], theirs: Sequence[Folder]) -> Iterator[Problem]:
    for name in sorted({each.name for each in ours} & {each.name for each in theirs}):
        yield Problem("clients", f"{name} is the folder of something else here; put the clients below another one")


def _repeated(names: Sequence[str]) -> Iterator[tuple[str, int]]:
    return ((name, count) for name, count in sorted(Counter(names).items()) if count > 1)

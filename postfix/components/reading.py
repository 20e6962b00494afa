"""Check the types of host arguments before anything uses them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.client import ClientCertificate
from pki.components.reading import AN_AUTHORITY
from pki.components.roster import ClientRoster
from pki.components.server import ServerCertificate
from pki.components.third_party_client import ThirdPartyClientCertificate
from pki.components.third_party_server import ThirdPartyServerCertificate
from postfix.components.admission import Admission
from postfix.components.certificates import HostCertificate, TrustedRoot
from postfix.foreign_clients import foreign_client
from postfix.host import HostDeclaration, OnHost
from postfix.preflight import CheckedHost, checked_host
from postfix.receiving import Domains, Maps, Restrictions
from postfix.settings import Submission
from postfix.ssh_access import problems_of_ssh
from postfix.tables import ClientRow
from postfix.target import TARGET_WORDS, TARGETS, Local, Ssh, problems_of_kept_generations
from postseal_core.arguments import Arguments
from postseal_core.errors import CertificateError, Problem

__all__ = ["A_DECLARATION", "HostArguments"]

A_DECLARATION: Final = "postfix.HostDeclaration(...)"
_CERTIFICATES: Final = (
    ClientCertificate,
    ServerCertificate,
    ThirdPartyServerCertificate,
    ThirdPartyClientCertificate,
)
_CERTIFICATE: Final = "a certificate, as pki.ServerCertificate(...) or pki.ClientCertificate(...)"
_SERVED: Final = f"{_CERTIFICATE}, a list of them, or postfix.OnHost(...)"
_CLIENT: Final = "a client, as pki.ClientCertificate(...)"
_ROSTER: Final = "a roster, as pki.ClientRoster(...)"
_TRUSTED: Final = f"{AN_AUTHORITY}, or postfix.TrustedRoot(...)"
_FOREIGN: Final = 'clients by name, as {"partner": "AB:CD:..."}'
_PEM: Final = "a certificate in PEM"
_FIELDS_OF_ROW: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "fingerprint_sha256": ((str,), "a SHA-256 fingerprint"),
    "name": ((str,), "a name"),
    "generation": ((int, type(None)), "a whole number"),
    "not_after": ((datetime, type(None)), "a datetime"),
    "certificate_pem": ((str,), "a certificate in PEM"),
}
_ACCEPT: Final = 'places by word, as {"value_follows": ["smtp_tls_CAfile"]}'
_ADMISSIONS: Final = 'clients by service, as {"submission": postfix.Admission(clients=[alice])}'
_SERVICES: Final = 'services by name, as {"submission": postfix.Submission(sasl=True)}'
_PLACE: Final = "a parameter, or a service of master.cf"
_BY_FILE: Final = 'certificates by name, as {"mx1": pki.ServerCertificate(...)}'


class HostArguments(Arguments):
    """The arguments of a host."""

    def expect_certificate(self, argument: str, value: object, *, is_needed: bool = True) -> None:
        """Add a problem if the value is no certificate of ours."""
        if value is not None or is_needed:
            self.expect(argument, value, _CERTIFICATES, _CERTIFICATE)

    def served(self, value: object) -> Sequence[HostCertificate]:
        """Return the certificates that a host serves, none of those that are on it already; problems are added."""
        if isinstance(value, OnHost):
            self.record("certificate", value, OnHost, "postfix.OnHost(...)")
            return ()
        if isinstance(value, list | tuple):
            if not value:
                self.add([Problem("certificate", "is empty, expected a certificate, or postfix.OnHost(...)")])
            return value if self.expect_each("certificate", value, _CERTIFICATES, _CERTIFICATE) else ()
        return [value] if self.expect("certificate", value, _CERTIFICATES, _SERVED) else ()  # type: ignore[list-item]  # just seen

    def expect_each_certificate(self, argument: str, values: object) -> None:
        """Add a problem for each item that is no certificate of ours."""
        self.expect_each(argument, values, _CERTIFICATES, _CERTIFICATE)

    def expect_certificates(self, certificates: object) -> None:
        """Add a problem for each value that is no certificate of ours."""
        self.expect("certificates", certificates, Mapping, _BY_FILE)
        for name, each in certificates.items() if isinstance(certificates, Mapping) else ():
            self.expect(f"certificates.{name}", each, _CERTIFICATES, _CERTIFICATE)

    def checked(self, declaration: HostDeclaration) -> CheckedHost:
        """Check a host's declaration and return it with its problems; wrong types raise at once."""
        read = self.record("", declaration, HostDeclaration, A_DECLARATION)
        self.refuse()
        return checked_host(read)

    def expect_target(self, target: object) -> None:
        """Add the problems of a target: wrong type or wrong content."""
        if self.expect("target", target, TARGETS, TARGET_WORDS):
            before = self.count
            read = self.record("target", target, TARGETS, TARGET_WORDS)
            if isinstance(read, Ssh) and self.count == before:
                self.add(each.below("target") for each in problems_of_ssh(read.access))
        if isinstance(target, Local | Ssh) and isinstance(target.kept_generations, int):
            self.add(each.below("target") for each in problems_of_kept_generations(target.kept_generations))

    def expect_admitted(self, relay_clients: object, relay_rosters: object) -> None:
        """Add a problem for each wrong item among clients and rosters."""
        self.expect_each("relay_clients", relay_clients, (ClientCertificate, ServerCertificate), _CLIENT)
        self.expect_each("relay_rosters", relay_rosters, ClientRoster, _ROSTER)

    def expect_submission(self, submission: object) -> None:
        """Add a problem for whatever is no service for mail programs; None: not given."""
        if submission is not None and self.expect("submission", submission, Mapping, _SERVICES):
            for name, each in submission.items() if isinstance(submission, Mapping) else ():
                self.expect(f"submission.{name}", each, Submission, "postfix.Submission(...)")

    def expect_admissions(self, submission: object) -> None:
        """Add a problem for whatever is no service with clients and rosters; None: not given."""
        if submission is None or not self.expect("submission_clients", submission, Mapping, _ADMISSIONS):
            return
        for name, each in submission.items() if isinstance(submission, Mapping) else ():
            place = f"submission_clients.{name}"
            if self.expect(place, each, Admission, "postfix.Admission(...)") and isinstance(each, Admission):
                self.expect_each(f"{place}.clients", each.clients, (ClientCertificate, ServerCertificate), _CLIENT)
                self.expect_each(f"{place}.rosters", each.rosters, ClientRoster, _ROSTER)
                self.expect_each(f"{place}.extra", each.extra, ClientRow, "postfix.ClientRow(...)")

    def expect_trust(self, trust: object) -> None:
        """Add a problem for each item that is no authority or trusted root."""
        self.expect_each("trust", trust, (CertificateAuthority, TrustedRoot), _TRUSTED)
        for index, each in enumerate(trust if isinstance(trust, list | tuple) else ()):
            if isinstance(each, TrustedRoot):
                self.expect(f"trust[{index}].name", each.name, str, "a name")
                self.expect(f"trust[{index}].certificate_pem", each.certificate_pem, (str, pulumi.Output), _PEM)

    def expect_receiving(
        self, domains: Domains | None, maps: Maps | None, restrictions: Restrictions | None = None
    ) -> None:
        """Add the problems of domains, maps and restrictions; None: not given."""
        self.record("domains", domains, Domains, "postfix.Domains(...)")
        self.record("maps", maps, Maps, "postfix.Maps(...)")
        self.record("restrictions", restrictions, Restrictions, "postfix.Restrictions(...)")

    def accepted(self, accept: Mapping[str, Sequence[str]] | None) -> Mapping[str, tuple[str, ...]]:
        """Return what is accepted of a change, by word; problems of its shape are added."""
        if accept is None or not self.expect("accept", accept, Mapping, _ACCEPT):
            return {}
        good = [word for word, places in accept.items() if self.expect_each(f"accept.{word}", places, str, _PLACE)]
        return {word: tuple(accept[word]) for word in good}

    def expect_rows(self, rows: object) -> None:
        """Add the problems of the rows for clients with certificates from elsewhere, field by field."""
        self.expect_each("extra_relay_clients", rows, ClientRow, "postfix.ClientRow(...)")
        for index, each in enumerate(rows if isinstance(rows, list | tuple) else ()):
            for name, (kinds, words) in _FIELDS_OF_ROW.items() if isinstance(each, ClientRow) else ():
                self._expect_of_row(f"extra_relay_clients[{index}].{name}", getattr(each, name), kinds, words)

    def _expect_of_row(self, argument: str, value: object, kinds: tuple[type, ...], words: str) -> None:
        if self.expect(argument, value, kinds, words) and isinstance(value, datetime) and value.utcoffset() is None:
            self.add([Problem(argument, f"got {value.isoformat()}, expected an instant with its time zone")])

    def foreign_clients(self, clients: object) -> list[ClientRow]:
        """Return the rows of clients with certificates from elsewhere; problems are added."""
        if clients is None or not self.expect("extra_relay_clients", clients, Mapping, _FOREIGN):
            return []
        rows = []
        for name, text in clients.items() if isinstance(clients, Mapping) else ():
            argument = f"extra_relay_clients.{name}"
            if self.expect(argument, text, str, "a certificate in PEM, or its SHA-256 fingerprint"):
                try:
                    rows.append(foreign_client(name, text))
                except CertificateError as error:
                    self.add([Problem(argument, str(error))])
        return rows

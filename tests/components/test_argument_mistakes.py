"""What a program gets wrong: one sentence for each mistake, with its place, and all of them at once."""

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import Any

import pulumi
import pytest

import pki
import postfix
from postseal_core.errors import ConfigError
from postseal_core.values import MUST_BE_KNOWN
from tests.support.declarations import (
    alice,
    answered,
    archive,
    ca,
    crl,
    given,
    hand_out,
    host,
    mistake_of,
    mx1,
    office,
    relay,
    sender,
    staff,
)
from tests.support.mocks import run_program

A_ROW = "hosts.hub.extra_relay_clients[0]"
TOO_LARGE = "is a number beyond 9,007,199,254,740,991, which the engine cannot hand on"
A_FINGERPRINT = ":".join(["AB"] * 32)
NOON = datetime(2027, 1, 1, 12)  # noqa: DTZ001 - the mistake
KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49"

AN_AUTHORITY = "expected an authority, as pki.CertificateAuthority(...)"
TARGET_WORDS = 'postfix.Directory("out/mx1/postfix"), postfix.Local() or postfix.Ssh("mx1.example.org", ...)'
A_CERTIFICATE = "expected a certificate, as pki.ServerCertificate(...) or pki.ClientCertificate(...)"
MISTAKES: dict[str, tuple[Callable[..., object], dict[str, Any], list[str]]] = {
    "a text for a list": (
        alice,
        given(dns_names="c.example.org"),
        ["clients.alice.dns_names: got 'c.example.org', expected a list, as [first, second]"],
    ),
    "an unknown keyword": (alice, given(mail="a"), ["clients.alice.mail: unknown key; did you mean email?"]),
    "three at once": (
        alice,
        given(email=5, confirm="yes", key_algorithm="RSA-1024"),
        [
            "clients.alice.email: got 5, expected text; put it into quotes",
            (
                "clients.alice.key_algorithm: got 'RSA-1024', which is too weak: OpenSSL refuses it at its default "
                "security level; use ECDSA-P256, or RSA-3072 where a peer knows only RSA"
            ),
            "clients.alice.confirm: got 'yes', expected true or false",
        ],
    ),
    "a word that is none": (
        alice,
        given(match="subject"),
        ["clients.alice.match: got 'subject', expected one of certificate, public_key"],
    ),
    "no authority": (alice, given(authority="ca"), [f"clients.alice.authority: got 'ca', {AN_AUTHORITY}"]),
    "no lifetime": (
        alice,
        given(lifetime=8760),
        ["clients.alice.lifetime: got 8760, expected pki.LifetimePolicy(...)"],
    ),
    "a text in a lifetime": (
        alice,
        given(lifetime=pki.LifetimePolicy(**given(validity_hours="a year"))),
        ["clients.alice.lifetime.validity_hours: got a text, expected a whole number"],
    ),
    "a fraction that is none": (
        alice,
        given(lifetime=pki.LifetimePolicy(**given(renew_fraction="2 of 3"))),
        ["clients.alice.lifetime.renew_fraction: got '2 of 3', expected a fraction, as 2/3"],
    ),
    "a part of a lifetime": (
        alice,
        given(validity_hours=8760),
        ["clients.alice.validity_hours: it is part of the lifetime: write lifetime=pki.LifetimePolicy(...)"],
    ),
    "nobody to take over from": (
        alice,
        given(take_over="staff"),
        [
            (
                "clients.alice.take_over: got 'staff', expected a client, as pki.ClientCertificate(...) or"
                ' staff.client("alice") of a roster'
            )
        ],
    ),
    "no options": (alice, given(opts=5), ["clients.alice.opts: got 5, expected pulumi.ResourceOptions(...)"]),
    "no signer": (mx1, given(self_signed=False), ["servers.mx1: give either an authority or self_signed=True"]),
    "two words": (
        mx1,
        given(also_client="yes", dns_names=None),
        [
            "servers.mx1.also_client: got 'yes', expected true or false",
            "servers.mx1.dns_names: is empty, expected the names that clients connect to",
        ],
    ),
    "a mailbox of a server": (
        mx1,
        given(email="m@example.org"),
        [
            (
                "servers.mx1.email: unknown key; expected one of: common_name, confirm, confirmed_generation, country,"
                " dns_names, fail_beyond_issuer, ip_addresses, issue_again, ..."
            )
        ],
    ),
    "what others sign": (
        answered,
        given(revoke="superseded", signed_chain_pem=3),
        [
            "servers.mx2.signed_chain_pem: got 3, expected text; put it into quotes",
            "servers.mx2.revoke: not for a certificate that others sign; leave it out",
        ],
    ),
    "an authority without a name": (
        ca,
        given(common_name="", path_length="0"),
        [
            "authorities.ca.path_length: got '0', expected a whole number",
            "authorities.ca.common_name: missing; add it",
        ],
    ),
    "one constraint as a text": (
        ca,
        given(name_constraints=pki.NameConstraints(**given(permitted_dns="example.org"))),
        ["authorities.ca.name_constraints.permitted_dns: got a text, expected a list"],
    ),
    "constraints as a list": (
        ca,
        given(name_constraints=["example.org"], permitted_dns=["example.org"]),
        [
            (
                "authorities.ca.permitted_dns: it is part of the name constraints: write"
                " name_constraints=pki.NameConstraints(...)"
            ),
            "authorities.ca.name_constraints: got a list, expected pki.NameConstraints(...)",
        ],
    ),
    "slots as a number": (ca, given(slots=2), ["authorities.ca.slots: got 2, expected pki.Slots(...)"]),
    "a slot as a text": (
        ca,
        given(slots=pki.Slots(**given(active="2"))),
        ["authorities.ca.slots.active: got a text, expected a whole number"],
    ),
    "an address as a text": (
        ca,
        given(crl_urls="http://example.org/ca.crl"),
        ["authorities.ca.crl_urls: got 'http://example.org/ca.crl', expected a list, as [first, second]"],
    ),
    "a key that is adopted alone": (
        ca,
        given(adopt=KEY),
        ["authorities.ca.adopt: got a text, expected pki.AdoptedAuthority(...)"],
    ),
    "an adopted file name": (
        ca,
        given(adopt=pki.AdoptedAuthority(**given(certificate_pem=None, private_key_pem=7))),
        [
            "authorities.ca.adopt.certificate_pem: got nothing, expected a certificate in PEM",
            "authorities.ca.adopt.private_key_pem: got 7, expected a key in PEM",
        ],
    ),
    "an intermediate below nobody": (
        office,
        given(authority=None, country=41),
        [
            f"authorities.office.authority: got nothing, {AN_AUTHORITY}",
            "authorities.office.country: got 41, expected text; put it into quotes",
        ],
    ),
    "clients as a text": (
        staff,
        given(clients="staff.csv"),
        [
            (
                "rosters.staff.clients: got 'staff.csv', expected the clients: fields by client name, or what "
                "pki.parse_csv and pki.parse_yaml return"
            )
        ],
    ),
    "fields of clients": (
        staff,
        given(clients={"bob": {"dns_names": "b.example.org"}, "carol": {"mail": "c@example.org"}}, pkcs12="old"),
        [
            "rosters.staff.pkcs12: got 'old', expected one of modern, legacy, none",
            "rosters.staff.clients.bob.dns_names: got 'b.example.org', expected a list, as [first, second]",
            "rosters.staff.clients.carol.mail: unknown key; did you mean email?",
        ],
    ),
    "a name for all clients": (
        staff,
        given(common_name="Staff", take_over=["bob"]),
        [
            (
                "rosters.staff.common_name: unknown key; expected one of: confirm, country, fail_beyond_issuer, "
                "key_algorithm, locality, match, organization, organizational_unit, ..."
            ),
            'rosters.staff.take_over: got a list, expected clients by name, as {"alice": pki.ClientCertificate(...)}',
        ],
    ),
    "a profile that is none": (
        archive,
        given(profile="des", passphrase=1234),
        [
            "archives.alice.profile: got 'des', expected one of modern, legacy",
            "archives.alice.passphrase: expected a text, or an output",
        ],
    ),
    "an archive of nobody": (
        archive,
        given(certificate="alice"),
        ["archives.alice.certificate: got 'alice', expected a client, as pki.ClientCertificate(...)"],
    ),
    "a list of no certificates": (
        crl,
        given(certificates=["alice"], rosters="staff", lifetime_hours="a week"),
        [
            (
                "revocation_lists.list.certificates[0]: got 'alice', expected a certificate, as "
                "pki.ClientCertificate(...) or pki.ServerCertificate(...), or an authority below, as "
                "pki.IntermediateAuthority(...)"
            ),
            "revocation_lists.list.rosters: got 'staff', expected a list, as [first, second]",
            "revocation_lists.list.lifetime_hours: got 'a week', expected a whole number",
        ],
    ),
    "a hand-out of names": (
        hand_out,
        given(directory=7, clients=["alice"], archives=5, authorities={"ca": None}),
        [
            "hand_out.all.directory: got 7, expected text; put it into quotes",
            "hand_out.all.authorities: got a mapping, expected a list, as [first, second]",
            (
                "hand_out.all.clients[0]: got 'alice', expected a client, as pki.ClientCertificate(...) or"
                ' staff.client("alice") of a roster'
            ),
            "hand_out.all.archives: got 5, expected a list, as [first, second]",
        ],
    ),
    "a host of texts": (
        relay,
        given(certificate="mx1", target="out", relay_clients=["alice"], trust=["ca"]),
        [
            f"hosts.mx1.certificate: got 'mx1', {A_CERTIFICATE}, a list of them, or postfix.OnHost(...)",
            f"hosts.mx1.target: got 'out', expected {TARGET_WORDS}",
            "hosts.mx1.relay_clients[0]: got 'alice', expected a client, as pki.ClientCertificate(...)",
            f"hosts.mx1.trust[0]: got 'ca', {AN_AUTHORITY}, or postfix.TrustedRoot(...)",
        ],
    ),
    "a host far away without its key": (
        relay,
        given(target=postfix.Ssh("mx1 example", host_key="", port=0)),
        [
            "hosts.mx1.target.host: got 'mx1 example', expected a name or address, as mx1.example.org",
            "hosts.mx1.target.port: got 0, expected a number from 1 to 65535",
            "hosts.mx1.target.host_key: ",
        ],
    ),
    "a host far away of other types": (
        relay,
        given(target=postfix.Ssh(**given(host=1, host_key=["ssh-ed25519 AAAA"]))),
        ["hosts.mx1.target.host: ", "hosts.mx1.target.host_key: "],
    ),
    "settings of a host": (
        relay,
        given(settings=postfix.ServerSettings(relay=postfix.RelayPolicy(**given(networks="10.0.0.0/8", sasl=1)))),
        [
            "hosts.mx1.settings.relay.sasl: got a whole number, expected true or false",
            "hosts.mx1.settings.relay.networks: got a text, expected a list",
        ],
    ),
    "what a host accepts": (
        relay,
        given(accept={"listed_refused": "submission", "value_follows": [5]}),
        [
            "hosts.mx1.accept.listed_refused: got 'submission', expected a list, as [first, second]",
            "hosts.mx1.accept.value_follows[0]: got 5, expected a parameter, or a service of master.cf",
        ],
    ),
    "what a host that only sends accepts": (
        sender,
        given(accept=["submission"]),
        ['hosts.web.accept: got a list, expected places by word, as {"value_follows": ["smtp_tls_CAfile"]}'],
    ),
    "words that accept nothing": (
        relay,
        given(accept={"open": ["smtp"]}),
        [
            (
                "hosts.mx1.accept.open: got 'open', expected one of strangers_gain, listed_refused, tls_weaker, "
                "service_lost, value_follows, taken_away"
            ),
        ],
    ),
    "parameters of a host": (
        relay,
        given(myhostname=None, parameters={"relayhost": 5}, table_type=True),
        [
            "hosts.mx1.myhostname: missing; add it",
            "hosts.mx1.parameters.relayhost: got a whole number, expected a text",
            "hosts.mx1.table_type: got true or false, expected a text",
        ],
    ),
    "fingerprints of a host": (
        relay,
        given(extra_relay_clients={"bob": 5, "eve": "AB"}, relay_rosters=[alice]),
        [
            "hosts.mx1.relay_rosters[0]: got a function, expected a roster, as pki.ClientRoster(...)",
            "hosts.mx1.extra_relay_clients.bob: got 5, expected a certificate in PEM, or its SHA-256 fingerprint",
            "hosts.mx1.extra_relay_clients.eve: ",
        ],
    ),
    "a target in a wrong place": (
        sender,
        given(target=postfix.Directory(**given(path=None)), transport_certificates=mx1),
        [
            "hosts.web.transport_certificates: got a function, expected a list, as [first, second]",
            "hosts.web.target.path: missing; add it",
        ],
    ),
    "a host without its declaration": (
        host,
        given(declaration={"name": "hub"}, certificates=["mx1"], extra_relay_clients=["AB"]),
        [
            "hosts.hub.declaration: got a mapping, expected postfix.HostDeclaration(...)",
            'hosts.hub.certificates: got a list, expected certificates by name, as {"mx1": pki.ServerCertificate(...)}',
            "hosts.hub.extra_relay_clients[0]: got 'AB', expected postfix.ClientRow(...)",
        ],
    ),
    "sets, whose order is another one in each run": (
        alice,
        given(dns_names={"a.example.org"}, ip_addresses=frozenset(["192.0.2.1"]), email=bytes(5)),
        [
            "clients.alice.email: got a bytes, expected text; put it into quotes",
            "clients.alice.dns_names: got a set, expected a list, as [first, second]",
            "clients.alice.ip_addresses: got a frozenset, expected a list, as [first, second]",
        ],
    ),
    "what no engine can hand on": (
        mx1,
        given(confirmed_generation=10**5000, organization="a\ud800"),
        [
            f"servers.mx1.confirmed_generation: {TOO_LARGE}",
            "servers.mx1.organization: holds half of a character, which cannot be written as UTF-8",
        ],
    ),
    "a lifetime without end": (
        ca,
        given(lifetime=pki.LifetimePolicy(validity_hours=10**400)),
        [
            f"authorities.ca.lifetime.validity_hours: {TOO_LARGE}",
        ],
    ),
    "keys that are no texts": (
        relay,
        given(parameters={5: "x", None: "y"}),
        [
            "hosts.mx1.parameters: got 5 as a key, expected text; put it into quotes",
            "hosts.mx1.parameters: got nothing as a key, expected text; put it into quotes",
        ],
    ),
    "settings whose keys are no texts": (
        relay,
        given(settings=postfix.ServerSettings(**given(relay={b"k": "x"}))),
        ["hosts.mx1.settings.relay: got a bytes as a key, expected text; put it into quotes"],
    ),
    "a client whose fields have no names": (
        staff,
        given(clients={"bob": {None: "x"}, "carol": {"mail": "x"}}),
        [
            "rosters.staff.clients.bob: got nothing as a key, expected text; put it into quotes",
            "rosters.staff.clients.carol.mail: unknown key; did you mean email?",
        ],
    ),
    "rows that nobody has read": (
        staff,
        given(clients=[pki.RosterRow(**given(name=5)), pki.RosterRow(**given(name="bob", said="x"))]),
        [
            "rosters.staff.clients[0]: is no row as parse_csv and parse_yaml return; write a mapping with a name",
            "rosters.staff.clients[1]: is no row as parse_csv and parse_yaml return; write a mapping with a name",
        ],
    ),
    "a fraction for a text": (
        relay,
        given(parameters={"relayhost": Fraction(1, 3)}),
        ["hosts.mx1.parameters.relayhost: got a Fraction, expected a text"],
    ),
    "a row from elsewhere whose fields are of other kinds": (
        host,
        given(extra_relay_clients=[postfix.ClientRow(A_FINGERPRINT, "x", **given(generation=True, not_after=NOON))]),
        [
            f"{A_ROW}.generation: got true, expected a whole number",
            f"{A_ROW}.not_after: got {NOON.isoformat()}, expected an instant with its time zone",
        ],
    ),
    "a root without a certificate": (
        host,
        given(trust=[postfix.TrustedRoot(**given(name=1, certificate_pem=2))], certificates={"hub": "hub.pem"}),
        [
            f"hosts.hub.certificates.hub: got 'hub.pem', {A_CERTIFICATE}",
            "hosts.hub.trust[0].name: got 1, expected a name",
            "hosts.hub.trust[0].certificate_pem: got 2, expected a certificate in PEM",
        ],
    ),
}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_a_sentence_with_its_place(name: str, *, preview: bool) -> None:
    """The engine shows sentences of a RunError without a traceback; nothing of the class in question is registered."""
    declare, arguments, expected = MISTAKES[name]
    error = mistake_of(lambda: declare(**arguments), preview=preview)
    assert isinstance(error, ConfigError)
    assert isinstance(error, pulumi.RunError)
    found = str(error).splitlines()
    assert len(found) == len(expected), found
    for line, sentence in zip(found, expected, strict=True):
        assert line == sentence or (sentence.endswith(": ") and line.startswith(sentence))


@pytest.mark.parametrize(
    ("declare", "argument", "place"),
    [
        (alice, "email", "clients.alice.email"),
        (alice, "authority", "clients.alice.authority"),
        (alice, "take_over", "clients.alice.take_over"),
        (mx1, "dns_names", "servers.mx1.dns_names"),
        (ca, "common_name", "authorities.ca.common_name"),
        (staff, "organization", "rosters.staff.organization"),
        (archive, "profile", "archives.alice.profile"),
        (crl, "first_crl_number", "revocation_lists.list.first_crl_number"),
        (hand_out, "directory", "hand_out.all.directory"),
        (relay, "myhostname", "hosts.mx1.myhostname"),
        (relay, "certificate", "hosts.mx1.certificate"),
    ],
)
def test_an_output_where_a_plain_value_is_needed_is_refused(
    declare: Callable[..., object], argument: str, place: str
) -> None:
    """A decision cannot wait for another resource; the sentence says so."""
    error = mistake_of(lambda: declare(**{argument: pulumi.Output.from_input("later")}))
    assert [str(problem) for problem in error.problems] == [f"{place}: {MUST_BE_KNOWN}"]


@pytest.mark.parametrize("name", ["", None, 5])
def test_a_thing_without_a_name_is_refused(name: Any) -> None:
    """The SDK would raise an error of its own, with a traceback."""
    error = mistake_of(lambda: pki.ServerCertificate(name, self_signed=True, dns_names=["mx1.example.org"]))
    assert error.problems[0].path == "servers"


def test_what_is_empty_says_nothing() -> None:
    """A program may pass on what it has read somewhere, without asking whether it is there."""
    program = run_program(lambda: alice(dns_names=[], common_name="", country=None, revoke="", match=""))
    empty = {"dns_names", "common_name", "country", "revoke", "match"}
    assert not empty & program.one("ClientCertificate").properties.keys()


def test_a_fraction_may_be_written_as_a_number() -> None:
    """To Python, `2/3` is a number with many digits."""
    policy = pki.LifetimePolicy(**given(renew_fraction=2 / 3))
    assert run_program(lambda: alice(lifetime=policy)).one("ClientCertificate").properties["renew_fraction"] == "2/3"

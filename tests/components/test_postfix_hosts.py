"""What Postfix hosts register: one resource each, refused as a whole when something in the declaration is wrong."""

import re
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

import pki
import postfix
from postfix.host_checks import problems_of_declaration
from postfix.preflight import checked_host
from postseal_core.errors import ConfigError, Problem
from tests.support.mocks import run_program, secrets_in_clear
from tests.support.provider import UNKNOWN, Secret
from tests.support.test_authority import ThrowAwayAuthority

TARGET = postfix.Directory("out/mx1")
FINGERPRINT = ":".join(["AB"] * 32)


def root() -> pki.CertificateAuthority:
    """Return the root of these tests."""
    return pki.CertificateAuthority("mail-ca", common_name="Example Mail CA")


def served(authority: pki.CertificateAuthority, **options: Any) -> pki.ServerCertificate:
    """Return the certificate of mx1."""
    return pki.ServerCertificate("mx1", authority=authority, dns_names=["mx1.example.org"], **options)


def relay(**changes: Any) -> None:
    """Register a relay that admits alice."""
    authority = root()
    alice = pki.ClientCertificate("alice", authority=authority, email="alice@example.org")
    options: dict[str, Any] = {
        "myhostname": "mx1.example.org",
        "certificate": served(authority),
        "target": TARGET,
        "relay_clients": [alice],
    }
    postfix.MailServer("mx1", **(options | changes))


@pytest.mark.parametrize("preview", [True, False])
def test_a_host_is_one_resource(*, preview: bool) -> None:
    """However many clients and certificates there are, one resource is registered for the host itself."""
    program = run_program(relay, preview=preview)
    assert program.tree()["MailServer mx1"] == ""
    assert [each.type for each in program.registrations if each.name == "mx1"] == [
        "postseal:index:ServerCertificate",
        "postseal:index:MailServer",
    ]
    assert secrets_in_clear(program.one("MailServer").properties) == []


def test_a_host_of_a_program_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the resource itself; the plugin does it again, as it cannot know who registers what."""
    checked: list[str] = []

    def count(host: postfix.HostDeclaration) -> list[Problem]:
        checked.append(host.name)
        return problems_of_declaration(host)

    monkeypatch.setattr("postfix.preflight.problems_of_declaration", count)
    run_program(relay)
    assert checked == ["mx1"]


def test_a_declaration_that_was_checked_before_is_judged_by_that() -> None:
    """What was found then stops the program all the same."""
    wrong = postfix.HostDeclaration("mx1", "mx1.example.org", table_type="mysql")  # type: ignore[arg-type]  # a type checker refuses it

    def program() -> None:
        postfix.PostfixHost("mx1", declaration=checked_host(wrong), target=TARGET, certificates={})

    with pytest.raises(ConfigError, match=r"hosts\.mx1\.table_type"):
        run_program(program)


def test_a_host_gets_declaration_target_and_all_that_comes_from_certificates() -> None:
    """The declaration is plain, identities come from the clients' resources, and the key of a chain is a secret."""
    properties = run_program(relay).one("MailServer").properties
    assert properties["target"] == {
        "kind": "directory",
        "path": "out/mx1",
        "config_directory": "/etc/postfix",
        "ownership": "whole",
    }
    assert properties["declaration"]["myhostname"] == "mx1.example.org"
    assert properties["declaration"]["server"]["certificates"] == ["mx1"]
    assert properties["chains"] == {
        "mx1": {
            "description": "generation 1 until 2027-06-01T12:00:00Z",
            "private_key_pem": Secret("private_key_pem of mx1"),
            "chain_pem": "chain_pem of mx1",
        }
    }
    assert properties["roots"] == {"mail-ca": "certificate_pem of mail-ca"}
    assert properties["access"] == {
        "smtp": {
            "clients": {
                "alice": {
                    "generation": 1,
                    "not_before": "2026-06-01T12:00:00Z",
                    "not_after": "2027-06-01T12:00:00Z",
                    "issuer_slot": "mail-ca/1",
                    "fingerprint_sha256": "fingerprint_sha256 of alice",
                    "public_key_fingerprint_sha256": "public_key_fingerprint_sha256 of alice",
                    "serial_number": "1a2b",
                    "previous": [],
                    "revoked": [],
                    "revoked_at": "",
                }
            }
        }
    }


def test_in_a_preview_of_new_certificates_only_what_is_signed_is_unknown() -> None:
    """Generation, dates and the line of the chain are known; fingerprints and content are not."""
    properties = run_program(relay, preview=True).one("MailServer").properties
    identity = properties["access"]["smtp"]["clients"]["alice"]
    assert (identity["generation"], identity["previous"]) == (1, [])
    assert identity["fingerprint_sha256"] == UNKNOWN
    assert properties["chains"]["mx1"]["description"] == "generation 1 until 2027-06-01T12:00:00Z"
    assert properties["chains"]["mx1"]["private_key_pem"] == UNKNOWN
    assert properties["roots"] == {"mail-ca": UNKNOWN}


def test_clients_from_elsewhere_are_listed_by_fingerprint() -> None:
    """A fingerprint of a certificate that is not ours is passed on under its name."""
    properties = run_program(lambda: relay(extra_relay_clients={"bob": FINGERPRINT})).one("MailServer").properties
    assert properties["access"]["smtp"]["extra"] == {"bob": {"fingerprint_sha256": FINGERPRINT}}


def test_clients_from_elsewhere_may_be_given_by_their_certificate() -> None:
    """The fingerprint follows from it, and when it ends is known."""
    partner = ThrowAwayAuthority().issue_client("partner.example.org")
    program = run_program(lambda: relay(extra_relay_clients={"partner": partner.certificate_pem}))
    extra = program.one("MailServer").properties["access"]["smtp"]["extra"]["partner"]
    assert extra["fingerprint_sha256"] == partner.fingerprint_sha256
    assert extra.keys() == {"fingerprint_sha256", "not_after", "certificate_pem"}


def test_a_roster_is_admitted_as_a_whole_and_its_root_is_trusted() -> None:
    """Its rows come packed from the roster; a server that lists nobody else admits by certificate because of them."""

    def program() -> None:
        authority = root()
        staff = pki.ClientRoster("staff", authority=authority, clients={"anna": {"email": "anna@example.org"}})
        options: dict[str, Any] = {"certificate": served(authority), "target": TARGET, "relay_rosters": [staff]}
        postfix.MailServer("mx1", myhostname="mx1.example.org", **options)

    properties = run_program(program).one("MailServer").properties
    assert list(properties["access"]["smtp"]["rosters"]) == ["staff"]
    assert properties["roots"] == {"mail-ca": "certificate_pem of mail-ca"}
    assert properties["declaration"]["server"]["settings"].get("relay", {}).get("client_certificates", True)


@pytest.mark.parametrize(("person", "is_admitted"), [("anna", True), ("ben", False), ("", False)])
def test_a_host_admits_every_device_of_one_person(person: str, *, is_admitted: bool) -> None:
    """A laptop and a phone with one mailbox have a row each; two persons with one mailbox are a mistake."""
    found: list[str] = []

    def program() -> None:
        ca = pki.CertificateAuthority("ca", common_name="CA")
        laptop = pki.ClientCertificate("laptop", authority=ca, email="anna@example.org", person="anna")
        phones = pki.ClientRoster(
            "phones", authority=ca, clients={"phone": {"email": "Anna@example.org", "person": person}}
        )
        mx1 = pki.ServerCertificate("mx1", authority=ca, dns_names=["mx1.example.org"])
        try:
            postfix.MailServer(
                "mx1",
                myhostname="mx1.example.org",
                certificate=mx1,
                target=postfix.Directory("out/mx1"),
                relay_clients=[laptop],
                relay_rosters=[phones],
            )
        except ConfigError as error:
            found.extend(each.message for each in error.problems)

    run_program(program)
    assert ["same person" in message for message in found] == ([] if is_admitted else [True])


def test_a_server_that_lists_nobody_admits_nobody_by_certificate() -> None:
    """Without clients there is no table of clients, and no root is trusted for them."""
    properties = run_program(lambda: relay(relay_clients=[])).one("MailServer").properties
    settings = properties["declaration"]["server"]["settings"]
    assert settings["relay"]["client_certificates"] is False
    assert settings["ca_file"] is False
    assert not properties.keys() & {"roots", "access"}


def test_a_server_may_relay_as_a_client_with_a_certificate_of_its_own() -> None:
    """Both sides are one host; each chain is deployed once."""

    def both() -> None:
        authority = root()
        certificate = served(authority, also_client=True)
        postfix.MailServer(
            "mx1",
            myhostname="mx1.example.org",
            certificate=certificate,
            target=postfix.Local(),
            relay_through=postfix.ClientSettings(relayhost="[hub.example.org]:587"),
            relay_certificate=certificate,
            trust=[authority, postfix.TrustedRoot("other", "another root")],
        )

    properties = run_program(both).one("MailServer").properties
    assert properties["chains"].keys() == {"mx1"}
    assert properties["declaration"]["client"]["certificates"] == ["mx1"]
    assert properties["declaration"]["ownership"] == "merge"
    assert properties["target"] == {
        "kind": "local",
        "path": "/etc/postfix",
        "config_directory": "/etc/postfix",
        "ownership": "merge",
    }
    assert properties["roots"] == {"mail-ca": "certificate_pem of mail-ca", "other": "another root"}


def test_a_host_that_only_sends_presents_its_client_certificate() -> None:
    """The declaration has a sending side only."""

    def sender() -> None:
        authority = root()
        host = pki.ClientCertificate("out", authority=authority, dns_names=["out.example.org"])
        postfix.RelayClient("out", myhostname="out.example.org", target=TARGET, certificate=host, trust=[authority])

    program = run_program(sender)
    declaration = program.one("RelayClient").properties["declaration"]
    assert declaration.get("server") is None
    assert declaration["client"]["certificates"] == ["out"]


def test_a_host_presents_a_certificate_that_somebody_else_signed() -> None:
    """Its key stays a secret, its chain is deployed, and the line of a preview has its end and no generation."""

    def sends() -> None:
        partner = pki.ThirdPartyClientCertificate("partner", signed_chain_pem="a chain", private_key_pem="a key")
        postfix.RelayClient(
            "web",
            myhostname="web.example.org",
            target=postfix.Local(),
            certificate=partner,
            settings=postfix.ClientSettings(relayhost="[in.example.net]:25"),
        )

    program = run_program(sends)
    assert program.one("ThirdPartyClientCertificate").properties["profile"] == "client"
    chain = program.one("RelayClient").properties["chains"]["partner"]
    assert chain["private_key_pem"] == Secret("a key")
    assert chain["description"].startswith("until ")
    assert program.one("ThirdPartyClientCertificate").properties["private_key_pem"] == Secret("a key")


def test_a_host_that_was_renamed_is_found_by_its_alias() -> None:
    """Options of the host reach the engine."""
    program = run_program(lambda: relay(opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")], protect=True)))
    assert program.one("MailServer").aliases == ("old",)
    assert program.one("MailServer").is_protected


def wrong_name() -> None:
    """Serve a certificate under a name that it does not have."""
    relay(myhostname="mx9.example.org")


def server_certificate_as_client() -> None:
    """Present a server certificate to others."""
    authority = root()
    certificate = served(authority)
    postfix.RelayClient("mx1", myhostname="mx1.example.org", target=TARGET, certificate=certificate)


def client_certificate_as_server() -> None:
    """Serve a client certificate."""
    relay(certificate=pki.ClientCertificate("carol", authority=root(), email="carol@example.org"))


def wrong_level() -> None:
    """Demand certificates at a level at which mail may come without TLS, in a word that no level has."""
    settings = postfix.ServerSettings(smtpd_tls_security_level="maybe", smtpd_tls_req_ccert=True)  # type: ignore[arg-type]  # a type checker refuses it
    relay(settings=settings)


def two_of_one_name() -> None:
    """Use two certificates that would become one file."""
    authority = root()
    other = pki.ClientCertificate("mx1", authority=authority, dns_names=["mx1.example.org"])
    postfix.MailServer(
        "mx1",
        myhostname="mx1.example.org",
        certificate=served(authority),
        target=TARGET,
        relay_through=postfix.ClientSettings(),
        relay_certificate=other,
    )


def no_fingerprint() -> None:
    """List a client by something else than a fingerprint."""
    relay(extra_relay_clients={"bob": "AB:CD"})


def two_clients_of_one_name() -> None:
    """Admit a client, and a server that is a client too, of the same name."""
    authority = root()
    both = pki.ServerCertificate("mx2", authority=authority, dns_names=["mx2.example.org"], also_client=True)
    relay(relay_clients=[pki.ClientCertificate("mx2", authority=authority, dns_names=["mx2.example.org"]), both])


def two_clients_of_one_host() -> None:
    """Admit two clients that are one host to whoever reads the log."""
    authority = root()
    both = pki.ServerCertificate("mx2", authority=authority, dns_names=["mx2.example.org"], also_client=True)
    relay(relay_clients=[both, pki.ClientCertificate("carol", authority=authority, dns_names=["MX2.example.org"])])


def a_roster_with_the_address_of_a_client() -> None:
    """Admit a client and a roster, one of whose clients has its address."""
    authority = root()
    rows = {"anna": {"email": "anna@example.org", "ip_addresses": ["::ffff:192.0.2.1"]}}
    staff = pki.ClientRoster("staff", authority=authority, clients=rows)
    carol = pki.ClientCertificate("carol", authority=authority, email="carol@example.org", ip_addresses=["192.0.2.1"])
    relay(relay_clients=[carol], relay_rosters=[staff])


def two_roots_of_one_name() -> None:
    """Trust a root of somebody else under the name of one of ours."""
    authority = root()
    relay(trust=[authority, postfix.TrustedRoot("mail-ca", "certificate of somebody else")])


def another_public_name() -> None:
    """Serve a certificate without the name that clients connect to."""
    relay(public_names=["mx.example.org"])


def two_of_one_kind() -> None:
    """Serve two certificates with keys of one kind."""
    authority = root()
    other = pki.ServerCertificate(
        "mx1-b", authority=authority, dns_names=["mx1.example.org"], key_algorithm="ECDSA-P384"
    )
    relay(certificate=[served(authority), other])


def nothing_served() -> None:
    """Serve an empty list."""
    relay(certificate=[])


def kept_in_a_directory() -> None:
    """Keep what a main.cf says that will be replaced."""
    relay(certificate=postfix.OnHost())


def what_a_key_says() -> None:
    """Route mail by name, past `maps`."""
    relay(parameters={"transport_maps": "hash:/etc/postfix/transport"})


def trust_by_name() -> None:
    """Trust whatever lies in a directory, past `trust`."""
    relay(parameters={"smtpd_tls_CApath": "/etc/ssl/certs"})


MISTAKES: dict[str, tuple[Callable[[], None], str]] = {
    "name": (wrong_name, "hosts.mx1.certificate: mx1 is for mx1.example.org, not for myhostname mx9.example.org"),
    "another public name": (another_public_name, "hosts.mx1.public_names: mx1 is for mx1.example.org, not for mx."),
    "one kind of key": (two_of_one_kind, "hosts.mx1.certificate: mx1-b and mx1 both have ECDSA keys"),
    "nothing served": (nothing_served, "hosts.mx1.certificate: is empty"),
    "kept by nobody": (kept_in_a_directory, "hosts.mx1.server.on_host.chain_files: main.cf will be ours as a whole"),
    "server as client": (server_certificate_as_client, "hosts.mx1.certificate: mx1 is a server certificate; set also"),
    "client as server": (client_certificate_as_server, "hosts.mx1.certificate: carol is for no host name, not for"),
    "level": (wrong_level, "hosts.mx1.server.smtpd_tls_security_level: "),
    "one name": (two_of_one_name, "hosts.mx1: two different certificates are called mx1"),
    "clients of one name": (two_clients_of_one_name, "hosts.mx1.relay_clients: mx2 is the name of 2 different ones"),
    "clients of one host": (two_clients_of_one_host, "hosts.mx1.relay_clients: carol is mx2.example.org as mx2 is"),
    "clients of one address": (
        a_roster_with_the_address_of_a_client,
        "hosts.mx1.relay_rosters: anna is 192.0.2.1 as carol is",
    ),
    "roots of one name": (two_roots_of_one_name, "hosts.mx1.trust: mail-ca is the name of 2 different ones"),
    "routing": (what_a_key_says, "hosts.mx1.parameters.transport_maps: this host's maps.transport_maps decides it"),
    "trust": (trust_by_name, "hosts.mx1.parameters.smtpd_tls_CApath: this host's trust.ca_path decides it"),
    "fingerprint": (no_fingerprint, "hosts.mx1.extra_relay_clients.bob: "),
}


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(("program", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_raised_with_its_place_before_the_host_is_registered(
    program: Callable[[], None], expected: str, *, preview: bool
) -> None:
    """The program stops in the preview already, with a sentence that names the host and the field."""
    registered = []

    def watched() -> None:
        try:
            program()
        except ConfigError as error:
            registered.append(str(error))

    seen = run_program(watched, preview=preview)
    (message,) = registered
    assert any(line.startswith(expected) for line in message.splitlines()), message
    assert not [each for each in seen.registrations if each.type.endswith(("MailServer", "RelayClient"))]


def test_a_wildcard_certificate_serves_every_host_of_its_domain() -> None:
    """`*.example.org` covers one label; a third party often signs such a certificate."""

    def wildcard() -> None:
        certificate = pki.ServerCertificate("any", self_signed=True, dns_names=["*.Example.org"])
        postfix.MailServer("mx1", myhostname="MX1.example.org", certificate=certificate, target=TARGET)

    assert run_program(wildcard).one("MailServer").properties["chains"].keys() == {"any"}


def test_what_a_host_receives_is_handed_on_as_it_is_said() -> None:
    """Domains, maps and restrictions of a mail server, and the first two of a host that only sends."""
    domains = postfix.Domains(mydestination=postfix.DomainList(("example.org",)))
    maps = postfix.Maps(alias_maps=(postfix.LookupTable(rows={"root": "alice@example.org"}),))
    lists = postfix.Restrictions(smtpd_helo_restrictions=("reject_non_fqdn_helo_hostname",))
    declaration = (
        run_program(lambda: relay(domains=domains, maps=maps, restrictions=lists)).one("MailServer").properties
    )["declaration"]
    assert declaration["domains"] == {"mydestination": {"names": ["example.org"]}}
    assert declaration["maps"] == {"alias_maps": [{"rows": {"root": "alice@example.org"}}]}
    assert declaration["restrictions"] == {"smtpd_helo_restrictions": ["reject_non_fqdn_helo_hostname"]}

    def sender() -> None:
        postfix.RelayClient("web", myhostname="web.example.org", target=TARGET, domains=domains, maps=maps)

    sent = run_program(sender).one("RelayClient").properties["declaration"]
    assert (sent["domains"], sent["maps"]) == (declaration["domains"], declaration["maps"])


@pytest.mark.parametrize(
    ("argument", "value", "path"),
    [
        pytest.param("domains", ["example.org"], "domains", id="a list for domains"),
        pytest.param("maps", postfix.Domains(), "maps", id="domains for maps"),
        pytest.param(
            "domains",
            postfix.Domains(mydestination=("example.org",)),  # type: ignore[arg-type]  # a type checker refuses it
            "domains.mydestination",
            id="a tuple for a list of domains",
        ),
        pytest.param(
            "domains",
            postfix.Domains(relay_domains=postfix.DomainList(("*",))),
            "domains.relay_domains.names[0]",
            id="a wildcard",
        ),
        pytest.param(
            "restrictions",
            postfix.Restrictions(smtpd_helo_restrictions=("permit_everybody",)),
            "restrictions.smtpd_helo_restrictions[0]",
            id="an unknown restriction",
        ),
    ],
)
def test_a_mistake_in_what_a_host_receives_is_told_with_its_place(argument: str, value: Any, path: str) -> None:
    """Before anything is registered for the host."""
    with pytest.raises(ConfigError, match=rf"hosts\.mx1\.{re.escape(path)}: "):
        run_program(lambda: relay(**{argument: value}))


def test_a_host_serves_several_certificates_beside_each_other() -> None:
    """A list stands for one certificate of each kind of key."""

    def program() -> None:
        authority = root()
        names = ["mx1.example.org"]
        rsa = pki.ServerCertificate("mx1-rsa", authority=authority, dns_names=names, key_algorithm="RSA-2048")
        postfix.MailServer("mx1", myhostname=names[0], certificate=[served(authority), rsa], target=TARGET)

    properties = run_program(program).one("MailServer").properties
    assert set(properties["chains"]) == {"mx1", "mx1-rsa"}
    assert properties["declaration"]["server"]["certificates"] == ["mx1", "mx1-rsa"]


def test_a_certificate_on_the_host_needs_none_of_ours() -> None:
    """Only that it is there is handed to the provider, and by which names clients connect."""

    def program() -> None:
        relay(
            certificate=postfix.OnHost(),
            public_names=["smtp.example.org"],
            target=postfix.Local("/etc/postfix"),
        )

    server = run_program(program).one("MailServer").properties["declaration"]["server"]
    assert "certificates" not in server
    assert server["public_names"] == ["smtp.example.org"]
    assert "on_host" in server


def submitting(**changes: Any) -> None:
    """Register a relay with a service for mail programs that lets bob in."""
    authority = root()
    people = {
        name: pki.ClientCertificate(name, authority=authority, email=f"{name}@a.test") for name in ("alice", "bob")
    }
    options: dict[str, Any] = {
        "submission": {"submission": postfix.Submission(), "submissions": postfix.Submission(sasl=True)},
        "submission_clients": {"submission": postfix.Admission(clients=[people["bob"]], extra=[])},
    }
    postfix.MailServer(
        "mx1",
        myhostname="mx1.example.org",
        certificate=served(authority),
        target=TARGET,
        relay_clients=[people["alice"]],
        parameters={"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth"},
        **(options | changes),
    )


def test_who_may_submit_is_said_by_service() -> None:
    """A service that no client is named for lets in by login only."""
    properties = run_program(submitting).one("MailServer").properties
    assert {service: list(each["clients"]) for service, each in properties["access"].items()} == {
        "smtp": ["alice"],
        "submission": ["bob"],
    }
    declared = properties["declaration"]["server"]["submission"]
    assert declared["submissions"] == {"client_certificates": False, "sasl": True}
    assert declared["submission"].get("client_certificates", True) is True


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"submission": {"submission": {"sasl": True}}}, "hosts.mx1.submission.submission"),
        ({"submission": [postfix.Submission()]}, "hosts.mx1.submission"),
        ({"submission_clients": {"submission": ["bob"]}}, "hosts.mx1.submission_clients.submission"),
        (
            {"submission_clients": {"submission": postfix.Admission(clients=["bob"])}},  # type: ignore[list-item]
            "hosts.mx1.submission_clients.submission.clients[0]",
        ),
        ({"submission": {"smtps": postfix.Submission(sasl=True)}}, "hosts.mx1.server.submission.smtps"),
        ({"submission": {}, "submission_clients": {"submission": postfix.Admission()}}, ""),
    ],
)
def test_a_wrong_service_is_refused_before_anything_is_registered(changes: dict[str, Any], place: str) -> None:
    """With the place in the arguments; a service without clients and nobody to let in is no mistake."""
    if not place:
        run_program(lambda: submitting(**changes))
        return
    with pytest.raises(ConfigError) as raised:
        run_program(lambda: submitting(**changes))
    assert place in {problem.path for problem in raised.value.problems}


def test_clients_of_a_service_that_is_not_declared_are_refused() -> None:
    """They would be let in nowhere, and nobody would notice."""
    with pytest.raises(ConfigError, match=r"submission_clients\.submission: .*declare the service"):
        run_program(lambda: submitting(submission={}))

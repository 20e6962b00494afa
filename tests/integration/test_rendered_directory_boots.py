"""What is rendered for a host is booted as it is: Postfix takes it without a word and decides as declared."""

import shutil
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from postfix.ca_path import chroot_entries
from postfix.content import ChainContent, HostContent, render_content_files
from postfix.content_checks import problems_of_content
from postfix.host import ClientSide, HostDeclaration, Ownership, ServerSide
from postfix.main_cf import merge
from postfix.parameters import PostfixVersion
from postfix.preflight import problems_of_host
from postfix.receiving import DomainList, Domains
from postfix.rendering import CA_DIRECTORY, render_configuration_files, render_parameters
from postfix.settings import (
    ClientSettings,
    DestinationPolicy,
    RelayPolicy,
    ServerSettings,
    Submission,
    SubmissionName,
    Transport,
)
from postfix.tables import ClientRow
from postseal_core.files.tree import Entry, Symlink
from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.postfix_overlay import RECEIVING_SIDE, SENDING_SIDE
from tests.support.sasl_server import sasl_server
from tests.support.smtp_probe import ProbeResult, probe
from tests.support.test_authority import Credential, ThrowAwayAuthority

pytestmark = pytest.mark.needs_postfix

SERVER_NAME = "mx1.example.test"
NOW = datetime.now(UTC)
NO_NETWORKS = RelayPolicy(networks=())
BY_CERTIFICATE = ServerSettings(relay=NO_NETWORKS)
INSISTING = replace(BY_CERTIFICATE, smtpd_tls_security_level="encrypt", smtpd_tls_req_ccert=True)

# A distribution's main.cf, which a merge leaves alone where nothing is declared.
EXISTING_MAIN_CF = """\
# See /usr/share/postfix/main.cf.dist for a commented, more complete version
compatibility_level = 3.6
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no

# TLS parameters
smtpd_tls_cert_file=/etc/ssl/certs/absent.pem
smtpd_tls_key_file=/etc/ssl/private/absent.key
smtpd_tls_security_level=may
smtp_tls_CApath=/etc/ssl/certs
smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache

smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated,
# a remark in the middle
    defer_unauth_destination
myhostname = localhost
mydestination =
"""


@dataclass(frozen=True, slots=True)
class People:
    """A server and the clients that come to it; only `listed` is in the server's table."""

    authority: ThrowAwayAuthority
    server: Credential
    listed: Credential
    unlisted: Credential
    expired: Credential
    foreign: Credential

    @property
    def refused(self) -> dict[str, Credential | None]:
        """The clients that must not relay."""
        return {"unlisted": self.unlisted, "expired": self.expired, "foreign": self.foreign, "none": None}


@pytest.fixture(scope="module")
def people(authority: ThrowAwayAuthority) -> People:
    """Return fresh certificates of one throw-away authority, and one of another."""
    return People(
        authority=authority,
        server=authority.issue_server(SERVER_NAME, "127.0.0.1"),
        listed=authority.issue_client("listed.example.test"),
        unlisted=authority.issue_client("unlisted.example.test"),
        expired=authority.issue_expired_client("listed.example.test"),
        foreign=authority.issue_foreign_client("listed.example.test"),
    )


def chain_content(credential: Credential) -> ChainContent:
    """Return a credential as the renderer takes it."""
    certificate = x509.load_pem_x509_certificate(credential.certificate_pem.encode())
    return ChainContent(credential.private_key_pem, (certificate,))


def host_content(people: People, **chains: Credential) -> HostContent:
    """Return the content of a host with these chains, that trusts the authority and lists the one client."""
    row = ClientRow(people.listed.fingerprint_sha256, "listed", 1, NOW + timedelta(days=30))
    root = x509.load_pem_x509_certificate(people.authority.certificate_pem.encode())
    return HostContent({name: chain_content(each) for name, each in chains.items()}, (root,), {"smtp": (row,)})


def write_entries(directory: Path, entries: Sequence[Entry]) -> Path:
    """Write rendered files below `directory`; a directory that holds a private file is private, as on a host."""
    for entry in entries:
        path = directory / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry, Symlink):
            path.symlink_to(entry.target)
            continue
        path.write_bytes(entry.content)
        path.chmod(entry.mode)
        if not entry.mode & 0o077:
            path.parent.chmod(0o700)
    return directory


def rendered(directory: Path, host: HostDeclaration, content: HostContent) -> Path:
    """Write everything that is rendered for a host that the pre-flight has nothing to say about."""
    entries = [*render_configuration_files(host), *render_content_files(host, content)]
    assert problems_of_host(host) == []
    assert problems_of_content(host, entries, now=NOW) == []
    return write_entries(directory, entries)


def server_host(settings: ServerSettings, **fields: object) -> HostDeclaration:
    """Return a host that only receives."""
    side = ServerSide(settings, ("mx1",))
    nowhere = Domains(mydestination=DomainList())
    return replace(HostDeclaration("mx1", SERVER_NAME, server=side, domains=nowhere), **fields)  # type: ignore[arg-type]


def verified_probe(instance: PostfixInstance, people: People, client: Credential | None) -> ProbeResult:
    """Probe as a client that verifies the server, and see that it serves the declared certificate."""
    authority_pem = people.authority.certificate_pem
    seen = probe(instance.port, client_certificate=client, server_name=SERVER_NAME, ca=authority_pem)
    assert seen.served_fingerprint_sha256 == people.server.fingerprint_sha256
    return seen


def outcome(seen: ProbeResult) -> int | str:
    """Return the code of the last reply, or that the server hung up."""
    last = seen.rcpt or seen.mail_from
    return "cut off" if seen.is_cut_off or last is None else last.code


DENIED = {"unlisted": 554, "expired": 554, "foreign": 554, "none": 554}
# A trusted client is heard out; whoever has a bad certificate, or none, is not.
NOT_HEARD = {"unlisted": 554, "expired": "cut off", "foreign": "cut off", "none": "cut off"}


@pytest.mark.parametrize(
    ("settings", "fields", "outcomes"),
    [
        pytest.param(BY_CERTIFICATE, {}, DENIED, id="defaults"),
        pytest.param(
            replace(BY_CERTIFICATE, smtpd_tls_security_level="encrypt"), {"table_type": "hash"}, DENIED, id="encrypt"
        ),
        pytest.param(INSISTING, {"table_type": "lmdb"}, NOT_HEARD, id="required-by-file"),
        pytest.param(
            replace(INSISTING, ca_path=True), {"table_type": "btree"}, NOT_HEARD, id="required-by-directory-in-chroot"
        ),
        pytest.param(replace(BY_CERTIFICATE, ca_file=False), {}, DENIED, id="no-roots"),
        pytest.param(
            replace(BY_CERTIFICATE, relay=replace(NO_NETWORKS, restrict_recipients=True)),
            {},
            DENIED,
            id="recipients-too",
        ),
        pytest.param(replace(BY_CERTIFICATE, smtpd_tls_protocols="TLSv1.2"), {}, DENIED, id="one-protocol"),
        pytest.param(
            replace(BY_CERTIFICATE, smtpd_tls_session_cache_database="btree:$data_directory/smtpd_scache"),
            {"postfix_version": PostfixVersion(3, 7)},
            DENIED,
            id="session-cache",
        ),
    ],
)
def test_only_the_listed_client_relays(
    tmp_path: Path,
    postfix_instance: Boot,
    people: People,
    settings: ServerSettings,
    fields: Mapping[str, object],
    outcomes: Mapping[str, int | str],
) -> None:
    """Each way to declare a server serves its certificate, admits the listed client only, and logs no fault."""
    directory = rendered(tmp_path, server_host(settings, **fields), host_content(people, mx1=people.server))
    # The rendered networks stay, unlike those of other private instances.
    instance = postfix_instance(directory, overrides={"mynetworks": None})
    assert verified_probe(instance, people, people.listed).may_relay
    refused = {name: outcome(verified_probe(instance, people, client)) for name, client in people.refused.items()}
    assert refused == outcomes
    assert instance.complaints() == []


def test_users_networks_and_certificates_each_suffice(tmp_path: Path, postfix_instance: Boot, people: People) -> None:
    """Whoever logs in over TLS or shows a listed certificate relays; a wrong password and nothing at all do not."""
    relay = RelayPolicy(sasl=True, networks=("192.0.2.0/24",))
    with sasl_server({"alice": "correct horse"}) as server:
        host = server_host(ServerSettings(relay=relay))
        host = replace(host, parameters=server.parameters, unchecked=tuple(server.parameters))
        directory = rendered(tmp_path, host, host_content(people, mx1=people.server))
        instance = postfix_instance(directory, overrides={"mynetworks": None})
        assert probe(instance.port, login=("alice", "correct horse")).may_relay
        assert probe(instance.port, client_certificate=people.listed).may_relay
        assert not probe(instance.port).may_relay
        assert instance.complaints() == []


def test_declared_networks_relay_without_a_certificate(tmp_path: Path, postfix_instance: Boot, people: People) -> None:
    """Loopback relays where it is declared, even in clear text."""
    host = server_host(ServerSettings(relay=RelayPolicy(networks=("127.0.0.0/8",))))
    directory = rendered(tmp_path, host, host_content(people, mx1=people.server))
    instance = postfix_instance(directory, overrides={"mynetworks": None})
    assert probe(instance.port, tls="none").may_relay


def test_a_merge_puts_the_declaration_in_force_on_an_existing_host(
    tmp_path: Path, postfix_instance: Boot, people: People
) -> None:
    """Foreign settings that rival the declared ones give way; the rest of main.cf and all of master.cf stay."""
    host = server_host(BY_CERTIFICATE, ownership=Ownership.MERGE, client=ClientSide(ClientSettings()))
    directory = rendered(tmp_path, host, host_content(people, mx1=people.server))
    (directory / "main.cf").write_text(merge(EXISTING_MAIN_CF, render_parameters(host)))
    instance = postfix_instance(directory, overrides={"mynetworks": None})
    assert verified_probe(instance, people, people.listed).may_relay
    assert not verified_probe(instance, people, None).may_relay
    assert instance.complaints() == []


def test_a_chrooted_server_finds_its_roots_in_the_copy_for_the_jail(
    tmp_path: Path, postfix_instance: Boot, people: People
) -> None:
    """Below queue_directory the copy is all that a chrooted smtpd sees: without it nobody is trusted."""
    host, content = server_host(replace(INSISTING, ca_path=True)), host_content(people, mx1=people.server)
    instance = postfix_instance(rendered(tmp_path, host, content), overrides={"mynetworks": None})
    roots = [entry for entry in render_content_files(host, content) if entry.path.startswith(f"{CA_DIRECTORY}/")]
    copies = chroot_entries(roots, config_directory=str(instance.config_directory))
    shutil.rmtree(instance.queue_directory / str(instance.config_directory).strip("/") / CA_DIRECTORY)
    assert outcome(verified_probe(instance, people, people.listed)) == "cut off"
    write_entries(instance.queue_directory, copies)
    assert verified_probe(instance, people, people.listed).may_relay
    assert outcome(verified_probe(instance, people, people.foreign)) == "cut off"


def transports_to(port: int, people: People) -> tuple[Transport, ...]:
    """Return one transport for each way of protecting mail to a server on loopback, named after its domain."""
    next_hop = f"[127.0.0.1]:{port}"
    return (
        Transport("t-secure", ("secure.test",), "alice", "secure", (SERVER_NAME,), next_hop),
        Transport("t-print", ("print.test",), "alice", "fingerprint", (people.server.fingerprint_sha256,), next_hop),
        Transport("t-wrong", ("wrong.test",), "alice", "secure", ("mx2.example.test",), next_hop),
        Transport("t-other", ("other.test",), "alice", "fingerprint", (people.listed.fingerprint_sha256,), next_hop),
        Transport("t-bare", ("bare.test",), "", "encrypt", (), next_hop),
        Transport("t-stranger", ("stranger.test",), "stranger", "secure", (SERVER_NAME,), next_hop),
    )


def test_mail_goes_out_by_client_certificate_to_the_right_server_only(
    tmp_path: Path, postfix_instance: Boot, people: People
) -> None:
    """Verified servers get mail from the certified client; a server with another name or key gets nothing.

    Each transport shows its own certificate: that of a client which is not listed is refused, as none at all is.
    """
    server = rendered(tmp_path / "server", server_host(BY_CERTIFICATE), host_content(people, mx1=people.server))
    receiver = postfix_instance(server, overrides=RECEIVING_SIDE)
    settings = ClientSettings(
        relayhost=f"[127.0.0.1]:{receiver.port}",
        policies=(DestinationPolicy(f"[127.0.0.1]:{receiver.port}", "secure", (SERVER_NAME,)),),
    )
    through_relay = HostDeclaration("out", "out.example.test", client=ClientSide(settings, ("alice",)))
    by_transport = replace(
        through_relay,
        client=ClientSide(ClientSettings(transports=transports_to(receiver.port, people))),
        table_type="hash",
    )
    content = host_content(people, alice=people.listed, stranger=people.unlisted)

    sender = postfix_instance(rendered(tmp_path / "relay", through_relay, content), overrides=SENDING_SIDE)
    delivery = sender.send("someone@anywhere.test")
    assert (delivery.status, delivery.trust) == ("sent", "Verified")
    assert sender.complaints() == []

    sender = postfix_instance(rendered(tmp_path / "transports", by_transport, content), overrides=SENDING_SIDE)
    domains = ("secure", "print", "wrong", "other", "bare", "stranger")
    outcomes = {domain: sender.send(f"someone@{domain}.test") for domain in domains}
    assert {domain: (outcome.status, outcome.dsn) for domain, outcome in outcomes.items()} == {
        "secure": ("sent", "2.0.0"),
        "print": ("sent", "2.0.0"),
        "wrong": ("deferred", "4.7.5"),
        "other": ("deferred", "4.7.5"),
        "bare": ("SOFTBOUNCE", "4.7.1"),
        "stranger": ("SOFTBOUNCE", "4.7.1"),
    }
    assert outcomes["secure"].trust == outcomes["print"].trust == "Verified"
    assert sender.complaints() == receiver.complaints() == []


@pytest.mark.parametrize(("server_is_listed", "status"), [(True, "sent"), (False, "deferred")])
def test_a_policy_row_lets_mail_through_to_listed_fingerprints_only(
    tmp_path: Path, postfix_instance: Boot, people: People, *, server_is_listed: bool, status: str
) -> None:
    """A row may name an old and a new fingerprint; mail is deferred if the server has neither."""
    server = rendered(tmp_path / "server", server_host(ServerSettings()), host_content(people, mx1=people.server))
    receiver = postfix_instance(server, overrides={**RECEIVING_SIDE, "mynetworks": "127.0.0.0/8"})
    hop, others = f"[127.0.0.1]:{receiver.port}", (people.listed.fingerprint_sha256, people.foreign.fingerprint_sha256)
    match = (others[0], people.server.fingerprint_sha256 if server_is_listed else others[1])
    settings = ClientSettings(relayhost=hop, policies=(DestinationPolicy(hop, "fingerprint", match),))
    host = HostDeclaration("out", "out.example.test", client=ClientSide(settings))
    sender = postfix_instance(rendered(tmp_path / "relay", host, host_content(people)), overrides=SENDING_SIDE)
    assert sender.send("someone@elsewhere.test").status == status


WRAPPED = {"wrapped": {"smtpd_tls_wrappermode": "yes"}}


def outgoing(hop: str, *policies: DestinationPolicy, **settings: object) -> HostDeclaration:
    """Return a host that sends everything to one next hop, with the listed client's certificate."""
    client = ClientSettings(relayhost=hop, policies=policies, **settings)  # type: ignore[arg-type]
    return HostDeclaration("out", "out.example.test", client=ClientSide(client, ("alice",)))


def test_mail_begins_with_tls_where_the_next_hop_does(tmp_path: Path, postfix_instance: Boot, people: People) -> None:
    """A transport beside it speaks STARTTLS as before; begun so at a server that greets first, no mail gets through."""
    server = rendered(tmp_path / "server", server_host(BY_CERTIFICATE), host_content(people, mx1=people.server))
    receiver = postfix_instance(server, servers=WRAPPED, overrides=RECEIVING_SIDE)
    wrapped, plain = (f"[127.0.0.1]:{receiver.ports[name]}" for name in ("wrapped", "smtp"))
    policies = tuple(DestinationPolicy(hop, "secure", (SERVER_NAME,)) for hop in (wrapped, plain))
    transports = (
        Transport("t-starttls", ("starttls.test",), "alice", "secure", (SERVER_NAME,), plain),
        Transport(
            "t-mistaken", ("mistaken.test",), "alice", "secure", (SERVER_NAME,), plain, smtp_tls_wrappermode=True
        ),
    )
    host = outgoing(wrapped, *policies, transports=transports, smtp_tls_wrappermode=True)
    content = host_content(people, alice=people.listed)
    sender = postfix_instance(rendered(tmp_path / "relay", host, content), overrides=SENDING_SIDE)
    outcomes = {domain: sender.send(f"someone@{domain}.test") for domain in ("anywhere", "starttls", "mistaken")}
    assert {domain: each.status for domain, each in outcomes.items()} == {
        "anywhere": "sent",
        "starttls": "sent",
        "mistaken": "deferred",
    }
    assert outcomes["anywhere"].trust == outcomes["starttls"].trust == "Verified"


def test_every_attribute_of_a_policy_is_taken_by_postfix(
    tmp_path: Path, postfix_instance: Boot, people: People
) -> None:
    """One that the server cannot agree to defers the mail, so they are in force and not only taken."""
    server = rendered(tmp_path / "server", server_host(BY_CERTIFICATE), host_content(people, mx1=people.server))
    receiver = postfix_instance(server, overrides={**RECEIVING_SIDE, "smtpd_tls_protocols": ">=TLSv1.3"})
    hop = f"[127.0.0.1]:{receiver.port}"
    agreed = DestinationPolicy(
        hop,
        "secure",
        (SERVER_NAME,),
        protocols=">=TLSv1.2, !TLSv1.1",
        ciphers="high",
        exclude=("aNULL", "MD5"),
        servername=SERVER_NAME,
        connection_reuse=True,
    )
    content = host_content(people, alice=people.listed)
    for name, policy, status in (("agreed", agreed, "sent"), ("old", replace(agreed, protocols="TLSv1.2"), "deferred")):
        directory = rendered(tmp_path / name, outgoing(hop, policy), content)
        sender = postfix_instance(directory, overrides=SENDING_SIDE)
        assert (name, sender.send("someone@anywhere.test").status) == (name, status)
        # The first is about a server that this host does not have, the second is the handshake that fails.
        expected = ("TLS server role is disabled", "TLS library problem")
        assert [line for line in sender.complaints() if not any(words in line for words in expected)] == [], name


def test_an_address_at_a_level_that_looks_for_a_name_is_refused_and_would_defer(
    tmp_path: Path, postfix_instance: Boot, people: People
) -> None:
    """The server's certificate even holds the address; with the name under match the same mail is sent."""
    server = rendered(tmp_path / "server", server_host(BY_CERTIFICATE), host_content(people, mx1=people.server))
    receiver = postfix_instance(server, overrides=RECEIVING_SIDE)
    hop = f"[127.0.0.1]:{receiver.port}"
    content = host_content(people, alice=people.listed)
    refused = outgoing(hop, smtp_tls_security_level="secure")
    assert [problem.path for problem in problems_of_host(refused)] == ["client.relayhost"]
    entries = [*render_configuration_files(refused), *render_content_files(refused, content)]
    sender = postfix_instance(write_entries(tmp_path / "refused", entries), overrides=SENDING_SIDE)
    assert (sender.send("someone@anywhere.test").status, sender.complaints()) == ("deferred", [])
    named = outgoing(hop, DestinationPolicy(hop, "secure", (SERVER_NAME,)), smtp_tls_security_level="secure")
    sender = postfix_instance(rendered(tmp_path / "named", named, content), overrides=SENDING_SIDE)
    assert sender.send("someone@anywhere.test").status == "sent"


def test_each_service_for_mail_programs_lets_in_whom_it_names(
    tmp_path: Path, postfix_instance: Boot, people: People
) -> None:
    """A certificate of port 25, a network, no certificate and plain text get nowhere, not even to a local user."""
    submitter = people.authority.issue_client("submitter.example.test")
    networks = RelayPolicy(networks=("127.0.0.0/8",))
    with sasl_server({"alice": "correct horse"}) as logins:
        host = server_host(ServerSettings(relay=networks), parameters=logins.parameters)
        services: dict[SubmissionName, Submission] = {
            "submission": Submission(sasl=True),
            "submissions": Submission(client_certificates=False, sasl=True),
        }
        assert host.server
        host = replace(host, unchecked=tuple(logins.parameters), server=replace(host.server, submission=services))
        content = host_content(people, mx1=people.server)
        rows = (ClientRow(submitter.fingerprint_sha256, "submitter", 1, NOW + timedelta(days=30)),)
        content = replace(content, clients={**content.clients, "submission": rows})
        instance = postfix_instance(rendered(tmp_path, host, content), overrides={"mynetworks": None})
        login, ports = ("alice", "correct horse"), instance.ports

        def ask(service: str, client: Credential | None = None, **how: Any) -> int | str:
            implicit = {"tls": "implicit"} if service == "submissions" else {}
            return outcome(probe(ports[service], client_certificate=client, **{**implicit, **how}))

        assert (ask("submission", submitter), ask("submission", login=login)) == (250, 250)
        assert ask("submissions", login=login) == 250
        assert ask("smtp") == ask("smtp", people.listed) == 250
        refused = {
            "listed for port 25": ask("submission", people.listed),
            "unlisted": ask("submission", people.unlisted),
            "neither": ask("submission"),
            "neither, to this host": ask("submission", rcpt=f"someone@{SERVER_NAME}"),
            "a certificate where users log in": ask("submissions", submitter),
        }
        assert refused == dict.fromkeys(refused, 554)
        assert probe(ports["submission"], tls="none").mail_from is not None
        assert probe(ports["submission"], tls="none").mail_from.code == 530  # type: ignore[union-attr]  # seen above
        assert instance.complaints() == []


def test_a_certificate_and_a_login_are_both_needed_where_it_is_said(
    tmp_path: Path, postfix_instance: Boot, people: People
) -> None:
    """Each alone is refused, and so is a login with a certificate that is not listed."""
    with sasl_server({"alice": "correct horse"}) as logins:
        host = server_host(BY_CERTIFICATE, parameters=logins.parameters, unchecked=tuple(logins.parameters))
        assert host.server
        both: dict[SubmissionName, Submission] = {"submission": Submission(sasl=True, needs_both=True)}
        host = replace(host, server=replace(host.server, submission=both))
        content = host_content(people, mx1=people.server)
        content = replace(content, clients={**content.clients, "submission": content.clients_of("smtp")})
        port = postfix_instance(rendered(tmp_path, host, content)).ports["submission"]
        login = ("alice", "correct horse")
        assert probe(port, client_certificate=people.listed, login=login).may_relay
        for client, user in ((people.listed, None), (None, login), (people.unlisted, login)):
            assert outcome(probe(port, client_certificate=client, login=user)) == 554


def test_a_list_for_data_of_the_host_keeps_nobody_out_who_submits(
    tmp_path: Path, postfix_instance: Boot, people: People
) -> None:
    """At port 25 it refuses the same client."""
    host = server_host(BY_CERTIFICATE)
    assert host.server
    services: dict[SubmissionName, Submission] = {"submission": Submission()}
    host = replace(host, server=replace(host.server, submission=services))
    content = host_content(people, mx1=people.server)
    content = replace(content, clients={**content.clients, "submission": content.clients_of("smtp")})
    directory = rendered(tmp_path, host, content)
    instance = postfix_instance(directory, overrides={"smtpd_data_restrictions": "reject"})
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(people.listed.write_chain(tmp_path / "client.pem"))
    answers = {}
    for service in ("smtp", "submission"):
        with smtplib.SMTP("127.0.0.1", instance.ports[service], "probe.test", timeout=30) as session:
            session.starttls(context=context)
            session.ehlo()
            assert session.mail("probe@probe.test")[0] == session.rcpt("someone@elsewhere.test")[0] == 250
            answers[service] = session.docmd("DATA")[0]
            session.close()
    assert answers == {"smtp": 554, "submission": 354}


def test_policies_of_parents_are_looked_up_for_bare_names_and_rows_without_next_hop(
    tmp_path: Path, postfix_instance: Boot
) -> None:
    """Where the wrong row is looked up, mail is deferred before anybody is connected to; elsewhere nobody listens."""
    # A name with a parent that needs no resolver: 127.0.0.2, as inet_aton(3) has it.
    name, misconfigured = "0x7f.2", "4.7.5"
    row = (DestinationPolicy(".2", "encrypt"),)
    transports = (Transport("t-a", (name,), "", "encrypt"),)
    cases = (
        (ClientSettings(relayhost=name, policies=row), "a@anywhere.test", True),
        (ClientSettings(relayhost="[127.0.0.2]:9", policies=row, transports=transports), f"a@{name}", True),
        (ClientSettings(relayhost=f"[{name}]", policies=row), "a@anywhere.test", False),
        (ClientSettings(relayhost=f"{name}:25", policies=row), "a@anywhere.test", False),
    )
    for index, (settings, recipient, is_looked_up) in enumerate(cases):
        host = HostDeclaration("out", "out.example.test", client=ClientSide(replace(settings, ca_file=False)))
        assert (problems_of_host(host) == []) == is_looked_up
        directory = write_entries(tmp_path / str(index), render_configuration_files(host))
        (directory / "tls_policy").write_text(".2 no-level\n")
        sender = postfix_instance(directory, overrides={**SENDING_SIDE, "smtp_host_lookup": "native"})
        assert (sender.send(recipient).dsn == misconfigured) == is_looked_up, index

"""Declared hosts render to the complete files in tests/golden/postfix.

`REFRESH_GOLDEN=1 pytest tests/unit/test_postfix_rendering.py` writes those files anew; review the difference.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from postfix.host import ClientSide, HostDeclaration, Ownership, ServerSide, certificate_names
from postfix.main_cf import merge
from postfix.master_cf import merge_services
from postfix.parameters import PostfixVersion
from postfix.preflight import problems_of_host
from postfix.rendering import render_configuration_files, render_parameters, render_services_of, table_names
from postfix.settings import ClientSettings, DestinationPolicy, RelayPolicy, ServerSettings, Transport
from postseal_core.errors import ConfigError

GOLDEN = Path(__file__).parents[1] / "golden" / "postfix"
FINGERPRINTS = tuple(":".join([pair] * 32) for pair in ("AA", "BB"))

RELAY = HostDeclaration("mx1", "mx1.example.org", ServerSide(ServerSettings(), ("mx1",)))
SUBMISSION = HostDeclaration(
    "submit",
    "submit.example.org",
    ServerSide(
        ServerSettings(
            smtpd_tls_security_level="encrypt",
            smtpd_tls_req_ccert=True,
            smtpd_tls_protocols=">=TLSv1.3",
            smtpd_tls_received_header=False,
            smtpd_tls_loglevel=2,
            smtpd_tls_session_cache_database="lmdb:$data_directory/smtpd_scache",
            ca_path=True,
            relay=RelayPolicy(
                sasl=True,
                networks=("192.0.2.0/24",),
                wide_networks=("[2001:db8::]/32",),
                restrict_recipients=True,
            ),
        ),
        ("submit-ecdsa", "submit-rsa"),
    ),
    parameters={"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth", "smtpd_banner": "$myhostname ESMTP"},
    table_type="lmdb",
    postfix_version=PostfixVersion(3, 9),
)
SENDER = HostDeclaration(
    "out",
    "out.example.org",
    client=ClientSide(
        ClientSettings(
            smtp_tls_security_level="dane",
            smtp_tls_loglevel=("routine", "peercert"),
            relayhost="[hub.example.org]:587",
            policies=(
                DestinationPolicy("[mx.pinned.example]", "fingerprint", FINGERPRINTS),
                DestinationPolicy("[hub.example.org]:587", "secure", ("hub.example.org", ".hubs.example.org")),
                DestinationPolicy("bare.example", "encrypt", protocols=">=TLSv1.3", exclude=("aNULL", "MD5")),
            ),
            transports=(
                Transport("t-bank", ("bank.example", ".bank.example"), "bank", match=("mx.bank.example",)),
                Transport("t-pinned", ("pinned.example",), "bank", "fingerprint", FINGERPRINTS, "[mx.pinned.example]"),
                Transport("t-bare", ("bare.example",), smtp_tls_security_level="encrypt"),
            ),
        ),
        ("out",),
    ),
)
BOTH = HostDeclaration(
    "mx2",
    "mx2.example.org",
    ServerSide(ServerSettings(ca_file=False, relay=RelayPolicy(networks=())), ("mx2",)),
    ClientSide(ClientSettings(present_server_certificate=True, smtp_tls_CAfile="/etc/ssl/certs/ca-certificates.crt")),
    ownership=Ownership.MERGE,
)
HOSTS = {"relay": RELAY, "submission": SUBMISSION, "sender": SENDER, "merged": BOTH}
EXISTING_MAIN_CF = """\
# Site file
myhostname = old.example.org
smtpd_tls_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem
# trusts everybody
smtp_tls_CApath=/etc/ssl/certs
smtpd_relay_restrictions = permit_mynetworks,
    reject
"""


def files_of(host: HostDeclaration) -> dict[str, str]:
    """Return every file that is rendered without certificates; under MERGE main.cf is merged into a small one."""
    files = {entry.path: entry.content.decode() for entry in render_configuration_files(host)}
    if host.ownership is Ownership.MERGE:
        files["main.cf"] = merge(EXISTING_MAIN_CF, render_parameters(host))
        files["master.cf"] = merge_services("smtp inet n - y - - smtpd\n", render_services_of(host))
    return files


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_renders_to_its_golden_files(name: str) -> None:
    """Every file is as it was reviewed, and there are no others."""
    files = {f"{name}.{path}": text for path, text in files_of(HOSTS[name]).items()}
    if os.environ.get("REFRESH_GOLDEN") == "1":
        GOLDEN.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            (GOLDEN / path).write_text(text)
    assert files == {path.name: path.read_text() for path in GOLDEN.glob(f"{name}.*")}


@pytest.mark.parametrize("name", HOSTS)
def test_the_golden_hosts_have_no_problems(name: str) -> None:
    """What is shown as an example can be deployed."""
    assert problems_of_host(HOSTS[name]) == []


@pytest.mark.parametrize(
    ("host", "certificates", "tables"),
    [
        (RELAY, ("mx1",), ("relay_clientcerts",)),
        (SUBMISSION, ("submit-ecdsa", "submit-rsa"), ("relay_clientcerts",)),
        (SENDER, ("out", "bank"), ("transport", "tls_policy")),
        (BOTH, ("mx2",), ("relay_clientcerts",)),
    ],
    ids=HOSTS,
)
def test_a_host_names_its_certificates_and_tables(
    host: HostDeclaration, certificates: tuple[str, ...], tables: tuple[str, ...]
) -> None:
    """Each certificate is named once, and each table that postmap may have to compile."""
    assert certificate_names(host) == certificates
    assert table_names(host) == tables


def server(**changes: object) -> HostDeclaration:
    """Return the relay with other server settings."""
    return replace(RELAY, server=ServerSide(replace(ServerSettings(), **changes), ("mx1",)))  # type: ignore[arg-type]


def relaying(**changes: object) -> HostDeclaration:
    """Return the relay with another relay policy."""
    return server(relay=replace(RelayPolicy(), **changes))  # type: ignore[arg-type]


def client(*certificates: str, **changes: object) -> HostDeclaration:
    """Return the relay with a sending side."""
    return replace(RELAY, client=ClientSide(replace(ClientSettings(), **changes), certificates))  # type: ignore[arg-type]


def transport(**changes: object) -> HostDeclaration:
    """Return the relay with one transport."""
    changed = replace(Transport("t-a", ("example.net",)), **changes)  # type: ignore[arg-type]
    return client(transports=(changed,))


PROBLEMS: list[tuple[HostDeclaration, str]] = [
    (replace(RELAY, myhostname="mx1_example"), "myhostname"),
    (replace(RELAY, table_type="dbm"), "table_type"),  # type: ignore[arg-type]  # a stack file may hold any word
    (replace(RELAY, compatibility_level="3.6a"), "compatibility_level"),
    (replace(RELAY, server=ServerSide(ServerSettings(), ())), "server.certificates"),
    (replace(RELAY, server=ServerSide(ServerSettings(), ("mx1", "mx1"))), "server.certificates"),
    (replace(RELAY, server=ServerSide(ServerSettings(), ("ca",))), "certificates"),
    (replace(RELAY, server=ServerSide(ServerSettings(), ("../mx1",))), "certificates"),
    (replace(RELAY, parameters={"smtpd_tls_security_level": "none"}), "parameters.smtpd_tls_security_level"),
    (replace(RELAY, parameters={"relay_clientcerts": "hash:/etc/clients"}), "parameters.relay_clientcerts"),
    (replace(RELAY, parameters={"smtpd_tls_cert_file": "/etc/a.pem"}), "parameters.smtpd_tls_cert_file"),
    (replace(RELAY, parameters={"smtpd_tls_dh": "x"}), "parameters.smtpd_tls_dh"),
    (server(smtpd_tls_security_level="none"), "server.smtpd_tls_security_level"),
    (server(smtpd_tls_security_level="secure"), "server.smtpd_tls_security_level"),
    (server(smtpd_tls_ask_ccert=False), "server.smtpd_tls_ask_ccert"),
    (server(smtpd_tls_req_ccert=True), "server.smtpd_tls_req_ccert"),
    (
        server(smtpd_tls_security_level="encrypt", smtpd_tls_req_ccert=True, ca_file=False),
        "server.smtpd_tls_req_ccert",
    ),
    (server(smtpd_tls_protocols="TLSv1.2+"), "server.smtpd_tls_protocols"),
    (server(smtpd_tls_loglevel=7), "server.smtpd_tls_loglevel"),
    (server(smtpd_tls_loglevel=("1", "peercerts")), "server.smtpd_tls_loglevel"),
    (
        replace(server(smtpd_tls_loglevel=("1", "trace")), postfix_version=PostfixVersion(3, 11)),
        "server.smtpd_tls_loglevel",
    ),
    (server(smtpd_tls_loglevel=()), "server.smtpd_tls_loglevel"),
    (server(smtpd_tls_session_cache_database="hash:/x"), "server.smtpd_tls_session_cache_database"),
    (relaying(networks=("0.0.0.0/0",)), "server.relay.networks[0]"),
    (relaying(networks=("[::]/0",)), "server.relay.networks[0]"),
    (relaying(networks=("0.0.0.0/1", "128.0.0.0/1")), "server.relay.networks[0]"),
    (relaying(networks=("[2000::]/3",)), "server.relay.networks[0]"),
    (relaying(networks=("192.0.2.1/24",)), "server.relay.networks[0]"),
    (relaying(networks=("2001:db8::/32",)), "server.relay.networks[0]"),
    (relaying(networks=("[192.0.2.0]/24",)), "server.relay.networks[0]"),
    (relaying(networks=("example.org",)), "server.relay.networks[0]"),
    (client(smtp_tls_security_level="mandatory"), "client.smtp_tls_security_level"),
    (client(smtp_tls_security_level="fingerprint"), "client.smtp_tls_security_level"),
    (client("out", smtp_tls_security_level="none"), "client.smtp_tls_security_level"),
    (client("out", present_server_certificate=True), "client.present_server_certificate"),
    (replace(client(present_server_certificate=True), server=None), "client.present_server_certificate"),
    (client("out", "out"), "client.certificates"),
    (client(smtp_tls_security_level="secure", ca_file=False), "client.ca_file"),
    (client(smtp_tls_CAfile="ca.pem"), "client.smtp_tls_CAfile"),
    (client(relayhost="a\nb"), "client.relayhost"),
    (client(policies=(DestinationPolicy("example.net", "may", ("x",)),)), "client.policies.example.net"),
    (client(policies=(DestinationPolicy("example.net", "safe"),)), "client.policies.example.net"),  # type: ignore[arg-type]  # as above
    (client(policies=(DestinationPolicy("example.net", "fingerprint", ("AA:BB",)),)), "client.policies.example.net"),
    (client(policies=(DestinationPolicy("a", "encrypt"), DestinationPolicy("A", "may"))), "tls_policy.'a'"),
    (transport(name="t a"), "client.transports.t a"),
    (transport(name="relay"), "client.transports.relay"),
    (transport(destinations=()), "client.transports.t-a"),
    (transport(destinations=("a b",)), "client.transports.t-a"),
    (transport(next_hop="a b"), "client.transports.t-a"),
    (transport(certificate="out", smtp_tls_security_level="none"), "client.transports.t-a"),
    (transport(match=("a|b",)), "client.transports.t-a"),
]


@pytest.mark.parametrize(("host", "path"), PROBLEMS)
def test_a_wrong_declaration_is_told_where_it_stands(host: HostDeclaration, path: str) -> None:
    """Every problem names the place in the declaration that has to change."""
    assert {problem.path for problem in problems_of_host(host)} >= {path}


def test_a_free_form_parameter_may_say_the_same_or_add_tables() -> None:
    """Agreement is no contradiction, and lists of tables may be longer where a reviewer sees it."""
    tables = "lmdb:/etc/postfix/more, texthash:$config_directory/relay_clientcerts"
    parameters = {"smtpd_tls_ask_ccert": "yes", "relay_clientcerts": tables}
    host = replace(RELAY, parameters=parameters, unchecked=("relay_clientcerts",))
    assert problems_of_host(host) == []
    assert render_parameters(host)["relay_clientcerts"] == tables
    same = {"relay_clientcerts": "texthash:$config_directory/relay_clientcerts"}
    assert problems_of_host(replace(RELAY, parameters=same)) == []


@pytest.mark.parametrize("table", ["static:x", "regexp:/etc/postfix/any", "pcre:/etc/postfix/any", "tcp:[::1]:5000"])
def test_no_further_table_may_admit_clients_that_nobody_listed(table: str) -> None:
    """A table that answers for every fingerprint would let anybody relay who has a certificate."""
    tables = f"texthash:$config_directory/relay_clientcerts, {table}"
    host = replace(RELAY, parameters={"relay_clientcerts": tables}, unchecked=("relay_clientcerts",))
    assert [problem.path for problem in problems_of_host(host)] == ["parameters.relay_clientcerts"]


@pytest.mark.parametrize(
    ("policy", "restrictions"),
    [
        (RelayPolicy(), "permit_mynetworks, permit_tls_clientcerts, reject_unauth_destination"),
        (RelayPolicy(client_certificates=False), "permit_mynetworks, reject_unauth_destination"),
        (RelayPolicy(networks=()), "permit_tls_clientcerts, reject_unauth_destination"),
        (
            RelayPolicy(sasl=True),
            "permit_mynetworks, permit_sasl_authenticated, permit_tls_clientcerts, reject_unauth_destination",
        ),
        (RelayPolicy(client_certificates=False, networks=()), "reject_unauth_destination"),
    ],
)
def test_restrictions_end_with_the_refusal(policy: RelayPolicy, restrictions: str) -> None:
    """Whoever may relay is permitted first; nobody else gets past the last restriction."""
    parameters = render_parameters(server(relay=policy))
    assert parameters["smtpd_relay_restrictions"] == restrictions
    assert parameters["mynetworks"] == " ".join(policy.networks)


@pytest.mark.parametrize(
    ("version", "declared", "level"),
    [(None, "", "3.6"), ("3.11", "", "3.11"), ("3.11", "3.7", "3.7")],
)
def test_the_compatibility_level_fits_the_host(version: str | None, declared: str, level: str) -> None:
    """The level is always written, because the digest of fingerprints hangs on it."""
    known = PostfixVersion.from_text(version) if version else None
    host = replace(RELAY, postfix_version=known, compatibility_level=declared)
    assert render_parameters(host)["compatibility_level"] == level


def test_nothing_is_rendered_that_would_not_stay_one_definition() -> None:
    """Even without the pre-flight, a value cannot become a second parameter."""
    with pytest.raises(ConfigError):
        render_configuration_files(replace(RELAY, parameters={"myorigin": "a\nsmtpd_tls_security_level = none"}))


@pytest.mark.parametrize(("certificates", "is_blanked"), [((), True), (("mx1",), False)])
def test_a_client_certificate_of_the_hosts_own_is_put_out_of_use_whatever_its_key(
    certificates: tuple[str, ...], *, is_blanked: bool
) -> None:
    """A main.cf of others may name an ECDSA pair; Postfix would present that where no chain_files is declared."""
    client = ClientSide(ClientSettings(), certificates)
    parameters = render_parameters(replace(RELAY, ownership=Ownership.MERGE, client=client))
    assert (parameters.get("smtp_tls_eccert_file") == "") == is_blanked
    assert (parameters.get("smtp_tls_eckey_file") == "") == is_blanked

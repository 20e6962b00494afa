"""Each mistake in a stack file is found where it stands, and the message says what to do."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.other_words import OTHER_WORDS
from tests.support.stack_files import REPOSITORY, client, host, problems_of, roster, stack
from tests.support.test_authority import ThrowAwayAuthority

AUTHORITY = ThrowAwayAuthority("Old CA")
LEAF = AUTHORITY.issue_client("alice")
FINGERPRINT = LEAF.fingerprint_sha256
MERGED = {"local": "/etc/postfix", "ownership": "merge"}
Raw = dict[str, Any]


def authority(**fields: Any) -> Raw:
    """Return a stack of one authority with further fields."""
    return {"authority": {"common_name": "CA"} | fields}


def authorities(**entries: Any) -> Raw:
    """Return a stack of several authorities, each with a name of its own."""
    return {"authorities": {name: {"common_name": name} | fields for name, fields in entries.items()}}


def server(**fields: Any) -> Raw:
    """Return a stack with one server."""
    return stack(servers={"mx1": {"dns_names": ["mx1.example.org"]} | fields})


def adopted(certificate_pem: str, **fields: Any) -> Raw:
    """Return a stack whose authority is taken over."""
    adopt = {"certificate_pem": certificate_pem, "private_key_secret": "old-key"}
    return {"authority": {"common_name": "Old CA", "adopt": adopt} | fields, "old-key": "stands for a key"}


TOP_LEVEL: list[tuple[Raw, str, list[str]]] = [
    (stack(clints={}), "clints", ["unknown key", "did you mean clients?"]),
    (stack(zzz=1), "zzz", ["unknown key", "expected one of", "hosts"]),
    (stack(out="my files"), "out.directory", ["'my files'", "without blanks"]),
    (stack(out=3), "out", ["got 3", "text"]),
    (stack(clients=[]), "clients", ["mapping of names"]),
    (stack(clients={"alice": []}, hosts=None), "clients.alice", ["got a list", "a mapping"]),
    (stack(authorities={"other": {"common_name": "O"}}, clients=None, hosts=None), "authority", ["beside authorities"]),
]
NAMES: list[tuple[Raw, str, list[str]]] = [
    (stack(clients={"bob_2": {"email": "b@example.org"}}, hosts=None), "clients.bob_2", ["name", "lower-case"]),
    (stack(clients={"-b": {"email": "b@example.org"}}, hosts=None), "clients.-b", ["name", "beginning with"]),
    (stack(clients={"b" * 64: {"email": "b@example.org"}}, hosts=None), "clients." + "b" * 64, ["1 to 63"]),
    (stack(clients={"server": {"email": "b@example.org"}}, hosts=None), "clients.server", ["choose another name"]),
    (stack(servers={"none": {"dns_names": ["a.example.org"]}}), "servers.none", ["choose another name"]),
]
AUTHORITIES: list[tuple[Raw, str, list[str]]] = [
    ({"authority": {}}, "authority.common_name", ["is empty"]),
    (authority(pathlength=0), "authority.pathlength", ["did you mean path_length?"]),
    (authority(path_length="0"), "authority.path_length", ["got '0'", "whole number"]),
    (authority(path_length=-1), "authority.path_length", ["got -1"]),
    (authority(key_algorithm="RSA-1024"), "authority.key_algorithm", ["too weak", "RSA-3072"]),
    (authority(key_algorithm="rsa-512"), "authority.key_algorithm", ["too weak"]),
    (authority(key_algorithm="DSA"), "authority.key_algorithm", ["'DSA'", "ECDSA-P256"]),
    (authority(key_algorithm=4096), "authority.key_algorithm", ["4096", "RSA-4096"]),
    (authority(country="Germany"), "authority.country", ["'Germany'", "two capital letters"]),
    (authority(crl_urls=["https://example.org/a"]), "authority.crl_urls[0]", ["http://"]),
    (authority(crl_urls="http://example.org/a"), "authority.crl_urls", ["a list"]),
    (
        authority(name_constraints={"permitted_dns": [".example.org"]}),
        "authority.name_constraints.permitted_dns[0]",
        ["'example.org'"],
    ),
    (authority(name_constraints={"permit": []}), "authority.name_constraints.permit", ["did you mean permitted_ip?"]),
    (authority(issuer="rot"), "authority.issuer", ["no authority 'rot'"]),
    (authorities(root={}, sub={"issuer": "rot"}), "authorities.sub.issuer", ["did you mean root?"]),
    (
        authorities(root={"path_length": 0}, sub={"issuer": "root"}),
        "authorities.sub.issuer",
        ["root has path_length 0", "set path_length of root to 1"],
    ),
    (
        authorities(root={}, sub={"issuer": "root"}, low={"issuer": "sub"}),
        "authorities.low.issuer",
        ["sub has path_length 0"],
    ),
    (
        authorities(root={"path_length": 1}, sub={"issuer": "root", "path_length": 1}),
        "authorities.sub.path_length",
        ["got 1", "at most 0", "path_length 1 of root"],
    ),
    (
        host() | {"authority": {"common_name": "mx1.example.org", "organization": "A"}},
        "authority.common_name",
        ["'mx1.example.org' is a name of mx1", "choose another"],
    ),
]
ADOPTION: list[tuple[Raw, str, list[str]]] = [
    (adopted("nothing"), "authority.adopt.certificate_pem", ["no PEM block", "openssl x509"]),
    (adopted(AUTHORITY.certificate_pem * 2), "authority.adopt.certificate_pem", ["one certificate"]),
    (
        adopted(AUTHORITY.certificate_pem, common_name="New CA"),
        "authority.common_name",
        ["'Old CA'", "subject to adopt.change"],
    ),
    (adopted(AUTHORITY.certificate_pem, key_algorithm="ED25519"), "authority.key_algorithm", ["ECDSA-P256"]),
]
SERVERS: list[tuple[Raw, str, list[str]]] = [
    (server(authority="authorty"), "servers.mx1.authority", ["did you mean authority?"]),
    (stack(servers={"web": {}}), "servers.web.dns_names", ["is empty", "add one"]),
    (server(ip_addresses=["192.0.2.300"]), "servers.mx1.ip_addresses[0]", ["'192.0.2.300'"]),
    (server(self_signed=True, third_party={}), "servers.mx1.third_party", ["only one can sign"]),
    (server(authority="authority", self_signed=True), "servers.mx1.self_signed", ["beside authority"]),
    (server(third_party={}, ip_addresses=["192.0.2.1"]), "servers.mx1.ip_addresses", ["third party"]),
    (server(third_party={}, revoke="superseded"), "servers.mx1.revoke", ["third party"]),
    (server(third_party={}, issue_again=True), "servers.mx1.issue_again", ["third party"]),
    (server(third_party={}, match="public_key"), "servers.mx1.match", ["third party"]),
    (server(third_party={}, confirm=True), "servers.mx1.confirm", ["third party"]),
    (server(third_party={}, fail_beyond_issuer=True), "servers.mx1.fail_beyond_issuer", ["third party"]),
    (server(match="public_key"), "servers.mx1.match", ["also_client to true", "leave this out"]),
    (server(confirm=True), "servers.mx1.confirm", ["also_client to true"]),
    (server(confirmed_generation=2), "servers.mx1.confirmed_generation", ["also_client to true"]),
    (server(also_client=True, confirmed_generation=2), "servers.mx1.confirmed_generation", ["set confirm to true"]),
    (
        server(also_client=True, match="public_key", lifetime={"renew_key": 2}),
        "servers.mx1.match",
        ["renew_key", "server"],
    ),
    (server(match="key"), "servers.mx1.match", ["got 'key'", "public_key"]),
    (server(issue_again=True), "servers.mx1.issue_again", ["nothing is revoked"]),
    (server(country="Germany"), "servers.mx1.country", ["'Germany'", "two capital letters"]),
    (stack(servers={"web": {"dns_names": "w.example.org"}}), "servers.web.dns_names", ["'w.example.org'", "a list"]),
    (
        server(third_party={"signed_chain_pem": LEAF.certificate_pem, "signed_chain_file": "a.pem"}),
        "servers.mx1.third_party.signed_chain_file",
        ["beside signed_chain_pem"],
    ),
    (server(third_party={"signed_chain_file": "my chain.pem"}), "servers.mx1.third_party.signed_chain_file", ["blank"]),
    (server(third_party={"signed_chain_pem": "none"}), "servers.mx1.third_party.signed_chain_pem", ["no PEM block"]),
]
CLIENTS: list[tuple[Raw, str, list[str]]] = [
    (stack(clients={"alice": {}}), "clients.alice.email", ["missing", "dns_names"]),
    (client(email="alice"), "clients.alice.email", ["'alice'", "one @"]),
    (client(email=" alice@example.org"), "clients.alice.email", ["' alice'"]),
    (client(dns_names=["a b"]), "clients.alice.dns_names[0]", ["'a b'"]),
    (client(ip_addresses=["192.0.2.300"]), "clients.alice.ip_addresses[0]", ["'192.0.2.300'"]),
    (stack(clients={"alice": {"ip_addresses": ["192.0.2.1"]}}), "clients.alice.email", ["missing", "dns_names"]),
    (client(crl_urls=["http://example.org/a"]), "clients.alice.crl_urls", ["unknown key"]),
    (client(path_length=0), "clients.alice.path_length", ["unknown key"]),
    (client(common_name="x" * 65), "clients.alice.common_name", ["65 characters", "at most 64"]),
    (client(authority="authorty"), "clients.alice.authority", ["did you mean authority?"]),
    (stack(authority=None, hosts=None, clients={"a": {"email": "a@b.org"}}), "clients.a.authority", ["no authority"]),
    (
        {**authorities(one={}, two={}), "clients": {"a": {"email": "a@b.org"}}},
        "clients.a.authority",
        ["several authorities", "one, two"],
    ),
    (client(match="key"), "clients.alice.match", ["got 'key'", "public_key"]),
    (client(match="public_key", lifetime={"renew_key": "always"}), "clients.alice.match", ["renew_key", "never"]),
    (client(confirm="yes please"), "clients.alice.confirm", ["true or false"]),
    (client(unseen_after_days=-1), "clients.alice.unseen_after_days", ["1 or more"]),
    (client(confirmed_generation=1), "clients.alice.confirmed_generation", ["set confirm to true"]),
    (client(confirm=True, confirmed_generation=-1), "clients.alice.confirmed_generation", ["1 or more"]),
    (client(revoke="stolen"), "clients.alice.revoke", ["'stolen'", "keyCompromise"]),
    (client(issue_again=True), "clients.alice.issue_again", ["nothing is revoked"]),
    (client(pkcs12="old"), "clients.alice.pkcs12.profile", ["got 'old'", "legacy"]),
    (client(pkcs12=3), "clients.alice.pkcs12", ["got 3", "a mapping"]),
    (
        stack(clients={"alice": {"email": "a@example.org"}, "al": {"email": "A@Example.org"}}),
        "clients.al.email",
        ["client alice already"],
    ),
    (
        stack(
            clients={"alice": {"dns_names": ["a.example.org"]}, "al": {"dns_names": ["b.example.org", "A.example.org"]}}
        ),
        "clients.al.dns_names[1]",
        ["client alice already"],
    ),
]
HOSTS: list[tuple[Raw, str, list[str]]] = [
    (host(myhostname=None), "hosts.mx1.myhostname", ["full name"]),
    (stack(servers={"mx1": {"dns_names": ["a.example.org"]}}, hosts={"mx1": {}}), "hosts.mx1.myhostname", ["mx1.exam"]),
    (host(myhostname="mx 1"), "hosts.mx1.myhostname", ["'mx 1'"]),
    (host(myhostname="mx 1.example.org"), "hosts.mx1.myhostname", ["'mx 1.example.org'"]),
    (host(myhostname="mx1"), "hosts.mx1.myhostname", ["'mx1'", "domain"]),
    (host(certificate="mx3"), "hosts.mx1.certificate", ["no server 'mx3'", "did you mean mx2?"]),
    (
        stack(servers={"mx1": {"dns_names": ["mx2.example.org"]}}),
        "hosts.mx1.certificate",
        ["mx2.example.org", "add mx1.example.org to servers.mx1", "certificate: mx1 if clients connect by"],
    ),
    (
        host(certificate="mx2", public_names=["mx.example.org"]),
        "hosts.mx1.public_names[0]",
        ["mx2.example.org", "add mx.example.org to servers.mx2"],
    ),
    (
        stack(
            servers={"a": {"dns_names": ["a.org"]}, "b": {"dns_names": ["b.org"], "key_algorithm": "RSA-2048"}},
            hosts={"mx1": {"myhostname": "mx1.example.org", "certificate": ["a", "b"]}},
        ),
        "hosts.mx1.certificate",
        ["no name is on all", "a is for a.org", "b is for b.org"],
    ),
    (host(certificate=[]), "hosts.mx1.certificate", ["a list of servers", "keep: true"]),
    (host(certificate={}), "hosts.mx1.certificate", ["says nothing", "{keep: true}"]),
    (host(certificate={"keep": True}), "hosts.mx1.certificate.keep", ["main.cf will be ours", "ownership: merge"]),
    (
        host(certificate={"keep": True, "on_host": {"chain_files": ["/etc/ssl/mx1.pem"]}}, target=MERGED),
        "hosts.mx1.certificate",
        ["on_host and keep exclude each other"],
    ),
    (
        host(certificate={"on_host": {}}, target=MERGED),
        "hosts.mx1.certificate.on_host.chain_files",
        ["is empty", "keep: true"],
    ),
    (
        host(certificate={"on_host": {"chain_files": ["tls/mx1.pem"]}}),
        "hosts.mx1.certificate.on_host.chain_files[0]",
        ["tls/mx1.pem", "expected an absolute path"],
    ),
    (
        host(certificate={"keep": True}, target=MERGED, relay_through={"relayhost": "mx", "certificate": "server"}),
        "hosts.mx1.relay_through.certificate",
        ["no server certificate that it could present"],
    ),
    (host(certificate="none", public_names=["a.example.org"]), "hosts.mx1.public_names", ["certificate is none"]),
    (host(relay_clients=["alcie"]), "hosts.mx1.relay_clients[0]", ["no client 'alcie'", "did you mean alice?"]),
    (host(relay_clients=["alice", "alice"]), "hosts.mx1.relay_clients[1]", ["listed twice"]),
    (host(relay_clients=["web"]), "hosts.mx1.relay_clients[0]", ["does not authenticate clients", "also_client"]),
    (host(extra_relay_clients=[{"name": "x"}]), "hosts.mx1.extra_relay_clients[0]", ["either"]),
    (
        host(extra_relay_clients=[{"name": "x", "fingerprint_sha256": "AA:BB"}]),
        "hosts.mx1.extra_relay_clients[0].fingerprint_sha256",
        ["'AA:BB'", "32 pairs"],
    ),
    (
        host(extra_relay_clients=[{"name": "x", "certificate_pem": LEAF.certificate_pem * 2}]),
        "hosts.mx1.extra_relay_clients[0].certificate_pem",
        ["one certificate"],
    ),
    (
        host(extra_relay_clients=[{"name": "alice", "fingerprint_sha256": FINGERPRINT}]),
        "hosts.mx1.extra_relay_clients[0].name",
        ["alice is", "another name"],
    ),
    (
        host(
            extra_relay_clients=[
                {"name": "x", "fingerprint_sha256": FINGERPRINT},
                {"name": "y", "certificate_pem": LEAF.certificate_pem},
            ]
        ),
        "hosts.mx1.extra_relay_clients",
        ["y and x are the same"],
    ),
    (
        host(extra_relay_clients=[{"name": "The Partner", "fingerprint_sha256": FINGERPRINT}]),
        "hosts.mx1.extra_relay_clients[0].name",
        ["this name cannot be used", "lower-case"],
    ),
    (host(trust={"authorities": ["rot"]}), "hosts.mx1.trust.authorities[0]", ["no authority 'rot'"]),
    (host(trust={"authorities": [], "ca_path": True}), "hosts.mx1.trust.ca_path", ["no root"]),
    (host(trust={"roots_pem": ["x"]}), "hosts.mx1.trust.roots_pem[0]", ["no PEM block"]),
    (host(trust={"roots_pem": [LEAF.certificate_pem]}), "hosts.mx1.trust.roots_pem[0]", ["CN=alice is no authority"]),
    (
        host(relay={"networks": ["0.0.0.0/0"]}),
        "hosts.mx1.relay.networks[0]",
        ["got 0.0.0.0/0", "wider than a /24", "strangers could relay"],
    ),
    (host(relay={"wide_networks": ["0.0.0.0/0"]}), "hosts.mx1.relay.wide_networks[0]", ["wider than a /8"]),
    (host(relay={"sassl": True}), "hosts.mx1.relay.sassl", ["did you mean sasl?"]),
    (host(table_type="bdb"), "hosts.mx1.table_type", ["'bdb'", "texthash"]),
    (host(postfix_version="4"), "hosts.mx1.postfix_version", ["'3.7'"]),
    (host(postfix_version=3.7), "hosts.mx1.postfix_version", ["got 3.7", "quotes"]),
    (host(target={"directory": "my out"}), "hosts.mx1.target.directory", ["without blanks"]),
    (host(target={"local": "postfix"}), "hosts.mx1.target.local", ["absolute path"]),
    (host(target={"directory": "a", "local": "/b"}), "hosts.mx1.target.local", ["beside directory"]),
    (host(target={"directory": "a", "ownership": "merge"}), "hosts.mx1.target.ownership", ["nothing to merge"]),
    (host(target={"local": "/a", "ownership": "mine"}), "hosts.mx1.target.ownership", ["got 'mine'", "whole"]),
    (
        stack(
            hosts={
                name: {"myhostname": f"{name}.example.org", "target": target}
                for name, target in (("mx1", "out/x"), ("mx2", "./out/y/../x/"))
            }
        ),
        "hosts.mx2.target",
        ["host mx1", "its own"],
    ),
]
SETTINGS: list[tuple[Raw, str, list[str]]] = [
    (host(settings={"smtpd_tls_security_level": "maybe"}), "hosts.mx1.settings.smtpd_tls_security_level", ["may"]),
    (host(settings={"smtp_tls_security_level": "maybe"}), "hosts.mx1.settings.smtp_tls_security_level", ["'maybe'"]),
    (host(settings={"smtpd_tls_loglevel": "high"}), "hosts.mx1.settings.smtpd_tls_loglevel", ["'high'", "peercert"]),
    (host(settings={"smtpd_tls_loglevel": [1, "high"]}), "hosts.mx1.settings.smtpd_tls_loglevel", ["'high'"]),
    (host(settings={"smtpd_tls_loglevel": [1, True]}), "hosts.mx1.settings.smtpd_tls_loglevel", ["list of texts"]),
    (host(settings={"smtpd_tls_loglevel": []}), "hosts.mx1.settings.smtpd_tls_loglevel", ["[1, peercert]"]),
    (host(settings={"smtp_tls_loglevel": []}), "hosts.mx1.settings.smtp_tls_loglevel", ["[1, peercert]"]),
    (
        host(settings={"smtpd_tls_loglevel": [1, "trace"]}, postfix_version="3.11"),
        "hosts.mx1.settings.smtpd_tls_loglevel",
        ["'trace' needs Postfix 3.12", "has 3.11", "peercert"],
    ),
    (host(settings={"smtpd_tls_loglevel": True}), "hosts.mx1.settings.smtpd_tls_loglevel", ["'yes'", "number"]),
    (host(settings={"smtpd_tls_security_level": True}), "hosts.mx1.settings.smtpd_tls_security_level", ["text"]),
    (host(settings={"smtpd_tls_req_ccert": "maybe"}), "hosts.mx1.settings.smtpd_tls_req_ccert", ["yes or no"]),
    (host(settings={"smtpd_tls_protocols": "TLS1.2+"}), "hosts.mx1.settings.smtpd_tls_protocols", ["'TLS1.2+'"]),
    (host(settings={"smtpd_tls_lglevel": 1}), "hosts.mx1.settings.smtpd_tls_lglevel", ["did you mean"]),
    (host(settings={"smtpd_use_tls": True}), "hosts.mx1.settings.smtpd_use_tls", ["smtpd_tls_security_level"]),
    (host(settings={"mynetworks": "192.0.2.0/24"}), "hosts.mx1.settings.mynetworks", ["relay.networks"]),
    (host(settings={"x": None}), "hosts.mx1.settings.x", ["text"]),
    (host(settings={"a b": "c"}), "hosts.mx1.settings.a b", ["not a parameter name"]),
    (host(settings={"x": "a\nb = c"}), "hosts.mx1.settings.x", ["line break"]),
    (
        host(postfix_version="3.7", settings={"smtpd_tls_enable_rpk": True}),
        "hosts.mx1.settings.smtpd_tls_enable_rpk",
        ["3.9", "3.7"],
    ),
]
SENDING: list[tuple[Raw, str, list[str]]] = [
    (
        host(relay_through={"relayhost": "[r.example.org]", "certificate": "alcie"}),
        "hosts.mx1.relay_through.certificate",
        ["no client 'alcie'", "alice"],
    ),
    (
        host(relay_through={"relayhost": "[r.example.org]", "certificate": "server"}),
        "hosts.mx1.relay_through.certificate",
        ["set also_client of server mx1"],
    ),
    (
        host(relay_through={"relayhost": "[r.example.org]", "certificate": "web"}),
        "hosts.mx1.relay_through.certificate",
        ["set also_client of server web"],
    ),
    (
        host(certificate="none", relay_through={"relayhost": "[r.example.org]", "certificate": "server"}),
        "hosts.mx1.relay_through.certificate",
        ["no server certificate"],
    ),
    (host(relay_through={"certificate": "alice"}), "hosts.mx1.relay_through.relayhost", ["missing"]),
    (
        host(relay_through={"relayhost": "[r.example.org]", "smtp_tls_security_level": "none", "certificate": "alice"}),
        "hosts.mx1.relay_through.smtp_tls_security_level",
        ["no certificate is ever presented"],
    ),
    (
        host(relay_through={"relayhost": "[r.example.org]", "smtp_tls_security_level": "strong"}),
        "hosts.mx1.relay_through.smtp_tls_security_level",
        ["'strong'", "secure"],
    ),
    (
        host(relay_through={"relayhost": "[r.example.org]"}, settings={"smtp_tls_security_level": "may"}),
        "hosts.mx1.settings.smtp_tls_security_level",
        ["relay_through decides it"],
    ),
    (
        host(transports={"t-out": {"destinations": ["example.com"], "certificate": "bbo"}}),
        "hosts.mx1.transports.t-out.certificate",
        ["no client 'bbo'"],
    ),
    (host(transports={"t": {"destinations": []}}), "hosts.mx1.transports.t", ["no destination"]),
    (
        host(policies={"example.com": {"level": "fingerprint"}}),
        "hosts.mx1.policies.example.com",
        ["needs fingerprints"],
    ),
    (
        host(policies={"example.com": {"level": "fingerprint", "match": ["AA"]}}),
        "hosts.mx1.policies.example.com",
        ["'AA'", "32 hex pairs"],
    ),
    (
        host(certificate="mx3", relay_through={"relayhost": "[r.example.org]", "certificate": "server"}),
        "hosts.mx1.certificate",
        ["no server 'mx3'"],
    ),
    (host(policies={"example.com": {}}), "hosts.mx1.policies.example.com.level", ["missing"]),
]
WITHOUT_SERVER: list[tuple[Raw, str, list[str]]] = [
    (host(certificate="none", relay_clients=["alice"]), "hosts.mx1.relay_clients", ["serves no TLS"]),
    (host(certificate="none", relay={"sasl": True}), "hosts.mx1.relay", ["serves no TLS"]),
    (
        host(certificate="none", extra_relay_clients=[{"name": "x", "fingerprint_sha256": FINGERPRINT}]),
        "hosts.mx1.extra_relay_clients",
        ["serves no TLS"],
    ),
    (
        host(certificate="none", settings={"smtpd_tls_loglevel": 1}),
        "hosts.mx1.settings.smtpd_tls_loglevel",
        ["serves no TLS"],
    ),
]
MISTAKES = [
    *TOP_LEVEL,
    *NAMES,
    *AUTHORITIES,
    *ADOPTION,
    *SERVERS,
    *CLIENTS,
    *HOSTS,
    *SETTINGS,
    *SENDING,
    *WITHOUT_SERVER,
]


@pytest.mark.parametrize(("raw", "path", "words"), MISTAKES, ids=[f"{path}:{words[0]}" for _, path, words in MISTAKES])
def test_a_mistake_is_the_only_problem_and_is_told_where_it_stands(raw: Raw, path: str, words: list[str]) -> None:
    """One mistake gives one problem, at its path in the file, with what was found and how to fix it."""
    problems = problems_of(raw, ["old-key"] if "old-key" in raw else [])
    assert [problem.path for problem in problems] == [path]
    assert [word for word in words if word not in problems[0].message] == []


def test_an_authority_too_far_down_is_told_about_each_limit_above_it() -> None:
    """Both the issuer and the root would have to allow one more below them."""
    raw = authorities(root={"path_length": 1}, sub={"issuer": "root"}, low={"issuer": "sub"})
    problems = problems_of(raw)
    assert [problem.path for problem in problems] == ["authorities.low.issuer"] * 2
    assert "set path_length of root to 2" in problems[1].message


def test_a_circle_of_issuers_is_told_at_each_member() -> None:
    """Every authority of the circle shows the way round."""
    problems = problems_of(authorities(a={"issuer": "b", "path_length": 5}, b={"issuer": "a", "path_length": 5}))
    assert [problem.path for problem in problems] == ["authorities.a.issuer", "authorities.b.issuer"]
    assert "b -> a -> b" in problems[1].message


def test_clients_that_differ_only_in_case_are_both_named() -> None:
    """`Alice` is no name, and would be mistaken for `alice` besides."""
    raw = stack(clients={"alice": {"email": "a@example.org"}, "Alice": {"email": "b@example.org"}})
    messages = [problem.message for problem in problems_of(raw) if problem.path == "clients.Alice"]
    assert len(messages) == 2
    assert "differs from alice only in case" in messages[1]


def test_an_adopted_leaf_is_no_authority() -> None:
    """A certificate that may sign nothing, and that another authority signed, is refused for both reasons."""
    problems = problems_of(adopted(LEAF.certificate_pem, common_name="alice"), ["old-key"])
    assert {problem.path for problem in problems} == {"authority.adopt.certificate_pem"}
    assert [word for word in ("no authority", "name its issuer") if word not in str(problems)] == []


def test_an_adopted_authority_of_an_unknown_algorithm_is_refused() -> None:
    """Its key could not be loaded later on; which algorithms can is in the message."""
    key = ec.generate_private_key(ec.SECP256K1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Old CA")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2030, 1, 1, tzinfo=UTC)
    )
    builder = builder.serial_number(1).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = builder.sign(key, hashes.SHA512()).public_bytes(Encoding.PEM).decode()
    problems = problems_of(adopted(pem), ["old-key"])
    assert [problem.path for problem in problems] == ["authority.adopt.certificate_pem"]
    assert "keys that sign here are ECDSA-P256" in problems[0].message


def test_an_intermediate_cannot_be_trusted_alone() -> None:
    """OpenSSL trusts roots: an intermediate in the list would leave every client untrusted."""
    raw = authorities(root={}, sub={"issuer": "root"}) | {
        "servers": {"mx1": {"authority": "sub", "dns_names": ["mx1.example.org"]}},
        "hosts": {"mx1": {"myhostname": "mx1.example.org", "trust": {"authorities": ["sub"]}}},
    }
    assert [problem.path for problem in problems_of(raw)] == ["hosts.mx1.trust.authorities[0]"]


def test_a_host_without_a_declared_server_needs_one_authority() -> None:
    """Its certificate could come from any of several, so the file has to say from which."""
    raw = authorities(one={}, two={}) | {"hosts": {"mx1": {"myhostname": "mx1.example.org"}}}
    assert [problem.path for problem in problems_of(raw)] == ["hosts.mx1.certificate"]


@pytest.mark.parametrize(
    ("raw", "path", "meant"),
    [
        (client(csr_pem="x"), "clients.alice.csr_pem", "request_pem"),
        (client(csr="x"), "clients.alice.csr", "request_pem"),
        (client(CSR_file="x"), "clients.alice.CSR_file", "request_file"),
        (client(cert="x"), "clients.alice.cert", "third_party.signed_chain_file"),
        (client(key="x"), "clients.alice.key", "key_algorithm"),
        (client(ca="x"), "clients.alice.ca", "authority"),
        (client(dns="x"), "clients.alice.dns", "dns_names"),
        (client(san=["x"]), "clients.alice.san", "dns_names"),
        (client(cn="x"), "clients.alice.cn", "common_name"),
        (client(days=365), "clients.alice.days", "lifetime.validity"),
        (client(validity="365d"), "clients.alice.validity", "lifetime.validity"),
        (client(mailbox="x"), "clients.alice.mailbox", "email"),
        (client(**{"e-mail": "x"}), "clients.alice.e-mail", "email"),
        (client(lifetime={"days": 3}), "clients.alice.lifetime.days", "validity"),
        (client(third_party={"key": "x"}), "clients.alice.third_party.key", "private_key_secret"),
        (client(third_party={"chain": "x"}), "clients.alice.third_party.chain", "signed_chain_file"),
        (authorities(ca={}, sub={"signed_by": "ca"}), "authorities.sub.signed_by", "issuer"),
        (authority(adopt={"cert": "x"}), "authority.adopt.cert", "certificate_pem"),
        (host(cert="x"), "hosts.mx1.cert", "certificate"),
        (host(hostname="x"), "hosts.mx1.hostname", "myhostname"),
        (host(mynetworks=["x"]), "hosts.mx1.mynetworks", "relay.networks"),
        (
            host(extra_relay_clients=[{"fingerprint": "x"}]),
            "hosts.mx1.extra_relay_clients[0].fingerprint",
            "fingerprint_sha256",
        ),
        (stack(users={}), "users", "clients"),
        (stack(ca={}), "ca", "authority"),
        (stack(lifetime={"client": {"days": 3}}), "lifetime.client.days", "validity"),
        (roster(clients={"anna": {"mail": "x", "days": 3}}), "rosters.staff.clients.anna.days", "validity_hours"),
    ],
)
def test_what_others_call_a_key_gets_the_key_that_is_meant(raw: Any, path: str, meant: str) -> None:
    """However unlike it is spelt."""
    found = {problem.path: problem.message for problem in problems_of(raw)}
    assert found[path] == f"unknown key; did you mean {meant}?"


def test_what_is_meant_is_a_key() -> None:
    """Each stands in the reference of the stack file."""
    keys = set(re.findall(r"[a-z0-9_]+", (REPOSITORY / "docs/stack-file.md").read_text()))
    for word, meant in OTHER_WORDS.items():
        assert re.fullmatch(r"[a-z0-9_]+", word), word
        assert all(part in keys for each in meant for part in each.split(".")), word

"""A good stack file becomes a model without open questions; a bad one is refused with all its problems at once."""

from fractions import Fraction

import pytest

from pki.lifetime import LifetimePolicy
from pki.model import KeyAlgorithm, NameConstraints, Pkcs12Profile, Profile, Subject, SubjectAltNames
from postseal.stack.config import load_stack, problems_of_namespaces
from postseal.stack.model import Pkcs12, ServerSigner
from postseal.stack.screening import FileText
from postseal_core.errors import ConfigError, Problem
from tests.support.stack_files import client, problems_of, stack
from tests.support.test_authority import ThrowAwayAuthority

CHAIN = ThrowAwayAuthority("Public CA").issue_server("mx1.example.org").certificate_pem
SECRET = "a passphrase nobody knows"


def test_the_shortest_file_gets_every_default() -> None:
    """One authority and one client by e-mail need nothing more; names, algorithms and lifetimes are filled in."""
    raw = {"authority": {"common_name": "CA"}, "clients": {"alice": {"email": "alice@example.org"}}}
    config = load_stack(raw, [], stack_name="dev")
    authority, alice = config.authorities["authority"], config.clients["alice"]
    assert (authority.declaration.profile, authority.issuer, authority.is_protected) == (Profile.ROOT, None, True)
    assert (authority.declared.key_algorithm, authority.lifetime) == (
        KeyAlgorithm.ECDSA_P256,
        LifetimePolicy(validity_hours=87600, renew_key_every=0),
    )
    assert alice.declaration.subject == Subject("alice@example.org")
    assert alice.declaration.alt_names == SubjectAltNames(email_addresses=("alice@example.org",))
    assert (alice.authority, alice.lifetime, alice.pkcs12) == ("authority", LifetimePolicy(), None)
    assert (config.out, dict(config.hosts)) == ("out/dev", {})


def test_everything_about_an_authority_is_taken_over() -> None:
    """Each key of an authority arrives in its declaration under the same name."""
    raw = {
        "authority": {
            "common_name": "CA",
            "organization": "Example",
            "organizational_unit": "Mail",
            "locality": "Berlin",
            "state_or_province": "Berlin",
            "country": "DE",
            "key_algorithm": "RSA-4096",
            "path_length": 2,
            "name_constraints": {"permitted_dns": ["example.org"], "excluded_email": ["evil.example.org"]},
            "crl_urls": ["http://pki.example.org/ca.crl"],
            "lifetime": {"validity": "52w"},
            "protect": False,
        }
    }
    authority = load_stack(raw, [], stack_name="dev").authorities["authority"]
    declaration = authority.declaration
    assert declaration.subject == Subject("CA", "Example", "Mail", "Berlin", "Berlin", "DE")
    assert declaration.name_constraints == NameConstraints(("example.org",), (), (), ("evil.example.org",))
    assert (declaration.path_length, authority.crl_urls) == (2, ("http://pki.example.org/ca.crl",))
    assert (authority.declared.key_algorithm, authority.lifetime.validity_hours) == (KeyAlgorithm.RSA_4096, 8736)
    assert authority.is_protected is False


def test_authorities_stand_behind_their_issuers() -> None:
    """The order of the file does not matter; below another authority path_length is 0 unless it is declared."""
    raw = {
        "authorities": {
            "leaf-ca": {"common_name": "L", "issuer": "middle"},
            "middle": {"common_name": "M", "issuer": "top", "path_length": 1},
            "top": {"common_name": "T"},
        }
    }
    authorities = load_stack(raw, [], stack_name="dev").authorities
    assert list(authorities) == ["top", "middle", "leaf-ca"]
    assert [each.declaration.path_length for each in authorities.values()] == [None, 1, 0]
    assert authorities["leaf-ca"].declaration.profile is Profile.INTERMEDIATE


def test_everything_about_a_client_is_taken_over() -> None:
    """Each key of a client arrives in the model."""
    alice = {
        "email": "alice@example.org",
        "dns_names": ["laptop.example.org"],
        "common_name": "Alice",
        "organization": "Example",
        "key_algorithm": "RSA-3072",
        "match": "public_key",
        "confirm": True,
        "confirmed_generation": 2,
        "revoke": "keyCompromise",
        "issue_again": True,
        "pkcs12": {"profile": "legacy", "passphrase_secret": "alice-passphrase"},
    }
    raw = stack(clients={"alice": alice}) | {"alice-passphrase": SECRET}
    loaded = load_stack(raw, ["alice-passphrase"], stack_name="dev").clients["alice"]
    assert loaded.declaration.subject == Subject("Alice", "Example")
    assert loaded.declaration.alt_names == SubjectAltNames(("laptop.example.org",), ("alice@example.org",))
    declared = loaded.declared
    assert (declared.key_algorithm, declared.match, loaded.lifetime.renew_key_every) == ("RSA-3072", "public_key", 0)
    assert (declared.confirm, declared.confirmed_generation) == (True, 2)
    assert (declared.revoke, declared.issue_again) == ("keyCompromise", True)
    assert loaded.pkcs12 == Pkcs12(Pkcs12Profile.LEGACY, "alice-passphrase")


@pytest.mark.parametrize(
    ("fields", "signer"),
    [
        ({}, ServerSigner.AUTHORITY),
        ({"self_signed": True}, ServerSigner.SELF),
        ({"third_party": {}}, ServerSigner.THIRD_PARTY),
        ({"third_party": {"signed_chain_file": "chains/mx1.pem"}}, ServerSigner.THIRD_PARTY),
    ],
)
def test_a_server_is_signed_by_exactly_one_of_three(fields: dict[str, object], signer: ServerSigner) -> None:
    """Only a certificate of an authority names one; a third party's chain may still be missing."""
    raw = stack(servers={"mx1": {"dns_names": ["mx1.example.org"], **fields}})
    files = {"chains/mx1.pem": FileText(CHAIN)}
    server = load_stack(raw, [], stack_name="dev", files=files).servers["mx1"]
    assert server.signer is signer
    assert server.authority == ("authority" if signer is ServerSigner.AUTHORITY else None)
    assert server.signed_chain_pem == (CHAIN if "signed_chain_file" in str(fields) else None)


def test_an_adopted_authority_keeps_its_certificate_and_its_algorithm() -> None:
    """The certificate is plain data, its key a reference; the algorithm is that of the key it was made for."""
    pem = ThrowAwayAuthority("Old CA").certificate_pem
    raw = {
        "authority": {"common_name": "Old CA", "adopt": {"certificate_pem": pem, "private_key_secret": "old-ca-key"}},
        "old-ca-key": "stands for a private key",
    }
    authority = load_stack(raw, ["old-ca-key"], stack_name="dev").authorities["authority"]
    assert authority.adopt is not None
    assert (authority.adopt.certificate_pem, authority.adopt.private_key_secret) == (pem, "old-ca-key")
    assert authority.declared.key_algorithm is KeyAlgorithm.ECDSA_P256


@pytest.mark.parametrize("name", ["a", "0a", "a-b", "a" * 63])
def test_names_may_be_short_or_long(name: str) -> None:
    """A name is any word of lower-case letters, digits and hyphens up to 63 characters."""
    assert not problems_of(stack(clients={name: {"email": "alice@example.org"}}, hosts=None))


def test_an_entry_may_be_empty_where_all_of_it_has_defaults() -> None:
    """`lifetime:` and `servers:` without anything behind the colon mean nothing, not an error."""
    assert not problems_of(stack() | {"lifetime": None, "servers": None})


def test_all_problems_are_told_at_once() -> None:
    """One mistake hides no other: reading, types, names, references and lifetimes are all in one answer."""
    raw = {
        "clints": {},
        "authority": {"common_name": 3, "key_algorithm": "RSA-1024"},
        "lifetime": {"leaf": {"validity": "soon"}},
        "servers": {"mx1": {"dns_names": ["mail.example.org"]}},
        "clients": {
            "Alice": {"email": "alice@@example.org"},
            "bob": {"emial": "bob@example.org", "email": "bob@example.org", "confirm": "maybe"},
            "carol": {"email": "BOB@example.org", "pkcs12": {"passphrase_secret": "carol-passphrase"}},
            "dave": 4,
            "erin": {"email": "erin@example.org", "lifetime": {"renew_fraction": 1}},
        },
        "hosts": {
            "mx1": {
                "myhostname": "mx1.example.org",
                "relay_clients": ["bop"],
                "settings": {"smtpd_tls_security_level": "maybe"},
                "transports": {"out": {"destinations": ["example.com"], "lvl": "may"}},
            },
            "mx2": {"myhostname": "mx2", "target": {"local": "etc/postfix"}},
        },
    }
    assert {problem.path for problem in problems_of(raw)} == {
        "clints",
        "authority.common_name",
        "authority.key_algorithm",
        "lifetime.leaf.validity",
        "clients.erin.lifetime.renew_fraction",
        "clients.Alice",
        "clients.Alice.email",
        "clients.bob.emial",
        "clients.bob.confirm",
        "clients.carol.email",
        "clients.carol.pkcs12.passphrase_secret",
        "clients.dave",
        "hosts.mx1.certificate",
        "hosts.mx1.relay_clients[0]",
        "hosts.mx1.settings.smtpd_tls_security_level",
        "hosts.mx1.transports.out.lvl",
        "hosts.mx2.myhostname",
        "hosts.mx2.target.local",
    }


def test_what_could_not_be_read_has_no_consequences() -> None:
    """A client without readable names is not also a client without names."""
    raw = stack(clients={"alice": {"dns_names": [3]}})
    assert problems_of(raw) == [Problem("clients.alice.dns_names[0]", "got 3, expected text; put it into quotes")]


@pytest.mark.parametrize("section", ["clients", "servers", "lifetime"])
def test_a_section_that_is_no_mapping_makes_no_reference_wrong(section: str) -> None:
    """Only the section itself is complained about, not each place that refers into it."""
    assert [problem.path for problem in problems_of(stack() | {section: 3})] == [section]


def test_a_rejected_file_raises_all_problems_in_one_error() -> None:
    """The error's text has one line for each problem."""
    with pytest.raises(ConfigError) as caught:
        load_stack({"authority": {}, "outt": 1}, [], stack_name="dev")
    assert len(str(caught.value).splitlines()) == len(caught.value.problems) == 2


def test_a_policy_is_a_fraction_not_a_float() -> None:
    """Two thirds written as 2/3 stay two thirds."""
    raw = client(lifetime={"renew_fraction": "2/3"})
    assert load_stack(raw, [], stack_name="dev").clients["alice"].lifetime.renew_fraction == Fraction(2, 3)


def test_a_section_under_another_projects_name_is_told() -> None:
    """What a slip of the pen hides from the project would be missing everywhere else."""
    keys = ["mail-pki:clients", "mailpki:hosts", "postseal:clock", "aws:region", "mailpki:passphrase"]
    problems = problems_of_namespaces(keys, "mail-pki")
    assert [problem.path for problem in problems] == ["mailpki:hosts"]
    assert "write mail-pki:hosts" in problems[0].message

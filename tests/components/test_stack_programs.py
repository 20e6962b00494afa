"""What a stack file registers and exports where keys are elsewhere: adopted, signed by others, awaited, distrusted."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from pki.authority_request import authority_request_pem
from pki.generations import RevokedGeneration
from pki.keys import generate_private_key
from pki.model import CertificateDeclaration, KeyAlgorithm, Profile, RevocationReason, SerialNumber, SlotId, Subject
from pki.records import Identity, RevokedIssue
from postseal.stack.build import build_stack
from postseal.stack.components import BuiltStack
from postseal.stack.config import load_stack
from postseal.stack.model import Admitted, CertificateKind, CertificateReference, StackConfig
from postseal.stack.outputs import stack_outputs
from postseal_core.records import encode
from tests.support import mocks
from tests.support.mocks import Program, run_program, secrets_in_clear
from tests.support.offline_signer import OfflineSigner, pem
from tests.support.provider import Secret
from tests.support.specimens import NOW, VALIDITY
from tests.support.stack_files import client, roster, stack
from tests.support.test_authority import ThrowAwayAuthority

ROOT = OfflineSigner(NOW)
REQUEST = authority_request_pem(
    CertificateDeclaration(Profile.INTERMEDIATE, Subject("Issuing"), path_length=0),
    generate_private_key(KeyAlgorithm.ECDSA_P256),
)
SIGNED = {"signed_chain_pem": pem(ROOT.sign(REQUEST)), "roots_pem": pem(ROOT.certificate)}
OLD = ThrowAwayAuthority("Old CA")
Secrets = Callable[..., None]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """Return a function that puts secrets into the configuration of the stack, as the engine does."""

    def put(**values: str) -> None:
        named = {f"mail-pki:{name.replace('_', '-')}": value for name, value in values.items()}
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(named))
        monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(list(named)))

    return put


def loaded(raw: dict[str, Any], *secret_keys: str) -> StackConfig:
    """Return the model of a stack file; secrets in it stand for what the engine keeps."""
    return load_stack(raw | dict.fromkeys(secret_keys, "the engine keeps it"), secret_keys, stack_name="dev")


def built(config: StackConfig, *, preview: bool = False) -> tuple[Program, BuiltStack]:
    """Return what a stack registers, and its components."""
    found: list[BuiltStack] = []
    program = run_program(lambda: found.append(build_stack(config)), preview=preview)
    return program, found[0]


def exported(config: StackConfig) -> tuple[Program, dict[str, Any], dict[str, Any]]:
    """Return what a stack registers, its outputs, and their values as far as they came."""
    outputs: dict[str, Any] = {}
    values: dict[str, Any] = {}

    def program() -> None:
        outputs.update(stack_outputs(build_stack(config)))
        pulumi.Output.all(**outputs).apply(values.update)

    return run_program(program), outputs, values


def issuing(third_party: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """Return a stack file with the only authority signed by somebody else, and a roster that is handed out."""
    authority = {"common_name": "Issuing", "path_length": 0, "third_party": third_party}
    return roster(hand_out=True) | {"authority": authority} | sections


# An authority that somebody else signs.


def test_an_authority_that_waits_exports_its_request_and_nothing_that_is_not_there() -> None:
    """Whoever runs it sees what to have signed; once it is signed the certificate stands beside it."""
    _, outputs, values = exported(loaded(issuing({})))
    assert {*outputs["authorities"]["authority"]} == {"kind", "subject", "awaited", "cert_request_pem"}
    assert values["authorities"]["authority"]["cert_request_pem"] == "cert_request_pem of authority"
    assert outputs["certificates"]["clients"] == "2, 2 waiting for an authority"
    assert outputs["rosters"]["staff"] == {"awaits": "the certificate of authority"}


def test_an_authority_that_is_signed_exports_its_certificate_beside_the_request() -> None:
    """The request is needed again at the renewal."""
    program, outputs, values = exported(loaded(issuing(SIGNED)))
    told = outputs["authorities"]["authority"]
    assert {*told} > {"kind", "subject", "awaited", "cert_request_pem", "serial_number", "renew_at", "not_after"}
    assert outputs["certificates"]["clients"] == "2"
    asked = program.one("RequestedAuthority", "authority").properties
    assert (asked["signed_chain_pem"], asked["roots_pem"]) == (SIGNED["signed_chain_pem"], SIGNED["roots_pem"])
    assert values["authorities"]["authority"]["fingerprint_sha256"] == "fingerprint_sha256 of authority"


@pytest.mark.parametrize(("third_party", "is_there"), [({}, False), (SIGNED, True)], ids=["awaited", "signed"])
def test_a_roster_is_handed_out_once_its_authority_can_issue(third_party: dict[str, Any], *, is_there: bool) -> None:
    """Before that it has no certificates: there are no folders, and that is no error."""
    program, _ = built(loaded(issuing(third_party)))
    names = {each.name for each in program.registrations if each.type.endswith(":HandOut")}
    assert ("staff-hand-out" in names) == is_there
    assert "hand-out" in names


@pytest.mark.parametrize("usage", [(), ("serverAuth", "clientAuth")], ids=["none", "both"])
def test_the_usages_that_are_asked_for_reach_the_request(usage: tuple[str, ...]) -> None:
    """Nothing is asked for that the file does not say."""
    program, _ = built(loaded(issuing({"extended_key_usage": list(usage)})))
    assert tuple(program.one("RequestedAuthority").properties.get("extended_key_usage", ())) == usage


# Secrets of the stack.


def adopted(**adopt: Any) -> dict[str, Any]:
    """Return a stack file that takes an authority over."""
    section = {"certificate_pem": OLD.certificate_pem, "private_key_secret": "ca-key"} | adopt
    return {"authority": {"adopt": section}}


def test_an_adopted_authority_gets_its_key_from_the_secrets(secrets: Secrets) -> None:
    """As a secret, and no key is made for it."""
    secrets(ca_key=OLD.private_key_pem)
    program, _ = built(loaded(adopted(), "ca-key"), preview=True)
    properties = program.one("Certificate").properties
    assert properties["private_key_pem"] == Secret(OLD.private_key_pem)
    assert properties["adopt_certificate_pem"] == OLD.certificate_pem
    assert not any(each.type.endswith(":PrivateKey") for each in program.registrations)


def test_a_key_that_nobody_has_set_stops_the_program(secrets: Secrets) -> None:
    """Under the name that is to be set; nothing is registered as adopted without its key."""
    secrets(another_key=OLD.private_key_pem)
    config = loaded(adopted(), "ca-key")
    with pytest.raises(pulumi.RunError, match="ca-key"):
        run_program(lambda: build_stack(config))


def test_the_archive_of_a_client_has_the_passphrase_of_the_stack(secrets: Secrets) -> None:
    """One without it makes its own; neither stands anywhere in clear."""
    secrets(alice_passphrase="12345678")
    raw = client(pkcs12={"passphrase_secret": "alice-passphrase"})
    program, _ = built(loaded(raw, "alice-passphrase"))
    assert program.one("Pkcs12", "alice").properties["passphrase"] == Secret("12345678")
    program, _ = built(loaded(client(pkcs12="modern")))
    assert "passphrase" not in program.one("Pkcs12", "alice").properties


def test_a_certificate_of_somebody_else_is_presented_with_the_key_from_the_secrets(secrets: Secrets) -> None:
    """The host gets chain and key; the stack exports it among the clients and issues nothing for it."""
    theirs = ThrowAwayAuthority("Theirs").issue_client("us")
    secrets(partner_key=theirs.private_key_pem)
    third_party = {"signed_chain_pem": theirs.certificate_pem, "private_key_secret": "partner-key"}
    sending = {"relayhost": "[in.example.net]:25", "certificate": "partner"}
    raw = {
        "authority": {"common_name": "CA"},
        "clients": {"partner": {"third_party": third_party}},
        "hosts": {"mx1": {"myhostname": "mx1.example.org", "relay_through": sending}},
    }
    program, outputs, _ = exported(loaded(raw, "partner-key"))
    given = program.one("ThirdPartyClientCertificate", "partner").properties
    assert given["chain_pem"] == theirs.certificate_pem
    assert given["private_key_pem"] == Secret(theirs.private_key_pem)
    presented = program.one("PostfixHost", "mx1").properties["chains"]["partner"]
    assert presented["private_key_pem"] == Secret(theirs.private_key_pem)
    assert outputs["certificates"]["clients"] == "1"
    assert not any(each.type.endswith("index:ClientCertificate") for each in program.registrations)
    assert [text for each in program.registrations for text in secrets_in_clear(each.properties)] == []


# Servers as relay clients.


def relaying(server: dict[str, Any]) -> StackConfig:
    """Return a stack whose host lets a server in that no check has looked at."""
    servers = {"mx2": {"dns_names": ["mx2.example.org"], "also_client": True} | server}
    config = loaded(stack(servers=servers))
    reference = CertificateReference(CertificateKind.SERVER, "mx2")
    hosts = {name: replace(each, relaying=Admitted((reference,))) for name, each in config.hosts.items()}
    return replace(config, hosts=hosts)


def test_a_server_of_ours_relays() -> None:
    """Its fingerprints are in the host's table of who may."""
    (access,) = built(relaying({}))[0].one("PostfixHost", "mx1").properties["access"].values()
    assert "mx2" in json.dumps(access)


def test_a_server_that_a_third_party_signs_never_relays_by_its_name() -> None:
    """Even where no check of the stack file has told it: a sentence, no traceback, and no host."""
    config = relaying({"third_party": {}})

    def program() -> None:
        with pytest.raises(pulumi.RunError, match=r"^server mx2 is signed by a third party and cannot be a relay"):
            build_stack(config)

    registered = run_program(program).registrations
    assert not any(each.type.endswith(":PostfixHost") for each in registered)


# A slot is distrusted.


def as_if_stolen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every certificate be one that the first slot of `authority` had signed until now."""
    entry = RevokedGeneration(
        generation=1,
        not_before=VALIDITY.not_before,
        not_after=VALIDITY.not_after,
        revoked_at=NOW,
        reason=RevocationReason.CA_COMPROMISE,
        issuer=SlotId("authority", 1),
        is_distrusted=True,
    )
    identity = Identity(fingerprint_sha256="AA", public_key_fingerprint_sha256="BB", serial_number=SerialNumber(0x1A2B))
    told = {"generation": 2, "revoked": [encode(RevokedIssue(schedule=entry, identity=identity))]}
    monkeypatch.setattr(mocks, "KNOWN_IN_A_PREVIEW", {**mocks.KNOWN_IN_A_PREVIEW, **told})


def distrusting(**slots: Any) -> StackConfig:
    """Return a stack with a server and two clients whose authority has these slots."""
    servers = {"mx1": {"dns_names": ["mx1.example.org"]}}
    return loaded(stack(servers=servers, authority={"common_name": "CA"} | ({"slots": slots} if slots else {})))


def test_a_distrusted_slot_exports_who_must_be_served_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds what the stolen key signed, by section; whole numbers come as floats from the engine."""
    as_if_stolen(monkeypatch)
    _, _, values = exported(distrusting(active=2, distrusted=1))
    assert values["distrusted"] == {"authority": {"servers": ["mx1"], "clients": ["alice", "bob"]}}


def test_where_nothing_was_signed_by_a_distrusted_slot_nobody_is_named() -> None:
    """The slot is there, so that a reader sees that it was looked at."""
    _, _, values = exported(distrusting(active=2, distrusted=1))
    assert values["distrusted"] == {"authority": {}}


def test_a_stack_that_distrusts_nothing_exports_nothing_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where somebody was once served anew."""
    as_if_stolen(monkeypatch)
    _, outputs, _ = exported(distrusting())
    assert "distrusted" not in outputs

"""What an authority that somebody else signs registers, what waits below it, and what is refused before that."""

from typing import Any

import pytest

import pki
import postfix
from postseal_core.errors import ConfigError
from tests.support.mocks import Program, run_program, secrets_in_clear
from tests.support.provider import Secret

both_ways = pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
SIGNED: dict[str, Any] = {"signed_chain_pem": "signed", "roots_pem": "root"}
WAITS = {"awaits": "the certificate of issuing"}


def issuing(**declared: Any) -> pki.ThirdPartyAuthority:
    """Declare an authority that somebody else signs."""
    return pki.ThirdPartyAuthority("issuing", common_name="Example Issuing CA", path_length=0, **declared)


def everything(**declared: Any) -> pki.ThirdPartyAuthority:
    """Declare one of each kind below it."""
    authority = issuing(**declared)
    office = pki.IntermediateAuthority("office", authority=authority, common_name="Office")
    mx1 = pki.ServerCertificate("mx1", authority=authority, dns_names=["mx1.example.org"])
    alice = pki.ClientCertificate("alice", authority=office, email="alice@example.org")
    staff = pki.ClientRoster("staff", authority=authority, clients={"anna": {"email": "anna@example.org"}})
    archive = pki.Pkcs12("alice", certificate=alice)
    listing = pki.RevocationList("issuing", authority=authority, certificates=[mx1], rosters=[staff])
    postfix.MailServer(
        "mx1",
        myhostname="mx1.example.org",
        certificate=mx1,
        relay_clients=[alice],
        relay_rosters=[staff],
        target=postfix.Directory("out/mx1"),
    )
    pki.HandOut(
        "hand-out",
        directory="out",
        authorities=[authority, office],
        clients=[alice],
        archives=[archive],
        rosters=[staff],
        revocation_lists=[listing] if authority.awaits else [],  # the mocks have no numbers of lists
    )
    return authority


def waiting(program: Program) -> set[str]:
    """Return the type and name of everything that waits."""
    found = [each for each in program.registrations if "awaits" in each.properties]
    assert all(each.properties == WAITS for each in found)
    return {f"{each.type.rpartition(':')[2]} {each.name}" for each in found}


@both_ways
def test_everything_below_waits_until_it_is_signed(preview: bool) -> None:  # noqa: FBT001
    """Key and request are made, the request is handed out, and nothing else has any content."""
    program = run_program(everything, preview=preview)
    assert waiting(program) == {
        "Certificate office",
        "ServerCertificate mx1",
        "ClientCertificate alice",
        "ClientRoster staff",
        "Pkcs12 alice",
        "RevocationList issuing",
        "MailServer mx1",
    }
    asked = program.one("RequestedAuthority")
    assert asked.is_protected
    assert asked.properties["path_length"] == 0
    assert preview or isinstance(asked.properties["private_key_pem"], Secret)
    assert "signed_chain_pem" not in asked.properties
    assert {*program.one("HandOut").properties["folders"]} == {"requests"}
    assert secrets_in_clear([each.outputs for each in program.registrations]) == []


@both_ways
def test_nothing_waits_once_it_is_signed(preview: bool) -> None:  # noqa: FBT001
    """The authority's chain goes into everything that it issues, its root into what is trusted."""
    program = run_program(lambda: everything(**SIGNED), preview=preview)
    assert waiting(program) == set()
    asked = program.one("RequestedAuthority").properties
    assert (asked["signed_chain_pem"], asked["roots_pem"]) == ("signed", "root")
    issuer = program.one("ServerCertificate").properties["issuer"]
    assert issuer["slot"] == "issuing/1"
    assert "standby_hours" not in issuer
    assert [link["name"] for link in program.one("ClientCertificate").properties["issuer"]["above"]] == ["issuing"]
    assert program.one("MailServer").properties["roots"] == {"issuing-root": "root"}
    assert {*program.one("HandOut").properties["folders"]} >= {"ca", "requests", "clients/alice"}


def test_a_client_that_waits_is_left_out_of_a_host_that_does_not() -> None:
    """There is nothing to let in; the host's own certificate is there."""

    def program() -> None:
        bob = pki.ClientCertificate("bob", authority=issuing(), email="bob@example.org")
        mx1 = pki.ServerCertificate("mx1", self_signed=True, dns_names=["mx1.example.org"])
        target = postfix.Directory("out/mx1")
        postfix.MailServer("mx1", myhostname="mx1.example.org", certificate=mx1, relay_clients=[bob], target=target)

    host = run_program(program).one("MailServer").properties
    assert "awaits" not in host
    assert "access" not in host


def test_another_key_is_another_slot_with_a_request_of_its_own() -> None:
    """The standby waits while the first slot signs; each is handed out under its name."""
    slots = pki.Slots(active=1, standby=2)
    program = run_program(lambda: everything(slots=slots, **SIGNED | {"signed_chain_pem": {1: "signed"}}))
    assert waiting(program) == set()
    asked = [each for each in program.registrations if each.type.endswith(":RequestedAuthority")]
    assert {each.name: each.properties.get("signed_chain_pem") for each in asked} == {
        "issuing": "signed",
        "issuing-2": None,
    }
    assert {*program.one("HandOut").properties["folders"]["requests"]} == {"issuing.csr.pem", "issuing-2.csr.pem"}


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"signed_chain_pem": "signed"}, "roots: missing"),
        (SIGNED | {"signed_chain_pem": {2: "signed"}}, "has an answer for slot 2"),
        (SIGNED | {"slots": pki.Slots(2, retiring=1)}, "slot 2 is to sign, and its certificate is awaited"),
        (SIGNED | {"slots": pki.Slots(2, retiring=1), "signed_chain_pem": {2: "x"}}, "retiring slot 1 is missing"),
        ({"slots": pki.Slots(2, distrusted=(1,))}, "slots: what somebody else signed cannot be distrusted"),
        (
            {"slots": pki.Slots(2, retiring=1, revoke_retiring=pki.RevocationReason.KEY_COMPROMISE)},
            "slots: what somebody else signed cannot be distrusted or revoked here",
        ),
        ({"extended_key_usage": ["emailProtection"]}, "expected one of serverAuth, clientAuth"),
        ({"signed_chain_pem": 7}, "signed_chain_pem"),
        ({"slots": pki.Slots(2, retiring=1, cross_sign=True)}, "cross_sign"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_registered(declared: dict[str, Any], words: str) -> None:
    """In the words of the arguments."""
    with pytest.raises(ConfigError) as caught:
        run_program(lambda: issuing(**declared))
    assert words in str(caught.value)


def test_a_client_is_not_moved_to_an_authority_that_waits() -> None:
    """Its old owner would give it up, and its new one has nothing to put in its place."""

    def program() -> None:
        root = pki.CertificateAuthority("ca", common_name="CA")
        staff = pki.ClientRoster("staff", authority=root, clients={"anna": {"email": "anna@example.org"}})
        anna = staff.client("anna")
        pki.ClientCertificate("anna", authority=issuing(), email="anna@example.org", take_over=anna)

    with pytest.raises(ConfigError) as caught:
        run_program(program)
    assert "cannot be taken over before the certificate of issuing is here" in str(caught.value)

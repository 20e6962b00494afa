"""What a roster registers, and what it refuses before anything is registered."""

import json
from typing import Any

import pytest

import pki
from postseal_core.errors import ConfigError
from tests.support.mocks import run_program, secrets_in_clear

CSV = "name,email\nbob,bob@example.org\nalice,alice@example.org\n"


def register() -> None:
    """Register a roster from a CSV text that takes one client over."""
    authority = pki.CertificateAuthority("mail-ca", common_name="Example Mail CA")
    alice = pki.ClientCertificate("alice", authority=authority, email="alice@example.org")
    pki.ClientRoster(
        "staff", authority=authority, clients=pki.parse_csv(CSV), pkcs12="modern", take_over={"alice": alice}
    )


@pytest.mark.parametrize("preview", [True, False])
def test_a_roster_is_one_resource_with_its_clients_in_one_text(*, preview: bool) -> None:
    """Clients are sorted lines of JSON, policies stand beside them, and keys on their way are secrets."""
    program = run_program(register, preview=preview)
    registration = program.one("ClientRoster", "staff")
    clients = registration.properties["clients"].split("\n")
    assert [json.loads(line)["name"] for line in clients] == ["alice", "bob"]
    assert registration.properties["pkcs12"] == "modern"
    assert program.tree()["ClientRoster staff"] == ""
    assert secrets_in_clear(registration.properties) == []


def exchange() -> None:
    """Register a client that comes out of a roster, and one that goes from single to single."""
    authority = pki.CertificateAuthority("mail-ca", common_name="Example Mail CA")
    staff = pki.ClientRoster("staff", authority=authority, clients=pki.parse_csv(CSV))
    alice = pki.ClientCertificate(
        "alice", authority=authority, email="alice@example.org", take_over=staff.client("alice")
    )
    pki.ClientCertificate("alison", authority=authority, email="alice@example.org", take_over=alice)


@pytest.mark.parametrize("preview", [True, False])
def test_a_single_client_takes_over_from_a_roster_or_another_single_one(*, preview: bool) -> None:
    """What is handed over holds a key, so it goes out as a secret; who takes nothing over says nothing of it."""
    program = run_program(exchange, preview=preview)
    clients = [program.one("ClientCertificate", name).properties for name in ("alice", "alison")]
    assert [client for client in clients if "handover" not in client or secrets_in_clear(client)] == []
    plain = run_program(register, preview=preview).one("ClientCertificate", "alice").properties
    assert "handover" not in plain


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"clients": {"alice": {"mail": "alice@example.org"}}}, "clients.alice.mail"),
        ({"clients": [{"email": "alice@example.org"}]}, "clients[0].name"),
        ({"clients": {}, "take_over": {"alice": None}}, "take_over.alice"),
    ],
)
def test_what_is_wrong_with_clients_is_said_before_anything_is_registered(
    arguments: dict[str, Any], place: str
) -> None:
    """The error names the place in the declaration; no roster is registered."""

    def wrong() -> None:
        authority = pki.CertificateAuthority("mail-ca", common_name="Example Mail CA")
        with pytest.raises(ConfigError) as caught:
            pki.ClientRoster("staff", authority=authority, **arguments)
        assert [problem.path for problem in caught.value.problems] == [f"rosters.staff.{place}"]

    assert "ClientRoster staff" not in run_program(wrong).tree()


def test_a_client_that_is_not_in_the_roster_cannot_be_asked_for() -> None:
    """A misspelt name fails at once, not when a file is handed out."""

    def wrong() -> None:
        authority = pki.CertificateAuthority("mail-ca", common_name="Example Mail CA")
        roster = pki.ClientRoster("staff", authority=authority, clients={"alice": {"email": "alice@example.org"}})
        with pytest.raises(ConfigError, match="alicia"):
            roster.client("alicia")

    run_program(wrong)

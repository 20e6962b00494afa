"""Certificates that hosts present and somebody else signed: key and chain are given, nothing else is said."""

from typing import Any

import pytest

from postseal.stack.check_third_party_keys import problems_of_third_party_keys
from postseal.stack.config import load_stack
from postseal.stack.model import CertificateKind, CertificateReference, ThirdPartyClient
from postseal.stack.screening import FileText, declared_files
from tests.support.stack_files import problems_of
from tests.support.test_authority import ThrowAwayAuthority

CHAIN = ThrowAwayAuthority().issue_client("us").certificate_pem
KEY = {"partner-key": "a key that the engine keeps"}
GIVEN = {"signed_chain_pem": CHAIN, "private_key_secret": "partner-key"}


def declared(third_party: dict[str, Any] = GIVEN, host: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Return a stack file whose host presents this certificate to its relay."""
    sending = {"myhostname": "mx1.example.org", "relay_through": {"relayhost": "[in.example.net]:25"}}
    sending["relay_through"] = {"relayhost": "[in.example.net]:25", "certificate": "partner"}
    return KEY | {
        "authority": {"common_name": "Example Mail CA"},
        "clients": {"partner": {"third_party": third_party} | fields},
        "hosts": {"mx1": sending | (host or {})},
    }


def test_a_host_presents_it_as_its_client_certificate() -> None:
    """The chain stands here or in a file; the host sends with it, and no certificate of ours is made for it."""
    in_file = {"signed_chain_file": "stacks/partner.pem", "private_key_secret": "partner-key"}
    for third_party in (GIVEN, in_file):
        raw = declared(third_party)
        files = {name: FileText(CHAIN) for name in declared_files(raw)}
        config = load_stack(raw, KEY, stack_name="dev", files=files)
        assert config.clients == {}
        assert config.third_party_clients == {"partner": ThirdPartyClient("partner", CHAIN, "partner-key")}
        host = config.hosts["mx1"]
        assert host.certificates["partner"] == CertificateReference(CertificateKind.CLIENT, "partner")
        assert host.declaration.client is not None
        assert host.declaration.client.certificates == ("partner",)


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        (declared({"private_key_secret": "partner-key"}), "clients.partner.third_party", "certificate is missing"),
        (declared(GIVEN | {"signed_chain_file": "a.pem"}), "clients.partner.third_party.signed_chain_file", "give one"),
        (
            declared({"signed_chain_file": "a.pem", "private_key_secret": "partner-key"}),
            "clients.partner.third_party.signed_chain_file",
            "a.pem is not there",
        ),
        (
            declared(GIVEN | {"private_key_secret": "another"}),
            "clients.partner.third_party.private_key_secret",
            "there is no key 'another'",
        ),
        (
            declared({"signed_chain_pem": CHAIN}) | {"partner-key": None},
            "clients.partner.third_party.private_key_secret",
            "name the secret key of the stack",
        ),
        (declared(email="a@example.org"), "clients.partner.email", "somebody else decided"),
        (declared(authority="authority"), "clients.partner.authority", "somebody else decided"),
        (declared(pkcs12="modern"), "clients.partner.pkcs12", "somebody else decided"),
        (declared(lifetime={"validity": "30d"}), "clients.partner.lifetime", "somebody else decided"),
        (
            declared(host={"relay_clients": ["partner"]}),
            "hosts.mx1.relay_clients[0]",
            "list it in extra_relay_clients",
        ),
    ],
)
def test_a_mistake_is_told_where_it_stands(raw: dict[str, Any], path: str, words: str) -> None:
    """Whoever declares one decides nothing but who presents it."""
    secrets = {name: value for name, value in raw.items() if name == "partner-key"}
    (problem,) = [each for each in problems_of(raw, secrets) if not each.path.startswith("partner-key")]
    assert problem.path == path
    assert words in problem.message


@pytest.mark.parametrize("also_client", [True, False])
def test_a_third_partys_server_certificate_is_presented_if_it_is_for_clients_too(*, also_client: bool) -> None:
    """Which the signer decides; the answer is checked for it."""
    raw: dict[str, Any] = {
        "authority": {"common_name": "Example Mail CA"},
        "servers": {"mx1": {"dns_names": ["mx1.example.org"], "third_party": {}, "also_client": also_client}},
        "hosts": {
            "mx1": {
                "myhostname": "mx1.example.org",
                "relay_through": {"relayhost": "[in.example.net]:25", "certificate": "server"},
            }
        },
    }
    told = [each.path for each in problems_of(raw)]
    assert told == ([] if also_client else ["hosts.mx1.relay_through.certificate"])
    if also_client:
        assert load_stack(raw, [], stack_name="dev").servers["mx1"].is_client
        raw["hosts"]["mx1"]["relay_clients"] = ["mx1"]
        assert [each.path for each in problems_of(raw)] == ["hosts.mx1.relay_clients[0]"]


NO_ANSWERS = {
    "a chain": (CHAIN, ""),
    "text": ("no certificate", "clients.partner.third_party.signed_chain_file: partner.pem: "),
    "a key": (
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "clients.partner.third_party.signed_chain_file: partner.pem line 1: a private key",
    ),
}


@pytest.mark.parametrize("kind", NO_ANSWERS)
def test_a_file_without_a_certificate_is_told_by_its_name(kind: str) -> None:
    """When the stack file is read; a key that stands there by mistake is never quoted."""
    text, beginning = NO_ANSWERS[kind]
    raw = declared({"signed_chain_file": "partner.pem", "private_key_secret": "partner-key"})
    found = [str(each) for each in problems_of(raw, KEY, {"partner.pem": text})]
    assert len(found) == bool(beginning)
    assert all(each.startswith(beginning) and "AAAA" not in each for each in found)


@pytest.mark.parametrize(("name", "is_refused"), [("server", True), ("servers", False)])
def test_none_is_called_as_a_host_calls_its_own(name: str, *, is_refused: bool) -> None:
    """`certificate: server` would mean both."""
    raw = KEY | {"authority": {"common_name": "CA"}, "clients": {name: {"third_party": GIVEN}}}
    found = [each for each in problems_of(raw, KEY) if "host's own certificate" in each.message]
    assert [each.path for each in found] == ([f"clients.{name}"] if is_refused else [])
    assert bool(problems_of(raw, KEY)) is is_refused


PARTNER = ThrowAwayAuthority("Partner")
US = PARTNER.issue_client("us")
SERVER = PARTNER.issue_server("us")
EXPIRED = PARTNER.issue_expired_client("us")


@pytest.mark.parametrize(
    ("chain_pem", "key_pem", "told"),
    [
        (US.certificate_pem, US.private_key_pem, ""),
        (US.certificate_pem, "no key at all", "private_key_secret: partner-key: got no PEM text"),
        (US.certificate_pem, PARTNER.issue_client("them").private_key_pem, "signed_chain: chain[0]: CN=us does not"),
        (SERVER.certificate_pem, SERVER.private_key_pem, "signed_chain: chain[0]: extendedKeyUsage lacks clientAuth"),
        (EXPIRED.certificate_pem, EXPIRED.private_key_pem, ""),
    ],
    ids=["good", "no key", "another key", "a server's", "expired, which only the clock tells"],
)
def test_key_and_chain_are_tried_before_anything_is_registered(chain_pem: str, key_pem: str, told: str) -> None:
    """With the place in the stack file; nothing of a key is repeated."""
    config = load_stack(declared({**GIVEN, "signed_chain_pem": chain_pem}), KEY, stack_name="dev")
    found = [str(each) for each in problems_of_third_party_keys(config, {"partner-key": key_pem})]
    assert len(found) == bool(told)
    assert all(each.startswith(f"clients.partner.third_party.{told}") for each in found)
    assert "PRIVATE KEY-----\n" not in "".join(found)
    assert not [*problems_of_third_party_keys(config, {})]

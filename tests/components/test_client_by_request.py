"""A client whose key stays on its device, in a program: what goes on without the key, and what cannot."""

from collections.abc import Callable

import pulumi
import pytest

import pki
import postfix
from postseal_core.errors import ConfigError
from tests.support.mocks import run_program

REQUEST = "-----BEGIN CERTIFICATE REQUEST-----\n"


def authority() -> pki.CertificateAuthority:
    """Return a root."""
    return pki.CertificateAuthority("mail-ca", common_name="Example CA")


def printer(ca: pki.CertificateAuthority) -> pki.ClientCertificate:
    """Return a client by request."""
    return pki.ClientCertificate("printer", authority=ca, dns_names=["printer.example.org"], request_pem=REQUEST)


def test_the_request_is_handed_to_the_plugin() -> None:
    """It is no secret, and known in every preview."""
    registered = run_program(lambda: printer(authority()), preview=True).one("ClientCertificate").properties
    assert registered["request_pem"] == REQUEST
    assert "private_key_pem" not in registered


def test_it_relays_like_any_other_client() -> None:
    """A host lists it by its certificate."""

    def program() -> None:
        ca = authority()
        mx1 = pki.ServerCertificate("mx1", authority=ca, dns_names=["mx1.example.org"])
        target = postfix.Directory("out")
        postfix.MailServer(
            "mx1", myhostname="mx1.example.org", certificate=mx1, relay_clients=[printer(ca)], target=target
        )

    assert "printer" in str(run_program(program, preview=True).one("MailServer").properties["access"])


def test_it_is_handed_out_without_a_key() -> None:
    """And the line for the reviewer says so."""

    def program() -> None:
        ca = authority()
        alice = pki.ClientCertificate("alice", authority=ca, email="alice@example.org")
        pki.HandOut("hand-out", directory="out", authorities=[ca], clients=[printer(ca), alice])

    folders = run_program(program, preview=True).one("HandOut").properties["folders"]
    assert sorted(folders["clients/printer"]) == ["ca.pem", "printer.cert.pem"]
    assert sorted(folders["clients/alice"]) == ["alice.cert.pem", "alice.key.pem", "ca.pem"]
    descriptions = run_program(program).one("HandOut").properties["descriptions"]
    assert descriptions["clients/printer"].endswith(": certificate, ca.pem")
    assert descriptions["clients/alice"].endswith(": certificate, key, ca.pem")


def _archive() -> None:
    pki.Pkcs12("printer", certificate=printer(authority()))


def _presented() -> None:
    ca = authority()
    postfix.RelayClient(
        "relay", myhostname="relay.example.org", certificate=printer(ca), target=postfix.Directory("out")
    )


def _moved() -> None:
    ca = authority()
    pki.ClientCertificate("printer-2", authority=ca, dns_names=["p.example.org"], take_over=printer(ca))


def _moved_to_a_roster() -> None:
    ca = authority()
    clients = {"printer": {"dns_names": ["p.example.org"]}}
    pki.ClientRoster("devices", authority=ca, clients=clients, take_over={"printer": printer(ca)})


def _unknown_request() -> None:
    request = pulumi.Output.from_input(REQUEST)
    pki.ClientCertificate("printer", authority=authority(), request_pem=request)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (_archive, "archives.printer.certificate: the key of printer is where its request was made"),
        (_presented, "the key of printer is where its request was made; a host here cannot use it"),
        (_moved, "clients.printer-2.take_over: the key of printer is not here"),
        (_moved_to_a_roster, "rosters.devices.take_over.printer: the key of printer is not here"),
        (_unknown_request, "clients.printer.request_pem: must be known before `pulumi up`"),
    ],
    ids=["archive", "presented by a host", "moved", "moved to a roster", "request not known yet"],
)
def test_what_needs_the_key_is_refused(program: Callable[[], None], sentence: str) -> None:
    """Before anything is registered by it."""
    with pytest.raises(ConfigError) as caught:
        run_program(program)
    assert sentence in str(caught.value)

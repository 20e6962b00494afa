"""A client whose key is made on the device, over gRPC: no key here, names from the declaration, renewal by policy."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.model import KeyAlgorithm
from tests.support.judges import Purpose, openssl_verify_strict, pkilint_findings
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import CheckFailedError, Resource, Secret
from tests.support.resource_properties import certificate_of, client, issued_by, root
from tests.support.specimens import key_of

pytestmark = pytest.mark.needs_openssl

DAY = timedelta(days=1)


def request_for(device: str, common_name: str = "Printer 4711") -> str:
    """Return the request that a device makes for its own key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    key = key_of(KeyAlgorithm.ECDSA_P384, device)
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
        .decode()
    )


@pytest.fixture
def authority(plugin: PluginRuns) -> Resource:
    """Return a root that exists."""
    resource = plugin.resource("Certificate", "mail-ca")
    plugin.up(resource, root())
    return resource


@pytest.fixture
def printer(plugin: PluginRuns) -> Resource:
    """Return a client that does not exist yet."""
    return plugin.resource("ClientCertificate", "printer")


def test_the_key_of_a_request_is_certified_under_the_declared_names(
    plugin: PluginRuns, authority: Resource, printer: Resource
) -> None:
    """The subject is that of the declaration, and neither state nor inputs have a key."""
    changes, planned = plugin.preview(
        printer, client(issued_by(authority.outputs), "printer", request_pem=request_for("printer"))
    )
    assert (changes, planned["private_key_pem"]) == ({"": "create"}, Secret(""))
    plugin.up(printer, client(issued_by(authority.outputs), "printer", request_pem=request_for("printer")))
    certificate = certificate_of(printer.outputs)
    assert certificate.public_key() == key_of(KeyAlgorithm.ECDSA_P384, "printer").public_key()
    assert certificate.subject.rfc4514_string() == "CN=printer@example.org"
    assert printer.outputs["private_key_pem"] == Secret("")
    assert (printer.inputs["key_algorithm"], "request_pem" in printer.inputs) == ("ECDSA-P384", False)
    assert not pkilint_findings(printer.outputs["certificate_pem"])
    ca = certificate_of(authority.outputs)
    assert openssl_verify_strict(certificate, roots=[ca], purpose=Purpose.CLIENT, at=plugin.now).is_accepted
    again = client(issued_by(authority.outputs), "printer", request_pem=request_for("printer"))
    assert plugin.up(printer, again) == {}


def test_another_request_for_the_same_key_changes_nothing(
    plugin: PluginRuns, authority: Resource, printer: Resource
) -> None:
    """A request is signed at random: what counts is whose key it is."""
    for name in ("Printer 4711", "Printer 4712"):
        declared = client(issued_by(authority.outputs), "printer", request_pem=request_for("printer", name))
        changes = plugin.up(printer, declared)
    assert changes == {}


def test_a_new_request_takes_over_with_an_overlap(plugin: PluginRuns, authority: Resource, printer: Resource) -> None:
    """The device has the old certificate until it gets the new one."""
    plugin.up(printer, client(issued_by(authority.outputs), "printer", request_pem=request_for("printer")))
    before = printer.outputs["fingerprint_sha256"]
    plugin.up(printer, client(issued_by(authority.outputs), "printer", request_pem=request_for("printer-new")))
    assert certificate_of(printer.outputs).public_key() == key_of(KeyAlgorithm.ECDSA_P384, "printer-new").public_key()
    assert [each["fingerprint_sha256"] for each in printer.outputs["previous"]] == [before]


def test_a_due_renewal_is_told_and_waits(plugin: PluginRuns, authority: Resource, printer: Resource) -> None:
    """In every run until the request is there."""
    declared = client(issued_by(authority.outputs), "printer", request_pem=request_for("printer"))
    plugin.up(printer, declared)
    plugin.now += 250 * DAY
    plugin.lines.clear()
    assert plugin.up(printer, declared) == {}
    assert any("hand in a request for a new one" in line for line in plugin.lines)
    plugin.up(printer, client(issued_by(authority.outputs), "printer", request_pem=request_for("printer-new")))
    assert printer.outputs["generation"] == 2


def test_a_revoked_key_is_never_certified_again(plugin: PluginRuns, authority: Resource, printer: Resource) -> None:
    """Also where a request for it comes back after another one; a new key is."""

    def declared(device: str, **changes: object) -> dict[str, object]:
        return client(issued_by(authority.outputs), "printer", request_pem=request_for(device), **changes)

    plugin.up(printer, declared("printer"))
    plugin.up(printer, declared("printer", revoke="keyCompromise"))
    plugin.up(printer, declared("printer-new", revoke="keyCompromise", issue_again=True))
    assert printer.outputs["generation"] == 2
    message = plugin.refusal(plugin.preview, printer, declared("printer", revoke="keyCompromise", issue_again=True))
    assert "is for the key of generation 1, which was revoked for keyCompromise" in message


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"request_pem": request_for("printer", "ceo@example.org")}, "asks for 'ceo@example.org'"),
        (
            {"request_pem": request_for("printer"), "key_algorithm": "RSA-2048"},
            "the request is for a key of ECDSA-P384",
        ),
        ({"request_pem": "no request"}, "got no PEM block"),
        ({"request_pem": request_for("printer"), "private_key_pem": Secret("x")}, "got a private key as well"),
        ({"request_pem": request_for("printer"), "issuer": None}, "name an authority"),
    ],
    ids=["another name", "another algorithm", "no request", "a key as well", "no authority"],
)
def test_what_a_request_contradicts_is_refused(
    plugin: PluginRuns, authority: Resource, printer: Resource, changes: dict[str, object], sentence: str
) -> None:
    """Before anything is made."""
    with pytest.raises(CheckFailedError, match=sentence):
        plugin.preview(printer, client(issued_by(authority.outputs), "printer") | changes)


def test_two_clients_of_a_run_do_not_have_one_key(plugin: PluginRuns, authority: Resource, printer: Resource) -> None:
    """Who revokes one of them would leave the other; the same client is checked as often as the engine likes."""
    copier = plugin.resource("ClientCertificate", "copier")
    of_printer, of_copier = (
        client(issued_by(authority.outputs), name, request_pem=request_for("printer")) for name in ("printer", "copier")
    )
    plugin.start_run()
    assert printer.check(of_printer)
    assert printer.check(of_printer)
    with pytest.raises(CheckFailedError, match="is for the key of printer: who has that key would be both"):
        copier.check(of_copier)

"""Clients by request in the stack file: where the request stands, and what would need the key that is not here."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.model import KeyAlgorithm
from pki.third_party_answer import pem_of_binary
from postseal.stack.config import load_stack
from postseal.stack.screening import FileText, declared_files
from tests.support.specimens import key_of
from tests.support.stack_files import problems_of, stack

PRINTER = {"dns_names": ["printer.example.org"]}


def request_for(common_name: str) -> str:
    """Return a request."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    key = key_of(KeyAlgorithm.ECDSA_P384, "printer")
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256())
    return request.public_bytes(Encoding.PEM).decode()


REQUEST = request_for("HP 4711")


def declared(
    hosts: dict[str, Any] | None = None, rosters: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """Return a stack file with a printer that has these fields."""
    sections: dict[str, Any] = {"clients": {"printer": PRINTER | fields}}
    sections["hosts"] = hosts or {"mx1": {"myhostname": "mx1.example.org", "relay_clients": ["printer"]}}
    return stack(**sections, **({"rosters": rosters} if rosters else {}))


@pytest.mark.parametrize("key", ["request_pem", "request_file"])
def test_the_request_may_stand_here_or_in_a_file(key: str) -> None:
    """Either way the component gets its text."""
    said: dict[str, Any] = {key: REQUEST if key == "request_pem" else "stacks/printer.csr.pem"}
    raw = declared(**said)
    files = {name: FileText(REQUEST) for name in declared_files(raw)}
    assert sorted(files) == ([] if key == "request_pem" else ["stacks/printer.csr.pem"])
    assert load_stack(raw, [], stack_name="dev", files=files).clients["printer"].request_pem == REQUEST


def test_a_binary_request_is_read_as_the_same_request() -> None:
    """Windows and many appliances write DER; a PEM request needs nothing done."""
    der = x509.load_pem_x509_csr(REQUEST.encode()).public_bytes(Encoding.DER)
    assert pem_of_binary(der) == REQUEST
    assert pem_of_binary(REQUEST.encode()) == pem_of_binary(der[:-1]) == ""


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            declared(request_pem=REQUEST, request_file="printer.csr"),
            ["clients.printer.request_file: declared beside request_pem; give one"],
        ),
        (declared(request_file="printer.csr"), ["clients.printer.request_file: printer.csr is not there"]),
        (declared(request_pem="text"), ["clients.printer.request_pem: request: got no PEM block"]),
        (
            declared(request_pem=request_for("ceo@example.org")),
            ["clients.printer.request_pem: asks for 'ceo@example.org'"],
        ),
        (
            declared(request_pem=REQUEST, key_algorithm="RSA-2048"),
            ["clients.printer.key_algorithm: got RSA-2048, but the request is for a key of ECDSA-P384"],
        ),
        (declared(request_pem=REQUEST, pkcs12="modern"), ["clients.printer.pkcs12: an archive holds the key"]),
        (
            declared(
                {
                    "out": {
                        "myhostname": "o.example.org",
                        "certificate": "none",
                        "relay_through": {"relayhost": "[mx.example.org]", "certificate": "printer"},
                    }
                },
                request_pem=REQUEST,
            ),
            ["hosts.out: presents the certificate of printer, whose key is where its request was made"],
        ),
        (
            declared(
                {"mx1": {"myhostname": "mx1.example.org", "relay_rosters": ["devices"]}},
                {"devices": {"clients": {"printer": PRINTER}, "take_over": ["printer"]}},
                request_pem=REQUEST,
            ),
            ["rosters.devices.take_over: the key of printer is where its request was made"],
        ),
        (
            declared(
                None,
                {"devices": {"clients": {"printer": PRINTER}}},
                request_pem=REQUEST,
                take_over_from="devices",
            ),
            ["clients.printer.take_over_from: a roster's client has its key here, and the request is for another one"],
        ),
    ],
    ids=[
        "twice",
        "no file",
        "no request",
        "another name",
        "another algorithm",
        "archive",
        "presented",
        "moved",
        "moved out",
    ],
)
def test_what_needs_the_key_or_contradicts_the_request_is_told(raw: dict[str, Any], expected: list[str]) -> None:
    """Before anything is registered."""
    found = [str(problem) for problem in problems_of(raw)]
    assert len(found) == len(expected)
    for problem, beginning in zip(found, expected, strict=True):
        assert problem.startswith(beginning)


def test_two_clients_do_not_have_one_key() -> None:
    """Who revokes one of them would leave the other, whose key it is as well."""
    raw = declared(request_pem=REQUEST)
    raw["clients"] |= {"copier": {"dns_names": ["copier.example.org"], "request_pem": REQUEST}}
    (problem,) = problems_of(raw)
    assert problem.path == "clients.copier.request_pem"
    assert problem.message.startswith("is for the key of printer: who has that key would be both")

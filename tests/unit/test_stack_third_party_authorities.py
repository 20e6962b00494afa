"""Authorities of a stack file that somebody else signs: what is read, what stands below, and what is refused."""

import base64
from inspect import signature
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from pki.authority_links import problems_of_links
from pki.authority_request import authority_request_pem
from pki.keys import generate_private_key
from pki.model import CertificateDeclaration, KeyAlgorithm, NameConstraints, Profile, Subject
from pki.third_party_answer import fault_of_binary, pem_of_binary, read_answer
from postseal.stack.config import load_stack
from postseal.stack.screening import FileText, declared_files
from tests.support.offline_signer import OfflineSigner, pem
from tests.support.specimens import NOW
from tests.support.stack_files import problems_of, stack
from tests.support.test_authority import ThrowAwayAuthority

ROOT = OfflineSigner(NOW)
KEY = generate_private_key(KeyAlgorithm.ECDSA_P256)
DECLARATION = CertificateDeclaration(
    Profile.INTERMEDIATE,
    Subject("Example Issuing CA"),
    path_length=0,
    name_constraints=NameConstraints(permitted_dns=("example.org",), permitted_email=("example.org",)),
)
ANSWER = ROOT.sign(authority_request_pem(DECLARATION, KEY))
FILES = {"signed/issuing.pem": pem(ANSWER), "signed/root.pem": pem(ROOT.certificate)}
SIGNED = {"signed_chain_file": "signed/issuing.pem", "roots_file": "signed/root.pem"}


def issuing(third_party: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a stack whose only authority somebody else signs."""
    return stack(authority={"common_name": "Example Issuing CA", "path_length": 0, "third_party": third_party} | more)


def refused(third_party: dict[str, Any], files: dict[str, str] | None = None, **more: Any) -> dict[str, str]:
    """Return what is wrong, by its path."""
    return {each.path: each.message for each in problems_of(issuing(third_party, **more), files=files or FILES)}


def test_a_stack_that_waits_is_a_good_one() -> None:
    """Everything may be declared from the beginning; the authority is an intermediate that trusts nothing yet."""
    config = load_stack(issuing({}), [], stack_name="test")
    authority = config.authorities["authority"]
    assert authority.profile is Profile.INTERMEDIATE
    assert authority.third_party
    assert authority.third_party.is_waiting(authority.slots)
    assert config.hosts["mx1"].trusted_authorities == ()


@pytest.mark.parametrize(
    "third_party",
    [
        SIGNED,
        {"signed_chain_pem": pem(ANSWER), "roots_pem": pem(ROOT.certificate)},
        SIGNED | {"signed_chain_file": {"1": "signed/issuing.pem"}},
    ],
    ids=["files", "texts", "by slot"],
)
def test_an_answer_is_read_wherever_it_stands(third_party: dict[str, Any]) -> None:
    """In files beside the program or in the stack file; hosts trust the root then."""
    raw = issuing(third_party)
    files = {name: FileText(FILES[name]) for name in declared_files(raw)}
    config = load_stack(raw, [], stack_name="test", files=files)
    told = config.authorities["authority"].third_party
    assert told
    assert (dict(told.signed_chains_pem), told.roots_pem) == ({1: pem(ANSWER)}, pem(ROOT.certificate))
    assert config.hosts["mx1"].trusted_authorities == ("authority",)


def test_names_are_held_to_what_was_signed() -> None:
    """Constraints of the certificate count, also where the stack file says none."""
    raw = issuing(SIGNED) | {"clients": {"eve": {"email": "eve@example.net"}}, "hosts": {}}
    (problem,) = problems_of(raw, files=FILES)
    assert problem.path == "clients.eve.email"
    assert "all that CN=Example Issuing CA may certify" in problem.message


@pytest.mark.parametrize(
    ("third_party", "more", "path"),
    [
        (SIGNED, {"issuer": "authority"}, "authority.third_party"),
        (SIGNED | {"signed_chain_pem": pem(ANSWER)}, {}, "authority.third_party.signed_chain_file"),
        (SIGNED | {"roots_pem": pem(ANSWER)}, {}, "authority.third_party.roots_file"),
        ({"signed_chain_file": "signed/issuing.pem"}, {}, "authority.third_party.roots_file"),
        (SIGNED | {"signed_chain_file": "signed/none.pem"}, {}, "authority.third_party.signed_chain_file"),
        (SIGNED | {"signed_chain_file": {"2": "signed/issuing.pem"}}, {}, "authority.third_party.signed_chain_file"),
        (SIGNED | {"signed_chain_file": {"one": "signed/issuing.pem"}}, {}, "authority.third_party.signed_chain_file"),
        (SIGNED, {"slots": {"active": 2, "retiring": 1}}, "authority.third_party.signed_chain_file"),
        ({}, {"slots": {"active": 2, "distrusted": 1}}, "authority.slots"),
        (SIGNED, {"slots": {"active": 2, "retiring": 1, "cross_sign": True}}, "authority.slots.cross_sign"),
        ({}, {"lifetime": {"validity": "365d"}}, "authority.lifetime.validity"),
        ({"extended_key_usage": ["emailProtection"]}, {}, "authority.third_party.extended_key_usage[0]"),
        ({"signed_chain": "x"}, {}, "authority.third_party.signed_chain"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_path(
    third_party: dict[str, Any], more: dict[str, Any], path: str
) -> None:
    """Before anything is registered; each has its counterpart above that is taken."""
    assert path in refused(third_party, **more)


def test_a_file_that_is_no_answer_is_told() -> None:
    """A key in it is never quoted; a request is not the answer to itself."""
    for text in (
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        authority_request_pem(DECLARATION, KEY),
        "x",
    ):
        told = refused(SIGNED, FILES | {"signed/issuing.pem": text})
        assert told.keys() == {"authority.third_party.signed_chain_file"}
        assert "AAAA" not in str(told)


def test_roots_that_are_none_are_told_once() -> None:
    """At the roots; names are not held to what cannot be read, and everybody below waits to be judged."""
    for text in ("x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        told = refused(SIGNED, FILES | {"signed/root.pem": text})
        assert told.keys() == {"authority.third_party.roots_file"}
    assert refused(SIGNED) == {}


def test_a_root_that_has_not_signed_is_told_with_where_the_others_belong() -> None:
    """What stands between is no root, and not part of the adopted certificate; the right root is taken."""
    other = x509.load_pem_x509_certificate(ThrowAwayAuthority("Another root").certificate_pem.encode())
    (told,) = problems_of_links([ANSWER], [other])
    assert told.message.endswith(
        "which is none of the declared roots: declare that root, or what stands between as well, behind the "
        "certificate (third_party.signed_chain_file)"
    )
    assert [*problems_of_links([ANSWER], [other, ROOT.certificate])] == []


def test_what_is_adopted_is_the_answer_until_there_is_a_newer_one() -> None:
    """The first slot has its certificate already, so nothing waits; the next answer goes before it."""
    adopt = {"certificate_pem": pem(ANSWER), "private_key_secret": "issuing-key"}
    newer = pem(ROOT.sign(authority_request_pem(DECLARATION, KEY)))
    for third_party, expected in ({}, pem(ANSWER)), ({"signed_chain_pem": newer}, newer):
        raw = issuing(third_party | {"roots_pem": pem(ROOT.certificate)}, adopt=adopt)
        config = load_stack(raw | {"issuing-key": "the engine keeps it"}, ["issuing-key"], stack_name="test")
        told = config.authorities["authority"].third_party
        assert told
        assert dict(told.signed_chains_pem) == {1: expected}
        assert not told.is_waiting(config.authorities["authority"].slots)


def test_binary_and_windows_answers_are_read() -> None:
    """DER of one certificate, DER and PEM of PKCS#7, and PKCS#7 under the label of a certificate, as AD CS saves it."""
    chain = [ANSWER, ROOT.certificate]
    der = pkcs7.serialize_certificates(chain, Encoding.DER)
    body = base64.encodebytes(der).decode()
    windows = f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
    texts = [pem_of_binary(der), pkcs7.serialize_certificates(chain, Encoding.PEM).decode(), windows]
    for text in (*texts, windows.replace("\n", "\r\n")):
        assert read_answer(text, what="it") == [ANSWER]
    assert x509.load_pem_x509_certificate(pem_of_binary(ANSWER.public_bytes(Encoding.DER)).encode()) == ANSWER
    for other in (b"", b"0", b"\x30\x82\xff\xff", b"name,email\n", der[:100]):
        assert pem_of_binary(other) == ""


def test_a_list_beside_an_answer_that_may_sign_none_is_refused_at_once() -> None:
    """Of each slot that was answered, for each signs a list of its own; without a list it is taken."""
    asked = x509.load_pem_x509_csr(authority_request_pem(DECLARATION, KEY).encode()).extensions
    bits = dict.fromkeys((each for each in signature(x509.KeyUsage).parameters if each != "self"), False)
    usage = x509.KeyUsage(**bits | {"key_cert_sign": True})
    kept = [each for each in asked if not isinstance(each.value, x509.KeyUsage)]
    poor = ROOT.sign(
        authority_request_pem(DECLARATION, KEY),
        extensions=[*kept, x509.Extension(usage.oid, True, usage)],  # noqa: FBT003
    )
    files = FILES | {"signed/poor.pem": pem(poor)}
    names = {"name_constraints": {"permitted_dns": ["example.org"], "permitted_email": ["example.org"]}}
    alone, retiring = SIGNED | {"signed_chain_file": "signed/poor.pem"}, {1: "signed/poor.pem", 2: "signed/issuing.pem"}
    found = refused(alone, files, crl=True, **names)
    assert [*found] == ["authority.crl"]
    assert found["authority.crl"].startswith("CN=Example Issuing CA may sign no revocation lists: its keyUsage lacks")
    slots = {"active": 2, "retiring": 1}
    assert [*refused(SIGNED | {"signed_chain_file": retiring}, files, crl=True, slots=slots, **names)] == [
        "authority.crl"
    ]
    assert refused(alone, files, **names) == {}
    assert refused(SIGNED, files, crl=True, **names) == {}


def test_a_binary_file_that_is_of_no_use_is_told_what_it_is() -> None:
    """Partners send archives; a table in another encoding is told about that."""
    assert "of an archive (PKCS#12, .p12 or .pfx) hand in" in fault_of_binary(bytes.fromhex("308209a60201033082"))
    assert fault_of_binary("Müller".encode("latin-1")) == "is no UTF-8 text; save it as UTF-8"

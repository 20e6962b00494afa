"""Authorities that exist, in the stack file: taken over as they are, whatever others made of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pki.issuing import Issuer
from pki.model import KeyAlgorithm, Profile, Validity
from postseal.stack.check_adopted_keys import problems_of_adopted_keys
from postseal.stack.config import load_stack
from postseal.stack.model import StackConfig
from tests.support.foreign_authorities import made_by, openssl
from tests.support.path_judges import VERIFIERS, Chain
from tests.support.specimens import VALIDITY, issue_leaf, key_of
from tests.support.stack_files import problems_of

Raw = dict[str, Any]
KEY = {"ca-key": "stands for a key"}


def certificate_for(key: Any, *, extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (), serial: int = 7) -> str:
    """Return a root for this key, in PEM, as a program that is not ours makes it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Old CA")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.not_valid_before(VALIDITY.not_before).not_valid_after(VALIDITY.not_after).serial_number(serial)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def adopted(certificate_pem: str, **fields: Any) -> Raw:
    """Return a stack that takes an authority over; `fields`: of its section, those of `adopt` under `adopt`."""
    adopt = {"certificate_pem": certificate_pem, "private_key_secret": "ca-key"} | fields.pop("adopt", {})
    return {"authority": {"adopt": adopt} | fields} | KEY


def loaded(raw: Raw, *secrets: str) -> StackConfig:
    """Return the model of a stack file."""
    return load_stack(raw, ["ca-key", *secrets], stack_name="dev")


SUBJECTS = {
    "easy-rsa": "/C=DE/ST=Bavaria/L=Munich/O=Example/OU=IT/CN=Example CA/emailAddress=ca@example.org",
    "other order": "/CN=Example CA/O=Example/C=DE",
    "AD CS": "/DC=org/DC=example/CN=Example-DC1-CA",
    "two OUs": "/C=DE/O=Example/OU=IT/OU=Mail/CN=Example CA",
    "no common name": "/O=Example Mail/OU=Certificate Authority",
    "lower-case country": "/C=de/CN=Example CA",
    "multi-valued": "/O=Example+OU=Mail/CN=Example CA",
}


@pytest.mark.needs_openssl
@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_subject_is_taken_over_without_a_word(kind: str, tmp_path: Path) -> None:
    """The stack file repeats nothing, and where it does, what it says is a part of what the certificate says."""
    pem = made_by(openssl(subject=SUBJECTS[kind]), tmp_path).certificate_pem
    assert problems_of(adopted(pem), ["ca-key"]) == []
    said = {"organizational_unit": "Mail"} if kind == "two OUs" else {}
    assert problems_of(adopted(pem, **said), ["ca-key"]) == []


@pytest.mark.needs_openssl
def test_a_part_that_the_certificate_lacks_is_told_with_what_follows(tmp_path: Path) -> None:
    """It can be left out, or made on purpose."""
    pem = made_by(openssl(subject=SUBJECTS["two OUs"]), tmp_path).certificate_pem
    (problem,) = problems_of(adopted(pem, organizational_unit="Sales"), ["ca-key"])
    assert problem.path == "authority.organizational_unit"
    assert "'IT', 'Mail'" in problem.message
    assert "GnuTLS, NSS and Go refuse" in problem.message
    changed = adopted(pem, organizational_unit="Sales", adopt={"change": ["subject"]})
    assert problems_of(changed, ["ca-key"]) == []
    assert loaded(changed).authorities["authority"].declared.common_name == "Example CA"


@pytest.mark.needs_openssl
def test_a_name_in_characters_that_cannot_be_read_is_refused_with_that_cause(tmp_path: Path) -> None:
    """A T61String beyond ASCII: its bytes could not be kept."""
    pem = made_by(openssl(mask="MASK:0x0004", subject="/CN=Ex\xe4mple CA"), tmp_path).certificate_pem
    (problem,) = problems_of(adopted(pem), ["ca-key"])
    assert (problem.path, "T61String" in problem.message) == ("authority.adopt.certificate_pem", True)


def test_a_change_that_changes_nothing_is_told() -> None:
    """Whoever lists it believes that something follows from it."""
    pem = certificate_for(key_of(KeyAlgorithm.ECDSA_P256))
    (problem,) = problems_of(adopted(pem, adopt={"change": ["path_length"]}), ["ca-key"])
    assert (problem.path, "leave it out" in problem.message) == ("authority.adopt.change", True)
    assert problems_of(adopted(pem, path_length=0, adopt={"change": ["path_length"]}), ["ca-key"]) == []
    (problem,) = problems_of(adopted(pem, adopt={"change": ["extensions"]}), ["ca-key"])
    assert "expected one of subject, path_length, name_constraints" in problem.message


@pytest.mark.parametrize(
    "algorithm", [each for each in KeyAlgorithm if each is not KeyAlgorithm.ED25519], ids=lambda each: each.value
)
def test_the_key_algorithm_is_what_the_certificate_has(algorithm: KeyAlgorithm) -> None:
    """Nobody has to know it."""
    pem = certificate_for(key_of(algorithm))
    assert loaded(adopted(pem)).authorities["authority"].declared.key_algorithm is algorithm


def test_a_purpose_that_the_authority_lacks_is_told_at_who_needs_it() -> None:
    """An authority for clients only is adopted, and certifies clients only."""
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    pem = certificate_for(key_of(KeyAlgorithm.ECDSA_P256), extensions=((usage, False),))
    raw = adopted(pem) | {"clients": {"a": {"dns_names": ["a.example.org"]}}}
    assert problems_of(raw, ["ca-key"]) == []
    (problem,) = problems_of(raw | {"servers": {"mx1": {"dns_names": ["mx1.example.org"]}}}, ["ca-key"])
    assert (problem.path, "lacks serverAuth" in problem.message) == ("servers.mx1.authority", True)


def test_a_list_below_an_authority_that_may_sign_none_is_refused() -> None:
    """Before anything is made, and not when the list is to be signed."""
    bits = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    )
    usage = x509.KeyUsage(**bits, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False)
    pem = certificate_for(key_of(KeyAlgorithm.ECDSA_P256), extensions=((usage, True),))
    assert problems_of(adopted(pem), ["ca-key"]) == []
    (problem,) = problems_of(adopted(pem, crl=True), ["ca-key"])
    assert (problem.path, "lacks cRLSign" in problem.message) == ("authority.adopt.certificate_pem", True)


@pytest.mark.parametrize("common_name", ["Old CA", "OLD  ca"])
def test_a_leaf_with_the_subject_of_its_issuer_is_refused_when_the_file_is_read(common_name: str) -> None:
    """Verifiers would take it for self-signed; case and blanks make no other name of it."""
    client = {"email": "a@example.org", "common_name": common_name}
    for raw in (
        {"authority": {"common_name": "Old CA"}},
        adopted(certificate_for(key_of(KeyAlgorithm.ECDSA_P256))),
    ):
        (problem,) = problems_of(raw | {"clients": {"a": client}}, [key for key in raw if key == "ca-key"])
        assert (problem.path, "signs itself" in problem.message) == ("clients.a.common_name", True)


def key_pem(key: Any, passphrase: str = "") -> str:
    """Return a key in PEM, encrypted where there is a passphrase."""
    protection = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    return pem.decode()


KEYS: dict[str, tuple[str, str, str, str]] = {
    "right": ("", "", "", ""),
    "opened": ("swordfish", "swordfish", "", ""),
    "wrong passphrase": ("swordfish", "rumpelstiltskin", "private_key_passphrase_secret", "does not open the key"),
    "no passphrase": ("swordfish", "", "private_key_secret", "the key is encrypted"),
    "needless passphrase": ("", "swordfish", "private_key_passphrase_secret", "is not encrypted"),
}


@pytest.mark.parametrize("kind", KEYS)
def test_the_key_is_opened_before_anything_is_registered(kind: str) -> None:
    """What does not open it is told with the rest of the stack file, without the key or the passphrase."""
    made_with, given, path, sentence = KEYS[kind]
    key = key_of(KeyAlgorithm.ECDSA_P256)
    adopt = {"private_key_passphrase_secret": "ca-passphrase"} if given else {}
    raw = adopted(certificate_for(key), adopt=adopt) | {"ca-key": key_pem(key, made_with)}
    raw |= {"ca-passphrase": given} if given else {}
    found = list(problems_of_adopted_keys(loaded(raw, *adopt.values()), raw))
    assert [each.path for each in found] == ([f"authority.adopt.{path}"] if path else [])
    assert all(sentence in each.message and "swordfish" not in each.message for each in found)


@pytest.mark.parametrize("text", ["no key at all", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_told_at_the_key(text: str) -> None:
    """Without quoting it; a right key, above, is told nothing about."""
    raw = adopted(certificate_for(key_of(KeyAlgorithm.ECDSA_P256))) | {"ca-key": text}
    (problem,) = problems_of_adopted_keys(loaded(raw), raw)
    assert problem.path == "authority.adopt.private_key_secret"
    assert problem.message.startswith("ca-key: ")
    assert text not in problem.message
    assert "AAAA" not in problem.message


def test_the_key_of_another_certificate_is_told() -> None:
    """Nothing that it signs would verify."""
    pem = certificate_for(key_of(KeyAlgorithm.ECDSA_P256))
    other = ec.generate_private_key(ec.SECP256R1())
    raw = adopted(pem) | {"ca-key": key_pem(other)}
    (problem,) = problems_of_adopted_keys(loaded(raw), raw)
    assert "another certificate" in problem.message


def _called_alike(*owners: str, **other: Any) -> list[tuple[str, str]]:
    """Return path and sentence of what is wrong with two authorities called alike; each with the key of its owner."""
    names = ("one", "two")
    sections = {}
    for name, owner in zip(names, owners, strict=True):
        identifier = x509.SubjectKeyIdentifier(owner.encode())
        key = key_of(KeyAlgorithm.ECDSA_P256, owner)
        pem = certificate_for(key, extensions=((identifier, False),) if other.get("has_identifier", True) else ())
        sections[name] = {"adopt": {"certificate_pem": pem, "private_key_secret": "ca-key"}}
    if "common_name" in other:
        sections["two"] = {"common_name": other["common_name"]}
    return [(each.path, each.message) for each in problems_of({"authorities": sections} | KEY, ["ca-key"])]


def test_two_adopted_authorities_may_be_called_alike_if_verifiers_tell_them_apart() -> None:
    """Names that exist were not chosen here; an authority of ours may be called otherwise, and one key is one."""
    assert _called_alike("one", "two") == []
    ((path, message),) = _called_alike("one", "two", has_identifier=False)
    assert (path, "without a subjectKeyIdentifier" in message) == ("authorities.two.adopt.certificate_pem", True)
    ((path, message),) = _called_alike("one", "one")
    assert (path, "has this key already" in message) == ("authorities.two.adopt.certificate_pem", True)
    ((path, message),) = _called_alike("one", "two", common_name="Old CA")
    assert (path, "give two another one" in message) == ("authorities.two.common_name", True)


@pytest.mark.needs_openssl
@pytest.mark.needs_gnutls
@pytest.mark.needs_nss
@pytest.mark.needs_go
@pytest.mark.parametrize("has_identifier", [True, False])
def test_verifiers_tell_roots_of_one_name_apart_by_their_identifiers(has_identifier: bool) -> None:  # noqa: FBT001
    """Whichever stands first in the bundle; without identifiers, one of them takes the wrong one."""
    now = datetime.now(UTC)
    roots: list[x509.Certificate] = []
    for owner in ("one", "two"):
        key = key_of(KeyAlgorithm.ECDSA_P256, owner)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        pem = certificate_for(key, extensions=((identifier, False),) if has_identifier else (), serial=len(roots) + 7)
        roots.append(x509.load_pem_x509_certificate(pem.encode()))
    validity = Validity(now - timedelta(hours=1), now + timedelta(days=1))
    leaf = issue_leaf(
        Issuer(roots[0], key_of(KeyAlgorithm.ECDSA_P256, "one")), Profile.SERVER_AND_CLIENT, validity=validity
    )
    orders = (roots, roots[::-1])
    verdicts = {
        judge(Chain(leaf, [], first, [second], is_strict=False)).is_accepted
        for judge in VERIFIERS.values()
        for first, second in orders
    }
    assert verdicts == ({True} if has_identifier else {True, False})

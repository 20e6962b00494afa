"""Keys and certificates of somebody else: too large, of another kind, cut off, or locked in another way."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ed448, x25519
from cryptography.hazmat.primitives.serialization import Encoding

from pki.encrypted_keys import opened_private_key_pem
from pki.keys import kind_of_key, load_private_key, private_key_pem
from pki.model import KeyAlgorithm
from pki.string_types import has_explicit_curve, unreadable_string_types
from pki.verification import chain_pem, load_chain, order_chain
from postseal_core.bounds import LARGEST_CHAIN_BYTES, LARGEST_KEY_BYTES, MOST_CERTIFICATES
from postseal_core.errors import CertificateError
from tests.support.specimens import issue_leaf, key_of, make_authority

P256 = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
UNKNOWN_CIPHER = (
    "ca-key: the key is encrypted with a cipher that is not known here; encrypt it anew with "
    "`openssl pkcs8 -topk8 -v2 aes-256-cbc`"
)
UNKNOWN_KEY = "ca-key: got a key of an algorithm or curve that is not known here, expected one of ECDSA-P256, "


def _openssl(place: Path, command: str) -> None:
    subprocess.run(["openssl", *command.split()], cwd=place, check=True, capture_output=True, timeout=60)


def _locked(place: Path, make: str, lock: str) -> str:
    """Return a key that openssl has made and encrypted with the passphrase swordfish."""
    _openssl(place, f"{make} -out clear.pem")
    _openssl(place, f"{lock} -in clear.pem -passout pass:swordfish -out locked.pem")
    return (place / "locked.pem").read_text()


@pytest.mark.needs_openssl
@pytest.mark.parametrize(
    "lock", ["pkcs8 -topk8 -v2 camellia-256-cbc", "pkcs8 -topk8 -v2 aria-256-cbc", "ec -camellia256"]
)
def test_a_cipher_that_is_not_known_is_told_from_a_wrong_passphrase(lock: str, tmp_path: Path) -> None:
    """Trying other passphrases would not help; what the sentence advises does."""
    locked = _locked(tmp_path, P256, lock)
    with pytest.raises(CertificateError) as caught:
        opened_private_key_pem(locked, "swordfish", what="ca-key")
    assert str(caught.value) == UNKNOWN_CIPHER
    again = _locked(tmp_path, P256, "pkcs8 -topk8 -v2 aes-256-cbc")
    clear = (tmp_path / "clear.pem").read_text()
    assert opened_private_key_pem(again, "swordfish", what="ca-key") == clear


@pytest.mark.needs_openssl
@pytest.mark.parametrize("curve", ["secp112r2", "SM2"])
def test_an_unknown_curve_is_no_matter_of_cipher_or_form(curve: str, tmp_path: Path) -> None:
    """Locked or in clear, the key itself is what is not accepted."""
    make = f"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:{curve}"
    locked = _locked(tmp_path, make, "pkcs8 -topk8 -v2 aes-256-cbc")
    with pytest.raises(CertificateError) as caught:
        opened_private_key_pem(locked, "swordfish", what="ca-key")
    assert str(caught.value).startswith(UNKNOWN_KEY)
    with pytest.raises(CertificateError) as caught:
        load_private_key((tmp_path / "clear.pem").read_text(), what="ca-key")
    assert str(caught.value).startswith(UNKNOWN_KEY)


@pytest.mark.needs_openssl
@pytest.mark.parametrize(("passphrase", "is_told"), [("swordfish\n", True), (" swordfish", True), ("sword", False)])
def test_a_passphrase_with_a_line_break_is_told_as_that(passphrase: str, is_told: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """It comes from a file with more than one line, and openssl takes the first alone."""
    locked = _locked(tmp_path, P256, "pkcs8 -topk8 -v2 aes-256-cbc")
    with pytest.raises(CertificateError, match="does not open the key") as caught:
        opened_private_key_pem(locked, passphrase, what="ca-key")
    assert ("it begins or ends with a blank or a line break" in str(caught.value)) is is_told
    assert "sword" not in str(caught.value)


def _padded(pem: str, size: int) -> str:
    """Return a PEM text of this many characters; what stands before a block is skipped."""
    return "\n" * (size - len(pem)) + pem


def test_a_key_in_clear_has_64_kibibytes_at_most() -> None:
    """Exactly that many are read, and one more is refused before it is parsed."""
    pem = private_key_pem(key_of(KeyAlgorithm.ECDSA_P256))
    assert private_key_pem(load_private_key(_padded(pem, LARGEST_KEY_BYTES), what="key")) == pem
    with pytest.raises(CertificateError) as caught:
        load_private_key(_padded(pem, LARGEST_KEY_BYTES + 1), what="ca-key")
    assert str(caught.value) == "ca-key: got more than 64 KiB: hand in only the key"


@pytest.mark.needs_openssl
def test_a_locked_key_has_64_kibibytes_at_most(tmp_path: Path) -> None:
    """Exactly that many are opened, and one more is refused before it is deciphered."""
    locked = _locked(tmp_path, P256, "pkcs8 -topk8 -v2 aes-256-cbc")
    opened = opened_private_key_pem(_padded(locked, LARGEST_KEY_BYTES), "swordfish", what="key")
    assert opened == (tmp_path / "clear.pem").read_text()
    with pytest.raises(CertificateError) as caught:
        opened_private_key_pem(_padded(locked, LARGEST_KEY_BYTES + 1), "swordfish", what="ca-key")
    assert str(caught.value) == "ca-key: got more than 64 KiB: hand in only the key"


def test_a_chain_has_2_mebibytes_at_most() -> None:
    """Exactly that many are read, and one more is refused before it is parsed."""
    leaf = issue_leaf(make_authority())
    pem = chain_pem([leaf])
    assert load_chain(_padded(pem, LARGEST_CHAIN_BYTES), what="chain") == [leaf]
    with pytest.raises(CertificateError) as caught:
        load_chain(_padded(pem, LARGEST_CHAIN_BYTES + 1), what="chain")
    assert str(caught.value) == "chain: got more than 2 MiB: hand in fewer certificates"


def test_a_chain_has_32_certificates_at_most() -> None:
    """Repetitions count, since each costs verifications; 32 of them are put in order."""
    root = make_authority()
    leaf = issue_leaf(root)
    most = [root.certificate, *[leaf] * (MOST_CERTIFICATES - 1)]
    assert order_chain(most) == [leaf, root.certificate]
    with pytest.raises(CertificateError) as caught:
        order_chain([*most, leaf])
    assert str(caught.value) == "expected one chain of at most 32 certificates, got 33: leave out others"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (ed448.Ed448PrivateKey.generate(), "Ed448PrivateKey"),
        (x25519.X25519PrivateKey.generate().public_key(), "X25519PublicKey"),
        (dsa.generate_private_key(2048).public_key(), "DSAPublicKey"),
        (key_of(KeyAlgorithm.ECDSA_P384), "ECDSA"),
        (key_of(KeyAlgorithm.RSA_2048).public_key(), "RSA"),
        (key_of(KeyAlgorithm.ED25519), "ED25519"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_every_key_has_a_kind(key: object, kind: str) -> None:
    """A key of no accepted algorithm is named by its class."""
    assert kind_of_key(key).removeprefix("_") == kind


def _certificate(place: Path, key: str, mask: str) -> bytes:
    """Return a certificate that openssl has made with a key and string type, in DER."""
    (place / "openssl.cnf").write_text(f"[req]\nstring_mask = {mask}\ndistinguished_name = dn\n[dn]\n")
    _openssl(place, f"{key} -out ca.key")
    _openssl(place, "req -x509 -new -key ca.key -out ca.pem -config openssl.cnf -days 9 -subj /O=Example/CN=CA")
    return x509.load_pem_x509_certificate((place / "ca.pem").read_bytes()).public_bytes(Encoding.DER)


EXPLICIT = "ecparam -name prime256v1 -genkey -noout -param_enc explicit"


@pytest.mark.needs_openssl
@pytest.mark.parametrize(
    ("key", "mask", "types", "is_explicit"),
    [
        (EXPLICIT, "MASK:0x0004", ["T61String"], True),
        (EXPLICIT, "MASK:0x0800", ["BMPString"], True),
        (EXPLICIT, "utf8only", [], True),
        (P256, "MASK:0x0800", ["BMPString"], False),
        ("genpkey -algorithm ED25519", "nombstr", [], False),
    ],
)
def test_spelling_and_curve_are_found_in_whole_certificates_and_never_fail(
    key: str,
    mask: str,
    types: list[str],
    is_explicit: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    """Cut off anywhere, less is found, and never something that is not there."""
    der = _certificate(tmp_path, key, mask)
    assert (unreadable_string_types(der), has_explicit_curve(der)) == (types, is_explicit)
    for size in range(len(der)):
        assert set(unreadable_string_types(der[:size])) <= set(types)
        assert has_explicit_curve(der[:size]) in {False, is_explicit}


@pytest.mark.parametrize(
    "text",
    ["", "00", "3000", "30023000", "300a3008a003020102020107", "3082", "308a01", "30063004", "3006300430023000"],
)
def test_nothing_is_found_in_text_that_is_no_certificate(text: str) -> None:
    """Empty, too few members, or a length that promises more than there is."""
    assert unreadable_string_types(bytes.fromhex(text)) == []
    assert not has_explicit_curve(bytes.fromhex(text))

"""Certificates and keys that cannot be read, and the sentence that says why and what to do."""

import base64
import subprocess
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from pki.encrypted_keys import opened_private_key_pem
from pki.extensions import serial_number_of
from pki.keys import load_private_key
from pki.model import KeyAlgorithm
from pki.verification import load_certificate
from postseal_core.errors import CertificateError
from tests.support.specimens import VALIDITY, key_of

KEY = key_of(KeyAlgorithm.ECDSA_P256, "unreadable")
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Old-Mail-CA-of-Example")])
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


def der(*extensions: x509.ExtensionType, name: x509.Name = NAME) -> bytes:
    """Return a root with these extensions; its serial number is 1234."""
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 0x1234, VALIDITY.not_before, VALIDITY.not_after)
    for each in extensions:
        builder = builder.add_extension(each, critical=False)
    assert isinstance(KEY, ec.EllipticCurvePrivateKey)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def pem(content: bytes) -> str:
    """Return what should be a certificate in PEM."""
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(content).decode()}-----END CERTIFICATE-----\n"


def replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    """Return the content with other bytes, as many as before; the signature fits no more, which nobody looks at."""
    assert content.count(old) >= 1
    assert len(old) == len(new)
    return content.replace(old, new)


PRINTABLE = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "DE")])
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "an extension twice": (
        replaced(
            der(UNKNOWN, x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.5"), b"\x05\x00")),
            bytes.fromhex("06032a0305"),
            bytes.fromhex("06032a0304"),
        ),
        "the extension 1.2.3.4 stands in it twice",
    ),
    "a serial number with a zero too many": (
        replaced(der(), bytes.fromhex("02021234"), bytes.fromhex("02020012")),
        "its serial number is not written in DER",
    ),
    "version 2": (
        replaced(der(), bytes.fromhex("a003020102"), bytes.fromhex("a003020101")),
        "its version is 2, and only version 3 has extensions",
    ),
    "a date with an offset": (
        replaced(der(), b"260531120000Z", b"2605311200+01"),
        "a date in it is not written as RFC 5280 section 4.1.2.5 wants",
    ),
    "a GeneralString": (
        replaced(der(), bytes.fromhex("0c16") + b"Old-Mail", bytes.fromhex("1b16") + b"Old-Mail"),
        "its subject has a value that is no text, or text that its string type does not allow",
    ),
    "text that is no UTF-8": (
        replaced(der(), b"Old-Mail", b"\xffld-Mail"),
        "its subject has a value that is no text, or text that its string type does not allow",
    ),
    "an underscore in a PrintableString": (
        replaced(der(name=PRINTABLE), bytes.fromhex("1302") + b"DE", bytes.fromhex("1302") + b"D_"),
        "a name in it is a PrintableString with characters that may not be in one",
    ),
    "an extension that is no DER": (
        replaced(
            der(x509.BasicConstraints(True, None)),  # noqa: FBT003
            bytes.fromhex("0101ff"),
            bytes.fromhex("010101"),
        ),
        "an extension in it is not written as RFC 5280 section 4.2.1 wants",
    ),
    "a part that is missing": (der()[:200], "a certificate block cannot be parsed (truncated or altered?)"),
    "something behind it": (der() + b"\x00", "a certificate block cannot be parsed (truncated or altered?)"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_certificate_that_cannot_be_read_is_refused_with_the_cause(kind: str) -> None:
    """What is strange in it, and whether to copy it again or to have it issued anew."""
    content, sentence = UNREADABLE[kind]
    with pytest.raises(CertificateError) as caught:
        load_certificate(pem(content), what="certificate")
    assert str(caught.value).startswith(f"certificate: {sentence}")
    assert ("copy it again" in str(caught.value)) is ("copy it again" in sentence or "truncated" in sentence)
    assert load_certificate(pem(der(UNKNOWN)), what="certificate").subject == NAME


def test_line_breaks_that_are_written_as_letters_are_told() -> None:
    """As they come out of JSON, or of a variable in quotes."""
    text = pem(der()).replace("\n", r"\n")
    with pytest.raises(CertificateError, match=r"^certificate: its line breaks are written as \\n"):
        load_certificate(text, what="certificate")


@pytest.mark.needs_openssl
@pytest.mark.parametrize("number", [0, -5])
def test_serial_numbers_of_old_authorities_are_read_without_a_warning(number: int, tmp_path: Path) -> None:
    """Nobody can do anything about it; what signs anew gives another one."""
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Old -set_serial {number}"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True, timeout=60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert serial_number_of(load_certificate((tmp_path / "ca.pem").read_text(), what="certificate")) == number


PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
CLEAR = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
FORMS = {
    "OpenSSH": (
        KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(),
        "got a key in OpenSSH's own form: convert a copy of it with `ssh-keygen -p -m PKCS8 -f COPY`",
    ),
    "PuTTY": ("PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\nEncryption: none\n", "got a key in PuTTY's form"),
    "TPM": (
        "-----BEGIN TSS2 PRIVATE KEY-----\nMIIB\n-----END TSS2 PRIVATE KEY-----\n",
        "got a key that only one machine's TPM can use",
    ),
    "PKCS#11": ("pkcs11:token=ca;object=key", "got the address of a key in a PKCS#11 token"),
    "public key": (PUBLIC, "got a public key: hand in the private key"),
    "certificate": (pem(der()), "got a certificate: hand in the private key"),
    "JSON Web Key": ('{"kty":"EC","crv":"P-256","d":"secret"}', "got a JSON Web Key"),
    "DER in base64": ("MIGHAgEAMBMGByqGSM49AgEG", "got no PEM text"),
    "name of a file": ("/etc/ssl/private/ca.key", "got no PEM text"),
    "line breaks as letters": (CLEAR.replace("\n", r"\n"), r"its line breaks are written as \n"),
    "no end": (CLEAR.partition("-----END")[0], "it ends in the middle"),
}


@pytest.mark.parametrize("passphrase", ["", "a passphrase"])
@pytest.mark.parametrize("form", FORMS)
def test_what_is_no_private_key_in_pem_is_refused_with_the_way_to_one(form: str, passphrase: str) -> None:
    """With a passphrase or without; nothing of what was handed in is in the message."""
    text, sentence = FORMS[form]
    with pytest.raises(CertificateError) as caught:
        load_private_key(opened_private_key_pem(text, passphrase, what="ca-key"), what="ca-key")
    assert str(caught.value).startswith(f"ca-key: {sentence}")
    assert not any(word in str(caught.value) for word in ("secret", "/etc/ssl", CLEAR.splitlines()[1]))


@pytest.mark.needs_openssl
def test_keys_as_openssl_writes_them_are_read(tmp_path: Path) -> None:
    """The control: with parameters or text in front, other line ends, and blanks."""
    (tmp_path / "key.pem").write_text(CLEAR)

    def openssl(command: str) -> str:
        done = subprocess.run(["openssl", *command.split()], cwd=tmp_path, check=True, capture_output=True, timeout=60)
        return done.stdout.decode()

    parameters = openssl("ecparam -name prime256v1")
    forms = [
        parameters + openssl("ec -in key.pem"),
        openssl("ec -in key.pem -text"),
        "Bag Attributes\n    localKeyID: 01\n" + CLEAR,
        "\ufeff" + CLEAR.replace("\n", "\r\n"),
        "\n".join(f"  {line}" for line in CLEAR.splitlines()),
        CLEAR + pem(der()),
    ]
    assert {load_private_key(each, what="key").public_key() == KEY.public_key() for each in forms} == {True}


def written(number: int, octets: int, *, is_pkcs8: bool) -> str:
    """Return an EC key of P-256 whose number has this many octets, as others than the library write it."""

    def value(tag: int, *content: bytes) -> bytes:
        inner = b"".join(content)
        return bytes([tag, len(inner)]) + inner  # all are short

    curve = bytes.fromhex("06082a8648ce3d030107")
    key = [b"\x02\x01\x01", value(0x04, number.to_bytes(octets))]
    if not is_pkcs8:
        content, label = value(0x30, *key, value(0xA0, curve)), "EC PRIVATE KEY"
    else:
        algorithm = value(0x30, bytes.fromhex("06072a8648ce3d0201"), curve)
        content, label = value(0x30, b"\x02\x01\x00", algorithm, value(0x04, value(0x30, *key))), "PRIVATE KEY"
    return f"-----BEGIN {label}-----\n{base64.encodebytes(content).decode()}-----END {label}-----\n"


@pytest.mark.parametrize("is_pkcs8", [False, True], ids=["RFC 5915", "PKCS#8"])
@pytest.mark.parametrize("octets", [31, 32, 33])
def test_a_number_of_another_length_is_the_same_key(octets: int, is_pkcs8: bool) -> None:  # noqa: FBT001
    """GnuTLS puts a zero in front where the number would be negative, and others leave zeros out."""
    number = (1 << 247) + 5
    key = load_private_key(written(number, octets, is_pkcs8=is_pkcs8), what="ca-key")
    assert key.public_key() == ec.derive_private_key(number, ec.SECP256R1()).public_key()


@pytest.mark.parametrize("is_pkcs8", [False, True], ids=["RFC 5915", "PKCS#8"])
def test_a_number_that_is_none_of_the_curve_is_refused(is_pkcs8: bool) -> None:  # noqa: FBT001
    """Longer is not always the same: this one is beyond the order of the curve."""
    with pytest.raises(CertificateError, match=r"^ca-key: cannot be read as a private key"):
        load_private_key(written(1 << 260, 33, is_pkcs8=is_pkcs8), what="ca-key")


@pytest.mark.needs_gnutls
def test_every_key_that_gnutls_makes_is_read(tmp_path: Path) -> None:
    """Every second one begins with a one bit; of eight, hardly ever none does."""
    numbers = set()
    for curve in ("secp256r1", "secp384r1") * 4:
        command = f"certtool --generate-privkey --key-type ecdsa --curve {curve} --outfile key.pem"
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True, timeout=60)
        key = load_private_key((tmp_path / "key.pem").read_text(), what="key")
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        numbers.add(key.private_numbers().private_value)
    assert len(numbers) == 8

"""An authority that adoption accepts is renewed with the bytes of its name and of its extensions, whatever they are.

Certificates are written and taken apart here, byte by byte: a reader that writes anew what it has read would hide just
the difference that GnuTLS, NSS and Go see.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from pki.certificate.records import CertificateArgs
from pki.fields import DeclaredCertificate
from pki.model import Profile, SlotId
from postseal_core.plugin.material import MaterialStore
from postseal_core.plugin.memory import Memory
from tests.support.examples import examples
from tests.support.running_stack import RunningResource

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Extension = tuple[bytes, bool, bytes]

PRINTABLE, UTF8, BMP, IA5 = 0x13, 0x0C, 0x1E, 0x16
CODECS = {PRINTABLE: "ascii", UTF8: "utf-8", BMP: "utf-16-be", IA5: "ascii"}


def der(tag: int, *parts: bytes) -> bytes:
    """Return a value in DER."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + body


def parts_of(body: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield tag, content and whole encoding of all values that stand beside each other."""
    while body:
        size, start = body[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(body[2:start])
        yield body[0], body[start : start + size], body[: start + size]
        body = body[start + size :]


def oid(text: str) -> bytes:
    """Return an object identifier in DER."""
    first, second, *rest = map(int, text.split("."))
    body = [bytes([first * 40 + second])]
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.insert(0, 0x80 | number & 0x7F)
        body.append(bytes(groups))
    return der(0x06, *body)


# Object identifier, whether it is critical, and content in DER: what authorities of others carry.
BASIC = st.sampled_from(
    [der(0x30, der(0x01, b"\xff")), *(der(0x30, der(0x01, b"\xff"), der(2, bytes([n]))) for n in (0, 3))]
)
USAGES = st.sampled_from([b"\x01\x06", b"\x01\x86", b"\x01\xc6"]).map(lambda bits: der(0x03, bits))
KNOWN: list[Extension] = [
    (oid("2.5.29.14"), False, der(0x04, der(0x04, b"k" * 20)[2:])),
    (oid("2.5.29.14"), False, der(0x04, b"short")),
    (oid("2.5.29.35"), False, der(0x30, der(0x80, b"k" * 20))),
    (oid("2.5.29.37"), False, der(0x30, oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2"))),
    (oid("2.5.29.37"), False, der(0x30, oid("1.3.6.1.5.5.7.3.1"))),
    (oid("2.5.29.32"), False, der(0x30, der(0x30, oid("2.5.29.32.0")))),
    (
        oid("2.5.29.32"),
        True,
        der(
            0x30,
            der(
                0x30,
                oid("1.2.3.4.5"),
                der(0x30, der(0x30, oid("1.3.6.1.5.5.7.2.1"), der(0x16, b"http://a.example/cps"))),
            ),
        ),
    ),
    (oid("2.5.29.17"), False, der(0x30, der(0x81, b"ca@example.org"), der(0x86, b"urn:ca"))),
    (oid("2.5.29.18"), False, der(0x30, der(0x86, b"http://a.example/"))),
    (oid("2.5.29.30"), True, der(0x30, der(0xA0, der(0x30, der(0x82, b"example.org"))))),
    (oid("2.5.29.30"), True, der(0x30, der(0xA1, der(0x30, der(0x82, b"example.net"))))),
    (oid("2.5.29.31"), False, der(0x30, der(0x30, der(0xA0, der(0xA0, der(0x86, b"http://a.example/ca.crl")))))),
    (oid("2.5.29.36"), True, der(0x30, der(0x80, b"\x00"))),
    (
        oid("1.3.6.1.5.5.7.1.1"),
        False,
        der(0x30, der(0x30, oid("1.3.6.1.5.5.7.48.2"), der(0x86, b"http://a.example/ca.cer"))),
    ),
    (oid("1.3.6.1.4.1.311.21.1"), False, der(0x02, b"\x00")),
    (oid("1.3.6.1.4.1.311.20.2"), False, der(0x1E, "CA".encode("utf-16-be"))),
    (oid("2.16.840.1.113730.1.1"), False, der(0x03, b"\x00\x07")),
    (oid("2.16.840.1.113730.1.13"), False, der(0x16, b"OpenSSL Generated Certificate")),
]
UNKNOWN = st.builds(
    lambda number, content: (oid(f"1.3.6.1.4.1.99999.{number}"), False, der(0x04, content)),
    st.integers(1, 10**6),
    st.binary(max_size=200),
)
EXTRAS = st.lists(st.sampled_from(KNOWN) | UNKNOWN, max_size=5, unique_by=lambda each: each[0])
TEXTS = st.text("abcXYZ 019'()+,-./:=?", min_size=1, max_size=20)
ATTRIBUTES = st.tuples(
    st.sampled_from(["2.5.4.3", "2.5.4.10", "2.5.4.11", "2.5.4.11", "2.5.4.7", "0.9.2342.19200300.100.1.25"]),
    st.sampled_from([PRINTABLE, UTF8, BMP, IA5]),
    TEXTS,
)
NAMES = st.lists(ATTRIBUTES, min_size=1, max_size=4)


@cache
def private_key() -> ec.EllipticCurvePrivateKey:
    """Return the key of the authority."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem() -> str:
    """Return it as it is handed in."""
    return private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def name_of(attributes: list[tuple[str, int, str]]) -> bytes:
    """Return a distinguished name, each part in the string type that was drawn."""
    return der(
        0x30,
        *(der(0x31, der(0x30, oid(kind), der(tag, text.encode(CODECS[tag])))) for kind, tag, text in attributes),
    )


def authority(name: bytes, extensions: list[Extension]) -> str:
    """Return the certificate of a root in PEM."""
    algorithm = der(0x30, oid("1.2.840.10045.4.3.2"))
    dates = der(0x30, der(0x17, b"260101000000Z"), der(0x17, b"360101000000Z"))
    public = private_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    written = [
        der(0x30, kind, *([der(0x01, b"\xff")] if is_critical else []), der(0x04, content))
        for kind, is_critical, content in extensions
    ]
    tbs = der(
        0x30,
        *(der(0xA0, der(0x02, b"\x02")), der(0x02, b"\x07"), algorithm, name, dates, name, public),
        der(0xA3, der(0x30, *written)),
    )
    signature = private_key().sign(tbs, ec.ECDSA(hashes.SHA256()))
    whole = der(0x30, tbs, algorithm, der(0x03, b"\x00" + signature))
    return x509.load_der_x509_certificate(whole).public_bytes(Encoding.PEM).decode()


def taken_apart(pem: str) -> tuple[bytes, bytes, bytes, list[bytes]]:
    """Return issuer, subject, key and extensions of a certificate as they are encoded."""
    whole = x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    ((_, certificate, _),) = parts_of(whole)
    tbs = next(parts_of(certificate))[1]
    _, _, _, issuer, _, subject, public, *rest = (encoded for _, _, encoded in parts_of(tbs))
    ((_, tagged, _),) = parts_of(rest[-1])
    ((_, listed, _),) = parts_of(tagged)
    return issuer, subject, public, [encoded for _, _, encoded in parts_of(listed)]


@examples(40)
@given(name=NAMES, basic=BASIC, usage=USAGES, extras=EXTRAS, order=st.randoms(use_true_random=False))
def test_the_renewal_of_an_adopted_authority_has_the_bytes_of_what_it_renews(
    name: list[tuple[str, int, str]], basic: bytes, usage: bytes, extras: list[Extension], order: object
) -> None:
    """Name, key, and each extension in its place; all that changes are dates, serial number and signature."""
    extensions = [(oid("2.5.29.19"), True, basic), (oid("2.5.29.15"), True, usage), *extras]
    order.shuffle(extensions)  # type: ignore[attr-defined]
    before = authority(name_of(name), extensions)
    args = CertificateArgs(
        name="mail-ca",
        profile=Profile.ROOT,
        declared=DeclaredCertificate(),
        slot=SlotId("mail-ca"),
        private_key_pem=key_pem(),
        adopt_certificate_pem=before,
    )
    resource = RunningResource("postseal:index:Certificate", "mail-ca", lambda: args)
    resource.up(NOW, MaterialStore(), Memory())
    if resource.is_refused:
        return
    assert resource.state.issued.certificate_pem == before
    resource.up(resource.state.issued.renew_at, MaterialStore(), Memory())
    assert resource.state.issued.generation == 2
    after = str(resource.state.issued.certificate_pem)
    assert taken_apart(after) == taken_apart(before)
    assert load_der_public_key(taken_apart(after)[2]) == private_key().public_key()

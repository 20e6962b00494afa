"""Whatever Check accepts is issued: nothing that somebody declares fails in the middle of `pulumi up`.

The declarations are hostile on purpose: names that look like the issuer's, letters of several bytes, numbers beyond
every bound, keys that nobody wants, clocks at both ends of the issuer. What is issued is judged as others read it.
"""

# ruff: noqa: RUF001 - letters that look alike are what some of these names are about.

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pki.certificate.handler import CertificateHandler
from pki.certificate.records import CertificateArgs
from pki.declared import declaration_of
from pki.declared_issuer import DeclaredIssuer, problems_below_issuer
from pki.fields import DeclaredCertificate, Match
from pki.model import HOLD, KeyAlgorithm, Profile, RevocationReason, SlotId
from pki.records import IssuerArgs
from postseal_core.errors import CertificateError, ConfigError
from postseal_core.plugin.handler import CheckRequest, Context
from postseal_core.plugin.material import MaterialStore
from postseal_core.plugin.memory import Memory
from tests.support.examples import examples
from tests.support.running_stack import RunningStack

START = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROOT, ISSUING = SlotId("root"), SlotId("issuing")
ISSUER_HOURS = 2_000

# Each is one character, of one to four bytes; the last two are written as two elsewhere, or in another case.
LETTERS = st.sampled_from("aZ09 .-_@*'+,=\\\"/:ü字ß𝔘éİ")
TEXTS = (
    st.sampled_from(["", "Issuing CA", "issuing  ca", "ISSUING CA", "Ｉssuing CA", "Root", "mx1.example.org"])
    | st.text(LETTERS, max_size=8)
    | st.builds(lambda letter, count: letter * count, LETTERS, st.sampled_from([63, 64, 65, 128, 129]))
    | st.text(max_size=6)
)
HOSTS = st.sampled_from(
    [
        "mx1.example.org",
        "MX1.example.org",
        "*.example.org",
        "a" * 63 + ".example.org",
        "xn--mller-kva.example",
        "müller",
    ]
) | st.text(LETTERS, max_size=12)
MAILBOXES = st.sampled_from(["alice@example.org", "a@b", "ü@example.org", "x" * 64 + "@example.org"]) | st.text(
    LETTERS, max_size=12
)
ADDRESSES = st.sampled_from(["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%eth0", "1.2.3.4/32", "1"])
NUMBERS = st.sampled_from(
    [-1, 0, 1, 2, 3, 4, 24, ISSUER_HOURS - 1, ISSUER_HOURS, 19_800, 19_801, 262_801, 2**31, 2**70, 10**30]
)
DECLARED = st.builds(
    DeclaredCertificate,
    common_name=TEXTS,
    organization=TEXTS,
    organizational_unit=TEXTS,
    locality=TEXTS,
    state_or_province=TEXTS,
    country=st.sampled_from(["", "DE", "de", "DEU", "ß", "D"]),
    email=st.just("") | MAILBOXES,
    dns_names=st.lists(HOSTS, max_size=2).map(tuple),
    ip_addresses=st.lists(ADDRESSES, max_size=2).map(tuple),
    path_length=st.none() | NUMBERS,
    permitted_dns=st.lists(HOSTS, max_size=1).map(tuple),
    permitted_ip=st.lists(ADDRESSES, max_size=1).map(tuple),
    key_algorithm=st.sampled_from([KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ECDSA_P384, KeyAlgorithm.ED25519]),
    validity_hours=st.none() | NUMBERS,
    overlap_hours=st.none() | NUMBERS,
    match=st.sampled_from(Match),
    confirm=st.booleans(),
    confirmed_generation=st.sampled_from([0, 0, 1]),
    revoke=st.sampled_from([RevocationReason.NOT_REVOKED] * 3 + [HOLD]),
    fail_beyond_issuer=st.booleans(),
)
# Most of a declaration is sound, or nothing would ever be accepted; what is hostile replaces a part of it.
SOUND = st.sampled_from(
    [
        (Profile.CLIENT, DeclaredCertificate(email="alice@example.org", validity_hours=500)),
        (Profile.SERVER, DeclaredCertificate(dns_names=("mx1.example.org",), validity_hours=500)),
        (Profile.SERVER_AND_CLIENT, DeclaredCertificate(dns_names=("mx1.example.org",), validity_hours=500)),
        (Profile.INTERMEDIATE, DeclaredCertificate(common_name="Office CA", validity_hours=500)),
        (Profile.INTERMEDIATE, DeclaredCertificate(common_name="Issuing CA", validity_hours=500)),
        (Profile.ROOT, DeclaredCertificate(common_name="Other Root", validity_hours=500)),
    ]
)
PARTS = st.lists(st.sampled_from(sorted(set(DeclaredCertificate.__slots__))), max_size=3, unique=True)


@cache
def key_pem(kind: str) -> str:
    """Return a key as somebody hands it in."""
    makers: dict[str, Callable[[], Any]] = {
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "k256": lambda: ec.generate_private_key(ec.SECP256K1()),
        "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ed448": ed448.Ed448PrivateKey.generate,
        "rsa1024": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505 - it must be refused
        "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    }
    return str(makers[kind]().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


@cache
def issuers(common_name: str, path_length: int | None, permitted_dns: tuple[str, ...]) -> IssuerArgs:
    """Return an intermediate that is issued at START below a root."""
    stack = RunningStack()
    stack.authority(ROOT, common_name="Root", validity_hours=100_000)
    stack.authority(
        ISSUING,
        ROOT,
        common_name=common_name,
        validity_hours=ISSUER_HOURS,
        path_length=path_length,
        permitted_dns=permitted_dns,
    )
    stack.up(START)
    return stack.issuer(ISSUING)


ISSUERS = st.builds(
    issuers,
    st.sampled_from(["Issuing CA", "mx1.example.org", "alice@example.org", "字" * 64, "Straße"]),
    st.sampled_from([None, 0, 1]),
    st.sampled_from([(), ("example.org",)]),
)
CLOCKS = st.sampled_from([-30, -2, 0, 1, 1_000, ISSUER_HOURS - 3, ISSUER_HOURS - 1, ISSUER_HOURS, ISSUER_HOURS + 30])


def issued(args: CertificateArgs, now: datetime) -> x509.Certificate | None:
    """Return what is issued, or None where Check refuses it; everything else is a fault."""
    handler, material, reported = CertificateHandler(), MaterialStore(), list[str]()
    context = Context("urn", now, _entropy, material, reported.append, memory=Memory())
    try:
        inputs = handler.check(CheckRequest(old=None, new=args), context)
    except (ConfigError, CertificateError):
        return None
    pem = handler.create(inputs, context, is_preview=False).issued.certificate_pem
    return x509.load_pem_x509_certificate(str(pem).encode())


def _entropy(count: int) -> bytes:
    return bytes(range(1, count + 1))


@examples(100)
@given(
    sound=SOUND,
    hostile=DECLARED,
    parts=PARTS,
    issuer=ISSUERS,
    is_self_signed=st.booleans(),
    key=st.sampled_from([None] * 6 + ["p256", "k256", "p521", "ed25519", "ed448", "rsa1024", "rsa2048"]),
    hours=CLOCKS,
)
@example(
    sound=(Profile.INTERMEDIATE, DeclaredCertificate(common_name="issuing  ca", validity_hours=500)),
    hostile=DeclaredCertificate(),
    parts=[],
    issuer=issuers("Issuing CA", 1, ()),
    is_self_signed=False,
    key=None,
    hours=0,
)
@example(
    sound=(Profile.SERVER, DeclaredCertificate(dns_names=("mx1.example.org",), validity_hours=19_801)),
    hostile=DeclaredCertificate(),
    parts=[],
    issuer=issuers("Issuing CA", 1, ()),
    is_self_signed=True,
    key=None,
    hours=0,
)
def test_whatever_check_accepts_is_issued(
    sound: tuple[Profile, DeclaredCertificate],
    hostile: DeclaredCertificate,
    parts: Sequence[str],
    issuer: IssuerArgs,
    key: str | None,
    hours: int,
    *,
    is_self_signed: bool,
) -> None:
    """And others read the subject that was declared, the issuer's signature, and dates within the issuer's."""
    profile, base = sound
    # Only what an authority signs is a client or an intermediate; programs cannot declare it otherwise.
    is_self_signed = profile is Profile.ROOT or (
        is_self_signed and profile in (Profile.SERVER, Profile.SERVER_AND_CLIENT)
    )
    declared = replace(base, **{part: getattr(hostile, part) for part in parts})
    args = CertificateArgs(
        name="somebody",
        profile=profile,
        declared=declared,
        issuer=None if is_self_signed else issuer,
        private_key_pem=key_pem(key) if key else None,
    )
    certificate = issued(args, START + hours * HOUR)
    if certificate is None:
        return
    wanted = declaration_of(declared, profile).subject.common_name
    assert 1 <= len(wanted) <= 64
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reader counts octets of a common name
        assert [each.value for each in certificate.subject if each.oid == x509.NameOID.COMMON_NAME] == [wanted]
        assert x509.BasicConstraints in {type(each.value) for each in certificate.extensions}
        if not is_self_signed:
            above = x509.load_pem_x509_certificates(str(issuer.chain_pem).encode())[0]
            certificate.verify_directly_issued_by(above)
            assert certificate.subject != above.subject
            assert above.not_valid_before_utc <= certificate.not_valid_before_utc < certificate.not_valid_after_utc
            assert certificate.not_valid_after_utc <= above.not_valid_after_utc


@pytest.mark.parametrize("letter", ["a", "ü", "字", "𝔘"])
@pytest.mark.parametrize("count", [63, 64, 65])
def test_a_common_name_has_64_characters_of_any_number_of_bytes(letter: str, count: int) -> None:
    """Characters are counted, as RFC 5280 appendix A.1 says."""
    declared = DeclaredCertificate(common_name=letter * count, email="alice@example.org", validity_hours=500)
    args = CertificateArgs(name="a", profile=Profile.CLIENT, declared=declared, issuer=issuers("Issuing CA", 0, ()))
    assert (issued(args, START) is not None) == (count <= 64)


LIFETIMES = st.integers(3, 2 * ISSUER_HOURS) | st.sampled_from([ISSUER_HOURS - 1, ISSUER_HOURS, ISSUER_HOURS + 1])


@examples(30)
@given(first=LIFETIMES, second=LIFETIMES, fails=st.booleans(), later=st.integers(0, 20))
def test_a_lifetime_beyond_the_issuers_is_refused_when_it_is_edited(
    first: int, second: int, later: int, *, fails: bool
) -> None:
    """At that run and not when it is due; in a stack and, before anything is registered, in a program."""
    stack = RunningStack()
    fields: dict[str, Any] = {"email": "alice@example.org", "overlap_hours": 1}
    stack.authority(ROOT, validity_hours=ISSUER_HOURS)
    stack.up(START)
    stack.certificate("alice", Profile.CLIENT, ROOT, validity_hours=first, **fields)
    if first > ISSUER_HOURS:
        assert_refused(stack, START)
        return
    stack.up(START)
    assume(not stack.resources["alice"].is_refused)
    stack.change("alice", validity_hours=second, fail_beyond_issuer=fails)
    before = stack.resources["alice"].state
    stack.up(START + later * HOUR / 20)
    is_too_long = second > ISSUER_HOURS
    assert stack.resources["alice"].is_refused == is_too_long
    assert stack.resources["alice"].state.issued.generation == 1 or not is_too_long
    assert not is_too_long or stack.resources["alice"].state == before
    declared = DeclaredCertificate(**fields, validity_hours=second)
    above = DeclaredIssuer("root", (), ISSUER_HOURS)
    assert bool(list(problems_below_issuer(declared, Profile.CLIENT, above))) == is_too_long


def assert_refused(stack: RunningStack, now: datetime) -> None:
    """Expect that nothing is made of alice."""
    stack.up(now)
    assert stack.resources["alice"].is_refused
    assert stack.resources["alice"].state is None


@examples(30)
@given(steps=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 6)), max_size=8), first=st.integers(0, 2))
def test_a_confirmation_of_a_generation_to_come_is_a_mistake(steps: list[tuple[int, int]], first: int) -> None:
    """It changes nothing; one of the current or of an earlier generation is carried out, whatever came before."""
    stack, now = RunningStack(), START
    stack.authority(ROOT, validity_hours=100_000)
    stack.up(now)
    fields: dict[str, Any] = {"email": "alice@example.org", "validity_hours": 900, "confirm": True}
    stack.certificate("alice", Profile.CLIENT, ROOT, confirmed_generation=first, **fields)
    if first:
        assert_refused(stack, now)
        return
    stack.up(now)
    alice = stack.resources["alice"]
    for hours, confirmed in steps:
        now += hours * HOUR
        before = alice.state.issued
        stack.change("alice", confirmed_generation=confirmed)
        stack.up(now)
        assert alice.is_refused == (confirmed > before.generation)
        if alice.is_refused:
            assert alice.state.issued == before
        else:
            rows = {each.schedule.generation for each in alice.state.issued.previous}
            is_confirmed = confirmed >= alice.state.issued.generation
            assert not (is_confirmed and rows)
            assert alice.state.issued.generation == before.generation or before.validity.not_after <= now or rows
        stack.change("alice", confirmed_generation=0)

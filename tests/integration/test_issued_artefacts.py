"""What is issued, archived and revoked, judged by programs that share no code with this project.

Each acceptance has its negative control beside it: the same judge refuses what it must refuse.
"""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.fingerprint import certificate_fingerprint_sha256, public_key_fingerprint_sha256
from pki.issuing import Issuer
from pki.model import (
    CertificateDeclaration,
    KeyAlgorithm,
    NameConstraints,
    Pkcs12Profile,
    Profile,
    RevocationReason,
    Subject,
    SubjectAltNames,
)
from pki.names import problems_of_declaration
from pki.pkcs12 import build_archive
from pki.revocation import REVOCATION_REASONS, RevokedCertificate, build_crl
from pki.verification import chain_pem, load_chain
from tests.support.judges import (
    LintRole,
    Purpose,
    Verdict,
    openssl_crl_text,
    openssl_fingerprint,
    openssl_pkcs12_info,
    openssl_public_key_fingerprint,
    openssl_verify_strict,
    pkilint_findings,
)
from tests.support.specimens import (
    NOW,
    VALIDITY,
    declare,
    issue_leaf,
    key_of,
    make_authority,
    problems_under_issuer,
    sign_by_hand,
)

pytestmark = pytest.mark.needs_openssl

PURPOSES = {
    Profile.SERVER: {Purpose.SERVER},
    Profile.CLIENT: {Purpose.CLIENT},
    Profile.SERVER_AND_CLIENT: {Purpose.SERVER, Purpose.CLIENT},
}
DAY = timedelta(days=1)


def _verdict(
    leaf: x509.Certificate, *issuers: Issuer, purpose: Purpose, crl: x509.CertificateRevocationList | None = None
) -> Verdict:
    """Judge a leaf below these authorities, the root last."""
    *between, root = (issuer.certificate for issuer in issuers)
    return openssl_verify_strict(leaf, intermediates=between, roots=[root], purpose=purpose, at=NOW, crl=crl)


@pytest.mark.parametrize("issuer_algorithm", KeyAlgorithm)
@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize("profile", PURPOSES)
def test_a_leaf_is_accepted_for_its_purpose_and_refused_for_the_other(
    profile: Profile, algorithm: KeyAlgorithm, issuer_algorithm: KeyAlgorithm
) -> None:
    """Every profile with every key below every kind of chain: `openssl verify -x509_strict` decides by the profile."""
    root = make_authority(algorithm=issuer_algorithm)
    middle = make_authority(root, algorithm=issuer_algorithm, path_length=0)
    leaf = issue_leaf(middle, profile, algorithm=algorithm, crl_urls=("http://crl.example.org/a.crl",))
    verdicts = {purpose: _verdict(leaf, middle, root, purpose=purpose) for purpose in Purpose}
    assert {purpose for purpose, verdict in verdicts.items() if verdict.is_accepted} == PURPOSES[profile]
    assert all(
        verdict.is_accepted or "unsuitable certificate purpose" in verdict.report for verdict in verdicts.values()
    )
    assert pkilint_findings(chain_pem([leaf])) == []


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize("path_length", [None, 0, 2])
def test_pkilint_finds_nothing_in_authorities(algorithm: KeyAlgorithm, path_length: int | None) -> None:
    """Roots and intermediates are as RFC 5280 wants them, down to what it only recommends."""
    constraints = NameConstraints(("example.org",), ("secret.example.org",), (".example.org",), ("a@example.org",))
    root = make_authority(algorithm=algorithm, path_length=3, name_constraints=constraints)
    middle = make_authority(root, algorithm=algorithm, path_length=path_length, crl_urls=("http://a.example/a",))
    assert [pkilint_findings(chain_pem([each.certificate])) for each in (root, middle)] == [[], []]


def test_pkilint_finds_nothing_in_a_certificate_with_every_kind_of_name() -> None:
    """Names of all kinds and a full subject are encoded as RFC 5280 wants them."""
    subject = Subject("Zoë's relay", "Größe AG", "Mail", "Köln", "NRW", "DE")
    names = SubjectAltNames(
        ("mx1.example.org", "xn--mller-kva.example"),
        ("o'neil+mail@example.org",),
        ("192.0.2.1", "2001:db8::1"),
        ("https://example.org/%C3%A4?b#c",),
    )
    assert problems_of_declaration(declare(Profile.SERVER, subject=subject, alt_names=names)) == []
    leaf = issue_leaf(make_authority(), subject=subject, alt_names=names)
    assert pkilint_findings(chain_pem([leaf])) == []


def test_a_wildcard_is_the_one_thing_that_pkilint_and_we_see_differently() -> None:
    """RFC 5280 leaves wildcards open and pkilint takes them for malformed; RFC 9525 defines them and OpenSSL agrees."""
    names = SubjectAltNames(("*.example.org",))
    root = make_authority()
    leaf = issue_leaf(root, alt_names=names)
    assert [finding.code for finding in pkilint_findings(chain_pem([leaf]))] == ["pkix.invalid_domain_name_syntax"]
    assert _verdict(leaf, root, purpose=Purpose.SERVER).is_accepted


def test_pkilint_finds_what_is_wrong() -> None:
    """A linter that finds nothing here would prove nothing anywhere."""
    wrong = sign_by_hand(
        x509.BasicConstraints(ca=True, path_length=None), x509.NameConstraints([x509.DNSName("a")], None)
    )
    codes = {finding.code for finding in pkilint_findings(chain_pem([wrong])) if finding.severity == "ERROR"}
    assert {
        "pkix.certificate_skid_ca_missing",
        "pkix.certificate_name_constraints_extension_not_critical",
        "pkix.basic_constraints_extension_not_critical",
    } <= codes


def test_a_certificate_is_refused_after_its_end_and_below_another_root() -> None:
    """The judge looks at dates and trust, not at purposes alone."""
    root, other = make_authority(), make_authority(algorithm=KeyAlgorithm.ED25519)
    leaf = issue_leaf(root)
    late = openssl_verify_strict(leaf, roots=[root.certificate], purpose=Purpose.SERVER, at=VALIDITY.not_after + DAY)
    assert (late.is_accepted, "certificate has expired" in late.report) == (False, True)
    assert not _verdict(leaf, other, purpose=Purpose.SERVER).is_accepted


CLIENT_MAIL = declare(Profile.CLIENT, alt_names=SubjectAltNames(email_addresses=("alice@mail.example.org",)))
HOST = declare(Profile.SERVER, alt_names=SubjectAltNames(("mx1.example.org",)))


@pytest.mark.parametrize(
    ("constraints", "declaration", "is_allowed"),
    [
        (NameConstraints(permitted_dns=("example.org",)), HOST, True),
        (NameConstraints(permitted_dns=("EXAMPLE.org",)), HOST, True),
        (NameConstraints(permitted_dns=("example.net", "mx1.example.org")), HOST, True),
        (NameConstraints(permitted_dns=("example.net",)), HOST, False),
        (NameConstraints(permitted_dns=("a.mx1.example.org",)), HOST, False),
        (NameConstraints(excluded_dns=("example.org",)), HOST, False),
        (NameConstraints(permitted_dns=("example.org",), excluded_dns=("mx1.example.org",)), HOST, False),
        (NameConstraints(permitted_email=("example.net",)), HOST, True),
        (NameConstraints(permitted_email=("mail.example.org",)), CLIENT_MAIL, True),
        (NameConstraints(permitted_email=(".example.org",)), CLIENT_MAIL, True),
        (NameConstraints(permitted_email=("alice@mail.example.org",)), CLIENT_MAIL, True),
        (NameConstraints(permitted_email=("example.org",)), CLIENT_MAIL, False),
        (NameConstraints(permitted_email=("bob@mail.example.org",)), CLIENT_MAIL, False),
        (NameConstraints(excluded_email=("mail.example.org",)), CLIENT_MAIL, False),
        (NameConstraints(permitted_dns=("example.net",)), CLIENT_MAIL, True),
        (
            NameConstraints(permitted_dns=("example.net",)),
            declare(Profile.CLIENT, subject=Subject("alice.example.org"), alt_names=CLIENT_MAIL.alt_names),
            False,
        ),
    ],
)
@pytest.mark.parametrize("is_root_limited", [True, False])
def test_our_word_on_name_constraints_before_issuing_is_openssls_word_after_it(
    constraints: NameConstraints,
    declaration: CertificateDeclaration,
    is_allowed: bool,  # noqa: FBT001
    is_root_limited: bool,  # noqa: FBT001
) -> None:
    """Whichever authority of the chain is limited, we predict what a verifier will decide."""
    root = make_authority(name_constraints=constraints if is_root_limited else NameConstraints())
    middle = make_authority(root, name_constraints=NameConstraints() if is_root_limited else constraints)
    problems = problems_under_issuer(declaration, [middle.certificate, root.certificate])
    leaf = issue_leaf(middle, declaration.profile, subject=declaration.subject, alt_names=declaration.alt_names)
    purpose = Purpose.CLIENT if declaration.profile is Profile.CLIENT else Purpose.SERVER
    verdict = _verdict(leaf, middle, root, purpose=purpose)
    assert (problems == [], verdict.is_accepted) == (is_allowed, is_allowed), verdict.report


NEAR_HOSTS = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=3).map(
    lambda labels: ".".join([*labels, "c"])
)


@settings(max_examples=30)
@given(host=NEAR_HOSTS, permitted=st.lists(NEAR_HOSTS, max_size=2), excluded=st.lists(NEAR_HOSTS, max_size=2))
def test_we_and_openssl_agree_on_any_mixture_of_dns_constraints(
    host: str, permitted: list[str], excluded: list[str]
) -> None:
    """Permitted, excluded, both or none: no host is let through by one and stopped by the other."""
    root = make_authority(name_constraints=NameConstraints(tuple(permitted), tuple(excluded)))
    alt_names = SubjectAltNames((host,))
    problems = problems_under_issuer(declare(Profile.SERVER, alt_names=alt_names), [root.certificate])
    verdict = _verdict(issue_leaf(root, alt_names=alt_names), root, purpose=Purpose.SERVER)
    assert (not problems) == verdict.is_accepted


@pytest.mark.parametrize(("path_length", "is_allowed"), [(0, False), (1, True), (None, True)])
def test_path_length_0_lets_no_authority_below(path_length: int | None, is_allowed: bool) -> None:  # noqa: FBT001
    """What an authority below signs is refused by openssl, and we say so before the authority is issued."""
    root = make_authority(path_length=path_length)
    middle = make_authority(root)
    problems = problems_under_issuer(declare(Profile.INTERMEDIATE), [root.certificate])
    verdict = _verdict(issue_leaf(middle), middle, root, purpose=Purpose.SERVER)
    assert (problems == [], verdict.is_accepted) == (is_allowed, is_allowed)
    assert is_allowed or "path length constraint exceeded" in verdict.report
    assert _verdict(issue_leaf(root), root, purpose=Purpose.SERVER).is_accepted


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_fingerprints_are_those_that_openssl_prints(algorithm: KeyAlgorithm) -> None:
    """Certificate and key fingerprint, character by character."""
    leaf = issue_leaf(make_authority(), algorithm=algorithm)
    assert certificate_fingerprint_sha256(leaf) == openssl_fingerprint(leaf)
    assert public_key_fingerprint_sha256(leaf) == openssl_public_key_fingerprint(leaf)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize(
    ("profile", "protections"),
    [
        (Pkcs12Profile.MODERN, ("MAC: sha256, Iteration 2048", "PBES2, PBKDF2, AES-256-CBC, Iteration 10000")),
        (Pkcs12Profile.LEGACY, ("MAC: sha1, Iteration 2048", "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048")),
    ],
)
def test_openssl_opens_an_archive_without_legacy_algorithms(
    algorithm: KeyAlgorithm, profile: Pkcs12Profile, protections: tuple[str, str]
) -> None:
    """Both profiles keep clear of RC2, so that no `-legacy` is needed; with another passphrase nothing opens."""
    root = make_authority()
    archive = build_archive(
        name="Zoë",
        private_key=key_of(algorithm),
        certificate=issue_leaf(root, Profile.CLIENT, algorithm=algorithm),
        ca_chain=[root.certificate],
        passphrase="correct horse",
        profile=profile,
    )
    opened = openssl_pkcs12_info(archive, "correct horse")
    assert opened.is_accepted, opened.report
    assert all(protection in opened.report for protection in protections)
    assert opened.report.count("-----BEGIN CERTIFICATE-----") == 2
    refused = openssl_pkcs12_info(archive, "wrong horse")
    assert (refused.is_accepted, "invalid password" in refused.report) == (False, True)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_a_revoked_certificate_is_refused_and_its_neighbour_is_not(algorithm: KeyAlgorithm) -> None:
    """`openssl verify -crl_check` reads the list, finds the entry, and believes the signature."""
    root = make_authority(algorithm=algorithm)
    revoked, neighbour = (issue_leaf(root, serial_number=number) for number in (7, 8))
    crl = build_crl(
        issuer=root,
        entries=[RevokedCertificate(7, NOW - DAY, RevocationReason.KEY_COMPROMISE)],
        crl_number=1,
        this_update=NOW - DAY,
        next_update=NOW + DAY,
    )
    refused = _verdict(revoked, root, purpose=Purpose.SERVER, crl=crl)
    assert (refused.is_accepted, "certificate revoked" in refused.report) == (False, True)
    assert _verdict(neighbour, root, purpose=Purpose.SERVER, crl=crl).is_accepted
    assert pkilint_findings(crl.public_bytes(Encoding.PEM).decode(), LintRole.CRL) == []


def test_a_list_past_its_next_update_is_refused() -> None:
    """Who forgets to publish a new list stops the mail: the judge says that the list has expired."""
    root = make_authority()
    crl = build_crl(issuer=root, entries=[], crl_number=1, this_update=NOW - 2 * DAY, next_update=NOW - DAY)
    verdict = _verdict(issue_leaf(root), root, purpose=Purpose.SERVER, crl=crl)
    assert (verdict.is_accepted, "CRL has expired" in verdict.report) == (False, True)


def test_openssl_reads_every_reason_and_leaves_out_none() -> None:
    """Nine entries, of which all but the unspecified one have a reason, and nothing for pkilint to find."""
    entries = [RevokedCertificate(16 + index, NOW - DAY, reason) for index, reason in enumerate(REVOCATION_REASONS)]
    crl = build_crl(issuer=make_authority(), entries=entries, crl_number=9, this_update=NOW, next_update=NOW + DAY)
    printed = openssl_crl_text(crl)
    assert printed.count("Serial Number: ") == 9
    assert printed.count("X509v3 CRL Reason Code:") == 8
    for words in ("Key Compromise", "CA Compromise", "Superseded", "Cessation Of Operation", "Certificate Hold"):
        assert words in printed
    assert pkilint_findings(crl.public_bytes(Encoding.PEM).decode(), LintRole.CRL) == []


@pytest.mark.parametrize("letter", ["u", "ü", "\U0001f600"])
def test_a_common_name_of_64_characters_is_verified_however_many_octets_it_has(letter: str) -> None:
    """RFC 5280 counts characters; what is written is read again, and OpenSSL follows the chain to it."""
    root = make_authority(subject=Subject(letter * 64, "Example"))
    leaf = issue_leaf(root, Profile.CLIENT, subject=Subject(letter * 63, "Example"))
    read, _ = load_chain(chain_pem([root.certificate, leaf]), what="chain")
    (name,) = read.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == letter * 64
    assert _verdict(leaf, root, purpose=Purpose.CLIENT).is_accepted
    assert not _verdict(leaf, make_authority(), purpose=Purpose.CLIENT).is_accepted
    assert pkilint_findings(chain_pem([leaf])) == []

"""Values at their bounds and in their other form: dates, levels, separators, references and keys that are taken."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from pki.fingerprint import certificate_fingerprint_sha256
from pki.keys import private_key_pem
from pki.model import KeyAlgorithm, Profile
from postfix.access_actions import Action, action_of
from postfix.content_checks import problems_of_chain_file
from postfix.domain_checks import covers_subdomains
from postfix.foreign_clients import foreign_client
from postfix.host import ClientSide, HostDeclaration
from postfix.lookup_checks import problems_of_map
from postfix.receiving import LookupTable
from postfix.rendering import render_parameters
from postfix.restriction_names import Effect
from postfix.restriction_steps import Step
from postfix.settings import ClientLevel, ClientSettings, Transport
from postseal_core.errors import CertificateError
from tests.support.host_certificates import alice
from tests.support.specimens import VALIDITY, issue_leaf, key_of, make_authority

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("value", "steps"),
    [
        ("reject_unlisted_sender,reject", (Step("reject_unlisted_sender"), Step("reject"))),
        ("reject_unlisted_sender, reject", (Step("reject_unlisted_sender"), Step("reject"))),
        ("reject_unlisted_sender reject", (Step("reject_unlisted_sender"), Step("reject"))),
        ("reject_rbl_client,zen.example.org,strict", (Step("reject_rbl_client", "zen.example.org"), Step("strict"))),
        ("reject_rbl_client", (Step("reject_rbl_client"),)),
        (",strict,", (Step("strict"),)),
    ],
)
def test_restrictions_in_a_row_are_parted_by_commas_and_blanks(value: str, steps: tuple[Step, ...]) -> None:
    """Access(5) takes both, and an argument is the word behind its restriction."""
    assert action_of(value).steps == steps


@pytest.mark.parametrize(
    ("words", "effects"),
    [
        ("BCC DEFER_IF_REJECT DUNNO FILTER HOLD INFO PREPEND REDIRECT WARN", {Effect.PASS}),
        ("DISCARD OK RELAY", {Effect.PERMIT}),
        ("DEFER REJECT 450 550", {Effect.REFUSE}),
        ("DEFER_IF_PERMIT", {Effect.DEFER_IF_PERMIT}),
        ("100 0", {Effect.PERMIT, Effect.REFUSE}),
    ],
)
def test_each_action_of_access_5_has_its_meaning(words: str, effects: set[Effect]) -> None:
    """In capitals or not, with what stands behind it; none of them is a restriction."""
    for word in words.split():
        behind = "" if word in ("100", "0") else " text"
        for value in (f"{word}{behind}", f" {word.lower()}  {behind}"):
            assert action_of(value) == Action(frozenset(effects)), value


@pytest.mark.parametrize("is_client", [True, False])
def test_both_ends_belong_to_the_time_of_a_certificate(*, is_client: bool) -> None:
    """At the second at which it ends it is still good (RFC 5280 section 4.1.2.5)."""
    profile = Profile.CLIENT if is_client else Profile.SERVER
    leaf, key = issue_leaf(make_authority(), profile), key_of(KeyAlgorithm.ECDSA_P256)
    pem = private_key_pem(key) + leaf.public_bytes(Encoding.PEM).decode()
    names = None if is_client else ("mx1.example.org",)
    begin, end = VALIDITY.not_before, VALIDITY.not_after
    told = {
        now: [each.path for each in problems_of_chain_file(pem, now=now, server_names=names, is_client=is_client)]
        for now in (begin - SECOND, begin, end, end + SECOND)
    }
    assert [bool(paths) for paths in told.values()] == [True, False, False, True]


@pytest.mark.parametrize(
    ("said", "covers"),
    [
        (None, True),
        ("", False),
        ("relay_domains", True),
        ("mynetworks,relay_domains", True),
        ("mynetworks, relay_domains,smtpd_access_maps", True),
        ("smtpd_access_maps", False),
        ("not_relay_domains", False),
        ("$others", True),
        ("smtpd_access_maps ${others}", True),
    ],
)
def test_a_domain_stands_for_those_below_it_unless_postfix_is_told_otherwise(said: str | None, *, covers: bool) -> None:
    """By default it does; what a reference becomes is not known, so it may."""
    parameters = {} if said is None else {"parent_domain_matches_subdomains": said}
    assert covers_subdomains(HostDeclaration("mx1", "mx1.example.org", parameters=parameters)) is covers


def test_a_client_from_elsewhere_is_known_by_certificate_or_fingerprint() -> None:
    """Text around the block may stand there; of the certificate its end is known as well."""
    certificate = alice()
    pem = certificate.public_bytes(Encoding.PEM).decode()
    digest = certificate_fingerprint_sha256(certificate)
    for text in (pem, f"of a partner\n{pem}"):
        row = foreign_client("partner", text)
        assert (row.fingerprint_sha256, row.name, row.not_after, row.certificate_pem) == (
            digest,
            "partner",
            certificate.not_valid_after_utc,
            text,
        )
    for text in (digest, digest.lower(), digest.replace(":", "")):
        row = foreign_client("partner", text)
        assert (row.fingerprint_sha256, row.not_after, row.certificate_pem) == (digest, None, "")
    with pytest.raises(CertificateError, match=r"^partner: got PEM blocks X509 CRL"):
        foreign_client("partner", "-----BEGIN X509 CRL-----\n")
    with pytest.raises(CertificateError, match="fingerprint"):
        foreign_client("partner", "AA:BB")


@pytest.mark.parametrize("key", ["*", ".example.org", "example.org", "alice@example.org", "[192.0.2.1]"])
def test_keys_of_transports_are_domains_as_well(key: str) -> None:
    """Also the one in brackets, which transport(5) looks up for user@[192.0.2.1], and which is no address."""
    services = frozenset({"smtp"})
    assert [*problems_of_map("transport_maps", LookupTable({key: "smtp:"}), services)] == []
    by_sender = problems_of_map("sender_dependent_default_transport_maps", LookupTable({key: "smtp:"}), services)
    assert [problem.path for problem in by_sender] == [f"rows.{key}"] * key.startswith("[")


@pytest.mark.parametrize(
    ("level", "asks"),
    [("none", ""), ("may", ""), ("encrypt", ""), ("secure", ""), ("dane", "dnssec"), ("dane-only", "dnssec")],
)
def test_postfix_asks_for_signed_answers_where_a_level_needs_them(level: ClientLevel, asks: str) -> None:
    """For all destinations, or for those of one transport (`smtp_dns_support_level` in postconf(5))."""
    transport = Transport("to-hub", destinations=("example.net",), smtp_tls_security_level=level)
    for settings in (ClientSettings(smtp_tls_security_level=level), ClientSettings(transports=(transport,))):
        host = HostDeclaration("mx1", "mx1.example.org", client=ClientSide(settings))
        assert render_parameters(host).get("smtp_dns_support_level", "") == asks

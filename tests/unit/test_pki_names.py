"""Declared names: what is accepted can be encoded, what is not is refused with what to write instead."""

import re
import unicodedata

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from pki.issuing import subject_name
from pki.model import CertificateDeclaration, NameConstraints, Profile, Subject, SubjectAltNames
from pki.name_syntax import (
    fault_of_alternative_host,
    fault_of_email,
    fault_of_host,
    fault_of_ip_address,
    fault_of_text,
    fault_of_uri,
    is_host_covered,
)
from pki.names import (
    problems_of_alt_names,
    problems_of_crl_urls,
    problems_of_declaration,
    problems_of_name_constraints,
    problems_of_subject,
)
from postseal_core.errors import Problem
from tests.support.specimens import declare

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(lambda label: label[2:4] != "--")
HOSTS = st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(LABELS, max_size=4), st.just("example"))
LOCAL_PARTS = st.from_regex(r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[a-zA-Z0-9+_-]{1,20})?", fullmatch=True)
FOREIGN_LABELS = st.text(st.characters(categories=["Ll", "Lo"]), min_size=1, max_size=8).filter(
    lambda t: not t.isascii()
)


def _paths(problems: list[Problem]) -> list[str]:
    return [problem.path for problem in problems]


@given(host=HOSTS)
def test_every_ordinary_host_name_is_accepted_in_any_case(host: str) -> None:
    """Letters, digits and inner hyphens, in labels, are fine, also below a wildcard."""
    assert fault_of_host(host) is None
    assert fault_of_host(host.upper()) is None
    assert fault_of_alternative_host(f"*.{host}.example", has_wildcards=True) is None


@given(text=st.text(max_size=80) | st.from_regex(r"[a-zA-Z0-9.*_-]{0,80}", fullmatch=True))
def test_whatever_is_accepted_as_a_host_is_one_to_the_encoder_and_to_the_dns(text: str) -> None:
    """No input slips through that breaks the length and letter rules of RFC 1035, or that cannot be encoded."""
    if fault_of_host(text) is None:
        assert x509.DNSName(text).value == text
        assert len(text) <= 253
        assert all(re.fullmatch("(?!-)[A-Za-z0-9-]{1,63}(?<!-)", label) for label in text.split("."))


@given(label=FOREIGN_LABELS)
def test_a_foreign_host_name_is_refused_with_the_a_label_to_write(label: str) -> None:
    """What the message tells to write stands for the same name, and is accepted where it fits into a label."""
    fault = fault_of_host(f"{label}.example.org")
    assert fault is not None
    written = re.search(r"write '([^']*)'", fault)
    assert written is not None
    a_label = written[1].removesuffix(".example.org")
    assert a_label[4:].encode().decode("punycode") in {label, label.lower(), _composed(label)}
    assert len(a_label) > 63 or fault_of_host(written[1]) is None


def _composed(label: str) -> str:
    return unicodedata.normalize("NFC", label.lower())


@pytest.mark.parametrize(
    ("host", "a_label"),
    [
        ("müller.example.org", "xn--mller-kva.example.org"),
        ("straße.example", "xn--strae-oqa.example"),
        ("MÜLLER.example", "xn--mller-kva.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
    ],
)
def test_the_a_label_follows_idna_2008(host: str, a_label: str) -> None:
    """A sharp s stays one, capitals become small, and the ideographic full stop separates labels."""
    assert f"write '{a_label}'" in str(fault_of_host(host))


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("", "is empty"),
        ("example.org.", "without the final dot"),
        (".example.org", "no empty label"),
        ("a..example.org", "no empty label"),
        ("a" * 64 + ".example", "labels of 1 to 63"),
        (".".join(["abcdefgh"] * 29), "at most 253"),
        ("-a.example", "labels of 1 to 63"),
        ("a-.example", "labels of 1 to 63"),
        ("mx_1.example.org", "labels of 1 to 63"),
        ("mx1 .example.org", "labels of 1 to 63"),
        ("mx1.example.org\n", "labels of 1 to 63"),
        ("mx1\x00.example.org", "labels of 1 to 63"),
        ("*.example.org", "a wildcard cannot stand here"),
        ("xn--.example", "labels of 1 to 63"),
        ("xn--abc-.example", "labels of 1 to 63"),
        ("xn--99999999.example", "correct the A-label"),
        ("xn--a.example.org", "correct the A-label"),  # U+0080, which nobody sees
        ("xn--abc.example", "correct the A-label"),
        ("xn--ab-h4t.example", "correct the A-label"),  # U+202E
        ("ab--cd.example", "correct the A-label"),
        ("192.0.2.1", "list an address under ip_addresses"),
        ("host.1", "list an address under ip_addresses"),
    ],
)
def test_a_malformed_host_name_is_refused_with_the_rule_it_breaks(host: str, said: str) -> None:
    """Each rule has its own sentence."""
    assert said in str(fault_of_host(host))


@pytest.mark.parametrize(
    ("host", "has_wildcards", "said"),
    [
        ("*.example.org", False, "only server certificates have wildcards"),
        ("mx*.example.org", True, "only as the whole leftmost label"),
        ("mx.*.example.org", True, "only as the whole leftmost label"),
        ("*.*.example.org", True, "only as the whole leftmost label"),
        ("**.example.org", True, "only as the whole leftmost label"),
        ("*", True, "only as the whole leftmost label"),
        ("*.org", True, "two labels after the wildcard"),
    ],
)
def test_a_wildcard_is_refused_where_no_verifier_would_match_it(host: str, has_wildcards: bool, said: str) -> None:  # noqa: FBT001
    """A wildcard is the whole leftmost label of a server's name, with two labels behind it."""
    assert said in str(fault_of_alternative_host(host, has_wildcards=has_wildcards))


@given(local=LOCAL_PARTS, host=HOSTS)
def test_every_plain_mailbox_is_accepted_and_can_be_encoded(local: str, host: str) -> None:
    """Whatever RFC 5321 allows unquoted comes through the encoder unchanged."""
    address = f"{local}@{host}"
    assert fault_of_email(address) is None
    assert x509.RFC822Name(address).value == address


@given(text=st.text(max_size=40) | st.from_regex(r"[a-z.\"@ <>(),;:-]{0,20}@?[a-z.@-]{0,20}", fullmatch=True))
def test_whatever_is_accepted_as_a_mailbox_can_be_encoded(text: str) -> None:
    """No input slips through that the encoder refuses or changes."""
    if fault_of_email(text) is None:
        assert x509.RFC822Name(text).value == text


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "one mailbox with one @"),
        ("alice", "one mailbox with one @"),
        ("alice@bob@example.org", "one mailbox with one @"),
        ("@example.org", "before the @, expected letters"),
        ("alice@", "is empty"),
        ("alice@-example.org", "labels of 1 to 63"),
        ("alice@müller.example", "write 'xn--mller-kva.example'"),
        ("alice@*.example.org", "a wildcard cannot stand here"),
        ("älice@example.org", "expected ASCII"),
        ("Alice <alice@example.org>", "before the @, expected letters"),
        ('"a b"@example.org', "unquoted"),
        ("a..b@example.org", "before the @, expected letters"),
        (".a@example.org", "before the @, expected letters"),
        ("a" * 65 + "@example.org", "at most 64 octets"),
        ("a@" + ".".join(["abcdefgh"] * 29), "at most 254"),
    ],
)
def test_a_malformed_mailbox_is_refused_with_the_rule_it_breaks(address: str, said: str) -> None:
    """Each rule has its own sentence, and a foreign host is told its A-label here too."""
    assert said in str(fault_of_email(address))


@given(address=st.ip_addresses())
def test_every_ip_address_is_accepted(address: object) -> None:
    """IPv4 and IPv6, as text."""
    assert fault_of_ip_address(str(address)) is None


@pytest.mark.parametrize(
    "address", ["", "192.0.2.0/24", "fe80::1%eth0", "192.0.2", "mx1.example.org", "[::1]", "010.0.0.1"]
)
def test_what_is_not_one_ip_address_is_refused(address: str) -> None:
    """Networks, zones, brackets and names are no addresses."""
    assert "expected one address" in str(fault_of_ip_address(address))


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.org",
        "https://user@example.org:8443/a?b#c",
        "https://192.0.2.1/",
        "https://[2001:db8::1]:443/",
        "urn:uuid:00000000-0000-4000-8000-000000000000",
        "spiffe://example.org/mail/relay",
        "https://example.org/%C3%A4",
    ],
)
def test_absolute_uris_are_accepted(uri: str) -> None:
    """With or without an authority, with port, user, query and fragment."""
    assert fault_of_uri(uri) is None
    assert x509.UniformResourceIdentifier(uri).value == uri


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("", "an absolute URI in ASCII"),
        ("/relative", "an absolute URI in ASCII"),
        ("example.org", "an absolute URI in ASCII"),
        ("https://example.org/ä", "an absolute URI in ASCII"),
        ("https://example.org/a b", "an absolute URI in ASCII"),
        ("https://example.org/%zz", "an absolute URI in ASCII"),
        ("https://-example.org/", "the host of 'https://-example.org/': got '-example.org'"),
        ("https:///path", "is empty"),
        ("https://[::zz]/", "labels of 1 to 63"),
    ],
)
def test_a_malformed_uri_is_refused_with_the_rule_it_breaks(uri: str, said: str) -> None:
    """The host of a URI follows the rules for hosts."""
    assert said in str(fault_of_uri(uri))


@pytest.mark.parametrize(
    "text", ["a\x00b", "a\nb", "a\u202eb", "a\u200bb", "a\u2028b", "a\u2029b", "a\ud800b", " a", "a "]
)
def test_text_that_a_reviewer_cannot_see_is_refused(text: str) -> None:
    """Control, direction and zero-width characters and blanks at the ends hide what is signed."""
    assert fault_of_text(text) is not None


@pytest.mark.parametrize("profile", Profile)
def test_a_good_declaration_has_no_problems(profile: Profile) -> None:
    """The specimens of all profiles are accepted as they are."""
    assert problems_of_declaration(declare(profile)) == []


def test_every_subject_field_is_judged() -> None:
    """Lengths, characters and the country are all reported at once, each at its field."""
    subject = Subject("", "x" * 65, "a\tb", "x" * 129, "x" * 128, "de")
    assert _paths(problems_of_subject(subject)) == [
        "common_name",
        "organization",
        "organizational_unit",
        "locality",
        "country",
    ]


@pytest.mark.parametrize("text", ["ü", "ü" * 64, "u" * 64, "\U0001f600" * 64])
def test_a_common_name_of_up_to_64_characters_is_accepted(text: str) -> None:
    """Characters are counted (RFC 5280 appendix A.1), not the octets in which they are written."""
    assert problems_of_subject(Subject(text, organization="ü" * 64, country="DE")) == []
    assert subject_name(Subject(text, country="DE")).rfc4514_string() == f"CN={text},C=DE"


def test_a_name_given_twice_is_reported_at_its_second_place() -> None:
    """Hosts are compared without case, mailboxes with it before the @, addresses by value."""
    alt_names = SubjectAltNames(
        dns_names=("a.example", "A.example"),
        email_addresses=("a@b.example", "A@b.example", "a@B.example"),
        ip_addresses=("2001:db8::1", "2001:DB8:0::1"),
        uris=("urn:a:b", "urn:a:b"),
    )
    assert problems_of_alt_names(alt_names) == [
        Problem("dns_names[1]", "got 'A.example', which is dns_names[0] once more: remove it"),
        Problem("email[2]", "got 'a@B.example', which is email once more: remove it"),
        Problem("ip_addresses[1]", "got '2001:DB8:0::1', which is ip_addresses[0] once more: remove it"),
        Problem("uris[1]", "got 'urn:a:b', which is uris[0] once more: remove it"),
    ]


@pytest.mark.parametrize(
    ("constraints", "paths"),
    [
        (NameConstraints(("example.org",), ("mail.example.org",), ("example.org", ".example.org", "a@b.org")), []),
        (NameConstraints(permitted_dns=(".example.org",)), ["permitted_dns[0]"]),
        (NameConstraints(permitted_dns=("*.example.org", "ü.example")), ["permitted_dns[0]", "permitted_dns[1]"]),
        (NameConstraints(excluded_dns=("",)), ["excluded_dns[0]"]),
        (NameConstraints(permitted_email=("@example.org", "..example")), ["permitted_email[0]", "permitted_email[1]"]),
        (NameConstraints(excluded_email=("a.org", "a.org")), ["excluded_email[1]"]),
        (NameConstraints(("a.org", "b.org"), ("B.org",)), ["excluded_dns[0]"]),
        (NameConstraints(permitted_email=("a.org",), excluded_email=("a.org",)), ["excluded_email[0]"]),
    ],
)
def test_name_constraints_are_judged_at_their_place(constraints: NameConstraints, paths: list[str]) -> None:
    """Malformed, repeated and contradicting constraints are reported; the forms of RFC 5280 are accepted."""
    assert _paths(problems_of_name_constraints(constraints)) == paths


def test_a_dns_constraint_with_a_leading_dot_is_told_the_form_without() -> None:
    """RFC 5280 has the dot for mail and URIs only; OpenSSL would let it leave out the host itself."""
    (problem,) = problems_of_name_constraints(NameConstraints(permitted_dns=(".example.org",)))
    assert "expected 'example.org': it covers the host itself and everything below" in problem.message


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("http://crl.example.org/root.crl", True),
        ("HTTP://192.0.2.1:8080/a", True),
        ("https://crl.example.org/root.crl", False),
        ("ldap://crl.example.org/cn=a", False),
        ("http://-/a", False),
        ("http://crl.example.org/a b", False),
        ("", False),
    ],
)
def test_crl_addresses_are_plain_http(url: str, is_good: bool) -> None:  # noqa: FBT001
    """A CRL that is fetched over TLS would be needed to fetch itself."""
    assert (problems_of_crl_urls([url]) == []) is is_good


@pytest.mark.parametrize(
    ("declaration", "path"),
    [
        (declare(Profile.SERVER, path_length=0), "path_length"),
        (declare(Profile.ROOT, path_length=-1), "path_length"),
        (declare(Profile.ROOT, path_length=1_000_001), "path_length"),
        (declare(Profile.ROOT, path_length=2**70), "path_length"),
        (declare(Profile.CLIENT, name_constraints=NameConstraints(("example.org",))), "permitted_dns"),
        (declare(Profile.SERVER, name_constraints=NameConstraints(excluded_email=("a.org",))), "excluded_email"),
        (declare(Profile.SERVER, alt_names=SubjectAltNames(email_addresses=("a@example.org",))), "dns_names"),
        (declare(Profile.SERVER_AND_CLIENT, alt_names=SubjectAltNames()), "dns_names"),
        (declare(Profile.CLIENT, alt_names=SubjectAltNames(uris=("urn:a:b",))), "email"),
        (declare(Profile.CLIENT, alt_names=SubjectAltNames(("*.example.org",))), "dns_names[0]"),
        (declare(Profile.SERVER_AND_CLIENT, alt_names=SubjectAltNames(("*.example.org",))), "dns_names[0]"),
    ],
)
def test_what_a_profile_forbids_or_lacks_is_reported(declaration: CertificateDeclaration, path: str) -> None:
    """Authorities have path length and constraints, leaves have names, and only servers have wildcards."""
    assert _paths(problems_of_declaration(declaration)) == [path]


@pytest.mark.parametrize(
    "declaration",
    [
        declare(Profile.CLIENT, alt_names=SubjectAltNames(("relay.example.org",))),
        declare(Profile.SERVER, alt_names=SubjectAltNames(("*.example.org",))),
        declare(Profile.INTERMEDIATE, path_length=0, name_constraints=NameConstraints(("example.org",))),
    ],
)
def test_what_a_profile_allows_is_accepted(declaration: CertificateDeclaration) -> None:
    """A client may be a host, a server may have a wildcard, an authority may be limited."""
    assert problems_of_declaration(declaration) == []


def test_all_problems_of_a_declaration_are_reported_at_once() -> None:
    """Whoever wrote it fixes everything in one go."""
    declaration = declare(
        Profile.SERVER,
        subject=Subject("", country="Germany"),
        alt_names=SubjectAltNames(("good.example", "-bad"), ("nobody",), ("999.0.0.1",), ("nowhere",)),
        path_length=1,
        name_constraints=NameConstraints(("*",)),
        crl_urls=("ftp://example.org/",),
    )
    assert set(_paths(problems_of_declaration(declaration))) == {
        "common_name",
        "country",
        "dns_names[1]",
        "email",
        "ip_addresses[0]",
        "uris[0]",
        "permitted_dns[0]",
        "permitted_dns",
        "crl_urls[0]",
        "path_length",
    }


@pytest.mark.parametrize(
    ("host", "names", "is_covered"),
    [
        ("mx1.example.org", ["mx1.example.org"], True),
        ("MX1.Example.ORG", ["mx2.example.org", "mx1.EXAMPLE.org"], True),
        ("mx1.example.org", ["*.Example.org"], True),
        ("mx1.example.org", ["mx2.example.org", "example.org"], False),
        ("example.org", ["*.example.org"], False),
        ("mx1.berlin.example.org", ["*.example.org"], False),
        ("mx1.example.org", ["*.*.org", "mx*.example.org", "*.org", "*"], False),
        ("mx1", ["*", "*.mx1"], False),
        ("mx1.example.org", [], False),
    ],
)
def test_a_name_or_a_wildcard_for_one_label_covers_a_host(host: str, names: list[str], is_covered: bool) -> None:  # noqa: FBT001
    """RFC 6125 section 6.4: letters of either case, a wildcard for exactly the leftmost label."""
    assert is_host_covered(host, names) is is_covered

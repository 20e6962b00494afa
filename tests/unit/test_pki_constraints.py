"""What an issuing chain lets through: name constraints and path length, judged before anything is issued."""

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from cryptography import x509

from pki.constraints import limits_of_adopted, limits_of_declaration, problems_under_limits
from pki.model import AuthorityChange, KeyAlgorithm, NameConstraints, Profile, Subject, SubjectAltNames
from pki.profile_extensions import key_usage
from postseal_core.errors import Problem
from tests.support.specimens import declare, make_authority, problems_under_issuer, sign_by_hand


def _paths(problems: list[Problem]) -> list[str]:
    return [problem.path for problem in problems]


def _constrained(
    *, permitted: list[x509.GeneralName] | None = None, excluded: list[x509.GeneralName] | None = None
) -> x509.Certificate:
    return sign_by_hand(
        x509.BasicConstraints(ca=True, path_length=None),
        x509.NameConstraints(permitted, excluded),
        common_name="limited",
    )


@pytest.mark.parametrize(
    ("permitted", "name", "is_within"),
    [
        ("example.org", "example.org", True),
        ("example.org", "a.b.Example.ORG", True),
        ("Example.org", "*.example.org", True),
        ("example.org", "badexample.org", False),
        ("example.org", "org", False),
        ("mail.example.org", "*.example.org", False),
        (".example.org", "a.example.org", True),
        (".example.org", "example.org", False),
        ("", "anything.example", True),
    ],
)
def test_dns_names_must_lie_within_what_the_issuer_may_certify(permitted: str, name: str, is_within: bool) -> None:  # noqa: FBT001
    """A constraint covers the host itself and everything below it, without regard to case."""
    issuer = _constrained(permitted=[x509.DNSName(permitted)])
    declaration = declare(Profile.SERVER, alt_names=SubjectAltNames((name,)))
    assert _paths(problems_under_issuer(declaration, [issuer])) == ([] if is_within else ["dns_names[0]"])


@pytest.mark.parametrize(
    ("excluded", "name", "is_hit"),
    [
        ("secret.example.org", "secret.example.org", True),
        ("secret.example.org", "a.secret.example.org", True),
        ("secret.example.org", "*.example.org", True),
        ("a.secret.example.org", "*.example.org", False),
        ("secret.example.org", "*.secret.example.org", True),
        ("secret.example.org", "public.example.org", False),
    ],
)
def test_dns_names_must_not_touch_what_is_excluded(excluded: str, name: str, is_hit: bool) -> None:  # noqa: FBT001
    """A wildcard that could stand for an excluded host is refused as well."""
    issuer = _constrained(excluded=[x509.DNSName(excluded)])
    declaration = declare(Profile.SERVER, alt_names=SubjectAltNames((name,)))
    assert _paths(problems_under_issuer(declaration, [issuer])) == (["dns_names[0]"] if is_hit else [])


@pytest.mark.parametrize(
    ("permitted", "address", "is_within"),
    [
        ("example.org", "alice@example.org", True),
        ("example.org", "alice@EXAMPLE.org", True),
        ("example.org", "alice@mail.example.org", False),
        (".example.org", "alice@mail.example.org", True),
        (".example.org", "alice@example.org", False),
        ("alice@example.org", "alice@example.org", True),
        ("alice@example.org", "bob@example.org", False),
    ],
)
def test_mailboxes_must_lie_within_what_the_issuer_may_certify(permitted: str, address: str, is_within: bool) -> None:  # noqa: FBT001
    """A host covers its mailboxes, a leading dot those of hosts below, a mailbox itself."""
    issuer = _constrained(permitted=[x509.RFC822Name(permitted)])
    declaration = declare(Profile.CLIENT, alt_names=SubjectAltNames(email_addresses=(address,)))
    assert _paths(problems_under_issuer(declaration, [issuer])) == ([] if is_within else ["email"])


def _network(text: str) -> x509.IPAddress:
    return x509.IPAddress(ip_network(text))


@pytest.mark.parametrize(
    ("base", "inside", "outside", "field"),
    [
        (_network("192.0.2.0/24"), "192.0.2.7", "2001:db8::1", "ip_addresses"),
        (x509.UniformResourceIdentifier("example.org"), "https://example.org/a", "https://a.example.org/", "uris"),
        (x509.UniformResourceIdentifier(".example.org"), "https://a.example.org/", "urn:a:b", "uris"),
    ],
)
def test_addresses_and_uris_obey_constraints_of_foreign_authorities(
    base: x509.GeneralName, inside: str, outside: str, field: str
) -> None:
    """An authority from elsewhere may limit kinds of names that we never limit ourselves."""
    alt_names = replace(SubjectAltNames(("mx1.example.org",)), **{field: (inside, outside)})
    problems = problems_under_issuer(declare(Profile.SERVER, alt_names=alt_names), [_constrained(permitted=[base])])
    assert _paths(problems) == [f"{field}[1]"]


@pytest.mark.parametrize(("organization", "is_within"), [("Example", True), ("Other", False)])
def test_the_subject_obeys_directory_constraints(organization: str, is_within: bool) -> None:  # noqa: FBT001
    """A permitted directory name is the beginning of the subject; an excluded one is not."""
    base = x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example")]))
    declaration = declare(Profile.SERVER, subject=Subject("mx1", organization))
    permitted = problems_under_issuer(declaration, [_constrained(permitted=[base])])
    excluded = problems_under_issuer(declaration, [_constrained(excluded=[base])])
    assert _paths(permitted) == ([] if is_within else ["common_name"])
    assert _paths(excluded) == (["common_name"] if is_within else [])


@pytest.mark.parametrize(
    ("profile", "alt_names", "paths"),
    [
        (Profile.CLIENT, SubjectAltNames(email_addresses=("a@example.org",)), ["common_name"]),
        (Profile.CLIENT, SubjectAltNames(("a.example.org",)), []),
        (Profile.INTERMEDIATE, SubjectAltNames(), []),
    ],
)
def test_a_common_name_that_looks_like_a_host_is_judged_as_openssl_does(
    profile: Profile, alt_names: SubjectAltNames, paths: list[str]
) -> None:
    """OpenSSL reads the common name of a leaf that has no DNS name."""
    declaration = declare(profile, subject=Subject("host.elsewhere.example"), alt_names=alt_names)
    assert _paths(problems_under_issuer(declaration, [_constrained(permitted=[x509.DNSName("example.org")])])) == paths


CLOSED_NAMES = [
    ("ip_addresses", "192.0.2.1", "permitted_ip"),
    ("ip_addresses", "2001:db8::1", "permitted_ip"),
    ("uris", "https://mx1.example.org/", "permitted_uri"),
    ("uris", "urn:a:b", "permitted_uri"),
]


@pytest.mark.parametrize(("field", "name", "word"), CLOSED_NAMES)
@pytest.mark.parametrize(
    "limits",
    [
        NameConstraints(permitted_dns=("example.org",)),
        NameConstraints(permitted_email=("example.org",)),
        NameConstraints(excluded_dns=("example.net",)),
        NameConstraints(permitted_ip=("203.0.113.0/24",), permitted_uri=("www.example.org",)),
    ],
    ids=["permitted_dns", "permitted_email", "excluded_dns", "others"],
)
def test_whoever_is_limited_certifies_no_address_and_no_uri_but_the_permitted(
    limits: NameConstraints, field: str, name: str, word: str
) -> None:
    """Told where it was declared, before anything is issued, and in the same words below the certificate."""
    declaration = declare(Profile.SERVER, alt_names=replace(SubjectAltNames(("mx1.example.org",)), **{field: (name,)}))
    if limits.permitted_email:
        declaration = replace(declaration, alt_names=replace(declaration.alt_names, dns_names=()))
    root = make_authority(name_constraints=limits)
    limited = [limits_of_declaration("CN=root specimen,O=Example", declare(Profile.ROOT, name_constraints=limits))]
    (problem,) = problems_under_limits(declaration, limited)
    assert problem.path == f"{field}[0]"
    assert word in problem.message or getattr(limits, word)[0] in problem.message
    assert problems_under_issuer(declaration, [root.certificate]) == [problem]


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        (
            NameConstraints(permitted_dns=("example.org",), permitted_ip=("192.0.2.0/24",)),
            {"ip_addresses": ("192.0.2.1",)},
        ),
        (
            NameConstraints(permitted_ip=("192.0.2.0/24", "2001:db8::/32")),
            {"ip_addresses": ("192.0.2.1", "2001:db8::1")},
        ),
        (
            NameConstraints(permitted_dns=("example.org",), permitted_uri=(".example.org",)),
            {"uris": ("https://www.example.org/a",)},
        ),
    ],
)
def test_addresses_and_uris_that_are_permitted_are_certified(limits: NameConstraints, names: dict[str, Any]) -> None:
    """Networks of one version of IP say nothing for the other."""
    declaration = declare(Profile.SERVER, alt_names=replace(SubjectAltNames(("mx1.example.org",)), **names))
    assert problems_under_issuer(declaration, [make_authority(name_constraints=limits).certificate]) == []


@pytest.mark.parametrize(("field", "name", "word"), CLOSED_NAMES)
def test_an_authority_from_elsewhere_is_read_as_it_stands(field: str, name: str, word: str) -> None:
    """Its certificate closes nothing, its renewal keeps that, and verifiers accept what is issued below it."""
    del word
    issuer = _constrained(permitted=[x509.DNSName("example.org"), x509.RFC822Name("example.org")])
    declaration = declare(Profile.SERVER, alt_names=replace(SubjectAltNames(("mx1.example.org",)), **{field: (name,)}))
    assert problems_under_issuer(declaration, [issuer]) == []


@pytest.mark.parametrize(
    ("declared", "changes", "paths"),
    [
        ((), [], ["dns_names[1]"]),
        (("example.net",), [], ["dns_names[1]"]),
        (("example.net",), [AuthorityChange.NAME_CONSTRAINTS], ["dns_names[0]", "ip_addresses[0]"]),
        ((), [AuthorityChange.NAME_CONSTRAINTS], []),
    ],
)
def test_an_adopted_authority_is_judged_by_its_certificate_but_for_what_is_changed(
    declared: tuple[str, ...], changes: list[AuthorityChange], paths: list[str]
) -> None:
    """Its renewals keep what it allows; a change is what it has from then on, with everything that ours close."""
    adopted, own = _constrained(permitted=[x509.DNSName("example.org")]), NameConstraints(permitted_dns=declared)
    limits = [limits_of_adopted(adopted, declare(Profile.ROOT, name_constraints=own), changes)]
    alt_names = SubjectAltNames(("mx1.example.org", "mx1.example.net"), ip_addresses=("192.0.2.1",))
    assert _paths(problems_under_limits(declare(Profile.SERVER, alt_names=alt_names), limits)) == paths


def test_constraints_of_every_authority_in_the_chain_count() -> None:
    """A name must pass the issuer and everything above it."""
    root = make_authority(name_constraints=NameConstraints(permitted_dns=("example.org",)))
    middle = make_authority(root, name_constraints=NameConstraints(excluded_dns=("mx1.example.org",)))
    problems = problems_under_issuer(declare(Profile.SERVER), [middle.certificate, root.certificate])
    assert [(problem.path, "excluded" in problem.message) for problem in problems] == [("dns_names[0]", True)]


@pytest.mark.parametrize(
    ("root_length", "profile", "path_length", "paths"),
    [
        (0, Profile.SERVER, None, []),
        (0, Profile.INTERMEDIATE, None, ["profile"]),
        (1, Profile.INTERMEDIATE, None, []),
        (1, Profile.INTERMEDIATE, 0, []),
        (1, Profile.INTERMEDIATE, 1, ["path_length"]),
        (None, Profile.INTERMEDIATE, 5, []),
    ],
)
def test_an_authority_must_fit_into_the_path_length_above_it(
    root_length: int | None, profile: Profile, path_length: int | None, paths: list[str]
) -> None:
    """Path length 0 means leaves only, and nobody promises more than is left."""
    root = make_authority(path_length=root_length)
    problems = problems_under_issuer(declare(profile, path_length=path_length), [root.certificate])
    assert _paths(problems) == paths


def test_authorities_in_between_use_up_the_path_length() -> None:
    """The authority at the top counts everything below it, a certificate with its own name excepted."""
    root = make_authority(path_length=1)
    middle = make_authority(root, path_length=0)
    self_issued = sign_by_hand(x509.BasicConstraints(ca=True, path_length=None), common_name="self-issued")
    declaration = declare(Profile.INTERMEDIATE, subject=Subject("third"))
    below_two = problems_under_issuer(declaration, [middle.certificate, root.certificate])
    below_itself = problems_under_issuer(declaration, [self_issued, root.certificate])
    assert _paths(below_two) == ["profile", "profile"]
    assert _paths(below_itself) == []


@pytest.mark.parametrize(
    "extensions",
    [
        [],
        [x509.BasicConstraints(ca=False, path_length=None)],
        [x509.BasicConstraints(ca=True, path_length=None), key_usage(Profile.CLIENT, KeyAlgorithm.ED25519)],
    ],
    ids=["none", "CA:FALSE", "no keyCertSign"],
)
def test_an_issuer_that_is_no_authority_is_reported(extensions: list[x509.ExtensionType]) -> None:
    """What a leaf signs is trusted by nobody."""
    (problem,) = problems_under_issuer(declare(Profile.SERVER), [sign_by_hand(*extensions)])
    assert "is no authority and cannot sign" in problem.message


def test_a_name_that_is_refused_by_its_issuer_is_quoted_with_the_limit() -> None:
    """The message has the name, the limit and whose it is."""
    issuer = make_authority(name_constraints=NameConstraints(permitted_dns=("example.com", "example.net")))
    (problem,) = problems_under_issuer(declare(Profile.SERVER), [issuer.certificate])
    assert problem.message == (
        "got 'mx1.example.org', expected a name within example.com, example.net,"
        " all that CN=root specimen,O=Example may certify"
    )


@pytest.mark.parametrize(
    ("profile", "changes"),
    [
        (Profile.SERVER, {}),
        (Profile.SERVER, {"alt_names": SubjectAltNames(("MX1.example.net", "*.example.com"))}),
        (Profile.CLIENT, {"alt_names": SubjectAltNames(email_addresses=("a@example.com", "b@secret.example.com"))}),
        (Profile.CLIENT, {"subject": Subject("host.example.net")}),
        (Profile.INTERMEDIATE, {}),
        (Profile.INTERMEDIATE, {"path_length": 1}),
    ],
)
@pytest.mark.parametrize("path_length", [0, 1, 2])
def test_a_declared_authority_is_judged_like_its_certificate(
    profile: Profile, changes: dict[str, Any], path_length: int
) -> None:
    """What is refused before an authority is made is what would be refused afterwards, in the same words."""
    limits = NameConstraints(("Example.com",), ("mx1.example.com",), ("example.com",), ("b@secret.example.com",))
    root = make_authority(path_length=path_length, name_constraints=limits)
    middle = make_authority(root, name_constraints=limits)
    declared = [
        limits_of_declaration(
            "CN=intermediate specimen,O=Example", declare(Profile.INTERMEDIATE, name_constraints=limits)
        ),
        limits_of_declaration(
            "CN=root specimen,O=Example",
            declare(Profile.ROOT, path_length=path_length, name_constraints=limits),
        ),
    ]
    declaration = declare(profile, **changes)
    issued = problems_under_issuer(declaration, [middle.certificate, root.certificate])
    assert problems_under_limits(declaration, declared) == issued

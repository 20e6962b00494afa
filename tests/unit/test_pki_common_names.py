"""A common name is an identity: nobody has somebody else's mailbox, host or address in the subject."""

# ruff: noqa: RUF001 - letters that look alike are what some of these names are about.

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pki.common_names import comparable_name, names_within, problems_of_foreign_names
from pki.model import Profile, Subject, SubjectAltNames
from pki.names import problems_of_declaration
from tests.support.specimens import declare

OWN = SubjectAltNames(
    dns_names=("relay.example.org", "*.berlin.example.org", "xn--mller-kva.example", "localhost"),
    email_addresses=("alice@example.org", "o'brien@example.org", "a@xn--mller-kva.example"),
    ip_addresses=("192.0.2.1", "2001:db8::1"),
)


def paths(subject: Subject, alt_names: SubjectAltNames = OWN, profile: Profile = Profile.CLIENT) -> list[str]:
    """Return where something is wrong with a subject."""
    return [problem.path for problem in problems_of_foreign_names(subject, alt_names)]


@pytest.mark.parametrize(
    "common_name",
    [
        *("alice@example.org", "Alice@Example.ORG", "alice@example.org.", "o'brien@example.org", "a@müller.example"),
        *("Alice <alice@example.org>", "mailto:alice@example.org", "Bob O'Brien (o'brien@example.org)"),
        *("relay.example.org", "RELAY.example.org", "relay.example.org.", "relay.example.org:25", "MÜLLER.example"),
        *("mx1.berlin.example.org", "*.berlin.example.org", "https://relay.example.org/", "relay。example。org"),
        *(
            "192.0.2.1",
            "[192.0.2.1]:25",
            "2001:db8::1",
            "2001:DB8:0::1",
            "[2001:db8::1]",
            "::ffff:192.0.2.1",
            "localhost",
        ),
        *(
            "Alice",
            "Alice Smith",
            "J. R. R. Tolkien",
            "Example @ Home",
            "Printer, 2nd floor",
            "laptop-7",
            "Zoë",
            "c/o",
            "C: D",
        ),
        # Numbers that are nobody's address, and an address of its own written as a number.
        *("8", "007", "4711", "1999123", "16777215", "4294967296", "49123456789012", "0x10", "0xZ", "3221225985"),
        *("Nr. 2130706433", "1 2", "+49 30 123456", "e.V. 1", "...", "Example...", "J.R.R. Tolkien..", "1-2-3"),
    ],
)
def test_what_is_ones_own_or_nobodys_is_taken(common_name: str) -> None:
    """Persons and devices have names, and a certificate may have its own mailbox or host in the subject."""
    assert paths(Subject(common_name)) == []


@pytest.mark.parametrize(
    "common_name",
    [
        # A mailbox, alone and in other text.
        *(
            "bob@example.org",
            "BOB@EXAMPLE.ORG",
            "bob@example.org.",
            "xalice@example.org",
            "alice@example.org.evil.example",
        ),
        *(
            "Bob <bob@example.org>",
            "alice@example.org bob@example.org",
            "alice@example.org,bob@example.org",
            "root@localhost",
        ),
        *("mailto:bob@example.org", "emailAddress=bob@example.org", "alice@mail.example.org", "bob\uff20example.org"),
        *(
            "bob\ufe6bexample.org",
            "аlice@example.org",
            "alice@exаmple.org",
            "alice@example.org@evil.example",
            "<bob@b.org>",
        ),
        # A host.
        *(
            "mx1.example.org",
            "MX1.Example.Org",
            "mx1.example.org.",
            "example.org",
            "*.example.org",
            "berlin.example.org",
        ),
        *(
            "a.b.berlin.example.org",
            "mx1.example.org:25",
            "https://mx1.example.org/a",
            "smtp://mx1.example.org:25",
            "http://mx1",
        ),
        *("bücher.example", "xn--bcher-kva.example", "mx1。example。org", "mx1．example．org", "mx1\u2024example.org"),
        *(
            "rеlay.example.org",
            "relay.example.org\ufe0f",
            "_mx1.example.org",
            "mx1.example.org/path",
            "münchen.example.",
        ),
        # An address.
        *(
            "192.0.2.2",
            "192.0.2.2/32",
            "192.0.2.2:25",
            "[192.0.2.2]",
            "2001:db8::2",
            "[2001:db8::2]:25",
            "::ffff:192.0.2.2",
        ),
        *("１９２.0.2.2", "2001:db8::2/128"),
        # An address as inet_aton(3) reads it.
        *("2130706433", "0x7f000001", "0X7F000001", "017700000001", "0177.0.0.1", "0x7f.1", "127.1", "127.0.1"),
        *(
            "2130706433:25",
            "[2130706433]",
            "http://2130706433/",
            "http://0x7f000001/",
            "16777216",
            "4294967295",
            "20261126",
        ),
        *("\uff12130706433", "2130706433.", "00000000017700000001"),
        # A host with an empty label.
        *("victim..com", "mx1..example.org", ".example.org", "..example.org", "relay..example.org", "victim.com.."),
    ],
)
def test_what_is_somebody_elses_is_refused(common_name: str) -> None:
    """However it is spelled: upper case, a final dot, IDN either way, letters that look alike, a port, a scheme."""
    assert paths(Subject(common_name)) == ["common_name"]


@pytest.mark.parametrize("part", ["organization", "organizational_unit", "locality", "state_or_province"])
def test_a_mailbox_of_somebody_else_stands_in_no_part_of_a_subject(part: str) -> None:
    """Its own may; and an organization may be called as a host is."""
    assert paths(Subject("Alice", **{part: "bob@example.org"})) == [part]
    assert paths(Subject("Alice", **{part: "alice@example.org"})) == []
    assert paths(Subject("Alice", **{part: "Example.org"})) == []


@pytest.mark.parametrize("profile", [each for each in Profile if not each.is_authority])
def test_every_kind_of_leaf_is_judged(profile: Profile) -> None:
    """Clients, servers, and both; with everything else that is wrong with a declaration."""
    declaration = declare(profile, subject=Subject("ceo@example.com"), crl_urls=("ldap://x",))
    assert [each.path for each in problems_of_declaration(declaration)] == ["common_name", "crl_urls[0]"]


@pytest.mark.parametrize("profile", [Profile.ROOT, Profile.INTERMEDIATE])
def test_an_authority_may_be_called_as_a_host_is(profile: Profile) -> None:
    """It has no other name, and its certificate authenticates nobody."""
    assert problems_of_declaration(declare(profile, subject=Subject("ca.example.org"))) == []


def test_the_sentence_names_what_is_foreign() -> None:
    """And how to mend it."""
    (problem,) = problems_of_foreign_names(Subject("Bob <bob@example.org>"), OWN)
    assert problem.message == (
        "got 'Bob <bob@example.org>', and 'bob@example.org' is none of this certificate's own names: name it among"
        " them, or write a name that is nobody's address"
    )


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


@given(WORDS, WORDS)
def test_a_mailbox_can_be_hidden_in_no_text(before: str, after: str) -> None:
    """Whatever stands around it, a foreign mailbox is found."""
    assert paths(Subject(f"{before} bob@example.org {after}")) == ["common_name"]


# Marks that folding puts into another order (U+0345 becomes a letter), and labels that grow as A-labels.
@example("v\u0323e\u0345\u031b")
@example("\u1f9c\u0306")
@example("\u0130\u08e1")
@example("\xe9" * 250)
@example("." * 250 + "\xe9.")
@example("2130706433.")
@example("fe80::1%a./64")
@given(st.text(max_size=400))
def test_any_text_can_be_judged(text: str) -> None:
    """Nothing is raised, and what is comparable stays the same."""
    paths(Subject(text), SubjectAltNames((text,), (text,), (text,)))
    assert comparable_name(comparable_name(text)) == comparable_name(text)


def test_a_zone_of_an_address_hides_no_name() -> None:
    """Behind an IPv6 address that stands for an IPv4 address as well."""
    assert paths(Subject("::ffff:192.0.2.1"), SubjectAltNames((), (), ("192.0.2.1",))) == []
    own = SubjectAltNames((), (), ("192.0.2.1", "2001:db8::1"))
    assert paths(Subject("::ffff:192.0.2.1%mx1.victim.example"), own) == ["common_name"]
    assert paths(Subject("2001:db8::1%mx1.victim.example"), own) == ["common_name"]


@pytest.mark.parametrize("own", ["alice@example.org", "relay.example.org"])
def test_no_length_makes_a_foreign_name_ones_own(own: str) -> None:
    """A name is compared to its end, however long it is; final dots say nothing."""
    assert comparable_name(f"{own}{'.' * 300}") == comparable_name(own)
    assert paths(Subject(f"{own}{'.' * 300}")) == []
    assert comparable_name(f"{own}{'.' * 300}evil.example") != comparable_name(own)
    assert paths(Subject(f"{own}{'.' * 300}evil.example")) == ["common_name"]


@pytest.mark.parametrize(
    "name",
    [
        '"ceo"@example.net',
        "(ceo)@example.net",
        "'ceo'@example.net",
        r"ceo\@example.net",
        "ceo @ example.net",
        "ceo@ example.net",
        "ceo@[192.0.2.1]",
    ],
)
def test_a_mailbox_with_quotes_or_blanks_is_one_all_the_same(name: str) -> None:
    """RFC 5322 has many spellings of one mailbox."""
    assert paths(Subject(name)) == ["common_name"]
    assert paths(Subject(f"Chief {name} of us")) == ["common_name"]


@pytest.mark.parametrize(
    ("number", "is_address"),
    [
        ("3221225999", True),
        ("16777216", True),
        ("16777215", False),
        ("4294967295", True),
        ("4294967296", False),
        ("017700000001", True),
        ("0x7f000001", True),
        (f"0{'17700000001'.zfill(63)}", True),
        (f"0{'17700000001'.zfill(64)}", False),
    ],
)
def test_a_number_is_an_address_where_a_resolver_takes_it_for_one(number: str, *, is_address: bool) -> None:
    """Decimal, octal or hexadecimal, from 1.0.0.0 to 255.255.255.255, and no longer than anybody writes one."""
    assert paths(Subject(number)) == (["common_name"] if is_address else [])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("o'brien@example.org", "o'brien@example.org"),
        ("O'Brien@Example.ORG.", "o'brien@example.org"),
        ("relay of mx1.example.org", "mx1.example.org"),
        ("mailto:alice@example.org", "alice@example.org"),
    ],
)
def test_a_text_is_searched_as_a_whole_and_word_by_word(text: str, name: str) -> None:
    """A mailbox may have signs in it that divide words."""
    assert name in names_within(text)

"""Networks that relay without any proof: one spelling of each, and no wider than somebody can own."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.networks import fault_of_network, network_of, problems_of_networks
from postfix.settings import RelayPolicy, ServerSettings
from postfix.settings_checks import problems_of_server


def paths(networks: tuple[str, ...], wide_networks: tuple[str, ...] = ()) -> list[str]:
    """Return where something is wrong with the networks of a server."""
    relay = RelayPolicy(networks=networks, wide_networks=wide_networks)
    return [problem.path for problem in problems_of_server(ServerSettings(relay=relay))]


@pytest.mark.parametrize(
    "text",
    [
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16"),
        *("[::1]/128", "[::1]", "[fe80::]/10", "[fc00::]/7", "[fd00:1234::]/48", "127.0.0.1"),
        *("192.0.2.0/24", "192.0.2.128/25", "192.0.2.7", "192.0.2.7/32", "[2001:db8::]/48", "[2001:db8::1]"),
        *("100.64.7.0/24", "[64:ff9b:2::]/48", "[2003:c000:201::]/48"),
    ],
)
def test_private_space_and_what_a_site_has_are_taken(text: str) -> None:
    """Nobody but their owner writes from there."""
    assert paths((text,)) == []


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0/0", "0.0.0.0/1", "10.0.0.0/7", "8.0.0.0/8", "128.0.0.0/8", "192.0.0.0/16", "192.0.2.0/23"),
        *("172.0.0.0/8", "172.16.0.0/11", "192.168.0.0/15", "100.64.0.0/10", "198.18.0.0/15"),
        *("[::]/0", "[2000::]/3", "[2001:db8::]/32", "[2001:db8::]/47", "[fe00::]/7", "[fc00::]/6", "[2002::]/16"),
    ],
)
def test_public_space_wider_than_a_site_is_refused(text: str) -> None:
    """A network that is private only in part is public, and so is what all customers of a provider share."""
    assert paths((text,)) == ["relay.networks[0]"]


@pytest.mark.parametrize(
    "text",
    [
        # A netmask: Postfix answers 451 to everybody.
        *("192.0.2.0/255.255.255.0", "192.0.2.0/0.0.0.255", "0.0.0.0/0.0.0.0"),
        # IPv6 that stands for IPv4.
        *(
            "::ffff:192.0.2.0/120",
            "[::ffff:192.0.2.0]/120",
            "[::ffff:c000:200]/120",
            "[::ffff:0:0]/96",
            "[::192.0.2.0]/120",
        ),
        *("[64:ff9b::]/96", "[64:ff9b::c000:200]/120", "[2001::]/48", "[2001::]/32", "[::]/96", "[::]"),
        # 6to4 (RFC 3056), local translation (RFC 8215), stateless translation (RFC 2765), and what holds such a prefix.
        *("[2002::]/16", "[2002:c000:201::]/48", "[2002:c000:201::1]", "[64:ff9b:1::]/48", "[64:ff9b:1::c000:201]"),
        *("[::ffff:0:c000:200]/120", "[::]/19", "[::]/80", "[64:ff00::]/24", "[2001::]/19", "[2002::]/15"),
        # Other ways to write a number.
        *(
            "192.0.2.0/024",
            "192.0.2.0/+24",
            "192.0.02.0/24",
            "0192.0.2.0/24",
            "0xc0.0.2.0/24",
            "192.0.2/24",
            "3221225984",
        ),
        *(
            "192.0.2.0/24 ",
            " 192.0.2.0/24",
            "192.0.2.0 /24",
            "192.0.2.0/",
            "192.0.2.0/33",
            "192.0.2.0//24",
            "192.0.2.0/2_4",
        ),
        *("192.0.2.0/\u0662\u0664", "\uff11\uff19\uff12.0.2.0/24", "192.0.2.1/24", "[2001:db8::1]/48"),
        # Another spelling of IPv6.
        *("[2001:DB8::]/48", "[2001:0db8::]/48", "[2001:db8:0:0:0:0:0:0]/48", "[0:0:0:0:0:0:0:1]", "[2001:db8::]/048"),
        *("2001:db8::/48", "[2001:db8::/48]", "[192.0.2.0]/24", "[[::1]]", "[::1", "::1", "ipv6:[::1]", "[ipv6:::1]"),
        # Zones, ranges, lists, negations, names, parameters, files and tables.
        *("[fe80::%eth0]/64", "fe80::1%eth0", "192.0.2.1-192.0.2.9", "192.0.2.[1..9]", "192.0.2.{1..9}", "192.0.2.*"),
        *("192.0.2.0/24,198.51.100.0/24", "192.0.2.0/24 198.51.100.0/24", "!192.0.2.0/24", "!10.0.0.1"),
        *("example.org", ".example.org", "localhost", "all", "*", "", "$mynetworks", "${mydomain}", "$relay_domains"),
        *(
            "/etc/postfix/networks",
            "hash:/etc/networks",
            "cidr:/etc/n",
            "static:all",
            "regexp:{{/./ OK}}",
            "cidr:{0.0.0.0/0}",
        ),
        *("192.0.2.0/24\n0.0.0.0/0", "192.0.2.0/24\n", "192.0.2.0/24\x00", "#192.0.2.0/24"),
    ],
)
def test_there_is_one_notation(text: str) -> None:
    """Whatever Postfix could read otherwise than a reader does is refused, with the way to write it."""
    assert paths((text,)) == ["relay.networks[0]"]
    assert network_of(text) is None


def test_another_spelling_is_told_with_the_one_to_write() -> None:
    """So is a netmask, of which no reader knows at a glance how wide it is."""
    assert fault_of_network("[2001:DB8:0::]/48") == "is another spelling of [2001:db8::]/48; write that"


@pytest.mark.parametrize(
    "networks",
    [
        ("192.0.2.0/25", "192.0.2.128/25", "192.0.3.0/25"),
        ("192.0.3.0/24", "192.0.2.0/24"),
        # No common prefix, and yet one piece.
        ("192.0.1.0/24", "192.0.2.0/24"),
        tuple(f"192.0.{number}.0/24" for number in range(200)),
        (*(f"192.0.2.{number}" for number in range(256)), "192.0.3.0"),
        tuple(f"{number}.0.0.0/1" for number in (0, 128)),
        ("[2001:db8:1::]/48", "[2001:db8:2::]/48"),
        # Pieces that do not touch, and are many.
        tuple(f"192.0.{2 * number}.0/24" for number in range(17)),
        tuple(f"[2001:db8:{2 * number:x}::]/48" for number in range(1, 18)),
    ],
    ids=lambda networks: networks[0],
)
def test_networks_are_judged_together(networks: tuple[str, ...]) -> None:
    """A wide network does not get narrow by being cut."""
    assert {path.partition("[")[0] for path in paths(networks)} == {"relay.networks"}


def test_wide_networks_are_told_one_by_one_and_not_together_as_well() -> None:
    """Their sum would be no news; without a wide one it is what is told."""
    assert paths(("192.0.0.0/16", "203.0.0.0/16")) == ["relay.networks[0]", "relay.networks[1]"]
    assert paths(tuple(f"192.0.{2 * number}.0/24" for number in range(17))) == ["relay.networks"]


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (3, "192.0.0.0/24, 192.0.1.0/24, 192.0.2.0/24 together"),
        (4, "192.0.0.0/24, 192.0.1.0/24, 192.0.2.0/24 and others together"),
    ],
)
def test_a_wide_piece_is_told_by_its_first_networks(count: int, words: str) -> None:
    """Others are mentioned only where there are others."""
    relay = RelayPolicy(networks=tuple(f"192.0.{number}.0/24" for number in range(count)))
    (problem,) = problems_of_server(ServerSettings(relay=relay))
    assert f"got {words}, which is" in problem.message


@pytest.mark.parametrize(
    "networks",
    [
        ("192.0.2.0/25", "192.0.2.128/25"),
        tuple(f"192.0.2.{number}" for number in range(256)),
        tuple(f"192.0.{2 * number}.0/24" for number in range(16)),
        ("10.0.0.0/8", "11.0.0.0/24", "9.255.255.0/24"),
        ("10.0.0.0/9", "10.128.0.0/9"),
        ("[fc00::]/8", "[fd00::]/8"),
    ],
    ids=lambda networks: networks[0],
)
def test_pieces_of_what_a_site_has_are_taken(networks: tuple[str, ...]) -> None:
    """Two /25 are a /24; private neighbours do not count."""
    assert paths(networks) == []


@pytest.mark.parametrize(
    ("networks", "wide_networks", "expected"),
    [
        (("192.0.2.0/24", "192.0.2.0/24"), (), ["relay.networks[1]"]),
        (("192.0.2.0/24", "192.0.2.7"), (), ["relay.networks[1]"]),
        (("192.0.2.7", "192.0.2.7/32"), (), ["relay.networks[1]"]),
        (("10.1.0.0/16", "10.0.0.0/8"), (), ["relay.networks[0]"]),
        (("203.0.113.0/24",), ("203.0.0.0/16",), ["relay.networks[0]"]),
        ((), ("203.0.0.0/16", "203.0.0.0/16"), ["relay.wide_networks[1]"]),
    ],
)
def test_what_is_there_twice_is_told(
    networks: tuple[str, ...], wide_networks: tuple[str, ...], expected: list[str]
) -> None:
    """Somebody would remove one and believe that it is gone."""
    assert paths(networks, wide_networks) == expected


@pytest.mark.parametrize(
    ("wide_networks", "is_taken"),
    [
        (("203.0.0.0/16",), True),
        (("100.64.0.0/10",), True),
        (("17.0.0.0/8",), True),
        (("[2001:db8::]/32",), True),
        (("203.0.0.0/16", "[2001:db8::]/32"), True),
        (("16.0.0.0/7",), False),
        (("0.0.0.0/0",), False),
        (("0.0.0.0/1", "128.0.0.0/1"), False),
        (("17.0.0.0/8", "18.0.0.0/8"), False),
        (("17.0.0.0/8", "44.0.0.0/8"), False),
        (("[2000::]/3",), False),
        (("[2001::]/18",), False),
        (("[::ffff:0:0]/96",), False),
        (("[64:ff9b::]/96",), False),
        (("203.0.0.0/255.255.0.0",), False),
        (("10.0.0.0/8",), False),
        (("203.0.113.0/24",), False),
    ],
    ids=lambda given: given[0] if isinstance(given, tuple) else None,
)
def test_wide_networks_have_a_key_of_their_own(wide_networks: tuple[str, ...], is_taken: bool) -> None:  # noqa: FBT001
    """A reviewer sees them; they are no wider than what one owner has, and nothing that is not wide hides there."""
    found = {path.partition("[")[0] for path in paths((), wide_networks)}
    assert found == (set() if is_taken else {"relay.wide_networks"})


def test_wide_networks_relay() -> None:
    """They are part of mynetworks, also where no other network is."""
    relay = RelayPolicy(networks=(), wide_networks=("203.0.0.0/16",))
    assert relay.mynetworks == ("203.0.0.0/16",)
    assert "permit_mynetworks" in relay.restrictions


PUBLIC = st.integers(0xC6336400, 0xC63364FF + 512)


@given(st.lists(st.tuples(PUBLIC, st.integers(22, 32)), max_size=6))
def test_whatever_is_taken_lets_few_strangers_relay(drawn: list[tuple[int, int]]) -> None:
    """No cut of the networks makes more than 256 addresses in a row relay."""
    networks = {str(ip_network((address, prefix), strict=False)) for address, prefix in drawn}
    if problems_of_networks(sorted(networks)):
        return
    relaying = sorted({int(each) for network in networks for each in ip_network(network)})
    longest = run = 0
    for before, address in zip([-1, *relaying], relaying, strict=False):
        run = run + 1 if address == before + 1 else 1
        longest = max(longest, run)
    assert longest <= 256


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_network_is_read_as_it_is_written(address: int, prefix: int) -> None:
    """The text that we take is the text that the standard library writes."""
    text = f"{ip_address(address)}/{prefix}"
    is_network = address % 2 ** (32 - prefix) == 0
    assert (fault_of_network(text) is None) == is_network

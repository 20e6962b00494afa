"""Check the networks that may relay without authentication, and their spelling."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import groupby
from types import MappingProxyType
from typing import Final

from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["Network", "fault_of_network", "network_of", "problems_of_networks", "problems_of_width", "public_networks"]

Network = IPv4Network | IPv6Network

_WRITTEN: Final = re.compile(r"(?P<v4>[0-9.]+)(?:/[0-9]+)?|\[(?P<v6>[0-9A-Fa-f:.]+)\](?:/[0-9]+)?", re.ASCII)

# RFC 1918, RFC 1122 (loopback), RFC 3927 (link-local); RFC 4291 and RFC 4193 for IPv6. Only our own hosts, or those on
# the same wire, write from there. 100.64.0.0/10 (RFC 6598) is none: all customers of a provider share it.
_PRIVATE: Final = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16"),
            *("::1/128", "fe80::/10", "fc00::/7"),
        ),
    )
)

# IPv6 that stands for IPv4 hosts, all of them in one prefix: mapped and compatible addresses (RFC 4291 section 2.5.5),
# translated ones (RFC 2765, RFC 6052, RFC 8215), Teredo (RFC 4380) and 6to4 (RFC 3056).
_EMBEDDED: Final = tuple(
    map(
        ip_network,
        ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"),
    )
)
_COMPATIBLE: Final = ip_network("::/96")
_LOOPBACK: Final = ip_network("::1/128")
_BITS: Final = MappingProxyType({4: 32, 6: 128})
_IPV6: Final = 6
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class _Bound:
    """The largest share of the Internet that may relay: in one piece and in total, in addresses by IP version."""

    prefix: Mapping[int, int]
    pieces: int

    def piece(self, version: int) -> int:
        """Return how many addresses one piece may have."""
        return int(2 ** (_BITS[version] - self.prefix[version]))

    def total(self, version: int) -> int:
        """Return how many addresses all pieces may have together."""
        return self.pieces * self.piece(version)


# What one site has: a /24 is the least that is routed, a /48 is what a site gets (RFC 6177).
_OF_A_SITE: Final = _Bound(MappingProxyType({4: 24, 6: 48}), pieces=16)
# What the largest networks of one owner have.
_WIDE: Final = _Bound(MappingProxyType({4: 8, 6: 19}), pieces=1)


def fault_of_network(text: str) -> str | None:
    """Say what is wrong with how a network or an address is written, as the rest of a sentence; None: nothing.

    There is one spelling of each: `192.0.2.0/24` and `192.0.2.1`, `[2001:db8::]/48` and `[::1]`, IPv6 as RFC 5952 has
    it. Netmasks, ranges, names of hosts, files and tables, `!` and `$name` are none: Postfix would read them otherwise,
    or answer everybody with 451.
    """
    written = _WRITTEN.fullmatch(text)
    if not written:
        return "is no network; write 192.0.2.0/24 or [2001:db8::]/48, without a netmask, a range or a name"
    try:
        network = _parsed(text)
        spelled = _spelled(network, has_prefix="/" in text)
    except ValueError:
        return "is no network; write 192.0.2.0/24 or [2001:db8::]/48, without bits set behind the prefix"
    if (network.version == _IPV6) != bool(written["v6"]):
        return "must have brackets just around an IPv6 address, as [2001:db8::]/48"
    if network.version == _IPV6 and _stands_for_ipv4(network):
        return "holds IPv6 addresses that stand for IPv4 hosts; write the IPv4 network itself"
    return None if text == spelled else f"is another spelling of {spelled}; write that"


def network_of(text: str) -> Network | None:
    """Return the network that a text means, an address as a network of one; None where `fault_of_network` speaks."""
    return None if fault_of_network(text) else _parsed(text)


def problems_of_networks(networks: Sequence[str], wide_networks: Sequence[str] = ()) -> list[Problem]:
    """Return what is wrong with the networks that may relay, told at `networks[0]`, at `wide_networks[0]` and so on.

    Private space is taken at any width. Of public space `networks` has no piece wider than a /24 (IPv6: /48) and no
    more than sixteen such pieces; what touches is one piece, however it is cut. `wide_networks` has what is wider, up
    to a /8 (IPv6: /19) in all.
    """
    placed = [
        (f"{path}[{index}]", text)
        for path, texts in (("networks", networks), ("wide_networks", wide_networks))
        for index, text in enumerate(texts)
    ]
    found = [
        *_problems_of_spelling(placed),
        *problems_of_width(networks),
        *_problems_of_width("wide_networks", wide_networks, _WIDE, "name the networks that are yours"),
        *_problems_of_narrow(wide_networks),
    ]
    # Of what is refused for its width, nobody has to know what lies in it.
    return found or list(_problems_of_overlaps(placed))


def problems_of_width(networks: Sequence[str]) -> Iterator[Problem]:
    """Report public networks that are wider than what one site has, told at `networks[0]` and so on."""
    return _problems_of_width("networks", networks, _OF_A_SITE, "name a narrower one, or list it under wide_networks")


def public_networks(networks: Iterable[str]) -> list[str]:
    """Return the networks that reach beyond private space, in their order; those that mean nothing are left out."""
    return [text for text, network in _read(networks) if not _is_within(network, _PRIVATE)]


def _parsed(text: str) -> Network:
    """Return the network in a text without brackets; raise ValueError where it is none."""
    return ip_network(text.replace("[", "").replace("]", ""))


def _spelled(network: Network, *, has_prefix: bool) -> str:
    address = str(network.network_address)
    host = f"[{address}]" if network.version == _IPV6 else address
    return f"{host}/{network.prefixlen}" if has_prefix else host


def _stands_for_ipv4(network: Network) -> bool:
    """Return whether IPv4 hosts are among those of an IPv6 network: it lies in such a prefix, or holds one."""
    if network == _LOOPBACK:
        return False
    prefixes = [*_EMBEDDED, _COMPATIBLE]
    return _is_within(network, prefixes) or any(_is_within(prefix, [network]) for prefix in prefixes)


def _first(network: Network) -> int:
    return int(network.network_address)


def _last(network: Network) -> int:
    return int(network.broadcast_address)


def _is_within(network: Network, others: Iterable[Network]) -> bool:
    return any(
        network.version == other.version and _first(other) <= _first(network) and _last(network) <= _last(other)
        for other in others
    )


def _read(networks: Iterable[str]) -> Iterator[tuple[str, Network]]:
    """Return each text with what it means; those that mean nothing are told elsewhere."""
    for text in networks:
        if network := network_of(text):
            yield text, network


def _problems_of_spelling(placed: Sequence[tuple[str, str]]) -> Iterator[Problem]:
    for path, text in placed:
        if fault := fault_of_network(text):
            yield Problem(path, f"got {shown(text)}, which {fault}")


def _problems_of_overlaps(placed: Sequence[tuple[str, str]]) -> Iterator[Problem]:
    """Report networks inside another one: their hosts would still relay after the network is removed."""
    known = [(network, text, path) for path, each in placed for text, network in _read([each])]
    known.sort(key=lambda each: (each[0].version, _first(each[0]), each[0].prefixlen))
    around, named = None, ""
    for network, text, path in known:
        if around == network:
            yield Problem(path, f"got {text}, which is listed twice; remove it once")
        elif around and _is_within(network, [around]):
            yield Problem(path, f"got {text}, which lies in {named}; leave it out")
        else:
            around, named = network, text


def _public(networks: Iterable[str]) -> list[tuple[str, Network]]:
    public = [(text, network) for text, network in _read(networks) if not _is_within(network, _PRIVATE)]
    return sorted(public, key=lambda each: (each[1].version, _first(each[1])))


def _pieces(networks: Iterable[str]) -> Iterator[list[tuple[str, Network]]]:
    """Return public networks that touch or overlap each other, piece by piece."""
    piece: list[tuple[str, Network]] = []
    end = -1
    for text, network in _public(networks):
        start = _first(network)
        if piece and (piece[0][1].version != network.version or start > end + 1):
            yield piece
            piece, end = [], -1
        piece.append((text, network))
        end = max(end, _last(network))
    if piece:
        yield piece


def _size(piece: Sequence[tuple[str, Network]]) -> int:
    return max(_last(each) for _, each in piece) - _first(piece[0][1]) + 1


def _problems_of_width(path: str, networks: Sequence[str], bound: _Bound, cure: str) -> Iterator[Problem]:
    for version, found in groupby(_pieces(networks), key=lambda piece: piece[0][1].version):
        pieces, prefix = list(found), bound.prefix[version]
        wide = [piece for piece in pieces if _size(piece) > bound.piece(version)]
        for piece in wide:
            texts = [text for text, _ in piece]
            place = f"{path}[{networks.index(texts[0])}]"
            wider = f"public and wider than a /{prefix}, so strangers could relay"
            yield Problem(place, f"got {_in_words(texts)}, which is {wider}; {cure}")
        if not wide and sum(map(_size, pieces)) > bound.total(version):
            many = f"{bound.pieces} times a /{prefix}" if bound.pieces > 1 else f"a /{prefix}"
            yield Problem(path, f"public networks of IPv{version} are together more than {many}; {cure}")


def _in_words(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    some = ", ".join(texts[:_SHOWN])
    return f"{some}{' and others' if len(texts) > _SHOWN else ''} together"


def _problems_of_narrow(wide_networks: Iterable[str]) -> Iterator[Problem]:
    """Report entries of `wide_networks` that are private or not wide."""
    for index, text in enumerate(wide_networks):
        network = network_of(text)
        is_private = network is not None and _is_within(network, _PRIVATE)
        if network and (is_private or network.num_addresses <= _OF_A_SITE.piece(network.version)):
            why = "private" if is_private else "not wide"
            yield Problem(f"wide_networks[{index}]", f"got {text}, which is {why}; list it under networks")

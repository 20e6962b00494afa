"""A domain under which anybody may have one is no domain of a host."""

from typing import Any

import pytest

from tests.support.stack_files import host, problems_of

LISTS = ("mydestination", "relay_domains", "virtual_alias_domains", "virtual_mailbox_domains")


def told(parameter: str, value: Any, **fields: Any) -> bool:
    """Return whether something is wrong with a list of domains."""
    return bool(problems_of(host(domains={parameter: value}, **fields)))


@pytest.mark.parametrize("parameter", LISTS)
@pytest.mark.parametrize(
    "name",
    [
        *("co.uk", "CO.UK", "com.au", "asso.fr", "gov.pl", "k12.ma.us", "kobe.jp", "anything.kobe.jp", "x.ck"),
        *("london.gov.uk.", "xn--55qx5d.cn", "in-addr.arpa", "2.0.192.in-addr.arpa", "ip6.arpa", "x.arpa"),
    ],
)
def test_a_registry_is_refused_wherever_it_stands(parameter: str, name: str) -> None:
    """By the public suffix list: no rule of thumb knows them all."""
    assert told(parameter, ["example.org", name])
    assert told(parameter, {"rows": {name: "x"}})


@pytest.mark.parametrize("parameter", LISTS)
@pytest.mark.parametrize("name", ["www.ck", "city.kobe.jp", "example.co.uk", "org.de", "home.arpa", "mx.home.arpa"])
def test_a_domain_of_somebody_is_taken(parameter: str, name: str) -> None:
    """Exceptions of the list, and what looks like a registry and is none."""
    assert not told(parameter, [name])


@pytest.mark.parametrize("name", ["eu.org", "uk.com", "github.io", "dyndns.org"])
def test_a_domain_with_customers_below_is_refused_where_it_stands_for_them(name: str) -> None:
    """Its owner may receive its own mail, and relay for it alone."""
    assert told("relay_domains", [name])
    assert not told("mydestination", [name])
    exact = {"parent_domain_matches_subdomains": "debug_peer_list"}
    assert not told("relay_domains", [name], settings=exact, unchecked=list(exact))


def test_mydomain_is_no_registry_either() -> None:
    """It comes from the name of the host."""
    (problem,) = problems_of(host(myhostname="mx1.k12.ma.us", domains={"mydestination": ["$mydomain"]}))
    assert "which $mydomain stands for, is a registry" in problem.message

"""Domains under which anybody may have a domain, by the public suffix list (publicsuffix.org).

The list comes with the package `publicsuffixlist`, and is as old as that; nothing is fetched.
"""

from functools import cache

from publicsuffixlist import PublicSuffixList

__all__ = ["has_customers_below", "is_registry"]


@cache
def _everything() -> PublicSuffixList:
    return PublicSuffixList()


@cache
def _registries() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)


def is_registry(name: str) -> bool:
    """Return whether a domain is a registry, as co.uk, or a name for addresses, as those below arpa are.

    Of arpa, home.arpa is no registry: it is everybody's own network (RFC 8375).
    """
    labels = name.lower().rstrip(".").split(".")
    if labels[-1] == "arpa":
        return labels[-2:] != ["home", "arpa"]
    domain = ".".join(labels)
    return _everything().is_public(domain) and _registries().is_public(domain)


def has_customers_below(name: str) -> bool:
    """Return whether a domain is somebody's who gives names below it to others, as eu.org; true of registries, too."""
    return _everything().is_public(name.lower().rstrip("."))

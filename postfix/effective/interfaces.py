"""Which listeners have an address that their host does not have, so that master(8) cannot open them."""

from collections.abc import Collection, Iterator
from ipaddress import ip_address

from postfix.effective.comparison import Finding, Rule, View
from postfix.effective.listeners import Listener

__all__ = ["findings_about_addresses"]


def findings_about_addresses(before: View, after: View, addresses: Collection[str]) -> Iterator[Finding]:
    """Report listeners at addresses that a host lacks, unless they were so before.

    `addresses`: those of the host; without any nothing can be told. A host whose kernel lets programs have foreign
    addresses (net.ipv4.ip_nonlocal_bind) is not known here: accept it there.
    """
    known = {*filter(None, map(_address, addresses))}
    if not known:
        return
    for name, listener in after.listeners.items():
        old = before.listeners.get(name)
        lacking = [each for each in _lacking(listener, known) if old is None or each not in _lacking(old, known)]
        if lacking and not listener.cannot_tell:
            message = f"Postfix could not listen here: this host has no address {', '.join(lacking)}"
            yield Finding(Rule.SERVICE_LOST, name, message)


def _lacking(listener: Listener, known: Collection[object]) -> list[str]:
    found = ((text, _address(text)) for text in listener.addresses)
    return [text for text, address in found if address and not _is_here(address, known)]


def _is_here(address: object, known: Collection[object]) -> bool:
    return address in known or bool(getattr(address, "is_loopback", False) or getattr(address, "is_unspecified", False))


def _address(text: str) -> object | None:
    """Return an address; None for a word as `all`, or a name, which only the host's resolver knows."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None

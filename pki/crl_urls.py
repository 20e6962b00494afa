"""Addresses of an authority's revocation lists: one list, and so one address, for each of its slots."""

from collections.abc import Iterator, Sequence
from typing import Final

from pki.model import SlotId
from pki.names import problems_of_crl_urls
from pki.rollover import Slots
from postseal_core.errors import Problem

__all__ = ["crl_urls_of_slot", "problems_of_declared_crl_urls"]

_SLOT: Final = "{slot}"


def crl_urls_of_slot(crl_urls: Sequence[str], slot: SlotId) -> tuple[str, ...]:
    """Return the CRL addresses for certificates that a slot signs: `{slot}` becomes the name of the slot.

    That is the name of the file, too, which a hand-out writes for the slot: `mail-ca`, then `mail-ca-2`.
    """
    return tuple(url.replace(_SLOT, slot.name) for url in crl_urls)


def problems_of_declared_crl_urls(crl_urls: Sequence[str], authority: str, slots: Slots) -> Iterator[Problem]:
    """Yield what is wrong with the addresses an authority declares; several slots need several addresses."""
    yield from problems_of_crl_urls(crl_urls_of_slot(crl_urls, SlotId(authority, slots.active)))
    if len(slots.trusted) == 1:
        return
    for index, url in enumerate(crl_urls):
        if _SLOT not in url:
            yield Problem(
                f"crl_urls[{index}]",
                f"got {url!r} for {len(slots.trusted)} slots, each of which signs a list of its own: write {_SLOT} "
                f"where the addresses differ, as http://pki.example.org/{_SLOT}.crl; it is the name of the slot",
            )

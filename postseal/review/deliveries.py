"""What the text of a review says of files for people: who gets which, and where `up` writes them; pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from postseal.review.blocks import Block, Bullets, Heading, Lines
from postseal.review.inline import literal
from postseal.review.model import FilesChange, HostReview
from postseal_core.values import is_unknown
from postseal_core.wording import listed

__all__ = ["delivery_blocks", "receivers"]

_NOT_PERSONS: Final = {
    "ca": "ca (for whoever trusts the authority)",
    "crl": "crl (to where revocation lists are fetched)",
    "requests": "requests (for whoever signs them)",
}
"""Folders that are for no single client or server, and whom they are for."""


def receivers(files: Iterable[FilesChange]) -> list[str]:
    """Return the clients and servers that get new files."""
    return sorted({_who(path) for each in files for path in each.written if path not in _NOT_PERSONS})


def delivery_blocks(files: Sequence[FilesChange], hosts: Sequence[HostReview], names: int) -> Iterator[Block]:
    """Yield the part about files for people; `names`: how many are written out in a line."""
    items = [item for each in files for item in _items(each, names)]
    items += _not_written(hosts, {*receivers(files)}, names)
    if items:
        yield Heading(2, "To be handed over")
        yield Lines(("`up` writes and removes these files where it runs, and sends nothing to anybody.",))
        yield Bullets(tuple(items))


def _not_written(hosts: Iterable[HostReview], receiving: Collection[str], names: int) -> Iterator[tuple[str, str]]:
    """Yield who gets a new certificate in a roster that is not written to files."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in (each.row for host in hosts if host.is_changed for each in host.rows):
        is_issued = row.roster and is_unknown(row.accepted.fingerprint_sha256)
        if is_issued and row.accepted.client not in receiving:
            found[row.roster].add(row.accepted.client)
    for roster, clients in sorted(found.items()):
        told = f"a new certificate, and no files: `hand_out` of roster {literal(roster)} does not name them"
        yield listed(sorted(clients), names), told


def _items(change: FilesChange, names: int) -> Iterator[tuple[str, str]]:
    for who, told, place in _alike(change, change.written, names):
        yield who, f"{told}, in {place}"
    for who, told, place in _alike(change, change.may, names):
        yield f"{who}, perhaps", f"{told}, in {place}"
    if change.gone:
        folders = listed((f"`{literal(f'{change.directory}/{path}')}`" for path in change.gone), names)
        yield listed(map(_who, change.gone), names), f"removed: {folders}; who was given a copy still has it"


def _alike(change: FilesChange, paths: Iterable[str], names: int) -> Iterator[tuple[str, str, str]]:
    """Yield whose files they are, what is in them, and where; those with the same content in one line."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        found[path.rpartition("/")[0], change.told.get(path, "")].append(path)
    for (above, told), same in sorted(found.items()):
        place = "/".join(filter(None, (change.directory, above)))
        yield listed(map(_who, same), names), literal(told) or "what `up` makes", f"`{literal(place)}`"


def _who(path: str) -> str:
    return _NOT_PERSONS.get(path, path.rpartition("/")[2])

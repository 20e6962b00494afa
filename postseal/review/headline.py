"""The first lines of a review: who may relay after this and not before, and who no longer; pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from pki.acceptance import Why
from postseal.review.deliveries import receivers
from postseal.review.model import HostReview, Mark, Review
from postseal.review.words import spaced
from postseal_core.wording import listed

__all__ = ["headline"]

_LOGIN = "who logs in"


def headline(review: Review, names: int) -> Iterator[tuple[str, str]]:
    """Yield what a reviewer has to know first, each with its label; `names`: how many are written out."""
    added: dict[str, list[str]] = defaultdict(list)
    gone: dict[str, list[str]] = defaultdict(list)
    beside, instead = set[str](), set[str]()
    for host in (each for each in review.hosts if each.is_changed):
        before, after = _clients(host, is_before=True), _clients(host, is_before=False)
        for client in after - before:
            added[client].append(host.name)
        for client in before - after:
            gone[client].append(host.name)
        renewed, in_overlap = before & after & _with_new_rows(host), _in_overlap(host)
        beside |= renewed & in_overlap
        instead |= renewed - in_overlap
    open_before, open_after = (
        _without_proof(review.hosts, is_before=True),
        _without_proof(review.hosts, is_before=False),
    )
    yield "May relay after this, not before", _everybody(added, open_after - open_before, names)
    yield "May no longer relay", _everybody(gone, open_before - open_after, names)
    yield from _networks(review.hosts, names)
    if beside:
        yield "New certificate, old one accepted beside it", listed(sorted(beside), names)
    if instead:
        yield "New certificate, old one not accepted beside it", listed(sorted(instead), names)
    if not review.problems and (given := receivers(review.files)):
        yield "New files to hand over", f"for {listed(given, names)}"
    changed = [each.name for each in review.hosts if each.is_changed]
    unchanged = [each.name for each in review.hosts if not each.is_changed]
    told = f"{listed(changed, names) or 'none'}; unchanged: {listed(unchanged, names) or 'none'}"
    yield "Hosts that change", told


def _clients(host: HostReview, *, is_before: bool) -> set[str]:
    ledger = host.before if is_before else host.after
    return {each.who for each in ledger.rows} if ledger else set()


def _with_new_rows(host: HostReview) -> set[str]:
    return {each.row.who for each in host.rows if each.is_since_up}


def _in_overlap(host: HostReview) -> set[str]:
    rows = (each for each in host.rows if each.mark is not Mark.GONE)
    return {each.row.who for each in rows if each.row.accepted.why is Why.OVERLAP}


def _on_hosts(clients: dict[str, list[str]], names: int) -> str:
    by_hosts: dict[str, list[str]] = defaultdict(list)
    for client in sorted(clients):
        by_hosts[listed(sorted(clients[client]), names)].append(client)
    return "; ".join(f"{listed(who, names)} on {where}" for where, who in sorted(by_hosts.items())) or "nobody"


def _everybody(clients: dict[str, list[str]], open_to: Collection[str], names: int) -> str:
    """Return clients by hosts, and before them whoever needs no certificate: that opens and closes most."""
    # Whoever logs in comes first: among thousands of networks nobody would see it.
    ordered = sorted(open_to, key=lambda each: (not each.startswith(_LOGIN), each))
    without = f"without any certificate {listed(ordered, names)}" if open_to else ""
    by_certificate = _on_hosts(clients, names) if clients or not open_to else ""
    return "; ".join(filter(None, (without, by_certificate)))


def _without_proof(hosts: Iterable[HostReview], *, is_before: bool) -> set[str]:
    """Return each network that relays, and whoever logs in, with the host that it is about."""
    ledgers = {each.name: each.before if is_before else each.after for each in hosts if each.is_changed}
    networks = {f"{each} on {name}" for name, ledger in ledgers.items() if ledger for each in ledger.networks or ()}
    return networks | {f"{_LOGIN} on {name}" for name, ledger in ledgers.items() if ledger and ledger.has_login}


def _networks(hosts: Iterable[HostReview], names: int) -> Iterator[tuple[str, str]]:
    """Yield what changes for those who need no certificate."""
    for host in (each for each in hosts if each.is_changed and each.after):
        before, after = (each.networks if each else None for each in (host.before, host.after))
        if after is not None and before != after:
            was, will = (spaced(each, names) if each else "none" for each in (before, after))
            yield f"Networks that relay without a certificate on {host.name}", f"{will} (before: {was})"
        login = [each.has_login if each else None for each in (host.before, host.after)]
        if login[0] != login[1] and (login[1] or login[0]):
            yield f"Login (SASL) relays on {host.name}", "yes" if login[1] else "no more"

"""The hosts on the page: who may relay through each, by which way, what was proven, and what nobody can tell."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape
from typing import Final

from pki.acceptance import Why
from postfix.proving import sentences_of_proof
from postseal.ledger.records import HostLedger, LedgerRow
from postseal.ledger.words import is_ended, login_words, network_words, why_words
from postseal.report.hosts import HostAccess, HostOfStack
from postseal.report.markup import date, icon
from postseal.report.model import Inventory, Proven, State, Unseen
from postseal.report.on_host import unseen_sentence

__all__ = ["render_hosts"]

_UNFOLDED_HOSTS: Final = 3
_UNFOLDED_ROWS: Final = 40
_ROWS_WITH_FINGERPRINTS: Final = 1000
_ROWS_ON_THE_PAGE: Final = 30_000
_NOT_TRIED: Final = "not tried"
_ONLY_THE_HOST: Final = "not set here; only the host knows"

_HEAD: Final = (
    "<thead><tr><th scope=col>Why<th scope=col>Client<th scope=col>Since<th scope=col class=n>Gen.<th scope=col>Until"
    "<th scope=col class=f>Fingerprint (SHA-256)</thead>"
)
_WORDS: Final = {Why.CURRENT: "current", Why.OVERLAP: "overlap", Why.FOREIGN: "elsewhere"}


def render_hosts(inventory: Inventory) -> str:
    """Return a section with a group for each host; nothing where the stack has none.

    Rows that several hosts have alike stand below the first of them. Beyond 1,000 rows in all a fingerprint stands only
    beside what is from elsewhere: the tables of certificates have the others. Beyond 30,000, hosts are shown without
    their rows, and say which command lists them.
    """
    stack = inventory.hosts
    known = {each.urn for each in stack.hosts}
    others = [each for each in inventory.proven if each.urn not in known]
    lines = "".join([*map(_unread, stack.unread), *map(_proven, others)])
    if not stack.hosts and not lines:
        return ""
    beside = f"<ol class=steps>{lines}</ol>" if lines else ""
    return f"<section><h2>Hosts: who may relay</h2>{beside}{''.join(_groups(inventory))}</section>\n"


def _unread(sentence: str) -> str:
    state = State.CANNOT_TELL
    return f"<li class=s-{state.value}><time>now</time><span>{icon(state)}cannot be read: {escape(sentence)}</span>"


def _proven(each: Proven) -> str:
    """Return what was proven of a host of which nothing else can be read."""
    lines = "<br>".join(map(escape, (each.label, *sentences_of_proof(each.evidence))))
    day = date(each.evidence.proven_at)
    return f"<li class=s-ok><time>{day}</time><span><b>{escape(each.host)}</b> {lines}</span>"


def _groups(inventory: Inventory) -> Iterator[str]:
    hosts = inventory.hosts.hosts
    proven = {each.urn: each for each in inventory.proven}
    read = [(host, host.read_access()) for host in hosts]
    first_with = _first_with_rows(access.ledger for _, access in read)
    total = sum(len(read[index][1].ledger.rows) for index in set(first_with))
    shown = 0
    for index, (host, access) in enumerate(read):
        unseen = [each for each in inventory.unseen if each.urn == host.urn]
        of_host = (host, access, proven.get(host.urn), unseen)
        is_same = first_with[index] != index
        shown += 0 if is_same else len(access.ledger.rows)
        if is_same:
            rows = f"<p class=more>the same rows as {escape(hosts[first_with[index]].host)}, above</p>"
        elif shown > _ROWS_ON_THE_PAGE:
            rows = f"<p class=more>too many rows for one page: <code>postseal who --host {escape(host.host)}</code></p>"
        else:
            rows = _table(host.host, access.ledger, inventory.now, is_full=total <= _ROWS_WITH_FINGERPRINTS)
        is_open = len(hosts) <= _UNFOLDED_HOSTS and len(access.ledger.rows) <= _UNFOLDED_ROWS
        yield (
            f'<details class="group host"{" open" if is_open else ""}{f" data-same={first_with[index]}" * is_same}>'
            f"<summary><h3>{escape(host.host)}</h3><span class=count>{_count(access.ledger)}</span>"
            f"<span class=states>{''.join(_states(*of_host, inventory.now))}</span></summary>"
            f"<dl>{''.join(_facts(*of_host))}</dl>{rows}</details>\n"
        )


def _first_with_rows(ledgers: Iterable[HostLedger]) -> list[int]:
    """Return for each host the place of the first one that has the very same rows, itself where it has none."""
    places: dict[object, int] = {}
    found = []
    for index, ledger in enumerate(ledgers):
        key = tuple((row.service, row.accepted, row.roster, row.since) for row in ledger.rows)
        found.append(places.setdefault(key, index) if key else index)
    return found


def _count(ledger: HostLedger) -> str:
    clients = len({each.accepted.client for each in ledger.rows})
    return f"{clients:,} {'client' if clients == 1 else 'clients'} by certificate"


def _states(
    host: HostOfStack, access: HostAccess, proven: Proven | None, unseen: Iterable[Unseen], now: datetime
) -> Iterator[str]:
    """Yield what stands in the line of a host: what is wrong or not known, then the age of its proof."""
    if access.unread:
        yield _state(State.CANNOT_TELL, "who may relay cannot be read")
    if any(each.is_fault for each in unseen):
        yield _state(State.OVERDUE, "certificate of its own at fault")
    ended = sum(is_ended(row, now) for row in access.ledger.rows)
    if ended:
        yield _state(State.OVERDUE, f"{ended:,} ended, still let in")
    if proven:
        yield _state(State.OK, f"proven {f'{proven.days_ago:,} d ago' if proven.days_ago else 'today'}")
    elif host.is_deployed:
        yield _state(State.CANNOT_TELL, "never proven")
    else:
        yield "<span>a directory, proven nowhere</span>"


def _state(state: State, words: str) -> str:
    return f"<span class=s-{state.value}>{icon(state)}{words}</span>"


def _facts(host: HostOfStack, access: HostAccess, proven: Proven | None, unseen: Iterable[Unseen]) -> Iterator[str]:
    ledger = access.ledger
    yield _fact("Place", [ledger.place])
    yield _fact("Networks", [network_words(ledger)] if ledger.networks is not None else [_ONLY_THE_HOST])
    yield _fact("Login (SASL)", [login_words(ledger)] if ledger.has_login is not None else [_ONLY_THE_HOST])
    yield _fact("Proof", [proven.label, *sentences_of_proof(proven.evidence)] if proven else [])
    yield _fact("At fault", [unseen_sentence(each) for each in unseen if each.is_fault])
    yield _fact("Look at", [f"{place}: {sentence}" for place, sentence in sorted(ledger.to_review.items())])
    yield _fact("Nobody can tell", list(_doubts(host, access, proven, unseen)))


def _fact(title: str, lines: list[str]) -> str:
    return f"<dt>{title}<dd>{'<br>'.join(map(escape, lines))}" if lines else ""


def _doubts(host: HostOfStack, access: HostAccess, proven: Proven | None, unseen: Iterable[Unseen]) -> Iterator[str]:
    yield from access.unread
    if not host.is_deployed:
        yield "what the host does: its files are carried there by other means"
    elif not proven:
        yield "what the host does: no run that changed it has come to its end"
    elif proven.evidence.trial.startswith(_NOT_TRIED):
        yield f"what strangers from elsewhere are told: the trial run was {proven.evidence.trial}"
    yield from (unseen_sentence(each) for each in unseen if not each.is_fault)


def _table(host: str, ledger: HostLedger, now: datetime, *, is_full: bool) -> str:
    if not ledger.rows:
        return ""
    rows = "\n".join(_row(row, now, is_full=is_full) for row in ledger.rows)
    label = escape(f"Who may relay through {host}")
    return f'<div class=scroll><table aria-label="{label}">{_HEAD}<tbody>\n{rows}</table></div>'


def _row(row: LedgerRow, now: datetime, *, is_full: bool) -> str:
    """Return one row without optional closing tags; what is usual takes no words: there may be ten thousand."""
    accepted = row.accepted
    below = [*([f"roster {row.roster}"] if row.roster else []), *([row.service] if row.service != "smtp" else [])]
    is_over = is_ended(row, now)
    why = _small(why_words(row, now) if is_over or accepted.why is not Why.CURRENT else "")
    return (
        f"<tr class=s-{(State.OVERDUE if is_over else State.OK).value}><td>{_why(row, is_over=is_over)}"
        f"<td>{escape(accepted.client)}{_small(', '.join(below))}"
        f"<td>{date(row.since)}<td class=n>{accepted.generation or '-'}"
        f"<td>{date(accepted.until) if accepted.until else '-'}{why}<td class=f>{_fingerprint(row, is_full=is_full)}"
    )


def _why(row: LedgerRow, *, is_over: bool) -> str:
    """Return why it stands there in a word; an icon only for what has ended."""
    return f"{icon(State.OVERDUE)}ended" if is_over else _WORDS[row.accepted.why]


def _small(text: str) -> str:
    return f"<small>{escape(text)}</small>" if text else ""


def _fingerprint(row: LedgerRow, *, is_full: bool) -> str:
    fingerprint = row.accepted.fingerprint_sha256
    is_shown = is_full or row.accepted.why is Why.FOREIGN
    return f"<code>{escape(fingerprint)}</code>" if is_shown and isinstance(fingerprint, str) else ""

"""Count what a log says, in a memory that does not grow with the log; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from postseal.seen.instants import LogClock
from postseal.seen.known import Known, Registry
from postseal.seen.lines import read_line
from postseal.seen.listing import Listing, known_span, spans_of
from postseal.seen.model import ClientName, HostLog, SeenClient, Unlisted, Use
from postseal.seen.sessions import Event, EventKind, event_of, may_be_event

__all__ = ["Tally"]

_MOST_UNLISTED: Final = 1000
"""Anybody can make a new certificate for each session; further ones are only counted."""
_MOST_ADDRESSES: Final = 100
"""Of one client."""
_MOST_HOSTS: Final = 1000
_SUMMARY_FOLLOWS: Final = timedelta(minutes=1)
"""The summary of a session comes right behind its certificate."""


@dataclass(slots=True)
class _Span:
    first_at: datetime
    last_at: datetime
    sessions: int = 0
    hosts: set[str] = field(default_factory=set)

    def widen(self, at: datetime) -> None:
        self.first_at, self.last_at = min(self.first_at, at), max(self.last_at, at)

    def add(self, at: datetime, host: str) -> None:
        self.widen(at)
        self.sessions += 1
        self.hosts.add(host)


@dataclass(slots=True)
class _Host:
    """What the log of one host covers; `awaited`: certificates whose sessions have no summary yet."""

    span: _Span
    awaited: int = 0
    named_at: datetime | None = None
    unnamed: int = 0
    unnamed_at: datetime | None = None

    def named(self, at: datetime) -> None:
        """Count a certificate; the summary of its session follows, if summaries are logged."""
        self.span.sessions += 1
        self._forget(at)
        self.awaited += 1
        self.named_at = at

    def summed_up(self, at: datetime) -> None:
        """Take the summary of a session with a certificate, which may have been named before."""
        self._forget(at)
        if self.awaited:
            self.awaited -= 1
            return
        self.unnamed += 1
        self.unnamed_at = max(at, self.unnamed_at or at)

    def _forget(self, at: datetime) -> None:
        if self.named_at and abs(at - self.named_at) > _SUMMARY_FOLLOWS:
            self.awaited = 0


@dataclass(slots=True)
class Tally:
    """What was counted so far.

    Args:
        registry: Whose each certificate is.
        clock: How time stamps become instants.
        host: The host that all lines are from; empty: the one that each line names.
        has_addresses: Whether addresses of clients are kept.
    """

    registry: Registry
    clock: LogClock
    host: str = ""
    has_addresses: bool = False
    more_unlisted: int = 0
    doubtful: int = 0
    other_digest: int = 0
    overlong: int = 0
    _uses: dict[Known, _Span] = field(default_factory=dict)
    _addresses: dict[ClientName, dict[str, None]] = field(default_factory=dict)
    _unlisted: dict[tuple[str, str], _Span] = field(default_factory=dict)
    _hosts: dict[str, _Host] = field(default_factory=dict)

    def read(self, lines: Iterable[bytes | None]) -> None:
        """Count lines; None stands for one that was too long to be read."""
        for line in lines:
            if line is None:
                self.overlong += 1
            elif may_be_event(line):
                found = read_line(line, self.clock)
                if found and (event := event_of(found)):
                    self._count(event)

    def _count(self, event: Event) -> None:
        logged_as = self.host or event.host
        host = self._host(logged_as, event.at)
        if event.kind is EventKind.SUMMARY:
            host.summed_up(event.at)
        elif event.kind is not EventKind.CLIENT:
            host.named(event.at)
            self.doubtful += event.kind is EventKind.DOUBTFUL
            self.other_digest += event.kind is EventKind.OTHER_DIGEST
            if event.kind is EventKind.CERTIFICATE:
                self._certificate(event, logged_as)

    def _host(self, logged_as: str, at: datetime) -> _Host:
        host = self._hosts.get(logged_as)
        if host is None:
            host = _Host(_Span(at, at))
            if len(self._hosts) < _MOST_HOSTS:
                self._hosts[logged_as] = host
        host.span.widen(at)
        return host

    def _certificate(self, event: Event, host: str) -> None:
        known = self.registry.of(event.fingerprint, event.key_fingerprint)
        if known is None:
            self._nobody(event, host)
            return
        self._uses.setdefault(known, _Span(event.at, event.at)).add(event.at, host)
        if self.has_addresses:
            addresses = self._addresses.setdefault(known.name, {})
            addresses.pop(event.address, None)
            addresses[event.address] = None
            if len(addresses) > _MOST_ADDRESSES:
                del addresses[next(iter(addresses))]

    def _nobody(self, event: Event, host: str) -> None:
        key = event.fingerprint, event.key_fingerprint
        if key not in self._unlisted and len(self._unlisted) >= _MOST_UNLISTED:
            self.more_unlisted += 1
            return
        self._unlisted.setdefault(key, _Span(event.at, event.at)).add(event.at, host)

    def hosts(self, names: Mapping[str, str]) -> tuple[HostLog, ...]:
        """Return what the log of each host covers; `names`: hosts of the stack by what logs call them."""
        return tuple(
            HostLog(
                logged_as=logged_as,
                host=names.get(logged_as.casefold()) or names.get(logged_as.partition(".")[0].casefold(), ""),
                first_at=each.span.first_at,
                last_at=each.span.last_at,
                sessions=each.span.sessions,
                unnamed=each.unnamed,
                named_from=max(each.span.first_at, each.unnamed_at or each.span.first_at),
            )
            for logged_as, each in sorted(self._hosts.items())
        )

    def clients(self, logs: Iterable[HostLog], listings: Mapping[ClientName, Listing]) -> tuple[SeenClient, ...]:
        """Return every client of the stack, by name."""
        by_name = {each.logged_as: each.host or each.logged_as for each in logs}
        uses: dict[ClientName, list[Use]] = {}
        for known, span in self._uses.items():
            uses.setdefault(known.name, []).append(
                Use(
                    generation=known.generation,
                    standing=known.standing,
                    first_at=span.first_at,
                    last_at=span.last_at,
                    sessions=span.sessions,
                    hosts=tuple(sorted({by_name.get(host, host) for host in span.hosts})),
                )
            )
        spans = spans_of(logs)
        return tuple(
            self._client(name, uses.get(name, []), known_span(listings.get(name), spans))
            for name in sorted(self.registry.newest)
        )

    def _client(self, name: ClientName, uses: list[Use], span: tuple[datetime | None, datetime | None]) -> SeenClient:
        return SeenClient(
            name=name,
            newest=self.registry.newest[name],
            uses=tuple(sorted(uses, key=lambda use: (use.last_at, use.generation or 0), reverse=True)),
            known_from=span[0],
            known_until=span[1],
            addresses=tuple(self._addresses.get(name, ())) if self.has_addresses else None,
        )

    def unlisted(self) -> tuple[Unlisted, ...]:
        """Return what nobody is known by, the latest first."""
        found = (
            Unlisted(
                fingerprint_sha256=fingerprint,
                public_key_fingerprint_sha256=key,
                first_at=span.first_at,
                last_at=span.last_at,
                sessions=span.sessions,
                hosts=tuple(sorted(span.hosts)),
            )
            for (fingerprint, key), span in self._unlisted.items()
        )
        return tuple(sorted(found, key=lambda each: (each.last_at, each.fingerprint_sha256), reverse=True))

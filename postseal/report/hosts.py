"""The Postfix hosts of a stack as the report shows them; who may relay there is read on demand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from postfix.target import TargetKind
from postseal.ledger.records import HostLedger
from postseal.ledger.stored import ledger_of_stored
from postseal.report.export import StoredHost, read_hosts
from postseal_core.errors import Problem

__all__ = ["NO_HOSTS", "HostAccess", "HostOfStack", "StackHosts", "hosts_of"]


@dataclass(frozen=True, slots=True)
class HostAccess:
    """Who may relay through a host; `unread`: what of it cannot be read, so that nobody can tell."""

    ledger: HostLedger
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostOfStack:
    """One host: where its configuration goes, and who may relay there.

    `is_deployed`: a Postfix is changed and can be proven, rather than a directory that somebody carries elsewhere.
    """

    host: str
    urn: str
    kind: TargetKind
    read_access: Callable[[], HostAccess] = field(repr=False, compare=False)

    @property
    def is_deployed(self) -> bool:
        """Whether a run changes a Postfix there."""
        return self.kind.is_host


@dataclass(frozen=True, slots=True)
class StackHosts:
    """All hosts of a stack by name; `unread`: sentences about those whose record cannot be read."""

    hosts: tuple[HostOfStack, ...] = ()
    unread: tuple[str, ...] = ()


NO_HOSTS: Final = StackHosts()
"""Those of a stack that has none."""


def hosts_of(export: object) -> StackHosts:
    """Return the hosts in the JSON of `pulumi stack export`.

    One that cannot be read does not keep the report of everything else from being made: it is named instead.

    Raises:
        ConfigError: the document is not what `pulumi stack export` writes.
    """
    problems: list[Problem] = []
    hosts = sorted(map(_host, read_hosts(export, problems)), key=lambda each: (each.host, each.urn))
    return StackHosts(tuple(hosts), tuple(map(str, problems)))


def _host(stored: StoredHost) -> HostOfStack:
    return HostOfStack(stored.state.name, stored.urn, stored.inputs.target.kind, partial(_access, stored))


def _access(stored: StoredHost) -> HostAccess:
    problems: list[Problem] = []
    ledger = ledger_of_stored(stored, problems)
    return HostAccess(ledger, tuple(map(str, problems)))

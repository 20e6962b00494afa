"""Plain values of the expiry report: items, their states and their next actions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Final

from pki.fields import NOTHING_SAID, DeclaredCertificate
from postfix.proving import HostEvidence, summary_of_evidence
from postseal.report.hosts import NO_HOSTS, StackHosts
from postseal.report.last_seen import LastSeen

__all__ = [
    "NO_KNOWN_END",
    "Accepted",
    "Action",
    "ExitCode",
    "Expiring",
    "Inventory",
    "Kind",
    "Proven",
    "State",
    "Unseen",
    "Verb",
    "exit_code",
]

_NEVER = datetime.max.replace(tzinfo=UTC)

NO_KNOWN_END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The end of what has none (RFC 5280 section 4.1.2.5)."""


def _nothing_said() -> DeclaredCertificate:
    return NOTHING_SAID


class Kind(StrEnum):
    """The kind of an item: certificates by profile, imported ones, those that hosts have by themselves, lists."""

    ROOT = "root"
    INTERMEDIATE = "intermediate"
    SERVER = "server"
    SERVER_AND_CLIENT = "server_and_client"
    CLIENT = "client"
    IMPORTED = "imported"
    ON_HOST = "on_host"
    REVOCATION_LIST = "revocation_list"

    @property
    def is_authority(self) -> bool:
        """Whether the item signs others."""
        return self in (Kind.ROOT, Kind.INTERMEDIATE)


class State(StrEnum):
    """The state of an item; members are in the order of the report, worst first."""

    EXPIRED = "expired"
    OVERDUE = "overdue"
    CANNOT_TELL = "cannot_tell"
    WAITING = "waiting"
    DUE_SOON = "due_soon"
    OK = "ok"
    REVOKED = "revoked"

    @property
    def label(self) -> str:
        """The state as people read it."""
        return self.value.replace("_", " ")

    @property
    def is_fine(self) -> bool:
        """Whether nobody has to do anything about it."""
        return self in (State.OK, State.REVOKED)


_SEVERITY = {state: rank for rank, state in enumerate(State)}


class Verb(StrEnum):
    """The next action on an item: by `pulumi up`, by a person (`fetch`, `new request`), or by others on the host."""

    RENEW = "renew"
    RETIRE = "retire"
    SIGN_REVOCATION_LIST = "re-sign CRL"
    FETCH = "fetch"
    NEW_REQUEST = "new request"
    RENEW_ON_HOST = "renew on host"
    LOOK = "look again"


@dataclass(frozen=True, slots=True)
class Action:
    """One step and the instant from which it is due; `generation` is the one that is retired or replaced."""

    verb: Verb
    due: datetime
    generation: int | None = None

    @property
    def label(self) -> str:
        """The step as people read it, as `retire generation 1`."""
        return f"retire generation {self.generation}" if self.verb is Verb.RETIRE else self.verb.value


@dataclass(frozen=True, slots=True)
class Accepted:
    """A fingerprint in the deployed tables, and the end of its acceptance.

    Postfix does not look at dates for a listed fingerprint: one whose `until` has passed is let in until the next
    `pulumi up` removes it.
    """

    generation: int
    fingerprint: str
    match: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Expiring:
    """One certificate or revocation list of the stack.

    `roster` is empty for a resource of its own. `not_before`, `not_after`: for a revocation list `this_update` and
    `next_update`. `days_left`: whole days until `not_after`, negative after it. `generation`: for a revocation list its
    `crl_number`. `is_interim`: it stands in for a certificate that somebody else has not signed yet. `is_awaited`: none
    was signed yet, `not_after` is `NO_KNOWN_END`. `seen_at`: when a certificate of somebody else was seen on a host,
    and `seen_days_ago` how old that fact is; None for all others. `distrusted`: the name of the distrusted slot that
    signed the generation before, where the holder must be served anew for that. `last_seen`: what logs say about a
    client; None where none were read.
    """

    kind: Kind
    name: str
    not_before: datetime
    not_after: datetime
    renew_at: datetime
    state: State = State.OK
    is_interim: bool = False
    seen_at: datetime | None = None
    seen_days_ago: int | None = None
    is_awaited: bool = False
    subject: str = ""
    issuer: str = ""
    roster: str = ""
    urn: str = ""
    generation: int | None = None
    serial_number: str = ""
    revoked_at: datetime | None = None
    reason: str = ""
    days_left: int = 0
    next_action: Action | None = None
    actions: tuple[Action, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    alt_names: tuple[str, ...] = ()
    distrusted: str = ""
    last_seen: LastSeen | None = None
    notes: tuple[str, ...] = ()
    read_declared: Callable[[], DeclaredCertificate] = field(default=_nothing_said, repr=False, compare=False)

    @property
    def declared(self) -> DeclaredCertificate:
        """The certificate's declaration; read on demand, since a roster has many."""
        return self.read_declared()

    @property
    def label(self) -> str:
        """The name as people read it, with the age of what was only seen."""
        if self.seen_days_ago is None:
            return self.name
        return f"{self.name} (seen {f'{self.seen_days_ago:,} d ago' if self.seen_days_ago else 'today'})"

    @property
    def end_label(self) -> str:
        """The day of `not_after` as people read it, `-` where nothing has begun."""
        return "-" if self.is_awaited else f"{self.not_after:%Y-%m-%d}"

    @property
    def days_label(self) -> str:
        """The days that are left as people read them."""
        return "-" if self.is_awaited else f"{self.days_left:,}"

    @property
    def due(self) -> datetime:
        """The instant of the next action, or the end of time."""
        return self.next_action.due if self.next_action else _NEVER

    @property
    def identity(self) -> tuple[str, str, str]:
        """The key that is unique in the inventory."""
        return (self.kind.value, self.roster, self.name)

    @property
    def worst_first(self) -> tuple[int, datetime, datetime, tuple[str, str, str]]:
        """Sort key: by state, then by the next action, then by expiry, then by name; total."""
        return (_SEVERITY[self.state], self.due, self.not_after, self.identity)


@dataclass(frozen=True, slots=True)
class Unseen:
    """A host of whose own certificate there is something else to say than a date.

    `why`: what is wrong with it (`is_fault`), or why nobody can tell.
    """

    host: str
    why: str
    is_fault: bool
    urn: str = ""


@dataclass(frozen=True, slots=True)
class Proven:
    """What was proven of a host when it was last changed, `days_ago` whole days before the report."""

    host: str
    days_ago: int
    evidence: HostEvidence
    urn: str = ""

    @property
    def label(self) -> str:
        """The age, and how much was proven, as people read it."""
        age = f"{self.days_ago:,} d ago" if self.days_ago else "today"
        return f"last proven {age} ({self.evidence.proven_at:%Y-%m-%d %H:%M} UTC): {summary_of_evidence(self.evidence)}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything in a stack that expires, worst first, as it stands at `now`.

    `unseen`: what has no date. `proven`: what was proven of hosts when they were last changed. `hosts`: all of them.
    `logs_until`: the end of the logs that were read; None where none were.
    """

    project: str
    stack: str
    now: datetime
    soon_days: int
    items: tuple[Expiring, ...]
    unseen: tuple[Unseen, ...] = ()
    proven: tuple[Proven, ...] = ()
    hosts: StackHosts = NO_HOSTS
    logs_until: datetime | None = None


class ExitCode(IntEnum):
    """Exit codes of the `postseal` command."""

    FINE = 0
    DUE = 1
    EXPIRED = 2
    ERROR = 3


def exit_code(items: Iterable[Expiring], unseen: Iterable[Unseen] = ()) -> ExitCode:
    """Return the code that tells a scheduler whether all is fine, something is due, or something has expired.

    A fault of a host's own certificate is due. That nobody can tell is none: where nobody looks, it never ends.
    """
    states = {item.state for item in items}
    if State.EXPIRED in states:
        return ExitCode.EXPIRED
    is_fine = all(state.is_fine for state in states) and not any(each.is_fault for each in unseen)
    return ExitCode.FINE if is_fine else ExitCode.DUE

"""A review as records: what happens to hosts, certificates and files, and what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from postseal.ledger.records import HostLedger, LedgerRow
from postseal_core.errors import Problem

__all__ = [
    "Cause",
    "CertificateChange",
    "Difference",
    "ExitCode",
    "FilesChange",
    "HostReview",
    "Mark",
    "ResourceChange",
    "Review",
    "RowChange",
]


class ExitCode(IntEnum):
    """The exit codes of `postseal review`; 3, as everywhere, is wrong usage or no state."""

    NOTHING = 0
    CHANGES = 1
    REFUSED = 2


class Cause(StrEnum):
    """Why something happens: by this change, or without it as well."""

    CHANGE = "this change"
    CLOCK = "the clock"
    NOT_APPLIED = "declared before, not applied yet"
    BOTH = "this change, on top of what is due"


class Mark(StrEnum):
    """What happens to a row of a host."""

    ADDED = "+"
    CHANGED = "~"
    GONE = "-"
    SAME = " "


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row of a host; `is_since_up`: it stands there from this `up` on; `why`: for readers."""

    mark: Mark
    row: LedgerRow
    why: str
    renew_at: datetime | None = None
    is_since_up: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One value of a host before and after, empty for none; `place`: main.cf, master.cf, a table, or another."""

    place: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class HostReview:
    """One host; `before` is None for a new one, `after` for one that goes.

    `written`: paths of files that are written anew, `removed`: those that go. `reading`: when Postfix reads them.
    `notes`: what the declaration opens or may close, and what nobody has checked. `is_by_hand`: `up` only writes to a
    directory, and everything stays as it is until somebody carries that to the host.
    """

    name: str
    myhostname: str
    before: HostLedger | None
    after: HostLedger | None
    is_changed: bool
    rows: tuple[RowChange, ...] = ()
    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reading: str = ""
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    is_refused: bool = False
    is_by_hand: bool = False


@dataclass(frozen=True, slots=True)
class CertificateChange:
    """What happens to one certificate, key or list; `kind` and `name` say which, `sentence` what."""

    kind: str
    name: str
    sentence: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class FilesChange:
    """Folders of a hand-out that are written anew; `may`: perhaps, as a value was sealed anew; `gone` are removed.

    `directory`: where they are. `told`: of each folder what is in it, in words, where that is known.
    """

    name: str
    directory: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One resource that changes: what the engine's preview would list, with the leaves that it would show."""

    urn: str
    operation: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that the next `up` would do, and why it would not begin.

    `problems`: of the stack file after. `before_problems`: of the one before, which then tells nothing. `notes`: what
    the program and the plugin warn of. `unread`: settings for the engine that differ, and that a review cannot judge.
    """

    project: str
    stack: str
    at: datetime
    hosts: tuple[HostReview, ...] = ()
    certificates: tuple[CertificateChange, ...] = ()
    files: tuple[FilesChange, ...] = ()
    resources: tuple[ResourceChange, ...] = ()
    problems: tuple[Problem, ...] = ()
    before_problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)
    unread: tuple[str, ...] = ()

    @property
    def is_changing(self) -> bool:
        """Whether anything changes."""
        return bool(self.resources)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the command."""
        if self.problems:
            return ExitCode.REFUSED
        return ExitCode.CHANGES if self.is_changing or self.unread else ExitCode.NOTHING

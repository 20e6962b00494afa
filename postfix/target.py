"""Where a host's configuration goes: a plain directory, or the Postfix of this machine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePath
from types import MappingProxyType
from typing import Final, get_args

from postfix.host import Ownership
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = [
    "KEPT_GENERATIONS",
    "MOST_KEPT_GENERATIONS",
    "TARGETS",
    "TARGET_WORDS",
    "Directory",
    "Drift",
    "HostTarget",
    "Local",
    "Target",
    "TargetKind",
    "problems_of_kept_generations",
    "problems_of_target",
    "target_of",
]


class TargetKind(StrEnum):
    """The kinds of places that a host's configuration can be deployed to."""

    DIRECTORY = "directory"
    LOCAL = "local"


class Drift(StrEnum):
    """What a run does where somebody else has changed what was deployed.

    Attributes:
        REPAIR: It is written as it is declared, and what was changed is said.
        STOP: Nothing is touched, and the run ends with what was changed.
    """

    REPAIR = "repair"
    STOP = "stop"


KEPT_GENERATIONS: Final = 3
"""How many earlier states of a host stay on it, where nothing else is said."""
MOST_KEPT_GENERATIONS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place, as handlers and states have it; programs write `Directory` or `Local`.

    `path`: the directory that is written to. `config_directory`: what it is called on the host. `ownership`: the same
    as in the host's declaration. `take_over`: paths of files there, not ours, that are replaced and given back.
    `drift`: what to do where somebody else has changed what was deployed. `kept_generations`: how many earlier states
    stay on the host; of a plain directory none.
    """

    kind: TargetKind
    path: str
    config_directory: str
    ownership: Ownership
    take_over: tuple[str, ...] = ()
    drift: Drift = Drift.REPAIR
    kept_generations: int = KEPT_GENERATIONS

    @property
    def jail(self) -> str:
        """Where copies for the chroot lie: below its own queue_directory, of a plain directory beside it."""
        above = PurePath(self.path).parent if self.kind is TargetKind.DIRECTORY else PurePath(self.path)
        return str(above / "queue_directory")


@dataclass(frozen=True, slots=True)
class Directory:
    """A plain directory: the whole configuration of a host, to be carried there by other means.

        postfix.Directory("out/mx1/postfix")

    Needs neither root nor Postfix; whatever its name, the rendered directory can be booted as it is, for every path in
    it is written as `$config_directory/...`.

    Args:
        path: The directory; a relative one is taken from the project's directory.
        config_directory: Where it will lie on the host, for the copy of a CApath inside the chroot. Default:
            `/etc/postfix`.
        ownership: `WHOLE` writes main.cf and master.cf as well; `MERGE` leaves both out, and writes tables, keys and
            certificates only. Default: `WHOLE`.
        take_over: Files there that are not ours and that ours replace, as `("main.cf",)`; paths relative to the
            directory. Each is kept beside ours and given back when ours goes. Default: none, they are refused.
        drift: What to do where somebody else has changed what was deployed: `REPAIR` writes it again and says what was
            changed; `STOP` refuses to go on, with the list, and touches nothing. Default: `REPAIR`.
    """

    path: str
    config_directory: str = "/etc/postfix"
    ownership: Ownership = Ownership.WHOLE
    take_over: tuple[str, ...] = ()
    drift: Drift = Drift.REPAIR

    @property
    def record(self) -> Target:
        """The target as a record."""
        return Target(
            kind=TargetKind.DIRECTORY,
            path=self.path,
            config_directory=self.config_directory,
            ownership=self.ownership,
            take_over=self.take_over,
            drift=self.drift,
        )


@dataclass(frozen=True, slots=True)
class Local:
    """The Postfix of the machine that runs `pulumi up`; needs root.

        postfix.Local()

    Args:
        path: Its configuration directory. Default: `/etc/postfix`.
        ownership: `MERGE` changes only what is declared in main.cf and master.cf, `WHOLE` takes both over. Default:
            `MERGE`.
        take_over: Other files there that are not ours and that ours replace, as `("relay_clientcerts",)`, which stands
            for its index as well. Each is kept beside ours and given back when ours goes. Default: none, they are
            refused.
        drift: What to do where somebody else has changed what was deployed: `REPAIR` writes it again and says what was
            changed; `STOP` refuses to go on, with the list, and touches nothing. Default: `REPAIR`.
        kept_generations: How many earlier states of what is ours stay on the host, below `.postseal/kept`, for a way
            back: 0 to 100. They hold earlier private keys, which only root can read. Default: 3.
    """

    path: str = "/etc/postfix"
    ownership: Ownership = Ownership.MERGE
    take_over: tuple[str, ...] = ()
    drift: Drift = Drift.REPAIR
    kept_generations: int = KEPT_GENERATIONS

    @property
    def record(self) -> Target:
        """The target as a record."""
        return Target(
            kind=TargetKind.LOCAL,
            path=self.path,
            config_directory=self.path,
            ownership=self.ownership,
            take_over=self.take_over,
            drift=self.drift,
            kept_generations=self.kept_generations,
        )


HostTarget = Directory | Local
"""A target as programs declare it."""

TARGETS: Final[tuple[type[HostTarget], ...]] = get_args(HostTarget)
"""The classes of targets."""

TARGET_WORDS: Final = 'postfix.Directory("out/mx1/postfix") or postfix.Local()'
"""How a program writes a target, for messages."""

_OF_KIND: Final[Mapping[TargetKind, type[HostTarget]]] = MappingProxyType(
    {TargetKind.DIRECTORY: Directory, TargetKind.LOCAL: Local}
)


def target_of(
    kind: TargetKind,
    path: str,
    ownership: Ownership | None,
    take_over: tuple[str, ...] = (),
    drift: Drift = Drift.REPAIR,
    kept_generations: int | None = None,
) -> HostTarget:
    """Return the target of a kind; without an ownership, or a number of generations, that of the kind's own default.

    What a kind cannot have is left out, as `problems_of_target` tells.
    """
    target: HostTarget = _OF_KIND[kind](path, take_over=take_over, drift=drift)
    if ownership is not None:
        target = replace(target, ownership=ownership)
    is_possible = not list(problems_of_kept_generations(kept_generations))
    if isinstance(target, Local) and kept_generations is not None and is_possible:
        target = replace(target, kept_generations=kept_generations)
    return target


def problems_of_kept_generations(number: int | None) -> Iterator[Problem]:
    """Report a number of generations that nothing keeps."""
    is_number = isinstance(number, int) and not isinstance(number, bool)
    if number is not None and not (is_number and 0 <= number <= MOST_KEPT_GENERATIONS):
        yield Problem("kept_generations", f"got {number!r}, expected a whole number from 0 to {MOST_KEPT_GENERATIONS}")


def problems_of_target(
    kind: TargetKind, path: str, ownership: Ownership | None, kept_generations: int | None = None
) -> Iterator[Problem]:
    """Report problems of a target declared in a stack file; paths are the kind's word and the names of keys."""
    yield from problems_of_kept_generations(kept_generations)
    if kind is TargetKind.DIRECTORY and kept_generations:
        yield Problem("kept_generations", "only a Postfix that is deployed to keeps earlier states; leave this out")
    if kind is TargetKind.LOCAL and not path.startswith("/"):
        yield Problem(kind.value, f"got {shown(path)}, expected an absolute path, as /etc/postfix")
    if kind is TargetKind.DIRECTORY and ownership is Ownership.MERGE:
        yield Problem("ownership", "a directory of ours has nothing to merge with; leave this out")

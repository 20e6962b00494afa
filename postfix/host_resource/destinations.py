"""Where a host's files are brought to: a plain directory, or the Postfix of this machine."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from postfix.deploy.host_files import MAIN_CF, Deployed
from postfix.deploy.plan import write_order
from postfix.deploy.sessions.local import LocalSession
from postfix.deploy.transaction import deploy, remove
from postfix.host_resource.preparation import PreparedHost, host_files
from postfix.main_cf import read_parameters
from postfix.target import Target, TargetKind
from postseal_core.files.bringing import bring_directory, changed_paths
from postseal_core.files.directory import DirectoryWriter

__all__ = ["DESTINATIONS", "Destination", "destination_of"]

Report = Callable[[str], None]

# Postfix waits for a main.cf or texthash source younger than two seconds.
_AGE_SECONDS = 5


class Destination(Protocol):
    """A place that a host's files can be brought to; what is ours there is kept in `deployed`, which has no secret."""

    def write(self, prepared: PreparedHost, deployed: Deployed, report: Report) -> Deployed:
        """Bring the place to the files and return what is ours there now."""

    def remove(self, deployed: Deployed, report: Report) -> None:
        """Remove what is ours; what others put there stays."""

    def drift(self, deployed: Deployed, main_cf: Mapping[str, str]) -> list[str]:
        """Return what of ours is gone or was changed by somebody else: paths, and parameters of a shared main.cf."""


def destination_of(target: Target) -> Destination:
    """Return the destination that a target names."""
    return DESTINATIONS[target.kind](target)


class _Directory:
    """A plain directory; the copies for the chroot lie beside it."""

    def __init__(self, target: Target) -> None:
        self._path, self._jail = Path(target.path), Path(target.jail)

    def write(self, prepared: PreparedHost, deployed: Deployed, report: Report) -> Deployed:
        del report
        bring = partial(bring_directory, order=write_order(host_files(prepared)), age_seconds=_AGE_SECONDS)
        return Deployed(
            files=bring(self._path, prepared.entries, deployed.files),
            chroot=bring(self._jail, prepared.chroot, deployed.chroot),
        )

    def remove(self, deployed: Deployed, report: Report) -> None:
        del report
        bring_directory(self._path, (), deployed.files)
        bring_directory(self._jail, (), deployed.chroot)

    def drift(self, deployed: Deployed, main_cf: Mapping[str, str]) -> list[str]:
        del main_cf
        return changed_paths(self._path, deployed.files) + changed_paths(self._jail, deployed.chroot)


class _Local:
    """The Postfix whose configuration directory lies on this machine."""

    def __init__(self, target: Target) -> None:
        self._path = Path(target.path)

    def write(self, prepared: PreparedHost, deployed: Deployed, report: Report) -> Deployed:
        outcome = deploy(LocalSession(self._path), host_files(prepared), deployed)
        for path in outcome.plan.changed_outside:
            report(f"{path} was changed outside; it is as declared again")
        report(outcome.reloading.value)
        return outcome.plan.deployed

    def remove(self, deployed: Deployed, report: Report) -> None:
        report(remove(LocalSession(self._path), deployed).reloading.value)

    def drift(self, deployed: Deployed, main_cf: Mapping[str, str]) -> list[str]:
        ours = {name: main_cf[name] for name in deployed.parameters if name in main_cf}
        return changed_paths(self._path, deployed.files) + (_changed_parameters(self._path, ours) if ours else [])


DESTINATIONS: Final[Mapping[TargetKind, Callable[[Target], Destination]]] = MappingProxyType(
    {TargetKind.DIRECTORY: _Directory, TargetKind.LOCAL: _Local}
)
"""What writes to each kind of target; a kind that is not here is no kind, rather than the Postfix of this machine."""


def _changed_parameters(directory: Path, ours: Mapping[str, str]) -> list[str]:
    """Return the parameters of ours that a main.cf shared with others has differently; blanks do not count."""
    file = DirectoryWriter(directory).read(MAIN_CF)
    found = read_parameters(file.content.decode("utf-8", "surrogateescape")) if file else {}
    return [
        f"{name} in {MAIN_CF}" for name, value in sorted(ours.items()) if found.get(name, "").split() != value.split()
    ]

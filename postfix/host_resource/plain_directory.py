"""Bring a host's files to a plain directory, which something else carries to its Postfix."""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from postfix.deploy.host_files import Deployed
from postfix.deploy.plan import write_order
from postfix.deploy.session import AS_IT_IS, Configuration
from postfix.host_resource.destination import Brought, Destination
from postfix.host_resource.drift import Edit, Left
from postfix.host_resource.left_files import edits_below, is_left_by_another_run, refuse_another_stack
from postfix.host_resource.preparation import PreparedHost, host_files
from postfix.on_host import CertificateOnHost, Sighting
from postfix.target import Target
from postseal_core.files.bringing import (
    Bringer,
    bring_directory,
    foresee_directory,
    foresee_release,
    release_directory,
)
from postseal_core.files.directory import DirectoryWriter

__all__ = ["in_plain_directory"]

# Postfix waits for a main.cf or texthash source younger than two seconds.
_AGE_SECONDS = 5


def in_plain_directory(target: Target) -> Destination:
    """Return the directory that a target names, without a Postfix that runs there."""
    return _PlainDirectory(target)


class _PlainDirectory:
    """A plain directory; the copies for the chroot lie beside it."""

    def __init__(self, target: Target) -> None:
        self._path, self._jail = Path(target.path), Path(target.jail)

    def foresee(
        self, paths: Collection[str], deployed: Deployed, bringer: Bringer, prepared: PreparedHost | None
    ) -> str:
        del prepared
        refuse_another_stack(DirectoryWriter(self._path), deployed, bringer)
        foresee_directory(self._path, paths, deployed.files, bringer)
        return f"copy {self._path} to the host and reload Postfix there"

    def write(
        self,
        prepared: PreparedHost,
        deployed: Deployed,
        bringer: Bringer,
        before_change: Callable[[Configuration], tuple[str, ...]],
    ) -> Brought:
        refuse_another_stack(DirectoryWriter(self._path), deployed, bringer)
        before_change(AS_IT_IS)
        order = write_order(host_files(prepared))
        bring = partial(bring_directory, bringer=bringer, order=order, age_seconds=_AGE_SECONDS)
        return Brought(
            Deployed(
                files=bring(self._path, prepared.entries, deployed.files),
                chroot=bring(self._jail, prepared.chroot, deployed.chroot),
            )
        )

    def look(self, declared: CertificateOnHost, deployed: Deployed, configuration: Configuration) -> Sighting:
        del deployed, configuration
        return Sighting(declared=declared, cannot_tell="the files are on another machine, where nothing here looks")

    def remove(self, deployed: Deployed, bringer: Bringer) -> None:
        release_directory(self._path, deployed.files, bringer)
        release_directory(self._jail, deployed.chroot, bringer)

    def foresee_removal(self, deployed: Deployed, bringer: Bringer) -> None:
        foresee_release(self._path, deployed.files, bringer)
        foresee_release(self._jail, deployed.chroot, bringer)

    def is_unfinished(self, deployed: Deployed) -> bool:
        places = ((self._path, deployed.files), (self._jail, deployed.chroot))
        return any(is_left_by_another_run(DirectoryWriter(path), files) for path, files in places)

    def drift(self, left: Left, wanted: Left) -> list[Edit]:
        content = wanted.deployed.files
        edits = edits_below(DirectoryWriter(self._path), left, left.deployed.files, content)
        return edits + edits_below(DirectoryWriter(self._jail), left, left.deployed.chroot, content)

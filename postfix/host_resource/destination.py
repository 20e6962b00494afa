"""A place that a host's files are brought to, and what is ours there after a run."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from postfix.deploy.host_files import Deployed
from postfix.deploy.program_result import Evidence
from postfix.deploy.session import Configuration
from postfix.host_resource.drift import Edit, Left
from postfix.host_resource.preparation import PreparedHost
from postfix.on_host import CertificateOnHost, Sighting
from postfix.proving import StraightEvidence
from postseal_core.files.bringing import (
    Bringer,
)

__all__ = ["Brought", "Destination"]


@dataclass(frozen=True, slots=True)
class Brought:
    """What is ours at a destination after a run, and what was asked there; nothing where nothing was changed."""

    deployed: Deployed
    evidence: tuple[Evidence, ...] = ()
    outside: tuple[StraightEvidence, ...] = ()


class Destination(Protocol):
    """A place to deploy a host's files to; `deployed` records our files there, without secrets."""

    def foresee(
        self, paths: Collection[str], deployed: Deployed, bringer: Bringer, prepared: PreparedHost | None
    ) -> str:
        """Report in a preview the files at `paths` that `write` would refuse or take over, and what it would change.

        Returns whether Postfix is reloaded, stopped and started, or must be given the files by somebody else.
        `prepared`: as far as a preview knows it.
        """

    def write(
        self,
        prepared: PreparedHost,
        deployed: Deployed,
        bringer: Bringer,
        before_change: Callable[[Configuration], tuple[str, ...]],
    ) -> Brought:
        """Write the files and return the new record of ours, and what was proven.

        `before_change` is called before anything is changed, with the new main.cf and master.cf. It returns the SHA-256
        fingerprints of the host's own certificates that have to be served afterwards.
        """

    def look(self, declared: CertificateOnHost, deployed: Deployed, configuration: Configuration) -> Sighting:
        """Return what the host has of its own certificates, by the main.cf that it has or will have."""

    def remove(self, deployed: Deployed, bringer: Bringer) -> None:
        """Remove the files that the mark there lists as ours; files of others stay, or come back."""

    def foresee_removal(self, deployed: Deployed, bringer: Bringer) -> None:
        """Report in a preview what `remove` would give back, remove and leave."""

    def is_unfinished(self, deployed: Deployed) -> bool:
        """Return whether ours is there as another run has left it than the one that was stored.

        One that was cut off, a rollback, or files from a backup: the next run brings what is declared.
        """

    def drift(self, left: Left, wanted: Left) -> list[Edit]:
        """Return what others have changed since the last deployment, and is not as it is declared now (`wanted`)."""

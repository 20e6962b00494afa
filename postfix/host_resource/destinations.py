"""Where a host's files are brought to: a plain directory, or the Postfix of this machine or another one."""

import posixpath
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles
from postfix.deploy.host_program import has_open_journal, has_unread_files
from postfix.deploy.looking import look_at_certificates
from postfix.deploy.plan import write_order
from postfix.deploy.preview import preview
from postfix.deploy.program_result import Evidence, sentences_of_evidence
from postfix.deploy.proof import problems_of_another_stack
from postfix.deploy.removal import sentences_of_removal
from postfix.deploy.session import AS_IT_IS, Configuration, HostSession, UnreachableError
from postfix.deploy.sessions.local import LocalSession
from postfix.deploy.sessions.ssh import SshSession
from postfix.deploy.straight_probe import straight_answers
from postfix.deploy.transaction import deploy, foresee_removal, prefetch, remove
from postfix.host_resource.drift import Edit, Left, Seen, edits_of, edits_of_parameters, edits_of_services
from postfix.host_resource.preparation import PreparedHost, expectation_of, host_files, known_rows
from postfix.on_host import CertificateOnHost, Sighting
from postfix.proving import StraightEvidence
from postfix.ssh_access import SshAccess
from postfix.target import Target, TargetKind
from postseal_core.errors import ConfigError, DeployError, Problem, StateError, refuse
from postseal_core.files.bringing import (
    Bringer,
    PlaceReader,
    bring_directory,
    foresee_directory,
    foresee_release,
    release_directory,
)
from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.mark import NO_MARK, Mark, read_mark
from postseal_core.files.sentences import sentence_of_takeover
from postseal_core.files.tree import DIRECTORY, MARK_FILE, OTHER

__all__ = ["DESTINATIONS", "Brought", "Destination", "destination_of"]

# Postfix waits for a main.cf or texthash source younger than two seconds.
_AGE_SECONDS = 5


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
    ) -> None:
        """Report in a preview the files at `paths` that `write` would refuse or take over, and what it would change.

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


def destination_of(target: Target) -> Destination:
    """Return the destination that a target names."""
    return DESTINATIONS[target.kind](target)


class _Directory:
    """A plain directory; the copies for the chroot lie beside it."""

    def __init__(self, target: Target) -> None:
        self._path, self._jail = Path(target.path), Path(target.jail)

    def foresee(
        self, paths: Collection[str], deployed: Deployed, bringer: Bringer, prepared: PreparedHost | None
    ) -> None:
        del prepared
        _refuse_another_stack(DirectoryWriter(self._path), deployed, bringer)
        foresee_directory(self._path, paths, deployed.files, bringer)

    def write(
        self,
        prepared: PreparedHost,
        deployed: Deployed,
        bringer: Bringer,
        before_change: Callable[[Configuration], tuple[str, ...]],
    ) -> Brought:
        _refuse_another_stack(DirectoryWriter(self._path), deployed, bringer)
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
        return any(_is_of_another_run(DirectoryWriter(path), files) for path, files in places)

    def drift(self, left: Left, wanted: Left) -> list[Edit]:
        content = wanted.deployed.files
        edits = _edits(DirectoryWriter(self._path), left, left.deployed.files, content)
        return edits + _edits(DirectoryWriter(self._jail), left, left.deployed.chroot, content)


class _OnHost:
    """The Postfix of a host, here or elsewhere."""

    def __init__(self, session: HostSession, target: Target) -> None:
        self._session, self._target = session, target

    def foresee(
        self, paths: Collection[str], deployed: Deployed, bringer: Bringer, prepared: PreparedHost | None
    ) -> None:
        desired = host_files(prepared, tuple(bringer.take_over)) if prepared else HostFiles()
        prefetch(self._session, desired, deployed, read=prepared.listing if prepared else ())
        _refuse_another_stack(self._session, deployed, bringer)
        # Of an index there is no digest in the record: whatever it is now, it is the one that we made.
        indexes = self._session.present(deployed.indexes)
        foresee_directory(self._session, paths, {**deployed.files, **indexes}, bringer)
        if prepared is None:
            return
        try:
            lines = preview(
                self._session,
                desired,
                deployed,
                bringer.owner,
                expectation_of(prepared),
                rows=known_rows(prepared),
            )
        except UnreachableError:
            raise
        except DeployError as error:
            lines = [f"what this would do on the host cannot be told in a preview: {error}"]
        for line in lines:
            bringer.report(line)

    def write(
        self,
        prepared: PreparedHost,
        deployed: Deployed,
        bringer: Bringer,
        before_change: Callable[[Configuration], tuple[str, ...]],
    ) -> Brought:
        desired = host_files(prepared, tuple(bringer.take_over))
        outcome = deploy(
            self._session,
            desired,
            deployed,
            bringer.owner,
            before_change,
            served=prepared.served,
            kept_generations=self._target.kept_generations,
            names=prepared.host.public_names if prepared.host.server else (),
            expectation=expectation_of(prepared),
        )
        if outcome.recovered:
            bringer.report(outcome.recovered)
        for path in outcome.plan.changed_outside:
            name = f"{self._session.root}/{path}" if path in outcome.plan.deployed.files else path
            bringer.report(f"{name} was changed outside; it is as declared again")
        for path in outcome.plan.taken_over:
            bringer.report(sentence_of_takeover(self._session.root, path))
        for line in (*outcome.foreseen, *sentences_of_evidence(outcome.evidence), outcome.reloading.value):
            bringer.report(line)
        return Brought(
            outcome.plan.deployed, outcome.evidence, _seen_straight(prepared, outcome.evidence, bringer, self._target)
        )

    def look(self, declared: CertificateOnHost, deployed: Deployed, configuration: Configuration) -> Sighting:
        ours = [f"{self._session.root}/{path}" for path in deployed.files]
        return look_at_certificates(self._session, declared, configuration=configuration, ours=ours)

    def remove(self, deployed: Deployed, bringer: Bringer) -> None:
        outcome = remove(self._session, deployed, bringer.owner)
        done = sentences_of_removal(outcome.plan, self._session.root)
        for line in filter(None, (outcome.recovered, *done, *outcome.left, outcome.reloading.value)):
            bringer.report(line)

    def foresee_removal(self, deployed: Deployed, bringer: Bringer) -> None:
        for line in foresee_removal(self._session, deployed, bringer.owner):
            bringer.report(line)

    def is_unfinished(self, deployed: Deployed) -> bool:
        if has_open_journal(self._session) or has_unread_files(self._session):
            return True
        return deployed.stamp != "" and _mark_in(self._session, self._session.present([MARK_FILE])).stamp not in (
            "",
            deployed.stamp,
        )

    def drift(self, left: Left, wanted: Left) -> list[Edit]:
        ours = {**left.deployed.files, **left.deployed.index_digests}
        # A run that changes rows will look at those that are there.
        self._session.prefetch(ours, read=left.rows_that_change(wanted))
        if has_open_journal(self._session):
            # A run of ours was cut off: what it has changed it finishes or undoes, and says so.
            return []
        edits = _edits(self._session, left, ours, wanted.deployed.files)
        if left.main_cf or left.master_cf:
            shared = {path: left.deployed.files.get(path, "") for path in (MAIN_CF, MASTER_CF)}
            seen = _seen(self._session, shared)
            edits += edits_of_parameters(left, seen, wanted.main_cf)
            edits += edits_of_services(left, seen, wanted.master_cf)
        return edits


class _ByNetwork(_OnHost):
    """The Postfix of another machine."""

    def __init__(self, target: Target, access: SshAccess) -> None:
        self._far = SshSession(access, posixpath.normpath(target.path))
        self._wait_seconds = access.wait_seconds
        super().__init__(self._far, target)

    def write(
        self,
        prepared: PreparedHost,
        deployed: Deployed,
        bringer: Bringer,
        before_change: Callable[[Configuration], tuple[str, ...]],
    ) -> Brought:
        # A machine that was made a moment ago may not answer yet.
        self._far.insist(self._wait_seconds if deployed == Deployed() else 0)
        return super().write(prepared, deployed, bringer, before_change)


def _on_this_machine(target: Target) -> _OnHost:
    return _OnHost(LocalSession(Path(target.path)), target)


def _on_another_machine(target: Target) -> _OnHost:
    if target.ssh is None:
        raise StateError(f"how to reach {target.path} is not stored; use the plugin that wrote it", ())
    return _ByNetwork(target, target.ssh)


def _seen_straight(
    prepared: PreparedHost, evidence: tuple[Evidence, ...], bringer: Bringer, target: Target
) -> tuple[StraightEvidence, ...]:
    """Ask the servers by the host's own names as well, and tell what is not as declared there."""
    servers = [(each.fields[0], each.fields[1]) for each in evidence if each.kind == "server"]
    host = target.ssh.host if target.ssh else ""
    found = straight_answers(prepared.host.public_names, servers, host) if servers else ()
    known = {*prepared.served, *(each.fields[2].removeprefix("tls ") for each in evidence if each.kind == "server")}
    for each in found:
        if prepared.served and each.fingerprint_sha256 not in known:
            bringer.report(f"{each.address} serves {each.fingerprint_sha256 or 'no TLS'} there, which is not declared")
    return found


DESTINATIONS: Final[Mapping[TargetKind, Callable[[Target], Destination]]] = MappingProxyType(
    {
        TargetKind.DIRECTORY: _Directory,
        TargetKind.LOCAL: _on_this_machine,
        TargetKind.SSH: _on_another_machine,
    }
)
"""What writes to each kind of target; a kind that is not here is no kind, rather than the Postfix of this machine."""


def _refuse_another_stack(place: PlaceReader, deployed: Deployed, bringer: Bringer) -> None:
    """Raise ConfigError where another project or stack deploys to a directory."""
    try:
        mark = read_mark(place.read(MARK_FILE), place.present([MARK_FILE]).get(MARK_FILE))
    except ConfigError as error:
        raise ConfigError(
            Problem(f"{place.root}/{problem.path}", problem.message) for problem in error.problems
        ) from error
    refuse(problems_of_another_stack(bringer.owner, deployed, mark, place.root))


def _edits(place: PlaceReader, left: Left, owned: Mapping[str, str], wanted: Mapping[str, str]) -> list[Edit]:
    return edits_of(left, _seen(place, owned), owned, wanted) if owned else []


def _seen(place: PlaceReader, owned: Mapping[str, str]) -> Seen:
    """Look at files of ours, as digests by path say that they were left; such a one is not read a second time."""
    present = place.present([*owned, MARK_FILE])
    differs = [path for path, was in owned.items() if path in present and present[path] != was]
    read = {path: place.read(path) for path in differs if present[path] not in (DIRECTORY, OTHER)}
    mark = _mark_in(place, present)
    return Seen(root=place.root, present=present, files={path: file for path, file in read.items() if file}, mark=mark)


def _is_of_another_run(place: PlaceReader, owned: Mapping[str, str]) -> bool:
    """Return whether a file is neither as it was left nor edited: its mark says that a run of ours has left it so."""
    if not owned:
        return False
    present = place.present([*owned, MARK_FILE])
    marked = _mark_in(place, present).files
    return any(
        path in present and path in marked and present[path] != was and present[path] in marked[path].digests
        for path, was in owned.items()
    )


def _mark_in(place: PlaceReader, present: Mapping[str, str]) -> Mark:
    """Return the mark at a place; none where nobody can read it, which a run that writes there refuses."""
    try:
        return read_mark(place.read(MARK_FILE), present.get(MARK_FILE))
    except ConfigError:
        return NO_MARK

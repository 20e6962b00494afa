"""Bring a host's files to its Postfix, on this machine or on another one, and see them in force."""

import posixpath
from collections.abc import Callable, Collection
from pathlib import Path

from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles
from postfix.deploy.host_program import has_open_journal, has_unread_files
from postfix.deploy.looking import look_at_certificates
from postfix.deploy.preview import Previewed, preview
from postfix.deploy.program_result import Evidence, sentences_of_evidence
from postfix.deploy.proof import is_of_another_run
from postfix.deploy.removal import sentences_of_removal
from postfix.deploy.session import Configuration, HostSession, UnreachableError
from postfix.deploy.sessions.local import LocalSession
from postfix.deploy.sessions.ssh import SshSession
from postfix.deploy.straight_probe import straight_answers
from postfix.deploy.transaction import deploy, foresee_removal, prefetch, remove
from postfix.host_resource.destination import Brought, Destination
from postfix.host_resource.drift import Edit, Left, edits_of_parameters, edits_of_services
from postfix.host_resource.left_files import edits_below, mark_left_in, refuse_another_stack, seen_of
from postfix.host_resource.preparation import PreparedHost, expectation_of, host_files, known_rows
from postfix.on_host import CertificateOnHost, Sighting
from postfix.proving import StraightEvidence
from postfix.ssh_access import SshAccess
from postfix.target import Target
from postseal_core.errors import DeployError, StateError
from postseal_core.files.bringing import (
    Bringer,
    foresee_directory,
)
from postseal_core.files.sentences import sentence_of_takeover

__all__ = ["on_another_machine", "on_this_machine"]


def on_this_machine(target: Target) -> Destination:
    """Return the Postfix of this machine that a target names."""
    return _RunningPostfix(LocalSession(Path(target.path)), target)


def on_another_machine(target: Target) -> Destination:
    """Return the Postfix of another machine; raise StateError where a target does not say how to reach it."""
    if target.ssh is None:
        raise StateError(f"how to reach {target.path} is not stored; use the plugin that wrote it", ())
    return _FarPostfix(target, target.ssh)


class _RunningPostfix:
    """The Postfix of a host, here or elsewhere."""

    def __init__(self, session: HostSession, target: Target) -> None:
        self._session, self._target = session, target

    def foresee(
        self, paths: Collection[str], deployed: Deployed, bringer: Bringer, prepared: PreparedHost | None
    ) -> str:
        desired = host_files(prepared, tuple(bringer.take_over)) if prepared else HostFiles()
        prefetch(self._session, desired, deployed, read=prepared.listing if prepared else ())
        refuse_another_stack(self._session, deployed, bringer)
        # Of an index there is no digest in the record: whatever it is now, it is the one that we made.
        indexes = self._session.present(deployed.indexes)
        foresee_directory(self._session, paths, {**deployed.files, **indexes}, bringer)
        if prepared is None:
            return ""
        try:
            previewed = preview(
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
            previewed = Previewed((f"what this would do on the host cannot be told in a preview: {error}",), "")
        for line in previewed.lines:
            bringer.report(line)
        return f"{self._target.place}: {previewed.ending or 'whether Postfix is reloaded cannot be told'}"

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
        return is_of_another_run(deployed, mark_left_in(self._session))

    def drift(self, left: Left, wanted: Left) -> list[Edit]:
        ours = {**left.deployed.files, **left.deployed.index_digests}
        # A run that changes rows will look at those that are there.
        self._session.prefetch(ours, read=left.rows_that_change(wanted))
        if has_open_journal(self._session):
            # A run of ours was cut off: what it has changed it finishes or undoes, and says so.
            return []
        edits = edits_below(self._session, left, ours, wanted.deployed.files)
        if left.main_cf or left.master_cf:
            shared = {path: left.deployed.files.get(path, "") for path in (MAIN_CF, MASTER_CF)}
            seen = seen_of(self._session, shared)
            edits += edits_of_parameters(left, seen, wanted.main_cf)
            edits += edits_of_services(left, seen, wanted.master_cf)
        return edits


class _FarPostfix(_RunningPostfix):
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

"""Look at the certificates that a host has already, before it is deployed to, and whenever it is looked at."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from postfix.deploy.host_files import Deployed
from postfix.deploy.session import AS_IT_IS, Configuration
from postfix.host_resource.destination import Destination
from postfix.host_resource.records import HostInputs, HostState
from postfix.on_host import Sighting, faults_at, sentences_of
from postfix.rendering import SERVED_BY
from postseal_core.errors import ConfigError, Problem
from postseal_core.plugin.handler import Context
from postseal_core.values import Unknown

__all__ = ["Inspection", "has_changed", "inspection_of", "next_look", "seen_again", "sighting_in"]

_PLACE: Final = "certificate"
_WORTH: Final = timedelta(days=7)
"""How long a look is worth something: half of the notice that the report gives before a certificate ends."""


@dataclass(slots=True)
class Inspection:
    """One look at the host's own certificates, in a run that deploys to it.

    What is wrong stops a host that is declared so for the first time. Later it is told and stored, and the host is
    deployed to: nothing that is wrong with a certificate of others may keep a client's row on the host.
    """

    inputs: HostInputs
    context: Context
    destination: Destination
    deployed: Deployed
    before: Sighting | None
    sighting: Sighting | None = None

    def look(self, configuration: Configuration) -> tuple[str, ...]:
        """Look once, by the main.cf that is there or will be; report what is there.

        Returns:
            The SHA-256 fingerprints of what the host has to serve; none where something is wrong with it already, or
            where nobody can tell.

        Raises:
            ConfigError: what is declared cannot be served, and was not declared before.
        """
        declared = self.inputs.on_host
        if declared is None:
            return ()
        found = self.destination.look(declared, self.deployed, configuration)
        self.sighting = _stamped(found, self.context.now)
        faults = list(faults_at(found, self.context.now))
        if faults and (self.before is None or self.before.declared != declared):
            raise ConfigError([Problem(_PLACE, f"{fault}; nothing was changed") for fault in faults])
        for line in (*faults, *sentences_of(found)):
            self.context.report(line)
        return () if faults else tuple(each.fingerprint_sha256 for each in found.certificates)

    def foresee(self) -> None:
        """Look in a preview; what main.cf will say again, once ours is gone from it, only `up` can tell."""
        declared = self.inputs.on_host
        if declared and declared.keeps_parameters and {*SERVED_BY} & {*self.deployed.parameters}:
            self.context.report("the host's own certificate is looked at by `up`, when main.cf has its values again")
            return
        self.look(AS_IT_IS)


def inspection_of(
    inputs: HostInputs, old: HostState | None, there: Destination, deployed: Deployed, context: Context
) -> Inspection:
    """Return the look at a host that is deployed to; nothing is looked at where it serves certificates of ours."""
    before = sighting_in(old) if old else None
    return Inspection(inputs, context, there, deployed, before)


def next_look(inputs: HostInputs, old: HostInputs | None, now: datetime) -> datetime | None:
    """Return when to look again at the latest; None where nothing looks.

    A renewal is noticed whenever it is done. That none was done is only known from a look that is younger.
    """
    if inputs.on_host is None or not inputs.target.kind.is_host:
        return None
    planned = old.look_again_at if old and old.on_host == inputs.on_host else None
    return planned if planned and now < planned <= now + _WORTH else now + _WORTH


def sighting_in(state: HostState) -> Sighting | None:
    """Return what the last run saw; None where it did not look."""
    return None if isinstance(state.on_host, Unknown) else state.on_host


def has_changed(inputs: HostInputs, state: HostState, there: Destination, deployed: Deployed) -> bool:
    """Return whether the host's own certificates are others than in the state; not where nobody can tell."""
    before = sighting_in(state)
    now = _look_again(inputs, state, there, deployed)
    return bool(before and now) and not (before and now and before.is_like(now))


def seen_again(
    inputs: HostInputs, state: HostState, there: Destination, deployed: Deployed, now: datetime
) -> HostState:
    """Return the state with what is on the host now; as it is where nobody can tell."""
    found = _look_again(inputs, state, there, deployed)
    return replace(state, on_host=_stamped(found, now)) if found else state


def _look_again(inputs: HostInputs, state: HostState, there: Destination, deployed: Deployed) -> Sighting | None:
    if inputs.on_host is None or sighting_in(state) is None:
        return None
    found = there.look(inputs.on_host, deployed, AS_IT_IS)
    return None if found.cannot_tell else found


def _stamped(sighting: Sighting, now: datetime) -> Sighting:
    return sighting if sighting.cannot_tell else replace(sighting, seen_at=now)

"""Remembers which files and parameters each host declares at a place, so that a leaving host spares them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles
from postfix.host_resource.preparation import PreparedHost, host_files
from postfix.target import Target
from postseal_core.errors import Problem
from postseal_core.plugin.claims import claim, place_of, unclaimed
from postseal_core.plugin.handler import Context

__all__ = ["is_same_place", "leftovers", "occupy", "problems_of_place"]

_SERVICES = f"{MASTER_CF}: services"


@dataclass(frozen=True, slots=True)
class _Occupant:
    """The host that has a place in this run."""

    urn: str
    name: str


def is_same_place(one: Target, other: Target) -> bool:
    """Return whether two targets are one, however their paths are written."""
    return one.kind is other.kind and place_of(one.path) == place_of(other.path)


def problems_of_place(name: str, target: Target, context: Context) -> list[Problem]:
    """Return why a host cannot have its target: another host of this run has it."""
    occupant = context.memory.keep_first(_Occupant, place_of(target.path), _Occupant(context.urn, name))
    if occupant.urn == context.urn:
        return []
    message = f"host {occupant.name} has {target.path} already; give each host a place of its own"
    return [Problem("target.path", message)]


def occupy(context: Context, target: Target, prepared: PreparedHost) -> None:
    """Remember for this run every file, parameter and service of a host."""
    files = host_files(prepared)
    place, jail = _places(target)
    claim(context, place, [*(entry.path for entry in files.entries), *files.index_paths, *_parts(files)])
    claim(context, jail, [entry.path for entry in files.chroot])


def leftovers(context: Context, target: Target, deployed: Deployed) -> Deployed:
    """Return the parts of `deployed` that a leaving host may remove: those no other host declares there."""
    place, jail = _places(target)
    named = {_parameter(name): name for name in deployed.parameters}
    is_shared = bool(unclaimed(context, place, {_parameter("*"): ""}))
    parameters = tuple(unclaimed(context, place, named).values()) if is_shared else ()
    return replace(
        deployed,
        files=unclaimed(context, place, deployed.files),
        chroot=unclaimed(context, jail, deployed.chroot),
        indexes=tuple(unclaimed(context, place, dict.fromkeys(deployed.indexes, ""))),
        parameters=parameters,
        originals={name: value for name, value in deployed.originals.items() if name in parameters},
        has_services=deployed.has_services and bool(unclaimed(context, place, {_SERVICES: ""})),
    )


def _parts(files: HostFiles) -> Iterator[str]:
    """Yield the claimed parts of main.cf and master.cf; `*` for a main.cf that is ours as a whole."""
    yield from (MAIN_CF, MASTER_CF)
    yield from map(_parameter, files.parameters)
    if files.has(MAIN_CF):
        yield _parameter("*")
    if files.services or files.has(MASTER_CF):
        yield _SERVICES


def _parameter(name: str) -> str:
    return f"{MAIN_CF}: {name}"


def _places(target: Target) -> tuple[str, str]:
    """Return the place names of the configuration directory and of the directory for chroot copies."""
    return place_of(target.path), place_of(target.jail)

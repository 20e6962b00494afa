"""Remembers which files and parameters each host declares at a place, so that a leaving host spares them."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace

from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles
from postfix.host_resource.preparation import PreparedHost, host_files
from postfix.target import Target, is_same_host
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
    is_same_path = _plain(one, one.path) == _plain(other, other.path)
    return one.kind is other.kind and is_same_host(one, other) and is_same_path


def problems_of_place(name: str, target: Target, context: Context) -> list[Problem]:
    """Return why a host cannot have its target: another host of this run has it."""
    for place in _names(target, target.path):
        occupant = context.memory.keep_first(_Occupant, place, _Occupant(context.urn, name))
        if occupant.urn != context.urn:
            message = f"host {occupant.name} has {target.place} already; give each host a place of its own"
            return [Problem("target.path", message)]
    return []


def occupy(context: Context, target: Target, prepared: PreparedHost) -> None:
    """Remember for this run every file, parameter and service of a host."""
    files = host_files(prepared)
    for place in _names(target, target.path):
        claim(context, place, [*(entry.path for entry in files.entries), *files.index_paths, *_parts(files)])
    for jail in _names(target, target.jail):
        claim(context, jail, [entry.path for entry in files.chroot])


def leftovers(context: Context, target: Target, deployed: Deployed) -> Deployed:
    """Return the parts of `deployed` that a leaving host may remove: those no other host declares there."""
    for place, jail in zip(_names(target, target.path), _names(target, target.jail), strict=True):
        deployed = _unclaimed_at(context, place, jail, deployed)
    return deployed


def _unclaimed_at(context: Context, place: str, jail: str, deployed: Deployed) -> Deployed:
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


def _names(target: Target, path: str) -> list[str]:
    """Return the names of a directory of a target; one on another machine has a name by each host key as well.

    Whoever has the key of a host is that host, whatever it is called.
    """
    if target.ssh is None:
        return [_plain(target, path)]
    hosts = (f"{target.ssh.host.lower()}:{target.ssh.port}", *target.ssh.host_keys)
    return [f"ssh {host}:{_plain(target, path)}" for host in hosts]


def _plain(target: Target, path: str) -> str:
    """Return a path in one way of writing; links on another machine nobody here can follow."""
    return posixpath.normpath(path) if target.ssh else place_of(path)

"""Check where files go: places of their own, none within another one, and what they replace there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from postfix.content import files_of_declaration
from postfix.deploy.host_files import INDEX_SUFFIXES
from postfix.rendering import table_names
from postfix.target import Target, is_same_host
from postseal.stack.model import Host, StackConfig
from postseal.stack.reading import DeclaredStack
from postseal.stack.resolve_hosts import default_directory
from postseal_core.errors import Problem
from postseal_core.files.place_names import (
    complaint_of_place_name,
    is_within,
    plain_place,
    problems_of_named_files,
    problems_of_take_over,
)

__all__ = ["problems_of_places"]

_HANDED_OUT: Final = ("ca", "clients", "crl", "requests", "rosters", "servers")
"""What a hand-out writes into its directory, see pki/components/handed_folders.py."""


def problems_of_places(stack: DeclaredStack, config: StackConfig, project: str) -> Iterator[Problem]:
    """Find directories that are none for files, that lie in each other, and files that cannot be taken over.

    `project`: the absolute path of the project, empty where nobody knows it.
    """
    out = plain_place(config.out, project)
    complaint = complaint_of_place_name(config.out, project)
    if complaint:
        yield Problem("out.directory", complaint)
    of_out = list(problems_of_named_files("out.take_over", config.out_take_over))
    yield from of_out or _problems_of_handed_out(config)
    for name, roster in stack.rosters.items():
        replaced = config.rosters[name].replaced_files
        of_roster = list(problems_of_named_files("hand_out.take_over", replaced))
        folders = [f"{client}/" for client in config.rosters[name].handed_out]
        if folders and not of_roster:
            of_roster = problems_of_take_over("hand_out.take_over", replaced, folders)
        yield from (problem.below(roster.path) for problem in of_roster)
    seen: dict[str, _Place] = {}
    for name, host in config.hosts.items():
        record = host.target.record
        place = _Place(plain_place(record.path, project), plain_place(record.jail, project), record)
        fault = complaint_of_place_name(host.target.path, project)
        of_host = list(problems_of_named_files("target.take_over", host.target.take_over))
        if not of_host and not stack.hosts[name].unread:
            files = _files_of_host(host)
            of_host += problems_of_take_over("target.take_over", host.target.take_over, files)
        if fault and host.target.path != default_directory(config.out, name):
            of_host.append(Problem(f"target.{host.target.record.kind}", fault))
        elif not fault and (neighbour := _fault_of_neighbours(place, "" if record.ssh else out, seen)):
            of_host.append(Problem("target", neighbour))
        yield from (problem.below(stack.hosts[name].path) for problem in of_host)
        seen[name] = place


def _files_of_host(host: Host) -> tuple[str, ...]:
    """Return what a host's target may get; on this machine with the index that postmap makes of each table."""
    files = files_of_declaration(host.declaration)
    copies = (f"{host.target.record.config_directory.strip('/')}/{each}" for each in files if each.endswith("/"))
    indexes = (f"{each}{suffix}" for each in table_names(host.declaration) for suffix in INDEX_SUFFIXES)
    return (*files, *copies, *(indexes if host.target.record.kind.is_host else ()))


def _problems_of_handed_out(config: StackConfig) -> Iterator[Problem]:
    """Report files to take over in folders that no hand-out writes; which files a folder has, the preview tells."""
    folders = [f"{each}/" for each in ("ca", "crl", "requests")]
    folders += [f"clients/{name}/" for name in config.clients]
    folders += [f"servers/{name}/" for name, server in config.servers.items() if server.is_handed_out]
    yield from problems_of_take_over("out.take_over", config.out_take_over, folders)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a host's files go, and where their copies for its chroot do."""

    path: str
    jail: str
    target: Target


def _fault_of_neighbours(place: _Place, out: str, others: Mapping[str, _Place]) -> str | None:
    for name, other in others.items():
        if not is_same_host(place.target, other.target):
            continue
        if place.path == other.path:
            return f"host {name} has the same directory; give each host its own"
        is_inside = is_within(place.path, other.path) or is_within(place.path, other.jail)
        if is_inside or is_within(other.path, place.path) or is_within(other.path, place.jail):
            return f"lies in a directory of host {name}, or around it; choose one beside it"
    if not out:
        return None
    if is_within(out, place.path):
        return f"holds {out}, where files are handed out; choose a directory in or beside it"
    handed_out = next((each for each in _HANDED_OUT if is_within(place.path, f"{out}/{each}")), None)
    return f"{out}/{handed_out} is where files are handed out; choose a directory beside it" if handed_out else None

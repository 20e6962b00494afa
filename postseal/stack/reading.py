"""Read the sections of a stack file entry by entry, so that one mistake hides no other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from postseal.stack.authority_config import AuthoritySection
from postseal.stack.field_types import NAME_RULE, PathText, Section, is_name
from postseal.stack.files import FileText
from postseal.stack.host_config import HostSection
from postseal.stack.leaf_config import ClientSection, ServerSection
from postseal.stack.lifetime_config import StackLifetimeSection
from postseal.stack.problems import join_path, problems_of_validation
from postseal.stack.roster_config import RosterSection
from postseal.stack.roster_entries import RosterClients, read_clients
from postseal_core.errors import Problem

__all__ = ["SECTION_NAMES", "DeclaredStack", "Entry", "Found", "read_stack"]

SECTION_NAMES = ("authority", "authorities", "servers", "clients", "rosters", "hosts", "lifetime", "out")

_S = TypeVar("_S", bound=Section)


@dataclass(frozen=True, slots=True)
class Entry(Generic[_S]):
    """One named entry of a section, the path where it stands, and its fields that could not be read."""

    name: str
    path: str
    section: _S
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DeclaredStack:
    """The sections as they are declared, without the values that could not be read, and the files they refer to.

    `roster_clients`: the clients of each roster, wherever they stand.
    """

    authorities: Mapping[str, Entry[AuthoritySection]]
    servers: Mapping[str, Entry[ServerSection]]
    clients: Mapping[str, Entry[ClientSection]]
    rosters: Mapping[str, Entry[RosterSection]]
    roster_clients: Mapping[str, RosterClients]
    hosts: Mapping[str, Entry[HostSection]]
    lifetime: StackLifetimeSection
    out: str
    files: Mapping[str, FileText]


@dataclass(slots=True)
class Found:
    """Problems met while reading, and the paths of values that could not be read: what follows from them is no news."""

    problems: list[Problem] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)

    def add_unread(self, path: str, message: str) -> None:
        """Note a value that is left out."""
        self.problems.append(Problem(path, message))
        self.unread.add(path)


class _OutSection(Section):
    out: PathText


def read_stack(
    sections: Mapping[str, Any], files: Mapping[str, FileText], stack_name: str, found: Found
) -> DeclaredStack:
    """Return what could be read of `sections` (keys: `SECTION_NAMES`); the rest is in `found`."""
    rosters = _read_named(sections.get("rosters"), "rosters", RosterSection, found)
    return DeclaredStack(
        authorities=_read_authorities(sections, found),
        servers=_read_named(sections.get("servers"), "servers", ServerSection, found),
        clients=_read_named(sections.get("clients"), "clients", ClientSection, found),
        rosters=rosters,
        roster_clients={name: _read_clients(entry, files, found) for name, entry in rosters.items()},
        hosts=_read_named(sections.get("hosts"), "hosts", HostSection, found),
        lifetime=_read_section(sections.get("lifetime"), "lifetime", StackLifetimeSection, found),
        out=_read_out(sections, stack_name, found),
        files=files,
    )


def _read_authorities(sections: Mapping[str, Any], found: Found) -> dict[str, Entry[AuthoritySection]]:
    several = _read_named(sections.get("authorities"), "authorities", AuthoritySection, found)
    if "authority" not in sections:
        return several
    if "authorities" in sections:
        found.problems.append(Problem("authority", "declared beside authorities; move it there under a name"))
    return {
        "authority": _read_entry("authority", "authority", sections["authority"], AuthoritySection, found),
        **several,
    }


def _read_named(value: Any, path: str, section: type[_S], found: Found) -> dict[str, Entry[_S]]:
    if value is not None and not isinstance(value, Mapping):
        found.add_unread(path, "expected a mapping of names, as {alice: {...}}")
        return {}
    entries = {}
    for name, entry in (value or {}).items():
        entry_path = join_path((path, name))
        if not is_name(name):
            found.problems.append(Problem(entry_path, f"this name cannot be used; expected {NAME_RULE}"))
        entries[name] = _read_entry(name, entry_path, entry, section, found)
    return entries


def _read_entry(name: str, path: str, value: Any, section: type[_S], found: Found) -> Entry[_S]:
    read = _read_section(value, path, section, found)
    return Entry(
        name, path, read, frozenset(field for field in section.model_fields if f"{path}.{field}" in found.unread)
    )


def _read_section(value: Any, path: str, section: type[_S], found: Found) -> _S:
    """Return the section without the fields that are wrong: all fields of a section have defaults."""
    try:
        return section.model_validate({} if value is None else value)
    except ValidationError as error:
        found.problems += problems_of_validation(error, section, path)
        wrong = {
            details["loc"][0] for details in error.errors(include_url=False, include_input=False) if details["loc"]
        }
        found.unread |= {join_path((path, step)) for step in wrong} or {path}
        rest = {key: item for key, item in value.items() if key not in wrong} if wrong else {}
        return section.model_validate(rest)


def _read_clients(entry: Entry[RosterSection], files: Mapping[str, FileText], found: Found) -> RosterClients:
    clients = RosterClients(entry.path)
    if not entry.unread & {"clients", "file"}:
        clients = read_clients(entry.path, entry.section, files)
        found.problems += clients.problems
    return clients


def _read_out(sections: Mapping[str, Any], stack_name: str, found: Found) -> str:
    default = f"out/{stack_name}"
    try:
        return _OutSection.model_validate({"out": sections.get("out", default)}).out
    except ValidationError as error:
        found.problems += [
            Problem("out", problem.message) for problem in problems_of_validation(error, _OutSection, "")
        ]
        return default

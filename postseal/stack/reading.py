"""Read the sections of a stack file name by name, so that one mistake hides no other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Generic, TypeVar

from pydantic import BeforeValidator

from postseal.stack.host_sections import HostSection
from postseal.stack.roster_rows import RosterRows, read_rows
from postseal.stack.screening import FileText
from postseal.stack.sections import (
    AuthorityKeys,
    AuthoritySection,
    ClientKeys,
    ClientSection,
    RosterKeys,
    RosterSection,
    ServerKeys,
    ServerSection,
    StackLifetimeSection,
)
from postseal.stack.words import Flag, PathText, fault_of_name
from postseal_core.errors import Problem
from postseal_core.reading import Raw, Section, join_path, read_section
from postseal_core.wording import shown

__all__ = ["SECTION_NAMES", "Declared", "DeclaredStack", "Found", "read_stack"]

SECTION_NAMES: Final = ("authority", "authorities", "servers", "clients", "rosters", "hosts", "lifetime", "out")

S = TypeVar("S", bound=Section)
S_co = TypeVar("S_co", bound=Section, covariant=True)


@dataclass(frozen=True, slots=True)
class Declared(Generic[S_co]):
    """A named section, the path where it stands, and its keys that could not be read."""

    name: str
    path: str
    section: S_co
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DeclaredStack:
    """The sections as they are declared, without the values that could not be read, and the files they refer to.

    `roster_rows`: the clients of each roster, wherever they stand. `third_party_clients`: what somebody else signed, of
    the section `clients`; `clients` are all others.
    """

    authorities: Mapping[str, Declared[AuthorityKeys]]
    servers: Mapping[str, Declared[ServerKeys]]
    clients: Mapping[str, Declared[ClientKeys]]
    rosters: Mapping[str, Declared[RosterKeys]]
    roster_rows: Mapping[str, RosterRows]
    hosts: Mapping[str, Declared[HostSection]]
    lifetime: Section
    out: str
    out_take_over: tuple[str, ...]
    has_mail_texts: bool
    files: Mapping[str, FileText]
    third_party_clients: Mapping[str, Declared[ClientKeys]] = field(default_factory=dict)


@dataclass(slots=True)
class Found:
    """Problems found while reading, and the paths of unreadable values; checks skip what depends on those."""

    problems: list[Problem] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)

    def add_unread(self, path: str, message: str) -> None:
        """Add the path of an unreadable value."""
        self.problems.append(Problem(path, message))
        self.unread.add(path)


class OutSection(Section):
    """Where hand-outs go; `take_over`: files there that are not ours and that ours replace.

    `mail_texts`: a text for its holder beside each archive.
    """

    directory: PathText | None = None
    take_over: tuple[PathText, ...] = ()
    mail_texts: Flag = True


def _expanded_out(value: object) -> object:
    """Expand the short form, a single text, to the section."""
    if isinstance(value, str):
        return {"directory": value}
    if not isinstance(value, Mapping):
        raise ValueError(  # noqa: TRY004  # pydantic collects ValueError only
            f"got {shown(value)}, expected text, as out/dev, or {{directory: out/dev, take_over: [files]}}"
        )
    return value


class _OutSection(Section):
    """Reads the `out` section, which may also be a single text."""

    out: Annotated[OutSection, BeforeValidator(_expanded_out)] = OutSection()


def read_stack(sections: Raw, files: Mapping[str, FileText], stack_name: str, found: Found) -> DeclaredStack:
    """Read `sections` (keys: `SECTION_NAMES`); problems and unreadable paths are added to `found`."""
    rosters = _read_named(sections.get("rosters"), "rosters", RosterSection, found)
    out = _read_out(sections, found)
    clients = _read_named(sections.get("clients"), "clients", ClientSection, found)
    third_party = {name: each for name, each in clients.items() if each.section.third_party}
    return DeclaredStack(
        authorities=_read_authorities(sections, found),
        servers=_read_named(sections.get("servers"), "servers", ServerSection, found),
        clients={name: each for name, each in clients.items() if name not in third_party},
        rosters=rosters,
        roster_rows={name: _read_rows(each, files, found) for name, each in rosters.items()},
        hosts=_read_named(sections.get("hosts"), "hosts", HostSection, found),
        lifetime=_read("lifetime", "lifetime", sections.get("lifetime"), StackLifetimeSection, found).section,
        out=out.directory or f"out/{stack_name}",
        out_take_over=out.take_over,
        has_mail_texts=out.mail_texts,
        files=files,
        third_party_clients=third_party,
    )


def _read_authorities(sections: Raw, found: Found) -> dict[str, Declared[AuthorityKeys]]:
    several = _read_named(sections.get("authorities"), "authorities", AuthoritySection, found)
    if "authority" not in sections:
        return several
    if "authorities" in sections:
        found.problems.append(Problem("authority", "declared beside authorities; move it there under a name"))
    return {"authority": _read("authority", "authority", sections["authority"], AuthoritySection, found), **several}


def _read_named(value: object, path: str, section: type[S], found: Found) -> dict[str, Declared[S]]:
    if value is not None and not isinstance(value, Mapping):
        found.add_unread(path, "expected a mapping of names, as {alice: {...}}")
        return {}
    declared = {}
    for name, each in (value or {}).items():
        place = join_path((path, name))
        if fault := fault_of_name(name):
            found.problems.append(Problem(place, fault))
        declared[name] = _read(name, place, each, section, found)
    return declared


def _read(name: str, path: str, value: object, section: type[S], found: Found) -> Declared[S]:
    reading = read_section(value, section, path)
    found.problems += reading.problems
    found.unread |= reading.unread
    unread = frozenset(key for key in section.model_fields if f"{path}.{key}" in reading.unread)
    return Declared(name, path, reading.section, unread)


def _read_rows(declared: Declared[RosterKeys], files: Mapping[str, FileText], found: Found) -> RosterRows:
    rows = RosterRows(declared.path)
    if not declared.unread & {"clients", "file"}:
        rows = read_rows(declared.path, declared.section.file, declared.section.clients, files)
        found.problems += rows.problems
    return rows


def _read_out(sections: Raw, found: Found) -> OutSection:
    """Return where hand-outs go; a wrong directory is told and makes no other path wrong."""
    reading = read_section({name: each for name, each in sections.items() if name == "out"}, _OutSection)
    found.problems += reading.problems
    return reading.section.out

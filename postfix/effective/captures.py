"""A host's configuration as five calls of postconf(1) tell it: all read-only, and none of them enough alone."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from postfix.list_items import split_list

__all__ = ["CALLS", "Captures", "HostConfiguration", "MasterService", "Said", "configuration_of"]

CALLS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "all_parameters": (),
        "written_parameters": ("-n",),
        "service_fields": ("-F",),
        "service_options": ("-P",),
        "map_types": ("-m",),
    }
)
"""The options of each call, by the field of `Captures` that holds what it said."""

_WITH_VALUE: Final = frozenset({"-o", "-n", "-t", "-i", "-c"})


@dataclass(frozen=True, slots=True)
class Said:
    """What one command said; postconf(1) exits with 0 on unknown names, bad values and a missing master.cf."""

    returncode: int = 0
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captures:
    """What the calls of `CALLS` said about one configuration directory.

    `directory`: the one that was asked, perhaps a staged copy. `root`: the one that it stands for, which is what
    `$config_directory` means in both.
    """

    directory: str
    root: str
    all_parameters: Said = Said()
    written_parameters: Said = Said()
    service_fields: Said = Said()
    service_options: Said = Said()
    map_types: Said = Said()


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterService:
    """One service of master.cf(5); `options`: parameters that hold for it alone, unexpanded.

    `is_chrooted`, `is_privileged`: whether it is locked into the queue directory, and whether it keeps root's rights.
    `is_readable`: false where postconf(1) is known to print its options garbled, so that nobody can tell what they are.
    """

    name: str
    type: str
    command: str
    options: Mapping[str, str] = field(default_factory=dict)
    is_chrooted: bool = True
    is_privileged: bool = False
    is_readable: bool = True

    @property
    def key(self) -> str:
        """Name and type, by which Postfix tells services apart."""
        return f"{self.name}/{self.type}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfiguration:
    """What a host's main.cf and master.cf say, references unexpanded.

    `parameters`: every parameter, defaults included. `written`: those that somebody wrote into main.cf.
    `cannot_tell`: why nothing can be known of it; empty where it can.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    services: tuple[MasterService, ...] = ()
    map_types: frozenset[str] = frozenset()
    cannot_tell: str = ""

    def service(self, name: str, kind: str = "unix") -> MasterService | None:
        """Return a service by name and type, None where there is none."""
        return next((each for each in self.services if (each.name, each.type) == (name, kind)), None)


def configuration_of(captures: Captures) -> HostConfiguration:
    """Return what captures tell; where a call failed, that nobody can tell, and why."""
    if fault := _fault_of(captures):
        return HostConfiguration(cannot_tell=fault)
    written = dict(_pairs(captures.written_parameters.stdout))
    return HostConfiguration(
        parameters={**dict(_pairs(captures.all_parameters.stdout)), **written, "config_directory": captures.root},
        written=MappingProxyType({name: value for name, value in written.items() if name != "config_directory"}),
        services=tuple(_services(captures)),
        map_types=frozenset(captures.map_types.stdout.split()),
    )


def _fault_of(captures: Captures) -> str:
    for name, options in CALLS.items():
        said: Said = getattr(captures, name)
        call = " ".join(["postconf", *options])
        if said.returncode:
            lines = _said_about(captures, said.stderr) or [f"exit status {said.returncode}"]
            return f"{call}: {'; '.join(lines)}"
    if not captures.service_fields.stdout.strip():
        lines = _said_about(captures, captures.service_fields.stderr)
        return f"master.cf has no service{': ' if lines else ''}{'; '.join(lines)}"
    if not captures.all_parameters.stdout.strip():
        return "postconf names no parameter"
    return ""


def _said_about(captures: Captures, stderr: str) -> list[str]:
    lines = stderr.replace(captures.directory, captures.root).splitlines()
    return [*dict.fromkeys(line.strip() for line in lines if line.strip())]


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if separator:
            yield name.strip(), value.strip()


def _services(captures: Captures) -> Iterator[MasterService]:
    fields: dict[str, dict[str, str]] = {}
    repeated: Counter[str] = Counter()
    for path, value in _pairs(captures.service_fields.stdout):
        key, _, name = path.rpartition("/")
        if name == "service":
            repeated[key] += 1
        fields.setdefault(key, {})[name] = value
    options = _options_by_service(captures.service_options.stdout)
    for key, each in fields.items():
        command, *arguments = _words_of(each.get("command", "")) or [""]
        yield MasterService(
            name=key.rpartition("/")[0],
            type=each.get("type", ""),
            command=command,
            options=options.get(key, {}),
            is_chrooted=each.get("chroot", "-") == "y",
            is_privileged=each.get("unprivileged", "-") == "n",
            is_readable=repeated[key] == 1 and _are_readable(arguments),
        )


def _options_by_service(text: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for path, value in _pairs(text):
        key, _, name = path.rpartition("/")
        found.setdefault(key, {})[name] = value
    return found


def _words_of(command: str) -> list[str]:
    """Split the command of a service at blanks, but not inside braces."""
    return [word.replace("\0", ",") for word in split_list(command.replace(",", "\0"))]


def _are_readable(arguments: list[str]) -> bool:
    """Return whether each option of a command is one that postconf(1) prints as smtpd(8) reads it."""
    words = iter(arguments)
    for word in words:
        if word == "-o" and not _is_assignment(next(words, "")):
            return False
        if word != "-o" and word in _WITH_VALUE:
            next(words, "")
        elif word != "-o" and not word.startswith("-"):
            return False
    return True


def _is_assignment(text: str) -> bool:
    inner = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    name, separator, _ = inner.strip().partition("=")
    return bool(separator) and bool(name.strip()) and not name.startswith(("-", "{"))

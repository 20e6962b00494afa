"""Find the lines of main.cf and master.cf that say something; what is no line of theirs is skipped."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from postfix.audit.findings import Place
from postfix.lines import BLANKS, is_remark, logical_lines

__all__ = ["Definition", "Lines", "OwnService"]

_MAIN, _MASTER = "main.cf", "master.cf"
_FIELDS: Final = 8
_OPTION: Final = re.compile(r"(?:^|[\s{])(?:-o\s*)?\{?\s*([A-Za-z0-9_.-]+)\s*=")


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of main.cf: number of its first line, name, and value with continued lines joined."""

    line: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class OwnService:
    """One service of master.cf: number of its first line, its seven fields before the command, and the command."""

    line: int
    fields: tuple[str, ...]
    command: str
    option_lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Name and type, as `smtp/inet`."""
        return f"{self.fields[0]}/{self.fields[1]}"


@dataclass(frozen=True)
class Lines:
    """Both files below `root`."""

    root: str
    main_cf: str
    master_cf: str

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """All definitions of main.cf in their order."""
        return tuple(_definitions(self.main_cf))

    @cached_property
    def services(self) -> tuple[OwnService, ...]:
        """All services of master.cf in their order."""
        return tuple(_services(self.master_cf))

    @cached_property
    def _last(self) -> Mapping[str, Definition]:
        return {each.name: each for each in self.definitions}

    @cached_property
    def _by_key(self) -> Mapping[str, OwnService]:
        return {each.key: each for each in self.services}

    def main(self, parameter: str) -> Place:
        """Return where a parameter of main.cf has its value; without a line where it has its default."""
        found = self._last.get(parameter)
        return Place(f"{self.root}/{_MAIN}", found.line if found else 0, "", parameter)

    def service(self, key: str, parameter: str = "") -> Place:
        """Return where a service stands, or the option of it that says a parameter."""
        found = self._by_key.get(key)
        line = found.option_lines.get(parameter, found.line) if found else 0
        return Place(f"{self.root}/{_MASTER}", line, key, parameter)


def _definitions(text: str) -> Iterator[Definition]:
    for group in logical_lines(text.split("\n"))[1:]:
        number, first = group[0]
        name, sign, value = first.partition("=")
        if sign and name.strip(BLANKS):
            rest = [line for _, line in group[1:] if not is_remark(line)]
            parts = (part.strip(BLANKS) for part in (value, *rest))
            yield Definition(number, name.strip(BLANKS), " ".join(filter(None, parts)))


def _services(text: str) -> Iterator[OwnService]:
    for group in logical_lines(text.split("\n"))[1:]:
        lines = [(number, line.strip(BLANKS)) for number, line in group if not is_remark(line)]
        words = " ".join(line for _, line in lines).split(None, _FIELDS - 1)
        if len(words) == _FIELDS:
            options = {name: number for number, line in lines for name in _OPTION.findall(line)}
            yield OwnService(group[0][0], tuple(words[: _FIELDS - 1]), words[-1], options)

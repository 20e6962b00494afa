"""Read the rows of a roster, from the stack file itself or from a file, and say where each of them stands."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import yaml

from pki.roster.reading import parse_csv, parse_yaml, rows_of_mapping
from pki.roster.rows import RosterRow
from postseal.stack.screening import NO_FILE, FileText
from postseal_core.errors import ConfigError, Problem
from postseal_core.reading import Raw

__all__ = ["RosterRows", "read_rows"]

_MAX_TOLD: Final = 20


@dataclass(frozen=True, slots=True)
class _Format:
    """How a roster file is read: its rows, and the line of each name."""

    parse: Callable[[str], tuple[RosterRow, ...]]
    lines: Callable[[str], dict[str, int]]


@dataclass(frozen=True, slots=True)
class RosterRows:
    """The rows of the roster at `path`, and what was wrong with reading them; `file` is None for those at `path`."""

    path: str
    rows: tuple[RosterRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    file: str | None = None
    text: str = field(default="", repr=False)

    def placed(self, found: Sequence[tuple[str, Problem]]) -> list[Problem]:
        """Return problems of clients, given with their names, at the place where a reader finds the client.

        Of one file so many are told that a reader can see where they come from; the rest are counted.
        """
        if not self.file:
            return [problem.below(f"{self.path}.clients.{name}") for name, problem in found]
        lines = _FORMATS[_suffix(self.file)].lines(self.text) if found else {}
        placed = sorted((lines[name], problem) for name, problem in found)
        return _in_file(self.path, self.file, [(f"line {line}", problem) for line, problem in placed])


def read_rows(path: str, file: str | None, clients: Raw | None, files: Mapping[str, FileText]) -> RosterRows:
    """Return the rows of the roster at `path`, which stand in a file or in `clients`.

    `files` has the texts of the files that are there.
    """
    if file and clients is not None:
        problem = Problem(f"{path}.file", "declared beside clients; keep the clients in one of the two places")
        return RosterRows(path, problems=(problem,))
    if file:
        return _read_file(path, file, files.get(file, NO_FILE))
    if clients is None:
        return RosterRows(path, problems=(Problem(f"{path}.clients", "missing; give clients, or a file of them"),))
    try:
        return RosterRows(path, rows_of_mapping(clients, f"{path}.clients"))
    except ConfigError as error:
        return RosterRows(path, problems=error.problems)


def _read_file(path: str, file: str, content: FileText) -> RosterRows:
    form = _FORMATS.get(_suffix(file))
    fault = content.fault or _fault_of_text(content.text, is_table=_suffix(file) == "csv")
    if form is None:
        fault = "is no roster file; its name must end in .csv, .yaml or .yml"
    if form is None or fault:
        return RosterRows(path, problems=(Problem(f"{path}.file", f"{file} {fault}"),))
    try:
        return RosterRows(path, form.parse(content.text), file=file, text=content.text)
    except ConfigError as error:
        found = [_split_place(problem) for problem in error.problems]
        return RosterRows(path, problems=tuple(_in_file(path, file, found)))


def _fault_of_text(text: str, *, is_table: bool) -> str:
    header = text.partition("\n")[0]
    if "-----BEGIN" in text:
        return "holds PEM text; a roster names clients, their certificates are made from it"
    if is_table and ";" in header and "," not in header:
        return "has semicolons between its cells, as some spreadsheets write them; save it with commas"
    return ""


def _suffix(file: str) -> str:
    return file.rpartition(".")[2].lower()


def _split_place(problem: Problem) -> tuple[str, Problem]:
    """Take the line out of a problem's path: `line 7.email`."""
    place, _, field_name = problem.path.partition(".")
    return place, Problem(field_name, problem.message)


def _in_file(path: str, file: str, found: Sequence[tuple[str, Problem]]) -> list[Problem]:
    told = [
        Problem(f"{path}.file", f"{file} {place}{f', {problem.path}' if problem.path else ''}: {problem.message}")
        for place, problem in found[:_MAX_TOLD]
    ]
    more = len(found) - len(told)
    return told + ([Problem(f"{path}.file", f"{file} has {more} more problems")] if more else [])


def _lines_of_csv(text: str) -> dict[str, int]:
    reader = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True))
    column = [cell.strip() for cell in next(reader)].index("name")
    return {cells[column].strip(): reader.line_num for cells in reader if len(cells) > column}


def _lines_of_yaml(text: str) -> dict[str, int]:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return {str(node.value): node.start_mark.line + 1 for node in _name_nodes(root)} if root else {}


def _name_nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(root, yaml.MappingNode):
        yield from (key for key, _ in root.value)
    else:
        yield from (value for item in root.value for key, value in item.value if key.value == "name")


_YAML: Final = _Format(parse_yaml, _lines_of_yaml)
_FORMATS: Final[Mapping[str, _Format]] = {"csv": _Format(parse_csv, _lines_of_csv), "yaml": _YAML, "yml": _YAML}

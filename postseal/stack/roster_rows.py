"""Read the rows of a roster from the stack file or from a file of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pki.roster.entries import PlacedProblem, line_in_words
from pki.roster.reading import ReadRows, read_csv, read_yaml, rows_of_mapping
from pki.roster.rows import RosterRow
from postseal.stack.screening import NO_FILE, FileText
from postseal_core.errors import ConfigError, Problem
from postseal_core.reading import Raw

__all__ = ["RosterRows", "read_rows"]

_MAX_TOLD: Final = 20
_READERS: Final[Mapping[str, Callable[[str], ReadRows]]] = {"csv": read_csv, "yaml": read_yaml, "yml": read_yaml}


@dataclass(frozen=True, slots=True)
class RosterRows:
    """The rows of the roster at `path`, and what was wrong with reading them.

    `file`: None for those that stand at `path` itself. `lines`: the line of each client in the file.
    """

    path: str
    rows: tuple[RosterRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    file: str | None = None
    lines: Mapping[str, int] = field(default_factory=dict, repr=False)

    def placed(self, found: Sequence[tuple[str, Problem]]) -> list[Problem]:
        """Return problems of clients, given with their names, at the place where a reader finds the client.

        Of one file so many are told that a reader can see where they come from; the rest are counted.
        """
        if not self.file:
            return [problem.below(f"{self.path}.clients.{name}") for name, problem in found]
        placed = sorted(PlacedProblem(self.lines[name], problem) for name, problem in found)
        return _in_file(self.path, self.file, placed)


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
    read = _READERS.get(_suffix(file))
    fault = content.fault or _fault_of_text(content.text, is_table=_suffix(file) == "csv")
    if read is None:
        fault = "is no roster file; its name must end in .csv, .yaml or .yml"
    if read is None or fault:
        return RosterRows(path, problems=(Problem(f"{path}.file", f"{file} {fault}"),))
    found = read(content.text)
    rows = tuple(placed.row for placed in found.rows)
    lines = {placed.row.name: placed.line for placed in found.rows}
    return RosterRows(path, rows, tuple(_in_file(path, file, found.problems)), file, lines)


def _fault_of_text(text: str, *, is_table: bool) -> str:
    header = text.partition("\n")[0]
    if "-----BEGIN" in text:
        return "holds PEM text; a roster names clients, their certificates are made from it"
    if is_table and ";" in header and "," not in header:
        return "has semicolons between its cells, as some spreadsheets write them; save it with commas"
    return ""


def _suffix(file: str) -> str:
    return file.rpartition(".")[2].lower()


def _in_file(path: str, file: str, found: Sequence[PlacedProblem]) -> list[Problem]:
    told = [Problem(f"{path}.file", f"{file} {_sentence(each)}") for each in found[:_MAX_TOLD]]
    more = len(found) - len(told)
    return told + ([Problem(f"{path}.file", f"{file} has {more} more problems")] if more else [])


def _sentence(placed: PlacedProblem) -> str:
    field_path = f", {placed.problem.path}" if placed.problem.path else ""
    return f"{line_in_words(placed.line)}{field_path}: {placed.problem.message}"

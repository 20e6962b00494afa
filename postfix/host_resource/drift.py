"""What somebody else has changed of a deployed host, in words: files, their modes, rows of tables, and parameters.

Compared is with the state of the last deployment, never with what is declared now. No content of a file is told but
the rows of tables and the values of parameters, which previews show as well.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed
from postfix.lines import is_remark, logical_lines
from postfix.main_cf import read_parameters
from postfix.tables import parse_source
from postseal_core.errors import PostsealError
from postseal_core.files.mark import NO_MARK, Mark
from postseal_core.files.tree import DIRECTORY, OF_ANOTHER, FileEntry, digest
from postseal_core.wording import shown

__all__ = [
    "Edit",
    "Left",
    "Seen",
    "edits_of",
    "edits_of_parameters",
    "edits_of_services",
    "sentences_of_edits",
    "with_found",
]

_MOST_SHOWN: Final = 10
_MODES: Final = (0o400, 0o600, 0o640, 0o644, 0o444)
_SHORT_FINGERPRINT: Final = 23  # eight pairs: enough to find it by
_FINGERPRINT_LENGTH: Final = 95
# In such a value a table stands with all its rows, passwords among them.
_HIDING: Final = "inline:"
_FIELDS_BEFORE_COMMAND: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A host as the last deployment left it.

    `rows`: those of its tables by path, value by key. `main_cf`: parameters that are ours in a main.cf of others.
    `master_cf`: services that are ours in a master.cf of others, each with its command and options, as `smtpd/inet`.
    """

    deployed: Deployed
    main_cf: Mapping[str, str] = field(default_factory=dict)
    master_cf: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def rows_that_change(self, wanted: "Left") -> list[str]:
        """Return the tables that stay and get other rows."""
        was, will_be = self.deployed.files, wanted.deployed.files
        return [path for path in self.rows if path in was and will_be.get(path, was[path]) != was[path]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is there now: digests and files of one directory, and the mark there. `root`: its name on the host."""

    root: str
    present: Mapping[str, str]
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    mark: Mark = NO_MARK


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that somebody else has changed.

    `root`, `path`: the file. `name`: the parameter or key in it, empty for the file itself. `found`: its value now,
    None where it is gone. `words`: what is told of it.
    """

    root: str
    path: str
    name: str
    found: str | None
    words: str


def edits_of(left: Left, seen: Seen, owned: Mapping[str, str], wanted: Mapping[str, str]) -> list[Edit]:
    """Return what others have changed of the files in `owned`, and of the parameters of a shared main.cf.

    `wanted`: digests of what is declared now; a file that is so already, or that a run of ours has left which was cut
    off before it was stored, was changed by nobody else.
    """
    edits: list[Edit] = []
    for path, was in sorted(owned.items()):
        now = seen.present.get(path)
        marked = seen.mark.files.get(path)
        ours = (was, wanted.get(path), *(marked.digests if marked else ()))
        if now is not None and now in ours:
            continue
        rows = list(_rows(path, left, seen)) if now else []
        edits += rows or [Edit(seen.root, path, "", now, _words_of_file(path, was, now, seen))]
    return edits


def edits_of_parameters(left: Left, seen: Seen, wanted: Mapping[str, str]) -> list[Edit]:
    """Return the parameters of ours that others have changed in a shared main.cf; blanks do not count.

    A parameter that is already as it is declared now was changed as we want it. Nothing is said where a run of ours was
    cut off before it was stored.
    """
    if seen.mark.stamp not in ("", left.deployed.stamp):
        return []
    ours = {name: left.main_cf[name] for name in left.deployed.parameters if name in left.main_cf}
    return [*_edits_of_values(seen.root, MAIN_CF, "", ours, _values_of(seen), wanted)]


def edits_of_services(left: Left, seen: Seen, wanted: Mapping[str, str]) -> list[Edit]:
    """Return the services of ours that others have changed in a shared master.cf: what they run, and with what.

    As for parameters; blanks and the fields in front of the command do not count.
    """
    if seen.mark.stamp not in ("", left.deployed.stamp):
        return []
    file = seen.files.get(MASTER_CF)
    found = dict(_services_in(file.content.decode("utf-8", "replace"))) if file else {}
    ours = {key: left.master_cf[key] for key in left.deployed.services if key in left.master_cf}
    return [*_edits_of_values(seen.root, MASTER_CF, "service ", ours, found, wanted)]


def _edits_of_values(
    root: str, path: str, kind: str, left: Mapping[str, str], found: Mapping[str, str], wanted: Mapping[str, str]
) -> Iterator[Edit]:
    """Yield what is neither as it was left nor as it is declared now; `kind`: what stands in front of a name."""
    for name, was in sorted(left.items()):
        now = found.get(name)
        if now is not None and now.split() in (was.split(), wanted.get(name, was).split()):
            continue
        is_now = "is gone" if now is None else f"is {_value(now)}"
        yield Edit(root, path, name, now, f"{kind}{name} {is_now}, and was left as {_value(was)}")


def _services_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield each service of master.cf by name and type, with its command and options."""
    for group in logical_lines(text.split("\n"))[1:]:
        fields = " ".join(line.strip() for _, line in group if not is_remark(line)).split(None, _FIELDS_BEFORE_COMMAND)
        if len(fields) > _FIELDS_BEFORE_COMMAND:
            yield f"{fields[0]}/{fields[1]}", " ".join(fields[-1].split())


def _values_of(seen: Seen) -> dict[str, str]:
    """Return the parameters of a main.cf; none where there is no file, or none that Postfix could read."""
    file = seen.files.get(MAIN_CF)
    try:
        return read_parameters(file.content.decode("utf-8", "replace")) if file else {}
    except PostsealError:
        return {}


def sentences_of_edits(host: str, edits: Iterable[Edit]) -> list[str]:
    """Return one sentence a file, with the host, the path, and what was changed there."""
    by_path: dict[str, list[str]] = {}
    for edit in edits:
        by_path.setdefault(f"{edit.root}/{edit.path}", []).append(edit.words)
    return [
        f"{host}: {path} was changed or removed by somebody else: {_first(words)}" for path, words in by_path.items()
    ]


def with_found(values: Mapping[str, str], path: str, edits: Iterable[Edit]) -> dict[str, str]:
    """Return values of a file by name as they were found; one that is gone is left out."""
    found = dict(values)
    for edit in edits:
        if edit.path == path and edit.name and edit.found is None:
            found.pop(edit.name, None)
        elif edit.path == path and edit.name and edit.found is not None:
            found[edit.name] = edit.found
    return found


def _first(words: list[str]) -> str:
    others = len(words) - _MOST_SHOWN
    return "; ".join([*words[:_MOST_SHOWN], *([f"and {others} more"] if others > 0 else [])])


def _words_of_file(path: str, was: str, now: str | None, seen: Seen) -> str:
    if now is None:
        return "it is gone"
    if DIRECTORY in (was, now):
        return "it is a directory" if now == DIRECTORY else "it is no directory any more"
    if now.endswith(OF_ANOTHER):
        return "it belongs to another user"
    file = seen.files.get(path)
    mode = next((mode for mode in _MODES if file and digest(FileEntry(path, file.content, mode)) == was), None)
    if file and mode is not None:
        return f"its mode is {file.mode:04o}, and was left as {mode:04o}"
    return "what it holds is not what was written there"


def _rows(path: str, left: Left, seen: Seen) -> Iterator[Edit]:
    """Yield the rows that differ in a table; none for another file, or where the rows are as they were."""
    file = seen.files.get(path)
    if path not in left.rows or file is None:
        return
    was = left.rows[path]
    now = {row.key: row.value for row in reversed(parse_source(file.content.decode("utf-8", "replace")))}
    for key in sorted({*was, *now}):
        if key not in now:
            yield Edit(seen.root, path, key, None, f"row {_key(key)} of {_value(was[key])} is gone")
        elif key not in was:
            yield Edit(seen.root, path, key, now[key], f"row {_key(key)} of {_value(now[key])} was added")
        elif was[key] != now[key]:
            yield Edit(
                seen.root,
                path,
                key,
                now[key],
                f"row {_key(key)} says {_value(now[key])}, and was left as {_value(was[key])}",
            )


def _key(key: str) -> str:
    is_fingerprint = len(key) == _FINGERPRINT_LENGTH and ":" in key
    return f"{key[:_SHORT_FINGERPRINT]}..." if is_fingerprint else shown(key)


def _value(value: str) -> str:
    if _HIDING in value:
        return "a table with rows of its own"
    return shown(value)

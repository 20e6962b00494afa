"""File sets below one root as values: declared, owned and present files, and the plan between them.

Nothing here touches a disk. Paths are relative POSIX paths below the root; a directory is written with a slash at its
end (`tls/`), the root itself as `./`. A digest covers kind, mode and content, so a changed mode is a change.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from unicodedata import normalize

from postseal_core.errors import ConfigError, Problem
from postseal_core.wording import shown

__all__ = [
    "DIRECTORY",
    "KEPT_SUFFIX",
    "LOCK_FILE",
    "MARK_FILE",
    "OF_ANOTHER",
    "OTHER",
    "ROOT",
    "WORK_DIRECTORY",
    "Directory",
    "Entry",
    "FileEntry",
    "Symlink",
    "TreePlan",
    "any_order",
    "complaint_of_path",
    "digest",
    "digest_of_link",
    "directories_above",
    "foreign_problems",
    "is_reserved",
    "kept_name",
    "manifest",
    "parents",
    "paths_to_inspect",
    "plan_tree",
    "tree_problems",
]

# The root among paths of directories.
ROOT = "./"
# What stands in place of a digest for a directory, and for a device, socket or pipe.
DIRECTORY = "directory"
OTHER = "other"

# What follows the digest of a file that belongs to another user, who can change it whenever they like.
OF_ANOTHER = " of another user"

# The file that lists what is ours at a place, and what a file that we replaced is called there until it is given back.
MARK_FILE = ".postseal.json"
KEPT_SUFFIX = ".before-postseal"
# Here while a run is at work; whoever can open it could keep every other run away.
LOCK_FILE = ".postseal.lock"

# Here while a host is changed and after it: what the program on the host needs to undo or to finish.
WORK_DIRECTORY = ".postseal"

_OWN_NAMES = f"{MARK_FILE}, {LOCK_FILE}, {WORK_DIRECTORY}, *{KEPT_SUFFIX}"
_NOT_A_FILE = {DIRECTORY: "a directory", OTHER: "a device, socket or pipe"}
_PRIVATE_DIRECTORY = 0o700
_PUBLIC_DIRECTORY = 0o755
_FOR_OTHERS = 0o077
_ALL_PERMISSIONS = 0o777


def complaint_of_path(path: str) -> str | None:
    """Say why a path is no plain one below a directory, as `tls/mx1.pem`; None: it is."""
    if not path or path.startswith("/"):
        return (
            f"{shown(path)} is not a relative path; write it relative to the directory that is deployed, as tls/mx1.pem"
        )
    if any(part in ("", ".", "..") for part in path.split("/")):
        return f"{shown(path)} has an empty, '.' or '..' component; write the plain path, as tls/mx1.pem"
    if any(not character.isprintable() for character in path):
        return f"{shown(path)} has a control character; use printable characters only"
    return None


def _leaves_root(path: str, target: str) -> bool:
    depth = path.count("/")
    for part in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            return True
    return False


def _require(path: str, complaints: Iterable[str | None]) -> None:
    if problems := [Problem(path, complaint) for complaint in complaints if complaint]:
        raise ConfigError(problems)


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file that is wanted: where, what and with which permission bits (0 to 0o777).

    The content never shows in a `repr`, as it may be a key.
    Raises ConfigError where the path is not a plain relative one or the mode has other bits than read, write, execute.
    """

    path: str
    content: bytes = field(repr=False)
    mode: int

    def __post_init__(self) -> None:
        bad_mode = f"mode {self.mode:#o} is not within 0 to 0o777; use 0o400 for keys, 0o644 for public files"
        _require(self.path, (complaint_of_path(self.path), None if 0 <= self.mode <= _ALL_PERMISSIONS else bad_mode))

    @property
    def is_private(self) -> bool:
        """Whether nobody but the owner may do anything with the file."""
        return not self.mode & _FOR_OTHERS


@dataclass(frozen=True, slots=True)
class Symlink:
    """One symbolic link that is wanted; `target` is relative to the link's directory and stays below the root.

    Whether the target exists is not checked. Raises ConfigError for an absolute target or one that leaves the root.
    """

    path: str
    target: str

    def __post_init__(self) -> None:
        is_plain = self.target.isprintable() and self.target.strip("/") == self.target != ""
        bad_target = f"target {shown(self.target)} must be a relative path that stays below the deployed directory"
        is_inside = is_plain and not _leaves_root(self.path, self.target)
        _require(self.path, (complaint_of_path(self.path), None if is_inside else bad_target))

    @property
    def is_private(self) -> bool:
        """A link holds nothing that needs hiding."""
        return False


Entry = FileEntry | Symlink


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that has to be made; `path` ends with a slash."""

    path: str
    mode: int


@dataclass(frozen=True, slots=True)
class TreePlan:
    """What to do below one root, in this order: make directories, write, remove, remove empty directories.

    `changed_outside` were ours and differ from what we left (edited, chmodded or deleted);
    `kept` are no longer declared but were changed outside, so they stay; `taken_over` existed, were not ours and are
    replaced, once they are kept under `kept_name`; `give_back` are no longer declared and get back what they replaced.
    `owned` is what is ours once the plan is carried out: store it and pass it in the next time.
    """

    make_directories: tuple[Directory, ...]
    write: tuple[Entry, ...]
    remove: tuple[str, ...]
    remove_directories: tuple[str, ...]
    changed_outside: tuple[str, ...]
    kept: tuple[str, ...]
    taken_over: tuple[str, ...]
    owned: Mapping[str, str]
    give_back: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be touched."""
        return not (self.make_directories or self.write or self.remove or self.remove_directories or self.give_back)


def digest(entry: Entry) -> str:
    """Return `sha256:` and the hexadecimal digest over an entry's kind, mode and content (a link's: its target)."""
    if isinstance(entry, Symlink):
        return digest_of_link(entry.target.encode())
    said = sha256(b"file\0%o\0" % entry.mode)
    said.update(entry.content)
    return f"sha256:{said.hexdigest()}"


def digest_of_link(target: bytes) -> str:
    """Return the digest of a symbolic link, also of one that no `Symlink` may describe."""
    return "sha256:" + sha256(b"link\0" + target).hexdigest()


def manifest(entries: Iterable[Entry]) -> dict[str, str]:
    """Return path -> digest of a set of files, sorted by path: what a preview shows instead of contents."""
    return {entry.path: digest(entry) for entry in sorted(entries, key=lambda entry: entry.path)}


def parents(path: str) -> tuple[str, ...]:
    """Return the directories above a path, the outermost first: `a/b/c` gives `./`, `a/`, `a/b/`."""
    parts = path.rstrip("/").split("/")
    return () if path == ROOT else (ROOT, *("/".join(parts[:end]) + "/" for end in range(1, len(parts))))


def kept_name(path: str) -> str:
    """Return the name under which somebody else's file is kept while ours stands in its place."""
    return path + KEPT_SUFFIX


def is_reserved(path: str) -> bool:
    """Return whether a path is one of our own records at a place, which no declared file may be."""
    if path.endswith(KEPT_SUFFIX) or path.startswith(f"{WORK_DIRECTORY}/"):
        return True
    return path in (MARK_FILE, LOCK_FILE, WORK_DIRECTORY)


def _outermost_first(directories: Iterable[str]) -> list[str]:
    return sorted(directories, key=lambda path: (path != ROOT, path))


def directories_above(paths: Iterable[str]) -> list[str]:
    """Return every directory above any of `paths`, each once, the outermost first."""
    return _outermost_first({parent for path in paths for parent in parents(path)})


def paths_to_inspect(desired: Iterable[Entry], owned: Mapping[str, str]) -> tuple[str, ...]:
    """Return every path whose present state `plan_tree` needs: entries, what is ours, and the directories above."""
    paths = {entry.path for entry in desired} | set(owned)
    return tuple(_outermost_first(paths | set(directories_above(paths))))


def tree_problems(desired: Sequence[Entry]) -> tuple[Problem, ...]:
    """Return what makes a set of entries impossible: two entries for one path, a file where a directory is needed."""
    counts = Counter(entry.path for entry in desired)
    needed = {directory.rstrip("/") for directory in directories_above(counts)}
    twice = "is declared {} times; declare each file once"
    below = "is declared as a file, but other files are declared below it; rename one of them"
    reserved = f"is a name that is kept for our own records ({_OWN_NAMES}); choose another one"
    return (
        *(Problem(path, reserved) for path in sorted(counts) if is_reserved(path)),
        *(Problem(path, twice.format(count)) for path, count in sorted(counts.items()) if count > 1),
        *(Problem(path, below) for path in sorted(needed & counts.keys())),
        *_problems_of_alike(needed | counts.keys()),
    )


def _problems_of_alike(paths: Iterable[str]) -> Iterator[Problem]:
    """Report paths that are one file where capitals, or ways to write an accent, make no difference (macOS)."""
    first: dict[str, str] = {}
    for path in sorted(paths):
        other = first.setdefault(normalize("NFC", path.casefold()), path)
        if other != path and other.rpartition("/")[0] == path.rpartition("/")[0]:
            yield Problem(path, f"differs from {shown(other)} in capitals or accents only; rename one of them")


def _obstacles(desired: Sequence[Entry], present: Mapping[str, str]) -> Iterator[Problem]:
    for entry in desired:
        if what := _NOT_A_FILE.get(present.get(entry.path, "")):
            yield Problem(entry.path, f"is {what} there, a file is declared; move it away or declare another path")
    for directory in directories_above(entry.path for entry in desired):
        if present.get(directory, DIRECTORY) != DIRECTORY:
            yield Problem(directory, "is no directory there, but files are declared below it; move it away first")


def foreign_problems(
    declared: Iterable[str], owned: Collection[str], present: Mapping[str, str], take_over: Collection[str]
) -> Iterator[Problem]:
    """Report files that are not ours where ours are declared, unless `take_over` names them.

    Several of them are one problem of the whole place, with the list that has to be written.
    """
    found = {path for path in declared if path not in owned and path in present and present[path] not in _NOT_A_FILE}
    named = sorted(path for path in found if path in take_over)
    if strangers := sorted(found.difference(named)):
        yield _foreign_problem(strangers, sorted(found))
    for path in named:
        if present.get(kept_name(path)) not in (None, present[path]):
            yield Problem(
                kept_name(path), f"is in the way: {path} would be kept under this name; move it away or rename it"
            )


def _foreign_problem(strangers: Sequence[str], take_over: Sequence[str]) -> Problem:
    """Return what to do about files of others; `take_over`: these, and those that are named already."""
    way_out = f"`take_over: [{', '.join(take_over)}]`"
    if len(strangers) == 1:
        return Problem(
            strangers[0],
            "a file that is not ours stands there; move it away, choose another place, or have it replaced with "
            f"{way_out}: it is kept as {kept_name(strangers[0])} and given back when ours goes",
        )
    return Problem(
        "",
        f"{len(strangers)} files that are not ours stand there; move them away, choose another place, or have them "
        f"replaced with {way_out}: each is kept with {KEPT_SUFFIX} behind its name and given back when ours goes",
    )


def _private_directories(desired: Sequence[Entry]) -> set[str]:
    """Return the directories to close to others: parents of private files, and the root if all files are private."""
    private = {parents(entry.path)[-1] for entry in desired if entry.is_private} - {ROOT}
    return private | ({ROOT} if all(entry.is_private for entry in desired) else set())


def any_order(_: Entry) -> int:
    """Return a constant sort key: files are written in the order of their paths."""
    return 0


def plan_tree(
    desired: Sequence[Entry],
    owned: Mapping[str, str],
    present: Mapping[str, str],
    *,
    order: Callable[[Entry], int] = any_order,
    take_over: Collection[str] = (),
    kept: Collection[str] = (),
) -> TreePlan:
    """Return what to write and remove so that a directory holds `desired`, leaving alone all that was never ours.

    `owned`: the `owned` of the previous plan (empty the first time). `present`: path -> digest of what is there, for at
    least `paths_to_inspect(desired, owned)`; a path that is missing there does not exist. `order`: sort key of writes,
    smallest first, then by path. `take_over`: paths at which a file that is not ours is replaced; anywhere else it is
    refused. `kept`: paths of ours beside which the file that they replaced lies. A directory to be made gets 0700 if it
    directly holds a file nobody else may read, else 0755 (the root: 0700 only if all files are such); the mode of an
    existing directory is never changed.
    Raises ConfigError with all collisions, in the declaration and with what is there.
    """
    foreign = foreign_problems((entry.path for entry in desired), owned, present, take_over)
    if problems := (*tree_problems(desired), *_obstacles(desired, present), *foreign):
        raise ConfigError(problems)
    wanted = manifest(desired)
    taken_over = [path for path in wanted if path in present and path not in owned]
    needed = directories_above(wanted)
    private = _private_directories(desired)
    files = {path: value for path, value in sorted(owned.items()) if value != DIRECTORY}
    gone = [path for path in files if path not in wanted and path in present]
    give_back = [
        path for path in files if path in kept and path not in wanted and present.get(path) in (None, files[path])
    ]
    missing = [path for path in needed if path not in present]
    emptied = [path for path in owned if owned[path] == present.get(path) == DIRECTORY and path not in needed]
    write = [entry for entry in desired if present.get(entry.path) != wanted[entry.path] or entry.path in taken_over]
    return TreePlan(
        make_directories=tuple(
            Directory(path, _PRIVATE_DIRECTORY if path in private else _PUBLIC_DIRECTORY) for path in missing
        ),
        write=tuple(sorted(write, key=lambda entry: (order(entry), entry.path))),
        remove=tuple(path for path in gone if present[path] == files[path] and path not in give_back),
        remove_directories=tuple(reversed(_outermost_first(emptied))),
        changed_outside=tuple(path for path in files if present.get(path) not in (files[path], wanted.get(path, ""))),
        kept=tuple(path for path in gone if present[path] != files[path]),
        taken_over=tuple(taken_over),
        owned=wanted | {path: DIRECTORY for path in needed if path in missing or owned.get(path) == DIRECTORY},
        give_back=tuple(give_back),
    )

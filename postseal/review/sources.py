"""The edge of a review: stack files and what they name, from this directory or from a revision in git."""

import errno
import os
import posixpath
import stat
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from postseal.review.declared import StackSource, sections_of
from postseal.review.stack_yaml import StackText, read_stack_text, read_yaml
from postseal.stack.build import file_text
from postseal.stack.screening import FileText, declared_files
from postseal_core.bounds import LARGEST_FILE_BYTES
from postseal_core.errors import ConfigError, Problem
from postseal_core.files.project_file import ProjectFileError, read_project_file
from postseal_core.wording import shown

__all__ = ["StackFile", "open_stack_file", "source_of", "unread_settings"]

_PROJECT_FILE: Final = "Pulumi.yaml"
_GIT_SECONDS: Final = 60
_GIT_ENVIRONMENT: Final = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
"""A clone that has a part only asks nobody for the rest: a review needs no network, and a remote may be a command."""
_REGULAR: Final = (b"100644", b"100755")
_LARGEST_PROJECT_BYTES: Final = 64 * 1024
_MOST_FILES: Final = 2_000
"""That one stack file names: several of hundreds of servers."""
_OF_NEW: Final = ("encryptionsalt", "encryptedkey", "secretsprovider")
"""What each new stack file has."""
_LARGEST_FILES_BYTES: Final = 4 * LARGEST_FILE_BYTES
"""All of them together; the same one may be named in a thousand ways."""

Reader = Callable[[str], bytes]
"""Reads a file by its path below the project; raises FileNotFoundError, or ProjectFileError with what is wrong."""


@dataclass(frozen=True, slots=True)
class StackFile:
    """An opened stack file, and its project: the name in its Pulumi.yaml, empty for none, and how its files are read.

    `place`: the absolute path of the project. `stack`: as the name of the file says, empty where it does not.
    `settings`: everything in Pulumi.yaml.
    """

    option: str
    text: StackText
    project: str
    stack: str
    place: str
    read: Reader
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)


def open_stack_file(option: str, named: str) -> StackFile:
    """Open the stack file that an option names: a path, or `REV:path` as git takes it.

    A path with a colon is written with `./` in front, so that no file can stand in for a revision.

    Raises:
        ConfigError: it cannot be read, or is no stack file.
    """
    revision, colon, path = named.partition(":")
    is_path = not colon or named.startswith((".", "/"))
    return _on_disk(option, Path(named)) if is_path else _in_git(option, revision, path)


def source_of(opened: StackFile, project: str) -> StackSource:
    """Return a stack file with all files that it names; `project`: whose sections are read."""
    raw, _ = sections_of(opened.text, project)
    names = declared_files(raw)
    if len(names) > _MOST_FILES:
        message = f"names {len(names):,} files; a review reads {_MOST_FILES:,}, so put what they say into fewer"
        raise ConfigError([Problem(opened.option, message)])
    files: dict[str, FileText] = {}
    left = _LARGEST_FILES_BYTES
    for name in names:
        files[name] = file_text(partial(opened.read, name))
        left -= len(files[name].text)
        if left < 0:
            message = f"names files of more than {_LARGEST_FILES_BYTES // 2**20} MiB together, which no review reads"
            raise ConfigError([Problem(opened.option, message)])
    return StackSource(opened.text, files, opened.place)


def unread_settings(before: StackFile | None, after: StackFile, project: str) -> list[str]:
    """Return what differs between two stack files and their projects and is for the engine, as a place for each.

    What the engine makes of it, a review cannot tell: an `environment` brings values from elsewhere, another
    `stackConfigDir` another stack file. Where there is nothing before, everything that could hide something counts.
    """
    places = [
        *_differing("the stack file", before.text.settings if before else {}, after.text.settings),
        *_differing("config", _of_others(before, project), _of_others(after, project)),
        *(_differing(_PROJECT_FILE, before.settings, after.settings) if before and before.settings else ()),
    ]
    return [each for each in places if before or not each.endswith(_OF_NEW)]


def _of_others(opened: StackFile | None, project: str) -> Mapping[str, Any]:
    values = opened.text.values if opened else {}
    return {key: value for key, value in values.items() if not key.startswith(f"{project}:")}


def _differing(place: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [f"{place}: {name}" for name in sorted({*before, *after}) if before.get(name) != after.get(name)]


def _on_disk(option: str, path: Path) -> StackFile:
    try:
        content = _content(path, LARGEST_FILE_BYTES)
    except OSError as error:
        raise ConfigError([Problem(option, f"cannot read {shown(str(path))} ({error.strerror})")]) from error
    above = path.resolve().parent
    root = next((each for each in (above, *above.parents) if (each / _PROJECT_FILE).is_file()), above)
    try:
        project = _project(_content(root / _PROJECT_FILE, _LARGEST_PROJECT_BYTES), option)
    except FileNotFoundError:
        project = {}
    base = root / str(project.get("main") or "")
    return _opened(
        option, content, path.name, project, str(root), lambda name: read_project_file(root, name, base=base)
    )


def _content(path: Path, largest: int) -> bytes:
    """Return the begin of a file, one byte more than it may have; a pipe is read, as of `<(git show ...)`."""
    with path.open("rb") as file:
        if stat.S_ISCHR(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "a device")
        return file.read(largest + 1)


def _in_git(option: str, revision: str, path: str) -> StackFile:
    if revision.startswith("-"):
        raise ConfigError([Problem(option, f"got {shown(revision)}, expected a revision, as origin/main:stacks/...")])
    top = Path(_git("rev-parse", "--show-toplevel", option=option).decode().strip())
    if path.startswith("./"):
        path = _git("rev-parse", "--show-prefix", option=option).decode().strip() + path
    path = posixpath.normpath(path)
    commit = _git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}", option=option).decode().strip()

    def read(name: str) -> bytes:
        return _blob(commit, name, option)

    try:
        content = read(path)
    except FileNotFoundError:
        message = f"{shown(path)} is not there at {shown(revision)}; leave --from out for a stack that is new"
        raise ConfigError([Problem(option, message)]) from None
    except ProjectFileError as error:
        raise ConfigError([Problem(option, str(error))]) from None
    above = [posixpath.dirname(path)]
    while above[-1]:
        above.append(posixpath.dirname(above[-1]))
    root, project = next(
        ((each, found) for each in above if (found := _project_in(read, each, option))), (above[0], {})
    )
    base = posixpath.normpath(posixpath.join(root, str(project.get("main") or "")))

    def read_named(name: str) -> bytes:
        return read(_below(root, base, name))

    return _opened(option, content, posixpath.basename(path), project, str(top / root), read_named)


def _below(root: str, base: str, name: str) -> str:
    """Return the path of a file in the repository.

    Raises:
        ProjectFileError: it is not below the project.
    """
    path = posixpath.normpath(posixpath.join(base, name))
    if posixpath.isabs(name) or (root and path != root and not path.startswith(f"{root}/")) or path.startswith(".."):
        raise ProjectFileError("is not within the project's directory; keep it there")
    return path


def _project_in(read: Reader, directory: str, option: str) -> Mapping[str, Any]:
    try:
        return _project(read(posixpath.join(directory, _PROJECT_FILE)), option)
    except FileNotFoundError:
        return {}
    except ProjectFileError as error:
        raise ConfigError([Problem(option, f"{_PROJECT_FILE} of its project {error}")]) from None


def _project(content: bytes, option: str) -> Mapping[str, Any]:
    """Return what a Pulumi.yaml says. One that cannot be read is not taken for none: it names what belongs to it."""
    unreadable = ConfigError([Problem(option, f"{_PROJECT_FILE} of its project cannot be read; mend it")])
    if len(content) > _LARGEST_PROJECT_BYTES:
        raise unreadable
    try:
        found = read_yaml(content.decode())
    except (yaml.YAMLError, ValueError, RecursionError):
        raise unreadable from None
    return {str(name): value for name, value in found.items()} if isinstance(found, Mapping) else {}


def _opened(option: str, content: bytes, name: str, project: Mapping[str, Any], place: str, read: Reader) -> StackFile:
    try:
        text = read_stack_text(content.decode("utf-8"), option)
    except UnicodeDecodeError:
        raise ConfigError([Problem(option, "is no text, and so no stack file")]) from None
    is_named = name.startswith("Pulumi.") and name.endswith((".yaml", ".yml"))
    stack = name.removeprefix("Pulumi.").rpartition(".")[0] if is_named else ""
    return StackFile(option, text, str(project.get("name") or ""), stack, place, read, project)


def _blob(commit: str, path: str, option: str) -> bytes:
    """Return a regular file of a commit; nothing that a repository configures is run for it."""
    listed = _git("ls-tree", "-z", "-l", "--full-tree", commit, "--", path, option=option)
    entry, _, found = listed.rstrip(b"\0").partition(b"\t")
    if not found or found.decode("utf-8", "replace") != path:
        raise FileNotFoundError(path)
    mode, _, name, size = entry.split()
    if mode not in _REGULAR:
        raise ProjectFileError("is no regular file, but a directory, a link or a submodule; name a file")
    if int(size) > LARGEST_FILE_BYTES:
        raise ProjectFileError(f"is larger than {LARGEST_FILE_BYTES // 2**20} MiB, which no such file needs")
    return _git("cat-file", "blob", name.decode(), option=option)


def _git(*arguments: str, option: str) -> bytes:
    command = ["git", "--no-pager", "--literal-pathspecs", *arguments]
    environment = os.environ | _GIT_ENVIRONMENT
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
            env=environment,
        )
    except OSError as error:
        raise ConfigError([Problem(option, f"cannot run git ({error.strerror}); name a file instead")]) from error
    except subprocess.TimeoutExpired as error:
        raise ConfigError([Problem(option, f"git did not answer within {_GIT_SECONDS} seconds")]) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ConfigError([Problem(option, f"git cannot read it: {said[-1] if said else 'no message'}")])
    return done.stdout
